//! Timetables in the database of the log, shared by several desks.
//!
//! What one desk holds, another passes over. The locks that say so are advisory
//! and not on the rows: whoever brings the timetable up to the log must be able to
//! change the rows of a stream while somebody announces what it has missed. They
//! end with their transaction, so what a desk held that died is free again.

use std::sync::PoisonError;

use thirdring_store::{
    Cursor, Due, Moment, MomentKind, StorageFailure, StreamId, StreamMoments, TimetableError,
    TimetableState, Timetables,
};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::conn::Query;
use crate::log::PostgresLog;
use crate::sql_types::{signed, unsigned};
use crate::step::Step;

const ADD: Query = Query {
    sql: "INSERT INTO timetable (name, cursor) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    types: &[Type::TEXT, Type::TEXT],
};

const FIND: Query = Query {
    sql: "SELECT timetable_no, cursor FROM timetable WHERE name = $1",
    types: &[Type::TEXT],
};

const LOCK: Query = Query {
    sql: "SELECT timetable_no, cursor FROM timetable WHERE name = $1 FOR UPDATE",
    types: &[Type::TEXT],
};

const MOVE: Query = Query {
    sql: "UPDATE timetable SET cursor = $2 WHERE timetable_no = $1",
    types: &[Type::INT4, Type::TEXT],
};

/// Removes the moments of kinds that some streams no longer have.
const DELETE: Query = Query {
    sql: "DELETE FROM moment AS m WHERE m.timetable_no = $1 AND m.stream = ANY ($2) \
          AND NOT EXISTS (SELECT FROM unnest($3, $4) AS n (stream, kind) \
              WHERE n.stream = m.stream AND n.kind = m.kind)",
    types: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
    ],
};

const INSERT: Query = Query {
    sql: "INSERT INTO moment AS m (timetable_no, stream, kind, at_us) \
          SELECT $1, n.stream, n.kind, n.at_us FROM unnest($2, $3, $4) AS n (stream, kind, at_us) \
          ON CONFLICT (timetable_no, stream, kind) DO UPDATE SET at_us = excluded.at_us \
          WHERE m.at_us <> excluded.at_us",
    types: &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
    ],
};

/// The rows behind the last that was seen.
macro_rules! due {
    () => {
        "SELECT m.at_us, m.stream FROM timetable AS t JOIN moment AS m USING (timetable_no) \
         WHERE t.name = $1 AND m.kind = $2 AND m.at_us <= $3 AND (m.at_us, m.stream) > ($4, $5) \
         ORDER BY m.at_us, m.stream LIMIT $6"
    };
}

const DUE: Query = Query {
    sql: due!(),
    types: &[
        Type::TEXT,
        Type::INT2,
        Type::INT8,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
    ],
};

/// The same rows, each with whether it could be held. They are chosen before any
/// is tried, so that no more are held than are handed over.
const HOLD: Query = Query {
    sql: concat!(
        "WITH due AS MATERIALIZED (",
        due!(),
        ") SELECT at_us, stream, \
         pg_try_advisory_xact_lock(hashtextextended($7 || stream, 0)) \
         FROM due ORDER BY at_us, stream"
    ),
    types: &[
        Type::TEXT,
        Type::INT2,
        Type::INT8,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
    ],
};

const FORGET_MOMENTS: Query = Query {
    sql: "DELETE FROM moment WHERE timetable_no = $1",
    types: &[Type::INT4],
};

const FORGET: Query = Query {
    sql: "DELETE FROM timetable WHERE timetable_no = $1",
    types: &[Type::INT4],
};

const LIST: Query = Query {
    sql: "SELECT t.name, t.cursor, (SELECT count(*) FROM moment AS m \
              WHERE m.timetable_no = t.timetable_no) \
          FROM timetable AS t ORDER BY t.name",
    types: &[],
};

impl PostgresLog {
    /// A value of a row of these queries.
    fn value<'r, T: FromSql<'r>>(&self, row: &'r Row, column: usize) -> Result<T, StorageFailure> {
        row.try_get(column)
            .map_err(|error| self.target().failure("read a timetable", error))
    }

    fn begin(&self) -> Result<Step<'_>, StorageFailure> {
        Step::begin(self.readers(), true)
    }

    /// A timetable's number and cursor.
    fn find(
        &self,
        step: &mut Step<'_>,
        query: Query,
        name: &str,
    ) -> Result<Option<(i32, String)>, StorageFailure> {
        let rows = step.prepared("read a timetable", query, &[&name])?;
        rows.first()
            .map(|row| Ok((self.value(row, 0)?, self.value(row, 1)?)))
            .transpose()
    }

    fn due_in(&self, name: &str, rows: &[Row]) -> Result<Vec<Due>, TimetableError> {
        rows.iter()
            .map(|row| {
                let stream: &str = self.value(row, 1)?;
                Ok(Due {
                    at: Moment::from_micros(self.value(row, 0)?),
                    stream: StreamId::new(stream)
                        .map_err(|error| TimetableError::damaged(name, self.place(), error))?,
                })
            })
            .collect()
    }
}

