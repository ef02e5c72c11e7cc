//! Keeps the streams of a law in one partition of a log that has several.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Backend, Damage};
use crate::append::{Append, AppendError, Appended};
use crate::completion::Completion;
use crate::cursor::Cursor;
use crate::limits::Limits;
use crate::log::{Capabilities, Log, Wake};
use crate::read::{Page, ReadError, StreamPage};
use crate::record::StoredRecord;
use crate::stream::StreamId;
use crate::timetable::Timetables;

/// The partition the streams are kept in.
const HOME: usize = 0;

/// A backend whose log is used within one partition: each stream of a law is
/// stored under a name that belongs there. Nothing else is changed, so the laws
/// about a single order of positions judge the log as it is.
#[derive(Debug)]
pub struct OnePartition<B> {
    backend: B,
}

/// The log of [`OnePartition`].
#[derive(Debug)]
pub struct InOnePartition<L> {
    log: L,
}

/// The law's name of each stored name; the same for all logs of a process, since
/// a second handle must understand what the first one wrote.
static NAMES: Mutex<Option<HashMap<StreamId, StreamId>>> = Mutex::new(None);

fn names() -> MutexGuard<'static, Option<HashMap<StreamId, StreamId>>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<L: Log> InOnePartition<L> {
    /// The name a stream is stored under: the first of name, name~1, name~2, …
    /// that belongs to the partition. A name too long for that loses its end.
    fn stored(&self, law: &StreamId) -> StreamId {
        let mut tried = law.clone();
        let mut n = 0_u32;
        while self.log.partition(&tried) != HOME {
            n += 1;
            let suffix = format!("~{n}");
            let mut name = law.as_str().to_owned();
            while name.len() + suffix.len() > StreamId::BYTES_MAX {
                name.pop();
            }
            tried = StreamId::new(&(name + &suffix)).expect("a name like the law's");
        }
        let mut names = names();
        let known = names
            .get_or_insert_with(HashMap::new)
            .entry(tried.clone())
            .or_insert_with(|| law.clone());
        assert_eq!(known, law, "two streams of a law are stored as {tried}");
        tried
    }

    fn laws(stored: &StreamId) -> StreamId {
        names()
            .as_ref()
            .and_then(|names| names.get(stored).cloned())
            .unwrap_or_else(|| stored.clone())
    }

    fn record(mut record: StoredRecord) -> StoredRecord {
        record.stream = Self::laws(&record.stream);
        record
    }

    fn batch(&self, batch: &[Append]) -> Vec<Append> {
        batch
            .iter()
            .map(|part| Append {
                stream: self.stored(&part.stream),
                ..part.clone()
            })
            .collect()
    }

    fn answer(result: Result<Appended, AppendError>) -> Result<Appended, AppendError> {
        match result {
            Err(AppendError::Conflict(mut conflicts)) => {
                for conflict in &mut conflicts {
                    conflict.stream = Self::laws(&conflict.stream);
                    for record in &mut conflict.since {
                        record.stream = Self::laws(&record.stream);
                    }
                }
                Err(AppendError::Conflict(conflicts))
            }
            Err(AppendError::StreamTwice { stream }) => Err(AppendError::StreamTwice {
                stream: Self::laws(&stream),
            }),
            other => other,
        }
    }

    fn stream_page(mut page: StreamPage) -> StreamPage {
        page.records = page.records.into_iter().map(Self::record).collect();
        page
    }
}

impl<L: Log> Log for InOnePartition<L> {
    fn append(&self, batch: &[Append]) -> Result<Appended, AppendError> {
        Self::answer(self.log.append(&self.batch(batch)))
    }

    fn submit(&self, batch: Vec<Append>) -> Completion {
        // The laws that submit look at places only, never at names.
        self.log.submit(self.batch(&batch))
    }

    fn read(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        let page = self.log.read(&self.stored(stream), from_version, limit)?;
        Ok(Self::stream_page(page))
    }

    fn read_many(&self, streams: &[StreamId], limit: usize) -> Result<Vec<StreamPage>, ReadError> {
        let stored: Vec<StreamId> = streams.iter().map(|stream| self.stored(stream)).collect();
        let pages = self.log.read_many(&stored, limit)?;
        Ok(pages.into_iter().map(Self::stream_page).collect())
    }

    fn read_backward(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        let stored = self.stored(stream);
        let page = self.log.read_backward(&stored, from_version, limit)?;
        Ok(Self::stream_page(page))
    }

    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
        let mut page = self.log.scan(cursor, limit)?;
        page.records = page.records.into_iter().map(Self::record).collect();
        Ok(page)
    }

    fn streams(&self, after: Option<&StreamId>, limit: usize) -> Result<Vec<StreamId>, ReadError> {
        let after = after.map(|stream| self.stored(stream));
        let names = self.log.streams(after.as_ref(), limit)?;
        Ok(names.iter().map(Self::laws).collect())
    }

    fn head(&self, stream: &StreamId) -> Result<u64, ReadError> {
        self.log.head(&self.stored(stream))
    }

    fn end(&self) -> Result<Cursor, ReadError> {
        self.log.end()
    }

    fn partition(&self, stream: &StreamId) -> usize {
        self.log.partition(&self.stored(stream))
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
        self.log.wait(cursor, timeout)
    }

    fn timetables(&self) -> Option<&dyn Timetables> {
        self.log.timetables()
    }

    fn capabilities(&self) -> Capabilities {
        self.log.capabilities()
    }

    fn limits(&self) -> Limits {
        self.log.limits()
    }

    fn close(&self) {
        self.log.close();
    }
}

impl<B: Backend> Backend for OnePartition<B> {
    type Log = InOnePartition<B::Log>;

    fn fresh() -> Self {
        Self {
            backend: B::fresh(),
        }
    }

    fn open(&self) -> Self::Log {
        InOnePartition {
            log: self.backend.open(),
        }
    }

    fn damage(&self, damage: Damage) -> bool {
        self.backend.damage(damage)
    }
}
