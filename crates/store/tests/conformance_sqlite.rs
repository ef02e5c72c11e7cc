//! The laws of the log, for the log in an SQLite file.

#![expect(clippy::unwrap_used, reason = "a fixture that fails fails the test")]

use rusqlite::Connection;
use tempfile::TempDir;
use thirdring_store::conformance::{Backend, Damage};
use thirdring_store::{SqliteLog, conformance_tests};

struct File(TempDir);

impl Backend for File {
    type Log = SqliteLog;

    fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn open(&self) -> SqliteLog {
        SqliteLog::open(self.0.path().join("log.db")).unwrap()
    }

    fn damage(&self, damage: Damage) -> bool {
        let (sql, position) = match damage {
            Damage::RecordGone(at) => ("DELETE FROM records WHERE position = ?1", at),
            Damage::IdShortened(at) => (
                "UPDATE records SET id = substr(id, 2) WHERE position = ?1",
                at,
            ),
            Damage::PersonalGone(at) => ("DELETE FROM personal WHERE position = ?1", at),
            Damage::StreamNameGone(at) => (
                "DELETE FROM streams WHERE stream_no = \
                 (SELECT stream_no FROM records WHERE position >= ?1)",
                at,
            ),
            _ => return false,
        };
        let file = Connection::open(self.0.path().join("log.db")).unwrap();
        file.execute(sql, [i64::try_from(position).unwrap()])
            .unwrap()
            == 1
    }
}

conformance_tests!(File);
thirdring_store::partition_tests!(File);
