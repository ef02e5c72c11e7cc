//! Records in and out of a log: where the core's records and the store's bytes
//! meet.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use thirdring_core::digest::Digest;
use thirdring_core::record::{BadRecord, Opener, Sealed, chain_origin};
use thirdring_core::{Record, RecordId, StreamId};
use thirdring_store as store;
use thirdring_store::{Cursor, Log, NewRecord, ReadError, StoredRecord};

/// How many records are read at a time.
const PAGE: usize = 512;

/// Why records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What the log holds is not what was written.
    #[error("stream {stream}, version {version} (position {position} of the log): {problem}")]
    Damaged {
        /// The stream.
        stream: String,
        /// The version of the record.
        version: u64,
        /// Its position in the log.
        position: u64,
        /// What is wrong.
        problem: BadRecord,
    },
    /// The streams of the log do not hold all records it has positions for.
    #[error(
        "partition {partition} of the log has {expected} positions, but its streams hold {found} records: some are missing, restore a backup"
    )]
    Lost {
        /// The partition.
        partition: usize,
        /// Its last position.
        expected: u64,
        /// How many records were found.
        found: u64,
    },
    /// The log holds a stream whose name is not one of ours.
    #[error("the log holds a stream with the name {0:?}, which is no stream id of this program")]
    ForeignStream(String),
}

pub(crate) fn stored_stream(stream: &StreamId) -> Result<store::StreamId, store::StreamIdError> {
    store::StreamId::new(stream.as_str())
}

pub(crate) fn new_record(id: RecordId, sealed: Sealed) -> NewRecord {
    NewRecord {
        id: store::RecordId(id.to_bytes()),
        body: sealed.body,
        personal: sealed.personal,
    }
}

/// Turns a stored record of a stream back into a record, and proves that it
/// follows the link before it and stands where it says it does.
pub(crate) fn prove(
    opener: &mut Opener,
    stored: StoredRecord,
    stream: &StreamId,
    before: &Digest,
) -> Result<Arc<Record>, ReadFailure> {
    let (version, position, id) = (stored.version, stored.position, stored.id.0);
    let damaged = |problem: BadRecord| ReadFailure::Damaged {
        stream: stream.as_str().to_owned(),
        version,
        position,
        problem,
    };
    let record = opener
        .open(&sealed(stored), stream, before)
        .map_err(damaged)?;
    if record.version != version || record.id.to_bytes() != id {
        return Err(damaged(BadRecord::Misplaced {
            stream: record.stream.as_str().to_owned(),
            says: record.version,
        }));
    }
    Ok(Arc::new(record))
}

/// Reads a stored record without proving its link.
pub(crate) fn unproved(opener: &mut Opener, stored: StoredRecord) -> Result<Record, ReadFailure> {
    let (version, position) = (stored.version, stored.position);
    let stream = stored.stream.clone();
    opener
        .open_unproved(&sealed(stored))
        .map_err(|problem| ReadFailure::Damaged {
            stream: stream.as_str().to_owned(),
            version,
            position,
            problem,
        })
}

fn sealed(stored: StoredRecord) -> Sealed {
    Sealed {
        body: stored.body,
        personal: stored.personal,
    }
}

/// The name of a stream of the log as one of ours.
pub(crate) fn named(stream: &store::StreamId) -> Result<StreamId, ReadFailure> {
    let name = stream.as_str();
    StreamId::new(name).map_err(|_| ReadFailure::ForeignStream(name.to_owned()))
}

/// The names of all streams of a log, in their order as text.
pub(crate) fn stream_names(log: &dyn Log) -> Result<Vec<StreamId>, ReadFailure> {
    let mut names = Vec::new();
    let mut last: Option<store::StreamId> = None;
    loop {
        let page = log.streams(last.as_ref(), PAGE)?;
        for stream in &page {
            names.push(named(stream)?);
        }
        match page.into_iter().next_back() {
            Some(stream) => last = Some(stream),
            None => break,
        }
    }
    // The order of the log is its own.
    names.sort_unstable();
    Ok(names)
}

/// All records of a stream, proved link by link.
///
/// # Errors
/// If the log cannot be read, or a record was altered: then which one.
pub fn read_stream(log: &dyn Log, stream: &StreamId) -> Result<Vec<Arc<Record>>, ReadFailure> {
    let Ok(name) = stored_stream(stream) else {
        return Ok(Vec::new());
    };
    let mut records = Vec::new();
    let mut opener = Opener::default();
    let mut chain = chain_origin(stream);
    let mut from = 1;
    loop {
        let page = log.read(&name, from, PAGE)?;
        for stored in page.records {
            let record = prove(&mut opener, stored, stream, &chain)?;
            chain = record.chain;
            records.push(record);
        }
        if page.end {
            return Ok(records);
        }
        from = page.next;
    }
}

/// All records of a log in order of position, proved link by link, from the
/// beginning.
///
/// # Errors
/// If the log cannot be read, or a record was altered: then which one.
pub fn read_all(log: &dyn Log, mut visit: impl FnMut(u64, Arc<Record>)) -> Result<(), ReadFailure> {
    // By the log's own names, so that each is made one of ours once.
    let mut chains: BTreeMap<store::StreamId, (StreamId, Digest)> = BTreeMap::new();
    let mut opener = Opener::default();
    let mut cursor = Cursor::start();
    loop {
        let page = log.scan(&cursor, PAGE)?;
        for stored in page.records {
            let position = stored.position;
            let (stream, chain) = match chains.entry(stored.stream.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    let stream = named(free.key())?;
                    let origin = chain_origin(&stream);
                    free.insert((stream, origin))
                }
            };
            let record = prove(&mut opener, stored, stream, chain)?;
            *chain = record.chain;
            visit(position, record);
        }
        if page.end {
            return Ok(());
        }
        cursor = page.next;
    }
}
