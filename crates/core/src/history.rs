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

/// One fact that counts, and where the one of its type before it stands.
#[derive(Debug, Clone)]
struct Entry {
    record: Arc<Record>,
    previous: Option<usize>,
}

/// The facts of one stream that count, in the order they happened.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: Vec<Entry>,
    /// Where the last fact of each type stands, sorted by type.
    latest: Vec<(FactType, usize)>,
}

impl History {
    /// The history that a set of records amounts to.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Arc<Record>>) -> Self {
        let facts: Vec<&Arc<Record>> =
            records.into_iter().filter(|record| record.fact().is_some()).collect();
        let retracted = retracted(&facts);
        let mut counted: Vec<&Arc<Record>> =
            facts.into_iter().filter(|record| !retracted.contains(&record.id)).collect();
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
        let Some(fact) = record.fact() else { return true };
        if fact.fact_type() == FactRetracted::TYPE {
            return false;
        }
        if self.entries.last().is_some_and(|last| last.record.happened_at() > record.happened_at()) {
            return false;
        }
        self.push(Arc::clone(record));
        true
    }

    fn push(&mut self, record: Arc<Record>) {
        let Some(fact) = record.fact() else { return };
        let fact_type = fact.fact_type();
        let position = self.entries.len();
        let previous = match self.latest.binary_search_by_key(&fact_type, |(known, _)| *known) {
            Ok(found) => self
                .latest
                .get_mut(found)
                .map(|(_, latest)| std::mem::replace(latest, position)),
            Err(gap) => {
                self.latest.insert(gap, (fact_type, position));
                None
            }
        };
        self.entries.push(Entry { record, previous });
    }

    /// How many facts count.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no fact counts.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The record at a position.
    pub fn record(&self, position: usize) -> Option<&Arc<Record>> {
        self.entries.get(position).map(|entry| &entry.record)
    }

    /// The fact at a position.
    pub fn fact(&self, position: usize) -> Option<&Fact> {
        self.record(position).and_then(|record| record.fact())
    }

    /// All records that count, in the order they happened.
    pub fn records(&self) -> impl Iterator<Item = &Arc<Record>> {
        self.entries.iter().map(|entry| &entry.record)
    }

    /// How many of the facts happened at or before a moment.
    pub(crate) fn until(&self, moment: DateTime<Utc>) -> usize {
        self.entries.partition_point(|entry| entry.record.happened_at() <= moment)
    }

    /// The positions of a type of fact before `end`, latest first.
    pub(crate) fn positions_before(
        &self,
        fact_type: FactType,
        end: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        let mut next = self
            .latest
            .binary_search_by_key(&fact_type, |(known, _)| *known)
            .ok()
            .and_then(|found| self.latest.get(found))
            .map(|(_, latest)| *latest);
        std::iter::from_fn(move || {
            let position = next?;
            next = self.entries.get(position).and_then(|entry| entry.previous);
            Some(position)
        })
        .skip_while(move |position| *position >= end)
    }

    /// Where the stream, or one key of it, was last opened or opened again
    /// before `end`: what lies before proves nothing for what comes after.
    pub(crate) fn opening(
        &self,
        process: Process,
        key: Option<(&str, &str)>,
        end: usize,
    ) -> usize {
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
        let keyed = key.filter(|(name, _)| {
            fact_type.spec().key.is_some_and(|spec| spec.name == *name)
        });
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
