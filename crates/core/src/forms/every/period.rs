//! The periods of an `every`, in the civil calendar.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use thirdring_calendar::Calendar;

use crate::source::{Complaint, Node};

/// A period of the civil calendar, in the manual's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Day,
    /// A day with working time.
    WorkingDay,
    /// Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// Three months from January, April, July or October.
    Quarter,
    /// A year.
    Year,
}

impl Period {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("civil day", Self::Day),
        ("working day", Self::WorkingDay),
        ("calendar week", Self::Week),
        ("calendar month", Self::Month),
        ("calendar quarter", Self::Quarter),
        ("calendar year", Self::Year),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, period)| *period == self)
            .map_or("", |(name, _)| name)
    }

    /// Reads a period; `None` where the text names none.
    pub(super) fn read(node: &Node) -> Result<Option<Self>, Complaint> {
        let name = node.text()?;
        if name == "unstated" {
            return Ok(None);
        }
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        let Some((_, period)) = found else {
            let known: Vec<&str> = Self::NAMES.iter().map(|(known, _)| *known).collect();
            return Err(node.place.complain(
                None,
                format!("`{name}` is no period"),
                format!("known: {}, or unstated", known.join(", ")),
            ));
        };
        Ok(Some(*period))
    }

    /// The first day of the period a date lies in.
    pub(super) fn begin(self, date: NaiveDate) -> Option<NaiveDate> {
        Some(match self {
            Self::Day | Self::WorkingDay => date,
            Self::Week => {
                date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))?
            }
            Self::Month => date.with_day(1)?,
            Self::Quarter => date.with_day(1)?.with_month0(date.month0() / 3 * 3)?,
            Self::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1)?,
        })
    }

    /// The first day of the next period.
    pub(super) fn next(self, begin: NaiveDate, calendar: &Calendar) -> Option<NaiveDate> {
        match self {
            Self::Day => begin.succ_opt(),
            Self::WorkingDay => calendar.nth_working_day_after(begin, 1).ok(),
            Self::Week => begin.checked_add_days(Days::new(7)),
            Self::Month => begin.checked_add_months(Months::new(1)),
            Self::Quarter => begin.checked_add_months(Months::new(3)),
            Self::Year => begin.checked_add_months(Months::new(12)),
        }
    }
}

/// The first moment of a civil day in the calendar's zone.
pub(super) fn midnight(date: NaiveDate, calendar: &Calendar) -> Option<DateTime<Utc>> {
    let zone = calendar.zone();
    let mut time = date.and_time(NaiveTime::MIN);
    // Where midnight is skipped the day begins with the first clock time there is.
    for _ in 0..96 {
        if let Some(moment) = zone.from_local_datetime(&time).earliest() {
            return Some(moment.to_utc());
        }
        time = time.checked_add_signed(chrono::TimeDelta::minutes(15))?;
    }
    None
}
