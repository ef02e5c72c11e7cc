//! Reading rows: the queries, and records from rows that are checked, because a
//! row that is not as it was written must never pass for the end.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::open::failure;
use crate::cursor::Cursor;
use crate::judge::{Head, Ledger};
use crate::limits::Limits;
use crate::read::{Page, ReadError, StreamPage};
use crate::record::{RecordId, StoredRecord};
use crate::stream::StreamId;

/// The columns every query gives, in the order [`Rows::record`] reads them.
macro_rules! select_records {
    ($rest:literal) => {
        concat!(
            "SELECT position, stream_no, version, id, has_personal, body, ",
            "CASE has_personal WHEN 0 THEN NULL ELSE ",
            "(SELECT bytes FROM personal WHERE personal.position = records.position) END ",
            "FROM records ",
            $rest
        )
    };
}

// The plus before a parameter keeps SQLite from looking at its value while it
// plans; otherwise it may prepare the statement anew for every other value.
const SCAN: &str = select_records!("WHERE position > +?1 ORDER BY position LIMIT +?2");
const FORWARD: &str =
    select_records!("WHERE stream_no = +?1 AND version >= ?2 ORDER BY version LIMIT +?3");
const BACKWARD: &str =
    select_records!("WHERE stream_no = +?1 AND version <= ?2 ORDER BY version DESC LIMIT +?3");
const FIND: &str = select_records!("WHERE id = ?1");
const LAST: &str = "SELECT max(position) FROM records";
const NUMBER: &str = "SELECT stream_no FROM streams WHERE stream = ?1";
const NAME: &str = "SELECT stream FROM streams WHERE stream_no = +?1";
const NAMES: &str = "SELECT stream FROM streams WHERE stream > +?1 ORDER BY stream LIMIT +?2";
const HEAD: &str =
    "SELECT version FROM records WHERE stream_no = +?1 ORDER BY version DESC LIMIT 1";

/// All of them, to be tried for how SQLite runs them.
#[cfg(test)]
pub(super) const ALL: [&str; 9] = [
    SCAN, FORWARD, BACKWARD, FIND, LAST, NUMBER, NAME, NAMES, HEAD,
];

/// A view of the tables through one connection.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    path: &'c Path,
}

/// Which way a stream is read.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Forward,
    Backward,
}

