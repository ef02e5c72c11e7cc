//! `within`: after one fact, another within a limit.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use thirdring_calendar::CalendarError;

use crate::forms::bound::Bound;
use crate::forms::clock::ClockScene;
use crate::forms::condition::{Test, read_name};
use crate::forms::escalation::Steps;
use crate::forms::limit::Limit;
use crate::forms::pattern::{Pattern, describe_all, describe_any};
use crate::forms::reading::Reading;
use crate::forms::run::{End, Pause, Run};
use crate::manual::{Calendars, Unannounced};
use crate::record::Record;
use crate::source::{Complaint, Node, Table};
use crate::vocabulary::{FactType, FieldType, Scalar, Value};

/// After one fact, another within a limit.
#[derive(Debug, Clone)]
pub struct Within {
    /// What starts a run.
    pub after: Vec<Pattern>,
    /// What answers it.
    pub expect: Vec<Expected>,
    /// Whether all of `expect` are needed, or any one.
    pub all: bool,
    /// The limits; the soonest due moment counts. Empty: it is only measured.
    pub limits: Vec<Bound>,
    /// The field or attribute whose word names the calendar a run is counted
    /// in: the customer's or the site's.
    pub calendar_by: Option<Test>,
    /// Seconds of clock time by which the due moment may be overrun without
    /// harm, where the text itself allows for the clock's own inaccuracy.
    pub grace_seconds: i64,
    /// An instant field of the starting fact the limit counts from.
    pub from_field: Option<String>,
    /// What a second start does while a run is open.
    pub repeat: Repeat,
    /// What lifts the limit.
    pub waived_by: Vec<Waiver>,
    /// What takes the duty away.
    pub cancelled_by: Vec<Pattern>,
    /// What stops the time.
    pub pause: Vec<Pattern>,
    /// What lets it run again.
    pub resume: Vec<Pattern>,
    /// What a condition that begins to hold while a run is open does to it.
    pub on_change: OnChange,
    /// Warnings and escalations.
    pub steps: Steps,
}

/// An expected fact, perhaps not before a moment.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The fact.
    pub pattern: Pattern,
    /// How long after the start it may come at the earliest.
    pub not_before: Option<Limit>,
}

/// A fact that lifts the limit.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The fact.
    pub pattern: Pattern,
    /// It only lifts the limit if this instant field lies after the due moment.
    pub beyond_due: Option<String>,
}

/// What a second start does while a run is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: the first run goes on.
    Keep,
    /// A new run takes the place of the open one.
    Restart,
    /// Every start has a run of its own.
    Each,
}

/// What a condition that begins to hold while a run is open does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// The limit counts from the original start.
    Recompute,
    /// Only time in which the condition held counts.
    Forward,
    /// The limit counts from the moment the condition began to hold.
    Reset,
}

impl Within {
    /// Whether it has no limit and only measures.
    pub const fn is_measure(&self) -> bool {
        self.limits.is_empty()
    }

    /// Lets one fact work on the runs of this clause.
    pub(crate) fn touch(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>) {
        let record = scene.record;
        let at = record.happened_at();
        for run in runs.iter_mut().filter(|run| run.is_open() || run.undecided) {
            if !scene.concerns(run) {
                continue;
            }
            if run.undecided {
                self.decide(run, scene);
                continue;
            }
            run.settle(at);
            self.change(run, scene, at);
            self.stop(run, scene, at);
            run.undecided = !run.is_open() && !run.applies && scene.leaves_unknown(run);
        }
        if self.after.iter().any(|pattern| pattern.matches(record)) {
            self.start(runs, scene);
        }
    }

    /// The named calendar a run is counted in, once this fact is known.
    fn calendar_name(&self, run: &Run, scene: &ClockScene<'_>) -> Option<String> {
        let test = self.calendar_by.as_ref()?;
        scene
            .of(run)
            .and_then(|scene| test.value(&scene))
            .and_then(|value| match value {
                Scalar::Word(name) => Some(name),
                Scalar::Int(_) | Scalar::Flag(_) => None,
            })
    }

