//! What a log accepts at most. Beyond a limit it refuses; it never truncates.

use std::fmt;

/// What a log accepts at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one record, body and personal bytes together.
    pub record_bytes: usize,
    /// Records in one batch.
    pub batch_records: usize,
    /// Streams in one batch, check-only ones included.
    pub batch_streams: usize,
    /// Bytes of one batch: the sum over its records.
    pub batch_bytes: usize,
    /// Records in one page; a larger wish gets a page of this size.
    pub page_records: usize,
    /// Bytes after which a page is cut. A page holds at least one record, so it
    /// may exceed this by one record.
    pub page_bytes: usize,
}

impl Limits {
    /// The limits of every log in this crate.
    pub const DEFAULT: Self = Self {
        record_bytes: 4 << 20,
        batch_records: 4_096,
        batch_streams: 256,
        batch_bytes: 16 << 20,
        page_records: 4_096,
        page_bytes: 8 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A limit by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitName {
    /// [`Limits::record_bytes`].
    RecordBytes,
    /// [`Limits::batch_records`].
    BatchRecords,
    /// [`Limits::batch_streams`].
    BatchStreams,
    /// [`Limits::batch_bytes`].
    BatchBytes,
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RecordBytes => "bytes in a record",
            Self::BatchRecords => "records in a batch",
            Self::BatchStreams => "streams in a batch",
            Self::BatchBytes => "bytes in a batch",
        })
    }
}

/// A limit was exceeded; nothing was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many {limit}: {found}, at most {allowed} are accepted; split it up")]
pub struct LimitExceeded {
    /// Which limit.
    pub limit: LimitName,
    /// The most that is accepted.
    pub allowed: usize,
    /// What was offered.
    pub found: usize,
}
