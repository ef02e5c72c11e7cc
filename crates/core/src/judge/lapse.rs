//! What time alone does to a case.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::forms::escalation::{DatedStep, Steps};
use crate::forms::run::{End, Run};
use crate::forms::{Clause, Form};
use crate::judge::case::Case;
use crate::judge::propose::rule_lifting_run;
use crate::manual::Calendars;
use crate::record::{Notice, Step};
use crate::rulebook::Rule;
use chrono::{DateTime, Utc};

static NO_STEPS: Steps = Steps {
    warn: Vec::new(),
    escalate: Vec::new(),
};

/// When time will next make something of a case, and of which clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// The moment; a limit's own moment is still in time, so that what it
    /// brings lapses just after it.
    pub at: DateTime<Utc>,
    /// The rule.
    pub rule: Arc<str>,
    /// Which clause of it.
    pub clause: u16,
    /// The key it runs for.
    pub key: Option<String>,
    /// What happens then.
    pub step: Step,
}

/// The notices of what became true by time alone up to `now`, in the order of
/// their moments, which they carry; the moment somebody looked is not theirs.
///
/// What was announced is not announced again, so that lapsing twice is lapsing
/// once. After a long time without looking every miss is announced, but a
/// warning that helps nobody any more is not, and a rung of a ladder that is
/// told again and again only with its latest telling.
pub fn lapse(case: &Case, now: DateTime<Utc>) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    each_clock(case, |rule, clause| {
        for run in waiting(case, rule, clause, now, &lifted) {
            let (steps, percent) = steps_of(clause.clause, &run, case.rulebook().calendars());
            for step in steps.until(&run, &percent, &case.rulebook().calendar, now) {
                let notice = notice(rule, clause.clause, &run, step);
                if !case.announced().contains(&notice) {
                    notices.push(notice);
                }
            }
        }
    });
    notices.sort_by(|a, b| {
        (a.due_at, &a.rule, a.clause, &a.key).cmp(&(b.due_at, &b.rule, b.clause, &b.key))
    });
    notices
}

/// The soonest moment at which time will make something of the case that was
/// not announced yet.
pub fn next_deadline(case: &Case) -> Option<Deadline> {
    soonest(case, &lifted)
}

/// As [`next_deadline`], as if no permission lifted anything: for whoever looks
/// for clocks that run, because one that is lifted runs all the same. It is never
/// later than the next deadline.
pub fn next_deadline_unlifted(case: &Case) -> Option<Deadline> {
    soonest(case, &|_, _, _| false)
}

fn soonest(case: &Case, lifted: &Lifted) -> Option<Deadline> {
    let mut soonest: Option<Deadline> = None;
    let horizon = case
        .history()
        .records()
        .last()
        .map_or(DateTime::UNIX_EPOCH, |last| last.happened_at());
    each_clock(case, |rule, clause| {
        let next_of = |run: &Run| next_step(case, rule, clause.clause, run);
        let mut found: Vec<(DatedStep, Option<String>)> = Vec::new();
        let runs = waiting(case, rule, clause, horizon, lifted);
        found.extend(
            runs.iter()
                .filter_map(|run| Some((next_of(run)?, run.key.clone()))),
        );
        if let Form::Every(every) = &clause.clause.form {
            // What comes next may lie in a period that has not begun.
            let rolled = rolled(case, clause, horizon);
            for tail in rolled
                .iter()
                .filter(|run| run.follow.is_some() && !lifted(case, rule, run))
            {
                let waits = |run: &Run| next_of(run).is_some();
                let upcoming = every.upcoming(tail, rolled.len(), &case.rulebook().calendar, waits);
                found.extend(upcoming.and_then(|run| Some((next_of(&run)?, run.key))));
            }
        }
        for (next, key) in found {
            if soonest.as_ref().is_none_or(|known| next.at < known.at) {
                soonest = Some(Deadline {
                    at: next.at,
                    rule: Arc::clone(&rule.id),
                    clause: clause.clause.number,
                    key,
                    step: next.step,
                });
            }
        }
    });
    soonest
}