    /// What the condition of a run that is over asks may be recorded only now:
    /// whoever is told late of what applied must not gain by it. Not what is
    /// recorded after the stream was opened again: that is another matter.
    fn decide(&self, run: &mut Run, scene: &ClockScene<'_>) {
        run.undecided = !scene.reopened_since(run) && scene.leaves_unknown(run);
        let counts = self.on_change == OnChange::Recompute && !scene.reopened_since(run);
        if run.undecided || !counts || !scene.holds(run) {
            return;
        }
        run.applies = true;
        run.ever_applied = true;
        let ended_at = run.ended_by().map(|record| record.happened_at());
        run.missed = run
            .due
            .zip(ended_at)
            .is_some_and(|(due, ended_at)| due < ended_at);
    }

    /// The condition may hold now, or no longer; the place may be another.
    fn change(&self, run: &mut Run, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let calendar = self.calendar_name(run, scene);
        if calendar != run.calendar && !run.missed {
            run.calendar = calendar;
            self.compute_due(run, scene.calendars);
        }
        let applies = scene.holds(run);
        if applies == run.applies {
            return;
        }
        run.applies = applies;
        run.ever_applied |= applies;
        match (self.on_change, applies) {
            (OnChange::Reset, true) if !run.missed => {
                run.from = at;
                // A pause that lasts goes on; what was paused before is past.
                run.pauses.retain(|pause| pause.to.is_none());
                for pause in &mut run.pauses {
                    pause.from = at;
                }
                self.compute_due(run, scene.calendars);
            }
            (OnChange::Forward, _) => self.balance(run, scene.record, at, scene.calendars),
            (OnChange::Recompute | OnChange::Reset, _) => {}
        }
        // A limit that had passed before the condition became known was missed.
        run.settle(at);
    }

    fn stop(&self, run: &mut Run, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let record = scene.record;
        if self
            .cancelled_by
            .iter()
            .any(|pattern| pattern.matches(record))
        {
            run.end = Some(End::Cancelled(Arc::clone(record)));
            return;
        }
        if !run.missed
            && self
                .waived_by
                .iter()
                .any(|waiver| waiver.lifts(record, run))
        {
            run.end = Some(End::Waived(Arc::clone(record)));
            return;
        }
        if let Some(index) = self.expect.iter().position(|e| e.pattern.matches(record)) {
            self.answer(run, index, scene, at);
        }
        if !run.is_open() {
            return;
        }
        if self.resume.iter().any(|pattern| pattern.matches(record)) {
            run.stopped = false;
        }
        if self.pause.iter().any(|pattern| pattern.matches(record)) {
            run.stopped = true;
        }
        self.balance(run, record, at, scene.calendars);
    }

    /// Lets the time of a run stand or go on, as pauses and condition have it.
    fn balance(
        &self,
        run: &mut Run,
        record: &Arc<Record>,
        at: DateTime<Utc>,
        calendars: Calendars<'_>,
    ) {
        if run.missed {
            return;
        }
        let stands = run.stopped || (self.on_change == OnChange::Forward && !run.applies);
        if stands && !run.is_paused() {
            run.pauses.push(Pause {
                by: Arc::clone(record),
                from: at,
                to: None,
            });
            run.due = None;
        } else if !stands
            && let Some(pause) = run.pauses.last_mut().filter(|pause| pause.to.is_none())
        {
            pause.to = Some(at);
            self.compute_due(run, calendars);
        }
    }

