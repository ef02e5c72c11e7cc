//! What every rule of a rulebook says about a case.

use chrono::{DateTime, Utc};

use crate::audit::guard_verdicts::guard_verdicts;
use crate::audit::observable::Observable;
use crate::audit::run_verdict::run_verdict;
use crate::audit::verdict::{Verdict, VerdictKind, bare};
use crate::judge::{Case, roll_clocks};
use crate::vocabulary::Process;

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
