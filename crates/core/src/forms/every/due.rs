//! When in or after its period an expected fact is due.

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use thirdring_calendar::Calendar;

use super::period::{Period, midnight};
use crate::source::{Complaint, Node};

/// When the expected fact is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At the end of the n-th working day after the period.
    WorkingDayAfter(i64),
    /// At the end of the last working day of the period.
    LastWorkingDay,
    /// At the end of a day of the week, or of the working day before if that
    /// one is not worked.
    Weekday(chrono::Weekday),
}

impl Due {
    /// As a person reads it, after the word by.
    pub(super) fn describe(self) -> String {
        match self {
            Self::WorkingDayAfter(n) => format!("working day {n} after it"),
            Self::LastWorkingDay => "its last working day".to_owned(),
            Self::Weekday(day) => format!("{day} or the working day before"),
        }
    }

    pub(super) fn read(node: &Node) -> Result<Self, Complaint> {
        let text = node.text()?;
        let due = match text {
            "last working day" => Some(Self::LastWorkingDay),
            _ => {
                if let Some(number) = text
                    .strip_suffix(" after")
                    .and_then(|t| t.strip_suffix(" working day"))
                {
                    let number = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                    number
                        .parse()
                        .ok()
                        .filter(|n| (1..=366).contains(n))
                        .map(Self::WorkingDayAfter)
                } else {
                    text.strip_suffix(" or the working day before")
                        .and_then(|day| day.parse().ok())
                        .map(Self::Weekday)
                }
            }
        };
        due.ok_or_else(|| {
            node.place.complain(
                None,
                format!("`{text}` is no due day"),
                "write e.g. \"3rd working day after\", \"last working day\" or \"friday or the working day before\"",
            )
        })
    }
}

/// The due moment of the period that begins on a day; `None` if the calendar has
/// no such day.
pub(super) fn moment(
    due: Option<Due>,
    period: Period,
    begin: NaiveDate,
    calendar: &Calendar,
) -> Option<DateTime<Utc>> {
    let next = period.next(begin, calendar)?;
    // A working day is over with its day, not with the weekend behind it.
    let last = if period == Period::WorkingDay {
        begin
    } else {
        next.pred_opt()?
    };
    match due {
        None => midnight(last.succ_opt()?, calendar)?.checked_sub_signed(TimeDelta::nanoseconds(1)),
        Some(Due::WorkingDayAfter(n)) => {
            calendar.end_of_working_day(calendar.nth_working_day_after(last, n).ok()?)
        }
        Some(Due::LastWorkingDay) => {
            let day = calendar.nth_working_day_after(next, -1).ok()?;
            calendar.end_of_working_day(day)
        }
        Some(Due::Weekday(weekday)) => {
            let offset = u64::from(
                (7 + weekday.num_days_from_monday() - begin.weekday().num_days_from_monday()) % 7,
            );
            let day = begin.checked_add_days(Days::new(offset))?;
            let day = if calendar.is_working_day(day) {
                day
            } else {
                calendar.nth_working_day_after(day, -1).ok()?
            };
            calendar.end_of_working_day(day)
        }
    }
}
