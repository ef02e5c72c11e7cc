//! Projections in the file of the log.

#![expect(clippy::unwrap_used, reason = "a fixture that fails fails the test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use tempfile::{TempDir, tempdir};
use thirdring_store::{
    AdvanceError, Append, Cursor, Expected, Log, NewRecord, Page, RecordId, SqliteLog, SqliteStep,
    StreamId,
};

const MAKE: &str = "CREATE TABLE IF NOT EXISTS counts (stream TEXT PRIMARY KEY, facts INTEGER); \
     DELETE FROM counts";

fn append(log: &SqliteLog, from: u32, count: u32) {
    for n in from..from + count {
        log.append(&[Append {
            stream: StreamId::new(&format!("s/{}", n % 3)).unwrap(),
            expected: Expected::Any,
            records: vec![NewRecord {
                id: RecordId(u128::from(n).to_be_bytes()),
                body: n.to_string().into_bytes(),
                personal: None,
            }],
        }])
        .unwrap();
    }
}

fn clear(step: &mut SqliteStep<'_>) -> rusqlite::Result<()> {
    step.execute_batch(MAKE)
}

fn count(step: &mut SqliteStep<'_>, page: &Page) -> rusqlite::Result<()> {
    for stored in &page.records {
        step.execute(
            "INSERT INTO counts VALUES (?1, 1) ON CONFLICT DO UPDATE SET facts = facts + 1",
            [stored.stream.as_str()],
        )?;
    }
    Ok(())
}

/// Counts, and cannot bear the record with this body.
fn poisoned(body: u32) -> impl FnMut(&mut SqliteStep<'_>, &Page) -> Result<(), String> {
    let body = body.to_string().into_bytes();
    move |step, page| {
        count(step, page).map_err(|error| error.to_string())?;
        if page.records.iter().any(|stored| stored.body == body) {
            return Err("no such customer".to_owned());
        }
        Ok(())
    }
}

fn counted(path: &Path) -> u32 {
    Connection::open(path)
        .unwrap()
        .query_row("SELECT coalesce(sum(facts), 0) FROM counts", [], |row| {
            row.get(0)
        })
        .unwrap()
}

fn log() -> (TempDir, SqliteLog) {
    let dir = tempdir().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    (dir, log)
}

#[test]
fn every_record_is_applied_once() {
    let (_dir, log) = log();
    append(&log, 0, 25);
    let projection = log.projection("counts", 1);
    assert_eq!(projection.status().unwrap(), None);
    assert!(projection.begin(clear).unwrap());
    assert!(!projection.begin(clear).unwrap());
    assert!(projection.advance(10, count).unwrap());
    assert_eq!(counted(log.path()), 10);
    let status = projection.status().unwrap().unwrap();
    assert_eq!(status.cursor, Cursor::from_positions(vec![10]));
    assert_eq!((status.version, &status.stopped), (1, &None));
    // A panic halfway leaves no trace, and the log goes on.
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        projection.advance(10, |step, page| -> rusqlite::Result<()> {
            count(step, page)?;
            panic!("a mistake")
        })
    }));
    assert!(panicked.is_err());
    append(&log, 25, 1);
    assert_eq!(counted(log.path()), 10);
    while projection.advance(10, count).unwrap() {}
    assert_eq!(counted(log.path()), 26);
    // From the beginning once more.
    projection.rebuild(clear).unwrap();
    assert_eq!(counted(log.path()), 0);
    while projection.advance(1_000, count).unwrap() {}
    assert_eq!(counted(log.path()), 26);
    assert!(log.integrity_check().unwrap().is_whole());
}

#[test]
fn two_that_advance_one_projection_apply_nothing_twice() {
    let (_dir, log) = log();
    log.projection("counts", 1).begin(clear).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (path, done) = (log.path(), &done);
            scope.spawn(move || {
                let own = SqliteLog::open(path).unwrap();
                let projection = own.projection("counts", 1);
                loop {
                    let over = done.load(Ordering::SeqCst);
                    if !projection.advance(3, count).unwrap() && over {
                        return;
                    }
                }
            });
        }
        append(&log, 0, 150);
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(counted(log.path()), 150);
}

#[test]
fn a_record_that_cannot_be_applied_stops_it_until_it_is_told_to_go_on() {
    let (dir, log) = log();
    append(&log, 0, 20);
    let projection = log.projection("counts", 1);
    projection.begin(clear).unwrap();
    let error = projection.advance(100, poisoned(13)).unwrap_err();
    let AdvanceError::Stopped { stop, .. } = error else {
        panic!("{error}");
    };
    // Position 14 is the record with the body 13; the 13 before it are applied.
    assert_eq!((stop.position, stop.stream_version), (14, 5));
    assert_eq!(
        (stop.stream.as_str(), stop.reason.as_str()),
        ("s/1", "no such customer")
    );
    assert_eq!(counted(log.path()), 13);
    // It stays stopped, for others and after reopening too, whoever tries.
    append(&log, 20, 5);
    let other = SqliteLog::open(dir.path().join("log.db")).unwrap();
    for log in [&log, &other] {
        let error = log.projection("counts", 1).advance(5, count).unwrap_err();
        assert!(
            error.to_string().contains(
                "projection counts stopped at position 14, version 5 of stream s/1: no such customer"
            ),
            "{error}"
        );
    }
    let listed = other.projections().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].stopped.as_ref(), Some(&*stop));
    assert_eq!(listed[0].cursor, Cursor::from_positions(vec![13]));
    // Told to go on it meets the same record: mended or not.
    assert!(projection.go_on().unwrap());
    assert!(!projection.go_on().unwrap());
    projection.advance(3, poisoned(13)).unwrap_err();
    assert_eq!(counted(log.path()), 13);
    assert!(projection.go_on().unwrap());
    while projection.advance(4, count).unwrap() {}
    assert_eq!(counted(log.path()), 25);
    // And a rebuilding starts it too.
    projection.rebuild(clear).unwrap();
    projection.advance(100, poisoned(0)).unwrap_err();
    assert_eq!(counted(log.path()), 0);
    projection.rebuild(clear).unwrap();
    while projection.advance(100, count).unwrap() {}
    assert_eq!(counted(log.path()), 25);
}