impl<'c> Rows<'c> {
    pub(super) fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Self { connection, path }
    }

    fn failed(&self, error: rusqlite::Error) -> ReadError {
        failure("read the log", self.path, error).into()
    }

    fn damaged(&self, position: i64, what: impl Into<String>) -> ReadError {
        ReadError::Damaged {
            position: unsigned(position),
            place: self.path.display().to_string(),
            what: what.into(),
        }
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, ReadError> {
        self.connection
            .prepare_cached(sql)
            .map_err(|error| self.failed(error))
    }

    /// Lets everything that `read` reads be as of one moment.
    pub(super) fn at_one_moment<T>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let transaction = self
            .connection
            .unchecked_transaction()
            .map_err(|error| self.failed(error))?;
        let found = read(self)?;
        transaction.commit().map_err(|error| self.failed(error))?;
        Ok(found)
    }

    /// Last position of the log, 0 if it is empty.
    pub(super) fn last(&self) -> Result<u64, ReadError> {
        let last: Option<i64> = self
            .prepare(LAST)?
            .query_row([], |row| row.get(0))
            .map_err(|error| self.failed(error))?;
        Ok(unsigned(last.unwrap_or(0)))
    }

    /// The stream's number, if it has records.
    pub(super) fn number(&self, stream: &StreamId) -> Result<Option<i64>, ReadError> {
        self.prepare(NUMBER)?
            .query_row([stream.as_str()], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(error))
    }

    /// The names of the streams after one, byte by byte.
    pub(super) fn streams(
        &self,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<StreamId>, ReadError> {
        // No name is empty, so all come after the empty one.
        let after = after.map_or("", StreamId::as_str);
        let mut statement = self.prepare(NAMES)?;
        let mut rows = statement
            .query(params![after, signed(limit as u64)])
            .map_err(|error| self.failed(error))?;
        let mut names = Vec::new();
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let name: String = row.get(0).map_err(|error| self.failed(error))?;
            let name = StreamId::new(&name)
                .map_err(|error| self.damaged(0, format!("a stream's name: {error}")))?;
            names.push(name);
        }
        Ok(names)
    }

    /// Last version of the stream with this number.
    pub(super) fn head_of(&self, number: i64) -> Result<u64, ReadError> {
        let head: Option<i64> = self
            .prepare(HEAD)?
            .query_row([number], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(error))?;
        match head {
            Some(head) => Ok(unsigned(head)),
            None => Err(self.damaged(0, format!("stream number {number} has lost its records"))),
        }
    }

    /// A page of the whole log.
    pub(super) fn scan(&self, position: u64, limit: usize) -> Result<Page, ReadError> {
        let mut statement = self.prepare(SCAN)?;
        let mut cut = Cut::new(limit);
        let mut names = HashMap::new();
        let mut previous = signed(position);
        let mut rows = statement
            .query([previous, cut.rows_wanted()])
            .map_err(|error| self.failed(error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let at = self.integer(row, 0, previous)?;
            let due = previous.saturating_add(1);
            if at != due {
                return Err(self.damaged(due, "the record is missing"));
            }
            if cut.is_full() {
                return Ok(cut.page(unsigned(previous), false));
            }
            let number = self.integer(row, 1, at)?;
            let stream = match names.get(&number) {
                Some(stream) => stream,
                None => names.entry(number).or_insert(self.name(number, at)?),
            };
            cut.push(self.record(row, at, stream.clone())?);
            previous = at;
        }
        if cut.records.is_empty() && position > 0 {
            let last = self.last()?;
            if last < position {
                return Err(ReadError::CursorAhead {
                    cursor: position,
                    last,
                });
            }
        }
        Ok(cut.page(unsigned(previous), true))
    }

    /// A page of one stream.
    pub(super) fn read(
        &self,
        stream: &StreamId,
        from: u64,
        way: Way,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        let Some(number) = self.number(stream)? else {
            let next = match way {
                Way::Forward => from.max(1),
                Way::Backward => 0,
            };
            return Ok(StreamPage {
                records: Vec::new(),
                next,
                end: true,
            });
        };
        let (sql, mut due) = match way {
            Way::Forward => (FORWARD, signed(from.max(1))),
            // Reading down, the first version is whatever the last one is.
            Way::Backward => (BACKWARD, signed(from).min(signed(self.head_of(number)?))),
        };
        let mut statement = self.prepare(sql)?;
        let mut cut = Cut::new(limit);
        let mut rows = statement
            .query([number, due, cut.rows_wanted()])
            .map_err(|error| self.failed(error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let at = self.integer(row, 0, 0)?;
            let version = self.integer(row, 2, at)?;
            if version != due {
                return Err(
                    self.damaged(at, format!("version {due} of stream {stream} is missing"))
                );
            }
            if cut.is_full() {
                return Ok(StreamPage {
                    records: cut.records,
                    next: unsigned(due),
                    end: false,
                });
            }
            cut.push(self.record(row, at, stream.clone())?);
            due = match way {
                Way::Forward => due.saturating_add(1),
                Way::Backward => due.saturating_sub(1),
            };
        }
        let next = match way {
            Way::Backward if due > 0 => {
                return Err(self.damaged(0, format!("version {due} of stream {stream} is missing")));
            }
            // As it was asked for, even if that is beyond the range of a row.
            Way::Forward if cut.records.is_empty() => from.max(1),
            Way::Forward | Way::Backward => unsigned(due),
        };
        Ok(StreamPage {
            records: cut.records,
            next,
            end: true,
        })
    }

    fn record(
        &self,
        row: &Row<'_>,
        position: i64,
        stream: StreamId,
    ) -> Result<StoredRecord, ReadError> {
        let id = self.blob(row, 3, position)?;
        let Ok(id) = <[u8; 16]>::try_from(id) else {
            return Err(self.damaged(position, format!("the id has {} bytes, not 16", id.len())));
        };
        let personal = match self.integer(row, 4, position)? {
            0 => None,
            1 => Some(self.blob(row, 6, position)?.to_vec()),
            other => return Err(self.damaged(position, format!("has_personal is {other}"))),
        };
        Ok(StoredRecord {
            position: unsigned(position),
            stream,
            version: unsigned(self.integer(row, 2, position)?),
            id: RecordId(id),
            body: self.blob(row, 5, position)?.to_vec(),
            personal,
        })
    }

    fn name(&self, number: i64, position: i64) -> Result<StreamId, ReadError> {
        let name: Option<String> = self
            .prepare(NAME)?
            .query_row([number], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(error))?;
        let Some(name) = name else {
            return Err(self.damaged(position, format!("stream number {number} has no name")));
        };
        StreamId::new(&name)
            .map_err(|error| self.damaged(position, format!("stream number {number}: {error}")))
    }

    fn integer(&self, row: &Row<'_>, column: usize, position: i64) -> Result<i64, ReadError> {
        match row.get_ref(column).map_err(|error| self.failed(error))? {
            ValueRef::Integer(number) => Ok(number),
            other => Err(self.damaged(position, wrong_type(column, "a number", other))),
        }
    }

    fn blob<'r>(
        &self,
        row: &'r Row<'_>,
        column: usize,
        position: i64,
    ) -> Result<&'r [u8], ReadError> {
        match row.get_ref(column).map_err(|error| self.failed(error))? {
            ValueRef::Blob(bytes) => Ok(bytes),
            other => Err(self.damaged(position, wrong_type(column, "bytes", other))),
        }
    }
}

