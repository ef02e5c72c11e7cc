//! Clocks that are running, shared by several desks.
//!
//! The table is a projection: whoever keeps it inserts a clock when it starts
//! and cancels it when it is met. A worker takes what is due; what one worker
//! holds, another passes over (`FOR UPDATE SKIP LOCKED`), and what was dealt with
//! is deleted in the same transaction. If the worker dies, its clocks are free
//! again; so what it appends must have record ids that follow from the clock, and
//! the repetition is recognised by the log.

use std::time::SystemTime;

use thirdring_store::{StorageFailure, StreamId};
use tokio_postgres::types::Type;

use crate::conn::Query;
use crate::log::PostgresLog;
use crate::partition::{part, partition_of};
use crate::sql_types::signed;
use crate::step::Step;

/// A clock that is running.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueClock {
    /// When it is due, in whole microseconds.
    pub due_at: SystemTime,
    /// The stream it runs in.
    pub stream: StreamId,
    /// Which clock of the stream it is: the caller's words.
    pub what: String,
}

/// Why due clocks were not dealt with. They are all still there.
#[derive(Debug, thiserror::Error)]
pub enum TakeError<E> {
    /// The database failed. After a failed commit they may be gone instead.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
    /// The name of a stream is not one.
    #[error("table due holds the stream {0:?}, which is no stream id; delete that row")]
    Stream(String),
    /// The work failed.
    #[error("the work on what is due failed: {0}")]
    Work(E),
}

const INSERT: Query = Query {
    sql: "INSERT INTO due (part, due_at, stream, what) \
          SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING 1",
    types: &[
        Type::INT2_ARRAY,
        Type::TIMESTAMPTZ_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
    ],
};

const DELETE: Query = Query {
    sql: "DELETE FROM due AS d USING unnest($1, $2, $3, $4) AS c(part, due_at, stream, what) \
          WHERE (d.part, d.due_at, d.stream, d.what) = (c.part, c.due_at, c.stream, c.what) \
          RETURNING 1",
    types: INSERT.types,
};

const SOONEST: Query = Query {
    sql: "SELECT f.part, d.due_at FROM feed AS f CROSS JOIN LATERAL ( \
              SELECT due_at FROM due WHERE due.part = f.part ORDER BY due_at LIMIT 1 \
          ) AS d ORDER BY d.due_at",
    types: &[],
};

const TAKE: Query = Query {
    sql: "SELECT due_at, stream, what FROM due WHERE part = $1 AND due_at <= $2 \
          ORDER BY due_at, stream, what LIMIT $3 FOR UPDATE SKIP LOCKED",
    types: &[Type::INT2, Type::TIMESTAMPTZ, Type::INT8],
};

/// The clocks that are running.
#[derive(Debug)]
pub struct DueClocks<'l> {
    log: &'l PostgresLog,
}

/// Clocks as the columns of the table.
struct Columns<'c> {
    parts: Vec<i16>,
    due_at: Vec<SystemTime>,
    streams: Vec<&'c str>,
    whats: Vec<&'c str>,
}

impl<'c> Columns<'c> {
    fn new(clocks: &'c [DueClock]) -> Self {
        let parts = clocks.iter().map(|clock| part(partition_of(&clock.stream)));
        Self {
            parts: parts.collect(),
            due_at: clocks.iter().map(|clock| clock.due_at).collect(),
            streams: clocks.iter().map(|clock| clock.stream.as_str()).collect(),
            whats: clocks.iter().map(|clock| clock.what.as_str()).collect(),
        }
    }
}

impl PostgresLog {
    /// The clocks that are running, shared by all who use this log.
    #[must_use]
    pub fn due_clocks(&self) -> DueClocks<'_> {
        DueClocks { log: self }
    }
}

impl DueClocks<'_> {
    /// Adds clocks; one that is there already stays as it is. The number that
    /// was not.
    ///
    /// # Errors
    /// If the database cannot be reached in time.
    pub fn insert(&self, clocks: &[DueClock]) -> Result<usize, StorageFailure> {
        self.change("insert due clocks", INSERT, clocks)
    }

    /// Removes clocks; one that is not there is no error. The number that was.
    ///
    /// # Errors
    /// If the database cannot be reached in time.
    pub fn cancel(&self, clocks: &[DueClock]) -> Result<usize, StorageFailure> {
        self.change("cancel due clocks", DELETE, clocks)
    }

    fn change(
        &self,
        doing: &'static str,
        query: Query,
        clocks: &[DueClock],
    ) -> Result<usize, StorageFailure> {
        if clocks.is_empty() {
            return Ok(0);
        }
        let mut step = Step::begin(self.log.readers(), false)?;
        let changed = apply(&mut step, doing, query, clocks)?;
        step.commit(doing)?;
        Ok(changed)
    }

    /// When the next clock is due.
    ///
    /// # Errors
    /// If the database cannot be reached in time.
    pub fn soonest(&self) -> Result<Option<SystemTime>, StorageFailure> {
        let mut step = Step::begin(self.log.readers(), false)?;
        let soonest = partitions(&mut step)?.first().map(|(_, due_at)| *due_at);
        step.roll_back();
        Ok(soonest)
    }

    /// Hands at most `limit` clocks of one partition that are due by `now` to
    /// `work`, soonest first, and removes them if it succeeds. Gives their
    /// number; 0 if nothing is due that another worker does not hold.
    ///
    /// The clocks are held while `work` runs. It may append to the log.
    ///
    /// # Errors
    /// [`TakeError`]; then the clocks are free for the next worker.
    pub fn take<E>(
        &self,
        now: SystemTime,
        limit: usize,
        work: impl FnOnce(&[DueClock]) -> Result<(), E>,
    ) -> Result<usize, TakeError<E>> {
        let mut step = Step::begin(self.log.readers(), false)?;
        let limit = signed(limit as u64);
        for (part, due_at) in partitions(&mut step)? {
            if due_at > now {
                break;
            }
            let rows = step.prepared("take due clocks", TAKE, &[&part, &now, &limit])?;
            let mut clocks = Vec::with_capacity(rows.len());
            for row in &rows {
                let failed = |error| self.log.target().failure("read a due clock", error);
                let name: String = row.try_get(1).map_err(failed)?;
                let Ok(stream) = StreamId::new(&name) else {
                    return Err(TakeError::Stream(name));
                };
                clocks.push(DueClock {
                    due_at: row.try_get(0).map_err(failed)?,
                    stream,
                    what: row.try_get(2).map_err(failed)?,
                });
            }
            if clocks.is_empty() {
                continue;
            }
            if let Err(error) = work(&clocks) {
                step.roll_back();
                return Err(TakeError::Work(error));
            }
            apply(&mut step, "remove due clocks", DELETE, &clocks)?;
            step.commit("remove due clocks")?;
            return Ok(clocks.len());
        }
        step.roll_back();
        Ok(0)
    }
}

/// The partitions with clocks, the one with the soonest first.
fn partitions(step: &mut Step<'_>) -> Result<Vec<(i16, SystemTime)>, StorageFailure> {
    let rows = step.prepared("look for due clocks", SOONEST, &[])?;
    // The types are those of the query.
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?)))
        .collect())
}

fn apply(
    step: &mut Step<'_>,
    doing: &'static str,
    query: Query,
    clocks: &[DueClock],
) -> Result<usize, StorageFailure> {
    let columns = Columns::new(clocks);
    let rows = step.prepared(
        doing,
        query,
        &[
            &columns.parts,
            &columns.due_at,
            &columns.streams,
            &columns.whats,
        ],
    )?;
    Ok(rows.len())
}
