//! `every`: again and again, in every period while something lasts.

mod period;

mod due;

pub use due::Due;
pub use period::Period;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use thirdring_calendar::Calendar;

use crate::forms::clock::ClockScene;
use crate::forms::limit::Limit;
use crate::forms::pattern::{Pattern, describe_any};
use crate::forms::reading::Reading;
use crate::forms::run::{End, Run};
use crate::source::{Complaint, Table};
use crate::vocabulary::FactType;

use period::midnight;

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

    /// Whether its periods, or the days they are due on, are working days.
    pub(crate) fn counts_working_days(&self) -> bool {
        self.due.is_some() || self.period == Some(Period::WorkingDay)
    }

    /// When the first whole period after a moment is due; `None` where the text
    /// names no period, or the calendar has no such day.
    pub(crate) fn due_if_started(
        &self,
        moment: DateTime<Utc>,
        calendar: &Calendar,
    ) -> Option<DateTime<Utc>> {
        let period = self.period?;
        let begun = period.begin(calendar.date(moment))?;
        due::moment(self.due, period, period.next(begun, calendar)?, calendar)
    }

    fn set_due(&self, run: &mut Run, calendar: &Calendar) {
        let Some(period) = self.period else { return };
        match due::moment(self.due, period, calendar.date(run.from), calendar) {
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
        if let Some(due) = self.due {
            text.push_str(&format!(", due by {}", due.describe()));
        }
        text
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let period = Period::read(table.demand("every", "\"calendar month\"")?)?;
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
        let due = table.take("due").map(Due::read).transpose()?;
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