/// Behind everything that was seen; before the first there is no name.
fn behind(after: Option<&Due>) -> (i64, &str) {
    after.map_or((i64::MIN, ""), |due| (due.at.micros(), due.stream.as_str()))
}

impl Timetables for PostgresLog {
    fn cursor(&self, name: &str) -> Result<Cursor, TimetableError> {
        let mut step = self.begin()?;
        let found = self.find(&mut step, FIND, name)?;
        step.roll_back();
        match found {
            None => Ok(Cursor::start()),
            Some((_, text)) => TimetableError::cursor(name, self.place(), &text),
        }
    }

    fn replace(
        &self,
        name: &str,
        from: &Cursor,
        to: &Cursor,
        streams: &[StreamMoments],
    ) -> Result<(), TimetableError> {
        const DOING: &str = "change a timetable";
        let mut step = self.begin()?;
        let mut kept = self.find(&mut step, LOCK, name)?;
        if kept.is_none() {
            // Whoever comes second waits here, and then finds the row.
            step.prepared(DOING, ADD, &[&name, &Cursor::start().to_string()])?;
            kept = self.find(&mut step, LOCK, name)?;
        }
        let Some((number, text)) = kept else {
            // It was forgotten in between: then it stands at the start again.
            step.roll_back();
            return Err(TimetableError::Moved {
                found: Cursor::start(),
            });
        };
        let found = TimetableError::cursor(name, self.place(), &text)?;
        if found != *from {
            step.roll_back();
            return Err(TimetableError::Moved { found });
        }
        let changed: Vec<&str> = streams
            .iter()
            .map(|change| change.stream.as_str())
            .collect();
        let (mut names, mut kinds, mut moments) = (Vec::new(), Vec::new(), Vec::new());
        for change in streams {
            for (kind, moment) in &change.moments {
                names.push(change.stream.as_str());
                kinds.push(i16::from(kind.0));
                moments.push(moment.micros());
            }
        }
        step.prepared(DOING, DELETE, &[&number, &changed, &names, &kinds])?;
        step.prepared(DOING, INSERT, &[&number, &names, &kinds, &moments])?;
        step.prepared(DOING, MOVE, &[&number, &to.to_string()])?;
        Ok(step.commit(DOING)?)
    }

    fn due(
        &self,
        name: &str,
        kind: MomentKind,
        until: Moment,
        after: Option<&Due>,
        limit: usize,
    ) -> Result<Vec<Due>, TimetableError> {
        let (at, stream) = behind(after);
        let limit = signed(limit as u64);
        let mut step = self.begin()?;
        let rows = step.prepared(
            "look for what is due",
            DUE,
            &[
                &name,
                &i16::from(kind.0),
                &until.micros(),
                &at,
                &stream,
                &limit,
            ],
        )?;
        step.roll_back();
        self.due_in(name, &rows)
    }

    fn hold(
        &self,
        name: &str,
        kind: MomentKind,
        until: Moment,
        after: Option<&Due>,
        limit: usize,
        work: &mut dyn FnMut(&[Due]),
    ) -> Result<Option<Due>, TimetableError> {
        // One at a time, because each needs a connection beside those of the work.
        let alone = self.holding().lock();
        let _alone = alone.unwrap_or_else(PoisonError::into_inner);
        let (at, stream) = behind(after);
        // Locks are of the whole database, schemas are not.
        let key = format!("thirdring moment {} {name} ", self.target().schema());
        let mut step = self.begin()?;
        let rows = step.prepared(
            "hold what is due",
            HOLD,
            &[
                &name,
                &i16::from(kind.0),
                &until.micros(),
                &at,
                &stream,
                &signed(limit as u64),
                &key,
            ],
        )?;
        let due = self.due_in(name, &rows)?;
        let mut held = Vec::with_capacity(due.len());
        for (row, due) in rows.iter().zip(&due) {
            if self.value(row, 2)? {
                held.push(due.clone());
            }
        }
        if !held.is_empty() {
            work(&held);
        }
        // Nothing was written; the locks end here.
        step.roll_back();
        Ok(due.into_iter().nth(limit.saturating_sub(1)))
    }

    fn shares_out(&self) -> bool {
        true
    }

    fn forget(&self, name: &str) -> Result<(), TimetableError> {
        const DOING: &str = "forget a timetable";
        let mut step = self.begin()?;
        let Some((number, _)) = self.find(&mut step, LOCK, name)? else {
            step.roll_back();
            return Ok(());
        };
        step.prepared(DOING, FORGET_MOMENTS, &[&number])?;
        step.prepared(DOING, FORGET, &[&number])?;
        Ok(step.commit(DOING)?)
    }

    fn list(&self) -> Result<Vec<TimetableState>, TimetableError> {
        let mut step = self.begin()?;
        let rows = step.prepared("list the timetables", LIST, &[])?;
        step.roll_back();
        rows.iter()
            .map(|row| {
                let cursor: &str = self.value(row, 1)?;
                Ok(TimetableState {
                    name: self.value(row, 0)?,
                    cursor: cursor.parse().ok(),
                    moments: unsigned(self.value(row, 2)?),
                })
            })
            .collect()
    }
}
