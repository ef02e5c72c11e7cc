//! Projections in the database of the log, with their checkpoint in the same
//! transaction as what they write: never half applied, never applied twice, and
//! shared by several desks, of which one at a time goes on.

use std::fmt::Display;

use thirdring_store::{
    AdvanceError, Cursor, Page, ProjectionStatus, ReadError, Stop, StorageFailure,
};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::conn::{Conn, Query};
use crate::log::PostgresLog;
use crate::partition::{PARTITIONS, part, partition_of};
use crate::rows::{self, Failed};
use crate::sql_types::{signed, unsigned};
use crate::step::Step;

const ADD: Query = Query {
    sql: "INSERT INTO projection (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1",
    types: &[Type::TEXT, Type::INT8],
};

const ADD_CHECKPOINT: Query = Query {
    sql: "INSERT INTO checkpoint (projection, part, pos) \
          SELECT $1, n, 0 FROM generate_series(0, 63) AS n \
          ON CONFLICT (projection, part) DO UPDATE SET pos = 0",
    types: &[Type::TEXT],
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, version, stopped_pos, stopped_stream, stopped_version, stopped_reason \
             FROM projection ",
            $rest
        )
    };
}

/// Whoever works on a projection holds this row.
const HOLD: Query = Query {
    sql: select!("WHERE name = $1 FOR UPDATE"),
    types: &[Type::TEXT],
};

const FIND: Query = Query {
    sql: select!("WHERE name = $1"),
    types: &[Type::TEXT],
};

const LIST: Query = Query {
    sql: select!("ORDER BY name"),
    types: &[],
};

const POSITIONS: Query = Query {
    sql: "SELECT part, pos FROM checkpoint WHERE projection = $1",
    types: &[Type::TEXT],
};

const VERSION: Query = Query {
    sql: "UPDATE projection SET version = $2, stopped_part = NULL, stopped_pos = NULL, \
              stopped_stream = NULL, stopped_version = NULL, stopped_reason = NULL \
          WHERE name = $1",
    types: &[Type::TEXT, Type::INT8],
};

const MOVE: Query = Query {
    sql: "UPDATE checkpoint AS c SET pos = n.pos FROM unnest($2, $3) AS n(part, pos) \
          WHERE c.projection = $1 AND c.part = n.part AND c.pos <> n.pos",
    types: &[Type::TEXT, Type::INT2_ARRAY, Type::INT8_ARRAY],
};

const STOP: Query = Query {
    sql: "UPDATE projection SET stopped_part = $2, stopped_pos = $3, stopped_stream = $4, \
              stopped_version = $5, stopped_reason = $6 \
          WHERE name = $1",
    types: &[
        Type::TEXT,
        Type::INT2,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
    ],
};

const GO_ON: Query = Query {
    sql: "UPDATE projection SET stopped_part = NULL, stopped_pos = NULL, stopped_stream = NULL, \
              stopped_version = NULL, stopped_reason = NULL \
          WHERE name = $1 AND stopped_pos IS NOT NULL RETURNING 1",
    types: &[Type::TEXT],
};

/// A projection of a name, in one version: what another version wrote is not gone on
/// with.
#[derive(Debug)]
pub struct Projection<'l> {
    log: &'l PostgresLog,
    name: String,
    version: u32,
}

impl PostgresLog {
    /// The projection of this name, as this version writes it, shared by all who use
    /// this log.
    #[must_use]
    pub fn projection(&self, name: impl Into<String>, version: u32) -> Projection<'_> {
        Projection {
            log: self,
            name: name.into(),
            version,
        }
    }

    /// How all projections in the database stand, by name.
    ///
    /// # Errors
    /// If the database cannot be reached in time.
    pub fn projections(&self) -> Result<Vec<ProjectionStatus>, StorageFailure> {
        let mut step = Step::begin(self.readers(), true)?;
        let rows = step.prepared("list the projections", LIST, &[])?;
        let list = rows
            .iter()
            .map(|row| self.projection_status(&mut step, row))
            .collect();
        step.roll_back();
        list
    }

    fn projection_status(
        &self,
        step: &mut Step<'_>,
        row: &Row,
    ) -> Result<ProjectionStatus, StorageFailure> {
        let name: String = self.projected(row, 0)?;
        let version: i64 = self.projected(row, 1)?;
        let stopped = match self.projected::<Option<i64>>(row, 2)? {
            None => None,
            Some(position) => Some(Stop {
                position: unsigned(position),
                stream: self.projected(row, 3)?,
                stream_version: unsigned(self.projected(row, 4)?),
                reason: self.projected(row, 5)?,
            }),
        };
        let positions = self.checkpoint(step, &name)?;
        Ok(ProjectionStatus {
            name,
            version: u32::try_from(version).unwrap_or(u32::MAX),
            cursor: Cursor::from_positions(positions),
            stopped,
        })
    }

    fn projected<'r, T: FromSql<'r>>(
        &self,
        row: &'r Row,
        column: usize,
    ) -> Result<T, StorageFailure> {
        row.try_get(column)
            .map_err(|error| self.target().failure("read a projection", error))
    }

    fn checkpoint(&self, step: &mut Step<'_>, name: &str) -> Result<Vec<u64>, StorageFailure> {
        let mut positions = vec![0; PARTITIONS];
        for row in step.prepared("read a checkpoint", POSITIONS, &[&name])? {
            let part: i16 = self.projected(&row, 0)?;
            let slot = usize::try_from(part)
                .ok()
                .and_then(|part| positions.get_mut(part));
            if let Some(slot) = slot {
                *slot = unsigned(self.projected(&row, 1)?);
            }
        }
        Ok(positions)
    }
}

