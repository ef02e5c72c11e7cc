//! Opening, recognising, checking and copying the file of an SQLite log.

#![expect(clippy::unwrap_used, reason = "a fixture that fails fails the test")]

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tempfile::tempdir;
use thirdring_store::{
    Append, BackupError, Cursor, Durability, Expected, Log, NewRecord, OpenError, RecordId,
    SqliteLog, SqliteOptions, StreamId,
};

fn append(log: &SqliteLog, n: u8) {
    log.append(&[Append {
        stream: StreamId::new("a").unwrap(),
        expected: Expected::Any,
        records: vec![NewRecord {
            id: RecordId([n; 16]),
            body: vec![n],
            personal: Some(vec![n]),
        }],
    }])
    .unwrap();
}

fn execute(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn the_settings_are_asserted() {
    let dir = tempdir().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    let settings = log.settings().unwrap();
    let found = |name: &str| {
        let setting = settings.iter().find(|setting| setting.name == name);
        setting.map(|setting| setting.found.clone()).unwrap()
    };
    assert_eq!(found("journal_mode"), "wal");
    assert_eq!(found("synchronous"), "2");
    assert_eq!(found("mmap_size"), "0");
    assert!(settings.iter().all(thirdring_store::Setting::holds));
    assert!(log.capabilities().durable && log.capabilities().multi_process);
}

#[test]
fn less_than_full_durability_has_to_be_named_and_is_declared() {
    let dir = tempdir().unwrap();
    let options = SqliteOptions {
        durability: Durability::NormalLosesAnsweredAppendsOnPowerLoss,
        ..SqliteOptions::default()
    };
    let log = SqliteLog::open_with(dir.path().join("log.db"), options).unwrap();
    assert!(!log.capabilities().durable);
    assert_eq!(SqliteOptions::default().durability, Durability::Full);
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_untouched() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("log.db");
    append(&SqliteLog::open(&path).unwrap(), 1);
    execute(&path, "PRAGMA user_version = 7");
    let before = fs::read(&path).unwrap();
    let error = SqliteLog::open(&path).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 7,
                known: 2,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("was written by a newer Thirdring"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// The tables as version 1 made them.
const VERSION_1: &str = "
CREATE TABLE streams (stream_no INTEGER PRIMARY KEY, stream TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE records (position INTEGER PRIMARY KEY, stream_no INTEGER NOT NULL,
    version INTEGER NOT NULL, id BLOB NOT NULL UNIQUE, has_personal INTEGER NOT NULL,
    body BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX records_by_stream ON records (stream_no, version);
CREATE TABLE personal (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
INSERT INTO streams VALUES (1, 'a');
INSERT INTO records VALUES (1, 1, 1, x'01010101010101010101010101010101', 1, x'01');
INSERT INTO personal VALUES (1, x'01');
PRAGMA application_id = 0x33726e67;
PRAGMA user_version = 1;
";

fn schema_of(path: &Path) -> (i64, Vec<String>) {
    let file = Connection::open(path).unwrap();
    let version = file
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    let mut tables = file
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
        .unwrap();
    let tables = tables.query_map([], |row| row.get(0)).unwrap();
    (version, tables.map(Result::unwrap).collect())
}

#[test]
fn a_file_of_version_1_is_brought_up_to_date_when_opened() {
    let dir = tempdir().unwrap();
    let (old, new) = (dir.path().join("old.db"), dir.path().join("new.db"));
    execute(&old, VERSION_1);
    // A program of version 1 that has the file open while it is brought up to date.
    let other = Connection::open(&old).unwrap();
    let records = "SELECT count(*) FROM records";
    assert_eq!(other.query_row(records, [], |row| row.get(0)), Ok(1));
    let log = SqliteLog::open(&old).unwrap();
    append(&log, 1);
    append(&log, 2);
    assert_eq!(log.scan(&Cursor::start(), 10).unwrap().records.len(), 2);
    assert!(log.integrity_check().unwrap().is_whole());
    let timetables = log.timetables().unwrap();
    assert_eq!(timetables.cursor("t").unwrap(), Cursor::start());
    other
        .execute_batch(
            "INSERT INTO records VALUES (3, 1, 3, x'03030303030303030303030303030303', 0, x'03')",
        )
        .unwrap();
    assert_eq!(log.scan(&Cursor::start(), 10).unwrap().records.len(), 3);
    drop((log, other));
    // It is as a file that was made now, apart from how its tables are written.
    drop(SqliteLog::open(&new).unwrap());
    let plain = |(version, tables): (i64, Vec<String>)| {
        let words = |sql: &String| sql.split_whitespace().collect::<String>();
        (version, tables.iter().map(words).collect::<Vec<_>>())
    };
    assert_eq!(plain(schema_of(&old)), plain(schema_of(&new)));
}

#[test]
fn several_that_open_a_file_of_version_1_at_once_bring_it_up_to_date_once() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("old.db");
    execute(&path, VERSION_1);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| append(&SqliteLog::open(&path).unwrap(), 1));
        }
    });
    assert_eq!(schema_of(&path).0, 2);
    assert!(
        SqliteLog::open(&path)
            .unwrap()
            .integrity_check()
            .unwrap()
            .is_whole()
    );
}

#[test]
fn what_is_no_log_is_refused_and_untouched() {
    let dir = tempdir().unwrap();
    let refused = |name: &str| {
        let path = dir.path().join(name);
        let before = fs::read(&path).unwrap();
        let error = SqliteLog::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::NotALog { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    };
    fs::write(dir.path().join("letter.txt"), "Dear customer, ".repeat(100)).unwrap();
    refused("letter.txt");
    execute(&dir.path().join("other.db"), "CREATE TABLE t(x)");
    refused("other.db");
    execute(&dir.path().join("marked.db"), "PRAGMA application_id = 5");
    refused("marked.db");
    // An old file of ours with an impossible version is no log either.
    let own = dir.path().join("own.db");
    drop(SqliteLog::open(&own).unwrap());
    execute(&own, "PRAGMA user_version = -1");
    refused("own.db");
}

#[test]
fn an_empty_file_becomes_a_log_and_a_missing_one_only_if_wanted() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("log.db");
    let options = SqliteOptions {
        create: false,
        ..SqliteOptions::default()
    };
    let error = SqliteLog::open_with(&path, options.clone()).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    assert!(!path.exists());
    fs::write(&path, "").unwrap();
    append(&SqliteLog::open_with(&path, options).unwrap(), 1);
    // A folder is neither.
    let error = SqliteLog::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Storage(_)), "{error}");
}

