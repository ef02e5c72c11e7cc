//! Verdicts: what a rule says about a history, with the facts that prove it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::forms::limit::describe_seconds;
use crate::forms::ruling::Ruling;
use crate::forms::run::{End, Run};
use crate::forms::{Clause, Form};
use crate::history::retraction_target;
use crate::ids::{RecordId, StreamId};
use crate::judge::{Case, lifting_rule, roll_clocks, rule_lifting_run};
use crate::record::Record;
use crate::rulebook::Rule;
use crate::scene::Scene;
use crate::vocabulary::bookkeeping::FactRetracted;
use crate::vocabulary::{Fact, FactType, Process};

/// What a rule says about a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictKind {
    /// It was kept.
    Kept,
    /// It was broken.
    Broken,
    /// It is not decided yet: a clock is running.
    Pending,
    /// A fact waived its limit.
    Waived,
    /// Another rule of the manual lifted it.
    Lifted,
    /// Nothing happened that it speaks of.
    NotApplicable,
    /// The log cannot show it.
    Unobservable,
    /// Somebody vouched for it; never counted as kept.
    Attested,
    /// The text gives no number: only how long it took.
    Measured,
}

impl VerdictKind {
    /// Every kind, in the order reports list them.
    pub const ALL: &[Self] = &[
        Self::Broken,
        Self::Pending,
        Self::Kept,
        Self::Waived,
        Self::Lifted,
        Self::Attested,
        Self::Measured,
        Self::Unobservable,
        Self::NotApplicable,
    ];

    /// The word for it in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::Pending => "pending",
            Self::Waived => "waived",
            Self::Lifted => "lifted",
            Self::NotApplicable => "not_applicable",
            Self::Unobservable => "unobservable",
            Self::Attested => "attested",
            Self::Measured => "measured",
        }
    }
}

/// What one clause of a rule says about one thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The stream.
    pub stream: StreamId,
    /// The rule.
    pub rule: Arc<str>,
    /// Which clause of it, from 1.
    pub clause: u16,
    /// The key it is about: which call, which visit.
    pub key: Option<String>,
    /// The verdict.
    pub kind: VerdictKind,
    /// When it was or is due, for clocks.
    pub due: Option<DateTime<Utc>>,
    /// When it was decided: the judged fact, or the fact that stopped the clock.
    pub at: Option<DateTime<Utc>>,
    /// The facts that prove it, the judged one first.
    pub facts: Vec<RecordId>,
    /// How long it took or takes, in seconds, for clocks.
    pub seconds: Option<i64>,
    /// The reason, in a sentence.
    pub why: String,
}

/// What a log can show. One's own log shows everything; a foreign log shows the
/// facts and fields its map yields.
#[derive(Debug, Clone, Default)]
pub struct Observable {
    /// The facts; `None` means all.
    pub facts: Option<BTreeSet<FactType>>,
    /// Fact and field; only looked at where `facts` is given.
    pub fields: BTreeSet<(FactType, String)>,
}

impl Observable {
    /// Why a clause cannot be seen in the log, if it cannot.
    fn blind_spot(&self, clause: &Clause) -> Option<String> {
        let facts = self.facts.as_ref()?;
        let unseen = |fact: &&FactType| !facts.contains(*fact);
        if let Some(fact) = clause.facts.iter().find(unseen) {
            return Some(format!("the log does not show {fact}"));
        }
        let demanded = clause.demands();
        if !demanded.is_empty() && demanded.iter().all(|fact| unseen(&fact)) {
            let names: Vec<&str> = demanded.iter().map(|fact| fact.name()).collect();
            return Some(format!("the log does not show {}", names.join(" or ")));
        }
        let Form::Carries(carries) = &clause.form else {
            return None;
        };
        carries.reads_fields().find_map(|field| {
            clause
                .facts
                .iter()
                .find(|fact| !self.fields.contains(&(**fact, field.to_owned())))
                .map(|fact| format!("the log does not show `{field}` of {fact}"))
        })
    }
}

/// What every rule of the case's rulebook says about it at a moment.
pub fn verdicts(case: &Case, now: DateTime<Utc>) -> Vec<Verdict> {
    verdicts_of(case, now, &Observable::default(), None)
}

