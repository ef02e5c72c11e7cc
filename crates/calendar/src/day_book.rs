//! Which hours hold on which civil date, and why.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::clock_time::{DAY, Window};
use crate::definition::{CalendarDefinition, Day};
use crate::error::CalendarError;
use crate::holiday_list::HolidayList;

/// The longest run of dates one holiday entry may cover.
const LONGEST_HOLIDAY_DAYS: u32 = 366;

/// Days since 1970-01-01.
pub(crate) type DayNumber = i64;

pub(crate) fn day_number(date: NaiveDate) -> DayNumber {
    i64::from(date.to_epoch_days())
}

pub(crate) fn date_of(day: DayNumber) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

/// Monday is 0. 1970-01-01 was a Thursday.
pub(crate) fn weekday_index(day: DayNumber) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)
}

/// A working window in seconds of its day's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) open: i64,
    pub(crate) close: i64,
}

/// Why a day has the hours it has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoursReason {
    /// The hours of its day of the week.
    Weekly,
    /// The calendar is open around the clock.
    AlwaysOpen,
    /// Hours given for this date alone.
    SpecialDay,
    /// A make-up working day (调休), with the name of the holiday it makes up for.
    MakeUp {
        /// Whose hours it takes.
        like: Option<Day>,
        /// The holiday it belongs to, where known.
        name: Option<String>,
        /// The reference of the official notice, where known.
        notice: Option<String>,
    },
    /// A holiday: nothing opens.
    Holiday {
        /// What it is called, where known.
        name: Option<String>,
        /// The reference of the official notice, where known.
        notice: Option<String>,
    },
}

/// A date that departs from the week.
#[derive(Clone, Debug)]
struct Exception {
    spans: Vec<Span>,
    reason: HoursReason,
}

/// The hours of every civil date: the definition, checked and resolved.
#[derive(Clone, Debug)]
pub(crate) struct DayBook {
    week: [Vec<Span>; 7],
    always_open: bool,
    exceptions: Vec<(DayNumber, Exception)>,
    breaks: Vec<(DayNumber, Vec<Span>)>,
    /// Holidays by date, whether or not another entry overrides their hours.
    holidays: Vec<DayNumber>,
    weekend: [bool; 7],
}

impl DayBook {
    pub(crate) fn new(
        definition: &CalendarDefinition,
        lists: &[&HolidayList],
    ) -> Result<Self, CalendarError> {
        let mut week: [Vec<Span>; 7] = Default::default();
        for (place, day) in week.iter_mut().zip(Day::ALL) {
            if let Some(windows) = definition.weekly.get(&day) {
                *place = spans(windows, |index| format!("weekly.{}[{index}]", day.name()))?;
            }
            if definition.always_open {
                *place = vec![Span {
                    open: 0,
                    close: DAY,
                }];
            }
        }
        let default_like = definition.make_up_like.or_else(|| {
            Day::ALL
                .into_iter()
                .zip(&week)
                .find(|(_, spans)| !spans.is_empty())
                .map(|(day, _)| day)
        });
        let make_up = |like: Option<Day>, name: Option<String>, notice: Option<String>| {
            let like = like.or(default_like);
            let spans = like
                .and_then(|day| week.get(day as usize))
                .cloned()
                .unwrap_or_default();
            Exception {
                spans,
                reason: HoursReason::MakeUp { like, name, notice },
            }
        };
        let holiday = |name: Option<String>, notice: Option<String>| Exception {
            spans: Vec::new(),
            reason: HoursReason::Holiday { name, notice },
        };
        let notice_of = |date: NaiveDate| definition.notices.get(&date.year().to_string()).cloned();

        // Later entries override earlier ones: lists, then the calendar's own, then special days.
        let mut exceptions = BTreeMap::new();
        let mut holidays = Vec::new();
        for list in lists {
            for entry in list.off() {
                holidays.push(day_number(entry.date));
                let exception = holiday(entry.name.clone(), entry.notice.clone());
                exceptions.insert(day_number(entry.date), exception);
            }
            for entry in list.worked() {
                let exception = make_up(None, entry.name.clone(), entry.notice.clone());
                exceptions.insert(day_number(entry.date), exception);
            }
        }
        let mut own_holidays = Vec::new();
        for entry in &definition.holidays {
            let (from, to) = (day_number(entry.from), day_number(entry.to));
            if to < from || to - from >= i64::from(LONGEST_HOLIDAY_DAYS) {
                return Err(CalendarError::BadRange {
                    field: "holidays".to_owned(),
                    from: entry.from,
                    to: entry.to,
                });
            }
            for day in from..=to {
                own_holidays.push(day);
                let notice = || date_of(day).and_then(notice_of);
                let notice = entry.notice.clone().or_else(notice);
                exceptions.insert(day, holiday(entry.name.clone(), notice));
            }
        }
        own_holidays.sort_unstable();
        for entry in &definition.make_up_days {
            let day = day_number(entry.date);
            if own_holidays.binary_search(&day).is_ok() {
                return Err(CalendarError::Contradiction { date: entry.date });
            }
            let notice = entry.notice.clone().or_else(|| notice_of(entry.date));
            exceptions.insert(day, make_up(entry.like, entry.name.clone(), notice));
        }
        holidays.append(&mut own_holidays);
        holidays.sort_unstable();
        holidays.dedup();
        for (date, windows) in &definition.special_days {
            let spans = spans(windows, |index| format!("special_days.{date}[{index}]"))?;
            exceptions.insert(
                day_number(*date),
                Exception {
                    spans,
                    reason: HoursReason::SpecialDay,
                },
            );
        }
        let mut breaks = Vec::with_capacity(definition.breaks.len());
        for (date, windows) in &definition.breaks {
            let spans = spans(windows, |index| format!("breaks.{date}[{index}]"))?;
            breaks.push((day_number(*date), spans));
        }
        let weekend = Day::ALL.map(|day| match &definition.weekend {
            Some(days) => days.contains(&day),
            None => matches!(day, Day::Sat | Day::Sun),
        });
        Ok(Self {
            week,
            always_open: definition.always_open,
            exceptions: exceptions.into_iter().collect(),
            breaks,
            holidays,
            weekend,
        })
    }

