//! A transaction beside the log: for what else is kept in its database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thirdring_store::StorageFailure;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::block_on::block_on_until;
use crate::conn::{Conn, Query};
use crate::readers::{Borrowed, Readers, far};
use crate::server_error::{Kind, kind};
use crate::target::Target;

/// The planner as the server has it: our own settings suit the log's queries.
const PLANNER: &str = "
SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL enable_hashjoin TO DEFAULT;
SET LOCAL enable_mergejoin TO DEFAULT; SET LOCAL enable_bitmapscan TO DEFAULT;
SET LOCAL jit TO DEFAULT; SET LOCAL plan_cache_mode TO DEFAULT;
";

/// An open transaction. Dropped without a commit it leaves no trace.
#[derive(Debug)]
pub struct Step<'l> {
    borrowed: Borrowed<'l>,
    target: &'l Arc<Target>,
    patience: Duration,
    /// The first failure that another try need not meet again.
    trouble: Option<StorageFailure>,
}

impl<'l> Step<'l> {
    /// Begins one; a connection that turns out to be lost is replaced.
    pub(crate) fn begin(readers: &'l Readers, own_plans: bool) -> Result<Self, StorageFailure> {
        let patience = readers.patience();
        let deadline = far(Instant::now(), patience);
        let sql = if own_plans {
            format!("BEGIN;{PLANNER}")
        } else {
            "BEGIN".to_owned()
        };
        loop {
            let mut step = Self {
                borrowed: readers.take(deadline)?,
                target: readers.target(),
                patience,
                trouble: None,
            };
            match step.wait("begin a transaction", async |conn| conn.batch(&sql).await) {
                Ok(()) => return Ok(step),
                Err(failure) if Instant::now() >= deadline => return Err(failure),
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn wait<T>(
        &mut self,
        doing: &'static str,
        work: impl AsyncFnOnce(&mut Conn) -> Result<T, Error>,
    ) -> Result<T, StorageFailure> {
        let place = Arc::clone(self.target.place());
        let lost = |what: &str| {
            StorageFailure::new(
                doing,
                Arc::clone(&place),
                std::io::Error::other(what.to_owned()),
            )
        };
        let until = far(Instant::now(), self.patience);
        let conn = self
            .borrowed
            .conn()
            .ok_or_else(|| lost("the connection is gone"))?;
        let (failure, passing) = match block_on_until(work(conn), until) {
            Some(Ok(value)) => return Ok(value),
            Some(Err(error)) => {
                let passing = kind(&error) != Kind::Final;
                (self.target.failure(doing, error), passing)
            }
            None => (lost("no answer in time"), true),
        };
        if passing && self.trouble.is_none() {
            self.trouble = Some(failure.clone());
        }
        Err(failure)
    }

    /// What went wrong that is no fault of a statement: a connection that was lost,
    /// two transactions that collided.
    pub(crate) fn trouble(&self) -> Option<StorageFailure> {
        self.trouble.clone()
    }

    /// Runs a statement without parameters.
    pub(crate) fn batch(&mut self, sql: &'static str) -> Result<(), StorageFailure> {
        self.wait("change a projection", async |conn| conn.batch(sql).await)
    }

    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// What the server or the connection says. Then the transaction is spoilt.
    pub fn execute(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StorageFailure> {
        self.wait("change a projection", async |conn| {
            conn.client().execute(sql, parameters).await
        })
    }

    /// Runs a query.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub fn query(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageFailure> {
        self.wait("read a projection", async |conn| {
            conn.client().query(sql, parameters).await
        })
    }

    /// Runs a query of ours, prepared once a connection.
    pub(crate) fn prepared(
        &mut self,
        doing: &'static str,
        query: Query,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StorageFailure> {
        self.wait(doing, async |conn| conn.query(query, parameters).await)
    }

    /// Reads the log inside the transaction.
    pub(crate) fn read<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Conn) -> T,
    ) -> Result<T, StorageFailure> {
        self.wait("read the log", async |conn| Ok(work(conn).await))
    }

    /// Commits. An error leaves open whether it is committed.
    pub(crate) fn commit(mut self, doing: &'static str) -> Result<(), StorageFailure> {
        self.wait(doing, async |conn| conn.batch("COMMIT").await)?;
        self.borrowed.keep();
        Ok(())
    }

    /// Ends the transaction without a trace, and keeps the connection.
    pub(crate) fn roll_back(mut self) {
        // If that fails the connection is dropped, which does the same.
        if self
            .wait("roll back", async |conn| conn.batch("ROLLBACK").await)
            .is_ok()
        {
            self.borrowed.keep();
        }
    }
}