impl Projection<'_> {
    /// How it stands; `None` if it was never begun. It may be of another version.
    ///
    /// # Errors
    /// If the database cannot be reached in time.
    pub fn status(&self) -> Result<Option<ProjectionStatus>, StorageFailure> {
        let mut step = Step::begin(self.log.readers(), true)?;
        let found = self.find(&mut step, FIND);
        step.roll_back();
        found
    }

    /// Makes sure that it is of this version. If it is of an older one, or not there
    /// yet, it starts from the beginning: `clear` makes its tables, or empties them,
    /// in the transaction that resets its checkpoint. Whether it did.
    ///
    /// # Errors
    /// [`AdvanceError::OtherVersion`] if a newer version wrote it: that one is not
    /// undone by an old program, other than by [`rebuild`](Self::rebuild).
    pub fn begin<E: Display>(
        &self,
        clear: impl FnOnce(&mut Step<'_>) -> Result<(), E>,
    ) -> Result<bool, AdvanceError> {
        let mut step = Step::begin(self.log.readers(), true)?;
        let added = self.add(&mut step)?;
        match self.find(&mut step, HOLD)?.map(|status| status.version) {
            Some(found) if found == self.version && !added => {
                step.roll_back();
                Ok(false)
            }
            Some(found) if found > self.version => {
                step.roll_back();
                Err(self.other(Some(found)))
            }
            _ => self.start(step, clear).map(|()| true),
        }
    }

    /// Starts from the beginning, whatever it is: `clear` makes its tables, or
    /// empties them, in the transaction that resets its checkpoint.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn rebuild<E: Display>(
        &self,
        clear: impl FnOnce(&mut Step<'_>) -> Result<(), E>,
    ) -> Result<(), AdvanceError> {
        let mut step = Step::begin(self.log.readers(), true)?;
        self.add(&mut step)?;
        self.find(&mut step, HOLD)?;
        self.start(step, clear)
    }

    /// Applies the next page of at most `limit` records, and moves the checkpoint,
    /// in one transaction. `false` if there was nothing new. Another desk that
    /// advances the same projection waits and goes on after this page.
    ///
    /// A page that cannot be applied is undone and applied record by record, each
    /// as a page of its own, up to the one that cannot: there the projection stops.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn advance<E: Display>(
        &self,
        limit: usize,
        mut apply: impl FnMut(&mut Step<'_>, &Page) -> Result<(), E>,
    ) -> Result<bool, AdvanceError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit.into());
        }
        let mut step = Step::begin(self.log.readers(), true)?;
        let seen = match self.going_on(&mut step) {
            Ok(status) => status.cursor.positions(PARTITIONS).unwrap_or_default(),
            Err(refused) => {
                step.roll_back();
                return Err(refused);
            }
        };
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
        let (positions, stop) = match applied(&mut step, &page, &mut apply)? {
            Ok(()) => (page.next.positions(PARTITIONS).unwrap_or(seen), None),
            Err(_) => one_by_one(&mut step, page, seen, &mut apply)?,
        };
        self.go_to(&mut step, positions)?;
        if let Some((stop, partition)) = &stop {
            step.prepared(
                "stop a projection",
                STOP,
                &[
                    &self.name,
                    &part(*partition),
                    &signed(stop.position),
                    &stop.stream,
                    &signed(stop.stream_version),
                    &stop.reason,
                ],
            )?;
        }
        step.commit("commit a projection")?;
        match stop {
            None => Ok(true),
            Some((stop, _)) => Err(stop.of(&self.name)),
        }
    }

    /// Lets it go on after it stopped: the record that could not be applied is among
    /// the next. Whether it had stopped.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn go_on(&self) -> Result<bool, AdvanceError> {
        let mut step = Step::begin(self.log.readers(), true)?;
        let changed = step.prepared("let a projection go on", GO_ON, &[&self.name])?;
        step.commit("let a projection go on")?;
        Ok(!changed.is_empty())
    }

    /// Makes the row that is held, and whether it was missing.
    fn add(&self, step: &mut Step<'_>) -> Result<bool, StorageFailure> {
        let version = i64::from(self.version);
        let added = step.prepared("begin a projection", ADD, &[&self.name, &version])?;
        Ok(!added.is_empty())
    }

    fn start<E: Display>(
        &self,
        mut step: Step<'_>,
        clear: impl FnOnce(&mut Step<'_>) -> Result<(), E>,
    ) -> Result<(), AdvanceError> {
        if let Err(reason) = clear(&mut step) {
            let trouble = step.trouble();
            step.roll_back();
            return Err(match trouble {
                Some(trouble) => trouble.into(),
                None => AdvanceError::not_cleared(&self.name, reason),
            });
        }
        let version = i64::from(self.version);
        step.prepared("begin a projection", VERSION, &[&self.name, &version])?;
        step.prepared("reset a checkpoint", ADD_CHECKPOINT, &[&self.name])?;
        Ok(step.commit("begin a projection")?)
    }

    /// Holds it, and says how it stands, if it may go on.
    fn going_on(&self, step: &mut Step<'_>) -> Result<ProjectionStatus, AdvanceError> {
        match self.find(step, HOLD)? {
            Some(status) => status.going_on(self.version),
            None => Err(self.other(None)),
        }
    }

    fn find(
        &self,
        step: &mut Step<'_>,
        query: Query,
    ) -> Result<Option<ProjectionStatus>, StorageFailure> {
        let rows = step.prepared("read a projection", query, &[&self.name])?;
        rows.first()
            .map(|row| self.log.projection_status(step, row))
            .transpose()
    }

    fn go_to(&self, step: &mut Step<'_>, positions: Vec<u64>) -> Result<(), StorageFailure> {
        let parts: Vec<i16> = (0..PARTITIONS).map(part).collect();
        let positions: Vec<i64> = positions.into_iter().map(signed).collect();
        step.prepared("move a checkpoint", MOVE, &[&self.name, &parts, &positions])
            .map(drop)
    }

    fn other(&self, found: Option<u32>) -> AdvanceError {
        AdvanceError::other_version(&self.name, found, self.version)
    }
}

