//! The timetable: which streams time will make something of, and when. A fold of
//! the cases like everything else; it saves looking at every stream each time.
//!
//! Where the log keeps timetables it is kept there, so that a desk that starts
//! again goes on where another one stopped, and several desks share it. Where it
//! does not, it is kept in memory and worked out anew after each start.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use thirdring_core::digest::Digest;
use thirdring_core::forms::Form;
use thirdring_core::rulebook::Rule;
use thirdring_core::{Case, Rulebook, StreamId, next_deadline, next_deadline_unlifted};
use thirdring_store as store;
use thirdring_store::{
    Cursor, Due, Log, MemoryTimetables, Moment, MomentKind, ReadError, StreamMoments,
    TimetableError, Timetables,
};

use crate::open_clock::open_clocks;
use crate::storage::{ReadFailure, named, stored_stream};

/// Version of what is worked out below, and of how the core works it out. To be
/// raised with every change after which the same records and rulebook give other
/// moments, announced holidays included: then every desk begins afresh. The test
/// `moments_are_those_of_this_shape` reminds of it.
const SHAPE: u32 = 2;

/// The soonest moment that brings a notice not yet announced.
pub(crate) const NOTICE: MomentKind = MomentKind(0);
/// At or before the soonest due moment of a clock that is open, now or by time
/// alone.
pub(crate) const OPEN: MomentKind = MomentKind(1);

/// How many records are read at a time.
const PAGE: usize = 4096;
/// How many streams are worked out before they are kept.
const STREAMS_AT_ONCE: usize = 2048;
/// How many due streams are looked up at a time.
const DUE_AT_ONCE: usize = 1024;
/// How many due streams are held at a time: others pass them over meanwhile.
const HELD_AT_ONCE: usize = 64;

/// What was appended behind a cursor.
pub(crate) struct Changed {
    /// Which streams, by name.
    pub(crate) streams: BTreeSet<StreamId>,
    /// Up to where they were looked for.
    pub(crate) to: Cursor,
    /// Whether that was the end of the log.
    pub(crate) end: bool,
}

/// The timetable of one rulebook.
#[derive(Debug)]
pub(crate) struct Timetable {
    name: String,
    /// Used where the log keeps none.
    own: MemoryTimetables,
}

impl Timetable {
    pub(crate) fn of(rulebook: &Digest) -> Self {
        Self {
            name: name(SHAPE, rulebook),
            own: MemoryTimetables::new(),
        }
    }

    fn kept<'a>(&'a self, log: &'a dyn Log) -> &'a dyn Timetables {
        log.timetables().unwrap_or(&self.own)
    }

    /// Up to where it is worked out. One that is damaged begins anew.
    pub(crate) fn cursor(&self, log: &dyn Log) -> Result<Cursor, TimetableError> {
        match self.kept(log).cursor(&self.name) {
            Err(TimetableError::Damaged { .. }) => {
                self.forget(log)?;
                Ok(Cursor::start())
            }
            other => other,
        }
    }

    /// What was appended behind a cursor of this timetable: so much that it can be
    /// worked out and kept together. A cursor that does not fit the log belongs to
    /// another one; then the timetable begins anew, and there is nothing to tell.
    pub(crate) fn changed(
        &self,
        log: &dyn Log,
        from: &Cursor,
    ) -> Result<Option<Changed>, ChangedError> {
        let mut changed = Changed {
            streams: BTreeSet::new(),
            to: from.clone(),
            end: false,
        };
        while !changed.end && changed.streams.len() < STREAMS_AT_ONCE {
            let page = match log.scan(&changed.to, PAGE) {
                Err(ReadError::CursorAhead { .. } | ReadError::CursorForeign { .. })
                    if *from != Cursor::start() =>
                {
                    self.forget(log)?;
                    return Ok(None);
                }
                other => other.map_err(ReadFailure::from)?,
            };
            for stored in &page.records {
                let stream = named(&stored.stream)?;
                if !changed.streams.contains(&stream) {
                    changed.streams.insert(stream);
                }
            }
            changed.to = page.next;
            changed.end = page.end;
        }
        Ok(Some(changed))
    }