/// The next step of a run that was not announced yet.
fn next_step(case: &Case, rule: &Rule, clause: &Clause, run: &Run) -> Option<DatedStep> {
    let calendar = &case.rulebook().calendar;
    let (steps, percent) = steps_of(clause, run, case.rulebook().calendars());
    let announced = |step: &DatedStep| {
        case.announced()
            .contains(&notice(rule, clause, run, step.clone()))
    };
    let told = |rung: u16| -> BTreeSet<(u32, DateTime<Utc>)> {
        // Notices sort by rule, clause, key and start before anything else.
        let first = DatedStep {
            at: DateTime::<Utc>::MIN_UTC,
            step: Step::Escalated { rung, again: 0 },
            to: None,
        };
        case.announced()
            .range(notice(rule, clause, run, first)..)
            .take_while(|known| {
                *known.rule == *rule.id
                    && known.clause == clause.number
                    && known.key == run.key
                    && known.started_by == run.started_by.id
            })
            .map_while(|known| match known.step {
                Step::Escalated { rung: told, again } if told == rung => {
                    Some((again, known.due_at))
                }
                Step::Escalated { .. } | Step::Warned(_) | Step::Missed => None,
            })
            .collect()
    };
    steps.next(run, &percent, calendar, &announced, &told)
}

/// A clock and its place among the rulebook's clocks.
struct Clock<'a> {
    place: usize,
    clause: &'a Clause,
}

fn each_clock<'a>(case: &'a Case, mut visit: impl FnMut(&'a Rule, &Clock<'a>)) {
    for (place, (rule, clause)) in case.rulebook().clocks().enumerate() {
        visit(rule, &Clock { place, clause });
    }
}

/// The runs of a clock as they stand at a moment by time alone.
fn rolled(case: &Case, clock: &Clock<'_>, now: DateTime<Utc>) -> Vec<Run> {
    match &clock.clause.form {
        Form::Every(every) => {
            let mut runs = case.runs(clock.place).to_vec();
            every.roll_until(&mut runs, &case.rulebook().calendar, now);
            runs
        }
        _ => case
            .runs(clock.place)
            .iter()
            .filter(|run| run.is_open())
            .cloned()
            .collect(),
    }
}

/// The runs of a clock that somebody still waits for at a moment.
fn waiting(
    case: &Case,
    rule: &Rule,
    clock: &Clock<'_>,
    now: DateTime<Utc>,
    lifted: &Lifted,
) -> Vec<Run> {
    let mut runs = rolled(case, clock, now);
    runs.retain(|run| {
        // A period that passed empty is over, and was missed all the same.
        let lapsed = run.missed && matches!(run.end, Some(End::Lapsed));
        (run.is_open() || lapsed) && run.applies && !lifted(case, rule, run)
    });
    runs
}

/// Whether nobody waits for a run of a rule.
type Lifted = dyn Fn(&Case, &Rule, &Run) -> bool;

fn lifted(case: &Case, rule: &Rule, run: &Run) -> bool {
    rule_lifting_run(case, rule, run).is_some()
}

fn steps_of<'a>(
    clause: &'a Clause,
    run: &'a Run,
    calendars: Calendars<'a>,
) -> (&'a Steps, impl Fn(u32) -> Option<DateTime<Utc>> + 'a) {
    let within = match &clause.form {
        Form::Within(within) => Some(within),
        _ => None,
    };
    let percent = move |hundredths: u32| {
        let within = within?;
        within
            .limits
            .iter()
            .filter_map(|bound| bound.part(hundredths, run, calendars))
            .min()
    };
    (within.map_or(&NO_STEPS, |within| &within.steps), percent)
}

fn notice(rule: &Rule, clause: &Clause, run: &Run, step: DatedStep) -> Notice {
    Notice {
        rule: rule.id.to_string(),
        clause: clause.number,
        key: run.key.clone(),
        started_by: run.started_by.id,
        step: step.step,
        due_at: step.at,
        to: step.to,
    }
}
