//! What if: one history under two rulebooks, and what changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Utc};

use crate::audit::observable::Observable;
use crate::audit::verdict::{Verdict, VerdictKind};
use crate::audit::verdicts::verdicts_of;
use crate::ids::{RecordId, StreamId};
use crate::judge::Case;
use crate::rulebook::Rulebook;

/// A verdict that is not the same under the other rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flip {
    /// The stream that proves it.
    pub stream: StreamId,
    /// The rule.
    pub rule: Arc<str>,
    /// Which clause of it, from 1.
    pub clause: u16,
    /// The key it is about.
    pub key: Option<String>,
    /// What the first rulebook says; `None`: it says nothing of it.
    pub before: Option<VerdictKind>,
    /// What the second says.
    pub after: Option<VerdictKind>,
    /// The role of whoever answers for it: the doer of the judged fact, or of
    /// the fact that stopped the clock.
    pub team: Option<String>,
    /// Year and month of the judged fact or the clock's start, in the zone of
    /// the first rulebook.
    pub month: Option<(i32, u32)>,
    /// The facts that prove it.
    pub facts: Vec<RecordId>,
    /// The reason under the second rulebook, or under the first where the second
    /// says nothing.
    pub why: String,
}

/// What changes over many histories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many histories were judged.
    pub streams: usize,
    /// How many verdicts are the same under both.
    pub same: usize,
    /// Those that are not.
    pub flips: Vec<Flip>,
    /// Verdicts by rule: under the first, under the second.
    pub counts: BTreeMap<(Arc<str>, VerdictKind), (usize, usize)>,
}

/// What a verdict is about: two verdicts about the same thing can differ.
type About = (Arc<str>, u16, Option<String>, Option<RecordId>);

fn about(verdict: &Verdict) -> About {
    (
        Arc::clone(&verdict.rule),
        verdict.clause,
        verdict.key.clone(),
        verdict.facts.first().copied(),
    )
}

impl Comparison {
    /// Judges one more history under both rulebooks, as far as its log can show
    /// what they ask.
    pub fn add(
        &mut self,
        case: &Case,
        a: &Arc<Rulebook>,
        b: &Arc<Rulebook>,
        now: DateTime<Utc>,
        observable: &Observable,
    ) {
        self.streams += 1;
        let first = case.under(Arc::clone(a));
        let second = case.under(Arc::clone(b));
        let mut after: BTreeMap<About, Verdict> = BTreeMap::new();
        for verdict in verdicts_of(&second, now, observable, None) {
            self.counts
                .entry((Arc::clone(&verdict.rule), verdict.kind))
                .or_default()
                .1 += 1;
            after.insert(about(&verdict), verdict);
        }
        for before in verdicts_of(&first, now, observable, None) {
            self.counts
                .entry((Arc::clone(&before.rule), before.kind))
                .or_default()
                .0 += 1;
            match after.remove(&about(&before)) {
                Some(after) if after.kind == before.kind => self.same += 1,
                after => self.flip(&first, Some(before), after),
            }
        }
        for (_, verdict) in after {
            self.flip(&first, None, Some(verdict));
        }
    }

    fn flip(&mut self, case: &Case, before: Option<Verdict>, after: Option<Verdict>) {
        let (kind_before, kind_after) = (
            before.as_ref().map(|v| v.kind),
            after.as_ref().map(|v| v.kind),
        );
        // That nothing happened a rule speaks of is no change worth a line.
        let silent =
            |kind: Option<VerdictKind>| kind.is_none_or(|kind| kind == VerdictKind::NotApplicable);
        if silent(kind_before) && silent(kind_after) {
            return;
        }
        let Some(shown) = after.or(before) else {
            return;
        };
        let deciding = shown.facts.last().and_then(|id| case.record(*id));
        let started = shown.facts.first().and_then(|id| case.record(*id));
        let zone = case.rulebook().calendar.zone();
        self.flips.push(Flip {
            stream: shown.stream,
            rule: shown.rule,
            clause: shown.clause,
            key: shown.key,
            before: kind_before,
            after: kind_after,
            team: deciding.map(|record| record.doer().role.to_string()),
            month: started.map(|record| {
                let local = record.happened_at().with_timezone(&zone);
                (local.year(), local.month())
            }),
            facts: shown.facts,
            why: shown.why.into_owned(),
        });
    }

    /// How many flips there are by a property of theirs, e.g. rule and
    /// direction, team, or month.
    pub fn by<K: Ord>(&self, key: impl Fn(&Flip) -> K) -> BTreeMap<K, usize> {
        let mut counts = BTreeMap::new();
        for flip in &self.flips {
            *counts.entry(key(flip)).or_default() += 1;
        }
        counts
    }
}
