//! Opening a file: recognising it, making it, and asserting its settings.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::options::{Durability, SqliteOptions};
use super::schema::{APPLICATION_ID, SCHEMA_VERSION, STEPS};
use super::settings::{Setting, settings_of};
use crate::failure::StorageFailure;

/// Oldest SQLite library accepted, as `SQLITE_VERSION_NUMBER`: 3.51.3, the first
/// without the WAL-reset race between connections.
pub(super) const LIBRARY_MIN: i32 = 3_051_003;

/// Why a file could not be opened as a log.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The SQLite library is older than 3.51.3.
    #[error(
        "the SQLite library is version {found}, at least 3.51.3 is needed; build with the bundled one"
    )]
    LibraryTooOld {
        /// Its version.
        found: String,
    },
    /// There is no such file and the options say not to make one.
    #[error("there is no file {}; check the path, or allow it to be created", .path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a Thirdring log: {why}; choose another file", .path.display())]
    NotALog {
        /// The path.
        path: PathBuf,
        /// How it was recognised.
        why: String,
    },
    /// A newer program made the file.
    #[error(
        "{} was written by a newer Thirdring (schema version {found}, this program knows up to \
         {known}); use the newer program", .path.display()
    )]
    Newer {
        /// The path.
        path: PathBuf,
        /// Schema version of the file.
        found: i64,
        /// Newest schema version this program knows.
        known: i64,
    },
    /// A setting the contract rests on could not be made.
    #[error(
        "{}: the setting {name} is {found} and could not be made {wanted}; put the file on a local \
         file system that this user may write to", .path.display()
    )]
    Setting {
        /// The path.
        path: PathBuf,
        /// Name of the setting.
        name: &'static str,
        /// What it must be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// The medium or the library failed.
    #[error("{0}; check that the file and its folder can be read and written")]
    Storage(#[from] StorageFailure),
}

/// The connection that writes, with the file recognised or made.
pub(super) fn open_writer(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < LIBRARY_MIN {
        return Err(OpenError::LibraryTooOld {
            found: rusqlite::version().to_owned(),
        });
    }
    if !options.create && !path.exists() {
        return Err(OpenError::Missing {
            path: path.to_owned(),
        });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if options.create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let failed = |error| not_a_log_or_failure(path, error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection
        .busy_timeout(options.busy_timeout)
        .map_err(failed)?;
    // Recognised before anything is changed: a foreign file stays as it was.
    let version = recognise(&connection, path)?;
    configure(&connection, options.durability, options.busy_timeout).map_err(failed)?;
    assert_settings(&connection, path, options.durability)?;
    if version != SCHEMA_VERSION {
        migrate(&mut connection, path)?;
    }
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn open_reader(
    path: &Path,
    options: &SqliteOptions,
) -> Result<Connection, StorageFailure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(options.busy_timeout)?;
        connection.pragma_update(None, "mmap_size", 0)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| failure("open the file for reading", path, error))
}

pub(super) fn failure(doing: &'static str, path: &Path, error: rusqlite::Error) -> StorageFailure {
    StorageFailure::new(doing, path.display().to_string(), error)
}

/// Whether SQLite reported that another connection holds the file.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn not_a_log_or_failure(path: &Path, error: rusqlite::Error) -> OpenError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return OpenError::NotALog {
            path: path.to_owned(),
            why: "it is not an SQLite database".to_owned(),
        };
    }
    failure("open the log", path, error).into()
}

/// The version of the tables; 0 if the file is empty.
fn recognise(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    // One statement sees one moment, even if another process is making the file.
    let sql = "SELECT (SELECT application_id FROM pragma_application_id), \
               (SELECT user_version FROM pragma_user_version), \
               (SELECT count(*) FROM sqlite_schema)";
    let read = || -> rusqlite::Result<(i64, i64, i64)> {
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    };
    let (application, version, tables) =
        read().map_err(|error| not_a_log_or_failure(path, error))?;
    let not_a_log = |why: String| {
        Err(OpenError::NotALog {
            path: path.to_owned(),
            why,
        })
    };
    match (application, version) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION_ID, found) if found > SCHEMA_VERSION => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA_VERSION,
        }),
        (APPLICATION_ID, found @ 1..) => Ok(found),
        (APPLICATION_ID, found) => not_a_log(format!("schema version {found} never existed")),
        (found, _) => not_a_log(format!(
            "it is a database of another program (application id {found})"
        )),
    }
}

fn configure(
    connection: &Connection,
    durability: Durability,
    patience: Duration,
) -> rusqlite::Result<()> {
    // Two processes that open a fresh file at once meet here, and SQLite does
    // not call its busy handler for this change.
    let deadline = Instant::now().checked_add(patience);
    while let Err(error) = set_wal(connection) {
        if !is_busy(&error) || deadline.is_none_or(|deadline| Instant::now() >= deadline) {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::NormalLosesAnsweredAppendsOnPowerLoss => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // A mapped file turns a read error of the medium into the end of the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    // Checkpoints are made by the writer itself, because SQLite swallows the
    // errors of automatic ones.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Runs the change to its end. It is committed only after the answer, so whoever
/// stops at the answer never learns that the commit failed; and then SQLite goes
/// on calling the mode `wal` though the file has a rollback journal.
fn set_wal(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA journal_mode = wal")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn assert_settings(
    connection: &Connection,
    path: &Path,
    durability: Durability,
) -> Result<(), OpenError> {
    let settings = settings_of(connection, durability)
        .map_err(|error| failure("read the settings", path, error))?;
    match settings.into_iter().find(|setting| !setting.holds()) {
        None => Ok(()),
        Some(Setting {
            name,
            wanted,
            found,
        }) => Err(OpenError::Setting {
            path: path.to_owned(),
            name,
            wanted,
            found,
        }),
    }
}

/// Makes the tables, or brings those of an older version up to date: all missing
/// steps in one transaction. What older versions made is never rewritten, so a
/// program of an older version that has the file open goes on as before.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| failure("make the tables", path, error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    // Another process may have been first.
    let version = recognise(&transaction, path)?;
    let done = usize::try_from(version).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(failed)?;
    transaction
        .pragma_update(None, "user_version", SCHEMA_VERSION)
        .map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(())
}
