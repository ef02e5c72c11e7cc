//! What is appended, what comes back, and why it may be refused.

use std::collections::HashSet;
use std::fmt;

use crate::failure::StorageFailure;
use crate::limits::{LimitExceeded, LimitName, Limits};
use crate::read::ReadError;
use crate::record::{NewRecord, RecordId, StoredRecord};
use crate::stream::StreamId;

/// What a stream must look like for a batch to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Any,
    /// The stream has no records.
    NoStream,
    /// The stream's last version is exactly this. `Exactly(0)` is `NoStream`.
    Exactly(u64),
}

impl Expected {
    /// Whether a stream whose last version is `head` (0: none) is as expected.
    #[must_use]
    pub fn admits(self, head: u64) -> bool {
        self.version().is_none_or(|version| version == head)
    }

    /// The version that is expected, 0 for no stream, `None` for any.
    #[must_use]
    pub fn version(self) -> Option<u64> {
        match self {
            Self::Any => None,
            Self::NoStream => Some(0),
            Self::Exactly(version) => Some(version),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::NoStream | Self::Exactly(0) => f.write_str("no records"),
            Self::Exactly(version) => write!(f, "version {version}"),
        }
    }
}

/// One stream's part of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream. Each stream may stand in a batch once.
    pub stream: StreamId,
    /// What it must look like.
    pub expected: Expected,
    /// What to append, in order. Empty: only check the expectation.
    pub records: Vec<NewRecord>,
}

/// Where a record was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Position in the log.
    pub position: u64,
    /// Version in its stream.
    pub version: u64,
}

/// A batch that is stored, durably.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appended {
    /// The place of every record, in the order of the batch.
    pub places: Vec<Place>,
    /// Whether the records had been stored before, so that nothing was written
    /// and the expectations were not looked at again.
    pub replayed: bool,
}

/// A stream that is not as the batch expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The stream.
    pub stream: StreamId,
    /// What was expected.
    pub expected: Expected,
    /// Its last version, 0 if it has no records.
    pub actual: u64,
    /// What was appended after the expected version, in order; empty if more
    /// was expected than there is.
    pub since: Vec<StoredRecord>,
    /// Whether `since` is all of it. If not, read on from its last version.
    pub complete: bool,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stream {} was expected to have {}, ",
            self.stream, self.expected
        )?;
        match self.actual {
            0 => f.write_str("but has no records"),
            version => write!(f, "but is at version {version}"),
        }
    }
}

/// Why a batch was not appended. Unless the variant says otherwise, nothing of
/// it was stored.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// One or more streams are not as expected.
    #[error("{}; judge again on what was appended since, and append anew", ConflictList(.0))]
    Conflict(Vec<Conflict>),
    /// The id is already used by a record with other content.
    #[error(
        "record id {id} already stands at position {position} with another {differs}; \
         use a new id for a new record, or repeat the old one unchanged"
    )]
    IdTaken {
        /// The id.
        id: RecordId,
        /// Where the stored record stands.
        position: u64,
        /// What differs: "stream", "body" or "personal bytes".
        differs: &'static str,
    },
    /// Some records of the batch are stored already and some are not, so it is
    /// neither a retry nor new.
    #[error(
        "{} of the {} records of the batch are already stored, first {}; \
         append only the missing ones, or give all of them new ids",
        .known.len(), .known.len().saturating_add(.unknown.len()), FirstKnown(.known)
    )]
    PartlyKnown {
        /// The stored ones and where they stand.
        known: Vec<(RecordId, Place)>,
        /// The others.
        unknown: Vec<RecordId>,
    },
    /// The id stands twice in the batch.
    #[error("record id {id} stands twice in the batch; give each record its own id")]
    IdTwice {
        /// The id.
        id: RecordId,
    },
    /// The stream stands twice in the batch.
    #[error("stream {stream} stands twice in the batch; put its records into one part")]
    StreamTwice {
        /// The stream.
        stream: StreamId,
    },
    /// The streams of the batch are of several partitions, and only within one
    /// can a batch be written all or nothing.
    #[error(
        "streams {} and {} of the batch are of partitions {} and {}; append them in batches of their own",
        .0.one, .0.other, .0.partition_of_one, .0.partition_of_other
    )]
    SeveralPartitions(Box<SeveralPartitions>),
    /// A limit was exceeded.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// Another process held the log for too long.
    #[error("another process is writing to {place} and did not finish in time; try again")]
    Busy {
        /// The file or server.
        place: String,
    },
    /// The log could not be reached in time. Nothing of the batch is stored.
    #[error("{0}; nothing of the batch is stored: try again when the log can be reached")]
    Unavailable(StorageFailure),
    /// The write or its sync failed, or was not confirmed in time: the batch may
    /// or may not be stored. A log in a file refuses further writes; reopen it
    /// and repeat the same batch.
    #[error(
        "{0}; whether the batch is stored is unknown: reopen the log and append the same batch again"
    )]
    Unknown(StorageFailure),
    /// An earlier write failed and the log has refused writes since.
    #[error(
        "the log refuses writes since an earlier failure: {0}; mend the cause and reopen the log"
    )]
    Poisoned(StorageFailure),
    /// What had to be read to judge the batch could not be read.
    #[error("could not judge the batch: {0}")]
    Read(#[from] ReadError),
    /// The log was closed.
    #[error("the log is closed; open it again to append")]
    Closed,
}

