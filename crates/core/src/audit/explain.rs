//! Explanations: the reasoning behind a verdict in steps a person can check by
//! hand, with the sum of the working time.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::audit::observable::Observable;
use crate::audit::run_verdict;
use crate::audit::sum::{limit_steps, show};
use crate::audit::verdict::Verdict;
use crate::audit::verdicts::verdicts_of;
use crate::forms::limit::describe_seconds;
use crate::forms::run::{End, Run};
use crate::forms::{Clause, Form};
use crate::judge::{Case, rolled};
use crate::record::Record;
use crate::rulebook::Rule;
use crate::vocabulary::bookkeeping::FactRetracted;

/// Why a rule says what it says about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rule.
    pub rule: String,
    /// Its sentence.
    pub says: String,
    /// Manual, section and quote.
    pub source: String,
    /// What the manual chose, and why.
    pub choices: Vec<String>,
    /// The steps, one line each.
    pub steps: Vec<String>,
    /// The verdicts the steps lead to.
    pub verdicts: Vec<Verdict>,
}

/// The reasoning behind a rule's verdicts on a case at a moment; `None` if the
/// manual has no such rule.
pub fn explain(case: &Case, rule: &str, now: DateTime<Utc>) -> Option<Explanation> {
    let rulebook = case.rulebook();
    let found = rulebook.rule(rule)?;
    let verdicts = verdicts_of(case, now, &Observable::default(), Some(rule));
    let source = found
        .sources
        .iter()
        .map(|source| {
            format!(
                "{} {}: {}",
                source.manual,
                source.section,
                source.quotes.join(" / ")
            )
        })
        .collect::<Vec<_>>()
        .join("\n");
    let mut choices: Vec<String> = found
        .choices
        .iter()
        .map(|choice| format!("{} = {}: {}", choice.name, choice.value, choice.because))
        .collect();
    choices.extend(
        found
            .changes
            .iter()
            .map(|change| format!("changed: {}: {}", change.what, change.because)),
    );
    let mut steps = vec![format!(
        "judged by the manual `{}`, rulebook {}, zone data {}",
        rulebook.name,
        rulebook.digest.short(),
        thirdring_calendar::zone_data_version()
    )];
    clock_steps(case, found, now, &mut steps);
    for verdict in verdicts.iter().filter(|verdict| is_guard(found, verdict)) {
        guard_step(case, verdict, &mut steps);
    }
    if verdicts.is_empty() {
        steps.push(match found.clauses.first() {
            Some(clause) if !found.can_break() => {
                format!("nothing can break it: {}", clause.describe())
            }
            Some(_) | None => "it speaks of another kind of stream".to_owned(),
        });
    }
    Some(Explanation {
        rule: rule.to_owned(),
        says: found.says.clone(),
        source,
        choices,
        steps,
        verdicts,
    })
}

fn is_guard(rule: &Rule, verdict: &Verdict) -> bool {
    rule.clauses
        .iter()
        .any(|clause| clause.number == verdict.clause && !clause.form.is_clock())
        || verdict.facts.is_empty()
}

fn zone(case: &Case) -> Tz {
    case.rulebook().calendar.zone()
}

fn describe_record(record: &Record, zone: Tz) -> String {
    let what = record
        .fact()
        .map_or("notice", |fact| fact.fact_type().name());
    format!(
        "{what} by {} at {} (record {})",
        record.doer(),
        show(record.happened_at(), zone),
        record.id
    )
}

fn guard_step(case: &Case, verdict: &Verdict, steps: &mut Vec<String>) {
    let zone = zone(case);
    let Some((judged, proof)) = verdict.facts.split_first() else {
        steps.push(format!("{}: {}", verdict.kind.name(), verdict.why));
        return;
    };
    if let Some(record) = case.record(*judged) {
        steps.push(format!(
            "clause {} judges {}",
            verdict.clause,
            describe_record(record, zone)
        ));
    }
    for id in proof {
        if let Some(record) = case.record(*id) {
            let retraction = record
                .fact()
                .is_some_and(|fact| fact.fact_type() == FactRetracted::TYPE);
            let how = if retraction {
                "since then"
            } else {
                "before it"
            };
            steps.push(format!("  {how}: {}", describe_record(record, zone)));
        }
    }
    steps.push(format!("  {}: {}", verdict.kind.name(), verdict.why));
}

