//! What time makes of the streams of a desk.

use chrono::{DateTime, Utc};
use thirdring_core::record::Notice;
use thirdring_core::{StreamId, lapse};

use super::{ATTEMPTS, Desk, lock};
use crate::register::{OpenClock, open_clocks};
use crate::request::DeskError;

impl Desk {
    /// The clocks of all streams that are due up to and with a moment, soonest
    /// first. Clocks without a due moment are not among them.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn due(&self, until: DateTime<Utc>) -> Result<Vec<OpenClock>, DeskError> {
        let now = self.time.now();
        self.refresh(now)?;
        let streams = lock(&self.timetable).due(until);
        let mut due = self.clocks_of(&streams, now)?;
        due.retain(|clock| clock.due_at.is_some_and(|due_at| due_at <= until));
        Ok(due)
    }

    /// Every running clock of all streams, soonest first; those without a due
    /// moment last.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn open_clocks(&self, now: DateTime<Utc>) -> Result<Vec<OpenClock>, DeskError> {
        self.clocks_of(&self.streams()?, now)
    }

    fn clocks_of(
        &self,
        streams: &[StreamId],
        now: DateTime<Utc>,
    ) -> Result<Vec<OpenClock>, DeskError> {
        let mut clocks = Vec::new();
        for stream in streams {
            clocks.extend(self.look_at(stream, |case| open_clocks(case, now))?);
        }
        clocks.sort_by_key(|clock| (clock.due_at.is_none(), clock.due_at));
        Ok(clocks)
    }

    /// Brings the timetable up to the log: only streams that were appended to
    /// are looked at.
    fn refresh(&self, now: DateTime<Utc>) -> Result<(), DeskError> {
        let changed = {
            let mut register = lock(&self.register);
            register.catch_up(&*self.log)?;
            register.take_changed()
        };
        for stream in &changed {
            let noted = self.look_at(stream, |case| lock(&self.timetable).note(case, now));
            if let Err(error) = noted {
                // Nothing is lost: they are looked at the next time.
                lock(&self.register).put_back(changed.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    /// Records what time has made of every stream up to a moment, and says what
    /// it recorded. Safe to run twice, or on two machines: what was announced is
    /// not announced again.
    ///
    /// # Errors
    /// If the log cannot be read or written.
    pub fn lapse(&self, now: DateTime<Utc>) -> Result<Vec<(StreamId, Notice)>, DeskError> {
        self.refresh(now)?;
        let streams = lock(&self.timetable).lapsing(now);
        let mut announced = Vec::new();
        for stream in streams {
            let notices = self.lapse_stream(&stream, now)?;
            announced.extend(notices.into_iter().map(|notice| (stream.clone(), notice)));
            // What was announced is not due again; what comes next may be.
            self.look_at(&stream, |case| lock(&self.timetable).note(case, now))?;
        }
        announced.sort_by_key(|(_, notice)| notice.due_at);
        Ok(announced)
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
        let head = self.head(stream)?;
        let slot = self.slot(stream);
        let mut case = lock(&slot);
        for _ in 0..ATTEMPTS {
            let known = case.take().filter(|case| case.version() >= head);
            let mut current = match known {
                Some(current) => current,
                None => self.load(stream)?,
            };
            let notices = lapse(&current, now);
            if notices.is_empty() {
                *case = Some(current);
                return Ok(notices);
            }
            let batch = self.announce(&current, &notices, now)?;
            if self.append(&mut current, batch)? {
                *case = Some(current);
                return Ok(notices);
            }
        }
        Err(DeskError::Contended {
            stream: stream.clone(),
        })
    }
}
