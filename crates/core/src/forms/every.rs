//! `every`: again and again, in every period while something lasts.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use thirdring_calendar::Calendar;

use crate::forms::clock::ClockScene;
use crate::forms::limit::Limit;
use crate::forms::pattern::{Pattern, describe_any};
use crate::forms::reading::Reading;
use crate::forms::run::{End, Run};
use crate::source::{Complaint, Node, Table};
use crate::vocabulary::FactType;

/// The most periods one start is followed through; a stream that nobody ended
/// for longer is judged up to here.
const PERIODS_MAX: usize = 5_000;

/// Again and again.
#[derive(Debug, Clone)]
pub struct Every {
    /// The period; `None` where the text names none, then it is only measured
    /// how long it took from one to the next.
    pub period: Option<Period>,
    /// What is expected in each period.
    pub expect: Vec<Pattern>,
    /// How often in each period.
    pub times: u32,
    /// What the periods begin with; `None`: with the first expected fact.
    pub starts_with: Option<Pattern>,
    /// What they end with.
    pub ends_with: Vec<Pattern>,
    /// From which age of the start on, in civil months.
    pub from_age: Option<Limit>,
    /// Up to which age of the start.
    pub ends_at_age: Option<Limit>,
    /// When in or after the period it is due; `None`: at its end.
    pub due: Option<Due>,
}

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

