//! Files that take the place of others: named only when they are whole.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thirdring::store::BackupError;

use crate::failure::Failure;

/// What a copy is called until it is proved.
pub(crate) const UNPROVED: &str = ".unproved";

/// What a log calls a copy until it is whole; a number may follow.
const PARTIAL: &str = ".partial";

/// What SQLite keeps beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// How every SQLite file begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A name beside a file, of a file on the same disk.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Whether two paths lead to one file.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The folder a path names, where it names one.
pub(crate) fn folder_of(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
}

/// Removes what is left of an attempt to make a copy, with what SQLite keeps
/// beside it, and says what that was. What cannot be removed is met again by the
/// attempt that follows.
pub(crate) fn remove(unproved: &Path) -> Vec<PathBuf> {
    let folder = folder_of(unproved).unwrap_or(Path::new("."));
    let Some(name) = unproved.file_name().and_then(|name| name.to_str()) else {
        return Vec::new();
    };
    let mut left = left_behind(folder);
    left.retain(|path| {
        let rest = path.file_name().and_then(|other| other.to_str());
        rest.and_then(|other| other.strip_prefix(name))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
    });
    for path in &left {
        drop(fs::remove_file(path));
    }
    left
}

/// What backups and restores that were cut short left in a folder, by name.
pub(crate) fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut left: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(is_of_an_attempt) && path.is_file()
        })
        // Others call their half files `.partial` too; ours are SQLite's.
        .filter(|path| {
            let name = path.to_string_lossy();
            name.contains(UNPROVED)
                || BESIDE.iter().any(|ending| name.ends_with(ending))
                || is_sqlite(path)
        })
        .collect();
    left.sort();
    left
}

/// Whether a file has a name that only an attempt gives it.
fn is_of_an_attempt(name: &str) -> bool {
    let name = BESIDE
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    let name = name
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .strip_suffix('-')
        .unwrap_or(name);
    name.ends_with(UNPROVED) || name.ends_with(PARTIAL)
}

/// Whether a file is SQLite's, or nothing was written to it yet.
fn is_sqlite(path: &Path) -> bool {
    let mut begin = Vec::new();
    let length = SQLITE.len() as u64;
    let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut begin));
    read.is_ok() && (begin.is_empty() || begin == SQLITE)
}

/// Gives a whole copy its name, durably.
///
/// # Errors
/// If something is there that may not go, or the name cannot be given.
pub(crate) fn publish(partial: &Path, target: &Path, replace: bool) -> Result<(), Failure> {
    let named = || -> io::Result<()> {
        File::open(partial)?.sync_all()?;
        if replace {
            fs::rename(partial, target)?;
        } else {
            // A link, unlike a new name, never replaces what appeared meanwhile.
            match fs::hard_link(partial, target) {
                Ok(()) => fs::remove_file(partial)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // Not every file system has links.
                Err(_) => fs::rename(partial, target)?,
            }
        }
        // Without this the name may be lost with the power. Only Unix can do it.
        if cfg!(unix) {
            File::open(folder_of(target).unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    };
    named().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(target),
        _ => Failure::store(
            format!("the copy could not be named {}: {error}", target.display()),
            "check that this user may write there",
        ),
    })
}

/// Something is there, and nobody said that it may go.
pub(crate) fn exists(target: &Path) -> Failure {
    Failure::usage(
        format!("{} exists already; it was left as it is", target.display()),
        "choose another name, or replace it with --force",
    )
}

/// The folder of a file that is to be made.
///
/// # Errors
/// If there is none.
pub(crate) fn check_folder(path: &Path) -> Result<(), Failure> {
    match folder_of(path).filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(Failure::usage(
            format!("there is no folder {}", folder.display()),
            "make it first, or correct the path",
        )),
    }
}

/// A copy could not be taken.
pub(crate) fn not_backed_up(error: BackupError) -> Failure {
    Failure::store(
        error.to_string(),
        "check the space left at the target, and that this user may write there",
    )
}
