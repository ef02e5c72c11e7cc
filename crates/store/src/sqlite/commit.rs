//! One durable commit for a group of batches.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, params};

use super::open::{failure, is_busy};
use super::rows::{Rows, signed};
use crate::append::{AppendError, Appended, CheckedBatch, Place};
use crate::arrivals::Arrivals;
use crate::completion::Answer;
use crate::failure::StorageFailure;
use crate::judge::{Head, Judged, judge};
use crate::limits::Limits;
use crate::record::NewRecord;

/// Pages of WAL after which the writer moves them into the database file.
/// Larger means fewer pages written twice, and a longer recovery after a crash.
pub(super) const CHECKPOINT_PAGES: u64 = 1_000;

/// Estimate of the pages a record dirties beyond its own bytes: the end of the
/// table and a leaf of each index. Corrected by what each checkpoint reports.
const PAGES_PER_RECORD: u64 = 3;

const INSERT_STREAM: &str = "INSERT INTO streams (stream) VALUES (?1)";
const INSERT_RECORD: &str = "INSERT INTO records \
    (position, stream_no, version, id, has_personal, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_PERSONAL: &str = "INSERT INTO personal (position, bytes) VALUES (?1, ?2)";

/// A batch and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) batch: CheckedBatch,
    pub(super) answer: Answer,
}

/// The connection that writes. Whoever holds it leads the group.
#[derive(Debug)]
pub(super) struct Committer {
    connection: Connection,
    path: PathBuf,
    limits: Limits,
    arrivals: Arc<Arrivals>,
    /// The first failed write; the log refuses writes from then on, because what
    /// a failed sync left on the medium cannot be known.
    poison: Option<StorageFailure>,
    wal_pages: u64,
}

type Answered = Vec<(Answer, Result<Appended, AppendError>)>;

