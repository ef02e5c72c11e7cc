//! A store in an SQLite file.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use thirdring::store::{Integrity, Setting, SqliteLog};

use super::check::Check;
use super::{chain, derived, file_system, in_words};
use crate::failure::Failure;
use crate::files::{beside, folder_of, left_behind};
use crate::output::counted;
use crate::place::open_file;

/// A write-ahead log beyond this holds pages that should long be in the file.
const WAL_BYTES_LARGE: u64 = 256 << 20;

/// Where the header of a file says which way of journaling it uses (2 is the
/// write-ahead log).
const JOURNAL_BYTE: usize = 18;

/// Looks at everything.
///
/// # Errors
/// If the store cannot be opened.
pub(super) fn examine(path: &Path, quick: bool) -> Result<Vec<Check>, Failure> {
    // Opening sets the mode, so what the file was before is read from its header.
    let journal_before = header(path);
    let log = open_file(path, false)?;
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::store(
            format!("{}: {error}", path.display()),
            "check that this user may read the store",
        )
    };
    let settings = log.settings().map_err(|error| unreadable(&error))?;
    let mut checks = vec![library()];
    checks.extend(settings.iter().map(setting));
    if let Some(before) = journal_before.filter(|before| *before != 2) {
        checks.push(Check::warn(
            "journal_before",
            if before == 1 { "delete" } else { "unknown" },
            "until now the file was not in WAL mode: another program changed it, or it was put to rest",
            "nothing more is to be done: it is in WAL mode now",
        ));
    }
    checks.extend(identity(path).map_err(|error| unreadable(&error))?);
    checks.push(file_system::check(path));
    checks.push(permissions(path));
    checks.extend(sizes(path));
    checks.extend(left_by_attempts(path));
    checks.extend(derived(&log, log.projections()));
    checks.push(integrity(&log, quick));
    checks.push(chain(&log, quick));
    Ok(checks)
}

fn header(path: &Path) -> Option<u8> {
    let mut bytes = [0; 100];
    File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    bytes.get(JOURNAL_BYTE).copied()
}

/// Opening a store refuses an older library, so this one is new enough.
fn library() -> Check {
    Check::ok(
        "library",
        format!("SQLite {}", rusqlite::version()),
        "3.51.3 or newer: without the race between connections that could lose a commit",
    )
}

fn setting(setting: &Setting) -> Check {
    let means = match setting.name {
        "journal_mode" => "readers go on while somebody writes, and a torn write is recognised",
        "synchronous" => "full: an answered append is on the disk and survives a loss of power",
        "mmap_size" => "none: a read error of the disk is an error, not the end of the process",
        "wal_autocheckpoint" => "off: the store moves its write-ahead log itself, and tells errors",
        "trusted_schema" => "off: nothing hidden in the file can run",
        _ => "the contract of the log rests on it",
    };
    if setting.holds() {
        Check::ok(setting.name, &setting.found, means)
    } else {
        Check::bad(
            setting.name,
            format!("{} instead of {}", setting.found, setting.wanted),
            means,
            "put the store on a local file system that this user may write to",
        )
    }
}

/// The marks that make the file ours; opening refuses any other.
fn identity(path: &Path) -> rusqlite::Result<[Check; 2]> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let number = |name: &str| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, name, |row| row.get(0))
    };
    Ok([
        Check::ok(
            "application_id",
            format!("{:#x}", number("application_id")?),
            "the file says that it is a Thirdring log",
        ),
        Check::ok(
            "schema_version",
            number("user_version")?.to_string(),
            "the tables are those this program makes and reads",
        ),
    ])
}

/// A log holds what customers said: nobody else's business.
#[cfg(unix)]
fn permissions(path: &Path) -> Check {
    use std::os::unix::fs::PermissionsExt;

    let mode =
        |path: &Path| fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o7777);
    let folder = folder_of(path).unwrap_or(Path::new("."));
    let (Ok(file), Ok(around)) = (mode(path), mode(folder)) else {
        return Check::skipped("permissions", "they cannot be read");
    };
    let found = format!("file {file:03o}, folder {around:03o}");
    let remedy = format!("chmod o-rwx {0} {0}-wal {0}-shm", path.display());
    if around & 0o001 != 0 && file & 0o002 != 0 || around & 0o002 != 0 && around & 0o1000 == 0 {
        Check::bad(
            "permissions",
            found,
            "every user of this machine can alter or replace the store",
            format!("{remedy}; chmod o-w {}", folder.display()),
        )
    } else if around & 0o001 != 0 && file & 0o004 != 0 {
        Check::warn(
            "permissions",
            found,
            "every user of this machine can read what customers said",
            remedy,
        )
    } else {
        Check::ok(
            "permissions",
            found,
            "other users can neither read nor write it",
        )
    }
}

#[cfg(not(unix))]
fn permissions(_: &Path) -> Check {
    Check::skipped("permissions", "they cannot be read on this system")
}

fn sizes(path: &Path) -> [Check; 2] {
    let bytes = |ending: &str| fs::metadata(beside(path, ending)).map_or(0, |file| file.len());
    let wal = bytes("-wal");
    let found = in_words(wal);
    [
        Check::ok("size", in_words(bytes("")), "the file"),
        if wal > WAL_BYTES_LARGE {
            Check::warn(
                "wal_size",
                found,
                "the write-ahead log grows: somebody reads from an old moment and never ends",
                "end programs that keep the store open for reading, then open it once with any command",
            )
        } else {
            Check::ok(
                "wal_size",
                found,
                "the write-ahead log, moved into the file from time to time",
            )
        },
    ]
}

/// What copies that were cut short left in the folder of the store.
fn left_by_attempts(path: &Path) -> Option<Check> {
    let left = left_behind(folder_of(path).unwrap_or(Path::new(".")));
    let bytes = left
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|metadata| metadata.len())
        .sum();
    let names: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
    (!left.is_empty()).then(|| {
        Check::warn(
            "left_behind",
            format!(
                "{}, {}",
                counted(left.len() as u64, "file"),
                in_words(bytes)
            ),
            "a backup or a restore was cut short, or is at work: what it copied is no backup",
            format!("if none is at work, remove {}", names.join(" ")),
        )
    })
}

fn integrity(log: &SqliteLog, quick: bool) -> Check {
    if quick {
        return Check::skipped("integrity", "the pages were not read: --quick");
    }
    let damaged = |found: String| {
        Check::bad(
            "integrity",
            found,
            "the file is damaged",
            "keep the file, restore a backup, and suspect the disk",
        )
    };
    match log.integrity_check() {
        Ok(Integrity {
            records,
            streams,
            problems,
        }) if problems.is_empty() => Check::ok(
            "integrity",
            format!(
                "{} in {}",
                counted(records, "record"),
                counted(streams, "stream")
            ),
            "pages and indexes are whole, positions and versions have no gaps",
        ),
        Ok(Integrity { problems, .. }) => {
            let first = problems.first().map_or("", String::as_str);
            damaged(format!(
                "{}, first: {first}",
                counted(problems.len() as u64, "problem")
            ))
        }
        Err(error) => damaged(error.to_string()),
    }
}
