//! What time makes of the streams of a desk.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use thirdring_core::record::{Notice, Opener};
use thirdring_core::{StreamId, lapse};
use thirdring_store as store;
use thirdring_store::{Cursor, Due, StreamMoments, TimetableError};

use super::{ATTEMPTS, Desk, lock};
use crate::open_clock::{OpenClock, open_clocks};
use crate::replay::each_case;
use crate::request::DeskError;
use crate::storage::stored_stream;
use crate::timetable::{moments, present};

/// From how many streams on they are read together rather than looked at one by
/// one, as after a start under another rulebook.
const TOGETHER_FROM: usize = 64;

impl Desk {
    /// The clocks of all streams that are due up to and with a moment, soonest
    /// first. Clocks without a due moment are not among them.
    ///
    /// # Errors
    /// If the log cannot be read, or the timetable beside it cannot be kept.
    pub fn due(&self, until: DateTime<Utc>) -> Result<Vec<OpenClock>, DeskError> {
        self.due_at(until, self.time.now())
    }

    /// As [`Desk::due`], with a present of its own: it says what is overdue.
    ///
    /// # Errors
    /// See [`Desk::due`].
    pub fn due_at(
        &self,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<OpenClock>, DeskError> {
        let streams = self.by_timetable(|| Ok(self.timetable.due(&*self.log, until)?))?;
        let mut due = self.open_clocks_of(&streams, now)?;
        due.retain(|clock| clock.due_at.is_some_and(|due_at| due_at <= until));
        Ok(due)
    }

    /// Every running clock of all streams, soonest first; those without a due
    /// moment last.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn open_clocks(&self, now: DateTime<Utc>) -> Result<Vec<OpenClock>, DeskError> {
        self.open_clocks_of(&self.streams()?, now)
    }

    /// As [`Desk::open_clocks`], for some streams; no other is read.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn open_clocks_of<'s>(
        &self,
        streams: impl IntoIterator<Item = &'s StreamId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<OpenClock>, DeskError> {
        let mut clocks = Vec::new();
        for stream in streams {
            clocks.extend(self.look_at(stream, |case| open_clocks(case, present(case, now)))?);
        }
        clocks.sort_by_key(|clock| (clock.due_at.is_none(), clock.due_at));
        Ok(clocks)
    }

    /// Does something by the timetable when it is brought up to the log. One that
    /// turns out to be damaged begins anew, and it is done once more.
    fn by_timetable<T>(
        &self,
        mut work: impl FnMut() -> Result<T, DeskError>,
    ) -> Result<T, DeskError> {
        self.refresh()?;
        match work() {
            Err(DeskError::Timetable(TimetableError::Damaged { .. })) => {
                self.timetable.forget(&*self.log)?;
                self.refresh()?;
                work()
            }
            other => other,
        }
    }

    /// Brings the timetable up to the log: only streams that were appended to
    /// are looked at.
    fn refresh(&self) -> Result<(), DeskError> {
        // One thread is enough; the others would work out the same.
        let _alone = lock(&self.refreshing);
        loop {
            let from = self.timetable.cursor(&*self.log)?;
            let Some(changed) = self.timetable.changed(&*self.log, &from)? else {
                continue;
            };
            if changed.to == from {
                return Ok(());
            }
            let streams = self.moments_of(&changed.streams)?;
            let kept = self
                .timetable
                .replace(&*self.log, &from, &changed.to, &streams)?;
            if kept && from == Cursor::start() {
                self.timetable
                    .forget_older(&*self.log, &self.rulebook.digest)?;
            }
            // Another desk that was faster has done part of the work.
            if kept && changed.end {
                return Ok(());
            }
        }
    }

    /// When streams are due. They are looked at after the cursor was read, so at
    /// least as far as it will stand then; what comes later will be looked at
    /// again.
    fn moments_of(&self, streams: &BTreeSet<StreamId>) -> Result<Vec<StreamMoments>, DeskError> {
        if streams.len() < TOGETHER_FROM {
            // Most of them are known here: it was this desk that appended.
            let looked = streams.iter();
            return looked
                .map(|stream| Ok(self.look_at(stream, moments)??))
                .collect();
        }
        let mut found = Vec::with_capacity(streams.len());
        let names: Result<Vec<_>, _> = streams.iter().map(stored_stream).collect();
        let mut opener = Opener::default();
        let upto = |_: &store::StreamId| u64::MAX;
        each_case(
            &*self.log,
            &names?,
            upto,
            &self.rulebook,
            &mut opener,
            &mut |_, case| found.push(moments(&case)),
        )?;
        let found: Result<_, _> = found.into_iter().collect();
        Ok(found?)
    }

    /// Forgets what desks of other rulebooks, and of other versions of this
    /// program, have worked out of when streams are due; how many there were. One
    /// that is still in use is worked out anew.
    ///
    /// # Errors
    /// If the timetables cannot be changed.
    pub fn forget_other_timetables(&self) -> Result<usize, DeskError> {
        Ok(self.timetable.forget_others(&*self.log)?)
    }

    /// Records what time has made of every stream up to a moment, and says what
    /// it recorded. Safe to run twice, or on two machines: what was announced is
    /// not announced again. Where the log shares work out, streams that another
    /// desk is at are left to it.
    ///
    /// # Errors
    /// If the log cannot be read or written, or the timetable beside it cannot be
    /// kept.
    pub fn lapse(&self, now: DateTime<Utc>) -> Result<Vec<(StreamId, Notice)>, DeskError> {
        let mut announced = Vec::new();
        self.by_timetable(|| {
            let mut last: Option<Due> = None;
            loop {
                let mut outcome = Ok(());
                last = self
                    .timetable
                    .hold(&*self.log, now, last.as_ref(), &mut |held| {
                        outcome = self.announce_all(held, now, &mut announced);
                    })?;
                outcome?;
                if last.is_none() {
                    return Ok(());
                }
            }
        })?;
        announced.sort_by_key(|(_, notice)| notice.due_at);
        Ok(announced)
    }

    fn announce_all(
        &self,
        held: &[Due],
        now: DateTime<Utc>,
        announced: &mut Vec<(StreamId, Notice)>,
    ) -> Result<(), DeskError> {
        for due in held {
            let stream = self.timetable.stream(due)?;
            let notices = self.lapse_stream(&stream, now)?;
            announced.extend(notices.into_iter().map(|notice| (stream.clone(), notice)));
        }
        Ok(())
    }

    /// As [`Desk::lapse`], for one stream.
    ///
    /// # Errors
    /// If the log cannot be read or written.
    pub fn lapse_stream(
        &self,
        stream: &StreamId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Notice>, DeskError> {
        let slot = self.slot(stream);
        let mut case = lock(&slot);
        for _ in 0..ATTEMPTS {
            let current = self.current(stream, &mut case)?;
            let notices = lapse(current, now);
            if notices.is_empty() {
                return Ok(notices);
            }
            let batch = self.announce(current, &notices, now)?;
            if self.append(current, batch)? {
                return Ok(notices);
            }
            *case = None;
        }
        Err(DeskError::Contended {
            stream: stream.clone(),
        })
    }
}
