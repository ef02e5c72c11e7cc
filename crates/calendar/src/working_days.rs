//! Day units, each its own operation: working days, civil days, civil months.

use chrono::{DateTime, Months, NaiveDate, Utc};

use crate::calendar::{Calendar, Exact};
use crate::clock_time::{ClockTime, DAY};
use crate::day_book::{DayNumber, HoursReason, date_of, day_number};
use crate::error::CalendarError;
use crate::week::{merged, without};

/// More working days than this are refused rather than counted one by one.
const MOST_WORKING_DAYS: i64 = 1_000_000;

/// Why nothing opens on a date.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedReason {
    /// The week has no hours on this day and it is a weekend day.
    Weekend,
    /// The week has no hours on this day.
    NoWeeklyHours,
    /// A holiday.
    Holiday {
        /// What it is called, where known.
        name: Option<String>,
        /// The reference of the official notice, where known.
        notice: Option<String>,
    },
    /// The date was given no hours of its own.
    SpecialDay,
    /// Breaks or a change of the clock leave nothing of its hours.
    NothingLeft,
}

impl Calendar {
    /// The civil date in the calendar's zone.
    #[must_use]
    pub fn date(&self, instant: DateTime<Utc>) -> NaiveDate {
        date_of(self.day_at(Exact::of(instant).seconds)).unwrap_or_else(|| instant.date_naive())
    }

    pub(crate) fn day_at(&self, utc: i64) -> DayNumber {
        (utc + self.zone.offset(utc)).div_euclid(DAY)
    }

    /// The open runs that belong to a day, joined, breaks taken away, in Unix seconds.
    pub(crate) fn runs_of(&self, day: DayNumber) -> Vec<(i64, i64)> {
        let real = |day: DayNumber, open: i64, close: i64| {
            (
                self.zone.first(day * DAY + open),
                self.zone.second(day * DAY + close),
            )
        };
        let windows = self
            .book
            .windows(day)
            .iter()
            .map(|span| real(day, span.open, span.close));
        let windows = merged(windows.filter(|(open, close)| open < close).collect());
        if windows.is_empty() {
            return windows;
        }
        // A break may stand under the day before (past midnight) or under the day after, when
        // the window runs into it.
        let breaks = (day - 2..=day + 2).flat_map(|of| {
            self.book
                .breaks(of)
                .iter()
                .map(move |span| real(of, span.open, span.close))
        });
        let breaks = merged(breaks.filter(|(from, to)| from < to).collect());
        if breaks.is_empty() {
            windows
        } else {
            without(&windows, &breaks)
        }
    }

    fn works(&self, day: DayNumber) -> bool {
        !self.book.windows(day).is_empty() && !self.runs_of(day).is_empty()
    }