/// As [`verdicts`], for a log that shows only part of what happened, and for
/// one rule only where `only` names it.
pub fn verdicts_of(
    case: &Case,
    now: DateTime<Utc>,
    observable: &Observable,
    only: Option<&str>,
) -> Vec<Verdict> {
    let process = case.stream().process();
    let rolled = roll_clocks(case, now);
    let mut runs = rolled.iter();
    let mut verdicts = Vec::new();
    for rule in &case.rulebook().rules {
        let mut said = Vec::new();
        let mut blind = None;
        let mut judgeable = false;
        for clause in &rule.clauses {
            let clause_runs = if clause.form.is_clock() {
                runs.next()
            } else {
                None
            };
            if only.is_some_and(|only| only != &*rule.id) {
                continue;
            }
            let at_home = clause
                .facts
                .iter()
                .any(|fact| [process, Process::Any].contains(&fact.spec().process));
            if !(clause.form.is_guard() || clause.form.is_clock()) || !at_home {
                continue;
            }
            judgeable = true;
            if let Some(why) = observable.blind_spot(clause) {
                blind.get_or_insert((clause.number, why));
                continue;
            }
            if clause.form.is_guard() {
                guard_verdicts(case, rule, clause, &mut said);
            } else if let Some(runs) = clause_runs {
                for run in runs {
                    said.extend(run_verdict(case, rule, clause, run, now));
                }
            }
        }
        if only.is_some_and(|only| only != &*rule.id) || !judgeable {
            continue;
        }
        if let Some((clause, why)) = blind {
            said.push(bare(case, rule, clause, VerdictKind::Unobservable, why));
        }
        if said.is_empty() {
            let why = "nothing happened that it speaks of".to_owned();
            said.push(bare(case, rule, 1, VerdictKind::NotApplicable, why));
        }
        verdicts.append(&mut said);
    }
    verdicts
}

fn bare(case: &Case, rule: &Rule, clause: u16, kind: VerdictKind, why: String) -> Verdict {
    Verdict {
        stream: case.stream().clone(),
        rule: Arc::clone(&rule.id),
        clause,
        key: None,
        kind,
        due: None,
        at: None,
        facts: Vec::new(),
        seconds: None,
        why,
    }
}

fn guard_verdicts(case: &Case, rule: &Rule, clause: &Clause, said: &mut Vec<Verdict>) {
    let history = case.history();
    let mut positions: Vec<usize> = clause
        .facts
        .iter()
        .flat_map(|fact| history.positions_before(*fact, history.len()))
        .collect();
    positions.sort_unstable();
    for position in positions {
        let Some(record) = history.record(position) else {
            continue;
        };
        let Some(scene) = scene_at(case, record, position) else {
            continue;
        };
        let (kind, why, proof) = match clause.judge(&scene) {
            Ruling::NotApplicable => continue,
            Ruling::Kept(proof) => {
                let why = match proof.as_slice() {
                    [] => format!("{} as it should be", scene.fact.fact_type()),
                    proof => format!("{} after {}", scene.fact.fact_type(), names(case, proof)),
                };
                (VerdictKind::Kept, why, proof)
            }
            Ruling::Attested => (
                VerdictKind::Attested,
                "somebody vouched for it".to_owned(),
                Vec::new(),
            ),
            Ruling::Broken(shortfall) => match lifting_rule(case, rule, &scene) {
                Some(permission) => (
                    VerdictKind::Lifted,
                    format!("lifted by {}", permission.id),
                    shortfall.proof,
                ),
                None => (VerdictKind::Broken, shortfall.missing, shortfall.proof),
            },
        };
        let mut facts = vec![record.id];
        facts.extend(
            proof
                .iter()
                .filter_map(|position| history.record(*position))
                .map(|r| r.id),
        );
        let why = if kind == VerdictKind::Broken {
            why + &taken_back(case, clause, record, &mut facts)
        } else {
            why
        };
        said.push(Verdict {
            key: scene.key().map(|(_, value)| value.to_owned()),
            at: Some(record.happened_at()),
            facts,
            ..bare(case, rule, clause.number, kind, why)
        });
    }
}

/// Facts that would have proved it had nobody taken them back: the audit names
/// the retractions that broke what was kept.
fn taken_back(case: &Case, clause: &Clause, judged: &Record, proof: &mut Vec<RecordId>) -> String {
    let history = case.history();
    let demanded = clause.demands();
    let mut text = String::new();
    for position in history.positions_before(FactRetracted::TYPE, history.len()) {
        let Some(retraction) = history.record(position) else {
            continue;
        };
        let target = retraction
            .fact()
            .and_then(retraction_target)
            .and_then(|id| case.record(id));
        let Some((target, fact)) = target.and_then(|target| Some((target, target.fact()?))) else {
            continue;
        };
        let key_fits = clause.same.is_none()
            || fact.spec().key.is_none()
            || fact.key() == judged.fact().and_then(Fact::key);
        if demanded.contains(&fact.fact_type())
            && key_fits
            && target.happened_at() <= judged.happened_at()
        {
            text.push_str(&format!(
                "; {} ({}) was retracted by {}",
                fact.fact_type(),
                target.id,
                retraction.id
            ));
            proof.push(retraction.id);
        }
    }
    text
}

