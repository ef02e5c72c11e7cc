//! The due index: which of many things is due next.
//!
//! A calendar queue. Moments fall into buckets of about an hour, kept in order;
//! inside a bucket entries lie as they came, and when the bucket's hour comes
//! they move into a heap. Setting and cancelling never look for an old entry:
//! the map says which entry counts, and the others are passed over in their
//! turn.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::hash::Hash;

use chrono::{DateTime, Utc};

/// How many seconds fall into one bucket.
const BUCKET_SECONDS: i64 = 4096;
/// From how many outdated entries on they are worth sweeping out.
const SWEEP_FROM: usize = 4096;

/// Which of many things is due next, each at one moment.
#[derive(Debug, Clone)]
pub struct DueIndex<K> {
    /// When each thing is due: the entry that counts.
    due: HashMap<K, DateTime<Utc>>,
    /// Entries of the hour that was reached and before it, soonest first; those
    /// that no longer count included, here and below.
    front: BinaryHeap<Reverse<(DateTime<Utc>, K)>>,
    /// The last bucket that moved into the front.
    reached: i64,
    /// Entries of later hours, by bucket.
    buckets: BTreeMap<i64, Vec<(DateTime<Utc>, K)>>,
    /// How many entries front and buckets hold.
    entries: usize,
}

impl<K: Ord> Default for DueIndex<K> {
    fn default() -> Self {
        Self {
            due: HashMap::new(),
            front: BinaryHeap::new(),
            reached: i64::MIN,
            buckets: BTreeMap::new(),
            entries: 0,
        }
    }
}

const fn bucket(moment: DateTime<Utc>) -> i64 {
    moment.timestamp().div_euclid(BUCKET_SECONDS)
}

impl<K: Clone + Eq + Hash + Ord> DueIndex<K> {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many things are due at some moment.
    pub fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether nothing is due ever.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// Says when a thing is due; what was said before no longer counts.
    pub fn set(&mut self, key: K, moment: DateTime<Utc>) {
        if self.due.insert(key.clone(), moment) == Some(moment) {
            return;
        }
        let place = bucket(moment);
        if place <= self.reached {
            self.front.push(Reverse((moment, key)));
        } else {
            self.buckets.entry(place).or_default().push((moment, key));
        }
        self.entries += 1;
        self.sweep();
    }

    /// A thing is no longer due. Whether it was.
    pub fn cancel(&mut self, key: &K) -> bool {
        let was = self.due.remove(key).is_some();
        self.sweep();
        was
    }

    /// When a thing is due.
    pub fn due_at(&self, key: &K) -> Option<DateTime<Utc>> {
        self.due.get(key).copied()
    }

    /// The soonest moment at which something is due. Costs as much as a look
    /// through one hour.
    pub fn soonest(&self) -> Option<DateTime<Utc>> {
        let counts = |moment: &DateTime<Utc>, key: &K| self.due.get(key) == Some(moment);
        let front = self
            .front
            .iter()
            .filter(|Reverse((moment, key))| counts(moment, key))
            .map(|Reverse((moment, _))| *moment)
            .min();
        front.or_else(|| {
            self.buckets.values().find_map(|entries| {
                entries
                    .iter()
                    .filter(|(moment, key)| counts(moment, key))
                    .map(|(moment, _)| *moment)
                    .min()
            })
        })
    }

    /// Takes out everything that is due at or before a moment, soonest first.
    pub fn pop_due(&mut self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, K)> {
        let last = bucket(now);
        while let Some(first) = self.buckets.first_entry() {
            if *first.key() > last {
                break;
            }
            let mut entries: BinaryHeap<_> = first.remove().into_iter().map(Reverse).collect();
            self.front.append(&mut entries);
        }
        self.reached = self.reached.max(last);
        let mut popped = Vec::new();
        while let Some(Reverse((moment, _))) = self.front.peek()
            && *moment <= now
        {
            let Some(Reverse((moment, key))) = self.front.pop() else {
                break;
            };
            self.entries -= 1;
            if self.due.get(&key) == Some(&moment) {
                self.due.remove(&key);
                popped.push((moment, key));
            }
        }
        popped
    }

    /// Everything that is due at or before a moment, soonest first; it stays in.
    pub fn due_until(&self, moment: DateTime<Utc>) -> Vec<(DateTime<Utc>, K)> {
        let front = self.front.iter().map(|Reverse(entry)| entry);
        let later = self
            .buckets
            .range(..=bucket(moment))
            .flat_map(|(_, entries)| entries);
        let mut due: Vec<(DateTime<Utc>, K)> = front
            .chain(later)
            .filter(|(at, key)| *at <= moment && self.due.get(key) == Some(at))
            .cloned()
            .collect();
        due.sort();
        due.dedup();
        due
    }

    /// Drops entries that no longer count once they outnumber those that do.
    fn sweep(&mut self) {
        let outdated = self.entries.saturating_sub(self.due.len());
        if outdated < SWEEP_FROM || outdated < self.due.len() {
            return;
        }
        let due = &self.due;
        self.buckets.retain(|_, entries| {
            entries.retain(|(moment, key)| due.get(key) == Some(moment));
            entries.sort();
            entries.dedup();
            entries.shrink_to_fit();
            !entries.is_empty()
        });
        self.front
            .retain(|Reverse((moment, key))| due.get(key) == Some(moment));
        self.entries = self.front.len() + self.buckets.values().map(Vec::len).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap as Model;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// A small generator, so that the test is the same everywhere.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % sides
        }
    }

    #[test]
    fn it_behaves_like_a_sorted_map() {
        let mut dice = Dice(7);
        let mut index = DueIndex::new();
        let mut model: Model<u64, DateTime<Utc>> = Model::new();
        let mut now = 0;
        for turn in 0..200_000 {
            let key = dice.roll(3_000);
            match dice.roll(10) {
                0..=5 => {
                    let moment = at(now + i64::try_from(dice.roll(40_000)).unwrap() - 2_000);
                    index.set(key, moment);
                    model.insert(key, moment);
                }
                6..=8 => assert_eq!(index.cancel(&key), model.remove(&key).is_some()),
                _ => {
                    now += i64::try_from(dice.roll(300)).unwrap();
                    let mut expected: Vec<_> = model
                        .iter()
                        .filter(|(_, moment)| **moment <= at(now))
                        .map(|(key, moment)| (*moment, *key))
                        .collect();
                    expected.sort();
                    if turn % 3 == 0 {
                        assert_eq!(index.due_until(at(now)), expected);
                    }
                    assert_eq!(index.pop_due(at(now)), expected);
                    model.retain(|_, moment| *moment > at(now));
                }
            }
            assert_eq!(index.len(), model.len());
            if turn % 1_000 == 0 {
                assert_eq!(index.soonest(), model.values().min().copied());
            }
        }
    }

    #[test]
    fn what_is_set_twice_is_due_once() {
        let mut index = DueIndex::new();
        index.set("a", at(10));
        index.set("a", at(20));
        index.set("a", at(10));
        assert_eq!(index.pop_due(at(10)), [(at(10), "a")]);
        assert_eq!(index.pop_due(at(30)), []);
        assert!(index.is_empty());
    }

    #[test]
    fn moments_before_1970_are_moments_too() {
        let mut index = DueIndex::new();
        index.set(1, at(-1));
        index.set(2, at(-5_000));
        index.set(3, at(0));
        assert_eq!(index.soonest(), Some(at(-5_000)));
        assert_eq!(index.pop_due(at(-1)), [(at(-5_000), 2), (at(-1), 1)]);
    }
}
