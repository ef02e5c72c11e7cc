//! Proving and copying a whole store, whichever kind it is.

use std::collections::{BTreeMap, BTreeSet};

use thirdring::store::{Append, AppendError, Cursor, Expected, Log, NewRecord, StoredRecord};
use thirdring::{ReadFailure, read_all};

use crate::failure::Failure;
use crate::output::counted;

/// How many records are copied at a time: few enough for one batch.
const PAGE: usize = 200;

/// What a store holds, every record proved to follow from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Proved {
    pub(crate) records: u64,
    pub(crate) streams: usize,
    pub(crate) last_position: u64,
}

impl Proved {
    /// `13 records in 2 streams`.
    pub(crate) fn in_words(&self) -> String {
        format!(
            "{} in {}",
            counted(self.records, "record"),
            counted(self.streams as u64, "stream")
        )
    }
}

/// Reads a store from its beginning to its end and proves every record.
///
/// # Errors
/// If it cannot be read, or a record was altered: then which one.
pub(crate) fn prove(log: &dyn Log) -> Result<Proved, ReadFailure> {
    let (mut records, mut last_position) = (0, 0);
    let mut streams = BTreeSet::new();
    read_all(log, |position, record| {
        records += 1;
        last_position = position.max(last_position);
        if !streams.contains(&record.stream) {
            streams.insert(record.stream.clone());
        }
    })?;
    Ok(Proved {
        records,
        streams: streams.len(),
        last_position,
    })
}

/// Copies what a log holds as of one moment, ids, versions and bytes as they
/// are. What the target has already is passed over, so that a copy that was
/// interrupted goes on.
///
/// # Errors
/// If one of them fails, or the target holds something else.
pub(crate) fn copy(from: &dyn Log, to: &dyn Log) -> Result<u64, Failure> {
    // What is appended from now on is not of that moment.
    let end = from.end().map_err(ReadFailure::from)?;
    let lasts = end.positions(end.partitions()).unwrap_or_default();
    let of_then = |record: &StoredRecord| {
        lasts
            .get(from.partition(&record.stream))
            .is_some_and(|last| record.position <= *last)
    };
    let mut cursor = Cursor::start();
    let mut copied = 0;
    loop {
        let page = from.scan(&cursor, PAGE).map_err(ReadFailure::from)?;
        let before = copied;
        let mut batches: BTreeMap<usize, Vec<Append>> = BTreeMap::new();
        for record in page.records.into_iter().filter(of_then) {
            copied += 1;
            add(
                batches.entry(to.partition(&record.stream)).or_default(),
                record,
            );
        }
        for batch in batches.into_values() {
            append(to, batch)?;
        }
        let nothing_of_then = copied == before;
        let reached = page.next.positions(lasts.len()).unwrap_or_default();
        let past = reached.iter().zip(&lasts).all(|(at, last)| at >= last);
        if page.end || (nothing_of_then && past) {
            return Ok(copied);
        }
        cursor = page.next;
    }
}

fn add(batch: &mut Vec<Append>, record: StoredRecord) {
    let new = NewRecord {
        id: record.id,
        body: record.body,
        personal: record.personal,
    };
    match batch.iter_mut().find(|part| part.stream == record.stream) {
        Some(part) => part.records.push(new),
        None => batch.push(Append {
            stream: record.stream,
            expected: Expected::Exactly(record.version.saturating_sub(1)),
            records: vec![new],
        }),
    }
}

/// Appends a batch; one part of which is there already, stream by stream.
fn append(to: &dyn Log, batch: Vec<Append>) -> Result<(), Failure> {
    match to.append(&batch) {
        Ok(_) => Ok(()),
        Err(AppendError::PartlyKnown { .. } | AppendError::Limit(_)) => {
            for part in batch {
                for (record, version) in part
                    .records
                    .into_iter()
                    .zip(part.expected.version().unwrap_or(0)..)
                {
                    let single = Append {
                        stream: part.stream.clone(),
                        expected: Expected::Exactly(version),
                        records: vec![record],
                    };
                    to.append(&[single]).map_err(|error| failed(&error))?;
                }
            }
            Ok(())
        }
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &AppendError) -> Failure {
    let remedy = match error {
        AppendError::Conflict(_) | AppendError::IdTaken { .. } => {
            "the target holds something else already: copy into an empty one"
        }
        _ => "mend the cause and run the command again: what was copied stays",
    };
    Failure::store(format!("the copy stopped: {error}"), remedy)
}