impl Committer {
    pub(super) fn new(
        connection: Connection,
        path: PathBuf,
        limits: Limits,
        arrivals: Arc<Arrivals>,
    ) -> Self {
        Self {
            connection,
            path,
            limits,
            arrivals,
            poison: None,
            wal_pages: 0,
        }
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Judges, writes and answers every request. One that is refused does not
    /// harm the others: refusals are found before anything of it is written.
    pub(super) fn run(&mut self, group: Vec<Request>) {
        if let Some(cause) = &self.poison {
            for request in group {
                request
                    .answer
                    .give(Err(AppendError::Poisoned(cause.clone())));
            }
            return;
        }
        let mut answered = Vec::with_capacity(group.len());
        let mut waiting = group.into_iter();
        match self.transact(&mut waiting, &mut answered) {
            Ok(()) => {
                for (answer, result) in answered {
                    answer.give(result);
                }
                self.checkpoint_when_due();
            }
            Err(Failed { failure, error }) => {
                if let Some(failure) = failure {
                    self.poison = Some(failure);
                }
                let answers = answered.into_iter().map(|(answer, _)| answer);
                for answer in answers.chain(waiting.map(|request| request.answer)) {
                    answer.give(Err(error.clone()));
                }
            }
        }
    }

    /// Writes something derived from the log, in a transaction of its own.
    ///
    /// It never makes the log unusable by a mistake of its own, nor by a full disk:
    /// both are undone without a trace. Only where reading or writing the file
    /// failed is it not known what a sync would have left, and then the log refuses
    /// writes as after a failure of its own.
    pub(super) fn derive<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<Ending<T>>,
    ) -> Result<T, DeriveError> {
        if let Some(cause) = &self.poison {
            return Err(DeriveError::Poisoned(cause.clone()));
        }
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            return Err(if is_busy(&error) {
                DeriveError::Busy {
                    place: self.path.display().to_string(),
                }
            } else {
                DeriveError::Storage(failure(doing, &self.path, error))
            });
        }
        // Dropped on a panic of the work as well.
        let undone = Undone(&mut self.connection);
        let done = work(undone.0).and_then(|ending| {
            match &ending {
                Ending::Commit(_) => undone.0.execute_batch("COMMIT")?,
                Ending::RollBack(_) => {}
            }
            Ok(ending)
        });
        drop(undone);
        match done {
            Ok(Ending::Commit(value)) => {
                self.count_wal();
                self.checkpoint_when_due();
                Ok(value)
            }
            Ok(Ending::RollBack(value)) => Ok(value),
            Err(error) => {
                let harmed = is_io(&error);
                let failure = failure(doing, &self.path, error);
                if harmed {
                    self.poison = Some(failure.clone());
                }
                Err(DeriveError::Storage(failure))
            }
        }
    }

    /// Looks how many pages of the WAL are not in the file yet: what others write
    /// is not estimated.
    fn count_wal(&mut self) {
        let counted = self
            .connection
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
                Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
        // Where it cannot be told the estimate stands; the next checkpoint tells.
        if let Ok((in_wal, moved)) = counted {
            self.wal_pages = u64::try_from(in_wal.saturating_sub(moved)).unwrap_or(0);
        }
    }

    fn transact(
        &mut self,
        waiting: &mut impl Iterator<Item = Request>,
        answered: &mut Answered,
    ) -> Result<(), Failed> {
        self.execute("BEGIN IMMEDIATE")
            .map_err(|error| self.not_begun(error))?;
        let written = self.write_all(waiting, answered);
        match written {
            // Nothing to make durable: what retries were answered with already is.
            Ok(None) => {
                self.roll_back();
                Ok(())
            }
            Ok(Some(last)) => {
                if let Err(error) = self.execute("COMMIT") {
                    self.roll_back();
                    return Err(Failed::write(failure("commit", &self.path, error)));
                }
                self.arrivals.committed(last);
                Ok(())
            }
            Err(failed) => {
                self.roll_back();
                Err(failed)
            }
        }
    }

    /// The last position written, if any was.
    fn write_all(
        &mut self,
        waiting: &mut impl Iterator<Item = Request>,
        answered: &mut Answered,
    ) -> Result<Option<u64>, Failed> {
        let mut last = None;
        for Request { batch, answer } in waiting {
            let rows = Rows::new(&self.connection, &self.path);
            let result = match judge(&batch, &rows, &self.limits) {
                Err(refusal) => Err(refusal),
                Ok(Judged::Replay(appended)) => Ok(appended),
                Ok(Judged::Write(heads)) => {
                    let before = match last {
                        Some(last) => last,
                        None => match rows.last() {
                            Ok(last) => last,
                            Err(error) => {
                                answered.push((answer, Err(error.into())));
                                continue;
                            }
                        },
                    };
                    match self.write(&batch, &heads, before) {
                        Ok(appended) => {
                            if let Some(place) = appended.places.last() {
                                last = Some(place.position);
                            }
                            Ok(appended)
                        }
                        Err(error) => {
                            // Kept among the answered so that it learns of it too.
                            answered.push((answer, Err(AppendError::Closed)));
                            return Err(Failed::write(failure("write", &self.path, error)));
                        }
                    }
                }
            };
            answered.push((answer, result));
        }
        Ok(last)
    }

    fn write(
        &mut self,
        batch: &CheckedBatch,
        heads: &[Head<Option<i64>>],
        before: u64,
    ) -> rusqlite::Result<Appended> {
        let mut appended = Appended::default();
        let mut position = before;
        for (part, head) in batch.parts().iter().zip(heads) {
            if part.records.is_empty() {
                continue;
            }
            let number = match head.handle {
                Some(number) => number,
                None => self
                    .connection
                    .prepare_cached(INSERT_STREAM)?
                    .insert([part.stream.as_str()])?,
            };
            let mut version = head.version;
            for record in &part.records {
                position = position.saturating_add(1);
                version = version.saturating_add(1);
                self.insert(record, number, position, version)?;
                appended.places.push(Place { position, version });
            }
        }
        let bytes = u64::try_from(batch.content_bytes()).unwrap_or(u64::MAX);
        let records = u64::try_from(appended.places.len()).unwrap_or(u64::MAX);
        self.wal_pages = self
            .wal_pages
            .saturating_add(records.saturating_mul(PAGES_PER_RECORD))
            .saturating_add(bytes / 4_096);
        Ok(appended)
    }

    fn insert(
        &self,
        record: &NewRecord,
        number: i64,
        position: u64,
        version: u64,
    ) -> rusqlite::Result<()> {
        let position = signed(position);
        self.connection
            .prepare_cached(INSERT_RECORD)?
            .execute(params![
                position,
                number,
                signed(version),
                record.id.0,
                record.personal.is_some(),
                record.body,
            ])?;
        if let Some(personal) = &record.personal {
            self.connection
                .prepare_cached(INSERT_PERSONAL)?
                .execute(params![position, personal])?;
        }
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Ends the transaction without a trace. If even that fails, the connection
    /// is poisoned already or has nothing written.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            drop(self.execute("ROLLBACK"));
        }
    }

    /// Nothing was begun, so nothing is unknown and the log stays usable.
    fn not_begun(&self, error: rusqlite::Error) -> Failed {
        let error = if is_busy(&error) {
            AppendError::Busy {
                place: self.path.display().to_string(),
            }
        } else {
            AppendError::Read(failure("begin a transaction", &self.path, error).into())
        };
        Failed {
            failure: None,
            error,
        }
    }

    fn checkpoint_when_due(&mut self) {
        if self.wal_pages < CHECKPOINT_PAGES {
            return;
        }
        let checkpoint = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
        match checkpoint {
            // What readers of older states still hold back is tried again later.
            Ok((in_wal, moved)) => {
                let left = in_wal.saturating_sub(moved);
                self.wal_pages = u64::try_from(left).unwrap_or(0) / 2;
            }
            Err(error) if is_busy(&error) => {}
            Err(error) => self.poison = Some(failure("checkpoint", &self.path, error)),
        }
    }
}

/// How a transaction for something derived ends.
pub(super) enum Ending<T> {
    /// What was written stays.
    Commit(T),
    /// Nothing was written that should stay.
    RollBack(T),
}

/// Why something derived was not written.
#[derive(Debug)]
pub(super) enum DeriveError {
    /// Another process held the file for too long.
    Busy { place: String },
    /// The log refuses writes since this.
    Poisoned(StorageFailure),
    /// The medium, the library, or the statement failed.
    Storage(StorageFailure),
}

/// Undoes what is open when it goes out of scope.
struct Undone<'c>(&'c mut Connection);

impl Drop for Undone<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            drop(self.0.execute_batch("ROLLBACK"));
        }
    }
}

/// Whether reading, writing or syncing the file failed.
fn is_io(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
}

/// Why a whole group failed.
struct Failed {
    /// Set if something may have been written.
    failure: Option<StorageFailure>,
    error: AppendError,
}

impl Failed {
    fn write(failure: StorageFailure) -> Self {
        Self {
            error: AppendError::Unknown(failure.clone()),
            failure: Some(failure),
        }
    }
}
