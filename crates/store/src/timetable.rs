//! When streams are due: worked out from the records by whoever understands them,
//! and kept beside the log, so that it need not be worked out again.
//!
//! A timetable is derived from the log and never the source of anything. It says
//! up to which cursor it was worked out; whoever goes on moves the cursor together
//! with what changed. What it says may only be too soon, never too late: the
//! records decide, and a timetable only says where to look.

use std::fmt;

use crate::cursor::{Cursor, CursorTextError};
use crate::due_index::Moment;
use crate::failure::StorageFailure;
use crate::stream::StreamId;

/// Which kind of moment: a number of the caller's choice. A stream has at most one
/// moment of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MomentKind(pub u8);

/// When a stream is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// The moment.
    pub at: Moment,
    /// The stream.
    pub stream: StreamId,
}

/// All moments of a stream; what was kept of it before no longer counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamMoments {
    /// The stream.
    pub stream: StreamId,
    /// Its moments, each kind once; none if it is never due.
    pub moments: Vec<(MomentKind, Moment)>,
}

/// A timetable as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimetableState {
    /// Its name.
    pub name: String,
    /// Up to where it was worked out; `None` if that is damaged.
    pub cursor: Option<Cursor>,
    /// How many moments it holds.
    pub moments: u64,
}

/// Why a timetable could not be read or changed. It is as it was, unless a commit
/// failed: then it may be either.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TimetableError {
    /// Somebody else went on meanwhile.
    #[error("the timetable was worked out up to {found} meanwhile; go on from there")]
    Moved {
        /// Where it stands now.
        found: Cursor,
    },
    /// What is kept is not what was written.
    #[error(
        "timetable {name} in {place} is damaged: {what}; forget it, so that it is worked out anew"
    )]
    Damaged {
        /// Its name.
        name: String,
        /// The file or server.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// Somebody else held the file for too long.
    #[error("{place} was held by somebody else for too long; try again")]
    Busy {
        /// The file.
        place: String,
    },
    /// An earlier write failed, and the log refuses writes since.
    #[error("{0}; since then nothing is written: reopen the log")]
    Poisoned(StorageFailure),
    /// The medium or its library failed.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

impl TimetableError {
    /// For backends: the name of a stream or a cursor that is none.
    #[must_use]
    pub fn damaged(name: &str, place: impl Into<String>, what: impl fmt::Display) -> Self {
        Self::Damaged {
            name: name.to_owned(),
            place: place.into(),
            what: what.to_string(),
        }
    }

    /// For backends: a cursor as it was kept.
    ///
    /// # Errors
    /// [`TimetableError::Damaged`] if the text is not one.
    pub fn cursor(name: &str, place: &str, text: &str) -> Result<Cursor, Self> {
        text.parse()
            .map_err(|error: CursorTextError| Self::damaged(name, place, error))
    }
}

/// The timetables kept beside a log, each by its name.
///
/// A name says what the timetable was worked out by, so that whoever works by
/// other rules begins another one and never reads this one's moments. One that is
/// not there yet is empty and stands at the start.
pub trait Timetables: Send + Sync {
    /// Up to where a timetable is worked out.
    ///
    /// # Errors
    /// [`TimetableError`].
    fn cursor(&self, name: &str) -> Result<Cursor, TimetableError>;

    /// Replaces the moments of streams and moves the cursor from `from` to `to`:
    /// both or neither. A stream may be named once.
    ///
    /// # Errors
    /// [`TimetableError::Moved`] if the timetable is not at `from`; then nothing is
    /// changed, so that two that work it out never overwrite each other.
    fn replace(
        &self,
        name: &str,
        from: &Cursor,
        to: &Cursor,
        streams: &[StreamMoments],
    ) -> Result<(), TimetableError>;

    /// The streams that are due at or before `until`, soonest first and at one
    /// moment by their names, at most `limit`. With `after`, those that come
    /// behind it. Fewer than `limit` are all there are.
    ///
    /// # Errors
    /// [`TimetableError`].
    fn due(
        &self,
        name: &str,
        kind: MomentKind,
        until: Moment,
        after: Option<&Due>,
        limit: usize,
    ) -> Result<Vec<Due>, TimetableError>;

    /// As [`due`](Self::due), but hands the streams to `work`, and as long as that
    /// runs nobody else gets them from this: whoever asks meanwhile passes them
    /// over, if [`shares_out`](Self::shares_out) says so. Gives the last that was
    /// looked at, to go on behind it, or `None` if there are no more.
    ///
    /// `work` may append to the log; it must not change this timetable.
    ///
    /// # Errors
    /// [`TimetableError`]; `work` may have run.
    fn hold(
        &self,
        name: &str,
        kind: MomentKind,
        until: Moment,
        after: Option<&Due>,
        limit: usize,
        work: &mut dyn FnMut(&[Due]),
    ) -> Result<Option<Due>, TimetableError> {
        let due = self.due(name, kind, until, after, limit)?;
        work(&due);
        Ok(due.into_iter().nth(limit.saturating_sub(1)))
    }

    /// Whether what one holds is passed over by all others, of other processes too.
    fn shares_out(&self) -> bool {
        false
    }

    /// Forgets a timetable: it is empty and stands at the start.
    ///
    /// # Errors
    /// [`TimetableError`].
    fn forget(&self, name: &str) -> Result<(), TimetableError>;

    /// The timetables that are kept, by name. One that is damaged is among them, so
    /// that it can be forgotten.
    ///
    /// # Errors
    /// [`TimetableError`].
    fn list(&self) -> Result<Vec<TimetableState>, TimetableError>;
}
