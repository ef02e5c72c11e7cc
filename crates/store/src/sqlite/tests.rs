//! What can only be tried with a hand on the connection that writes.

use std::path::Path;

use rusqlite::StatementStatus;
use tempfile::TempDir;

use super::commit::{CHECKPOINT_PAGES, DeriveError, Ending};
use super::rows::{ALL, Rows, Way};
use super::{Durability, SqliteLog, SqliteOptions, timetables};
use crate::append::{Append, AppendError, Appended, Expected};
use crate::cursor::Cursor;
use crate::due_index::Moment;
use crate::judge::Ledger;
use crate::log::Log;
use crate::projection::AdvanceError;
use crate::record::{NewRecord, RecordId};
use crate::stream::StreamId;
use crate::timetable::{MomentKind, StreamMoments, TimetableError};

fn record(n: u128, bytes: usize) -> NewRecord {
    NewRecord {
        id: RecordId(n.to_be_bytes()),
        body: vec![7; bytes],
        personal: None,
    }
}

fn append(log: &SqliteLog, n: u128, bytes: usize) -> Result<Appended, AppendError> {
    log.append(&[Append {
        stream: StreamId::new(&format!("s/{}", n % 7)).unwrap(),
        expected: Expected::Any,
        records: vec![record(n, bytes)],
    }])
}

/// Fails writes of a log with three records, and asserts that they are reported,
/// that the log refuses from then on, and that the three are there at reopening.
fn assert_poisoned(
    fail: impl FnOnce(&SqliteLog),
    mut write: impl FnMut(&SqliteLog) -> AppendError,
) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("log.db");
    let log = SqliteLog::open(&path).unwrap();
    for n in 1..=3 {
        append(&log, n, 100).unwrap();
    }
    fail(&log);
    let error = write(&log);
    assert!(matches!(error, AppendError::Unknown(_)), "{error}");
    assert!(!error.is_transient());
    // Everything is refused now, retries of stored records too: what is on the
    // medium is no longer known.
    for n in [1, 50] {
        let error = append(&log, n, 100).unwrap_err();
        assert!(matches!(error, AppendError::Poisoned(_)), "{error}");
        assert!(error.to_string().contains("reopen"), "{error}");
    }
    assert_eq!(
        log.scan(&Cursor::start(), 100).unwrap().records.len(),
        3,
        "reading goes on"
    );
    drop(log);

    let log = SqliteLog::open(&path).unwrap();
    assert!(log.integrity_check().unwrap().is_whole());
    assert_eq!(log.scan(&Cursor::start(), 100).unwrap().records.len(), 3);
    assert!(append(&log, 1, 100).unwrap().replayed);
    assert_eq!(
        append(&log, 50, 100)
            .unwrap()
            .places
            .first()
            .map(|place| place.position),
        Some(4)
    );
}

#[test]
fn a_full_medium_poisons() {
    assert_poisoned(
        |log| {
            log.writer.with_connection(|connection| {
                let pages: i64 = connection
                    .pragma_query_value(None, "page_count", |row| row.get(0))
                    .unwrap();
                connection
                    .pragma_update(None, "max_page_count", pages + 1)
                    .unwrap();
            });
        },
        |log| append(log, 9, 100_000).unwrap_err(),
    );
}

#[test]
fn a_failed_commit_poisons() {
    let fail = |log: &SqliteLog| {
        log.writer.with_connection(|connection| {
            connection.commit_hook(Some(|| true)).unwrap();
        });
    };
    assert_poisoned(fail, |log| append(log, 9, 100).unwrap_err());
    // The same if the writer thread leads a whole group: all of it is told.
    assert_poisoned(fail, |log| {
        let pending: Vec<_> = (10..20)
            .map(|n| {
                let stream = StreamId::new("group").unwrap();
                let records = vec![record(n, 10)];
                log.submit(vec![Append {
                    stream,
                    expected: Expected::Any,
                    records,
                }])
            })
            .collect();
        let mut errors = pending
            .into_iter()
            .map(|completion| completion.wait().unwrap_err());
        let first = errors.next().unwrap();
        for error in errors {
            assert!(
                matches!(error, AppendError::Unknown(_) | AppendError::Poisoned(_)),
                "{error}"
            );
        }
        first
    });
}