    /// Whether any working time belongs to the date. Hours past midnight belong to the day
    /// they open on, so the Saturday morning of a Friday night shift is no working day.
    #[must_use]
    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        self.works(day_number(date))
    }

    /// Whether the date is a weekend day or a listed holiday, whether or not it is worked:
    /// make-up days and special days do not change the answer.
    #[must_use]
    pub fn is_weekend_or_public_holiday(&self, date: NaiveDate) -> bool {
        let day = day_number(date);
        self.book.is_weekend(day) || self.book.is_holiday(day)
    }

    /// Why nothing opens on the date; `None` if something does.
    #[must_use]
    pub fn closed_reason(&self, date: NaiveDate) -> Option<ClosedReason> {
        let day = day_number(date);
        if self.works(day) {
            return None;
        }
        Some(match self.book.reason(day) {
            HoursReason::Holiday { name, notice } => ClosedReason::Holiday { name, notice },
            _ if !self.book.windows(day).is_empty() => ClosedReason::NothingLeft,
            HoursReason::SpecialDay => ClosedReason::SpecialDay,
            _ if self.book.is_weekend(day) => ClosedReason::Weekend,
            _ => ClosedReason::NoWeeklyHours,
        })
    }

    /// Why the date has the hours it has.
    #[must_use]
    pub fn hours_reason(&self, date: NaiveDate) -> HoursReason {
        self.book.reason(day_number(date))
    }

    /// The last close of the hours that belong to the date (perhaps on the next morning);
    /// `None` if it is no working day.
    #[must_use]
    pub fn end_of_working_day(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        let (_, close) = self.runs_of(day_number(date)).last().copied()?;
        DateTime::from_timestamp(close, 0)
    }

    /// The first opening of the hours that belong to the date; `None` if it is no working day.
    #[must_use]
    pub fn start_of_working_day(&self, date: NaiveDate) -> Option<DateTime<Utc>> {
        let (open, _) = self.runs_of(day_number(date)).first().copied()?;
        DateTime::from_timestamp(open, 0)
    }

    /// The `n`-th working day after the date, not counting the date itself; before it if `n` is
    /// negative. Zero is the date itself if it is a working day, else the next one.
    ///
    /// # Errors
    /// [`CalendarError::NoSuchWorkingDay`] if the calendar has no more of them,
    /// [`CalendarError::OutOfRange`] beyond a million.
    pub fn nth_working_day_after(
        &self,
        date: NaiveDate,
        n: i64,
    ) -> Result<NaiveDate, CalendarError> {
        if n.saturating_abs() > MOST_WORKING_DAYS {
            return Err(CalendarError::OutOfRange {
                what: "number of working days",
            });
        }
        let none = || CalendarError::NoSuchWorkingDay {
            asked: format!("working day {n} after {date}"),
        };
        let step = if n < 0 { -1 } else { 1 };
        let mut day = if n == 0 {
            day_number(date) - 1
        } else {
            day_number(date)
        };
        let mut left = n.abs().max(1);
        while left > 0 {
            day += step;
            if !self.may_work_beyond(day, step) {
                return Err(none());
            }
            if self.works(day) {
                left -= 1;
            }
        }
        date_of(day).ok_or_else(none)
    }

    /// The date itself if it is a working day, else the working day before it.
    ///
    /// # Errors
    /// As [`Self::nth_working_day_after`].
    pub fn working_day_on_or_before(&self, date: NaiveDate) -> Result<NaiveDate, CalendarError> {
        if self.is_working_day(date) {
            Ok(date)
        } else {
            self.nth_working_day_after(date, -1)
        }
    }

    /// The date itself if it is a working day, else the working day after it.
    ///
    /// # Errors
    /// As [`Self::nth_working_day_after`].
    pub fn working_day_on_or_after(&self, date: NaiveDate) -> Result<NaiveDate, CalendarError> {
        self.nth_working_day_after(date, 0)
    }

    /// The instant at which clocks show a time on a date, whether or not the calendar is open:
    /// the first of two, the moment of the change if the time is skipped. 00:00 is the
    /// beginning of the civil day and 24:00 its end. `None` beyond the years a date can have.
    #[must_use]
    pub fn instant_on(&self, date: NaiveDate, clock: ClockTime) -> Option<DateTime<Utc>> {
        let local = day_number(date) * DAY + i64::from(clock.seconds());
        DateTime::from_timestamp(self.zone.first(local), 0)
    }

    /// Whether there can be working days at `day` or beyond it in the direction of `step`.
    fn may_work_beyond(&self, day: DayNumber, step: i64) -> bool {
        self.book.opens_weekly()
            || self.book.exception_range().is_some_and(|(first, last)| {
                if step < 0 { day >= first } else { day <= last }
            })
    }

    /// The `n`-th working day of a civil month, counting from 1; negative counts from the end
    /// of the month, -1 being its last working day.
    ///
    /// # Errors
    /// [`CalendarError::NoSuchWorkingDay`] if the month has fewer, or there is no such month.
    pub fn nth_working_day_of_month(
        &self,
        year: i32,
        month: u32,
        n: i64,
    ) -> Result<NaiveDate, CalendarError> {
        let none = || CalendarError::NoSuchWorkingDay {
            asked: format!("working day {n} of {year}-{month:02}"),
        };
        let first = NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(none)?;
        let next = first.checked_add_months(Months::new(1)).ok_or_else(none)?;
        let mut days = (day_number(first)..day_number(next)).filter(|&day| self.works(day));
        let skip = |n: i64| usize::try_from(n.saturating_abs() - 1).ok();
        let day = match n {
            1.. => skip(n).and_then(|skip| days.nth(skip)),
            0 => None,
            _ => skip(n).and_then(|skip| days.nth_back(skip)),
        };
        day.and_then(date_of).ok_or_else(none)
    }

    /// The same time by the clock on the `n`-th working day after the instant's civil date
    /// (before it if negative), whether or not the calendar is open at that time. Zero leaves
    /// the instant if its date is a working day, else moves to the next working day.
    ///
    /// # Errors
    /// As [`Self::nth_working_day_after`].
    pub fn add_working_days(
        &self,
        instant: DateTime<Utc>,
        n: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let date = self.date(instant);
        let target = self.nth_working_day_after(date, n)?;
        self.same_clock_on(instant, target)
    }

    /// The same time by the clock `n` civil days later. A day in which clocks change is as long
    /// as it is: this is not `n` × 24 hours.
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn add_civil_days(
        &self,
        instant: DateTime<Utc>,
        n: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        const OUT: CalendarError = CalendarError::OutOfRange {
            what: "number of days",
        };
        let day = day_number(self.date(instant)).checked_add(n).ok_or(OUT)?;
        self.same_clock_on(instant, date_of(day).ok_or(OUT)?)
    }

    /// The same time by the clock on the same day of the month `n` months later; the last day
    /// of the month where there is no such day (31 January and one month: 28 or 29 February).
    ///
    /// # Errors
    /// [`CalendarError::OutOfRange`].
    pub fn add_civil_months(
        &self,
        instant: DateTime<Utc>,
        n: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let date = self.date(instant);
        let months = u32::try_from(n.unsigned_abs()).ok().map(Months::new);
        let target = months.and_then(|months| {
            if n < 0 {
                date.checked_sub_months(months)
            } else {
                date.checked_add_months(months)
            }
        });
        self.same_clock_on(
            instant,
            target.ok_or(CalendarError::OutOfRange {
                what: "number of months",
            })?,
        )
    }

    /// The instant at which clocks show on `date` what they show at `instant`. A time that does
    /// not exist is the moment of the change; of two the one nearer the instant.
    fn same_clock_on(
        &self,
        instant: DateTime<Utc>,
        date: NaiveDate,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let from = Exact::of(instant);
        let local = from.seconds + self.zone.offset(from.seconds);
        let (day, clock) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let target = day_number(date);
        if target == day {
            return Ok(instant);
        }
        let local = target * DAY + clock;
        let (first, second) = (self.zone.first(local), self.zone.second(local));
        let seconds = if target > day { first } else { second };
        // In a gap the clock never shows the time, and the change itself has no fraction.
        let skipped = seconds + self.zone.offset(seconds) != local;
        let nanos = if skipped { 0 } else { from.nanos };
        DateTime::from_timestamp(seconds, nanos).ok_or(CalendarError::OutOfRange {
            what: "number of days",
        })
    }
}
