//! What reading gives: pages, and why a page could not be had.

use crate::cursor::Cursor;
use crate::failure::StorageFailure;
use crate::limits::Limits;
use crate::record::StoredRecord;
use crate::stream::StreamId;

/// A part of the whole log, in order of position within each partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records after the cursor that was given.
    pub records: Vec<StoredRecord>,
    /// Where to go on: after the last of `records`.
    pub next: Cursor,
    /// Whether this was all there was when the page was read. A page may be
    /// short without being the end.
    pub end: bool,
}

/// A part of one stream, in order of version (downwards if read backward).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// The records, beginning with the version that was asked for.
    pub records: Vec<StoredRecord>,
    /// The version to ask for next: beside the last of `records`, or the one
    /// that was asked for if there are none. Backward at the end: 0.
    pub next: u64,
    /// Whether this was all there was when the page was read. A page may be
    /// short without being the end.
    pub end: bool,
}

/// Why something could not be read. Never means "there is nothing more".
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A page of no records was asked for.
    #[error("a page of 0 records was asked for; ask for at least 1")]
    ZeroLimit,
    /// The cursor speaks of another number of partitions.
    #[error(
        "the cursor has {found} partitions, this log has {expected}: it belongs to another log; \
         start again from the beginning"
    )]
    CursorForeign {
        /// Partitions of this log.
        expected: usize,
        /// Partitions of the cursor.
        found: usize,
    },
    /// The cursor is past the last record: the log was replaced by an older copy.
    #[error(
        "the cursor stands at position {cursor}, but the log ends at {last}: it belongs to another \
         log, or the log was restored from an older copy; start again from the beginning"
    )]
    CursorAhead {
        /// Position the cursor has seen.
        cursor: u64,
        /// Last position of the log.
        last: u64,
    },
    /// What is stored is not what was written.
    #[error("the log is damaged at position {position} ({place}): {what}; restore a backup")]
    Damaged {
        /// Position of the damage, as far as it is known.
        position: u64,
        /// The file or server.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The log was closed.
    #[error("the log is closed; open it again to read on")]
    Closed,
    /// The medium or its library failed.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

/// The position a cursor stands at in a log with one partition.
pub(crate) fn single_position(cursor: &Cursor) -> Result<u64, ReadError> {
    cursor.single().ok_or(ReadError::CursorForeign {
        expected: 1,
        found: cursor.partitions(),
    })
}

/// The first pages of streams, until they are large together.
pub(crate) fn first_pages(
    streams: &[StreamId],
    mut read: impl FnMut(&StreamId) -> Result<StreamPage, ReadError>,
) -> Result<Vec<StreamPage>, ReadError> {
    let mut pages = Vec::with_capacity(streams.len());
    let mut bytes = 0_usize;
    for stream in streams {
        if bytes >= Limits::DEFAULT.page_bytes {
            break;
        }
        let page = read(stream)?;
        for record in &page.records {
            bytes = bytes.saturating_add(record.content_bytes());
        }
        pages.push(page);
    }
    Ok(pages)
}