/// Statements that are prepared anew for each value, or sort, or read a whole
/// table, cost more than what they find.
#[test]
fn statements_are_prepared_once_and_use_an_index() {
    let dir = TempDir::new().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    for n in 0..50 {
        append(&log, n, 10).unwrap();
    }
    log.writer.with_connection(|connection| {
        let rows = Rows::new(connection, Path::new("log.db"));
        for n in 0..50_u64 {
            let stream = StreamId::new(&format!("s/{}", n % 7)).unwrap();
            let from = n % 5;
            rows.scan(n, 3).unwrap();
            rows.read(&stream, from, Way::Forward, 3).unwrap();
            rows.read(&stream, from, Way::Backward, 3).unwrap();
            rows.streams(Some(&stream), 3).unwrap();
            rows.find(RecordId(u128::from(n).to_be_bytes()))
                .unwrap()
                .unwrap();
        }
        for sql in ALL {
            let statement = connection.prepare_cached(sql).unwrap();
            assert!(
                statement.get_status(StatementStatus::Run) > 10,
                "not used: {sql}"
            );
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
            let mut plan = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let nulls = rusqlite::params_from_iter(vec![0; plan.parameter_count()]);
            let steps = plan
                .query_map(nulls, |row| row.get::<_, String>(3))
                .unwrap();
            for step in steps.map(Result::unwrap) {
                assert!(
                    !step.starts_with("SCAN") && !step.contains("TEMP"),
                    "{step}: {sql}"
                );
            }
        }
    });
}

fn moments(n: i64) -> StreamMoments {
    StreamMoments {
        stream: StreamId::new(&format!("s/{n}")).unwrap(),
        moments: vec![
            (MomentKind(0), Moment::from_micros(n)),
            (MomentKind(1), Moment::from_micros(n)),
        ],
    }
}

fn replace(log: &SqliteLog, to: u64, count: i64) -> Result<(), TimetableError> {
    let timetables = log.timetables().unwrap();
    let streams: Vec<_> = (0..count).map(moments).collect();
    let from = timetables.cursor("t").unwrap();
    timetables.replace("t", &from, &Cursor::from_positions(vec![to]), &streams)
}

/// Derived data must never endanger the log.
#[test]
fn a_timetable_that_cannot_be_written_leaves_the_log_as_it_was() {
    let dir = TempDir::new().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    append(&log, 1, 100).unwrap();
    replace(&log, 1, 3).unwrap();
    // A full medium.
    let allow = |pages: i64| {
        log.writer.with_connection(|connection| {
            let used: i64 = connection
                .pragma_query_value(None, "page_count", |row| row.get(0))
                .unwrap();
            connection
                .pragma_update(None, "max_page_count", used + pages)
                .unwrap();
        });
    };
    allow(1);
    let error = replace(&log, 2, 10_000).unwrap_err();
    assert!(matches!(error, TimetableError::Storage(_)), "{error}");
    allow(1_000_000);
    append(&log, 2, 100).unwrap();
    // A commit that is refused.
    let hook = |fails: bool| {
        log.writer.with_connection(|connection| {
            let hook = if fails { Some(|| true) } else { None };
            connection.commit_hook(hook).unwrap();
        });
    };
    hook(true);
    replace(&log, 2, 10).unwrap_err();
    hook(false);
    append(&log, 3, 100).unwrap();
    // A mistake that panics.
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        log.writer.between_groups(|committer| {
            committer.derive("panic", |connection| -> rusqlite::Result<Ending<()>> {
                connection.execute("DELETE FROM moments", [])?;
                panic!("a mistake")
            })
        })
    }));
    assert!(panicked.is_err());
    append(&log, 4, 100).unwrap();
    // Nothing of it is left, and everything goes on.
    let timetables = log.timetables().unwrap();
    assert_eq!(timetables.list().unwrap()[0].moments, 6);
    replace(&log, 4, 10).unwrap();
    assert_eq!(timetables.list().unwrap()[0].moments, 20);
    assert!(log.integrity_check().unwrap().is_whole());
}

