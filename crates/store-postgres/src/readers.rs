//! Connections that read, shared by all threads of the process.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use thirdring_store::{ReadError, StorageFailure};
use tokio::runtime::Handle;

use crate::block_on::block_on_until;
use crate::conn::Conn;
use crate::rows::Failed;
use crate::server_error::{Kind, is_lost, kind};
use crate::target::Target;

/// Pause before a read is tried again.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Readers {
    target: Arc<Target>,
    runtime: Handle,
    patience: Duration,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug)]
struct State {
    idle: Vec<Conn>,
    /// Connections that may still be made.
    left: usize,
}

impl Readers {
    pub(crate) fn new(
        target: Arc<Target>,
        runtime: Handle,
        patience: Duration,
        most: usize,
    ) -> Self {
        Self {
            target,
            runtime,
            patience,
            state: Mutex::new(State {
                idle: Vec::new(),
                // One may be held while another is needed.
                left: most.max(2),
            }),
            returned: Condvar::new(),
        }
    }

    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    // Each change is a push, a pop or a count.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a read on a connection, and again on another one if that is lost,
    /// for as long as the patience lasts. Reading twice does no harm.
    pub(crate) fn with<T>(
        &self,
        read: impl AsyncFn(&mut Conn) -> Result<T, Failed>,
    ) -> Result<T, ReadError> {
        self.attempt("read the log", self.patience, read)
    }

    /// As [`with`](Self::with), for something else than reading the log.
    pub(crate) fn attempt<T>(
        &self,
        doing: &'static str,
        patience: Duration,
        work: impl AsyncFn(&mut Conn) -> Result<T, Failed>,
    ) -> Result<T, ReadError> {
        let deadline = far(Instant::now(), patience);
        // A server that is frozen answers nothing: then another is tried while
        // there is time.
        let patience_of_one = patience.checked_div(3).unwrap_or(patience).max(PAUSE);
        loop {
            let failure = match self.take(deadline) {
                Err(failure) => failure,
                Ok(mut place) => {
                    let until = far(Instant::now(), patience_of_one);
                    let outcome = match place.conn.as_mut() {
                        Some(conn) => block_on_until(work(conn), until),
                        None => None,
                    };
                    match outcome {
                        Some(Ok(value)) => {
                            place.keep = true;
                            return Ok(value);
                        }
                        Some(Err(Failed::Read(error))) => {
                            place.keep = true;
                            return Err(error);
                        }
                        Some(Err(Failed::Database(error))) => {
                            let again = is_lost(&error) || kind(&error) != Kind::Final;
                            let failure = self.target.failure(doing, error);
                            if !again {
                                return Err(failure.into());
                            }
                            failure
                        }
                        None => self.silent(doing, patience_of_one),
                    }
                }
            };
            if Instant::now() >= deadline {
                return Err(failure.into());
            }
            thread::sleep(PAUSE);
        }
    }

    fn silent(&self, doing: &'static str, within: Duration) -> StorageFailure {
        let silent = std::io::Error::other(format!("no answer within {within:?}"));
        StorageFailure::new(doing, Arc::clone(self.target.place()), silent)
    }

    /// An idle connection, or a new one, or waits for one to be returned.
    pub(crate) fn take(&self, deadline: Instant) -> Result<Borrowed<'_>, StorageFailure> {
        let mut state = self.state();
        loop {
            while let Some(conn) = state.idle.pop() {
                if !conn.is_closed() {
                    let conn = Some(conn);
                    return Ok(Borrowed {
                        readers: self,
                        conn,
                        keep: false,
                    });
                }
                state.left = state.left.saturating_add(1);
            }
            if state.left > 0 {
                state.left = state.left.saturating_sub(1);
                drop(state);
                // Gives its place back if it cannot be made.
                let mut place = Borrowed {
                    readers: self,
                    conn: None,
                    keep: false,
                };
                place.conn = Some(self.connect(deadline)?);
                return Ok(place);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.silent("get a connection", self.patience));
            }
            let waited = self.returned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Connects on the runtime's thread, which then drives the connection.
    fn connect(&self, deadline: Instant) -> Result<Conn, StorageFailure> {
        let (sender, receiver) = mpsc::channel();
        let target = Arc::clone(&self.target);
        self.runtime.spawn(async move {
            // Who asked may have lost patience.
            drop(sender.send(target.connect().await));
        });
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(link) => link.map(Conn::new),
            Err(RecvTimeoutError::Timeout) => Err(self.silent("connect", self.patience)),
            Err(RecvTimeoutError::Disconnected) => {
                let gone = std::io::Error::other("the log is being closed");
                Err(StorageFailure::new(
                    "connect",
                    Arc::clone(self.target.place()),
                    gone,
                ))
            }
        }
    }
}

/// A moment from now on, or far away if the clock cannot express it.
pub(crate) fn far(now: Instant, after: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    now.checked_add(after.min(YEAR)).unwrap_or(now)
}

/// A connection, or the right to make one; returned when it goes out of scope.
#[derive(Debug)]
pub(crate) struct Borrowed<'r> {
    readers: &'r Readers,
    conn: Option<Conn>,
    /// Whether the connection is in order: an answer may still be on its way.
    keep: bool,
}

impl Borrowed<'_> {
    pub(crate) fn conn(&mut self) -> Option<&mut Conn> {
        self.conn.as_mut()
    }

    /// The connection may be used by the next one.
    pub(crate) fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        match self.conn.take() {
            Some(conn) if self.keep && !conn.is_closed() => state.idle.push(conn),
            _ => state.left = state.left.saturating_add(1),
        }
        drop(state);
        self.readers.returned.notify_one();
    }
}
