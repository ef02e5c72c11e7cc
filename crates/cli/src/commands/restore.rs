//! `thirdring restore`: a backup becomes the store.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::Serialize;
use thirdring::ReadFailure;
use thirdring::store::{Log, OpenError, SqliteLog, SqliteOptions};

use crate::copying::{Proved, copy, prove};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{
    UNPROVED, beside, check_folder, exists, is_same, not_backed_up, publish, remove,
};
use crate::output::{Style, Text};
use crate::place::{Place, open_file};
use crate::shell::Shell;

/// How long another process that has the store open is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Put a backup in the place of the store. FILE itself is not changed.
///
/// The backup is proved record by record first. A store that is there is left
/// alone unless --force is given, and then nobody may have it open. With
/// --store postgres://… the backup is copied into the database, which must be
/// empty; --force goes on with a copy that was interrupted.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the store that is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    store: String,
    records: u64,
    streams: usize,
    replaced: bool,
}

#[derive(Debug, Serialize)]
struct SummaryLine {
    summary: Summary,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let place = shell.place()?;
    let (proved, replaced) = match &place {
        Place::Memory => {
            return Err(Failure::usage(
                "a store in memory is gone with the command",
                "name the store the backup shall become with --store",
            ));
        }
        Place::File(store) => into_file(&arguments.file, store, arguments.force, shell)?,
        Place::Server(_) => into_server(&arguments.file, &place, arguments.force)?,
    };
    if shell.is_json() {
        shell.out.json(&SummaryLine {
            summary: Summary {
                store: place.to_string(),
                records: proved.records,
                streams: proved.streams,
                replaced,
            },
        });
    } else {
        shell
            .out
            .line(Text::new().styled(Style::Good, "Restored").plain(format!(
                " {place} from {}: {}, proved{}.",
                arguments.file.display(),
                proved.in_words(),
                if replaced {
                    "; the store that was there is replaced"
                } else {
                    ""
                }
            )));
    }
    Ok(Exit::Fine)
}

fn into_file(
    backup: &Path,
    store: &Path,
    force: bool,
    shell: &mut Shell<'_>,
) -> Result<(Proved, bool), Failure> {
    if is_same(backup, store) {
        return Err(Failure::usage(
            format!("{} is the store itself", store.display()),
            "name the backup, and with --store where it shall go",
        ));
    }
    if store.is_dir() {
        return Err(Failure::usage(
            format!("the store {} is a folder", store.display()),
            "name a file in it, e.g. --store FOLDER/thirdring.db",
        ));
    }
    check_folder(store)?;
    let there = store.exists();
    if there && !force {
        return Err(exists(store));
    }
    let leftover = beside(store, "-wal");
    if !there && leftover.exists() {
        return Err(Failure::store(
            format!(
                "{} is there without its store, and SQLite would read it into the restored one",
                leftover.display()
            ),
            "move it away first: it may hold the last records of a lost store",
        ));
    }
    let partial = beside(store, UNPROVED);
    shell.note_removed(&remove(&partial));
    let proved = taken(backup, &partial).and_then(|proved| {
        // Held until the new file has its name, so that nobody begins to write
        // to the old one meanwhile.
        let held = there.then(|| put_to_rest(store)).transpose()?;
        if let Ok(metadata) = fs::metadata(store) {
            drop(fs::set_permissions(&partial, metadata.permissions()));
        }
        publish(&partial, store, force)?;
        drop(held);
        Ok(proved)
    });
    if proved.is_err() {
        remove(&partial);
    }
    Ok((proved?, there))
}

