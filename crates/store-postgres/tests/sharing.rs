//! What several desks share beside the log: due clocks and projections.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails panics"
)]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use support::{one, open, record, stream};
use thirdring_store::{Expected, Log, Page, StorageFailure};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{AdvanceError, DueClock, PostgresLog, Step, TakeError};

const CLOCKS: u64 = 400;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn clock(n: u64) -> DueClock {
    DueClock {
        due_at: at(n),
        stream: stream(&format!("ticket/{}", n % 50)),
        what: format!("rule {n}"),
    }
}

#[test]
fn what_several_desks_share() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let (one_desk, other) = (open(&server.url()), open(&server.url()));
    clocks_are_kept_once(&one_desk);
    two_workers_never_take_one_clock_twice([&one_desk, &other]);
    work_that_fails_frees_its_clocks(&one_desk, &other);
    a_worker_that_dies_frees_its_clocks(&server, &one_desk);
    a_projection_is_never_half_applied(&one_desk);
    two_desks_advance_one_projection([&one_desk, &other]);
}

fn clocks_are_kept_once(log: &PostgresLog) {
    let due = log.due_clocks();
    assert_eq!(due.soonest().unwrap(), None);
    assert_eq!(due.insert(&[clock(7), clock(3)]).unwrap(), 2);
    assert_eq!(due.insert(&[clock(3), clock(4)]).unwrap(), 1);
    assert_eq!(due.soonest().unwrap(), Some(at(3)));
    assert_eq!(due.cancel(&[clock(3), clock(99)]).unwrap(), 1);
    assert_eq!(due.soonest().unwrap(), Some(at(4)));
    // Nothing is due before its time.
    assert_eq!(due.take(at(3), 10, |_| Ok::<_, ()>(())).unwrap(), 0);
    let mut taken = Vec::new();
    while due
        .take(at(7), 10, |clocks| {
            taken.extend_from_slice(clocks);
            Ok::<_, ()>(())
        })
        .unwrap()
        > 0
    {}
    assert_eq!(taken, [clock(4), clock(7)]);
    assert_eq!(due.soonest().unwrap(), None);
}

fn two_workers_never_take_one_clock_twice(desks: [&PostgresLog; 2]) {
    let all: Vec<DueClock> = (0..CLOCKS).map(clock).collect();
    desks[0].due_clocks().insert(&all).unwrap();
    let taken: Mutex<BTreeMap<DueClock, Vec<usize>>> = Mutex::default();
    thread::scope(|scope| {
        for worker in 0..4 {
            let (due, taken) = (desks[worker % 2].due_clocks(), &taken);
            scope.spawn(move || {
                loop {
                    let count = due.take(at(CLOCKS), 5, |clocks| {
                        for clock in clocks {
                            taken
                                .lock()
                                .unwrap()
                                .entry(clock.clone())
                                .or_default()
                                .push(worker);
                        }
                        // Held for a moment, so that the others meet it.
                        thread::sleep(Duration::from_millis(1));
                        Ok::<_, ()>(())
                    });
                    // 0 may also mean that the others hold all that is left.
                    if count.unwrap() == 0 && due.soonest().unwrap().is_none() {
                        return;
                    }
                }
            });
        }
    });
    let taken = taken.into_inner().unwrap();
    assert_eq!(taken.len() as u64, CLOCKS);
    assert!(
        taken.values().all(|workers| workers.len() == 1),
        "taken twice: {taken:?}"
    );
}

fn work_that_fails_frees_its_clocks(log: &PostgresLog, other: &PostgresLog) {
    let due = log.due_clocks();
    due.insert(&[clock(1)]).unwrap();
    let failed = due.take(at(9), 5, |clocks| {
        assert_eq!(clocks, [clock(1)]);
        // While one worker holds it, another finds nothing to do.
        let theirs = other.due_clocks().take(at(9), 5, |_| Ok::<_, ()>(()));
        assert_eq!(theirs.unwrap(), 0);
        Err("no")
    });
    assert!(matches!(failed, Err(TakeError::Work("no"))));
    assert_eq!(
        other
            .due_clocks()
            .take(at(9), 5, |_| Ok::<_, ()>(()))
            .unwrap(),
        1
    );
}