#[test]
fn another_version_starts_from_the_beginning_and_an_old_one_does_not_undo_it() {
    let (_dir, log) = log();
    append(&log, 0, 9);
    let (old, new) = (log.projection("counts", 1), log.projection("counts", 2));
    let error = old.advance(5, count).unwrap_err();
    assert!(error.to_string().contains("not begun"), "{error}");
    old.begin(clear).unwrap();
    while old.advance(5, count).unwrap() {}
    let error = new.advance(5, count).unwrap_err();
    assert!(
        matches!(
            error,
            AdvanceError::OtherVersion {
                found: Some(1),
                wanted: 2,
                ..
            }
        ),
        "{error}"
    );
    // What cannot be cleared is as it was.
    let error = new.begin(|_| Err("not today")).unwrap_err();
    assert!(error.to_string().contains("not today"), "{error}");
    assert_eq!(counted(log.path()), 9);
    assert!(new.begin(clear).unwrap());
    assert_eq!(counted(log.path()), 0);
    for refused in [
        old.begin(clear).unwrap_err(),
        old.advance(5, count).unwrap_err(),
    ] {
        assert!(
            matches!(refused, AdvanceError::OtherVersion { found: Some(2), .. }),
            "{refused}"
        );
    }
    while new.advance(5, count).unwrap() {}
    assert_eq!(counted(log.path()), 9);
}

#[test]
fn a_projection_cannot_touch_what_is_not_its_own() {
    let (dir, log) = log();
    append(&log, 0, 3);
    let projection = log.projection("counts", 1);
    projection.begin(clear).unwrap();
    // So that the log has used its own statements.
    append(&log, 3, 3);
    let attached = format!("ATTACH '{}' AS other", dir.path().join("x.db").display());
    let refused = [
        "DELETE FROM records",
        "DELETE FROM Main.RECORDS WHERE position = 1",
        "UPDATE records SET body = x'00'",
        "INSERT INTO streams (stream) VALUES (?1)",
        "INSERT INTO personal (position, bytes) VALUES (9, x'00')",
        "DELETE FROM moments",
        "DELETE FROM timetables",
        "UPDATE projections SET position = 0",
        "DROP TABLE records",
        "DROP INDEX records_by_stream",
        "CREATE INDEX mine ON records (body)",
        "CREATE TRIGGER mine AFTER INSERT ON records BEGIN DELETE FROM counts; END",
        "ALTER TABLE records ADD COLUMN mine",
        "CREATE TEMP TABLE records (position)",
        "CREATE TEMP VIEW streams AS SELECT 1",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT mine",
        "PRAGMA synchronous = off",
        "PRAGMA user_version = 9",
        "PRAGMA writable_schema = on",
        "DELETE FROM sqlite_schema",
        attached.as_str(),
        "SELECT load_extension('x')",
    ];
    let before = log.scan(&Cursor::start(), 100).unwrap();
    projection
        .advance(100, |step, page| {
            for sql in refused {
                let done = step.execute_batch(sql);
                assert!(done.is_err(), "permitted: {sql}");
                let done = step.execute(sql, ());
                assert!(done.is_err(), "permitted: {sql}");
            }
            // A trigger of its own may not reach further than itself.
            step.execute_batch(
                "CREATE TRIGGER far AFTER INSERT ON counts BEGIN DELETE FROM records; END",
            )
            .unwrap();
            let done = step.execute("INSERT INTO counts VALUES ('x', 1)", ());
            assert!(done.is_err(), "its trigger reached the records");
            step.execute_batch("DROP TRIGGER far")?;
            // What is its own it may do, and it may read all.
            step.execute_batch(
                "CREATE TABLE mine (n INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT); \
                 CREATE INDEX mine_by_text ON mine (text); \
                 CREATE VIEW shown AS SELECT text FROM mine; \
                 INSERT INTO mine (text) SELECT stream FROM streams; \
                 ALTER TABLE mine ADD COLUMN more TEXT; \
                 DROP INDEX mine_by_text; DROP VIEW shown; DROP TABLE mine",
            )?;
            let records: Vec<u32> =
                step.query("SELECT count(*) FROM records", (), |row| row.get(0))?;
            assert_eq!(records, [6]);
            count(step, page)
        })
        .unwrap();
    assert_eq!(log.scan(&Cursor::start(), 100).unwrap(), before);
    append(&log, 6, 3);
    assert!(log.integrity_check().unwrap().is_whole());
    assert!(
        log.settings()
            .unwrap()
            .iter()
            .all(thirdring_store::Setting::holds)
    );
}
