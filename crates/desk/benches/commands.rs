//! One command at a time: tickets of twelve facts, each proposed, judged and
//! stored durably before the next, beside the raw loop that does the least
//! anybody must do. Rounds alternate, so that a machine that slows down slows
//! all of them down.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "a benchmark may stop"
)]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

mod ticket;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use thirdring::store::{Durability, SqliteLog, SqliteOptions};
use thirdring::{Desk, Outcome, Request, StreamId, moment};

/// Facts of one ticket.
const FACTS: u64 = 12;

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(otherwise)
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let rounds = setting("THIRDRING_BENCH_ROUNDS", 7);
    let tickets = setting("THIRDRING_BENCH_TICKETS", 300);
    for (name, durability, synchronous) in [
        ("FULL", Durability::Full, "FULL"),
        (
            "NORMAL",
            Durability::NormalLosesAnsweredAppendsOnPowerLoss,
            "NORMAL",
        ),
    ] {
        let mut raw = Vec::new();
        let writers = [1usize, 8, 64];
        let mut desk = vec![Vec::new(); writers.len()];
        for _ in 0..rounds {
            raw.push(raw_loop(synchronous, tickets));
            for (figures, writers) in desk.iter_mut().zip(writers) {
                // More writers do more in the same time.
                let tickets = tickets * if writers == 1 { 1 } else { 4 };
                figures.push(desk_loop(durability, writers, tickets));
            }
        }
        let raw = median(raw);
        println!("synchronous={name}, median of {rounds} alternating rounds of {tickets} tickets");
        println!(
            "{:24} {:8.0} facts/s  1.00 x raw",
            "raw loop, 1 writer", raw
        );
        for (figures, writers) in desk.into_iter().zip(writers) {
            let rate = median(figures);
            let label = format!("desk, {writers} writers");
            println!("{label:24} {rate:8.0} facts/s  {:4.2} x raw", rate / raw);
        }
    }
}

/// Facts a second through a desk.
fn desk_loop(durability: Durability, writers: usize, tickets: u64) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        durability,
        ..SqliteOptions::default()
    };
    let log = SqliteLog::open_with(dir.path().join("bench.db"), options).unwrap();
    let desk = Desk::open(log, ticket::rulebook());
    let next = AtomicU64::new(0);
    let first = moment("2026-03-02T09:00:00+08:00").unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= tickets {
                        break;
                    }
                    let stream = StreamId::new(&format!("T-{number}")).unwrap();
                    for (minutes, (fact, by)) in (0i64..).zip(ticket::ticket()) {
                        let at = first + chrono::TimeDelta::minutes(minutes);
                        let request = Request::new(&stream, fact, &by, at).told_at(at.to_utc());
                        assert!(matches!(
                            desk.submit(request).unwrap(),
                            Outcome::Admitted(_)
                        ));
                    }
                }
            });
        }
    });
    (tickets * FACTS) as f64 / start.elapsed().as_secs_f64()
}

/// Facts a second through the least anybody must do: load the stream, decode
/// it, fold it, decide, insert, commit.
fn raw_loop(synchronous: &str, tickets: u64) -> f64 {
    let dir = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(dir.path().join("raw.db")).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};
             CREATE TABLE record(position INTEGER PRIMARY KEY, stream TEXT NOT NULL,
               version INTEGER NOT NULL, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL,
               UNIQUE(stream, version));"
        ))
        .unwrap();
    let bodies: Vec<Vec<u8>> = ticket::sealed(1)
        .into_iter()
        .map(|(_, sealed)| {
            // The same bytes: personal values beside the body.
            let mut body = sealed.body;
            body.extend(sealed.personal.unwrap_or_default());
            body
        })
        .collect();
    let start = Instant::now();
    for number in 0..tickets {
        let stream = format!("T-{number}");
        for body in &bodies {
            let mut read = connection
                .prepare_cached("SELECT body FROM record WHERE stream=?1 ORDER BY version")
                .unwrap();
            let last = read
                .query_map([&stream], |row| row.get::<_, Vec<u8>>(0))
                .unwrap()
                .map(|body| {
                    let body = body.unwrap();
                    let cut = body.iter().position(|b| *b == b'\n').unwrap() + 1;
                    let mut values = serde_json::Deserializer::from_slice(&body[cut..]).into_iter();
                    let json: serde_json::Value = values.next().unwrap().unwrap();
                    json["version"].as_i64().unwrap()
                })
                .fold(0, i64::max);
            let mut insert = connection
                .prepare_cached(
                    "INSERT INTO record(stream, version, id, body) VALUES (?1, ?2, ?3, ?4)",
                )
                .unwrap();
            let id = thirdring::fresh_id(chrono::DateTime::UNIX_EPOCH)
                .unwrap()
                .to_bytes();
            insert
                .execute(rusqlite::params![stream, last + 1, id, body])
                .unwrap();
        }
    }
    (tickets * FACTS) as f64 / start.elapsed().as_secs_f64()
}
