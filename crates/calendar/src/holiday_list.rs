//! Lists of holidays and make-up working days that a definition can refer to by name.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::NaiveDate;

use crate::definition::{Holiday, HolidaysKnown};
use crate::error::CalendarError;

/// A date of a list with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDay {
    /// The civil date.
    pub date: NaiveDate,
    /// The holiday it is, or makes up for.
    pub name: Option<String>,
    /// The reference of the official notice.
    pub notice: Option<String>,
}

/// Announced holidays and make-up working days of a country, for a known range of dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HolidayList {
    off: Vec<ListedDay>,
    worked: Vec<ListedDay>,
    known: Option<(NaiveDate, NaiveDate)>,
}

static CN: LazyLock<HolidayList> =
    LazyLock::new(|| HolidayList::parse(include_str!("../data/cn.txt")));

impl HolidayList {
    /// The names of the lists shipped with this crate.
    pub const NAMES: [&'static str; 1] = ["cn"];

    /// A shipped list: `cn` is mainland China, 2023 to 2026, from the yearly notices of the
    /// General Office of the State Council.
    ///
    /// # Errors
    /// [`CalendarError::UnknownHolidayList`] for any other name.
    pub fn named(name: &str) -> Result<&'static Self, CalendarError> {
        match name {
            "cn" => Ok(&CN),
            _ => Err(CalendarError::UnknownHolidayList {
                name: name.to_owned(),
                known: Self::NAMES.join(", "),
            }),
        }
    }

    /// A list of days off and days worked, complete from one date to the other.
    #[must_use]
    pub fn new(
        off: Vec<ListedDay>,
        worked: Vec<ListedDay>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Self {
        Self {
            off,
            worked,
            known: Some((from, to)),
        }
    }

    /// The days off, in order.
    #[must_use]
    pub fn off(&self) -> &[ListedDay] {
        &self.off
    }

    /// The make-up working days, in order.
    #[must_use]
    pub fn worked(&self) -> &[ListedDay] {
        &self.worked
    }

    /// The dates for which the list is complete.
    #[must_use]
    pub fn known(&self) -> Option<HolidaysKnown> {
        self.known.map(|(from, to)| HolidaysKnown { from, to })
    }

    /// The days off as entries of a definition.
    #[must_use]
    pub fn to_holidays(&self) -> BTreeSet<Holiday> {
        let entry = |day: &ListedDay| Holiday {
            from: day.date,
            to: day.date,
            name: day.name.clone(),
            notice: day.notice.clone(),
        };
        self.off.iter().map(entry).collect()
    }

    /// Reads the data file of this crate; its form is described at its head. A line that does
    /// not parse is left out, and a test counts the days of every year against that.
    fn parse(text: &str) -> Self {
        let mut list = Self::default();
        let mut notice = None;
        for line in text.lines() {
            let mut words = line.split(' ');
            let verb = words.next().unwrap_or_default();
            let first = words.next();
            let date = |word: Option<&str>| word.and_then(|word| word.parse::<NaiveDate>().ok());
            match verb {
                "year" => {
                    let year = first.and_then(|year| year.parse().ok());
                    let from = year.and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
                    let to = year.and_then(|year| NaiveDate::from_ymd_opt(year, 12, 31));
                    if let (Some(from), Some(to)) = (from, to) {
                        list.known = Some((list.known.map_or(from, |known| known.0), to));
                    }
                }
                "notice" => notice = first.map(str::to_owned),
                "off" => {
                    if let (Some(from), Some(to)) = (date(first), date(words.next())) {
                        let name = words.next().map(str::to_owned);
                        list.off
                            .extend(from.iter_days().take_while(|date| *date <= to).map(|date| {
                                ListedDay {
                                    date,
                                    name: name.clone(),
                                    notice: notice.clone(),
                                }
                            }));
                    }
                }
                "work" => {
                    if let Some(date) = date(first) {
                        let name = words.next().map(str::to_owned);
                        list.worked.push(ListedDay {
                            date,
                            name,
                            notice: notice.clone(),
                        });
                    }
                }
                _ => {}
            }
        }
        list
    }
}
