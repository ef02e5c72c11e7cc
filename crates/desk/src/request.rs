//! What is asked of a desk, and what it answers.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, Utc};
use thirdring_core::judge::{ClockChange, Nonsense, Objection};
use thirdring_core::record::{BadRecord, Notice};
use thirdring_core::vocabulary::{Fact, FactProblem};
use thirdring_core::{Actor, Mode, Record, RecordId, StreamId};
use thirdring_store::{AppendError, StreamIdError, TimetableError};

use crate::identity::NoRandomness;
use crate::storage::ReadFailure;
use crate::timetable::ChangedError;

/// What somebody wants recorded, with everything they may say about it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The stream.
    pub stream: StreamId,
    /// The fact.
    pub fact: Fact,
    /// Who records it.
    pub by: Actor,
    /// Who did it, where that was another.
    pub done_by: Option<Actor>,
    /// When it happened.
    pub occurred_at: DateTime<FixedOffset>,
    /// When it is told; `None`: now.
    pub told_at: Option<DateTime<Utc>>,
    /// The id it shall have; proposing the same id again gives the first answer.
    pub id: Option<RecordId>,
    /// The record it follows from.
    pub cause: Option<RecordId>,
    /// Whether rules may refuse it; a history that is only looked at is observed.
    pub mode: Mode,
}

impl Request {
    /// A fact that happened at a moment, told now.
    pub fn new(
        stream: &StreamId,
        fact: impl Into<Fact>,
        by: &Actor,
        occurred_at: DateTime<FixedOffset>,
    ) -> Self {
        Self {
            stream: stream.clone(),
            fact: fact.into(),
            by: by.clone(),
            done_by: None,
            occurred_at,
            told_at: None,
            id: None,
            cause: None,
            mode: Mode::Enforce,
        }
    }

    /// Told at a moment other than now.
    #[must_use]
    pub const fn told_at(mut self, moment: DateTime<Utc>) -> Self {
        self.told_at = Some(moment);
        self
    }

    /// Done by somebody other than the one who records it.
    #[must_use]
    pub fn done_by(mut self, doer: Actor) -> Self {
        self.done_by = Some(doer);
        self
    }

    /// With an id of the caller's, so that a retry is recorded once.
    #[must_use]
    pub const fn with_id(mut self, id: RecordId) -> Self {
        self.id = Some(id);
        self
    }

    /// As part of somebody's history: nothing is refused, everything is found.
    #[must_use]
    pub const fn observed(mut self) -> Self {
        self.mode = Mode::Observe;
        self
    }

    /// Following from another record.
    #[must_use]
    pub const fn caused_by(mut self, cause: RecordId) -> Self {
        self.cause = Some(cause);
        self
    }
}

/// What became of a proposal.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is recorded, perhaps with flags.
    Admitted(Receipt),
    /// It is not recorded.
    Refused(Refusal),
}

/// A fact that is recorded, durably.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The record.
    pub record: Arc<Record>,
    /// The rules it does not keep though it was admitted.
    pub flags: Vec<Objection>,
    /// What it did to the clocks.
    pub clocks: Vec<ClockChange>,
    /// What time had made of the case before it.
    pub notices: Vec<Notice>,
    /// Whether it was told afterwards.
    pub testimony: bool,
    /// Whether it had been recorded before: this is the first answer again.
    pub replayed: bool,
}

/// Why a proposal was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// By rules of the manual.
    Rules(Vec<Objection>),
    /// It makes no sense under any manual.
    Nonsense(Nonsense),
}

/// Why a desk could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The proposal is not well formed under this manual.
    #[error(transparent)]
    Invalid(#[from] FactProblem),
    /// The id stands for something else already.
    #[error("the id {0} is recorded already for another fact; give each fact its own id")]
    IdTaken(RecordId),
    /// Records could not be read.
    #[error(transparent)]
    Read(#[from] ReadFailure),
    /// The log did not take the record.
    #[error(transparent)]
    Append(Box<AppendError>),
    /// Others kept writing to the same stream.
    #[error("{stream} kept changing while the proposal was judged; try again")]
    Contended {
        /// The stream.
        stream: StreamId,
    },
    /// The machine gives no random bytes.
    #[error(transparent)]
    Identity(#[from] NoRandomness),
    /// The stream's name does not fit the log.
    #[error(transparent)]
    Name(#[from] StreamIdError),
    /// The record could not be written as bytes.
    #[error(transparent)]
    Record(#[from] BadRecord),
    /// When streams are due could not be kept beside the log, or read there. The
    /// log is as it was.
    #[error(transparent)]
    Timetable(#[from] TimetableError),
}

impl From<ChangedError> for DeskError {
    fn from(error: ChangedError) -> Self {
        match error {
            ChangedError::Read(error) => Self::Read(error),
            ChangedError::Timetable(error) => Self::Timetable(error),
        }
    }
}

impl From<AppendError> for DeskError {
    fn from(error: AppendError) -> Self {
        Self::Append(Box::new(error))
    }
}