#[test]
fn many_may_open_a_fresh_file_at_once() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("log.db");
    std::thread::scope(|scope| {
        for n in 1..=6 {
            let path = &path;
            scope.spawn(move || append(&SqliteLog::open(path).unwrap(), n));
        }
    });
    let log = SqliteLog::open(&path).unwrap();
    assert_eq!(log.scan(&Cursor::start(), 100).unwrap().records.len(), 6);
}

#[test]
fn what_a_backup_that_was_cut_short_left_is_not_built_on() {
    let dir = tempdir().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    append(&log, 1);
    let target = dir.path().join("copy.db");
    for name in ["copy.db.partial", "copy.db.partial-journal"] {
        fs::write(dir.path().join(name), [7; 5_000]).unwrap();
    }
    log.backup_to(&target).unwrap();
    let copy = SqliteLog::open(&target).unwrap();
    assert!(copy.integrity_check().unwrap().is_whole());
    assert_eq!(copy.scan(&Cursor::start(), 9).unwrap().records.len(), 1);
}

#[test]
fn a_backup_is_one_moment_of_a_log_in_use() {
    let dir = tempdir().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    for n in 0..100 {
        append(&log, n);
    }
    let target = dir.path().join("copy.db");
    std::thread::scope(|scope| {
        let log = &log;
        scope.spawn(move || (100..200).for_each(|n| append(log, n)));
        log.backup_to(&target).unwrap();
    });
    let copy = SqliteLog::open(&target).unwrap();
    assert!(copy.integrity_check().unwrap().is_whole());
    let copied = copy.scan(&Cursor::start(), 1_000).unwrap().records;
    let all = log.scan(&Cursor::start(), 1_000).unwrap().records;
    assert!(copied.len() >= 100 && all.len() == 200);
    assert_eq!(
        copied,
        all.get(..copied.len()).unwrap(),
        "a copy is a prefix"
    );
    // The copy is a log of its own.
    append(&copy, 250);

    let error = log.backup_to(&target).unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
    let error = log
        .backup_to(dir.path().join("no/such/folder/copy.db"))
        .unwrap_err();
    assert!(matches!(error, BackupError::Storage(_)), "{error}");
}

#[test]
fn the_check_finds_what_is_wrong() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("log.db");
    let fill = || {
        let log = SqliteLog::open(&path).unwrap();
        (1..=9).for_each(|n| append(&log, n));
        let found = log.integrity_check().unwrap();
        assert!(found.is_whole(), "{found:?}");
        assert_eq!((found.records, found.streams), (9, 1));
    };
    for (damage, found) in [
        (
            "DELETE FROM records WHERE position = 5",
            "position without its predecessor: 6",
        ),
        (
            "DELETE FROM records WHERE position = 1",
            "position without its predecessor: 2",
        ),
        (
            "UPDATE records SET version = 20 WHERE position = 9",
            "gap in its versions: 1",
        ),
        ("DELETE FROM streams", "has no name: 1"),
        (
            "UPDATE records SET id = x'00' WHERE position = 3",
            "not 16 bytes: 3",
        ),
        (
            "DELETE FROM personal WHERE position = 4",
            "missing or too many: 4",
        ),
    ] {
        drop(fs::remove_file(&path));
        fill();
        execute(&path, damage);
        let problems = SqliteLog::open(&path)
            .unwrap()
            .integrity_check()
            .unwrap()
            .problems;
        assert!(
            problems.iter().any(|problem| problem.ends_with(found)),
            "{damage}: {problems:?}"
        );
    }
}
