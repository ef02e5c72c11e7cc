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
use thirdring::core::each_finding;
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
    // As at a desk: two hundred tickets are open at a time, and their facts come
    // in turns.
    for first in (0..tickets).step_by(200) {
        let open: Vec<_> = (first..(first + 200).min(tickets))
            .map(|number| (number, ticket::sealed(number)))
            .collect();
        for step in 0..12 {
            let batch: Vec<Append> = open
                .iter()
                .map(|(number, sealed)| {
                    let (id, sealed) = &sealed[step];
                    Append {
                        stream: StoredStream::new(&format!("T-{number}")).unwrap(),
                        expected: Expected::Exactly(step as u64),
                        records: vec![NewRecord {
                            id: thirdring::store::RecordId(id.to_bytes()),
                            body: sealed.body.clone(),
                            personal: sealed.personal.clone(),
                        }],
                    }
                })
                .collect();
            log.append(&batch).unwrap();
        }
    }
    let rulebook = Arc::new(manuals::shipped("unis").unwrap());
    let now = moment("2026-03-09T09:00:00+08:00").unwrap().to_utc();
    let count = tickets * 12;
    let engines: [(&str, &dyn Fn()); 4] = [
        ("raw, whole records (one thread)", &|| {
            assert_eq!(raw_fold::<Whole>(&path), count);
        }),
        ("raw, four members of each (one thread)", &|| {
            assert_eq!(raw_fold::<Part>(&path), count);
        }),
        ("replay, chain proved (all threads)", &|| {
            let replayed = replay_log(&log, &rulebook, drop).unwrap();
            assert_eq!(replayed.records, count as u64);
        }),
        ("replay and judge by unis (all threads)", &|| {
            let broken = AtomicUsize::new(0);
            let judged = AtomicUsize::new(0);
            replay_log(&log, &rulebook, |case| {
                let (mut all, mut bad) = (0, 0);
                each_finding(&case, now, |finding| {
                    all += 1;
                    bad += usize::from(finding.kind() == VerdictKind::Broken);
                });
                judged.fetch_add(all, Ordering::Relaxed);
                broken.fetch_add(bad, Ordering::Relaxed);
            })
            .unwrap();
            assert!(judged.into_inner() > 50 * tickets);
            assert_eq!(broken.into_inner(), 0);
        }),
    ];
    let mut seconds = engines.map(|_| Vec::new());
    for _ in 0..RUNS {
        for ((_, engine), seconds) in engines.iter().zip(&mut seconds) {
            let start = Instant::now();
            engine();
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    let seconds = seconds.map(median);
    println!("{count} facts, {tickets} tickets, median of {RUNS} runs in turn");
    for ((name, _), second) in engines.iter().zip(seconds) {
        println!(
            "{name:40} {second:7.3} s  {:6.2} µs a fact  {:5.2} x raw",
            second * 1e6 / count as f64,
            seconds[0] / second
        );
    }
}

/// What a raw loop decodes a record into.
trait Decoded: serde::de::DeserializeOwned {
    /// The columns it needs, of each record in order.
    const SCAN: &str;
    /// The stream and version, and a number that depends on the rest, so that
    /// nothing is decoded in vain.
    fn look(self, personal: Option<&[u8]>) -> (String, u64, usize);
}

#[derive(serde::Deserialize)]
struct Person {
    id: String,
    role: String,
}

/// Everything a rule may ask of a record, as a typed value: what the replay
/// beside it decodes too.
#[derive(serde::Deserialize)]
struct Whole {
    id: String,
    stream: String,
    version: u64,
    occurred_at: chrono::DateTime<chrono::FixedOffset>,
    recorded_at: chrono::DateTime<chrono::Utc>,
    by: Person,
    rulebook: String,
    fact: serde_json::Map<String, serde_json::Value>,
}

#[derive(serde::Deserialize)]
struct Personal {
    fields: HashMap<String, String>,
}

impl Decoded for Whole {
    const SCAN: &str = ticket::RAW_SCAN_WHOLE;

    fn look(mut self, personal: Option<&[u8]>) -> (String, u64, usize) {
        if let Some(bytes) = personal {
            let personal: Personal = serde_json::from_slice(bytes).unwrap();
            let fields = personal.fields.into_iter();
            self.fact
                .extend(fields.map(|(name, text)| (name, text.into())));
        }
        assert!(self.fact.contains_key("type") && self.occurred_at <= self.recorded_at);
        let sum = self.id.len() + self.by.id.len() + self.by.role.len() + self.rulebook.len();
        (self.stream, self.version, sum)
    }
}

/// Less than any rule can do with: a lower bound of decoding.
#[derive(serde::Deserialize)]
struct Part {
    stream: String,
    version: u64,
    by: Role,
    fact: serde_json::Map<String, serde_json::Value>,
}

#[derive(serde::Deserialize)]
struct Role {
    role: String,
}

impl Decoded for Part {
    const SCAN: &str = ticket::RAW_SCAN;

    fn look(self, _: Option<&[u8]>) -> (String, u64, usize) {
        assert!(self.fact.contains_key("type"));
        (self.stream, self.version, self.by.role.len())
    }
}

/// Reads every record in order, decodes it, and counts by stream.
fn raw_fold<D: Decoded>(path: &std::path::Path) -> usize {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare(D::SCAN).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut streams: HashMap<String, u64> = HashMap::new();
    let (mut sum, mut count) = (0, 0);
    while let Some(row) = rows.next().unwrap() {
        let body = row.get_ref(0).unwrap().as_blob().unwrap();
        let personal = row.get_ref(1).unwrap().as_blob_or_null().unwrap();
        let cut = body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let decoded: D = serde_json::from_slice(&body[cut..]).unwrap();
        let (stream, version, seen) = decoded.look(personal);
        let head = streams.entry(stream).or_default();
        *head = version.max(*head);
        sum += seen;
        count += 1;
    }
    assert!(sum > 0 && !streams.is_empty());
    count
}