/// Copies a backup beside the store and proves the copy.
fn taken(backup: &Path, partial: &Path) -> Result<Proved, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::unreadable(&backup.display().to_string(), &error);
    let mut first = [0];
    let read = File::open(backup)
        .and_then(|mut file| file.read(&mut first))
        .map_err(unreadable)?;
    if read == 0 {
        return Err(Failure::store(
            format!("{} is empty: it is no backup", backup.display()),
            "name a file that `thirdring backup` made",
        ));
    }
    // A backup has nothing beside it and is copied as it is; a store that
    // somebody uses has its last records in the write-ahead log.
    if beside(backup, "-wal").exists() {
        open_file(backup, false)?
            .backup_to(partial)
            .map_err(not_backed_up)?;
    } else {
        copy_bytes(backup, partial).map_err(|error| {
            Failure::store(
                format!("{} could not be copied: {error}", backup.display()),
                "check the space left beside the store, and that this user may write there",
            )
        })?;
    }
    let log = open_file(partial, false).map_err(|failure| named(failure, partial, backup))?;
    let checked = log
        .integrity_check()
        .map_err(|error| Failure::store(error.to_string(), "take another backup"))?;
    if let Some(problem) = checked.problems.first() {
        return Err(Failure::store(
            format!("{} is damaged: {problem}", backup.display()),
            "take another backup; the store was left as it is",
        ));
    }
    Ok(prove(&log)?)
}

/// Without the backup's permissions: it may be kept where nobody writes to it.
fn copy_bytes(backup: &Path, partial: &Path) -> std::io::Result<()> {
    std::io::copy(&mut File::open(backup)?, &mut File::create(partial)?)?;
    Ok(())
}

/// The failure as one of the backup: its copy has a name nobody knows.
fn named(mut failure: Failure, partial: &Path, backup: &Path) -> Failure {
    let (partial, backup) = (partial.display().to_string(), backup.display().to_string());
    for told in &mut failure.told {
        told.problem = told.problem.replace(&partial, &backup);
        told.remedy =
            "name a file that `thirdring backup` made; the store was left as it is".to_owned();
    }
    failure
}

/// Makes sure that nobody has the old store open, and moves its write-ahead log
/// into it: what is left beside a file would be read into the one that takes its
/// place.
fn put_to_rest(store: &Path) -> Result<Connection, Failure> {
    let shown = store.display();
    let options = SqliteOptions {
        create: false,
        ..SqliteOptions::default()
    };
    // A damaged store may be replaced; what never was one may not.
    if let Err(OpenError::NotALog { why, .. }) = SqliteLog::open_with(store, options) {
        return Err(Failure::store(
            format!("{shown} is not a Thirdring log ({why}), so it is not replaced"),
            "move it away, or name another store",
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let rest = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(store, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "locking_mode", "exclusive")?;
        // Leaving the mode is only possible for whoever is alone.
        let mode: String =
            connection.query_row("PRAGMA journal_mode = delete", [], |row| row.get(0))?;
        if mode != "delete" {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        connection.execute_batch("BEGIN EXCLUSIVE")?;
        Ok(connection)
    };
    rest().map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::store(
            format!("another process has the store {shown} open; it was left as it is"),
            "end it, and run the command again",
        ),
        _ => Failure::store(
            format!("the store {shown} cannot be put to rest: {error}; it was left as it is"),
            format!("move it away, with {shown}-wal and {shown}-shm, and run the command again"),
        ),
    })
}

/// Copies a backup into a database on a server.
fn into_server(backup: &Path, place: &Place, force: bool) -> Result<(Proved, bool), Failure> {
    let folder = tempfile::tempdir().map_err(|error| {
        Failure::store(
            format!("no temporary folder could be made: {error}"),
            "check the space left for temporary files",
        )
    })?;
    let partial = folder.path().join("backup.db");
    let copied = taken(backup, &partial).and_then(|_| {
        let log = place.open(true)?;
        let end = log.end().map_err(ReadFailure::from)?;
        let lasts = end.positions(end.partitions()).unwrap_or_default();
        if lasts.iter().any(|last| *last > 0) && !force {
            return Err(Failure::store(
                format!("{place} holds records already; it was left as it is"),
                "restore into an empty database; --force goes on with a restore that was interrupted",
            ));
        }
        let from = open_file(&partial, false)?;
        copy(&from, &*log)?;
        from.close();
        prove(&*log).map_err(Failure::from)
    });
    Ok((copied?, false))
}
