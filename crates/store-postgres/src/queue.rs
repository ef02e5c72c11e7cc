//! What waits to be appended, by partition, and the groups that are made of it.
//!
//! A partition is written by one appender at a time. An appender that is free
//! takes what waits in all partitions that nobody writes, up to a limit, into
//! one transaction: under load transactions grow by themselves, and a single
//! append waits for nobody. Writers that were just answered come back a moment
//! later; an appender gives them that moment, or it would run off with the first
//! and leave the others to the next transaction.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thirdring_store::{Answer, AppendError, CheckedBatch, Completion, RecordId, StorageFailure};

use crate::partition::PARTITIONS;

/// Records in one transaction, unless a single batch has more.
pub(crate) const GROUP_RECORDS: usize = 256;

/// Bytes in one transaction, unless a single batch has more.
const GROUP_BYTES: usize = 4 << 20;

/// A batch and who waits for it.
#[derive(Debug)]
struct Request {
    batch: CheckedBatch,
    answer: Answer,
    since: Instant,
}

/// What goes into one transaction.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The batches with their partitions: in ascending order of partition, and
    /// within a partition in order of submission.
    pub(crate) batches: Vec<(usize, CheckedBatch)>,
    /// Who waits for each.
    pub(crate) answers: Vec<Answer>,
    /// The partitions, ascending: locks are taken in this order by all.
    pub(crate) partitions: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    /// As many wait as an appender hopes for.
    crowd: Condvar,
}

#[derive(Debug)]
struct State {
    lanes: Vec<Lane>,
    /// Batches that wait in partitions that nobody writes.
    waiting: usize,
    /// The fewest batches an appender that gathers hopes for.
    hoped: usize,
    /// Partitions in which something waits and that nobody writes, in the order
    /// in which they became so.
    ready: VecDeque<usize>,
    /// Appenders that wait for work.
    idle: usize,
    closed: bool,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Request>,
    /// An appender writes this partition.
    written: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                lanes: (0..PARTITIONS).map(|_| Lane::default()).collect(),
                waiting: 0,
                hoped: usize::MAX,
                ready: VecDeque::new(),
                idle: 0,
                closed: false,
            }),
            work: Condvar::new(),
            crowd: Condvar::new(),
        }
    }
}

impl Queue {
    // Nothing that runs under the lock can panic halfway through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a batch of one partition.
    pub(crate) fn submit(&self, partition: usize, batch: CheckedBatch) -> Completion {
        let (answer, completion) = Completion::pending();
        let mut state = self.state();
        if state.closed {
            return Completion::ready(Err(AppendError::Closed));
        }
        let Some(lane) = state.lanes.get_mut(partition) else {
            return completion;
        };
        let written = lane.written;
        let first = lane.waiting.is_empty();
        lane.waiting.push_back(Request {
            batch,
            answer,
            since: Instant::now(),
        });
        if written {
            return completion;
        }
        if first {
            state.ready.push_back(partition);
        }
        state.waiting = state.waiting.saturating_add(1);
        let (idle, hoped) = (state.idle, state.hoped);
        let waiting = state.waiting;
        drop(state);
        if waiting >= hoped {
            self.crowd.notify_all();
        } else if first && idle > 0 {
            self.work.notify_one();
        }
        completion
    }

    /// Waits for work and takes a group; `None` once the queue is closed and
    /// nothing waits any more. `hope`: how many batches are likely to come, and
    /// how long it is worth to wait for them.
    pub(crate) fn take(&self, hope: (usize, Duration)) -> Option<Group> {
        let mut state = self.state();
        let (wanted, moment) = hope;
        if wanted > state.waiting && !state.closed {
            state.hoped = state.hoped.min(wanted);
            let deadline = Instant::now().checked_add(moment);
            while wanted > state.waiting && !state.closed {
                let left = deadline.map_or(Duration::ZERO, |at| {
                    at.saturating_duration_since(Instant::now())
                });
                if left.is_zero() {
                    break;
                }
                let waited = self.crowd.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            state.hoped = usize::MAX;
        }
        loop {
            if !state.ready.is_empty() {
                return Some(state.gather());
            }
            if state.closed && state.lanes.iter().all(|lane| lane.waiting.is_empty()) {
                return None;
            }
            state.idle = state.idle.saturating_add(1);
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle = state.idle.saturating_sub(1);
        }
    }

    /// The partitions may be written by others again.
    pub(crate) fn release(&self, partitions: &[usize]) {
        let mut state = self.state();
        let mut ready = false;
        for &partition in partitions {
            let Some(lane) = state.lanes.get_mut(partition) else {
                continue;
            };
            lane.written = false;
            let waiting = lane.waiting.len();
            if waiting > 0 {
                state.ready.push_back(partition);
                state.waiting = state.waiting.saturating_add(waiting);
                ready = true;
            }
        }
        let wake = (ready && state.idle > 0) || state.closed;
        drop(state);
        if wake {
            self.work.notify_all();
        }
    }

    /// Answers what has waited longer than `patience`: nothing of it was sent.
    pub(crate) fn give_up(&self, patience: Duration, reason: &StorageFailure) {
        let mut late = Vec::new();
        {
            let mut state = self.state();
            let State {
                lanes,
                ready,
                waiting,
                ..
            } = &mut *state;
            for (partition, lane) in lanes.iter_mut().enumerate() {
                let before = lane.waiting.len();
                while lane
                    .waiting
                    .front()
                    .is_some_and(|request| request.since.elapsed() >= patience)
                {
                    late.extend(lane.waiting.pop_front());
                    if !lane.written {
                        *waiting = waiting.saturating_sub(1);
                    }
                }
                if before > 0 && lane.waiting.is_empty() {
                    ready.retain(|&other| other != partition);
                }
            }
        }
        for request in late {
            request
                .answer
                .give(Err(AppendError::Unavailable(reason.clone())));
        }
    }

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.work.notify_all();
        self.crowd.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }
}

