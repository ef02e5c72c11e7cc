//! What was known then: how a record was judged when it was recorded, and which
//! later one turned that.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use thirdring::core::audit::{Observable, verdicts_of};
use thirdring::core::judge::Objection;
use thirdring::core::{Case, Mode, Proposal, Record, RecordId, Verdict, VerdictKind, propose};

/// The rules a record was flagged by, given the case as it was before.
pub(crate) fn flags(before: &Case, record: &Record) -> Vec<Objection> {
    let Some(fact) = record.fact() else {
        return Vec::new();
    };
    let proposal = Proposal {
        id: record.id,
        fact: fact.clone(),
        by: record.by.clone(),
        done_by: record.done_by.clone(),
        occurred_at: record.occurred_at,
        now: record.recorded_at,
        evidence: record.evidence.clone(),
        cause: record.cause,
        mode: Mode::Observe,
    };
    propose(before, proposal).map_or_else(|_| Vec::new(), |admission| admission.flags)
}

/// For each verdict the record that turned it: it is broken, and was kept as far
/// as was known when the judged fact was recorded. `None` where it was broken
/// then already, was not decided, or is not broken.
///
/// One walk through the records serves all verdicts: a stream with many breaches
/// is as long as it is.
pub(crate) fn turned(
    case: &Case,
    said: &[Verdict],
    now: DateTime<Utc>,
) -> Vec<Option<Arc<Record>>> {
    let mut turned = vec![None; said.len()];
    let mut asked: Vec<Asked<'_>> = said
        .iter()
        .enumerate()
        .filter_map(|(place, verdict)| Asked::of(case, place, verdict))
        .collect();
    asked.sort_by_key(|asked| asked.version);
    let mut asked = asked.into_iter().peekable();
    let mut then = Case::new(case.stream().clone(), Arc::clone(case.rulebook()));
    for record in case.records() {
        if asked.peek().is_none() {
            break;
        }
        let of_record: Vec<Asked<'_>> =
            std::iter::from_fn(|| asked.next_if(|asked| asked.version == record.version)).collect();
        let flags = if of_record.iter().any(|asked| !asked.is_clock) {
            flags(&then, record)
        } else {
            Vec::new()
        };
        then.apply(Arc::clone(record));
        for asked in of_record {
            // What was flagged then was broken then.
            let flagged = flags.iter().any(|flag| {
                *flag.rule == *asked.verdict.rule && flag.clause == asked.verdict.clause
            });
            if !flagged
                && let Some(by) = asked.turned_after(&then, case, now)
                && let Some(slot) = turned.get_mut(asked.place)
            {
                *slot = Some(by);
            }
        }
    }
    turned
}

/// A broken verdict whose past is asked for.
struct Asked<'v> {
    place: usize,
    verdict: &'v Verdict,
    /// The fact that decided it.
    judged: RecordId,
    version: u64,
    is_clock: bool,
}

impl<'v> Asked<'v> {
    fn of(case: &Case, place: usize, verdict: &'v Verdict) -> Option<Self> {
        if verdict.kind != VerdictKind::Broken {
            return None;
        }
        let is_clock = case.rulebook().rule(&verdict.rule).is_some_and(|rule| {
            rule.clauses
                .iter()
                .any(|clause| clause.number == verdict.clause && clause.form.is_clock())
        });
        // A guard judges its first fact; a clock is decided by its last.
        let judged = if is_clock {
            verdict.facts.last()
        } else {
            verdict.facts.first()
        };
        let judged = *judged?;
        Some(Self {
            place,
            verdict,
            judged,
            version: case.record(judged)?.version,
            is_clock,
        })
    }

    /// What was said of the same thing, with less known.
    fn said(&self, case: &Case, now: DateTime<Utc>) -> Option<VerdictKind> {
        verdicts_of(case, now, &Observable::default(), Some(&self.verdict.rule))
            .into_iter()
            .find(|other| {
                other.rule == self.verdict.rule
                    && other.clause == self.verdict.clause
                    && other.key == self.verdict.key
                    && other.facts.contains(&self.judged)
            })
            .map(|other| other.kind)
    }

    /// The first record after which it is broken, if it was kept then.
    fn turned_after(&self, then: &Case, case: &Case, now: DateTime<Utc>) -> Option<Arc<Record>> {
        if self.said(then, now)? != VerdictKind::Kept {
            return None;
        }
        let mut since = then.clone();
        let later = case
            .records()
            .iter()
            .skip_while(|record| record.version <= self.version);
        for record in later {
            since.apply(Arc::clone(record));
            if record.fact().is_some() && self.said(&since, now) == Some(VerdictKind::Broken) {
                return Some(Arc::clone(record));
            }
        }
        None
    }
}
