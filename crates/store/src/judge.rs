//! Whether a batch may be written. One judgement for every log in this crate,
//! so that they cannot differ; a log only answers three questions.

use crate::append::{AppendError, Appended, CheckedBatch, Conflict, Place};
use crate::limits::Limits;
use crate::read::{ReadError, StreamPage};
use crate::record::{NewRecord, RecordId, StoredRecord};
use crate::stream::StreamId;

/// What the judgement asks of a log, inside the transaction that will write.
pub(crate) trait Ledger {
    /// The record with this id.
    fn find(&self, id: RecordId) -> Result<Option<StoredRecord>, ReadError>;
    /// How this log finds the stream again when it writes.
    type Handle;
    /// The stream's last version, 0 if it has no records, and its handle.
    fn head(&self, stream: &StreamId) -> Result<Head<Self::Handle>, ReadError>;
    /// A page of the stream, forward.
    fn page(&self, stream: &StreamId, from: u64, limit: usize) -> Result<StreamPage, ReadError>;
}

/// A stream before the batch.
#[derive(Debug)]
pub(crate) struct Head<H> {
    /// Its last version, 0 if it has no records.
    pub(crate) version: u64,
    /// How the log finds it again.
    pub(crate) handle: H,
}

/// A batch that was not refused.
#[derive(Debug)]
pub(crate) enum Judged<H> {
    /// Write it; for each part of the batch, what the stream is like.
    Write(Vec<Head<H>>),
    /// It is stored already.
    Replay(Appended),
}

/// Judges a batch. Reads one index entry per record and one per stream, unless
/// the batch is a retry or in conflict.
pub(crate) fn judge<L: Ledger>(
    batch: &CheckedBatch,
    ledger: &L,
    limits: &Limits,
) -> Result<Judged<L::Handle>, AppendError> {
    // Before the expectations: a retry of a stored batch expects a version that
    // its own first try has passed.
    if let Some(appended) = replay(batch, ledger)? {
        return Ok(Judged::Replay(appended));
    }
    let mut heads = Vec::with_capacity(batch.parts().len());
    let mut conflicts = Vec::new();
    for part in batch.parts() {
        let found = ledger.head(&part.stream)?;
        let head = found.version;
        heads.push(found);
        if part.expected.admits(head) {
            continue;
        }
        let after = part.expected.version().unwrap_or(head);
        let (since, complete) = if after < head {
            let from = after.saturating_add(1);
            let page = ledger.page(&part.stream, from, limits.page_records)?;
            (page.records, page.end)
        } else {
            (Vec::new(), true)
        };
        conflicts.push(Conflict {
            stream: part.stream.clone(),
            expected: part.expected,
            actual: head,
            since,
            complete,
        });
    }
    if conflicts.is_empty() {
        Ok(Judged::Write(heads))
    } else {
        Err(AppendError::Conflict(conflicts))
    }
}

/// The answer to a batch whose records are all stored already; `None` if none
/// of them is.
fn replay(batch: &CheckedBatch, ledger: &impl Ledger) -> Result<Option<Appended>, AppendError> {
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for (stream, record) in batch.records() {
        let Some(stored) = ledger.find(record.id)? else {
            unknown.push(record.id);
            continue;
        };
        if let Some(differs) = difference(stream, record, &stored) {
            return Err(AppendError::IdTaken {
                id: record.id,
                position: stored.position,
                differs,
            });
        }
        known.push((
            record.id,
            Place {
                position: stored.position,
                version: stored.version,
            },
        ));
    }
    if known.is_empty() {
        return Ok(None);
    }
    if !unknown.is_empty() {
        return Err(AppendError::PartlyKnown { known, unknown });
    }
    let places = known.into_iter().map(|(_, place)| place).collect();
    Ok(Some(Appended {
        places,
        replayed: true,
    }))
}

fn difference(
    stream: &StreamId,
    record: &NewRecord,
    stored: &StoredRecord,
) -> Option<&'static str> {
    if *stream != stored.stream {
        Some("stream")
    } else if record.body != stored.body {
        Some("body")
    } else if record.personal != stored.personal {
        Some("personal bytes")
    } else {
        None
    }
}
