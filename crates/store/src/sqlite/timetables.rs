//! Timetables in the file of the log, beside it.

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteLog;
use super::commit::{DeriveError, Ending};
use super::open::failure;
use crate::cursor::Cursor;
use crate::due_index::Moment;
use crate::stream::StreamId;
use crate::timetable::{
    Due, MomentKind, StreamMoments, TimetableError, TimetableState, Timetables,
};

const FIND: &str = "SELECT timetable_no, cursor FROM timetables WHERE name = ?1";
const ADD: &str = "INSERT INTO timetables (name, cursor) VALUES (?1, ?2)";
const MOVE: &str = "UPDATE timetables SET cursor = ?2 WHERE timetable_no = ?1";
const KEPT: &str =
    "SELECT kind, at_us FROM moments WHERE timetable_no = ?1 AND stream = ?2 ORDER BY kind";
const INSERT: &str =
    "INSERT INTO moments (timetable_no, stream, kind, at_us) VALUES (?1, ?2, ?3, ?4)";
const DELETE: &str = "DELETE FROM moments WHERE timetable_no = ?1 AND stream = ?2";
// Through the index alone, in its order. The pluses keep SQLite from planning by
// the values.
const DUE: &str = "SELECT at_us, stream FROM moments \
    WHERE timetable_no = +?1 AND kind = +?2 AND at_us <= +?3 \
    ORDER BY at_us, stream LIMIT +?4";
const DUE_AFTER: &str = "SELECT at_us, stream FROM moments \
    WHERE timetable_no = +?1 AND kind = +?2 AND at_us <= +?3 \
    AND (at_us, stream) > (+?5, +?6) \
    ORDER BY at_us, stream LIMIT +?4";

/// All that are asked again and again, to be tried for how SQLite runs them.
#[cfg(test)]
pub(super) const ALL: [&str; 5] = [FIND, KEPT, DELETE, DUE, DUE_AFTER];

impl SqliteLog {
    /// Changes a timetable, in a transaction of its own. What `work` refuses is
    /// undone.
    fn change(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<Result<(), TimetableError>>,
    ) -> Result<(), TimetableError> {
        let done = self.writer.between_groups(|committer| {
            committer.derive(doing, |connection| {
                Ok(match work(connection)? {
                    Ok(()) => Ending::Commit(Ok(())),
                    Err(refused) => Ending::RollBack(Err(refused)),
                })
            })
        });
        match done {
            Ok(result) => result,
            Err(DeriveError::Busy { place }) => Err(TimetableError::Busy { place }),
            Err(DeriveError::Poisoned(cause)) => Err(TimetableError::Poisoned(cause)),
            Err(DeriveError::Storage(cause)) => Err(TimetableError::Storage(cause)),
        }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

impl Timetables for SqliteLog {
    fn cursor(&self, name: &str) -> Result<Cursor, TimetableError> {
        let kept = self.readers.with_connection(|connection| {
            find(connection, name).map_err(|error| failure("read a timetable", &self.path, error))
        })?;
        match kept {
            None => Ok(Cursor::start()),
            Some((_, text)) => TimetableError::cursor(name, &self.place(), &text),
        }
    }

    fn replace(
        &self,
        name: &str,
        from: &Cursor,
        to: &Cursor,
        streams: &[StreamMoments],
    ) -> Result<(), TimetableError> {
        self.change("change a timetable", |connection| {
            let kept = find(connection, name)?;
            let found = match &kept {
                None => Cursor::start(),
                Some((_, text)) => match TimetableError::cursor(name, &self.place(), text) {
                    Ok(cursor) => cursor,
                    Err(damaged) => return Ok(Err(damaged)),
                },
            };
            if found != *from {
                return Ok(Err(TimetableError::Moved { found }));
            }
            let number = match kept {
                Some((number, _)) => number,
                None => connection
                    .prepare_cached(ADD)?
                    .insert(params![name, Cursor::start().to_string()])?,
            };
            for change in streams {
                set(connection, number, change)?;
            }
            connection
                .prepare_cached(MOVE)?
                .execute(params![number, to.to_string()])?;
            Ok(Ok(()))
        })
    }

    fn due(
        &self,
        name: &str,
        kind: MomentKind,
        until: Moment,
        after: Option<&Due>,
        limit: usize,
    ) -> Result<Vec<Due>, TimetableError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |connection: &Connection| -> rusqlite::Result<Vec<(i64, String)>> {
            let Some((number, _)) = find(connection, name)? else {
                return Ok(Vec::new());
            };
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let until = until.micros();
            match after {
                None => connection
                    .prepare_cached(DUE)?
                    .query_map(params![number, kind.0, until, limit], row)?
                    .collect(),
                Some(after) => connection
                    .prepare_cached(DUE_AFTER)?
                    .query_map(
                        params![
                            number,
                            kind.0,
                            until,
                            limit,
                            after.at.micros(),
                            after.stream.as_str()
                        ],
                        row,
                    )?
                    .collect(),
            }
        };
        let rows = self.readers.with_connection(|connection| {
            read(connection).map_err(|error| failure("read a timetable", &self.path, error))
        })?;
        rows.into_iter()
            .map(|(at, stream)| {
                let stream = StreamId::new(&stream)
                    .map_err(|error| TimetableError::damaged(name, self.place(), error))?;
                Ok(Due {
                    at: Moment::from_micros(at),
                    stream,
                })
            })
            .collect()
    }

    fn forget(&self, name: &str) -> Result<(), TimetableError> {
        self.change("forget a timetable", |connection| {
            if let Some((number, _)) = find(connection, name)? {
                connection.execute("DELETE FROM moments WHERE timetable_no = ?1", [number])?;
                connection.execute("DELETE FROM timetables WHERE timetable_no = ?1", [number])?;
            }
            Ok(Ok(()))
        })
    }

    fn list(&self) -> Result<Vec<TimetableState>, TimetableError> {
        let read = |connection: &Connection| -> rusqlite::Result<Vec<(String, String, i64)>> {
            connection
                .prepare_cached(
                    "SELECT name, cursor, (SELECT count(*) FROM moments \
                     WHERE moments.timetable_no = timetables.timetable_no) \
                     FROM timetables ORDER BY name",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        };
        let rows = self.readers.with_connection(|connection| {
            read(connection).map_err(|error| failure("list the timetables", &self.path, error))
        })?;
        Ok(rows
            .into_iter()
            .map(|(name, cursor, moments)| TimetableState {
                name,
                cursor: cursor.parse().ok(),
                moments: u64::try_from(moments).unwrap_or(0),
            })
            .collect())
    }
}

/// A timetable's number and the text of its cursor.
fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached(FIND)?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Replaces what is kept of a stream, unless it is the same.
fn set(connection: &Connection, number: i64, change: &StreamMoments) -> rusqlite::Result<()> {
    let stream = change.stream.as_str();
    let mut wanted: Vec<(u8, i64)> = change
        .moments
        .iter()
        .map(|(kind, moment)| (kind.0, moment.micros()))
        .collect();
    wanted.sort_unstable();
    let kept: Vec<(u8, i64)> = connection
        .prepare_cached(KEPT)?
        .query_map(params![number, stream], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    if kept == wanted {
        return Ok(());
    }
    if !kept.is_empty() {
        connection
            .prepare_cached(DELETE)?
            .execute(params![number, stream])?;
    }
    for (kind, at) in wanted {
        connection
            .prepare_cached(INSERT)?
            .execute(params![number, stream, kind, at])?;
    }
    Ok(())
}
