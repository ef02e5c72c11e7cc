//! A slow second model of a working calendar, written apart from the crate: it paints every
//! second of a few days open or closed and then counts them one by one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use thirdring_calendar::{CalendarDefinition, ClockTime, Day, Holiday, MakeUpDay, Window};

/// Seconds of the wall clock since the day's midnight, from and to.
pub(crate) type Hours = Vec<(u32, u32)>;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) tz: Tz,
    pub(crate) weekly: [Hours; 7],
    pub(crate) holidays: BTreeSet<NaiveDate>,
    pub(crate) special: BTreeMap<NaiveDate, Hours>,
    pub(crate) make_up: BTreeMap<NaiveDate, usize>,
    pub(crate) breaks: BTreeMap<NaiveDate, Hours>,
}

/// One bool a second from `start`, and what counting them one by one gave.
pub(crate) struct Painting {
    start: i64,
    open: Vec<bool>,
    /// Open seconds before each second.
    count: Vec<i64>,
    /// Seconds that are closed and follow an open one.
    closes: Vec<i64>,
}

pub(crate) fn offset_at(tz: Tz, at: i64) -> i64 {
    let at = DateTime::from_timestamp(at, 0).unwrap().naive_utc();
    i64::from(tz.offset_from_utc_datetime(&at).fix().local_minus_utc())
}

/// The first and the second instant at which clocks show a time, or twice the change.
fn instants(tz: Tz, date: NaiveDate, clock: u32) -> (i64, i64) {
    let local = date.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::seconds(i64::from(clock));
    match tz.from_local_datetime(&local) {
        LocalResult::Single(at) => (at.timestamp(), at.timestamp()),
        LocalResult::Ambiguous(a, b) => (a.timestamp(), b.timestamp()),
        LocalResult::None => {
            let wanted = local.and_utc().timestamp();
            let (mut before, mut after) = (wanted - 200_000, wanted + 200_000);
            while after - before > 1 {
                let middle = (before + after) / 2;
                if middle + offset_at(tz, middle) >= wanted {
                    after = middle
                } else {
                    before = middle
                }
            }
            (after, after)
        }
    }
}

impl Model {
    pub(crate) fn definition(&self) -> CalendarDefinition {
        let windows = |hours: &Hours| -> Vec<Window> {
            let time = |seconds| ClockTime::from_seconds(seconds).unwrap();
            hours
                .iter()
                .map(|&(open, close)| Window::new(time(open), time(close)))
                .collect()
        };
        let dated = |map: &BTreeMap<NaiveDate, Hours>| {
            map.iter()
                .map(|(&date, hours)| (date, windows(hours)))
                .collect()
        };
        CalendarDefinition {
            tz: self.tz.name().to_owned(),
            weekly: Day::ALL
                .into_iter()
                .zip(self.weekly.iter().map(windows))
                .collect(),
            holidays: self
                .holidays
                .iter()
                .map(|&date| Holiday::on(date))
                .collect(),
            special_days: dated(&self.special),
            make_up_days: self
                .make_up
                .iter()
                .map(|(&date, &like)| MakeUpDay {
                    date,
                    like: Some(Day::ALL[like]),
                    name: None,
                    notice: None,
                })
                .collect(),
            breaks: dated(&self.breaks),
            ..CalendarDefinition::default()
        }
    }

    fn hours(&self, date: NaiveDate) -> &[(u32, u32)] {
        if let Some(hours) = self.special.get(&date) {
            return hours;
        }
        if let Some(&like) = self.make_up.get(&date) {
            return &self.weekly[like];
        }
        if self.holidays.contains(&date) {
            return &[];
        }
        &self.weekly[date.weekday().num_days_from_monday() as usize]
    }

