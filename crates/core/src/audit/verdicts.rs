//! What every rule of a rulebook says about a case.

use chrono::{DateTime, Utc};

use crate::audit::guard_verdicts::guard_verdicts;
use crate::audit::observable::Observable;
use crate::audit::run_verdict::run_verdict;
use crate::audit::verdict::{Verdict, VerdictKind, bare};
use crate::forms::Clause;
use crate::judge::{Case, rolled};
use crate::rulebook::Rule;
use crate::vocabulary::Process;

/// What every rule of the case's rulebook says about it at a moment.
pub fn verdicts(case: &Case, now: DateTime<Utc>) -> Vec<Verdict> {
    verdicts_of(case, now, &Observable::default(), None)
}

/// As [`verdicts`], without the rules that nothing happened for: what a replay
/// of many cases counts.
pub fn findings(case: &Case, now: DateTime<Utc>) -> Vec<Verdict> {
    let observable = Observable::default();
    let mut said = Vec::new();
    let mut clocks = 0;
    for rule in &case.rulebook().rules {
        judge_rule(case, rule, now, &observable, &mut clocks, &mut said);
    }
    said
}

/// As [`verdicts`], for a log that shows only part of what happened, and for
/// one rule only where `only` names it.
pub fn verdicts_of(
    case: &Case,
    now: DateTime<Utc>,
    observable: &Observable,
    only: Option<&str>,
) -> Vec<Verdict> {
    let rules = &case.rulebook().rules;
    // Most rules say one thing of a case.
    let mut said = Vec::with_capacity(only.map_or(rules.len(), |_| 1));
    let mut clocks = 0;
    for rule in rules {
        if only.is_some_and(|only| only != &*rule.id) {
            clocks += rule
                .clauses
                .iter()
                .filter(|clause| clause.form.is_clock())
                .count();
            continue;
        }
        let before = said.len();
        let judgeable = judge_rule(case, rule, now, observable, &mut clocks, &mut said);
        if judgeable && said.len() == before {
            let why = "nothing happened that it speaks of";
            said.push(bare(case, rule, 1, VerdictKind::NotApplicable, why));
        }
    }
    said
}

/// What one rule says, and whether it has a say in such a stream at all.
/// `clocks` is the place of its first clock among the rulebook's, and is moved
/// on past its last.
fn judge_rule(
    case: &Case,
    rule: &Rule,
    now: DateTime<Utc>,
    observable: &Observable,
    clocks: &mut usize,
    said: &mut Vec<Verdict>,
) -> bool {
    let mut blind = None;
    let mut judgeable = false;
    for clause in &rule.clauses {
        let place = *clocks;
        *clocks += usize::from(clause.form.is_clock());
        if !(clause.form.is_guard() || clause.form.is_clock()) || !at_home(case, clause) {
            continue;
        }
        judgeable = true;
        if let Some(why) = observable.blind_spot(clause) {
            blind.get_or_insert((clause.number, why));
        } else if clause.form.is_guard() {
            guard_verdicts(case, rule, clause, said);
        } else {
            for run in &*rolled(case, place, clause, now) {
                said.extend(run_verdict(case, rule, clause, run, now));
            }
        }
    }
    if let Some((clause, why)) = blind {
        said.push(bare(case, rule, clause, VerdictKind::Unobservable, why));
    }
    judgeable
}

/// Whether a clause speaks of facts such a stream may hold.
fn at_home(case: &Case, clause: &Clause) -> bool {
    let process = case.stream().process();
    clause
        .facts
        .iter()
        .any(|fact| [process, Process::Any].contains(&fact.spec().process))
}
