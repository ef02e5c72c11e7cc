//! What time alone does to a case.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use thirdring_calendar::Calendar;

use crate::forms::escalation::{DatedStep, Steps};
use crate::forms::run::Run;
use crate::forms::{Clause, Form};
use crate::judge::case::{Case, roll_clocks};
use crate::record::{Notice, Step};
use crate::rulebook::Rule;

static NO_STEPS: Steps = Steps { warn: Vec::new(), escalate: Vec::new() };

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
/// once.
pub fn lapse(case: &Case, now: DateTime<Utc>) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    each_running(case, now, |rule, clause, run| {
        let (steps, percent) = steps_of(clause, run, &case.rulebook().calendar);
        for step in steps.until(run, &percent, &case.rulebook().calendar, now) {
            let notice = notice(rule, clause, run, step);
            if !case.announced().contains(&notice) {
                notices.push(notice);
            }
        }
    });
    notices.sort_by(|a, b| (a.due_at, &a.rule, a.clause, &a.key).cmp(&(b.due_at, &b.rule, b.clause, &b.key)));
    notices
}

/// The soonest moment at which time will make something of the case that was
/// not announced yet.
pub fn next_deadline(case: &Case) -> Option<Deadline> {
    let mut soonest: Option<Deadline> = None;
    let horizon = case.history().records().last().map_or(DateTime::UNIX_EPOCH, |last| last.happened_at());
    each_running(case, horizon, |rule, clause, run| {
        let calendar = &case.rulebook().calendar;
        let (steps, percent) = steps_of(clause, run, calendar);
        let announced = |step: &DatedStep| {
            case.announced().contains(&notice(rule, clause, run, step.clone()))
        };
        let told = |rung: u16| {
            case.announced()
                .iter()
                .filter(|known| {
                    known.rule == *rule.id
                        && known.clause == clause.number
                        && known.key == run.key
                        && known.started_by == run.started_by.id
                })
                .filter_map(|known| match known.step {
                    Step::Escalated { rung: told, again } if told == rung => Some(again),
                    Step::Escalated { .. } | Step::Warned(_) | Step::Missed => None,
                })
                .max()
        };
        if let Some(next) = steps.next(run, &percent, calendar, &announced, &told)
            && soonest.as_ref().is_none_or(|known| next.at < known.at)
        {
            soonest = Some(Deadline {
                at: next.at,
                rule: Arc::clone(&rule.id),
                clause: clause.number,
                key: run.key.clone(),
                step: next.step,
            });
        }
    });
    soonest
}

fn each_running<'a>(case: &'a Case, now: DateTime<Utc>, mut visit: impl FnMut(&'a Rule, &'a Clause, &Run)) {
    let rolled = roll_clocks(case, now);
    for ((rule, clause), runs) in case.rulebook().clocks().zip(&rolled) {
        for run in runs {
            // A period that passed empty is over, and was missed all the same.
            let lapsed = run.missed && matches!(run.end, Some(crate::forms::run::End::Lapsed));
            if (run.is_open() || lapsed) && run.applies {
                visit(rule, clause, run);
            }
        }
    }
}

fn steps_of<'a>(
    clause: &'a Clause,
    run: &'a Run,
    calendar: &'a Calendar,
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
            .filter_map(|limit| {
                let part = limit.seconds()?.checked_mul(i64::from(hundredths))? / 100;
                within.due_of(limit.with_seconds(part), run, calendar).ok()
            })
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
