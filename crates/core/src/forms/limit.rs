//! Limits: how long something may take, always in a named kind of time.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use thirdring_calendar::{Calendar, CalendarError};

use crate::source::{Complaint, Data, Node};

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// So many seconds by the clock on the wall.
    Clock(i64),
    /// So many seconds of working time.
    Working(i64),
    /// So many working days.
    WorkingDays(u32),
    /// So many days of the civil calendar, at the same clock time.
    CivilDays(u32),
    /// So many months of the civil calendar, clamped to the month's end.
    CivilMonths(u32),
}

impl Limit {
    /// The moment the limit is used up, counted from `start`.
    ///
    /// # Errors
    /// If the calendar has no such moment.
    pub fn after(
        self,
        start: DateTime<Utc>,
        calendar: &Calendar,
    ) -> Result<DateTime<Utc>, CalendarError> {
        match self {
            Self::Clock(seconds) => TimeDelta::try_seconds(seconds)
                .and_then(|delta| start.checked_add_signed(delta))
                .ok_or(CalendarError::OutOfRange { what: "clock time" }),
            Self::Working(seconds) => calendar.add(start, seconds),
            Self::WorkingDays(days) => calendar.add_working_days(start, i64::from(days)),
            Self::CivilDays(days) => calendar.add_civil_days(start, i64::from(days)),
            Self::CivilMonths(months) => calendar.add_civil_months(start, i64::from(months)),
        }
    }

    /// The moment so long before `end`.
    ///
    /// # Errors
    /// If the calendar has no such moment.
    pub fn before(
        self,
        end: DateTime<Utc>,
        calendar: &Calendar,
    ) -> Result<DateTime<Utc>, CalendarError> {
        match self {
            Self::Clock(seconds) => Self::Clock(-seconds).after(end, calendar),
            Self::Working(seconds) => calendar.add(end, -seconds),
            Self::WorkingDays(days) => calendar.add_working_days(end, -i64::from(days)),
            Self::CivilDays(days) => calendar.add_civil_days(end, -i64::from(days)),
            Self::CivilMonths(months) => calendar.add_civil_months(end, -i64::from(months)),
        }
    }

    /// The limit in seconds and the kind of time, where it is counted in
    /// seconds at all.
    pub const fn seconds(self) -> Option<i64> {
        match self {
            Self::Clock(seconds) | Self::Working(seconds) => Some(seconds),
            Self::WorkingDays(_) | Self::CivilDays(_) | Self::CivilMonths(_) => None,
        }
    }

    /// The same kind of time, other seconds.
    #[must_use]
    pub const fn with_seconds(self, seconds: i64) -> Self {
        match self {
            Self::Clock(_) => Self::Clock(seconds),
            Self::Working(_) => Self::Working(seconds),
            Self::WorkingDays(_) | Self::CivilDays(_) | Self::CivilMonths(_) => self,
        }
    }

    /// How much of this kind of time lies between two moments, in seconds.
    pub fn elapsed(self, from: DateTime<Utc>, to: DateTime<Utc>, calendar: &Calendar) -> i64 {
        match self {
            Self::Working(_) | Self::WorkingDays(_) => calendar.between(from, to),
            Self::Clock(_) | Self::CivilDays(_) | Self::CivilMonths(_) => {
                (to - from).num_seconds().max(0)
            }
        }
    }

