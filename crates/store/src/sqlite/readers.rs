//! A small pool of connections that only read.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::open::open_reader;
use super::options::SqliteOptions;
use super::rows::Rows;
use crate::failure::StorageFailure;
use crate::read::ReadError;

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    options: SqliteOptions,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

impl Readers {
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        Self {
            path,
            options,
            pool: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    // Every change of the pool is complete before anything can panic.
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads with a connection of the pool, waiting for one if all are in use.
    pub(super) fn with<T>(
        &self,
        read: impl FnOnce(&Rows<'_>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let lent = self.lend()?;
        match &lent.connection {
            Some(connection) => read(&Rows::new(connection, &self.path)),
            None => Err(ReadError::Closed),
        }
    }

    /// Reads what is kept beside the log.
    pub(super) fn with_connection<T, E: From<StorageFailure>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let lent = self.lend()?;
        match &lent.connection {
            Some(connection) => read(connection),
            None => {
                let gone = std::io::Error::other("the connection is gone");
                Err(
                    StorageFailure::new("read the file", self.path.display().to_string(), gone)
                        .into(),
                )
            }
        }
    }

    fn lend(&self) -> Result<Lent<'_>, StorageFailure> {
        let mut pool = self.pool();
        loop {
            if let Some(connection) = pool.idle.pop() {
                return Ok(Lent {
                    readers: self,
                    connection: Some(connection),
                });
            }
            if pool.open < self.options.readers.max(1) {
                pool.open = pool.open.saturating_add(1);
                break;
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(pool);
        // From here the place in the pool is given back even if opening fails.
        let mut lent = Lent {
            readers: self,
            connection: None,
        };
        lent.connection = Some(open_reader(&self.path, &self.options)?);
        Ok(lent)
    }
}

/// A connection of the pool in use; returns by itself.
struct Lent<'r> {
    readers: &'r Readers,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool();
        match self.connection.take() {
            Some(connection) => pool.idle.push(connection),
            None => pool.open = pool.open.saturating_sub(1),
        }
        drop(pool);
        self.readers.returned.notify_one();
    }
}
