//! What a fact costs: proposed, replayed, judged, and stored, beside the raw
//! database loop that does the least anybody must do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark may stop"
)]

mod ticket;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use thirdring::core::{Case, Mode, Proposal, Record, propose, verdicts};
use thirdring::store::{Durability, SqliteLog, SqliteOptions};
use thirdring::{Desk, Outcome, Request, Rulebook, StreamId, moment};

fn core(c: &mut Criterion) {
    let rulebook = Arc::new(ticket::rulebook());
    let stream = StreamId::new("T-1").unwrap();
    let records = ticket::records(&rulebook, &stream);
    let full = Case::replay(
        stream.clone(),
        Arc::clone(&rulebook),
        records.iter().cloned(),
    );
    let now = records.last().unwrap().recorded_at;
    let mut group = c.benchmark_group("core");
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("propose a ticket of 12 facts", |b| {
        b.iter(|| records_again(&rulebook, &stream, &records));
    });
    group.bench_function("replay a ticket of 12 facts", |b| {
        b.iter(|| {
            Case::replay(
                stream.clone(),
                Arc::clone(&rulebook),
                black_box(&records).iter().cloned(),
            )
        });
    });
    group.bench_function("judge a ticket of 12 facts by all of unis", |b| {
        b.iter(|| verdicts(black_box(&full), now));
    });
    group.finish();
}

/// Proposing, applying: what a desk does, without sealing and storing.
fn records_again(rulebook: &Arc<Rulebook>, stream: &StreamId, records: &[Arc<Record>]) -> Case {
    let mut case = Case::new(stream.clone(), Arc::clone(rulebook));
    for record in records {
        let proposal = Proposal {
            id: record.id,
            fact: record.fact().unwrap().clone(),
            by: record.by.clone(),
            done_by: None,
            occurred_at: record.occurred_at,
            now: record.recorded_at,
            evidence: Vec::new(),
            cause: None,
            mode: Mode::Enforce,
        };
        black_box(propose(&case, proposal).unwrap());
        case.apply(Arc::clone(record));
    }
    case
}

/// Runs whole tickets through a desk on `writers` threads and gives the time of
/// one fact.
fn desk_facts(durability: Durability, writers: usize, tickets: u64) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        durability,
        ..SqliteOptions::default()
    };
    let log = SqliteLog::open_with(dir.path().join("bench.db"), options).unwrap();
    let desk = Desk::open(log, ticket::rulebook());
    let next = AtomicU64::new(0);
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
                    let first = moment("2026-03-02T09:00:00+08:00").unwrap();
                    for (index, (fact, by)) in ticket::ticket().into_iter().enumerate() {
                        let at = first + chrono::TimeDelta::minutes(index as i64);
                        let outcome = desk
                            .submit(Request::new(&stream, fact, &by, at).told_at(at.to_utc()))
                            .unwrap();
                        assert!(matches!(outcome, Outcome::Admitted(_)));
                    }
                }
            });
        }
    });
    start.elapsed()
}

/// The least anybody must do: load the stream, decode it, decide, insert, commit.
fn raw_facts(synchronous: &str, tickets: u64) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(dir.path().join("raw.db")).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};
             CREATE TABLE record(position INTEGER PRIMARY KEY, stream TEXT NOT NULL,
               version INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE(stream, version));"
        ))
        .unwrap();
    let bodies: Vec<Vec<u8>> = ticket::sealed(1)
        .into_iter()
        .map(|(_, sealed)| sealed.body)
        .collect();
    let start = Instant::now();
    for number in 0..tickets {
        let stream = format!("T-{number}");
        for body in &bodies {
            let mut read = connection
                .prepare_cached("SELECT body FROM record WHERE stream=?1 ORDER BY version")
                .unwrap();
            let folded = read
                .query_map([&stream], |row| row.get::<_, Vec<u8>>(0))
                .unwrap()
                .map(|body| {
                    let body = body.unwrap();
                    let cut = body.iter().position(|b| *b == b'\n').unwrap() + 1;
                    serde_json::from_slice::<serde_json::Value>(&body[cut..]).unwrap()
                })
                .fold(0i64, |last, json| {
                    last.max(json["version"].as_i64().unwrap())
                });
            let mut insert = connection
                .prepare_cached("INSERT INTO record(stream, version, body) VALUES (?1, ?2, ?3)")
                .unwrap();
            insert
                .execute(rusqlite::params![stream, folded + 1, body])
                .unwrap();
        }
    }
    start.elapsed()
}

fn stored(c: &mut Criterion) {
    let mut group = c.benchmark_group("12 facts stored");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4));
    group.throughput(Throughput::Elements(12));
    for (name, durability, synchronous) in [
        ("full", Durability::Full, "FULL"),
        (
            "normal",
            Durability::NormalLosesAnsweredAppendsOnPowerLoss,
            "NORMAL",
        ),
    ] {
        group.bench_function(BenchmarkId::new("raw loop, 1 writer", name), |b| {
            b.iter_custom(|tickets| raw_facts(synchronous, tickets));
        });
        for writers in [1, 8] {
            group.bench_function(
                BenchmarkId::new(format!("desk, {writers} writers"), name),
                |b| {
                    b.iter_custom(|tickets| desk_facts(durability, writers, tickets));
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, core, stored);
criterion_main!(benches);
