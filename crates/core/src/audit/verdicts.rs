//! What every rule of a rulebook says about a case.

use chrono::{DateTime, Utc};

use crate::audit::finding::{Basis, Finding};
use crate::audit::observable::Observable;
use crate::audit::verdict::{Verdict, VerdictKind};
use crate::audit::{guard_verdict, run_verdict};
use crate::forms::Clause;
use crate::judge::{Case, rolled};
use crate::rulebook::Rule;
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
    // Most rules say one thing of a case.
    let rules = only.map_or(case.rulebook().rules.len(), |_| 1);
    let mut verdicts = Vec::with_capacity(rules);
    each(case, now, observable, only, &mut |finding| {
        verdicts.push(finding.verdict());
    });
    verdicts
}

/// As [`verdicts`], one by one and not yet in words: for whoever looks at many
/// cases and wants the words of few.
pub fn each_finding(case: &Case, now: DateTime<Utc>, mut visit: impl FnMut(&Finding<'_>)) {
    each(case, now, &Observable::default(), None, &mut visit);
}

fn each(
    case: &Case,
    now: DateTime<Utc>,
    observable: &Observable,
    only: Option<&str>,
    visit: &mut impl FnMut(&Finding<'_>),
) {
    let judging = Judging {
        case,
        now,
        observable,
        process: case.stream().process(),
    };
    let mut clocks = 0;
    for rule in &case.rulebook().rules {
        if only.is_none_or(|only| only == &*rule.id) {
            judging.rule(rule, clocks, visit);
        }
        clocks += rule
            .clauses
            .iter()
            .filter(|clause| clause.form.is_clock())
            .count();
    }
}

/// One case, judged at a moment by what a log shows.
struct Judging<'a> {
    case: &'a Case,
    now: DateTime<Utc>,
    observable: &'a Observable,
    process: Process,
}

impl Judging<'_> {
    /// Everything one rule says. `clock` is the place of its first clock among
    /// the rulebook's.
    fn rule(&self, rule: &Rule, mut clock: usize, visit: &mut impl FnMut(&Finding<'_>)) {
        let mut blind = None;
        let mut judgeable = false;
        let mut silent = true;
        let mut say = |kind: VerdictKind, basis: Basis<'_>| {
            silent = false;
            let case = self.case;
            visit(&Finding {
                case,
                rule,
                kind,
                basis,
            });
        };
        for clause in &rule.clauses {
            let place = clock;
            clock += usize::from(clause.form.is_clock());
            if !(clause.form.is_guard() || clause.form.is_clock()) || !self.at_home(clause) {
                continue;
            }
            judgeable = true;
            if let Some(why) = self.observable.blind_spot(clause) {
                blind.get_or_insert((clause.number, why));
            } else if clause.form.is_guard() {
                self.guard(rule, clause, &mut say);
            } else {
                self.clock(rule, clause, place, &mut say);
            }
        }
        if let Some((clause, why)) = blind {
            say(VerdictKind::Unobservable, Basis::Blind { clause, why });
        }
        if judgeable && silent {
            visit(&Finding {
                case: self.case,
                rule,
                kind: VerdictKind::NotApplicable,
                basis: Basis::Silence,
            });
        }
    }

    fn guard(&self, rule: &Rule, clause: &Clause, say: &mut impl FnMut(VerdictKind, Basis<'_>)) {
        let history = self.case.history();
        let mut judge = |position| {
            if let Some((record, kind, ruling)) =
                guard_verdict::judged(self.case, rule, clause, position)
            {
                let basis = Basis::Fact {
                    clause,
                    record,
                    ruling,
                };
                say(kind, basis);
            }
        };
        if let [fact] = clause.facts.as_slice() {
            history.positions(*fact).iter().copied().for_each(judge);
            return;
        }
        let mut positions: Vec<usize> = clause
            .facts
            .iter()
            .flat_map(|fact| history.positions(*fact))
            .copied()
            .collect();
        positions.sort_unstable();
        positions.into_iter().for_each(&mut judge);
    }

    fn clock(
        &self,
        rule: &Rule,
        clause: &Clause,
        place: usize,
        say: &mut impl FnMut(VerdictKind, Basis<'_>),
    ) {
        let now = self.now;
        for run in &*rolled(self.case, place, clause, now) {
            if let Some(kind) = run_verdict::kind_of(self.case, rule, clause, run, now) {
                say(kind, Basis::Run { clause, run, now });
            }
        }
    }

    /// Whether a clause speaks of facts such a stream may hold.
    fn at_home(&self, clause: &Clause) -> bool {
        clause
            .facts
            .iter()
            .any(|fact| [self.process, Process::Any].contains(&fact.spec().process))
    }
}