fn names(case: &Case, positions: &[usize]) -> String {
    let names: Vec<&str> = positions
        .iter()
        .filter_map(|position| case.history().fact(*position))
        .map(|fact| fact.fact_type().name())
        .collect();
    names.join(" and ")
}

/// The scene of a fact of the history.
pub(super) fn scene_at<'a>(
    case: &'a Case,
    record: &'a Record,
    position: usize,
) -> Option<Scene<'a>> {
    Some(Scene {
        history: case.history(),
        end: position,
        fact: record.fact()?,
        doer: record.doer(),
        happened_at: record.happened_at(),
        process: case.stream().process(),
        calendar: &case.rulebook().calendar,
    })
}

/// What a run of a clock says; nothing where its condition never held.
pub(super) fn run_verdict(
    case: &Case,
    rule: &Rule,
    clause: &Clause,
    run: &Run,
    now: DateTime<Utc>,
) -> Option<Verdict> {
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
    let measured = clause.form.kind() == "measured";
    let ended_at = run.ended_by().map(|record| record.happened_at());
    let until = ended_at.unwrap_or(now);
    let seconds = (until - run.from).num_seconds();
    let late = |at: DateTime<Utc>| match run.due {
        Some(due) if at > due => format!(", {} late", describe_exact(at - due)),
        Some(_) | None => String::new(),
    };
    let (kind, why) = match &run.end {
        Some(End::Answered(record)) if run.missed => (
            VerdictKind::Broken,
            format!("{} came{}", fact_name(record), late(record.happened_at())),
        ),
        Some(End::Answered(record)) if measured => (
            VerdictKind::Measured,
            format!(
                "{} came after {}",
                fact_name(record),
                describe_seconds(seconds)
            ),
        ),
        // A time that counts from a moment to come may be met before it begins.
        Some(End::Answered(record)) if seconds < 0 => (
            VerdictKind::Kept,
            format!(
                "{} came {} before its time began, in time",
                fact_name(record),
                describe_seconds(-seconds)
            ),
        ),
        Some(End::Answered(record)) => (
            VerdictKind::Kept,
            format!(
                "{} came after {}, in time",
                fact_name(record),
                describe_seconds(seconds)
            ),
        ),
        Some(End::Early(record)) => (
            VerdictKind::Broken,
            format!(
                "{} came after {}, too early",
                fact_name(record),
                describe_seconds(seconds)
            ),
        ),
        Some(End::Lapsed) => (
            VerdictKind::Broken,
            "the period passed without it".to_owned(),
        ),
        Some(End::Cancelled(record) | End::Superseded(record) | End::Waived(record))
            if run.missed =>
        {
            (
                VerdictKind::Broken,
                format!("it had not come when {} ended the wait", fact_name(record)),
            )
        }
        Some(End::Waived(record)) => (
            VerdictKind::Waived,
            format!("waived by {}", fact_name(record)),
        ),
        Some(End::Cancelled(_) | End::Superseded(_)) => return None,
        // The present has no meaning to the part of a second.
        None if run.missed => (
            VerdictKind::Broken,
            format!("it has not come{}", late(whole_second_after(run.due, now))),
        ),
        None => (VerdictKind::Pending, pending_why(run, measured, seconds)),
    };
    let why = match run.unannounced {
        Some(year) if run.due.is_some() => {
            format!("{why} (the holidays of {year} are not announced: the due moment may move)")
        }
        Some(_) | None => why,
    };
    let mut facts = vec![run.started_by.id];
    facts.extend(run.partly.iter().map(|record| record.id));
    facts.extend(run.ended_by().map(|record| record.id));
    facts.dedup();
    let (kind, why) = if kind == VerdictKind::Broken {
        match rule_lifting_run(case, rule, run) {
            Some(permission) => (VerdictKind::Lifted, format!("lifted by {}", permission.id)),
            None => (kind, why),
        }
    } else {
        (kind, why)
    };
    Some(Verdict {
        key: run.key.clone(),
        due: run.due,
        at: ended_at,
        facts,
        seconds: Some(seconds),
        ..bare(case, rule, clause.number, kind, why)
    })
}

fn pending_why(run: &Run, measured: bool, seconds: i64) -> String {
    match (&run.trouble, run.due) {
        (Some(trouble), _) => format!("the calendar has no due moment: {trouble}"),
        (None, Some(_)) => "it is running".to_owned(),
        (None, None) if run.is_paused() => "it is paused".to_owned(),
        (None, None) if measured => format!("not yet, after {}", describe_seconds(seconds)),
        (None, None) => "it is running".to_owned(),
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
            due + chrono::TimeDelta::seconds((now - due).num_seconds())
        }
        Some(_) | None => now,
    }
}

/// A lateness, exact: parts of a second are not cut.
fn describe_exact(span: chrono::TimeDelta) -> String {
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