impl AppendError {
    /// Whether the same batch can succeed later on the same open log.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Unavailable(_))
    }
}

/// Two streams of one batch that are of different partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralPartitions {
    /// The first stream of the batch.
    pub one: StreamId,
    /// Its partition.
    pub partition_of_one: usize,
    /// The first stream that is of another partition.
    pub other: StreamId,
    /// That other partition.
    pub partition_of_other: usize,
}

struct ConflictList<'a>(&'a [Conflict]);

impl fmt::Display for ConflictList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, conflict) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{conflict}")?;
        }
        Ok(())
    }
}

struct FirstKnown<'a>(&'a [(RecordId, Place)]);

impl fmt::Display for FirstKnown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.first() {
            Some((id, place)) => write!(f, "{id} at position {}", place.position),
            None => f.write_str("none"),
        }
    }
}

/// For backends: a batch within the limits, in which ids and streams stand once.
/// Only [`CheckedBatch::new`] makes one, so whoever holds it need not check again.
#[derive(Debug)]
pub struct CheckedBatch(Vec<Append>);

impl CheckedBatch {
    /// Checks a batch.
    ///
    /// # Errors
    /// [`AppendError::Limit`], [`AppendError::StreamTwice`] or
    /// [`AppendError::IdTwice`].
    pub fn new(batch: Vec<Append>, limits: &Limits) -> Result<Self, AppendError> {
        within(LimitName::BatchStreams, batch.len(), limits.batch_streams)?;
        let mut records = 0_usize;
        let mut bytes = 0_usize;
        for record in batch.iter().flat_map(|part| &part.records) {
            within(
                LimitName::RecordBytes,
                record.content_bytes(),
                limits.record_bytes,
            )?;
            records = records.saturating_add(1);
            bytes = bytes.saturating_add(record.content_bytes());
        }
        within(LimitName::BatchRecords, records, limits.batch_records)?;
        within(LimitName::BatchBytes, bytes, limits.batch_bytes)?;
        // A set costs an allocation; the usual batch has one stream, one record.
        if batch.len() > 1 {
            let mut streams = HashSet::with_capacity(batch.len());
            if let Some(part) = batch.iter().find(|part| !streams.insert(&part.stream)) {
                return Err(AppendError::StreamTwice {
                    stream: part.stream.clone(),
                });
            }
        }
        if records > 1 {
            let mut ids = HashSet::with_capacity(records);
            let mut all = batch.iter().flat_map(|part| &part.records);
            if let Some(record) = all.find(|record| !ids.insert(record.id)) {
                return Err(AppendError::IdTwice { id: record.id });
            }
        }
        Ok(Self(batch))
    }

    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Append] {
        &self.0
    }

    /// The stream and content of every record, in order.
    pub fn records(&self) -> impl Iterator<Item = (&StreamId, &NewRecord)> {
        self.0.iter().flat_map(|part| {
            part.records
                .iter()
                .map(move |record| (&part.stream, record))
        })
    }

    /// The sum of the bytes of its records.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        self.records()
            .map(|(_, record)| record.content_bytes())
            .sum()
    }
}

fn within(limit: LimitName, found: usize, allowed: usize) -> Result<(), LimitExceeded> {
    if found > allowed {
        return Err(LimitExceeded {
            limit,
            allowed,
            found,
        });
    }
    Ok(())
}
