//! What several desks share beside the log: what is due, and projections. The laws
//! of timetables are in the suite of the log.

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

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use support::{one, open, record, stream};
use thirdring_store::{
    Due, Expected, Log, Moment, MomentKind, Page, StorageFailure, StreamMoments, Timetables,
};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{AdvanceError, PostgresLog, Step};

const STREAMS: i64 = 300;
const KIND: MomentKind = MomentKind(0);

fn at(seconds: i64) -> Moment {
    Moment::from_micros((1_800_000_000 + seconds) * 1_000_000)
}

#[test]
fn what_several_desks_share() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let (one_desk, other) = (open(&server.url()), open(&server.url()));
    two_workers_never_hold_one_stream_at_once([&one_desk, &other]);
    a_worker_that_dies_frees_what_it_held(&server, [&one_desk, &other]);
    a_projection_is_never_half_applied(&one_desk);
    two_desks_advance_one_projection([&one_desk, &other]);
}

/// Makes streams due, each a second after the one before.
fn make_due(log: &PostgresLog, name: &str, count: i64) {
    let streams: Vec<_> = (0..count)
        .map(|n| StreamMoments {
            stream: stream(&format!("ticket/{n}")),
            moments: vec![(KIND, at(n))],
        })
        .collect();
    let from = log.cursor(name).unwrap();
    log.replace(name, &from, &from, &streams).unwrap();
}

fn two_workers_never_hold_one_stream_at_once(desks: [&PostgresLog; 2]) {
    make_due(desks[0], "shared", STREAMS);
    let held: Mutex<BTreeSet<Due>> = Mutex::default();
    let done: Mutex<BTreeSet<Due>> = Mutex::default();
    thread::scope(|scope| {
        for desk in desks {
            let (held, done) = (&held, &done);
            scope.spawn(move || {
                // What the other holds is passed over and comes round again.
                while (done.lock().unwrap().len() as i64) < STREAMS {
                    let mut last = None;
                    loop {
                        let page = desk.hold(
                            "shared",
                            KIND,
                            at(STREAMS),
                            last.as_ref(),
                            7,
                            &mut |streams| {
                                for due in streams {
                                    let alone = held.lock().unwrap().insert(due.clone());
                                    assert!(alone, "{due:?} is held twice");
                                }
                                // Held for a moment, so that the other meets it.
                                thread::sleep(Duration::from_millis(1));
                                for due in streams {
                                    held.lock().unwrap().remove(due);
                                    done.lock().unwrap().insert(due.clone());
                                }
                            },
                        );
                        last = page.unwrap();
                        if last.is_none() {
                            break;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(done.into_inner().unwrap().len() as i64, STREAMS);
}

/// The second worker finds the stream again, appends the same record, and the log
/// knows it: the breach stands once.
fn a_worker_that_dies_frees_what_it_held(server: &Server, desks: [&PostgresLog; 2]) {
    let [one_desk, other] = desks;
    make_due(one_desk, "dying", 1);
    let breach = |log: &PostgresLog| {
        log.append(&one("ticket/0", Expected::Any, record(1_000, 1)))
            .unwrap()
            .replayed
    };
    let hold = |desk: &PostgresLog, work: &mut dyn FnMut(&[Due])| {
        desk.hold("dying", KIND, at(9), None, 5, work).unwrap();
    };
    let mut rounds = 0;
    hold(one_desk, &mut |held| {
        assert_eq!(held.len(), 1);
        assert!(!breach(one_desk));
        hold(other, &mut |_| panic!("it is held"));
        // Its connection is gone before it is done.
        server
            .sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE state = 'idle in transaction' AND application_name = 'thirdring'",
            )
            .unwrap();
        while rounds == 0 {
            hold(other, &mut |held| {
                assert_eq!(held.len(), 1);
                assert!(breach(other), "the breach was recorded twice");
                rounds += 1;
            });
        }
    });
    assert_eq!(rounds, 1);
    assert_eq!(other.head(&stream("ticket/0")).unwrap(), 1);
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