    pub(crate) fn paint(&self, start: i64, seconds: usize) -> Painting {
        let mut open = vec![false; seconds];
        let end = start + i64::try_from(seconds).unwrap();
        let mut fill = |from: i64, to: i64, value: bool| {
            let place = |at: i64| usize::try_from(at.clamp(start, end) - start).unwrap();
            if from < to {
                open[place(from)..place(to)].fill(value);
            }
        };
        let first = DateTime::<Utc>::from_timestamp(start, 0)
            .unwrap()
            .date_naive();
        let days = i64::try_from(seconds).unwrap() / 86_400 + 9;
        let dates = || (0..days).map(|day| first + TimeDelta::days(day - 4));
        for date in dates() {
            for &(from, to) in self.hours(date) {
                fill(
                    instants(self.tz, date, from).0,
                    instants(self.tz, date, to).1,
                    true,
                );
            }
        }
        for date in dates() {
            for &(from, to) in self.breaks.get(&date).map_or(&[][..], Vec::as_slice) {
                fill(
                    instants(self.tz, date, from).0,
                    instants(self.tz, date, to).1,
                    false,
                );
            }
        }
        let mut count = vec![0];
        let mut closes = Vec::new();
        for (second, at) in open.iter().zip(start..) {
            count.push(count[count.len() - 1] + i64::from(*second));
            if !second && at > start && open[usize::try_from(at - start - 1).unwrap()] {
                closes.push(at);
            }
        }
        Painting {
            start,
            open,
            count,
            closes,
        }
    }
}

impl Painting {
    fn at(&self, at: i64) -> Option<bool> {
        self.open
            .get(usize::try_from(at - self.start).ok()?)
            .copied()
    }

    pub(crate) fn is_open(&self, at: i64) -> bool {
        self.at(at).unwrap()
    }

    fn counted(&self, at: i64) -> i64 {
        self.count[usize::try_from(at - self.start).unwrap()]
    }

    pub(crate) fn between(&self, a: i64, b: i64) -> i64 {
        self.counted(b.max(a)) - self.counted(a)
    }

    /// The first second before which `count` seconds are open.
    fn first(&self, count: i64) -> Option<i64> {
        let place = self.count.partition_point(|&before| before < count);
        let found = place > 0 && place < self.count.len();
        found.then(|| self.start + i64::try_from(place).unwrap())
    }

    /// The last second before which no more than `count` are open.
    fn last(&self, count: i64) -> Option<i64> {
        let place = self.count.partition_point(|&before| before <= count);
        let found = place > 0 && place < self.count.len();
        found.then(|| self.start + i64::try_from(place).unwrap() - 1)
    }

    /// `None`: the answer is outside what was painted.
    pub(crate) fn add(&self, start: i64, seconds: i64) -> Option<i64> {
        let target = self.counted(start) + seconds;
        if seconds > 0 {
            self.first(target)
        } else {
            self.last(target)
        }
    }

    pub(crate) fn add_zero_backward(&self, start: i64) -> Option<i64> {
        if self.is_open(start) {
            Some(start)
        } else {
            self.first(self.counted(start))
        }
    }

    pub(crate) fn next_close(&self, start: i64) -> Option<i64> {
        self.closes
            .get(self.closes.partition_point(|&close| close <= start))
            .copied()
    }

    /// Outer `None`: outside what was painted. Inner `None`: paused for good.
    pub(crate) fn deadline(
        &self,
        start: i64,
        seconds: i64,
        pauses: &[(i64, Option<i64>)],
    ) -> Option<Option<i64>> {
        let (mut at, mut left) = (start, seconds);
        loop {
            if left == 0 && seconds > 0 {
                return Some(Some(at));
            }
            let mut paused = false;
            for &(from, to) in pauses {
                let inside = from <= at && to.is_none_or(|to| at < to);
                if inside && to.is_none() {
                    return Some(None);
                }
                paused |= inside;
            }
            if self.at(at)? && !paused {
                if seconds == 0 {
                    return Some(Some(at));
                }
                left -= 1;
            }
            at += 1;
        }
    }
}
