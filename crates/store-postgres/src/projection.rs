//! Projections in the database of the log, with their checkpoint in the same
//! transaction as what they write: never half applied, never applied twice, and
//! shared by several desks, of which one at a time goes on.

use thirdring_store::{Cursor, Page, ReadError, StorageFailure};
use tokio_postgres::types::Type;

use crate::conn::{Conn, Query};
use crate::log::PostgresLog;
use crate::partition::{PARTITIONS, part};
use crate::rows::{self, Failed};
use crate::sql_types::{signed, unsigned};
use crate::step::Step;

/// Why a projection did not go on. Nothing was changed, unless a commit failed.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError<E> {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
    /// A record could not be applied. The projection stands before the page.
    #[error("the projection stopped: {0}")]
    Apply(E),
}

const BEGIN: Query = Query {
    sql: "INSERT INTO checkpoint (projection, part, pos) \
          SELECT $1, n, 0 FROM generate_series(0, 63) AS n ON CONFLICT DO NOTHING",
    types: &[Type::TEXT],
};

const HOLD: Query = Query {
    sql: "SELECT part, pos FROM checkpoint WHERE projection = $1 ORDER BY part FOR UPDATE",
    types: &[Type::TEXT],
};

const SHOW: Query = Query {
    sql: "SELECT part, pos FROM checkpoint WHERE projection = $1",
    types: &[Type::TEXT],
};

const MOVE: Query = Query {
    sql: "UPDATE checkpoint AS c SET pos = n.pos FROM unnest($2, $3) AS n(part, pos) \
          WHERE c.projection = $1 AND c.part = n.part AND c.pos <> n.pos",
    types: &[Type::TEXT, Type::INT2_ARRAY, Type::INT8_ARRAY],
};

/// A projection by name. Another version of it has another name.
#[derive(Debug)]
pub struct Projection<'l> {
    log: &'l PostgresLog,
    name: String,
}

impl PostgresLog {
    /// The projection of this name, shared by all who use this log.
    #[must_use]
    pub fn projection(&self, name: impl Into<String>) -> Projection<'_> {
        Projection {
            log: self,
            name: name.into(),
        }
    }
}

impl Projection<'_> {
    /// How far it has come.
    ///
    /// # Errors
    /// If the database cannot be reached in time.
    pub fn cursor(&self) -> Result<Cursor, StorageFailure> {
        let mut step = Step::begin(self.log.readers(), false)?;
        let positions = self.positions(&mut step, SHOW)?;
        step.roll_back();
        Ok(Cursor::from_positions(positions))
    }

    /// Applies the next page of at most `limit` records, and moves the
    /// checkpoint, in one transaction. `false` if there was nothing new. Another
    /// desk that advances the same projection waits and goes on after this page.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn advance<E>(
        &self,
        limit: usize,
        apply: impl FnOnce(&mut Step<'_>, &Page) -> Result<(), E>,
    ) -> Result<bool, AdvanceError<E>> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit.into());
        }
        let mut step = Step::begin(self.log.readers(), true)?;
        step.prepared("hold a checkpoint", BEGIN, &[&self.name])?;
        let seen = self.positions(&mut step, HOLD)?;
        let place = self.log.place();
        let page =
            step.read(async |conn: &mut Conn| rows::scan(conn, &seen, limit, place).await)?;
        let page = page.map_err(|failed| match failed {
            Failed::Read(error) => error,
            Failed::Database(error) => self.log.target().failure("read the log", error).into(),
        })?;
        if page.records.is_empty() {
            step.roll_back();
            return Ok(false);
        }
        if let Err(error) = apply(&mut step, &page) {
            step.roll_back();
            return Err(AdvanceError::Apply(error));
        }
        let positions = page.next.positions(PARTITIONS).unwrap_or(seen);
        let parts: Vec<i16> = (0..PARTITIONS).map(part).collect();
        let positions: Vec<i64> = positions.into_iter().map(signed).collect();
        step.prepared("move a checkpoint", MOVE, &[&self.name, &parts, &positions])?;
        step.commit("commit a projection")?;
        Ok(true)
    }

    /// Starts from the beginning: `clear` empties what the projection wrote, in
    /// the transaction that resets its checkpoint.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn rebuild<E>(
        &self,
        clear: impl FnOnce(&mut Step<'_>) -> Result<(), E>,
    ) -> Result<(), AdvanceError<E>> {
        let mut step = Step::begin(self.log.readers(), true)?;
        step.prepared("hold a checkpoint", BEGIN, &[&self.name])?;
        self.positions(&mut step, HOLD)?;
        if let Err(error) = clear(&mut step) {
            step.roll_back();
            return Err(AdvanceError::Apply(error));
        }
        let parts: Vec<i16> = (0..PARTITIONS).map(part).collect();
        let zeros = vec![0_i64; PARTITIONS];
        step.prepared("reset a checkpoint", MOVE, &[&self.name, &parts, &zeros])?;
        step.commit("reset a projection")?;
        Ok(())
    }

    fn positions(&self, step: &mut Step<'_>, query: Query) -> Result<Vec<u64>, StorageFailure> {
        let mut positions = vec![0; PARTITIONS];
        for row in step.prepared("read a checkpoint", query, &[&self.name])? {
            let failed = |error| self.log.target().failure("read a checkpoint", error);
            let part: i16 = row.try_get(0).map_err(failed)?;
            let slot = usize::try_from(part)
                .ok()
                .and_then(|part| positions.get_mut(part));
            if let Some(slot) = slot {
                *slot = unsigned(row.try_get(1).map_err(failed)?);
            }
        }
        Ok(positions)
    }
}
