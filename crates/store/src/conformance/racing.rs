//! Many threads at once. The laws count what happened; none depends on speed.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::Backend;
use super::scene::{append, assert_whole, part, read_all, scan_all, stream};
use crate::append::{AppendError, Expected};
use crate::cursor::Cursor;
use crate::log::Log;
use crate::record::StoredRecord;

const WRITERS: u64 = 8;
const ROUNDS: u64 = 50;

/// Runs eight threads from one start. They are new ones each round, so that one
/// that fails leaves nobody waiting at a barrier.
fn race(action: impl Fn(u64) + Sync) {
    let start = Barrier::new(WRITERS as usize);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (start, action) = (&start, &action);
            scope.spawn(move || {
                start.wait();
                action(writer);
            });
        }
    });
}

/// Eight writers with the same expectation: one wins, seven are told of it.
pub fn exactly_one_of_eight_wins_each_round(backend: &impl Backend) {
    let log = backend.open();
    for round in 0..ROUNDS {
        let winners = AtomicUsize::new(0);
        race(|writer| {
            let n = round * WRITERS + writer;
            match log.append(&[part("a", Expected::Exactly(round), &[n])]) {
                Ok(appended) => {
                    assert_eq!(appended.places[0].version, round + 1);
                    winners.fetch_add(1, Ordering::SeqCst);
                }
                Err(AppendError::Conflict(conflicts)) => {
                    assert_eq!(conflicts[0].actual, round + 1);
                    assert_eq!(conflicts[0].since.len(), 1, "the winner's record");
                }
                Err(error) => panic!("{error}"),
            }
        });
        assert_eq!(winners.into_inner(), 1, "winners of round {round}");
    }
    let all = scan_all(&log, 100);
    assert_eq!(all.len() as u64, ROUNDS);
    assert_whole(&all);
}

/// Eight times the same batch at once: one writes, all get its answer.
pub fn racing_retries_write_once(backend: &impl Backend) {
    let log = backend.open();
    for round in 0..ROUNDS {
        let batch = [
            part("a", Expected::Exactly(round), &[round * 2]),
            part("b", Expected::Exactly(round), &[round * 2 + 1]),
        ];
        let writes = AtomicUsize::new(0);
        race(|_| {
            let appended = log.append(&batch).unwrap();
            assert_eq!(appended.places[0].position, round * 2 + 1);
            assert_eq!(appended.places[1].position, round * 2 + 2);
            if !appended.replayed {
                writes.fetch_add(1, Ordering::SeqCst);
            }
        });
        assert_eq!(writes.into_inner(), 1, "writes of round {round}");
    }
    assert_eq!(scan_all(&log, 100).len() as u64, ROUNDS * 2);
}

/// Writers of own and shared streams, with conflicts, leave no gap.
pub fn racing_writers_leave_dense_positions(backend: &impl Backend) {
    let log = backend.open();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let log = &log;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let n = (writer * ROUNDS + round) * 10;
                    append(log, &format!("own/{writer}"), &[n, n + 1]);
                    append(log, "shared", &[n + 2]);
                    // Mostly in conflict.
                    drop(log.append(&[part("shared", Expected::Exactly(round), &[n + 3])]));
                    drop(log.submit(vec![part("async", Expected::Any, &[n + 4])]));
                }
            });
        }
    });
    log.close();
    let all = scan_all(&log, 1_000);
    assert_whole(&all);
    assert!(all.len() as u64 >= WRITERS * ROUNDS * 4);
    for writer in 0..WRITERS {
        let own = read_all(&log, &format!("own/{writer}"), 1_000);
        assert_eq!(own.len() as u64, ROUNDS * 2);
    }
    assert_eq!(log.head(&stream("async")).unwrap(), WRITERS * ROUNDS);
}

/// Scanning readers see positions 1, 2, 3, … whatever the writers do.
pub fn no_reader_sees_a_position_before_its_predecessor(backend: &impl Backend) {
    let log = backend.open();
    let done = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let readers: Vec<_> = [1, 3, 1_000]
            .into_iter()
            .map(|limit| {
                let (log, done) = (&log, &done);
                scope.spawn(move || {
                    let mut seen: Vec<StoredRecord> = Vec::new();
                    let mut cursor = Cursor::start();
                    loop {
                        let over = done.load(Ordering::SeqCst);
                        let page = log.scan(&cursor, limit).unwrap();
                        for record in page.records {
                            assert_eq!(record.position, seen.len() as u64 + 1);
                            seen.push(record);
                        }
                        cursor = page.next;
                        if page.end && over {
                            return seen;
                        }
                    }
                })
            })
            .collect();
        thread::scope(|writers| {
            for writer in 0..WRITERS {
                let log = &log;
                writers.spawn(move || {
                    for round in 0..ROUNDS {
                        append(log, &format!("s/{}", round % 5), &[writer * ROUNDS + round]);
                    }
                });
            }
        });
        done.store(true, Ordering::SeqCst);
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect::<Vec<_>>()
    });
    let all = scan_all(&log, 100);
    assert_eq!(all.len() as u64, WRITERS * ROUNDS);
    for seen in seen {
        assert_eq!(seen, all, "a reader saw another history");
    }
}

/// A reader that pauses between two pages goes on where it stood.
pub fn a_reader_held_open_misses_nothing(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &(0..50).collect::<Vec<_>>());
    let first = log.scan(&Cursor::start(), 20).unwrap();
    let of_a = log.read(&stream("a"), 1, 20).unwrap();
    thread::scope(|scope| {
        for writer in 1..=WRITERS {
            let log = &log;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    append(
                        log,
                        if round % 2 == 0 { "a" } else { "b" },
                        &[writer * 1_000 + round],
                    );
                }
            });
        }
    });
    let mut seen = first.records;
    let mut cursor = first.next;
    loop {
        let page = log.scan(&cursor, 20).unwrap();
        seen.extend(page.records);
        cursor = page.next;
        if page.end {
            break;
        }
    }
    assert_eq!(seen, scan_all(&log, 1_000));
    let mut stream_seen = of_a.records;
    let mut from = of_a.next;
    loop {
        let page = log.read(&stream("a"), from, 20).unwrap();
        stream_seen.extend(page.records);
        from = page.next;
        if page.end {
            break;
        }
    }
    assert_eq!(stream_seen, read_all(&log, "a", 1_000));
}

/// A batch over two streams appears at once or not at all.
pub fn no_reader_sees_half_a_batch(backend: &impl Backend) {
    let log = backend.open();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (reading, over) = (&log, &done);
        let reader = scope.spawn(move || {
            while !over.load(Ordering::SeqCst) {
                let page = reading.scan(&Cursor::start(), usize::MAX).unwrap();
                let of = |name| {
                    page.records
                        .iter()
                        .filter(|record| record.stream == stream(name))
                        .count()
                };
                assert_eq!(of("left"), of("right"), "half a batch was seen");
            }
        });
        thread::scope(|writers| {
            for writer in 0..4 {
                let log = &log;
                writers.spawn(move || {
                    for round in 0..ROUNDS {
                        let n = (writer * ROUNDS + round) * 2;
                        // Both orders, as deadlocks would need.
                        let mut batch = vec![
                            part("left", Expected::Any, &[n]),
                            part("right", Expected::Any, &[n + 1]),
                        ];
                        if writer % 2 == 0 {
                            batch.reverse();
                        }
                        log.append(&batch).unwrap();
                    }
                });
            }
        });
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    assert_whole(&scan_all(&log, 1_000));
}
