//! Folding a whole log: one million facts by default is too long for every run,
//! so the number comes from `THIRDRING_BENCH_FACTS` (default 120,000). Two hundred
//! tickets are open at a time, and their facts come in turns.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::panic,
    reason = "a benchmark may stop"
)]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

mod contenders;
mod spent;
mod ticket;

use std::collections::HashMap;
use std::sync::Arc;

use contenders::{desk, raw};
use spent::{median, median_ratio, setting, spent};

/// Facts of one ticket.
const FACTS: usize = 12;

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let rounds = setting("THIRDRING_BENCH_ROUNDS", 5);
    let facts = usize::try_from(setting("THIRDRING_BENCH_FACTS", 120_000)).unwrap();
    let tickets = facts.div_ceil(FACTS);
    let dir = tempfile::tempdir().unwrap();
    let log = desk::open(&dir.path().join("desk.db"), "FULL");
    desk::fill(&log, tickets, FACTS);
    let connection = raw::open(&dir.path().join("raw.db"), "FULL");
    raw::fill(&connection, tickets, FACTS);
    let rulebook = Arc::new(ticket::rulebook());
    let records = (tickets * FACTS) as u64;
    let engines: [(&str, &dyn Fn() -> u64); 4] = [
        ("raw, whole records (one thread)", &|| {
            raw::replay(&connection)
        }),
        ("raw, four members of each (one thread)", &|| {
            replay_parts(&connection)
        }),
        ("replay, chain proved (all threads)", &|| {
            desk::replay(&log, &rulebook)
        }),
        ("replay and judge by unis (all threads)", &|| {
            desk::judge(&log, &rulebook)
        }),
    ];
    let mut micros = engines.map(|_| Vec::new());
    for _ in 0..rounds {
        for ((_, engine), micros) in engines.iter().zip(&mut micros) {
            let (found, spent) = spent(engine);
            assert_eq!(found, records);
            micros.push(spent.micros_each(records));
        }
    }
    println!("{records} facts, {tickets} tickets, median of {rounds} alternating rounds");
    for ((name, _), each) in engines.iter().zip(&micros) {
        println!(
            "{name:40} {:6.2} µs a fact  {:5.2} x raw",
            median(&**each),
            median_ratio(&micros[0], each),
        );
    }
}

/// Four members of a record, and nothing personal: less than any rule can do
/// with, as a lower bound of decoding.
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

fn replay_parts(connection: &rusqlite::Connection) -> u64 {
    let mut statement = connection
        .prepare("SELECT body FROM record ORDER BY position")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut streams: HashMap<String, u64> = HashMap::new();
    let (mut seen, mut count) = (0, 0);
    while let Some(row) = rows.next().unwrap() {
        let body = row.get_ref(0).unwrap().as_blob().unwrap();
        let cut = body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let mut values = serde_json::Deserializer::from_slice(&body[cut..]).into_iter::<Part>();
        let part = values.next().unwrap().unwrap();
        seen += part.by.role.len() + part.fact.len();
        let head = streams.entry(part.stream).or_default();
        *head = part.version.max(*head);
        count += 1;
    }
    assert!(seen > 0 && !streams.is_empty());
    count
}
