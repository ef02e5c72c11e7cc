//! How projections stand, and why one does not go on: plain data, the same for
//! every log that keeps projections in its database.
//!
//! A projection is something worked out of the log, record after record, and kept
//! in tables of its own beside it. How far it has come is moved in the transaction
//! that changes its tables, so that no record is applied half, twice or not at all.
//! A record that cannot be applied stops it right there, with the reason, until it
//! is told to go on or is rebuilt: it never passes anything over in silence.

use std::fmt;

use crate::cursor::Cursor;
use crate::failure::StorageFailure;
use crate::read::ReadError;
use crate::record::StoredRecord;

/// How a projection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Its name.
    pub name: String,
    /// The version of the code that writes it.
    pub version: u32,
    /// The last records it has applied.
    pub cursor: Cursor,
    /// Why it does not go on, if it stopped.
    pub stopped: Option<Stop>,
}

impl ProjectionStatus {
    /// For backends: the same, if a program that writes version `wanted` may go on
    /// with it.
    ///
    /// # Errors
    /// [`AdvanceError::OtherVersion`], or [`AdvanceError::Stopped`] if it stopped.
    pub fn going_on(mut self, wanted: u32) -> Result<Self, AdvanceError> {
        if self.version != wanted {
            return Err(AdvanceError::other_version(
                &self.name,
                Some(self.version),
                wanted,
            ));
        }
        match self.stopped.take() {
            Some(stop) => Err(stop.of(&self.name)),
            None => Ok(self),
        }
    }
}

/// The record at which a projection stopped; everything before it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The record's position in the log.
    pub position: u64,
    /// The record's stream.
    pub stream: String,
    /// The record's version in its stream.
    pub stream_version: u64,
    /// Why it could not be applied, in the words of whoever tried.
    pub reason: String,
}

impl Stop {
    /// For backends: at a record that could not be applied.
    pub fn at(record: &StoredRecord, reason: impl fmt::Display) -> Self {
        Self {
            position: record.position,
            stream: record.stream.as_str().to_owned(),
            stream_version: record.version,
            reason: reason.to_string(),
        }
    }

    /// For backends: the error that the projection of this name stopped here.
    #[must_use]
    pub fn of(self, name: &str) -> AdvanceError {
        AdvanceError::Stopped {
            name: name.to_owned(),
            stop: Box::new(self),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stopped at position {}, version {} of stream {}: {}",
            self.position, self.stream_version, self.stream, self.reason
        )
    }
}

/// Why a projection did not go on.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError {
    /// A record could not be applied, now or earlier. What comes before it is
    /// applied.
    #[error("projection {name} {stop}; mend it, then let it go on or rebuild it")]
    Stopped {
        /// The projection.
        name: String,
        /// Where and why.
        stop: Box<Stop>,
    },
    /// What is kept was written by another version, or by none yet.
    #[error(
        "projection {name} is {}, this program writes version {wanted}; begin it, or use the program that wrote it",
        .found.map_or_else(|| "not begun".to_owned(), |found| format!("of version {found}"))
    )]
    OtherVersion {
        /// The projection.
        name: String,
        /// The version that wrote it; `None` if it was never begun.
        found: Option<u32>,
        /// The version that was to go on.
        wanted: u32,
    },
    /// Its tables could not be emptied or made. Nothing was changed.
    #[error("projection {name} could not be cleared: {reason}; it is as it was")]
    NotCleared {
        /// The projection.
        name: String,
        /// Why, in the words of whoever tried.
        reason: String,
    },
    /// The log could not be read. Nothing was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Somebody else held the file for too long. Nothing was changed; try again.
    #[error("{place} was held by somebody else for too long; try again")]
    Busy {
        /// The file.
        place: String,
    },
    /// An earlier write failed, and the log refuses writes since.
    #[error("{0}; since then nothing is written: reopen the log")]
    Poisoned(StorageFailure),
    /// The database failed, while a record was applied too. Nothing was changed,
    /// unless the commit failed: then it may be either.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

impl AdvanceError {
    /// For backends: what is kept was written by version `found`, or by none.
    #[must_use]
    pub fn other_version(name: &str, found: Option<u32>, wanted: u32) -> Self {
        Self::OtherVersion {
            name: name.to_owned(),
            found,
            wanted,
        }
    }

    /// For backends: the projection could not be cleared.
    pub fn not_cleared(name: &str, reason: impl fmt::Display) -> Self {
        Self::NotCleared {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }
}