impl State {
    fn gather(&mut self) -> Group {
        let mut requests: Vec<(usize, Request)> = Vec::new();
        let mut partitions = Vec::new();
        let mut records = 0_usize;
        let mut bytes = 0_usize;
        let mut ids: HashSet<RecordId> = HashSet::new();
        let mut full = false;
        while !full && let Some(partition) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(partition) else {
                continue;
            };
            let before = requests.len();
            while let Some(next) = lane.waiting.front() {
                let count = next.batch.records().count();
                let size = next.batch.content_bytes();
                let fits = records.saturating_add(count) <= GROUP_RECORDS
                    && bytes.saturating_add(size) <= GROUP_BYTES;
                // A retry beside its first try is judged after it, in a later
                // group: the judgement looks ids up in what is stored.
                let known = next
                    .batch
                    .records()
                    .any(|(_, record)| ids.contains(&record.id));
                if !requests.is_empty() && (!fits || known) {
                    full = true;
                    break;
                }
                ids.extend(next.batch.records().map(|(_, record)| record.id));
                records = records.saturating_add(count);
                bytes = bytes.saturating_add(size);
                if let Some(request) = lane.waiting.pop_front() {
                    requests.push((partition, request));
                }
            }
            if requests.len() > before {
                let taken = requests.len().saturating_sub(before);
                let left = lane.waiting.len();
                self.waiting = self.waiting.saturating_sub(taken).saturating_sub(left);
                lane.written = true;
                partitions.push(partition);
            } else if !lane.waiting.is_empty() {
                self.ready.push_front(partition);
            }
        }
        partitions.sort_unstable();
        requests.sort_by_key(|(partition, _)| *partition);
        let mut group = Group {
            partitions,
            ..Group::default()
        };
        for (partition, request) in requests {
            group.batches.push((partition, request.batch));
            group.answers.push(request.answer);
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thirdring_store::{Append, Expected, Limits, NewRecord, StreamId};

    const NONE: (usize, Duration) = (0, Duration::ZERO);

    fn batch(ids: &[u8]) -> CheckedBatch {
        let records = ids
            .iter()
            .map(|&id| NewRecord {
                id: RecordId([id; 16]),
                body: vec![],
                personal: None,
            })
            .collect();
        let append = Append {
            stream: StreamId::new("a").unwrap(),
            expected: Expected::Any,
            records,
        };
        CheckedBatch::new(vec![append], &Limits::DEFAULT).unwrap()
    }

    fn ids(group: &Group) -> Vec<(usize, u8)> {
        let records = group.batches.iter().flat_map(|(partition, batch)| {
            batch
                .records()
                .map(|(_, record)| (*partition, record.id.0[0]))
        });
        records.collect()
    }

    #[test]
    fn a_partition_is_written_by_one_at_a_time_and_in_order() {
        let queue = Queue::default();
        let mut waiting = vec![
            queue.submit(5, batch(&[1])),
            queue.submit(2, batch(&[2])),
            queue.submit(5, batch(&[3])),
        ];
        let first = queue.take(NONE).unwrap();
        assert_eq!(ids(&first), [(2, 2), (5, 1), (5, 3)]);
        assert_eq!(first.partitions, [2, 5]);
        waiting.push(queue.submit(5, batch(&[4])));
        waiting.push(queue.submit(7, batch(&[5])));
        let second = queue.take(NONE).unwrap();
        assert_eq!(ids(&second), [(7, 5)]);
        queue.release(&first.partitions);
        assert_eq!(ids(&queue.take(NONE).unwrap()), [(5, 4)]);
    }

    #[test]
    fn a_group_is_bounded_and_holds_an_id_once() {
        let queue = Queue::default();
        let mut waiting = vec![queue.submit(0, batch(&[1])), queue.submit(0, batch(&[1]))];
        let group = queue.take(NONE).unwrap();
        assert_eq!(ids(&group), [(0, 1)]);
        queue.release(&group.partitions);
        let group = queue.take(NONE).unwrap();
        assert_eq!(ids(&group), [(0, 1)]);
        queue.release(&group.partitions);

        let large: Vec<u8> = (0..200).collect();
        waiting.push(queue.submit(0, batch(&large)));
        waiting.push(queue.submit(1, batch(&(200..=255).collect::<Vec<_>>())));
        waiting.push(queue.submit(3, batch(&[7])));
        let group = queue.take(NONE).unwrap();
        assert_eq!(group.partitions, [0, 1]);
        assert_eq!(ids(&queue.take(NONE).unwrap()), [(3, 7)]);
    }

    #[test]
    fn what_waits_too_long_is_answered() {
        let queue = Queue::default();
        let waiting = queue.submit(0, batch(&[1]));
        let reason = StorageFailure::new("wait", "test", std::io::Error::other("late"));
        queue.give_up(Duration::from_secs(3600), &reason);
        assert!(!waiting.is_answered());
        queue.give_up(Duration::ZERO, &reason);
        assert!(matches!(waiting.wait(), Err(AppendError::Unavailable(_))));
        queue.close();
        assert!(queue.take(NONE).is_none());
    }
}