    /// Whether it is counted in working time.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Working(_) | Self::WorkingDays(_))
    }

    /// Reads `"3 working hours"`.
    pub(crate) fn read(node: &Node) -> Result<Self, Complaint> {
        Self::read_text(&Self::written(node), node)
    }

    /// What stands where a limit is wanted, whatever it is.
    pub(crate) fn written(node: &Node) -> String {
        match &node.data {
            Data::Text(text) => text.clone(),
            Data::Int(number) => number.to_string(),
            Data::Flag(_) | Data::List(_) | Data::Table(_) | Data::Other(_) => {
                node.kind().to_owned()
            }
        }
    }

    /// Reads a limit that is part of a node's text.
    pub(crate) fn read_text(text: &str, node: &Node) -> Result<Self, Complaint> {
        Self::parse(text).ok_or_else(|| {
            node.place.complain(
                None,
                format!("`{text}` is no limit"),
                "write a number, the kind of time and the unit, e.g. \"3 working hours\", \"24 clock hours\", \"15 civil days\"",
            )
        })
    }

    /// Parses `3 working hours`; a limit always says in which time it counts.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (number, basis, unit) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() {
            return None;
        }
        let number: u32 = number.parse().ok()?;
        let unit = unit.strip_suffix('s').unwrap_or(unit);
        let seconds = |each: i64| i64::from(number).checked_mul(each);
        Some(match (basis, unit) {
            ("clock", "second") => Self::Clock(seconds(1)?),
            ("clock", "minute") => Self::Clock(seconds(60)?),
            ("clock", "hour") => Self::Clock(seconds(3600)?),
            ("clock", "day") => Self::Clock(seconds(86_400)?),
            ("working", "second") => Self::Working(seconds(1)?),
            ("working", "minute") => Self::Working(seconds(60)?),
            ("working", "hour") => Self::Working(seconds(3600)?),
            ("working", "day") => Self::WorkingDays(number),
            ("civil", "day") => Self::CivilDays(number),
            ("civil", "week") => Self::CivilDays(number.checked_mul(7)?),
            ("civil", "month") => Self::CivilMonths(number),
            ("civil", "year") => Self::CivilMonths(number.checked_mul(12)?),
            _ => return None,
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (basis, number, unit) = match *self {
            Self::Clock(seconds) => ("clock", seconds, ""),
            Self::Working(seconds) => ("working", seconds, ""),
            Self::WorkingDays(days) => ("working", i64::from(days), "day"),
            Self::CivilDays(days) => ("civil", i64::from(days), "day"),
            Self::CivilMonths(months) => ("civil", i64::from(months), "month"),
        };
        let (number, unit) = match (unit, number) {
            ("", n) if n != 0 && n % 3600 == 0 => (n / 3600, "hour"),
            ("", n) if n % 60 == 0 => (n / 60, "minute"),
            ("", n) => (n, "second"),
            (unit, n) => (n, unit),
        };
        let plural = if number == 1 { "" } else { "s" };
        write!(f, "{number} {basis} {unit}{plural}")
    }
}

/// The units a person reads a span in, with their seconds, the longest first.
const UNITS: &[(u64, &str)] = &[(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];

/// A span of seconds as a person reads it: `2 d 3 h 5 min 7 s`, exact.
pub fn describe_seconds(seconds: i64) -> String {
    describe_in(UNITS, seconds)
}

/// A span of working seconds as a person reads it: `51 h 5 min 7 s`, exact.
/// Working time has no days of 24 hours.
pub fn describe_working_seconds(seconds: i64) -> String {
    describe_in(UNITS.get(1..).unwrap_or_default(), seconds)
}

fn describe_in(units: &[(u64, &str)], seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let mut left = seconds.unsigned_abs();
    let mut shown = Vec::new();
    for (size, unit) in units {
        let count = left / size;
        left %= size;
        if count > 0 {
            shown.push(format!("{count} {unit}"));
        }
    }
    if shown.is_empty() {
        "0 s".to_owned()
    } else {
        format!("{sign}{}", shown.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_always_names_its_time() {
        assert_eq!(
            Limit::parse("3 working hours"),
            Some(Limit::Working(10_800))
        );
        assert_eq!(Limit::parse("1 clock hour"), Some(Limit::Clock(3600)));
        assert_eq!(Limit::parse("15 civil days"), Some(Limit::CivilDays(15)));
        assert_eq!(Limit::parse("3 hours"), None);
        assert_eq!(Limit::parse("-3 clock hours"), None);
        assert_eq!(Limit::parse("99999999999 clock hours"), None);
        for text in [
            "24 clock hours",
            "1 working day",
            "90 clock minutes",
            "0 clock minutes",
            "1 civil month",
        ] {
            assert_eq!(
                Limit::parse(text).map(|l| l.to_string()).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn spans_are_exact() {
        assert_eq!(describe_seconds(90_061), "1 d 1 h 1 min 1 s");
        assert_eq!(describe_seconds(0), "0 s");
        assert_eq!(describe_seconds(-60), "-1 min");
        assert_eq!(describe_working_seconds(90_061), "25 h 1 min 1 s");
        assert_eq!(describe_working_seconds(0), "0 s");
        assert_eq!(describe_working_seconds(-60), "-1 min");
    }
}