fn wrong_type(column: usize, wanted: &str, found: ValueRef<'_>) -> String {
    let names = [
        "position",
        "stream_no",
        "version",
        "id",
        "has_personal",
        "body",
        "personal",
    ];
    let name = names.get(column).copied().unwrap_or("column");
    format!("{name} is {}, not {wanted}", found.data_type())
}

impl Ledger for Rows<'_> {
    /// The stream's number, `None` if it has none yet.
    type Handle = Option<i64>;

    fn find(&self, id: RecordId) -> Result<Option<StoredRecord>, ReadError> {
        let mut statement = self.prepare(FIND)?;
        let mut rows = statement
            .query([id.0])
            .map_err(|error| self.failed(error))?;
        match rows.next().map_err(|error| self.failed(error))? {
            None => Ok(None),
            Some(row) => {
                let position = self.integer(row, 0, 0)?;
                let stream = self.name(self.integer(row, 1, position)?, position)?;
                self.record(row, position, stream).map(Some)
            }
        }
    }

    fn head(&self, stream: &StreamId) -> Result<Head<Self::Handle>, ReadError> {
        let handle = self.number(stream)?;
        let version = handle.map_or(Ok(0), |number| self.head_of(number))?;
        Ok(Head { version, handle })
    }

    fn page(&self, stream: &StreamId, from: u64, limit: usize) -> Result<StreamPage, ReadError> {
        self.read(stream, from, Way::Forward, limit)
    }
}

/// Collects the records of one page.
struct Cut {
    records: Vec<StoredRecord>,
    limit: usize,
    bytes: usize,
}

impl Cut {
    fn new(limit: usize) -> Self {
        Self {
            records: Vec::new(),
            limit: limit.min(Limits::DEFAULT.page_records),
            bytes: 0,
        }
    }

    /// One more than fits: it tells whether the page is the end.
    fn rows_wanted(&self) -> i64 {
        i64::try_from(self.limit)
            .unwrap_or(i64::MAX)
            .saturating_add(1)
    }

    fn is_full(&self) -> bool {
        self.records.len() >= self.limit || self.bytes >= Limits::DEFAULT.page_bytes
    }

    fn push(&mut self, record: StoredRecord) {
        self.bytes = self.bytes.saturating_add(record.content_bytes());
        self.records.push(record);
    }

    fn page(self, last: u64, end: bool) -> Page {
        Page {
            records: self.records,
            next: Cursor::from_positions(vec![last]),
            end,
        }
    }
}

/// A number as SQLite keeps it; what is beyond its range is beyond every row.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as SQLite gave it; rows are numbered from 1.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
