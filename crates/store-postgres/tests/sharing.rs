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
    AdvanceError, Due, Expected, Log, Moment, MomentKind, Page, StorageFailure, StreamMoments,
    Timetables,
};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{PostgresLog, Step};

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
    a_projection_is_never_half_applied(&server, &one_desk);
    two_desks_advance_one_projection(&server, [&one_desk, &other]);
    a_poison_record_stops_a_projection_with_its_reason(&server, [&one_desk, &other]);
    a_lost_connection_is_no_poison(&server, &one_desk);
    another_version_starts_from_the_beginning(&server, &one_desk);
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

fn counted(server: &Server) -> usize {
    let total = server.value("SELECT coalesce(sum(facts), 0)::int8 FROM thirdring.counts");
    total.parse().unwrap()
}

fn clear(step: &mut Step<'_>) -> Result<(), StorageFailure> {
    step.execute(
        "CREATE TABLE IF NOT EXISTS counts (stream text PRIMARY KEY, facts int8)",
        &[],
    )?;
    step.execute("TRUNCATE counts", &[]).map(drop)
}

fn a_projection_is_never_half_applied(server: &Server, log: &PostgresLog) {
    for n in 0..60 {
        log.append(&one(
            &format!("p/{}", n % 7),
            Expected::Any,
            record(2_000, n),
        ))
        .unwrap();
    }
    let facts = support::all(log).len();
    let projection = log.projection("counts", 1);
    assert_eq!(projection.status().unwrap(), None);
    let error = projection.advance(10, count).unwrap_err();
    assert!(error.to_string().contains("not begun"), "{error}");
    assert!(projection.begin(clear).unwrap());
    assert!(!projection.begin(clear).unwrap());
    assert!(projection.advance(10, count).unwrap());
    let before = counted(server);
    assert!(before > 0 && before <= 10);
    while projection.advance(10, count).unwrap() {}
    assert_eq!(counted(server), facts);
    let status = projection.status().unwrap().unwrap();
    assert_eq!(status.cursor, log.end().unwrap());
    // And again from the beginning.
    projection.rebuild(clear).unwrap();
    assert_eq!(counted(server), 0);
    while projection.advance(1_000, count).unwrap() {}
    assert_eq!(counted(server), facts);
    // What cannot be cleared is as it was.
    let error = projection.rebuild(|_| Err("not today")).unwrap_err();
    assert!(error.to_string().contains("not today"), "{error}");
    assert_eq!(counted(server), facts);
    assert_eq!(projection.status().unwrap().unwrap(), status);
}

/// Counts, and cannot bear one stream.
fn poisoned(step: &mut Step<'_>, page: &Page) -> Result<(), String> {
    count(step, page).map_err(|error| error.to_string())?;
    for stored in &page.records {
        if stored.stream.as_str() == "poison" {
            // The server's own refusal, which spoils the transaction until it is undone.
            let refused = step.execute("SELECT 1 / 0", &[]).unwrap_err();
            return Err(format!("no such customer ({refused})"));
        }
    }
    Ok(())
}

fn a_poison_record_stops_a_projection_with_its_reason(
    server: &Server,
    [one_desk, other]: [&PostgresLog; 2],
) {
    let projection = one_desk.projection("counts", 1);
    while projection.advance(100, count).unwrap() {}
    let before = counted(server);
    for (name, n) in [("p/1", 1), ("poison", 2), ("p/2", 3), ("poison", 4)] {
        let appended = one(name, Expected::Any, record(4_000, n));
        one_desk.append(&appended).unwrap();
    }
    let error = projection.advance(100, poisoned).unwrap_err();
    let AdvanceError::Stopped { stop, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((stop.stream.as_str(), stop.stream_version), ("poison", 1));
    assert!(stop.reason.starts_with("no such customer"), "{stop}");
    // What comes before it in the page is applied, it and what follows is not.
    let applied = counted(server);
    assert!((before..before + 3).contains(&applied), "{applied}");
    // It stays stopped, for others too, and says so.
    for desk in [one_desk, other] {
        let refused = desk.projection("counts", 1).advance(5, count).unwrap_err();
        assert!(
            refused.to_string().contains("no such customer"),
            "{refused}"
        );
    }
    let listed = other.projections().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].stopped.as_ref(), Some(&*stop));
    assert_eq!(counted(server), applied);
    // Told to go on it meets the same record, mended or not.
    assert!(projection.go_on().unwrap());
    assert!(!projection.go_on().unwrap());
    projection.advance(100, poisoned).unwrap_err();
    assert!(projection.go_on().unwrap());
    while projection.advance(2, count).unwrap() {}
    assert_eq!(counted(server), before + 4);
    // A rebuilding starts it too.
    projection.rebuild(clear).unwrap();
    while match projection.advance(1_000, poisoned) {
        Ok(moved) => moved,
        Err(error) => panic_unless_stopped(&error),
    } {}
    projection.rebuild(clear).unwrap();
    while projection.advance(1_000, count).unwrap() {}
    assert_eq!(counted(server), before + 4);
}

fn panic_unless_stopped(error: &AdvanceError) -> bool {
    assert!(matches!(error, AdvanceError::Stopped { .. }), "{error}");
    false
}

/// A connection that is lost while a record is applied is not the record's fault.
fn a_lost_connection_is_no_poison(server: &Server, log: &PostgresLog) {
    log.append(&one("p/1", Expected::Any, record(5_000, 1)))
        .unwrap();
    let projection = log.projection("counts", 1);
    let before = counted(server);
    let error = projection
        .advance(10, |step, page| {
            server
                .sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE state = 'idle in transaction' AND application_name = 'thirdring'",
                )
                .unwrap();
            count(step, page)
        })
        .unwrap_err();
    assert!(matches!(error, AdvanceError::Storage(_)), "{error}");
    assert_eq!(projection.status().unwrap().unwrap().stopped, None);
    assert!(projection.advance(10, count).unwrap());
    assert_eq!(counted(server), before + 1);
}

fn another_version_starts_from_the_beginning(server: &Server, log: &PostgresLog) {
    let facts = support::all(log).len();
    let (old, new) = (log.projection("counts", 1), log.projection("counts", 2));
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
    assert!(new.begin(clear).unwrap());
    assert_eq!(counted(server), 0);
    for refused in [
        old.begin(clear).unwrap_err(),
        old.advance(5, count).unwrap_err(),
    ] {
        assert!(
            matches!(refused, AdvanceError::OtherVersion { found: Some(2), .. }),
            "{refused}"
        );
    }
    while new.advance(500, count).unwrap() {}
    assert_eq!(counted(server), facts);
}

fn two_desks_advance_one_projection(server: &Server, desks: [&PostgresLog; 2]) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for desk in desks {
            let done = &done;
            scope.spawn(move || {
                let projection = desk.projection("counts", 1);
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
    let facts = support::all(desks[0]).len();
    assert_eq!(counted(server), facts, "applied twice or not at all");
}
