//! Folding a whole log: one million facts by default is too long for every run,
//! so the number comes from `THIRDRING_BENCH_FACTS` (default 120,000).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "a benchmark may stop"
)]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

mod ticket;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use thirdring::core::VerdictKind;
use thirdring::core::verdicts;
use thirdring::store::{Append, Expected, Log, NewRecord, SqliteLog, StreamId as StoredStream};
use thirdring::{manuals, moment, replay_log};

const RUNS: usize = 5;

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let facts: usize = std::env::var("THIRDRING_BENCH_FACTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(120_000);
    let tickets = facts.div_ceil(12);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fold.db");
    let log = SqliteLog::open(&path).unwrap();
    for first in (0..tickets).step_by(200) {
        let batch: Vec<Append> = (first..(first + 200).min(tickets))
            .map(|number| Append {
                stream: StoredStream::new(&format!("T-{number}")).unwrap(),
                expected: Expected::NoStream,
                records: ticket::sealed(number)
                    .into_iter()
                    .map(|(id, sealed)| NewRecord {
                        id: thirdring::store::RecordId(id.to_bytes()),
                        body: sealed.body,
                        personal: sealed.personal,
                    })
                    .collect(),
            })
            .collect();
        log.append(&batch).unwrap();
    }
    let rulebook = Arc::new(manuals::shipped("unis").unwrap());
    let now = moment("2026-03-09T09:00:00+08:00").unwrap().to_utc();
    let count = tickets * 12;
    let (mut raw, mut fold, mut judge) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let start = Instant::now();
        assert_eq!(raw_fold(&path), count);
        raw.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let replayed = replay_log(&log, &rulebook, drop).unwrap();
        assert_eq!(replayed.records, count as u64);
        fold.push(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let broken = AtomicUsize::new(0);
        replay_log(&log, &rulebook, |case| {
            let found = verdicts(&case, now);
            let found = found
                .iter()
                .filter(|verdict| verdict.kind == VerdictKind::Broken)
                .count();
            broken.fetch_add(found, Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!(broken.into_inner(), 0);
        judge.push(start.elapsed().as_secs_f64());
    }
    let (raw, fold, judge) = (median(raw), median(fold), median(judge));
    println!("{count} facts, {tickets} tickets, median of {RUNS} runs in turn");
    for (name, seconds) in [
        ("raw read, decode, fold (one thread)", raw),
        ("replay, chain proved (all threads)", fold),
        ("replay and judge by unis (all threads)", judge),
    ] {
        println!(
            "{name:40} {seconds:7.3} s  {:6.2} µs a fact  {:5.2} x raw",
            seconds * 1e6 / count as f64,
            raw / seconds
        );
    }
}

/// The least anybody must do: read every record in order, decode it into typed
/// values, and count by stream.
fn raw_fold(path: &std::path::Path) -> usize {
    #[derive(serde::Deserialize)]
    struct Envelope {
        stream: String,
        version: u64,
        by: By,
        fact: serde_json::Map<String, serde_json::Value>,
    }
    #[derive(serde::Deserialize)]
    struct By {
        role: String,
    }
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(ticket::RAW_SCAN).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut streams: HashMap<String, u64> = HashMap::new();
    let mut roles = 0;
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let body = row.get_ref(0).unwrap().as_blob().unwrap();
        let cut = body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let envelope: Envelope = serde_json::from_slice(&body[cut..]).unwrap();
        assert!(envelope.fact.contains_key("type"));
        roles += envelope.by.role.len();
        let version = streams.entry(envelope.stream).or_default();
        *version = envelope.version.max(*version);
        count += 1;
    }
    assert!(roles > 0 && !streams.is_empty());
    count
}
