//! What an answer rests on: whether holidays were announced for all the dates it needed.

use chrono::{DateTime, Datelike, Utc};

use crate::calendar::{Calendar, Exact};
use crate::day_book::date_of;
use crate::error::CalendarError;
use crate::pauses::Pause;
use crate::zone::ZONE_DATA_LAST_YEAR;

/// What was not known for the dates an answer needed. The default: everything was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The first year needed for which holidays are not (wholly) announced.
    pub unannounced: Option<i32>,
    /// Whether a date after the last year of the zone database was needed.
    pub beyond_zone_data: bool,
}

impl Coverage {
    /// Whether nothing was missing.
    #[must_use]
    pub const fn is_complete(self) -> bool {
        self.unannounced.is_none() && !self.beyond_zone_data
    }
}

/// An answer with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered<T> {
    /// The answer, computed as if there were no holidays beyond those known.
    pub value: T,
    /// What was not known.
    pub coverage: Coverage,
}

impl Calendar {
    /// What is not known for the civil dates from one instant to the other, in either order.
    /// The later instant itself is not needed, so the end of 31 December needs no next year.
    #[must_use]
    pub fn coverage(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> Coverage {
        let (from, to) = (Exact::of(a.min(b)), Exact::of(a.max(b)));
        let last = if to.nanos > 0 {
            to.seconds
        } else {
            (to.seconds - 1).max(from.seconds)
        };
        let (from, to) = (self.day_at(from.seconds), self.day_at(last));
        let year = |day| date_of(day).map(|date| date.year());
        let unannounced = self.known.and_then(|(first, last)| {
            if from < first {
                year(from)
            } else if to > last {
                year(from.max(last + 1))
            } else {
                None
            }
        });
        let beyond_zone_data = year(to).is_none_or(|year| year > ZONE_DATA_LAST_YEAR);
        Coverage {
            unannounced,
            beyond_zone_data,
        }
    }

    /// The first year between two instants without announced holidays.
    #[must_use]
    pub fn unannounced(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> Option<i32> {
        self.coverage(a, b).unannounced
    }

    /// [`Calendar::add`] with what the answer rests on.
    ///
    /// # Errors
    /// As [`Calendar::add`].
    pub fn add_covered(
        &self,
        instant: DateTime<Utc>,
        seconds: i64,
    ) -> Result<Covered<DateTime<Utc>>, CalendarError> {
        let value = self.add(instant, seconds)?;
        Ok(Covered {
            value,
            coverage: self.coverage(instant, value),
        })
    }

    /// [`Calendar::between`] with what the answer rests on.
    #[must_use]
    pub fn between_covered(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> Covered<i64> {
        Covered {
            value: self.between(a, b),
            coverage: self.coverage(a, b),
        }
    }

    /// [`Calendar::add_working_days`] with what the answer rests on.
    ///
    /// # Errors
    /// As [`Calendar::add_working_days`].
    pub fn add_working_days_covered(
        &self,
        instant: DateTime<Utc>,
        n: i64,
    ) -> Result<Covered<DateTime<Utc>>, CalendarError> {
        let value = self.add_working_days(instant, n)?;
        Ok(Covered {
            value,
            coverage: self.coverage(instant, value),
        })
    }

    /// [`Calendar::deadline`] with what the answer rests on; a deadline that is paused away
    /// rests on nothing.
    ///
    /// # Errors
    /// As [`Calendar::deadline`].
    pub fn deadline_covered(
        &self,
        start: DateTime<Utc>,
        seconds: i64,
        pauses: &[Pause],
    ) -> Result<Covered<Option<DateTime<Utc>>>, CalendarError> {
        let value = self.deadline(start, seconds, pauses)?;
        let coverage = value.map_or_else(Coverage::default, |due| self.coverage(start, due));
        Ok(Covered { value, coverage })
    }
}