impl Period {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("civil day", Self::Day),
        ("working day", Self::WorkingDay),
        ("calendar week", Self::Week),
        ("calendar month", Self::Month),
        ("calendar quarter", Self::Quarter),
        ("calendar year", Self::Year),
    ];

    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, period)| *period == self)
            .map_or("", |(name, _)| name)
    }

    /// The first day of the period a date lies in.
    fn begin(self, date: NaiveDate) -> Option<NaiveDate> {
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
    fn next(self, begin: NaiveDate, calendar: &Calendar) -> Option<NaiveDate> {
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
fn midnight(date: NaiveDate, calendar: &Calendar) -> Option<DateTime<Utc>> {
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

impl Every {
    /// Lets one fact work on the runs of this clause.
    pub(crate) fn touch(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>) {
        let record = scene.record;
        let at = record.happened_at();
        self.roll(runs, scene, at);
        if self.expect.iter().any(|pattern| pattern.matches(record)) {
            self.answer(runs, scene, at);
        }
        if self.ends_with.iter().any(|pattern| pattern.matches(record)) {
            for run in runs.iter_mut().filter(|run| scene.concerns(run)) {
                run.follow = None;
                if run.is_open() {
                    run.end = Some(End::Cancelled(Arc::clone(record)));
                }
            }
        }
        let starts = match &self.starts_with {
            Some(pattern) => pattern.matches(record),
            None => self.expect.iter().any(|pattern| pattern.matches(record)),
        };
        let running = runs.iter().any(|run| {
            let goes_on = if self.period.is_some() {
                run.follow.is_some()
            } else {
                run.is_open()
            };
            goes_on && run.key.as_deref() == scene.key()
        });
        if starts
            && !running
            && record
                .fact()
                .is_some_and(|fact| scene.when.left_open_by(fact))
        {
            self.start(runs, scene, at);
        }
    }

    fn answer(&self, runs: &mut [Run], scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let record = scene.record;
        // A report about a period answers the oldest period that waits for it.
        let waiting = runs.iter_mut().find(|run| {
            run.is_open() && scene.concerns(run) && self.counts_from(run, scene.calendar) <= at
        });
        if let Some(run) = waiting {
            run.partly.push(Arc::clone(record));
            if run.partly.len() >= usize::try_from(self.times).unwrap_or(usize::MAX) {
                run.end = Some(End::Answered(Arc::clone(record)));
            }
        }
    }

    /// From when on an expected fact counts for a run: a fact that is due after
    /// its period cannot be done before the period is over.
    fn counts_from(&self, run: &Run, calendar: &Calendar) -> DateTime<Utc> {
        match self.due {
            Some(Due::WorkingDayAfter(_)) => self
                .period
                .and_then(|period| {
                    midnight(period.next(calendar.date(run.from), calendar)?, calendar)
                })
                .unwrap_or(run.from),
            Some(Due::LastWorkingDay | Due::Weekday(_)) | None => run.from,
        }
    }

    fn start(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let key = scene.key().map(str::to_owned);
        let Some(period) = self.period else {
            runs.push(self.run(scene, key, at));
            return;
        };
        let calendar = scene.calendar;
        let from = self
            .from_age
            .and_then(|age| age.after(at, calendar).ok())
            .unwrap_or(at);
        // The period something begins in is not a whole one; the next one is.
        let begin = period
            .begin(calendar.date(from))
            .and_then(|begin| period.next(begin, calendar))
            .and_then(|date| midnight(date, calendar));
        let over = self.over(at, calendar);
        if let Some(begin) = begin.filter(|begin| over.is_none_or(|over| *begin < over)) {
            runs.push(self.run(scene, key, begin));
        }
    }

    /// The moment from which on no period begins, for a start at `at`.
    fn over(&self, at: DateTime<Utc>, calendar: &Calendar) -> Option<DateTime<Utc>> {
        self.ends_at_age
            .and_then(|age| age.after(at, calendar).ok())
    }

    fn run(&self, scene: &ClockScene<'_>, key: Option<String>, from: DateTime<Utc>) -> Run {
        let mut run = Run::starting(scene.record, key, from, false);
        run.applies = scene.holds(&run);
        run.ever_applied = run.applies;
        run.follow = Some(run.applies);
        self.set_due(&mut run, scene.calendar);
        run
    }

    fn set_due(&self, run: &mut Run, calendar: &Calendar) {
        let Some(period) = self.period else { return };
        let begin = calendar.date(run.from);
        let due = period.next(begin, calendar).and_then(|next| {
            // A working day is over with its day, not with the weekend behind it.
            let last = if period == Period::WorkingDay {
                begin
            } else {
                next.pred_opt()?
            };
            match self.due {
                None => midnight(last.succ_opt()?, calendar)?
                    .checked_sub_signed(chrono::TimeDelta::nanoseconds(1)),
                Some(Due::WorkingDayAfter(n)) => {
                    calendar.end_of_working_day(calendar.nth_working_day_after(last, n).ok()?)
                }
                Some(Due::LastWorkingDay) => {
                    let day = calendar.nth_working_day_after(next, -1).ok()?;
                    calendar.end_of_working_day(day)
                }
                Some(Due::Weekday(weekday)) => {
                    let offset = u64::from(
                        (7 + weekday.num_days_from_monday()
                            - begin.weekday().num_days_from_monday())
                            % 7,
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
        });
        match due {
            Some(due) => run.due = Some(due),
            None => run.trouble = Some("the calendar has no such day".to_owned()),
        }
    }

    /// Opens the periods that have begun by `now`, and closes those that are
    /// over; then asks whether the condition holds.
    pub(crate) fn roll(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>, now: DateTime<Utc>) {
        self.roll_until(runs, scene.calendar, now);
        for run in runs
            .iter_mut()
            .filter(|run| run.is_open() || run.follow.is_some())
        {
            let applies = scene.holds(run);
            if run.follow.is_some() {
                run.follow = Some(applies);
            }
            if run.is_open() {
                run.applies = applies;
                run.ever_applied |= applies;
            }
        }
    }

    /// As [`Self::roll`], by time alone.
    pub(crate) fn roll_until(&self, runs: &mut Vec<Run>, calendar: &Calendar, now: DateTime<Utc>) {
        let mut index = 0;
        while let Some(run) = runs.get_mut(index) {
            index += 1;
            run.settle(now);
            let Some(applies) = run.follow else { continue };
            let Some(next) = self.next_begin(run, calendar) else {
                continue;
            };
            if next > now {
                continue;
            }
            run.follow = None;
            if run.is_open() && self.due.is_none() {
                // Nothing in a later period makes up for an empty one.
                run.end = Some(End::Lapsed);
            }
            let following = self.following(run, applies, calendar);
            if let Some(following) = following.filter(|_| runs.len() < PERIODS_MAX) {
                runs.push(following);
            }
        }
    }

    fn next_begin(&self, run: &Run, calendar: &Calendar) -> Option<DateTime<Utc>> {
        midnight(
            self.period?.next(calendar.date(run.from), calendar)?,
            calendar,
        )
    }

    /// The run of the period after a run's own, unless its time is over by then.
    fn following(&self, run: &Run, applies: bool, calendar: &Calendar) -> Option<Run> {
        let next = self.next_begin(run, calendar)?;
        let over = self.over(run.started_by.happened_at(), calendar);
        if over.is_some_and(|over| next >= over) {
            return None;
        }
        let mut following = Run::starting(&run.started_by, run.key.clone(), next, applies);
        following.follow = Some(applies);
        self.set_due(&mut following, calendar);
        Some(following)
    }

    /// The first run of a row of periods that has not begun yet and that
    /// `waits`; `tail` is the latest that has.
    pub(crate) fn upcoming(
        &self,
        tail: &Run,
        count: usize,
        calendar: &Calendar,
        waits: impl Fn(&Run) -> bool,
    ) -> Option<Run> {
        // By time alone a condition that does not hold will not begin to.
        let applies = tail.follow.filter(|applies| *applies)?;
        let mut run = self.following(tail, applies, calendar)?;
        for _ in count..PERIODS_MAX {
            if waits(&run) {
                return Some(run);
            }
            run = self.following(&run, applies, calendar)?;
        }
        None
    }

    /// The types of fact that may change a run.
    pub fn reads(&self) -> Vec<FactType> {
        self.expect
            .iter()
            .chain(&self.starts_with)
            .chain(&self.ends_with)
            .map(|pattern| pattern.fact)
            .collect()
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let what = describe_any(&self.expect);
        let Some(period) = self.period else {
            return format!("{what} again and again, measured: the text names no period");
        };
        let times = if self.times == 1 {
            String::new()
        } else {
            format!("{} times ", self.times)
        };
        let mut text = format!("{what} {times}every {}", period.name());
        if let Some(pattern) = &self.starts_with {
            text.push_str(&format!(" after {}", pattern.describe()));
        }
        if let Some(age) = self.from_age {
            text.push_str(&format!(", from {age} on"));
        }
        if let Some(age) = self.ends_at_age {
            text.push_str(&format!(", for {age}"));
        }
        match self.due {
            None => {}
            Some(Due::WorkingDayAfter(n)) => {
                text.push_str(&format!(", due by working day {n} after it"))
            }
            Some(Due::LastWorkingDay) => text.push_str(", due by its last working day"),
            Some(Due::Weekday(day)) => {
                text.push_str(&format!(", due by {day} or the working day before"))
            }
        }
        text
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let node = table.demand("every", "\"calendar month\"")?;
        let name = node.text()?;
        let period = if name == "unstated" {
            None
        } else {
            let found = Period::NAMES.iter().find(|(known, _)| *known == name);
            let Some((_, period)) = found else {
                let known: Vec<&str> = Period::NAMES.iter().map(|(known, _)| *known).collect();
                return Err(node.place.complain(
                    None,
                    format!("`{name}` is no period"),
                    format!("known: {}, or unstated", known.join(", ")),
                ));
            };
            Some(*period)
        };
        let expect = Pattern::read_all(
            table.demand("expect", "[\"follow_up_done\"]")?,
            reading,
            &[],
        )?;
        let times = match table.take("times") {
            None => 1,
            Some(node) => u32::try_from(node.int()?)
                .ok()
                .filter(|times| *times > 0)
                .ok_or_else(|| {
                    node.place
                        .complain(None, "the number of times is at least 1", "write e.g. 2")
                })?,
        };
        let starts_with = match table.take("starts_with") {
            None => None,
            Some(node) => Some(Pattern::read(node, reading, &[])?),
        };
        let ends_with = match table.take("ends_with") {
            None => Vec::new(),
            Some(node) => Pattern::read_all(node, reading, &[])?,
        };
        let mut age = |name: &'static str| table.take(name).map(Limit::read).transpose();
        let from_age = age("from_age")?;
        let ends_at_age = age("ends_at_age")?;
        let due = match table.take("due") {
            None => None,
            Some(node) => Some(read_due(node)?),
        };
        if period.is_some() && starts_with.is_none() {
            return Err(table.place.complain(
                None,
                "nothing says when the periods begin",
                "write starts_with = \"…\"",
            ));
        }
        Ok(Self {
            period,
            expect,
            times,
            starts_with,
            ends_with,
            from_age,
            ends_at_age,
            due,
        })
    }
}

fn read_due(node: &Node) -> Result<Due, Complaint> {
    let text = node.text()?;
    let due = match text {
        "last working day" => Some(Due::LastWorkingDay),
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
                    .map(Due::WorkingDayAfter)
            } else {
                text.strip_suffix(" or the working day before")
                    .and_then(|day| day.parse().ok())
                    .map(Due::Weekday)
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
