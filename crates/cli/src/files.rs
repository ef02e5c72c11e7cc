//! Files that take the place of others: named only when they are whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thirdring::store::BackupError;

use crate::failure::Failure;

/// What SQLite keeps beside a file, and the rest of an attempt.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", ".partial"];

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

/// Removes what is left of an attempt, with what SQLite keeps beside it. The
/// attempt's own error is the one to tell.
pub(crate) fn remove(partial: &Path) {
    for ending in BESIDE {
        drop(fs::remove_file(beside(partial, ending)));
    }
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
