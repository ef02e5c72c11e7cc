//! Looking after a file: copying it while it is in use, and checking it.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::open::{failure, open_reader};
use super::options::SqliteOptions;
use super::revive::sync_folder;
use crate::failure::StorageFailure;

/// Problems listed at most; a broken file could have millions.
const PROBLEMS_MAX: i64 = 100;

/// Why a copy was not made. The log itself is as it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is something at the target.
    #[error("{} exists already; choose another name or move it away", .path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The medium or the library failed.
    #[error("{0}; the backup was not made")]
    Storage(#[from] StorageFailure),
}

/// What a check of the file found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrity {
    /// Records in the log.
    pub records: u64,
    /// Streams in the log.
    pub streams: u64,
    /// What is wrong, at most a hundred of each kind; empty if nothing is.
    pub problems: Vec<String>,
}

impl Integrity {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Copies the log as of one moment, while it may be written to.
pub(super) fn backup(
    source: &Path,
    target: &Path,
    options: &SqliteOptions,
) -> Result<(), BackupError> {
    if target.exists() {
        return Err(BackupError::Exists {
            path: target.to_owned(),
        });
    }
    // Under another name until it is whole, so that whatever stands at the
    // target is a backup.
    let partial = fresh_beside(target).map_err(|error| {
        StorageFailure::new("begin the backup", target.display().to_string(), error)
    })?;
    let result = copy(source, &partial, options).and_then(|()| {
        publish(&partial, target).map_err(|error| {
            StorageFailure::new("name the backup", target.display().to_string(), error)
        })
    });
    if result.is_err() {
        // What is left of the attempt is of no use; the first error is the one to tell.
        drop(fs::remove_file(&partial));
    }
    Ok(result?)
}

/// How many backups to one target may have been cut short.
const PARTIAL_MAX: u32 = 1_000;

/// An empty file beside the target that was not there before. What a backup that
/// was cut short left cannot be built on, and another process may still be at it.
fn fresh_beside(target: &Path) -> std::io::Result<PathBuf> {
    for number in 1..=PARTIAL_MAX {
        let mut name = target.as_os_str().to_owned();
        name.push(match number {
            1 => ".partial".to_owned(),
            _ => format!(".partial-{number}"),
        });
        let path = PathBuf::from(name);
        match File::create_new(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::other(format!(
        "{PARTIAL_MAX} backups to it were cut short; remove what they left (….partial)"
    )))
}

fn copy(source: &Path, partial: &Path, options: &SqliteOptions) -> Result<(), StorageFailure> {
    let failed = |error| failure("write the backup", partial, error);
    let from = open_reader(source, options)?;
    let mut to = Connection::open(partial).map_err(failed)?;
    to.pragma_update(None, "synchronous", "full")
        .map_err(failed)?;
    let backup = Backup::new(&from, &mut to).map_err(failed)?;
    // All pages in one step are one read transaction: a writer goes on, and
    // nothing has to be copied again because of it.
    match backup.step(-1).map_err(failed)? {
        StepResult::Done => Ok(()),
        step => Err(StorageFailure::new(
            "write the backup",
            partial.display().to_string(),
            std::io::Error::other(format!("the copy ended early: {step:?}")),
        )),
    }
}

fn publish(partial: &Path, target: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, target)?;
    // Without this the name may be lost with the power.
    sync_folder(target)
}

/// A question about the tables that has no answers in a whole file.
struct Question {
    sql: &'static str,
    about: &'static str,
}

const QUESTIONS: [Question; 5] = [
    Question {
        sql: "SELECT position FROM records WHERE position > 1 AND NOT EXISTS \
              (SELECT 1 FROM records AS before WHERE before.position = records.position - 1) \
              UNION ALL SELECT min(position) FROM records HAVING min(position) <> 1",
        about: "position without its predecessor",
    },
    Question {
        sql: "SELECT stream_no FROM records GROUP BY stream_no \
              HAVING min(version) <> 1 OR max(version) <> count(*)",
        about: "number of a stream with a gap in its versions",
    },
    Question {
        sql: "SELECT position FROM records WHERE stream_no NOT IN (SELECT stream_no FROM streams)",
        about: "position of a record whose stream has no name",
    },
    Question {
        sql: "SELECT position FROM records WHERE length(id) <> 16",
        about: "position of a record whose id is not 16 bytes",
    },
    Question {
        sql: "SELECT position FROM records \
              WHERE has_personal <> (position IN (SELECT position FROM personal))",
        about: "position of a record whose personal bytes are missing or too many",
    },
];

/// Checks the pages, the indexes, and what the contract says of the rows.
pub(super) fn check(path: &Path, options: &SqliteOptions) -> Result<Integrity, StorageFailure> {
    let failed = |error| failure("check the log", path, error);
    let connection = open_reader(path, options)?;
    // One transaction, so that all questions are about one moment.
    connection.execute_batch("BEGIN").map_err(failed)?;
    let mut problems = Vec::new();
    let mut pages = connection
        .prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})"))
        .map_err(failed)?;
    let answers = pages
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(failed)?;
    for answer in answers {
        let answer = answer.map_err(failed)?;
        if answer != "ok" {
            problems.push(answer);
        }
    }
    for Question { sql, about } in QUESTIONS {
        let mut question = connection
            .prepare(&format!("{sql} LIMIT {PROBLEMS_MAX}"))
            .map_err(failed)?;
        let answers = question
            .query_map([], |row| row.get::<_, i64>(0))
            .map_err(failed)?;
        for answer in answers {
            problems.push(format!("{about}: {}", answer.map_err(failed)?));
        }
    }
    let count = |sql| -> rusqlite::Result<u64> {
        let count = connection.query_row(sql, [], |row| row.get::<_, i64>(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    Ok(Integrity {
        records: count("SELECT count(*) FROM records").map_err(failed)?,
        streams: count("SELECT count(*) FROM streams").map_err(failed)?,
        problems,
    })
}
