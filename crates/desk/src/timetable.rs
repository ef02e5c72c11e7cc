//! The timetable: which streams time will make something of, and when. A fold of
//! the cases like everything else; it saves looking at every stream each time.

use chrono::{DateTime, Utc};
use thirdring_core::{Case, StreamId, next_deadline};

use crate::due_index::DueIndex;
use crate::register::open_clocks;

/// When streams are due.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    /// The soonest moment that brings a notice not yet announced.
    lapses: DueIndex<StreamId>,
    /// The soonest due moment of a clock that is still open, announced or not.
    open: DueIndex<StreamId>,
}

impl Timetable {
    /// Takes a case as it stands now into account.
    pub(crate) fn note(&mut self, case: &Case, now: DateTime<Utc>) {
        let stream = case.stream();
        match next_deadline(case) {
            Some(deadline) => self.lapses.set(stream.clone(), deadline.at),
            None => {
                self.lapses.cancel(stream);
            }
        }
        let soonest = open_clocks(case, now)
            .into_iter()
            .find_map(|clock| clock.due_at);
        match soonest {
            Some(due_at) => self.open.set(stream.clone(), due_at),
            None => {
                self.open.cancel(stream);
            }
        }
    }

    /// The streams with something to announce at a moment. They stay in until
    /// their case was looked at.
    pub(crate) fn lapsing(&self, now: DateTime<Utc>) -> Vec<StreamId> {
        self.lapses
            .due_until(now)
            .into_iter()
            .map(|(_, stream)| stream)
            .collect()
    }

    /// The streams with an open clock that is due at or before a moment.
    pub(crate) fn due(&self, until: DateTime<Utc>) -> Vec<StreamId> {
        self.open
            .due_until(until)
            .into_iter()
            .map(|(_, stream)| stream)
            .collect()
    }
}
