//! A log in memory: the contract without a medium, for tests and trials.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use crate::append::{Append, AppendError, Appended, CheckedBatch, Place};
use crate::arrivals::{Arrivals, Waited};
use crate::completion::Completion;
use crate::cursor::Cursor;
use crate::judge::{Head, Judged, Ledger, judge};
use crate::limits::Limits;
use crate::log::{Capabilities, Log, Wake};
use crate::memory_timetables::MemoryTimetables;
use crate::read::{Page, ReadError, StreamPage, single_position};
use crate::record::{RecordId, StoredRecord};
use crate::stream::StreamId;
use crate::timetable::Timetables;

/// A log that lives as long as the value. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: RwLock<State>,
    arrivals: Arrivals,
    timetables: MemoryTimetables,
}

#[derive(Debug, Default)]
struct State {
    /// In order of position, which is the index plus one.
    records: Vec<StoredRecord>,
    /// The indexes of a stream's records in order of version.
    streams: BTreeMap<StreamId, Vec<usize>>,
    ids: HashMap<RecordId, usize>,
    closed: bool,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // A panic while the lock is held for writing could only come from a failed
    // allocation, which aborts; so the state behind a poisoned lock is whole.
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.shared
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn append_checked(&self, batch: Vec<Append>) -> Result<Appended, AppendError> {
        let batch = CheckedBatch::new(batch, &self.limits())?;
        let mut state = self
            .shared
            .state
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return Err(AppendError::Closed);
        }
        match judge(&batch, &*state, &self.limits())? {
            Judged::Replay(appended) => Ok(appended),
            Judged::Write(_) => {
                let appended = state.write(&batch);
                let last = state.last();
                drop(state);
                self.shared.arrivals.committed(last);
                Ok(appended)
            }
        }
    }
}

impl State {
    fn last(&self) -> u64 {
        self.records.len() as u64
    }

    fn write(&mut self, batch: &CheckedBatch) -> Appended {
        let mut appended = Appended::default();
        for (stream, record) in batch.records() {
            let index = self.records.len();
            let versions = self.streams.entry(stream.clone()).or_default();
            versions.push(index);
            let place = Place {
                position: (index as u64).saturating_add(1),
                version: versions.len() as u64,
            };
            self.ids.insert(record.id, index);
            self.records.push(StoredRecord {
                position: place.position,
                stream: stream.clone(),
                version: place.version,
                id: record.id,
                body: record.body.clone(),
                personal: record.personal.clone(),
            });
            appended.places.push(place);
        }
        appended
    }

    fn stream(&self, stream: &StreamId) -> &[usize] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }
}

impl Ledger for State {
    type Handle = ();

    fn find(&self, id: RecordId) -> Result<Option<StoredRecord>, ReadError> {
        Ok(self
            .ids
            .get(&id)
            .and_then(|&index| self.records.get(index))
            .cloned())
    }

    fn head(&self, stream: &StreamId) -> Result<Head<()>, ReadError> {
        Ok(Head {
            version: self.stream(stream).len() as u64,
            handle: (),
        })
    }

    fn page(&self, stream: &StreamId, from: u64, limit: usize) -> Result<StreamPage, ReadError> {
        let skip = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        let all = self.stream(stream);
        let wanted = all.get(skip..).unwrap_or(&[]).iter();
        let records = cut(wanted.filter_map(|&index| self.records.get(index)), limit);
        let head = all.len() as u64;
        let next = records
            .last()
            .map_or(from.max(1), |record| record.version.saturating_add(1));
        Ok(StreamPage {
            records,
            next,
            end: next > head,
        })
    }
}

/// The beginning of `records` that makes one page.
fn cut<'a>(records: impl Iterator<Item = &'a StoredRecord>, limit: usize) -> Vec<StoredRecord> {
    let mut bytes = 0_usize;
    records
        .take(limit.min(Limits::DEFAULT.page_records))
        .take_while(|record| {
            let fits = bytes < Limits::DEFAULT.page_bytes;
            bytes = bytes.saturating_add(record.content_bytes());
            fits
        })
        .cloned()
        .collect()
}

impl Log for MemoryLog {
    fn submit(&self, batch: Vec<Append>) -> Completion {
        Completion::ready(self.append_checked(batch))
    }

    fn read(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.state().page(stream, from_version, limit)
    }

    fn read_backward(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        let state = self.state();
        let all = state.stream(stream);
        let count = usize::try_from(from_version)
            .unwrap_or(usize::MAX)
            .min(all.len());
        let wanted = all.get(..count).unwrap_or(&[]).iter().rev();
        let records = cut(wanted.filter_map(|&index| state.records.get(index)), limit);
        let next = records
            .last()
            .map_or(0, |record| record.version.saturating_sub(1));
        Ok(StreamPage {
            records,
            next,
            end: next == 0,
        })
    }

    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        let position = single_position(cursor)?;
        let state = self.state();
        let last = state.last();
        let skip = usize::try_from(position).unwrap_or(usize::MAX);
        let Some(wanted) = state.records.get(skip..) else {
            return Err(ReadError::CursorAhead {
                cursor: position,
                last,
            });
        };
        let records = cut(wanted.iter(), limit);
        let next = records.last().map_or(position, |record| record.position);
        Ok(Page {
            records,
            next: Cursor::from_positions(vec![next]),
            end: next == last,
        })
    }

    fn streams(&self, after: Option<&StreamId>, limit: usize) -> Result<Vec<StreamId>, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let names = state.streams.range::<StreamId, _>((from, Bound::Unbounded));
        Ok(names.take(limit).map(|(name, _)| name.clone()).collect())
    }

    fn head(&self, stream: &StreamId) -> Result<u64, ReadError> {
        Ok(self.state().stream(stream).len() as u64)
    }

    fn end(&self) -> Result<Cursor, ReadError> {
        Ok(Cursor::from_positions(vec![self.state().last()]))
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
        let position = single_position(cursor)?;
        Ok(match self.shared.arrivals.wait_past(position, timeout) {
            Waited::Arrived => Wake::Arrived,
            Waited::TimedOut => Wake::TimedOut,
            Waited::Closed => Wake::Closed,
        })
    }

    fn timetables(&self) -> Option<&dyn Timetables> {
        Some(&self.shared.timetables)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            persistent: false,
            durable: false,
            multi_process: false,
            partitions: 1,
        }
    }

    fn limits(&self) -> Limits {
        Limits::DEFAULT
    }

    fn close(&self) {
        self.shared
            .state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.shared.arrivals.close();
    }
}