/// The second worker finds the clock again, appends the same record, and the log
/// knows it: the breach stands once.
fn a_worker_that_dies_frees_its_clocks(server: &Server, log: &PostgresLog) {
    let due = log.due_clocks();
    due.insert(&[clock(1)]).unwrap();
    let breach = |log: &PostgresLog| {
        log.append(&one("ticket/1", Expected::Any, record(1_000, 1)))
            .unwrap()
            .replayed
    };
    let died = due.take(at(9), 5, |_| {
        assert!(!breach(log));
        // Its connection is gone before it can say that it is done.
        server
            .sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE state = 'idle in transaction' AND application_name = 'thirdring'",
            )
            .unwrap();
        Ok::<_, ()>(())
    });
    assert!(matches!(died, Err(TakeError::Storage(_))), "{died:?}");
    let again = due.take(at(9), 5, |_| {
        assert!(breach(log), "the breach was recorded twice");
        Ok::<_, ()>(())
    });
    assert_eq!(again.unwrap(), 1);
    assert_eq!(log.head(&stream("ticket/1")).unwrap(), 1);
}

fn count(step: &mut Step<'_>, page: &Page) -> Result<(), StorageFailure> {
    for stored in &page.records {
        let name = stored.stream.as_str();
        step.execute(
            "INSERT INTO counts (stream, facts) VALUES ($1, 1) \
             ON CONFLICT (stream) DO UPDATE SET facts = counts.facts + 1",
            &[&name],
        )?;
    }
    Ok(())
}

fn counted(log: &PostgresLog) -> i64 {
    let mut total = None;
    let read = log
        .projection("reader")
        .rebuild(|step| -> Result<(), StorageFailure> {
            let rows = step.query("SELECT coalesce(sum(facts), 0)::int8 FROM counts", &[])?;
            total = Some(rows[0].get::<_, i64>(0));
            Ok(())
        });
    read.unwrap();
    total.unwrap()
}

fn a_projection_is_never_half_applied(log: &PostgresLog) {
    for n in 0..60 {
        log.append(&one(
            &format!("p/{}", n % 7),
            Expected::Any,
            record(2_000, n),
        ))
        .unwrap();
    }
    let facts = i64::try_from(support::all(log).len()).unwrap();
    let projection = log.projection("counts 1");
    projection
        .rebuild(|step| {
            step.execute(
                "CREATE TABLE counts (stream text PRIMARY KEY, facts int8)",
                &[],
            )
            .map(drop)
        })
        .unwrap();
    assert!(projection.advance(10, count).unwrap());
    let (cursor, before) = (projection.cursor().unwrap(), counted(log));
    assert!(before > 0 && before <= 10);
    // A record that cannot be applied stops it, with the reason, where it was.
    let poisoned = projection.advance(10, |step, page| {
        count(step, page).map_err(|error| error.to_string())?;
        Err("poison".to_owned())
    });
    assert!(matches!(poisoned, Err(AdvanceError::Apply(reason)) if reason == "poison"));
    assert_eq!(
        (projection.cursor().unwrap(), counted(log)),
        (cursor, before)
    );
    while projection.advance(10, count).unwrap() {}
    assert_eq!(counted(log), facts);
    assert_eq!(projection.cursor().unwrap(), log.end().unwrap());
    // And again from the beginning.
    projection
        .rebuild(|step| step.execute("TRUNCATE counts", &[]).map(drop))
        .unwrap();
    while projection.advance(1_000, count).unwrap() {}
    assert_eq!(counted(log), facts);
}

fn two_desks_advance_one_projection(desks: [&PostgresLog; 2]) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for desk in desks {
            let done = &done;
            scope.spawn(move || {
                let projection = desk.projection("counts 1");
                loop {
                    let over = done.load(Ordering::SeqCst);
                    let moved = projection.advance(3, count).unwrap();
                    if !moved && over {
                        return;
                    }
                }
            });
        }
        for n in 0..150 {
            let name = format!("q/{}", n % 9);
            desks[0]
                .append(&one(&name, Expected::Any, record(3_000, n)))
                .unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let facts = i64::try_from(support::all(desks[0]).len()).unwrap();
    assert_eq!(counted(desks[0]), facts, "applied twice or not at all");
}
