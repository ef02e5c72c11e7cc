//! What a run of a clock says.

use std::borrow::Cow;

use chrono::{DateTime, TimeDelta, Utc};

use crate::audit::verdict::{Verdict, VerdictKind, bare};
use crate::forms::limit::describe_seconds;
use crate::forms::run::{End, Run};
use crate::forms::{Clause, Form};
use crate::judge::{Case, rule_lifting_run};
use crate::record::Record;
use crate::rulebook::Rule;

/// What kind of verdict a run of a clock makes; none where its condition never
/// held, or somebody took the duty away in time.
pub(super) fn kind_of(
    case: &Case,
    rule: &Rule,
    clause: &Clause,
    run: &Run,
    now: DateTime<Utc>,
) -> Option<VerdictKind> {
    if !run.ever_applied || (!run.applies && !run.missed) {
        return None;
    }
    // A run or a period that has not begun by now is not there yet.
    let begun = match &clause.form {
        Form::Every(_) => run.from,
        _ => run.started_by.happened_at(),
    };
    if begun > now && run.from > now {
        return None;
    }
    let broken = || match rule_lifting_run(case, rule, run) {
        Some(_) => VerdictKind::Lifted,
        None => VerdictKind::Broken,
    };
    Some(match &run.end {
        Some(End::Early(_) | End::Lapsed) => broken(),
        Some(_) | None if run.missed => broken(),
        Some(End::Answered(_)) if is_measured(clause) => VerdictKind::Measured,
        Some(End::Answered(_)) => VerdictKind::Kept,
        Some(End::Waived(_)) => VerdictKind::Waived,
        Some(End::Cancelled(_) | End::Superseded(_)) => return None,
        None => VerdictKind::Pending,
    })
}

fn is_measured(clause: &Clause) -> bool {
    clause.form.kind() == "measured"
}

/// What a run of a clock says, in words.
pub(super) fn worded(
    case: &Case,
    rule: &Rule,
    clause: &Clause,
    run: &Run,
    kind: VerdictKind,
    now: DateTime<Utc>,
) -> Verdict {
    let ended_at = run.ended_by().map(|record| record.happened_at());
    let seconds = (ended_at.unwrap_or(now) - run.from).num_seconds();
    let lifted = rule_lifting_run(case, rule, run).filter(|_| kind == VerdictKind::Lifted);
    let why = match lifted {
        Some(permission) => format!("lifted by {}", permission.id).into(),
        None => why(clause, run, now, seconds),
    };
    let mut facts = vec![run.started_by.id];
    facts.extend(run.partly.iter().map(|record| record.id));
    facts.extend(run.ended_by().map(|record| record.id));
    facts.dedup();
    Verdict {
        key: run.key.clone(),
        due: run.due,
        at: ended_at,
        facts,
        seconds: Some(seconds),
        ..bare(case, rule, clause.number, kind, why)
    }
}

/// The reason for what a run says, `seconds` after it began to count.
fn why(clause: &Clause, run: &Run, now: DateTime<Utc>, seconds: i64) -> Cow<'static, str> {
    let measured = is_measured(clause);
    let late = |at: DateTime<Utc>| match run.due {
        Some(due) if at > due => format!(", {} late", describe_exact(at - due)),
        Some(_) | None => String::new(),
    };
    let why: Cow<'static, str> = match &run.end {
        Some(End::Answered(record)) if run.missed => {
            format!("{} came{}", fact_name(record), late(record.happened_at())).into()
        }
        Some(End::Answered(record)) if measured => format!(
            "{} came after {}",
            fact_name(record),
            describe_seconds(seconds)
        )
        .into(),
        // A time that counts from a moment to come may be met before it begins.
        Some(End::Answered(record)) if seconds < 0 => format!(
            "{} came {} before its time began, in time",
            fact_name(record),
            describe_seconds(-seconds)
        )
        .into(),
        Some(End::Answered(record)) => format!(
            "{} came after {}, in time",
            fact_name(record),
            describe_seconds(seconds)
        )
        .into(),
        Some(End::Early(record)) => format!(
            "{} came after {}, too early",
            fact_name(record),
            describe_seconds(seconds)
        )
        .into(),
        Some(End::Lapsed) => "the period passed without it".into(),
        Some(End::Waived(record)) if !run.missed => {
            format!("waived by {}", fact_name(record)).into()
        }
        Some(End::Cancelled(record) | End::Superseded(record) | End::Waived(record)) => {
            format!("it had not come when {} ended the wait", fact_name(record)).into()
        }
        // The present has no meaning to the part of a second.
        None if run.missed => {
            format!("it has not come{}", late(whole_second_after(run.due, now))).into()
        }
        None => pending_why(run, measured, seconds),
    };
    match run.unannounced {
        Some(year) if run.due.is_some() => {
            format!("{why} (the holidays of {year} are not announced: the due moment may move)")
                .into()
        }
        Some(_) | None => why,
    }
}

fn pending_why(run: &Run, measured: bool, seconds: i64) -> Cow<'static, str> {
    match (&run.trouble, run.due) {
        (Some(trouble), _) => format!("the calendar has no due moment: {trouble}").into(),
        (None, Some(_)) => "it is running".into(),
        (None, None) if run.is_paused() => "it is paused".into(),
        (None, None) if measured => format!("not yet, after {}", describe_seconds(seconds)).into(),
        (None, None) => "it is running".into(),
    }
}

fn fact_name(record: &Record) -> &'static str {
    record
        .fact()
        .map_or("a notice", |fact| fact.fact_type().name())
}

/// A moment so many whole seconds after another, or as it is within the first.
fn whole_second_after(due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    match due {
        Some(due) if (now - due).num_seconds() > 0 => {
            due + TimeDelta::seconds((now - due).num_seconds())
        }
        Some(_) | None => now,
    }
}

/// A lateness, exact: parts of a second are not cut.
fn describe_exact(span: TimeDelta) -> String {
    let nanos = span.subsec_nanos();
    let whole = describe_seconds(span.num_seconds());
    match (nanos, span.num_seconds()) {
        (0, _) => whole,
        (nanos, 0) => format!("{} ms", millis(nanos)),
        (nanos, _) => format!("{whole} {} ms", millis(nanos)),
    }
}

fn millis(nanos: i32) -> String {
    let (millis, rest) = (nanos / 1_000_000, nanos % 1_000_000);
    if rest == 0 {
        millis.to_string()
    } else {
        format!("{millis}.{rest:06}")
    }
}
