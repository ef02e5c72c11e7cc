//! A bound: a limit, the calendar it is counted in, and whether it lies before
//! or after the moment it counts from.

use std::fmt;

use chrono::{DateTime, Utc};
use thirdring_calendar::{Calendar, CalendarError};

use crate::forms::limit::Limit;
use crate::forms::reading::Reading;
use crate::forms::run::Run;
use crate::manual::Calendars;
use crate::source::{Complaint, Node};
use crate::vocabulary::nearest;

/// A limit as a clause sets it: `3 working hours`, `8 working hours in beijing`,
/// `10 clock minutes before`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// How long.
    pub limit: Limit,
    /// The named calendar it is counted in; `None`: the run's, else the
    /// manual's own.
    pub calendar: Option<String>,
    /// Whether it lies before the moment it counts from.
    pub before: bool,
}

impl Bound {
    /// The calendar the bound of a run is counted in.
    pub(crate) fn calendar_of<'a>(&self, run: &Run, calendars: Calendars<'a>) -> &'a Calendar {
        calendars.get(self.calendar.as_deref().or(run.calendar.as_deref()))
    }

    /// The due moment of a run, pauses counted in.
    pub(crate) fn due(
        &self,
        run: &Run,
        calendars: Calendars<'_>,
    ) -> Result<DateTime<Utc>, CalendarError> {
        self.due_of(self.limit, run, calendars)
    }

    /// A year the due moment rests on though its holidays are not announced.
    /// Time by the clock and civil days rest on no holiday.
    pub(crate) fn unannounced(
        &self,
        run: &Run,
        due: DateTime<Utc>,
        calendars: Calendars<'_>,
    ) -> Option<i32> {
        let (from, to) = (run.from.min(due), run.from.max(due));
        self.limit
            .is_working()
            .then(|| self.calendar_of(run, calendars).unannounced(from, to))
            .flatten()
    }

    /// The moment so many hundredths of the bound are used up; `None` where it
    /// is not counted in seconds.
    pub(crate) fn part(
        &self,
        hundredths: u32,
        run: &Run,
        calendars: Calendars<'_>,
    ) -> Option<DateTime<Utc>> {
        let part = self.limit.seconds()?.checked_mul(i64::from(hundredths))? / 100;
        self.due_of(self.limit.with_seconds(part), run, calendars)
            .ok()
    }

    fn due_of(
        &self,
        limit: Limit,
        run: &Run,
        calendars: Calendars<'_>,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let calendar = self.calendar_of(run, calendars);
        if self.before {
            // What is due before a moment is not put off by a pause.
            return limit.before(run.from, calendar);
        }
        match limit.seconds() {
            Some(seconds) => in_seconds(limit, seconds, run, calendar),
            None => in_days(limit, run, calendar),
        }
    }

    /// Reads a bound, with the calendars the manual has.
    pub(crate) fn read(node: &Node, reading: &Reading<'_>) -> Result<Self, Complaint> {
        let text = &Limit::written(node);
        let (rest, calendar) = match text.split_once(" in ") {
            Some((rest, name)) => (rest, Some(name.trim().to_owned())),
            None => (text.as_str(), None),
        };
        if let Some(name) = &calendar
            && !reading.calendars.contains_key(name)
        {
            let known: Vec<&str> = reading.calendars.keys().map(String::as_str).collect();
            let remedy = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add [calendars.{name}] to the manual"),
            };
            return Err(node.place.complain(
                None,
                format!("the manual has no calendar named `{name}`"),
                remedy,
            ));
        }
        let (rest, before) = match rest.trim().strip_suffix(" before") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        Ok(Self {
            limit: Limit::read_text(rest, node)?,
            calendar,
            before,
        })
    }
}

/// Counted time: what was used up before each pause, then the rest.
fn in_seconds(
    limit: Limit,
    seconds: i64,
    run: &Run,
    calendar: &Calendar,
) -> Result<DateTime<Utc>, CalendarError> {
    let mut left = seconds;
    let mut from = run.from;
    for pause in &run.pauses {
        let Some(to) = pause.to else { break };
        let spent = limit.elapsed(from, pause.from, calendar);
        if spent > left || (spent == left && left > 0) {
            break;
        }
        left -= spent;
        from = from.max(to);
    }
    limit.with_seconds(left).after(from, calendar)
}

/// Whole days. Working days are put off by the working time that was paused, so
/// that a pause over a weekend costs nothing; civil days begin later by as long
/// as the pauses took.
fn in_days(limit: Limit, run: &Run, calendar: &Calendar) -> Result<DateTime<Utc>, CalendarError> {
    let mut due = limit.after(run.from, calendar)?;
    let mut paused_seconds = 0;
    for pause in &run.pauses {
        let Some(to) = pause.to else { break };
        let from = pause.from.max(run.from);
        if from >= due {
            break;
        }
        paused_seconds += limit.elapsed(from, to, calendar);
        due = if limit.is_working() {
            let due = limit.after(run.from, calendar)?;
            if paused_seconds > 0 {
                calendar.add(due, paused_seconds)?
            } else {
                due
            }
        } else {
            limit.after(
                Limit::Clock(paused_seconds).after(run.from, calendar)?,
                calendar,
            )?
        };
    }
    Ok(due)
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.limit, f)?;
        if self.before {
            f.write_str(" before")?;
        }
        match &self.calendar {
            Some(name) => write!(f, " in {name}"),
            None => Ok(()),
        }
    }
}
