//! The log.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thirdring_store::{
    Append, AppendError, Appended, Capabilities, CheckedBatch, Completion, Cursor, Limits, Log,
    Page, ReadError, SeveralPartitions, StorageFailure, StreamId, StreamPage, Timetables, Wake,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::appender::Appender;
use crate::arrivals::{Arrivals, Waited};
use crate::conn::Conn;
use crate::hints::Hints;
use crate::open_error::OpenError;
use crate::options::PostgresOptions;
use crate::partition::{PARTITIONS, partition_of};
use crate::queue::Queue;
use crate::readers::Readers;
use crate::rows::{self, Way};
use crate::schema::{self, Server};
use crate::shared::Shared;
use crate::target::{NoServer, Target};

/// How often a waiting follower looks for commits of other nodes: at first, and
/// when it has been quiet for a while. A hint makes it look at once.
const POLL_FIRST: Duration = Duration::from_millis(10);
const POLL_LAST: Duration = Duration::from_millis(160);

/// A log in a PostgreSQL database. Any number of values, in any number of
/// processes, may use one database at once.
#[derive(Debug)]
pub struct PostgresLog {
    shared: Arc<Shared>,
    readers: Readers,
    server: Server,
    /// Held by whoever holds what is due.
    holding: Mutex<()>,
    appenders: Mutex<Vec<JoinHandle<()>>>,
    // Dropped last: the connections of the readers live on it.
    _background: Background,
}

