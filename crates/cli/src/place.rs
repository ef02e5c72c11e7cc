//! Where a store is: a file, a database of a server, or nowhere.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thirdring::store::{Log, MemoryLog, OpenError, SqliteLog, SqliteOptions};

use crate::failure::Failure;

/// The name of a store that keeps nothing.
const IN_MEMORY: &str = ":memory:";

/// How the name of a database on a server begins.
const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nowhere: it is gone with the command.
    Memory,
    /// In an SQLite file.
    File(PathBuf),
    /// In a PostgreSQL database, by its connection string.
    Server(String),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

/// As people may see it: a connection string can hold a password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str(IN_MEMORY),
            Self::File(path) => path.display().fmt(f),
            Self::Server(text) => f.write_str(&without_secrets(text)),
        }
    }
}

/// A connection string without user, password and options.
fn without_secrets(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("postgres", text));
    let rest = rest.split('?').next().unwrap_or_default();
    let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let hidden = if user.is_empty() { "" } else { "…@" };
    format!("{scheme}://{hidden}{place}")
}

impl Place {
    /// The place `--store` names.
    ///
    /// # Errors
    /// If it names a kind of store there is none of.
    pub(crate) fn of(store: &Path) -> Result<Self, Failure> {
        let Some(text) = store.to_str() else {
            return Ok(Self::File(store.to_owned()));
        };
        if text.is_empty() {
            return Err(Failure::usage(
                "--store names nothing",
                "name a file, postgres://… or :memory:; without --store it is thirdring.db",
            ));
        }
        if text == IN_MEMORY {
            return Ok(Self::Memory);
        }
        if POSTGRES.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Server(text.to_owned()));
        }
        match text.split_once("://") {
            Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                let shown: String = scheme.chars().take(30).collect();
                Err(Failure::usage(
                    format!("there is no store of the kind `{shown}://`"),
                    "name a file, postgres://user:password@host:port/database or :memory:",
                ))
            }
            _ => Ok(Self::File(store.to_owned())),
        }
    }

    /// The log there; `create` makes the file, or the tables, where there are none.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn open(&self, create: bool) -> Result<Box<dyn Log>, Failure> {
        match self {
            Self::Memory => Ok(Box::new(MemoryLog::new())),
            Self::File(path) => Ok(Box::new(open_file(path, create)?)),
            Self::Server(text) => open_server(text, create),
        }
    }
}

/// The log in an SQLite file.
///
/// # Errors
/// If it cannot be opened.
pub(crate) fn open_file(path: &Path, create: bool) -> Result<SqliteLog, Failure> {
    if path.is_dir() {
        return Err(Failure::store(
            format!("the store {} is a folder", path.display()),
            "name a file in it, e.g. --store FOLDER/thirdring.db",
        ));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if create && let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::store(
            format!(
                "the store {} cannot be made: there is no folder {}",
                path.display(),
                folder.display()
            ),
            "make the folder first, or correct the path",
        ));
    }
    if let Err(error) = path.try_exists() {
        return Err(Failure::store(
            format!("the store {} cannot be looked for: {error}", path.display()),
            "let this user look into its folder, or correct the path",
        ));
    }
    // SQLite would make a store of it. One that was begun and cut short has its
    // beginning in the write-ahead log.
    let bytes = |path: &Path| std::fs::metadata(path).map(|file| file.len());
    if !create && bytes(path).is_ok_and(|length| length == 0) && !beside_is_written(path) {
        return Err(Failure::store(
            format!(
                "{} is an empty file: there is no store in it",
                path.display()
            ),
            "`thirdring run FILE` and `thirdring record` make one; --store names another",
        ));
    }
    let options = SqliteOptions {
        create,
        ..SqliteOptions::default()
    };
    SqliteLog::open_with(path, options).map_err(|error| told(path, error))
}

/// Whether a write-ahead log with something in it lies beside a file.
fn beside_is_written(path: &Path) -> bool {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).is_ok_and(|file| file.len() > 0)
}