    /// Keeps what was worked out, if it is still at `from`; `false` if another desk
    /// went on meanwhile.
    pub(crate) fn replace(
        &self,
        log: &dyn Log,
        from: &Cursor,
        to: &Cursor,
        streams: &[StreamMoments],
    ) -> Result<bool, TimetableError> {
        match self.kept(log).replace(&self.name, from, to, streams) {
            Ok(()) => Ok(true),
            Err(TimetableError::Moved { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The streams that may have an open clock that is due at or before a moment.
    pub(crate) fn due(
        &self,
        log: &dyn Log,
        until: DateTime<Utc>,
    ) -> Result<Vec<StreamId>, TimetableError> {
        let mut streams = Vec::new();
        let mut last: Option<Due> = None;
        loop {
            let page =
                self.kept(log)
                    .due(&self.name, OPEN, floor(until), last.as_ref(), DUE_AT_ONCE)?;
            for due in &page {
                streams.push(self.stream(due)?);
            }
            if page.len() < DUE_AT_ONCE {
                return Ok(streams);
            }
            last = page.into_iter().next_back();
        }
    }

    /// Hands over streams that may have something to announce at a moment, while
    /// other desks pass them over. Gives the last one, to go on behind it.
    pub(crate) fn hold(
        &self,
        log: &dyn Log,
        now: DateTime<Utc>,
        after: Option<&Due>,
        work: &mut dyn FnMut(&[Due]),
    ) -> Result<Option<Due>, TimetableError> {
        self.kept(log)
            .hold(&self.name, NOTICE, floor(now), after, HELD_AT_ONCE, work)
    }

    /// Which stream is due. The log has none that cannot be one of a desk: those
    /// are found before they come to stand here.
    pub(crate) fn stream(&self, due: &Due) -> Result<StreamId, TimetableError> {
        StreamId::new(due.stream.as_str())
            .map_err(|error| TimetableError::damaged(&self.name, "the log", error))
    }

    /// Forgets it, so that it begins anew.
    pub(crate) fn forget(&self, log: &dyn Log) -> Result<(), TimetableError> {
        self.kept(log).forget(&self.name)
    }

    /// Forgets the timetables that programs before this one kept for the same
    /// rulebook.
    pub(crate) fn forget_older(
        &self,
        log: &dyn Log,
        rulebook: &Digest,
    ) -> Result<(), TimetableError> {
        for shape in 0..SHAPE {
            self.kept(log).forget(&name(shape, rulebook))?;
        }
        Ok(())
    }

    /// Forgets all timetables of desks but this one; how many there were.
    pub(crate) fn forget_others(&self, log: &dyn Log) -> Result<usize, TimetableError> {
        let mut forgotten = 0;
        for state in self.kept(log).list()? {
            if state.name != self.name && state.name.starts_with(PREFIX) {
                self.kept(log).forget(&state.name)?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }
}

/// Why the timetable could not be brought up to the log, or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangedError {
    #[error(transparent)]
    Read(#[from] ReadFailure),
    #[error(transparent)]
    Timetable(#[from] TimetableError),
}

/// How the names of desks' timetables begin.
const PREFIX: &str = "due/";

/// What was worked out otherwise, or under another rulebook, has another name: it
/// is never read as if it were this one's.
fn name(shape: u32, rulebook: &Digest) -> String {
    format!("{PREFIX}{shape}/{rulebook}")
}

/// Rounded down to what a store keeps: nothing is found too late.
fn floor(moment: DateTime<Utc>) -> Moment {
    Moment::from_micros(moment.timestamp_micros())
}

/// The present of a stream, which never goes back behind what is in it.
pub(crate) fn present(case: &Case, now: DateTime<Utc>) -> DateTime<Utc> {
    let told = case.records().iter().map(|record| record.recorded_at);
    let happened = case
        .history()
        .records()
        .last()
        .map(|record| record.happened_at());
    told.chain(happened).fold(now, DateTime::max)
}

/// When a stream is due. It follows from the records and the rulebook alone, not
/// from when somebody looks.
pub(crate) fn moments(case: &Case) -> Result<StreamMoments, store::StreamIdError> {
    let notice = next_deadline(case).map(|deadline| deadline.at);
    let open = open_clocks(case, present(case, DateTime::<Utc>::MIN_UTC))
        .into_iter()
        .find_map(|clock| clock.due_at);
    // A period that has not begun has no clock yet, but it comes by time alone; and
    // whatever is missed is announced. What a permission lifts is not, and its
    // clocks run all the same.
    let to_come = match periods(case.rulebook()) {
        Periods::None => None,
        Periods::Announced => notice,
        Periods::PerhapsLifted => next_deadline_unlifted(case).map(|deadline| deadline.at),
    };
    let open = open.into_iter().chain(to_come).min();
    let kinds = [(NOTICE, notice), (OPEN, open)];
    Ok(StreamMoments {
        stream: stored_stream(case.stream())?,
        moments: kinds
            .into_iter()
            .filter_map(|(kind, at)| Some((kind, floor(at?))))
            .collect(),
    })
}

/// Whether clocks of a rulebook begin by time alone.
enum Periods {
    None,
    /// They do, and what is missed is announced.
    Announced,
    /// They do, and a permission may lift one, so that it is missed in silence.
    PerhapsLifted,
}

fn periods(rulebook: &Rulebook) -> Periods {
    let has_period = |rule: &&Rule| {
        let mut clauses = rule.clauses.iter();
        clauses.any(|clause| matches!(&clause.form, Form::Every(every) if every.period.is_some()))
    };
    let with_periods: Vec<&str> = rulebook
        .rules
        .iter()
        .filter(has_period)
        .map(|rule| &*rule.id)
        .collect();
    let lifts_one = |form: &Form| {
        matches!(form, Form::May(may)
            if may.lifts.iter().any(|id| with_periods.contains(&id.as_str())))
    };
    let mut clauses = rulebook.rules.iter().flat_map(|rule| &rule.clauses);
    if with_periods.is_empty() {
        Periods::None
    } else if clauses.any(|clause| lifts_one(&clause.form)) {
        Periods::PerhapsLifted
    } else {
        Periods::Announced
    }
}
