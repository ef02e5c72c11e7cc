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

/// A moment, as the whole microseconds since 1970-01-01 00:00 UTC; before it they
/// are negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    micros: i64,
}

impl Moment {
    /// The moment so many microseconds after 1970-01-01 00:00 UTC. Whoever has it
    /// more finely rounds down: then nothing is found too late.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self { micros }
    }

    /// Microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.micros
    }
}

/// How many microseconds fall into one bucket: a little more than an hour.
const BUCKET_MICROS: i64 = 4096 * 1_000_000;
/// From how many outdated entries on they are worth sweeping out.
const SWEEP_FROM: usize = 4096;

/// Which of many things is due next, each at one moment.
#[derive(Debug, Clone)]
pub struct DueIndex<K> {
    /// When each thing is due: the entry that counts.
    due: HashMap<K, Moment>,
    /// Entries of the hour that was reached and before it, soonest first; those
    /// that no longer count included, here and below.
    front: BinaryHeap<Reverse<(Moment, K)>>,
    /// The last bucket that moved into the front.
    reached: i64,
    /// Entries of later hours, by bucket.
    buckets: BTreeMap<i64, Vec<(Moment, K)>>,
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

const fn bucket(moment: Moment) -> i64 {
    moment.micros.div_euclid(BUCKET_MICROS)
}

impl<K: Clone + Eq + Hash + Ord> DueIndex<K> {
    /// An empty index.
    #[must_use]
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
    pub fn set(&mut self, key: K, moment: Moment) {
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
    pub fn due_at(&self, key: &K) -> Option<Moment> {
        self.due.get(key).copied()
    }

    /// The soonest moment at which something is due. Costs as much as a look
    /// through one hour.
    pub fn soonest(&self) -> Option<Moment> {
        let counts = |moment: &Moment, key: &K| self.due.get(key) == Some(moment);
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
    pub fn pop_due(&mut self, now: Moment) -> Vec<(Moment, K)> {
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

    /// What is due at or before a moment, soonest first, at most `limit` of it; it
    /// stays in. With `after`, what comes behind that one.
    pub fn due_until(
        &self,
        moment: Moment,
        after: Option<&(Moment, K)>,
        limit: usize,
    ) -> Vec<(Moment, K)> {
        let counts = |entry: &&(Moment, K)| {
            let (at, key) = *entry;
            *at <= moment
                && after.is_none_or(|after| *entry > after)
                && self.due.get(key) == Some(at)
        };
        let mut due: Vec<(Moment, K)> = self
            .front
            .iter()
            .map(|Reverse(entry)| entry)
            .filter(counts)
            .cloned()
            .collect();
        let first = after.map_or(i64::MIN, |(at, _)| bucket(*at));
        // One bucket lies wholly before the next.
        for (_, entries) in self.buckets.range(first..=bucket(moment).max(first)) {
            if due.len() >= limit {
                break;
            }
            // A thing that was set to one moment twice lies there twice.
            let mut counted: Vec<(Moment, K)> = entries.iter().filter(counts).cloned().collect();
            counted.sort();
            counted.dedup();
            due.append(&mut counted);
        }
        due.sort();
        due.dedup();
        due.truncate(limit);
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

    fn at(seconds: i64) -> Moment {
        Moment::from_micros(seconds * 1_000_000)
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
        let mut model: Model<u64, Moment> = Model::new();
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
                        assert_eq!(index.due_until(at(now), None, usize::MAX), expected);
                        let mut paged = Vec::new();
                        loop {
                            let page = index.due_until(at(now), paged.last(), 7);
                            let end = page.len() < 7;
                            paged.extend(page);
                            if end {
                                break;
                            }
                        }
                        assert_eq!(paged, expected);
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
