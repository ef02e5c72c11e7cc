//! The facts of one stream, in the order they happened.
//!
//! The log keeps records in the order it learned them; rules look at the order
//! in which things happened. A history holds the facts that count: by
//! `occurred_at`, then by version, without the retracted ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ids::RecordId;
use crate::record::Record;
use crate::vocabulary::bookkeeping::FactRetracted;
use crate::vocabulary::{Fact, FactType, Process, Value};

/// How many records a shared chunk holds.
const CHUNK: usize = 256;

/// The facts of one stream that count, in the order they happened.
///
/// Cloning is cheap however long it is: what a proposal would change is tried
/// on a clone.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Full chunks of records, shared between clones.
    full: Vec<Arc<[Arc<Record>]>>,
    /// The records after the last full chunk.
    tail: Vec<Arc<Record>>,
    /// Where the facts of each type stand, sorted by type.
    by_type: Vec<(FactType, Arc<Vec<usize>>)>,
}

impl History {
    /// The history that a set of records amounts to.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Arc<Record>>) -> Self {
        let facts: Vec<&Arc<Record>> = records
            .into_iter()
            .filter(|record| record.fact().is_some())
            .collect();
        let retracted = retracted(&facts);
        let mut counted: Vec<&Arc<Record>> = facts
            .into_iter()
            .filter(|record| !retracted.contains(&record.id))
            .collect();
        counted.sort_by_key(|record| (record.happened_at(), record.version));
        let mut history = Self::default();
        for record in counted {
            history.push(Arc::clone(record));
        }
        history
    }

    /// Adds a fact that happened after all others. `false`, and nothing added,
    /// if it did not: then the history must be built anew.
    #[must_use]
    pub(crate) fn extend(&mut self, record: &Arc<Record>) -> bool {
        let Some(fact) = record.fact() else {
            return true;
        };
        if fact.fact_type() == FactRetracted::TYPE {
            return false;
        }
        let order = |record: &Record| (record.happened_at(), record.version);
        if self.last().is_some_and(|last| order(last) > order(record)) {
            return false;
        }
        self.push(Arc::clone(record));
        true
    }

    fn push(&mut self, record: Arc<Record>) {
        let Some(fact) = record.fact() else { return };
        let fact_type = fact.fact_type();
        let position = self.len();
        match self
            .by_type
            .binary_search_by_key(&fact_type, |(known, _)| *known)
        {
            Ok(found) => {
                if let Some((_, positions)) = self.by_type.get_mut(found) {
                    Arc::make_mut(positions).push(position);
                }
            }
            Err(gap) => self
                .by_type
                .insert(gap, (fact_type, Arc::new(vec![position]))),
        }
        self.tail.push(record);
        if self.tail.len() == CHUNK {
            self.full.push(std::mem::take(&mut self.tail).into());
        }
    }

    /// How many facts count.
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK + self.tail.len()
    }

    /// Whether no fact counts.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record at a position.
    pub fn record(&self, position: usize) -> Option<&Arc<Record>> {
        match self.full.get(position / CHUNK) {
            Some(chunk) => chunk.get(position % CHUNK),
            None => self
                .tail
                .get(position.checked_sub(self.full.len() * CHUNK)?),
        }
    }

    fn last(&self) -> Option<&Arc<Record>> {
        self.record(self.len().checked_sub(1)?)
    }

    /// The fact at a position.
    pub fn fact(&self, position: usize) -> Option<&Fact> {
        self.record(position).and_then(|record| record.fact())
    }

    /// All records that count, in the order they happened.
    pub fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.full
            .iter()
            .flat_map(|chunk| chunk.iter())
            .chain(&self.tail)
    }

    /// How many of the facts happened at or before a moment.
    pub(crate) fn until(&self, moment: DateTime<Utc>) -> usize {
        self.before(|record| record.happened_at() <= moment)
    }

    /// Where a record of the history stands, if it counts.
    pub(crate) fn position_of(&self, record: &Record) -> Option<usize> {
        let order = |record: &Record| (record.happened_at(), record.version);
        let position = self.before(|other| order(other) < order(record));
        self.record(position)
            .filter(|found| found.id == record.id)
            .map(|_| position)
    }

    /// How many records at the beginning are `early`, of which none comes after
    /// one that is not.
    fn before(&self, early: impl Fn(&Record) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record(middle).is_some_and(|record| early(record)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The positions of a type of fact, in order.
    pub(crate) fn positions(&self, fact_type: FactType) -> &[usize] {
        self.by_type
            .binary_search_by_key(&fact_type, |(known, _)| *known)
            .ok()
            .and_then(|found| self.by_type.get(found))
            .map_or(&[], |(_, positions)| positions.as_slice())
    }

    /// The positions of a type of fact before `end`, latest first.
    pub(crate) fn positions_before(
        &self,
        fact_type: FactType,
        end: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        let positions = self.positions(fact_type);
        let count = positions.partition_point(|position| *position < end);
        positions.iter().take(count).rev().copied()
    }

    /// Where the stream, or one key of it, was last opened or opened again
    /// before `end`: what lies before proves nothing for what comes after.
    pub(crate) fn opening(&self, process: Process, key: Option<(&str, &str)>, end: usize) -> usize {
        let reopened = process
            .reopened_by()
            .and_then(|fact_type| self.positions_before(fact_type, end).next());
        let requested = key.and_then(|(name, value)| {
            process
                .keys()
                .iter()
                .filter(|opening| opening.key == name)
                .flat_map(|opening| opening.opened_by)
                .filter_map(|fact_type| {
                    self.positions_before(*fact_type, end)
                        .find(|position| self.fact(*position).and_then(Fact::key) == Some(value))
                })
                .max()
        });
        reopened.max(requested).unwrap_or(0)
    }

    /// The latest value of a field before `end`, for a key where one is given.
    pub(crate) fn latest_value(
        &self,
        fact_type: FactType,
        field: &str,
        key: Option<(&str, &str)>,
        end: usize,
    ) -> Option<(&Value, usize)> {
        let keyed =
            key.filter(|(name, _)| fact_type.spec().key.is_some_and(|spec| spec.name == *name));
        self.positions_before(fact_type, end).find_map(|position| {
            let fact = self.fact(position)?;
            if let Some((_, wanted)) = keyed
                && fact.key() != Some(wanted)
            {
                return None;
            }
            fact.get(field).map(|value| (value, position))
        })
    }
}

/// The ids of records that a later fact took back, unless that one was itself
/// taken back.
fn retracted(facts: &[&Arc<Record>]) -> BTreeSet<RecordId> {
    let mut gone = BTreeSet::new();
    let mut retractions: Vec<(u64, RecordId, RecordId)> = facts
        .iter()
        .filter_map(|record| {
            let fact = record.fact()?;
            let target = retraction_target(fact)?;
            Some((record.version, record.id, target))
        })
        .collect();
    retractions.sort_by_key(|(version, _, _)| std::cmp::Reverse(*version));
    for (_, id, target) in retractions {
        if !gone.contains(&id) {
            gone.insert(target);
        }
    }
    gone
}

/// The record a retraction takes back.
pub(crate) fn retraction_target(fact: &Fact) -> Option<RecordId> {
    if fact.fact_type() != FactRetracted::TYPE {
        return None;
    }
    match fact.get("record") {
        Some(Value::Word(id)) => id.parse().ok(),
        _ => None,
    }
}
