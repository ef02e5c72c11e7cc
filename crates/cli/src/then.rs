//! What was known then: how a record was judged when it was recorded, and which
//! later one turned that.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use thirdring::core::audit::{Observable, verdicts_of};
use thirdring::core::forms::Form;
use thirdring::core::judge::{Earlier, Objection};
use thirdring::core::{Case, Proposal, Record, RecordId, Verdict, VerdictKind, propose};
use thirdring::facts::FactRetracted;

/// The rules a record was flagged by, given the case as it was before.
pub(crate) fn flags(before: &Case, record: &Record) -> Vec<Objection> {
    Proposal::observing(record)
        .and_then(|proposal| propose(before, proposal).ok())
        .map_or_else(Vec::new, |admission| admission.flags)
}

/// What turned a verdict: a record told afterwards, without which the rule would
/// not be broken.
#[derive(Debug, Clone)]
pub(crate) struct Turned {
    /// The record.
    pub(crate) by: Arc<Record>,
    /// What was said of the same thing before it.
    pub(crate) then: VerdictKind,
}

/// For each verdict what turned it; `None` where it is not broken, or was broken
/// as it happened.
///
/// What is told in the order in which it happens turns nothing that was decided:
/// only the records told afterwards are looked at, and one walk through them
/// serves all verdicts.
pub(crate) fn turned(case: &Case, said: &[Verdict], now: DateTime<Utc>) -> Vec<Option<Turned>> {
    let mut turned = vec![None; said.len()];
    let asked: Vec<Asked<'_>> = said
        .iter()
        .enumerate()
        .filter_map(|(place, verdict)| Asked::of(case, place, verdict))
        .collect();
    let Some(first) = asked.iter().map(|asked| asked.version).min() else {
        return turned;
    };
    let mut earlier = Earlier::of(case);
    for record in told_afterwards(case).filter(|record| record.version >= first) {
        let concerned: Vec<&Asked<'_>> = asked
            .iter()
            .filter(|asked| asked.may_be_turned_by(record))
            .collect();
        if concerned.is_empty() {
            continue;
        }
        let rules: BTreeSet<&str> = concerned.iter().map(|a| &*a.verdict.rule).collect();
        let mut all_said = |version| -> Vec<Verdict> {
            let case = earlier.at_version(case, version);
            let of_rule = |rule: &&str| verdicts_of(case, now, &Observable::default(), Some(rule));
            rules.iter().flat_map(of_rule).collect()
        };
        let before = all_said(record.version - 1);
        let after = all_said(record.version);
        for asked in concerned {
            let then = asked.said(&before);
            if then != VerdictKind::Broken
                && asked.said(&after) == VerdictKind::Broken
                && asked.was_settled(then, record)
                && let Some(slot) = turned.get_mut(asked.place)
            {
                // Of several the last one counts: since then it is as it is.
                *slot = Some(Turned {
                    by: Arc::clone(record),
                    then,
                });
            }
        }
    }
    turned
}

/// The records that were told afterwards: past the manual's tolerance, behind
/// others that happened later, or to take one back.
fn told_afterwards(case: &Case) -> impl Iterator<Item = &Arc<Record>> {
    let tolerance = TimeDelta::seconds(case.rulebook().testimony.tolerance_seconds);
    let mut latest = DateTime::<Utc>::MIN_UTC;
    case.records().iter().filter(move |record| {
        let Some(fact) = record.fact() else {
            return false;
        };
        let happened_at = record.happened_at();
        let behind = happened_at < latest;
        latest = latest.max(happened_at);
        behind
            || record.recorded_at - happened_at > tolerance
            || fact.fact_type() == FactRetracted::TYPE
    })
}

/// A broken verdict whose past is asked for.
struct Asked<'v> {
    place: usize,
    verdict: &'v Verdict,
    /// The fact that is judged, or that started the clock, and its version.
    subject: RecordId,
    version: u64,
    is_clock: bool,
    /// Whether one start has a clock for each of many periods.
    is_periodic: bool,
}

impl<'v> Asked<'v> {
    fn of(case: &Case, place: usize, verdict: &'v Verdict) -> Option<Self> {
        if verdict.kind != VerdictKind::Broken {
            return None;
        }
        let subject = *verdict.facts.first()?;
        let rule = case.rulebook().rule(&verdict.rule)?;
        let clause = rule
            .clauses
            .iter()
            .find(|clause| clause.number == verdict.clause)?;
        Some(Self {
            place,
            verdict,
            subject,
            version: case.record(subject)?.version,
            is_clock: clause.form.is_clock(),
            is_periodic: matches!(clause.form, Form::Every(_)),
        })
    }

    /// A fact that is judged was flagged when it was recorded if it was to be;
    /// a clock may have been over when its start was told.
    fn may_be_turned_by(&self, record: &Record) -> bool {
        record.version > self.version || (self.is_clock && record.version == self.version)
    }

    /// What is said of the same thing.
    fn said(&self, said: &[Verdict]) -> VerdictKind {
        said.iter()
            .find(|other| {
                other.rule == self.verdict.rule
                    && other.clause == self.verdict.clause
                    && other.key == self.verdict.key
                    && other.facts.first() == Some(&self.subject)
                    && (!self.is_periodic || other.due == self.verdict.due)
            })
            .map_or(VerdictKind::NotApplicable, |other| other.kind)
    }

    /// Whether the matter was decided when the record came: by a verdict, or
    /// since the limit was over. Whoever is told in time can still keep it.
    fn was_settled(&self, then: VerdictKind, record: &Record) -> bool {
        !matches!(then, VerdictKind::NotApplicable | VerdictKind::Pending)
            || !self.is_clock
            || self.verdict.due.is_some_and(|due| due < record.recorded_at)
    }
}