    fn answer(&self, run: &mut Run, index: usize, scene: &ClockScene<'_>, at: DateTime<Utc>) {
        let record = scene.record;
        let early = self
            .expect
            .get(index)
            .and_then(|e| e.not_before)
            .is_some_and(|limit| {
                limit.after(run.from, scene.calendar).is_ok_and(|earliest| {
                    Limit::Clock(self.grace_seconds)
                        .after(at, scene.calendar)
                        .is_ok_and(|at| at < earliest)
                })
            });
        if early {
            run.end = Some(End::Early(Arc::clone(record)));
            return;
        }
        if self.all {
            let came =
                |e: &Expected, run: &Run| run.partly.iter().any(|part| e.pattern.matches(part));
            // One fact may be several of the expected ones.
            let new = self
                .expect
                .iter()
                .any(|e| e.pattern.matches(record) && !came(e, run));
            if new {
                run.partly.push(Arc::clone(record));
            }
            let complete = self.expect.iter().all(|e| came(e, run));
            if !complete {
                return;
            }
        }
        run.end = Some(End::Answered(Arc::clone(record)));
    }

    fn start(&self, runs: &mut Vec<Run>, scene: &ClockScene<'_>) {
        let record = scene.record;
        // What the start itself rules out is no start: it must not keep another
        // from starting, nor take its place.
        if !record
            .fact()
            .is_some_and(|fact| scene.when.left_open_by(fact))
        {
            return;
        }
        let key = scene.key().map(str::to_owned);
        let open = runs
            .iter_mut()
            .filter(|run| run.is_open() && run.key == key);
        match self.repeat {
            Repeat::Keep => {
                // The run the same fact has just answered is over by now.
                if open.count() > 0 {
                    return;
                }
            }
            Repeat::Restart => {
                for run in open {
                    run.end = Some(End::Superseded(Arc::clone(record)));
                    run.undecided = !run.applies && scene.leaves_unknown(run);
                }
            }
            Repeat::Each => {}
        }
        let from = self.anchor(record);
        let mut run = Run::starting(record, key, from, false);
        run.applies = scene.holds(&run);
        run.ever_applied = run.applies;
        run.calendar = self.calendar_name(&run, scene);
        self.compute_due(&mut run, scene.calendars);
        self.balance(&mut run, record, from, scene.calendars);
        runs.push(run);
    }

    /// The moment a run started by `record` counts from.
    fn anchor(&self, record: &Record) -> DateTime<Utc> {
        let told = self
            .from_field
            .as_ref()
            .and_then(|name| match record.fact()?.get(name)? {
                Value::Instant(at) => Some(at.to_utc()),
                Value::Int(_)
                | Value::Flag(_)
                | Value::Word(_)
                | Value::Words(_)
                | Value::Date(_)
                | Value::Personal(_) => None,
            });
        told.unwrap_or_else(|| record.happened_at())
    }

    /// Works out the due moment anew from start, pauses and bounds.
    fn compute_due(&self, run: &mut Run, calendars: Calendars<'_>) {
        run.due = None;
        run.trouble = None;
        run.unannounced = None;
        if run.is_paused() {
            return;
        }
        for bound in &self.limits {
            match self.due_of(bound, run, calendars) {
                Ok(due) if run.due.is_none_or(|sooner| due < sooner) => {
                    run.due = Some(due);
                    run.unannounced = bound.unannounced(run, due, calendars);
                }
                Ok(_) => {}
                Err(error) => run.trouble = Some(error.to_string()),
            }
        }
        if let Some(year) = run.unannounced
            && calendars.unannounced == Unannounced::Refuse
        {
            run.due = None;
            run.trouble = Some(format!(
                "the holidays of {year} are not announced, and the manual gives no moment that rests on a guess"
            ));
        }
    }

    /// The due moment one bound of the clause gives a run.
    pub(crate) fn due_of(
        &self,
        bound: &Bound,
        run: &Run,
        calendars: Calendars<'_>,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let calendar = bound.calendar_of(run, calendars);
        Limit::Clock(self.grace_seconds).after(bound.due(run, calendars)?, calendar)
    }

    /// The types of fact that may change a run.
    pub fn reads(&self) -> Vec<FactType> {
        self.after
            .iter()
            .chain(self.expect.iter().map(|e| &e.pattern))
            .chain(self.waived_by.iter().map(|w| &w.pattern))
            .chain(&self.cancelled_by)
            .chain(&self.pause)
            .chain(&self.resume)
            .map(|pattern| pattern.fact)
            .chain(self.calendar_by.iter().flat_map(Test::reads))
            .collect()
    }

