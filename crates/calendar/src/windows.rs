//! The open runs of a calendar one by one, for explanations a person can check.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};

use crate::calendar::{Calendar, Exact};
use crate::clock_time::DAY;
use crate::day_book::{DayNumber, HoursReason, date_of};

/// A run of working time that belongs to one civil day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// When it begins.
    pub open: DateTime<Utc>,
    /// When it ends, itself excluded.
    pub close: DateTime<Utc>,
    /// The civil day it belongs to: the one on which it opens.
    pub date: NaiveDate,
    /// Why that day has these hours.
    pub reason: HoursReason,
}

impl OpenRun {
    /// Its length in whole seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        (self.close - self.open).num_seconds()
    }
}

/// The open runs between two instants in order; see [`Calendar::windows`].
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    calendar: &'a Calendar,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    /// The next civil day to look at, and the last.
    next_day: DayNumber,
    last_day: DayNumber,
    /// Runs found and not yet handed out, with the day each belongs to, by opening.
    found: VecDeque<(i64, i64, DayNumber)>,
    /// Up to where runs were handed out: where two days overlap the earlier keeps the time.
    handed_until: i64,
}

impl Calendar {
    /// The open runs from `from` to `to`, cut to that span. Each belongs to one civil day, so a
    /// calendar open around the clock gives one for each day; no time is in two of them, and
    /// their lengths sum to [`Calendar::between`].
    #[must_use]
    pub fn windows(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Windows<'_> {
        // A window of the day before yesterday may close at a doubled midnight of today.
        let mut next_day = self.day_at(Exact::of(from).seconds) - 3;
        let last_day = self.day_at(Exact::of(to).seconds) + 1;
        if let (false, Some((first, last))) =
            (self.book.opens_weekly(), self.book.exception_range())
        {
            next_day = next_day.max(first);
            return self.windows_over(from, to, next_day, last_day.min(last));
        }
        let last_day = if self.book.ever_opens() {
            last_day
        } else {
            next_day - 1
        };
        self.windows_over(from, to, next_day, last_day)
    }

    fn windows_over(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        next_day: DayNumber,
        last_day: DayNumber,
    ) -> Windows<'_> {
        Windows {
            calendar: self,
            from,
            to,
            next_day,
            last_day,
            found: VecDeque::new(),
            handed_until: i64::MIN,
        }
    }
}

impl Windows<'_> {
    /// Finds runs until the first is sure to come before all that are still to be found.
    fn look_ahead(&mut self) {
        while self.next_day <= self.last_day {
            // Runs of the days to come open at their midnight at the earliest.
            let midnight = self.calendar.zone.first(self.next_day * DAY);
            if self
                .found
                .front()
                .is_some_and(|(open, ..)| *open < midnight)
            {
                return;
            }
            let day = self.next_day;
            for (open, close) in self.calendar.runs_of(day) {
                let place = self.found.partition_point(|run| run.0 <= open);
                self.found.insert(place, (open, close, day));
            }
            self.next_day += 1;
        }
    }
}

impl Iterator for Windows<'_> {
    type Item = OpenRun;

    fn next(&mut self) -> Option<OpenRun> {
        loop {
            self.look_ahead();
            let (open, close, day) = self.found.pop_front()?;
            let open = open.max(self.handed_until);
            self.handed_until = self.handed_until.max(close);
            let open = DateTime::from_timestamp(open, 0)?.max(self.from);
            let close = DateTime::from_timestamp(close, 0)?.min(self.to);
            if open < close {
                let date = date_of(day)?;
                return Some(OpenRun {
                    open,
                    close,
                    date,
                    reason: self.calendar.book.reason(day),
                });
            }
        }
    }
}
