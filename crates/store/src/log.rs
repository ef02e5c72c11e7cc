//! The log contract as a trait.

use std::sync::Arc;
use std::time::Duration;

use crate::append::{Append, AppendError, Appended};
use crate::completion::Completion;
use crate::cursor::Cursor;
use crate::limits::Limits;
use crate::read::{Page, ReadError, StreamPage, first_pages};
use crate::stream::StreamId;
use crate::timetable::Timetables;

/// What a log can do beyond the contract, and how it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether records outlive the process.
    pub persistent: bool,
    /// Whether an answered append survives the loss of power.
    pub durable: bool,
    /// Whether several processes may use the log at once.
    pub multi_process: bool,
    /// Number of partitions, fixed for ever.
    pub partitions: usize,
}

/// How waiting for new records ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// There may be records after the cursor: scan.
    Arrived,
    /// The time is up and nothing came.
    TimedOut,
    /// The log was closed and nothing more will come.
    Closed,
}

/// An append-only log of records in streams.
///
/// All methods may be called from many threads at once and block; from async
/// code use [`submit`](Log::submit), whose answer can be awaited, and run reads
/// where blocking is allowed.
///
/// To stay with a log as it grows, see [`Follow`](crate::Follow).
///
/// What every implementation guarantees is written in `docs/log.md` and tested
/// by the conformance suite.
pub trait Log: Send + Sync {
    /// Appends a batch: all of it or nothing, durable when this returns.
    /// Repeating a stored batch gives the first answer again, for ever. An
    /// empty batch does nothing and succeeds.
    ///
    /// # Errors
    /// [`AppendError`]; only [`AppendError::Unknown`] leaves open whether the
    /// batch is stored.
    fn append(&self, batch: &[Append]) -> Result<Appended, AppendError> {
        self.submit(batch.to_vec()).wait()
    }

    /// As [`append`](Log::append), but does not wait for the answer. Batches
    /// submitted by one thread are judged in the order of submission.
    fn submit(&self, batch: Vec<Append>) -> Completion;

    /// Reads a stream upwards, beginning with `from_version` (0 and 1 both mean
    /// the beginning), at most `limit` records.
    ///
    /// # Errors
    /// [`ReadError`], never in place of an end.
    fn read(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError>;

    /// Reads the beginnings of several streams: for each, in the order given, the
    /// page that [`read`](Log::read) gives from its first version. Once the pages
    /// grow large the rest is left out; at least one comes if any was asked for.
    ///
    /// # Errors
    /// [`ReadError`], never in place of an end.
    fn read_many(&self, streams: &[StreamId], limit: usize) -> Result<Vec<StreamPage>, ReadError> {
        first_pages(streams, |stream| self.read(stream, 1, limit))
    }

    /// Reads a stream downwards, beginning with `from_version` (`u64::MAX`
    /// means the end), at most `limit` records.
    ///
    /// # Errors
    /// [`ReadError`], never in place of an end.
    fn read_backward(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError>;

    /// Reads the whole log after `cursor`, at most `limit` records.
    ///
    /// # Errors
    /// [`ReadError`], never in place of an end.
    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError>;

    /// The names of at most `limit` streams that come after `after` (`None`
    /// means from the beginning) in an order of the log's own; no name means
    /// there are no more. Each stream comes once. One that begins meanwhile may
    /// be found or missed.
    ///
    /// # Errors
    /// [`ReadError`], never in place of an end.
    fn streams(&self, after: Option<&StreamId>, limit: usize) -> Result<Vec<StreamId>, ReadError>;

    /// The stream's last version, 0 if it has no records.
    ///
    /// # Errors
    /// [`ReadError`].
    fn head(&self, stream: &StreamId) -> Result<u64, ReadError>;

    /// The cursor after the last record.
    ///
    /// # Errors
    /// [`ReadError`].
    fn end(&self) -> Result<Cursor, ReadError>;

    /// The partition a stream belongs to, for ever: below
    /// [`Capabilities::partitions`]. All streams of a batch must be of one.
    fn partition(&self, stream: &StreamId) -> usize {
        let _ = stream;
        0
    }

    /// Waits until there are records after `cursor`, or `timeout` has passed.
    /// May say so too early, never too late.
    ///
    /// # Errors
    /// [`ReadError`].
    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError>;

    /// The timetables kept beside this log, if it keeps any.
    fn timetables(&self) -> Option<&dyn Timetables> {
        None
    }

    /// What this log can do.
    fn capabilities(&self) -> Capabilities;

    /// What this log accepts at most.
    fn limits(&self) -> Limits;

    /// Accepts nothing more. What was submitted before is answered; reads go
    /// on; followers stop once they have seen everything.
    fn close(&self);
}

/// A shared log is a log; written once for both ways of sharing.
macro_rules! forward {
    ($($shared:ty),*) => {$(
        impl<L: Log + ?Sized> Log for $shared {
            fn append(&self, batch: &[Append]) -> Result<Appended, AppendError> {
                (**self).append(batch)
            }
            fn submit(&self, batch: Vec<Append>) -> Completion {
                (**self).submit(batch)
            }
            fn read(&self, stream: &StreamId, from_version: u64, limit: usize) -> Result<StreamPage, ReadError> {
                (**self).read(stream, from_version, limit)
            }
            fn read_many(&self, streams: &[StreamId], limit: usize) -> Result<Vec<StreamPage>, ReadError> {
                (**self).read_many(streams, limit)
            }
            fn read_backward(&self, stream: &StreamId, from_version: u64, limit: usize) -> Result<StreamPage, ReadError> {
                (**self).read_backward(stream, from_version, limit)
            }
            fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
                (**self).scan(cursor, limit)
            }
            fn streams(&self, after: Option<&StreamId>, limit: usize) -> Result<Vec<StreamId>, ReadError> {
                (**self).streams(after, limit)
            }
            fn head(&self, stream: &StreamId) -> Result<u64, ReadError> {
                (**self).head(stream)
            }
            fn end(&self) -> Result<Cursor, ReadError> {
                (**self).end()
            }
            fn partition(&self, stream: &StreamId) -> usize {
                (**self).partition(stream)
            }
            fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
                (**self).wait(cursor, timeout)
            }
            fn timetables(&self) -> Option<&dyn Timetables> {
                (**self).timetables()
            }
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }
            fn limits(&self) -> Limits {
                (**self).limits()
            }
            fn close(&self) {
                (**self).close();
            }
        }
    )*};
}

forward!(&L, Arc<L>, Box<L>);