fn clock_steps(case: &Case, rule: &Rule, now: DateTime<Utc>, steps: &mut Vec<String>) {
    let clocks = case.rulebook().clocks().enumerate();
    for (place, (_, clause)) in clocks.filter(|(_, (owner, _))| owner.id == rule.id) {
        for run in &*rolled(case, place, clause, now) {
            let begun = match &clause.form {
                Form::Every(_) => run.from,
                _ => run.started_by.happened_at(),
            };
            if begun > now {
                continue;
            }
            run_steps(case, rule, clause, run, now, steps);
        }
    }
}

fn run_steps(
    case: &Case,
    rule: &Rule,
    clause: &Clause,
    run: &Run,
    now: DateTime<Utc>,
    steps: &mut Vec<String>,
) {
    let zone = zone(case);
    let key = run
        .key
        .as_ref()
        .map(|key| format!(" for {key}"))
        .unwrap_or_default();
    steps.push(format!(
        "clause {}{key}: started by {}",
        clause.number,
        describe_record(&run.started_by, zone)
    ));
    if run.from != run.started_by.happened_at() {
        steps.push(format!("  it counts from {}", show(run.from, zone)));
    }
    if !run.ever_applied {
        steps.push("  its condition does not hold: not applicable".to_owned());
        return;
    }
    if !run.applies {
        steps.push("  its condition no longer holds".to_owned());
    }
    for pause in &run.pauses {
        let until = pause.to.map_or_else(
            || "still".to_owned(),
            |to| format!("until {}", show(to, zone)),
        );
        let what = pause
            .by
            .fact()
            .map_or("notice", |fact| fact.fact_type().name());
        steps.push(format!(
            "  paused by {what} from {} {until}",
            show(pause.from, zone)
        ));
    }
    if let Form::Within(within) = &clause.form {
        for bound in &within.limits {
            limit_steps(within, bound, run, case.rulebook().calendars(), steps);
        }
    }
    if let Some(due) = run.due {
        steps.push(format!(
            "  due at {} (that moment is still in time)",
            show(due, zone)
        ));
        if let Some(year) = run.unannounced {
            steps.push(format!(
                "  careful: the holidays of {year} are not announced in this calendar; the due moment may move"
            ));
        }
    }
    if let Some(trouble) = &run.trouble {
        steps.push(format!("  no due moment: {trouble}"));
    }
    steps.push(match &run.end {
        Some(End::Answered(record)) => format!("  answered by {}", describe_record(record, zone)),
        Some(End::Early(record)) => {
            format!("  answered too early by {}", describe_record(record, zone))
        }
        Some(End::Waived(record)) => format!("  waived by {}", describe_record(record, zone)),
        Some(End::Cancelled(record)) => format!("  ended by {}", describe_record(record, zone)),
        Some(End::Superseded(record)) => {
            format!("  started anew by {}", describe_record(record, zone))
        }
        Some(End::Lapsed) => "  the period passed without it".to_owned(),
        None => format!("  still open at {}", show(now, zone)),
    });
    match run_verdict::kind_of(case, rule, clause, run, now) {
        Some(kind) => {
            let verdict = run_verdict::worded(case, rule, clause, run, kind, now);
            let took = describe_seconds(verdict.seconds.unwrap_or_default());
            steps.push(format!(
                "  {}: {}; {took} by the clock",
                verdict.kind.name(),
                verdict.why
            ));
        }
        None => steps.push("  not applicable: nothing is owed any more".to_owned()),
    }
}