/// Applies a page, or leaves no trace of it. What is no fault of a record is an
/// error of its own: a connection that is lost, two transactions that collide.
fn applied<E: Display>(
    step: &mut Step<'_>,
    page: &Page,
    apply: &mut impl FnMut(&mut Step<'_>, &Page) -> Result<(), E>,
) -> Result<Result<(), E>, StorageFailure> {
    step.batch("SAVEPOINT page")?;
    let result = apply(step, page);
    if result.is_err() {
        if let Some(trouble) = step.trouble() {
            return Err(trouble);
        }
        step.batch("ROLLBACK TO page")?;
    }
    step.batch("RELEASE page")?;
    Ok(result)
}

/// Where a page ended: the positions that are applied, and the record that stopped
/// it with its partition.
type Ended = (Vec<u64>, Option<(Stop, usize)>);

/// Applies a page record by record, unless all could be after all.
fn one_by_one<E: Display>(
    step: &mut Step<'_>,
    page: Page,
    seen: Vec<u64>,
    apply: &mut impl FnMut(&mut Step<'_>, &Page) -> Result<(), E>,
) -> Result<Ended, StorageFailure> {
    let mut positions = seen;
    for record in page.records {
        let partition = partition_of(&record.stream);
        let mut next = positions.clone();
        if let Some(slot) = next.get_mut(partition) {
            *slot = record.position;
        }
        let single = Page {
            next: Cursor::from_positions(next.clone()),
            end: false,
            records: vec![record.clone()],
        };
        if let Err(reason) = applied(step, &single, apply)? {
            return Ok((positions, Some((Stop::at(&record, reason), partition))));
        }
        positions = next;
    }
    Ok((positions, None))
}