    /// The windows of each day of the week, Monday first.
    pub(crate) const fn week(&self) -> &[Vec<Span>; 7] {
        &self.week
    }

    fn exception(&self, day: DayNumber) -> Option<&Exception> {
        let index = self
            .exceptions
            .binary_search_by_key(&day, |(day, _)| *day)
            .ok()?;
        self.exceptions.get(index).map(|(_, exception)| exception)
    }

    fn weekly(&self, day: DayNumber) -> &[Span] {
        self.week.get(weekday_index(day)).map_or(&[], Vec::as_slice)
    }

    /// The windows that open on a day, breaks not yet taken away.
    pub(crate) fn windows(&self, day: DayNumber) -> &[Span] {
        self.exception(day)
            .map_or_else(|| self.weekly(day), |exception| &exception.spans)
    }

    /// The breaks that stand under a day.
    pub(crate) fn breaks(&self, day: DayNumber) -> &[Span] {
        match self.breaks.binary_search_by_key(&day, |(day, _)| *day) {
            Ok(index) => self.breaks.get(index).map_or(&[], |(_, spans)| spans),
            Err(_) => &[],
        }
    }

    /// Why a day has the hours it has.
    pub(crate) fn reason(&self, day: DayNumber) -> HoursReason {
        match self.exception(day) {
            Some(exception) => exception.reason.clone(),
            None if self.always_open => HoursReason::AlwaysOpen,
            None => HoursReason::Weekly,
        }
    }

    /// Whether a day is on the weekend, whatever its hours.
    pub(crate) fn is_weekend(&self, day: DayNumber) -> bool {
        self.weekend
            .get(weekday_index(day))
            .copied()
            .unwrap_or(false)
    }

    /// Whether a day is listed as a holiday, whatever its hours.
    pub(crate) fn is_holiday(&self, day: DayNumber) -> bool {
        self.holidays.binary_search(&day).is_ok()
    }

    /// Whether a day follows the week and has no break.
    pub(crate) fn is_regular(&self, day: DayNumber) -> bool {
        self.exception(day).is_none() && self.breaks(day).is_empty()
    }

    /// The stretches of civil days, end excluded, that the weekly pattern alone does not
    /// describe, in order and apart from one another.
    pub(crate) fn irregular_stretches(&self) -> Vec<(DayNumber, DayNumber)> {
        let excepted = self.exceptions.iter().map(|(day, _)| *day);
        let broken = self.breaks.iter().map(|(day, _)| *day);
        let mut days: Vec<DayNumber> = excepted.chain(broken).collect();
        days.sort_unstable();
        days.dedup();
        let mut stretches: Vec<(DayNumber, DayNumber)> = Vec::new();
        for day in days {
            let touched = [self.weekly(day), self.windows(day), self.breaks(day)];
            let overnight = touched
                .iter()
                .any(|spans| spans.iter().any(|span| span.close > DAY));
            let end = day + if overnight { 2 } else { 1 };
            match stretches.last_mut() {
                Some(last) if last.1 >= day => last.1 = last.1.max(end),
                _ => stretches.push((day, end)),
            }
        }
        stretches
    }

    /// Whether any day can have opening hours at all.
    pub(crate) fn ever_opens(&self) -> bool {
        self.opens_weekly() || self.exceptions.iter().any(|(_, e)| !e.spans.is_empty())
    }

    /// Whether any day of the week has hours.
    pub(crate) fn opens_weekly(&self) -> bool {
        self.week.iter().any(|spans| !spans.is_empty())
    }

    /// The first and last day that departs from the week.
    pub(crate) fn exception_range(&self) -> Option<(DayNumber, DayNumber)> {
        Some((self.exceptions.first()?.0, self.exceptions.last()?.0))
    }
}

fn spans(windows: &[Window], field: impl Fn(usize) -> String) -> Result<Vec<Span>, CalendarError> {
    let mut spans = Vec::with_capacity(windows.len());
    for (index, window) in windows.iter().enumerate() {
        if window.close <= window.open {
            return Err(CalendarError::EmptyWindow {
                field: field(index),
                open: window.open.to_string(),
                close: window.close.to_string(),
            });
        }
        spans.push(Span {
            open: i64::from(window.open.seconds()),
            close: i64::from(window.close.seconds()),
        });
    }
    spans.sort_unstable_by_key(|span| (span.open, span.close));
    Ok(spans)
}