/// After a failed sync nothing may be built on what is in the WAL, whoever wrote it.
#[test]
fn a_timetable_that_meets_a_failing_medium_poisons() {
    let write = |log: &SqliteLog| {
        let failed = log.writer.between_groups(|committer| {
            committer.derive("write", |_| -> rusqlite::Result<Ending<()>> {
                let code = rusqlite::ffi::SQLITE_IOERR_FSYNC;
                Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(code),
                    None,
                ))
            })
        });
        assert!(matches!(failed, Err(DeriveError::Storage(_))));
    };
    let dir = TempDir::new().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    append(&log, 1, 100).unwrap();
    write(&log);
    let error = append(&log, 2, 100).unwrap_err();
    assert!(matches!(error, AppendError::Poisoned(_)), "{error}");
    // And the other way round: nothing is written beside a log that refuses.
    let error = replace(&log, 1, 3).unwrap_err();
    assert!(matches!(error, TimetableError::Poisoned(_)), "{error}");
}

/// What no record is to blame for does not stop a projection.
#[test]
fn a_full_medium_does_not_stop_a_projection() {
    let dir = TempDir::new().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    append(&log, 1, 100).unwrap();
    let projection = log.projection("large", 1);
    projection
        .begin(|step| step.execute_batch("CREATE TABLE large (bytes BLOB)"))
        .unwrap();
    let limit = |pages: i64| {
        log.writer.with_connection(|connection| {
            connection
                .pragma_update(None, "max_page_count", pages)
                .unwrap();
        });
    };
    let advance = || {
        projection.advance(5, |step, _| {
            step.execute("INSERT INTO large VALUES (zeroblob(1000000))", ())
                .map(drop)
        })
    };
    limit(50);
    let error = advance().unwrap_err();
    assert!(matches!(error, AdvanceError::Storage(_)), "{error}");
    append(&log, 2, 100).unwrap();
    let status = projection.status().unwrap().unwrap();
    assert_eq!((status.cursor, status.stopped), (Cursor::start(), None));
    limit(1_000_000);
    assert!(advance().unwrap());
    assert!(!advance().unwrap());
}

#[test]
fn what_is_due_is_found_through_the_index() {
    let dir = TempDir::new().unwrap();
    let log = SqliteLog::open(dir.path().join("log.db")).unwrap();
    replace(&log, 1, 3).unwrap();
    log.writer.with_connection(|connection| {
        for sql in timetables::ALL {
            let mut plan = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let nulls = rusqlite::params_from_iter(vec![0; plan.parameter_count()]);
            let steps = plan
                .query_map(nulls, |row| row.get::<_, String>(3))
                .unwrap();
            for step in steps.map(Result::unwrap) {
                assert!(
                    !step.starts_with("SCAN") && !step.contains("TEMP"),
                    "{step}: {sql}"
                );
            }
        }
    });
}

/// A log that is quick to fill.
fn open_without_syncs(dir: &TempDir) -> SqliteLog {
    let options = SqliteOptions {
        durability: Durability::NormalLosesAnsweredAppendsOnPowerLoss,
        ..SqliteOptions::default()
    };
    SqliteLog::open_with(dir.path().join("log.db"), options).unwrap()
}

fn assert_wal_is_below(dir: &TempDir, thresholds: u64) {
    let wal = std::fs::metadata(dir.path().join("log.db-wal"))
        .unwrap()
        .len();
    let bound = CHECKPOINT_PAGES * 4_096 * thresholds;
    assert!(
        wal < bound,
        "the WAL has grown to {wal} bytes, more than {bound}"
    );
}

/// What is derived fills the WAL too.
#[test]
fn timetables_do_not_let_the_wal_grow() {
    let dir = TempDir::new().unwrap();
    let log = open_without_syncs(&dir);
    for round in 0..60 {
        // Each replaces all: about a hundred pages.
        let streams: Vec<_> = (0..2_000)
            .map(|n| StreamMoments {
                moments: vec![(MomentKind(0), Moment::from_micros(n * 7 + round))],
                ..moments(n)
            })
            .collect();
        let timetables = log.timetables().unwrap();
        let from = timetables.cursor("t").unwrap();
        timetables
            .replace("t", &from, &Cursor::from_positions(vec![1]), &streams)
            .unwrap();
    }
    assert_wal_is_below(&dir, 3);
}

#[test]
fn the_wal_is_moved_into_the_file_and_used_again() {
    let dir = TempDir::new().unwrap();
    let log = open_without_syncs(&dir);
    // Each record takes two pages or more: about ten times the threshold.
    let records = u128::from(CHECKPOINT_PAGES) * 5;
    for n in 0..records {
        append(&log, n, 5_000).unwrap();
    }
    assert_wal_is_below(&dir, 4);
    assert!(log.integrity_check().unwrap().is_whole());
}
