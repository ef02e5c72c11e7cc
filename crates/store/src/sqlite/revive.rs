//! What recovery finds is made durable before anything is built on it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::open::{OpenError, failure};
use crate::failure::StorageFailure;

/// Bytes that are read and written back at a time.
const CHUNK: usize = 1 << 20;

/// Makes the WAL durable, and moves it into the database file as far as other
/// connections permit.
///
/// A process may have died of a sync that failed. The system then still shows the
/// pages it could not write, but takes them for written, and the next sync
/// succeeds without them. Copied into the database file as they are, they would
/// leave a file that is newer than the WAL which the power leaves, and reading one
/// through the other tears both. So every page is written again first: then the
/// sync has to write it too.
pub(super) fn revive(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| failure("make durable what was recovered", path, error);
    // Nobody else may write to the WAL meanwhile, or his bytes would be undone.
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(failed)?;
    let path = actual(connection, path);
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let written = write_again(Path::new(&wal));
    connection.execute_batch("ROLLBACK").map_err(failed)?;
    written.map_err(|error| {
        StorageFailure::new("write the WAL again", path.display().to_string(), error)
    })?;
    // The WAL is there by now, and stays while this connection is open. SQLite
    // syncs its name with the first commit, but swallows the error if that fails.
    sync_folder(&path).map_err(|error| {
        StorageFailure::new("sync the folder of", path.display().to_string(), error)
    })?;
    let (busy, pages): (bool, i64) = connection
        .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(failed)?;
    // The mode may be called `wal` while there is none; these numbers cannot lie:
    // without a WAL there are no pages, and nobody can be busy with them.
    if pages < 0 && !busy {
        return Err(OpenError::Setting {
            path,
            name: "journal_mode",
            wanted: "wal".to_owned(),
            found: "a rollback journal".to_owned(),
        });
    }
    Ok(())
}

/// Where the file is, links followed: the WAL lies beside it.
fn actual(connection: &Connection, path: &Path) -> PathBuf {
    match connection.path() {
        Some(actual) if !actual.is_empty() => PathBuf::from(actual),
        _ => path.to_owned(),
    }
}

fn write_again(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut offset = 0_u64;
    loop {
        chunk.clear();
        let read = (&mut file)
            .take(u64::try_from(CHUNK).unwrap_or(u64::MAX))
            .read_to_end(&mut chunk)?;
        if read == 0 {
            break;
        }
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(&chunk)?;
        offset = file.stream_position()?;
    }
    // Nothing there is nothing to make durable.
    if offset > 0 { file.sync_all() } else { Ok(()) }
}

/// Makes the names in the folder of a file durable. Only Unix can do it.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_again_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wal");
        write_again(&path).unwrap();
        assert!(!path.exists());
        for length in [0, 1, CHUNK, CHUNK * 2 + 7] {
            let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            write_again(&path).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
