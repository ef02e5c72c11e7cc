//! Projections in the file of the log, with their checkpoint in the same
//! transaction as what they write.

use std::fmt::Display;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteLog;
use super::commit::{DeriveError, Ending};
use super::open::failure;
use super::rows::{Rows, signed};
use super::step::{SqliteStep, permitted};
use crate::cursor::Cursor;
use crate::failure::StorageFailure;
use crate::projection::{AdvanceError, ProjectionStatus, Stop};
use crate::read::{Page, ReadError};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, version, position, \
             stopped_at, stopped_stream, stopped_version, stopped_reason FROM projections ",
            $rest
        )
    };
}

const FIND: &str = select!("WHERE name = ?1");
const ALL: &str = select!("ORDER BY name");
const BEGIN: &str =
    "INSERT OR REPLACE INTO projections (name, version, position) VALUES (?1, ?2, 0)";
const MOVE: &str = "UPDATE projections SET position = ?2, stopped_at = ?3, stopped_stream = ?4, \
    stopped_version = ?5, stopped_reason = ?6 WHERE name = ?1";
const GO_ON: &str = "UPDATE projections SET stopped_at = NULL, stopped_stream = NULL, \
    stopped_version = NULL, stopped_reason = NULL WHERE name = ?1 AND stopped_at IS NOT NULL";

/// A projection of a name, in one version: what another version wrote is not gone on
/// with.
///
/// While a projection works, appends to the log wait: pages should be small.
#[derive(Debug)]
pub struct SqliteProjection<'l> {
    log: &'l SqliteLog,
    name: String,
    version: u32,
}

/// What a transaction came to.
type Outcome<T> = Result<T, AdvanceError>;

impl SqliteLog {
    /// The projection of this name, as this version writes it. Several processes may
    /// use it; one at a time goes on.
    #[must_use]
    pub fn projection(&self, name: impl Into<String>, version: u32) -> SqliteProjection<'_> {
        SqliteProjection {
            log: self,
            name: name.into(),
            version,
        }
    }

    /// How all projections in the file stand, by name.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn projections(&self) -> Result<Vec<ProjectionStatus>, StorageFailure> {
        self.readers.with_connection(|connection| {
            let read = || -> rusqlite::Result<Vec<ProjectionStatus>> {
                connection
                    .prepare_cached(ALL)?
                    .query_map([], status)?
                    .collect()
            };
            read().map_err(|error| failure("list the projections", &self.path, error))
        })
    }
}