/// The thread that drives the connections of readers and of hints.
#[derive(Debug)]
struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl PostgresLog {
    /// Opens or makes the log in the database of a connection string such as
    /// `postgres://user:password@host1,host2,host3/database`. With several hosts
    /// the one that accepts writes is found, now and after each failover.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(connection: &str) -> Result<Self, OpenError> {
        Self::open_with(connection, PostgresOptions::default())
    }

    /// Opens the log, with options; makes it where there is none, unless the
    /// options say otherwise.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(connection: &str, options: PostgresOptions) -> Result<Self, OpenError> {
        let target = Arc::new(Target::new(connection, &options)?);
        let started = |error| {
            let place = Arc::clone(target.place());
            OpenError::Storage(StorageFailure::new("start the threads", place, error))
        };
        let runtime = runtime().map_err(started)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name("thirdring-pg".to_owned())
            .spawn(move || {
                // Ends when the sender is dropped.
                drop(runtime.block_on(stopped));
            })
            .map_err(started)?;
        let background = Background {
            stop: Some(stop),
            thread: Some(thread),
        };

        let (sender, prepared) = mpsc::channel();
        let (at, create) = (Arc::clone(&target), options.create);
        handle.spawn(async move {
            drop(sender.send(prepare(&at, create).await));
        });
        let server = prepared
            .recv()
            .map_err(|error| started(std::io::Error::other(error)))??;

        let arrivals = Arc::new(Arrivals::default());
        let committed = Arc::new(AtomicBool::new(false));
        let hints = Hints::new(
            Arc::clone(&target),
            Arc::clone(&arrivals),
            Arc::clone(&committed),
        );
        handle.spawn(hints.run());
        let readers = Readers::new(
            Arc::clone(&target),
            handle,
            options.patience,
            options.readers,
        );
        let log = Self {
            shared: Arc::new(Shared {
                target: Arc::clone(&target),
                queue: Queue::default(),
                patience: options.patience,
                arrivals,
                committed,
            }),
            readers,
            server,
            holding: Mutex::default(),
            appenders: Mutex::new(Vec::new()),
            _background: background,
        };
        for _ in 0..options.appenders.max(1) {
            let appender = log.start_appender().map_err(started)?;
            log.threads().push(appender);
        }
        Ok(log)
    }

    fn start_appender(&self) -> std::io::Result<JoinHandle<()>> {
        let runtime = runtime()?;
        let appender = Appender::new(Arc::clone(&self.shared));
        thread::Builder::new()
            .name("thirdring-append".to_owned())
            .spawn(move || appender.serve(&runtime))
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.appenders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The servers and the schema, without user or password.
    #[must_use]
    pub fn place(&self) -> &str {
        self.shared.target.place()
    }

    /// The connections that read, for what else is kept in the database.
    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    pub(crate) fn holding(&self) -> &Mutex<()> {
        &self.holding
    }

    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.shared.target
    }

    /// A session on each host, whatever its role.
    pub(crate) fn each_host(&self) -> Vec<(String, Result<tokio_postgres::Client, String>)> {
        let (sender, asked) = mpsc::channel();
        let target = Arc::clone(self.target());
        self.readers.runtime().spawn(async move {
            drop(sender.send(target.each_host().await));
        });
        asked.recv().unwrap_or_default()
    }

    fn positions(cursor: &Cursor) -> Result<Vec<u64>, ReadError> {
        cursor
            .positions(PARTITIONS)
            .ok_or(ReadError::CursorForeign {
                expected: PARTITIONS,
                found: cursor.partitions(),
            })
    }

    fn page(
        &self,
        stream: &StreamId,
        from: u64,
        way: Way,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.readers.with(async |conn: &mut Conn| {
            rows::read(conn, stream, from, way, limit, self.place()).await
        })
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

async fn prepare(target: &Target, create: bool) -> Result<Server, OpenError> {
    let mut link = target.connect().await.map_err(|failure| {
        let cause = std::error::Error::source(&failure);
        let cause = cause.and_then(|cause| cause.downcast_ref::<NoServer>());
        if cause.is_some_and(|cause| cause.turned_away) {
            OpenError::TurnedAway(failure)
        } else {
            OpenError::Unreachable(failure)
        }
    })?;
    schema::prepare(target, &mut link.client, create).await
}

/// The one partition of a batch.
fn partition_of_batch(batch: &CheckedBatch) -> Result<usize, AppendError> {
    let mut parts = batch.parts().iter();
    let Some(one) = parts.next() else {
        return Ok(0);
    };
    let partition_of_one = partition_of(&one.stream);
    for other in parts {
        let partition_of_other = partition_of(&other.stream);
        if partition_of_other != partition_of_one {
            return Err(AppendError::SeveralPartitions(Box::new(
                SeveralPartitions {
                    one: one.stream.clone(),
                    partition_of_one,
                    other: other.stream.clone(),
                    partition_of_other,
                },
            )));
        }
    }
    Ok(partition_of_one)
}

impl Log for PostgresLog {
    fn submit(&self, batch: Vec<Append>) -> Completion {
        if batch.is_empty() {
            return Completion::ready(Ok(Appended::default()));
        }
        let checked = CheckedBatch::new(batch, &Limits::DEFAULT)
            .and_then(|batch| Ok((partition_of_batch(&batch)?, batch)));
        match checked {
            Ok((partition, batch)) => self.shared.queue.submit(partition, batch),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn read(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        self.page(stream, from_version, Way::Forward, limit)
    }

    fn read_many(&self, streams: &[StreamId], limit: usize) -> Result<Vec<StreamPage>, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.readers
            .with(async |conn: &mut Conn| rows::read_many(conn, streams, limit, self.place()).await)
    }

    fn read_backward(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        self.page(stream, from_version, Way::Backward, limit)
    }

    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        let seen = Self::positions(cursor)?;
        self.readers
            .with(async |conn: &mut Conn| rows::scan(conn, &seen, limit, self.place()).await)
    }

    fn streams(&self, after: Option<&StreamId>, limit: usize) -> Result<Vec<StreamId>, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.readers
            .with(async |conn: &mut Conn| rows::streams(conn, after, limit, self.place()).await)
    }

    fn head(&self, stream: &StreamId) -> Result<u64, ReadError> {
        self.readers
            .with(async |conn: &mut Conn| rows::head(conn, stream).await)
    }

    fn end(&self) -> Result<Cursor, ReadError> {
        let lasts = self
            .readers
            .with(async |conn: &mut Conn| rows::lasts(conn, self.place()).await)?;
        Ok(Cursor::from_positions(lasts))
    }

    fn partition(&self, stream: &StreamId) -> usize {
        partition_of(stream)
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
        let seen = Self::positions(cursor)?;
        // A timeout beyond what the clock can express is no timeout.
        let deadline = Instant::now().checked_add(timeout);
        let mut poll = POLL_FIRST;
        loop {
            let left = deadline.map_or(poll, |at| at.saturating_duration_since(Instant::now()));
            match self.shared.arrivals.wait_past(&seen, left.min(poll)) {
                Waited::Arrived => return Ok(Wake::Arrived),
                Waited::Closed => return Ok(Wake::Closed),
                Waited::Hinted => poll = POLL_FIRST,
                Waited::TimedOut => poll = poll.saturating_mul(2).min(POLL_LAST),
            }
            // Another node may have written.
            let lasts = self
                .readers
                .with(async |conn: &mut Conn| rows::lasts(conn, self.place()).await)?;
            if lasts.iter().zip(&seen).any(|(last, seen)| last > seen) {
                return Ok(Wake::Arrived);
            }
            if left.is_zero() {
                return Ok(Wake::TimedOut);
            }
        }
    }

    fn timetables(&self) -> Option<&dyn Timetables> {
        Some(self)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            persistent: true,
            durable: self.server.durable,
            multi_process: true,
            partitions: PARTITIONS,
        }
    }

    fn limits(&self) -> Limits {
        Limits::DEFAULT
    }

    fn close(&self) {
        self.shared.queue.close();
        let threads: Vec<_> = self.threads().drain(..).collect();
        for thread in threads {
            // Its panic, if any, has answered whoever waited.
            drop(thread.join());
        }
        self.shared.arrivals.close();
    }
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        self.close();
    }
}