/// What keeps a file from being opened, with a remedy for each case.
fn told(path: &Path, error: OpenError) -> Failure {
    let shown = path.display();
    let failure = match &error {
        OpenError::Missing { .. } => {
            return Failure::store(
                format!("there is no store {shown}"),
                "`thirdring run FILE` and `thirdring record` make one; --store names another",
            );
        }
        OpenError::NotALog { why, .. } => {
            return Failure::store(
                format!("{shown} is not a Thirdring log: {why}; it was left as it is"),
                "name another file with --store",
            );
        }
        OpenError::Newer { found, known, .. } => {
            return Failure::store(
                format!(
                    "{shown} was written by a newer Thirdring: schema version {found}, this one knows up to {known}"
                ),
                "use the newer program",
            );
        }
        OpenError::Storage(failure) => failure,
        other => return Failure::store(other.to_string(), "put the store on a local file system"),
    };
    let code = std::error::Error::source(failure)
        .and_then(|cause| cause.downcast_ref::<rusqlite::Error>())
        .and_then(rusqlite::Error::sqlite_error_code);
    match code {
        Some(ErrorCode::DatabaseCorrupt) => Failure::store(
            format!("the store {shown} is damaged: {failure}"),
            "keep the file, restore a backup (`thirdring restore`), and suspect the disk",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::store(
            format!("the store {shown} is held by another program"),
            "end that program, or try again later",
        ),
        _ if is_read_only(path)
            || matches!(
                code,
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen)
            ) =>
        {
            Failure::store(
                format!("the store {shown} cannot be opened for writing: {failure}"),
                "let this user write to the file and its folder: every command keeps a write-ahead log beside the file",
            )
        }
        _ => Failure::store(
            format!("the store {shown} cannot be opened: {failure}"),
            "check that this user may read and write the file and its folder",
        ),
    }
}

/// Whether the file or its folder is marked as not to be written.
fn is_read_only(path: &Path) -> bool {
    let marked = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    marked(path) || marked(folder.unwrap_or(Path::new(".")))
}

#[cfg(feature = "postgres")]
fn open_server(text: &str, create: bool) -> Result<Box<dyn Log>, Failure> {
    Ok(Box::new(open_postgres(text, create)?))
}

/// The log in a PostgreSQL database.
///
/// # Errors
/// If it cannot be opened.
#[cfg(feature = "postgres")]
pub(crate) fn open_postgres(
    text: &str,
    create: bool,
) -> Result<thirdring_store_postgres::PostgresLog, Failure> {
    use thirdring_store_postgres::{OpenError as Cause, PostgresLog, PostgresOptions};

    use crate::exit::Exit;
    use crate::failure::Told;

    let options = PostgresOptions::default().with_create(create);
    PostgresLog::open_with(text, options).map_err(|error| {
        if let Cause::Missing { place, .. } = &error {
            return Failure::store(
                format!("there is no store in {place}"),
                "`thirdring run FILE` and `thirdring record` make one; --store names another",
            );
        }
        // The library's sentences end with what to do.
        let (exit, told) = match &error {
            Cause::ConnectionString(_) | Cause::Schema(_) => (Exit::Usage, error.to_string()),
            _ => (Exit::Store, error.to_string()),
        };
        let (problem, remedy) = match told.rsplit_once("; ") {
            Some((problem, remedy)) => (problem.to_owned(), remedy.to_owned()),
            None => (
                told,
                "check that the server runs and that this user may use the database".to_owned(),
            ),
        };
        Failure::one(exit, Told::new(problem, remedy))
    })
}

#[cfg(not(feature = "postgres"))]
fn open_server(_: &str, _: bool) -> Result<Box<dyn Log>, Failure> {
    Err(Failure::usage(
        "this build of thirdring has no PostgreSQL in it",
        "build it with the feature `postgres`, or name a file with --store",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let place = Place::of(Path::new(
            "postgres://desk:se@cret@db1:5432,db2/desk?sslpassword=x",
        ))
        .unwrap();
        assert_eq!(place.to_string(), "postgres://…@db1:5432,db2/desk");
        assert_eq!(
            format!("{place:?}"),
            "Place(postgres://…@db1:5432,db2/desk)"
        );
    }

    #[test]
    fn what_store_names() {
        let of = |text: &str| Place::of(Path::new(text));
        assert_eq!(of(":memory:"), Ok(Place::Memory));
        assert_eq!(of("desk.db"), Ok(Place::File("desk.db".into())));
        assert!(matches!(of("postgresql://h/d"), Ok(Place::Server(_))));
        assert!(of("mysql://h/d").is_err());
        assert!(of("").is_err());
    }
}