    /// The expected facts, as a person reads them.
    pub fn describe_expected(&self) -> String {
        let patterns: Vec<Pattern> = self.expect.iter().map(|e| e.pattern.clone()).collect();
        if self.all {
            describe_all(&patterns)
        } else {
            describe_any(&patterns)
        }
    }

    /// The limits, as a person reads them.
    pub fn describe_limit(&self) -> String {
        let limits: Vec<String> = self.limits.iter().map(ToString::to_string).collect();
        limits.join(" or, if sooner, ")
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "after {}: {}",
            describe_any(&self.after),
            self.describe_expected()
        );
        for expected in &self.expect {
            if let Some(limit) = expected.not_before {
                text.push_str(&format!(
                    " ({} not before {limit})",
                    expected.pattern.describe()
                ));
            }
        }
        if self.is_measure() {
            text.push_str(", measured: the text gives no number");
        } else {
            text.push_str(&format!(" within {}", self.describe_limit()));
        }
        if let Some(field) = &self.from_field {
            text.push_str(&format!(" of `{field}`"));
        }
        if let Some(test) = &self.calendar_by {
            text.push_str(&format!(", by the calendar that `{}` names", test.name));
        }
        text
    }

    /// What can happen to a run on the way, as a person reads it.
    pub(crate) fn describe_rest(&self) -> String {
        let mut text = String::new();
        if !self.waived_by.is_empty() {
            let waivers: Vec<String> = self.waived_by.iter().map(Waiver::describe).collect();
            text.push_str(&format!("; lifted by {}", waivers.join(" or ")));
        }
        if !self.pause.is_empty() {
            text.push_str(&format!(
                "; stopped by {}, going on with {}",
                describe_any(&self.pause),
                describe_any(&self.resume)
            ));
        }
        if !self.cancelled_by.is_empty() {
            text.push_str(&format!("; ended by {}", describe_any(&self.cancelled_by)));
        }
        let steps = self.steps.describe();
        if !steps.is_empty() {
            text.push_str("; ");
            text.push_str(&steps);
        }
        text
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        after: Vec<Pattern>,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let any = table.take("expect");
        let every = table.take("expect_all");
        let (node, all) = match (any, every) {
            (Some(node), None) => (node, false),
            (None, Some(node)) => (node, true),
            (Some(node), Some(_)) => {
                return Err(node.place.complain(
                    None,
                    "`expect` and `expect_all` stand in one clause",
                    "write two clauses",
                ));
            }
            (None, None) => {
                return Err(table.place.complain(
                    None,
                    "nothing is expected",
                    "write expect = [\"result_told\"]",
                ));
            }
        };
        let expect = node
            .some_items()?
            .iter()
            .map(|item| {
                let pattern = Pattern::read(item, reading, &["not_before"])?;
                let not_before = item.get("not_before").map(Limit::read).transpose()?;
                Ok(Expected {
                    pattern,
                    not_before,
                })
            })
            .collect::<Result<Vec<_>, Complaint>>()?;
        let limits = match table.take("within") {
            None => Vec::new(),
            Some(node) => node
                .some_items()?
                .iter()
                .map(|item| Bound::read(item, reading))
                .collect::<Result<Vec<_>, _>>()?,
        };
        let facts: Vec<FactType> = after.iter().map(|pattern| pattern.fact).collect();
        let calendar_by = match table.take("calendar_by") {
            None => None,
            Some(node) => Some(read_name(node, &facts, reading)?),
        };
        let grace_seconds = match table.take("grace") {
            None => 0,
            Some(node) => match Limit::read(node)? {
                Limit::Clock(seconds) => seconds,
                _ => {
                    return Err(node.place.complain(
                        None,
                        "a grace is clock time",
                        "write e.g. \"5 clock minutes\"",
                    ));
                }
            },
        };
        let from_field = match table.take("from") {
            None => None,
            Some(node) => {
                let name = node.text()?;
                for pattern in &after {
                    if reading.field(pattern.fact, name, &node.place)? != FieldType::Instant {
                        return Err(node.place.complain(
                            None,
                            format!("`{name}` of `{}` is no moment", pattern.fact),
                            "count from a field that holds a moment",
                        ));
                    }
                }
                Some(name.to_owned())
            }
        };
        if from_field.is_none()
            && let Some(bound) = limits.iter().find(|bound| bound.before)
        {
            return Err(table.place.complain(
                None,
                format!("`{bound}`: before what? The clock starts with a fact that has happened"),
                "count from a field of the fact that holds a later moment: from = \"…\"",
            ));
        }
        let repeat = table.demand("repeat", "\"keep\" (or \"restart\", or \"each\")")?;
        let repeat = match repeat.text()? {
            "keep" => Repeat::Keep,
            "restart" => Repeat::Restart,
            "each" => Repeat::Each,
            other => {
                return Err(repeat.place.complain(
                    None,
                    format!("`{other}` says nothing about a second start"),
                    "write keep (the first run goes on), restart (a new run takes its place) or each (one run per start)",
                ));
            }
        };
        let on_change = match table.take("on_change") {
            None => OnChange::Recompute,
            Some(node) => match node.text()? {
                "recompute" => OnChange::Recompute,
                "forward" => OnChange::Forward,
                "reset" => OnChange::Reset,
                other => {
                    return Err(node.place.complain(
                        None,
                        format!("`{other}` is no way to treat a change"),
                        "write recompute, forward or reset",
                    ));
                }
            },
        };
        let waived_by = match table.take("waived_by") {
            None => Vec::new(),
            Some(node) => node
                .items()
                .iter()
                .map(|item| Waiver::read(item, reading))
                .collect::<Result<_, _>>()?,
        };
        let mut patterns = |name: &'static str| match table.take(name) {
            None => Ok(Vec::new()),
            Some(node) => Pattern::read_all(node, reading, &[]),
        };
        let cancelled_by = patterns("cancelled_by")?;
        let pause = patterns("pause")?;
        let resume = patterns("resume")?;
        if pause.is_empty() != resume.is_empty() {
            return Err(table.place.complain(
                None,
                "`pause` and `resume` belong together: a time that stops must be able to go on",
                "write both, or neither",
            ));
        }
        let steps = Steps::read(table, reading, &limits)?;
        Ok(Self {
            after,
            expect,
            all,
            limits,
            calendar_by,
            grace_seconds,
            from_field,
            repeat,
            waived_by,
            cancelled_by,
            pause,
            resume,
            on_change,
            steps,
        })
    }
}

impl Waiver {
    fn lifts(&self, record: &Record, run: &Run) -> bool {
        if !self.pattern.matches(record) {
            return false;
        }
        let Some(name) = &self.beyond_due else {
            return true;
        };
        match (record.fact().and_then(|fact| fact.get(name)), run.due) {
            (Some(Value::Instant(at)), Some(due)) => at.to_utc() > due,
            _ => false,
        }
    }

    fn describe(&self) -> String {
        match &self.beyond_due {
            Some(name) => format!(
                "{} whose `{name}` is later than the limit",
                self.pattern.describe()
            ),
            None => self.pattern.describe(),
        }
    }

    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Self, Complaint> {
        let pattern = Pattern::read(node, reading, &["beyond_due"])?;
        let beyond_due = match node.get("beyond_due") {
            None => None,
            Some(field) => {
                let name = field.text()?;
                if reading.field(pattern.fact, name, &field.place)? != FieldType::Instant {
                    return Err(field.place.complain(
                        None,
                        format!("`{name}` of `{}` is no moment", pattern.fact),
                        "name a field that holds a moment",
                    ));
                }
                Some(name.to_owned())
            }
        };
        Ok(Self {
            pattern,
            beyond_due,
        })
    }
}