impl SqliteProjection<'_> {
    /// How it stands; `None` if it was never begun. It may be of another version.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn status(&self) -> Result<Option<ProjectionStatus>, StorageFailure> {
        self.log.readers.with_connection(|connection| {
            find(connection, &self.name)
                .map_err(|error| failure("read a projection", &self.log.path, error))
        })
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
        clear: impl FnOnce(&mut SqliteStep<'_>) -> Result<(), E>,
    ) -> Result<bool, AdvanceError> {
        self.change("begin a projection", |connection| {
            let found = find(connection, &self.name)?.map(|status| status.version);
            match found {
                Some(found) if found == self.version => Ok(Ending::RollBack(Ok(false))),
                Some(found) if found > self.version => {
                    Ok(Ending::RollBack(Err(self.other(Some(found)))))
                }
                _ => self.start(connection, clear),
            }
        })
    }

    /// Starts from the beginning, whatever it is: `clear` makes its tables, or
    /// empties them, in the transaction that resets its checkpoint.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn rebuild<E: Display>(
        &self,
        clear: impl FnOnce(&mut SqliteStep<'_>) -> Result<(), E>,
    ) -> Result<(), AdvanceError> {
        self.change("rebuild a projection", |connection| {
            self.start(connection, clear)
        })
        .map(drop)
    }

    /// Applies the next page of at most `limit` records, and moves the checkpoint,
    /// in one transaction. `false` if there was nothing new.
    ///
    /// A page that cannot be applied is undone and applied record by record, each
    /// as a page of its own, up to the one that cannot: there the projection stops.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn advance<E: Display>(
        &self,
        limit: usize,
        mut apply: impl FnMut(&mut SqliteStep<'_>, &Page) -> Result<(), E>,
    ) -> Result<bool, AdvanceError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit.into());
        }
        self.change("advance a projection", |connection| {
            let seen = match self.going_on(connection)? {
                Ok(status) => status.cursor.single().unwrap_or(0),
                Err(refused) => return Ok(Ending::RollBack(Err(refused))),
            };
            let page = match Rows::new(connection, &self.log.path).scan(seen, limit) {
                Ok(page) => page,
                Err(error) => return Ok(Ending::RollBack(Err(error.into()))),
            };
            if page.records.is_empty() {
                return Ok(Ending::RollBack(Ok(false)));
            }
            let whole = applied(connection, &page, &mut apply)?;
            let (position, stop) = match whole {
                Ok(()) => (page.next.single().unwrap_or(seen), None),
                Err(_) => one_by_one(connection, page, seen, &mut apply)?,
            };
            let at = stop.as_ref();
            connection.prepare_cached(MOVE)?.execute(params![
                self.name,
                signed(position),
                at.map(|stop| signed(stop.position)),
                at.map(|stop| &stop.stream),
                at.map(|stop| signed(stop.stream_version)),
                at.map(|stop| &stop.reason),
            ])?;
            Ok(Ending::Commit(match stop {
                None => Ok(true),
                Some(stop) => Err(stop.of(&self.name)),
            }))
        })
    }

    /// Lets it go on after it stopped: the record that could not be applied is the
    /// next. Whether it had stopped.
    ///
    /// # Errors
    /// [`AdvanceError`].
    pub fn go_on(&self) -> Result<bool, AdvanceError> {
        self.change("let a projection go on", |connection| {
            let changed = connection.execute(GO_ON, [&self.name])?;
            Ok(Ending::Commit(Ok(changed > 0)))
        })
    }

    fn start<E: Display>(
        &self,
        connection: &mut Connection,
        clear: impl FnOnce(&mut SqliteStep<'_>) -> Result<(), E>,
    ) -> rusqlite::Result<Ending<Outcome<bool>>> {
        if let Err(reason) = permitted(connection, clear)? {
            return Ok(Ending::RollBack(Err(AdvanceError::not_cleared(
                &self.name, reason,
            ))));
        }
        connection.execute(BEGIN, params![self.name, self.version])?;
        Ok(Ending::Commit(Ok(true)))
    }

    /// How it stands, if it may go on.
    fn going_on(&self, connection: &Connection) -> rusqlite::Result<Outcome<ProjectionStatus>> {
        Ok(match find(connection, &self.name)? {
            Some(status) => status.going_on(self.version),
            None => Err(self.other(None)),
        })
    }

    fn other(&self, found: Option<u32>) -> AdvanceError {
        AdvanceError::other_version(&self.name, found, self.version)
    }

    fn change<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<Ending<Outcome<T>>>,
    ) -> Outcome<T> {
        let done = self
            .log
            .writer
            .between_groups(|committer| committer.derive(doing, work));
        match done {
            Ok(outcome) => outcome,
            Err(DeriveError::Busy { place }) => Err(AdvanceError::Busy { place }),
            Err(DeriveError::Poisoned(cause)) => Err(AdvanceError::Poisoned(cause)),
            Err(DeriveError::Storage(cause)) => Err(AdvanceError::Storage(cause)),
        }
    }
}

fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<ProjectionStatus>> {
    connection
        .prepare_cached(FIND)?
        .query_row([name], status)
        .optional()
}

fn status(row: &Row<'_>) -> rusqlite::Result<ProjectionStatus> {
    let number = |column: usize| -> rusqlite::Result<u64> {
        Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
    };
    let stopped = match row.get::<_, Option<i64>>(3)? {
        None => None,
        Some(_) => Some(Stop {
            position: number(3)?,
            stream: row.get(4)?,
            stream_version: number(5)?,
            reason: row.get(6)?,
        }),
    };
    Ok(ProjectionStatus {
        name: row.get(0)?,
        version: row.get(1)?,
        cursor: Cursor::from_positions(vec![number(2)?]),
        stopped,
    })
}

/// Applies a page, or leaves no trace of it.
fn applied<E: Display>(
    connection: &mut Connection,
    page: &Page,
    apply: &mut impl FnMut(&mut SqliteStep<'_>, &Page) -> Result<(), E>,
) -> rusqlite::Result<Result<(), E>> {
    connection.execute_batch("SAVEPOINT page")?;
    let result = permitted(connection, |step| apply(step, page))?;
    if result.is_err() {
        connection.execute_batch("ROLLBACK TO page")?;
    }
    connection.execute_batch("RELEASE page")?;
    Ok(result)
}

/// Applies a page record by record: the last position that was applied, and where
/// it stopped, unless all could be after all.
fn one_by_one<E: Display>(
    connection: &mut Connection,
    page: Page,
    seen: u64,
    apply: &mut impl FnMut(&mut SqliteStep<'_>, &Page) -> Result<(), E>,
) -> rusqlite::Result<(u64, Option<Stop>)> {
    let mut position = seen;
    for record in page.records {
        let at = record.position;
        let single = Page {
            records: vec![record.clone()],
            next: Cursor::from_positions(vec![at]),
            end: false,
        };
        if let Err(reason) = applied(connection, &single, apply)? {
            return Ok((position, Some(Stop::at(&record, reason))));
        }
        position = at;
    }
    Ok((position, None))
}
