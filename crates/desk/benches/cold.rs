//! Cold loads: a desk that knows nothing of a ticket reads it, proves it, folds it
//! and works out its clocks, beside the raw loop that selects, decodes and folds
//! the same bytes. A desk is made anew for each load. The log stays open and its
//! file is in the memory of the system: what is cold is the desk, not the disk.
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

use std::sync::Arc;

use contenders::{desk, raw};
use spent::{median, median_ratio, setting, spent};

/// Records in each log.
const RECORDS: usize = 24_000;

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let rounds = setting("THIRDRING_BENCH_ROUNDS", 21);
    let rulebook = Arc::new(ticket::rulebook());
    println!("median of {rounds} alternating rounds, each over all tickets");
    for facts in [12, 1_000] {
        let tickets = RECORDS / facts;
        let dir = tempfile::tempdir().unwrap();
        let log = Arc::new(desk::open(&dir.path().join("desk.db"), "FULL"));
        desk::fill(&*log, tickets, facts);
        let connection = raw::open(&dir.path().join("raw.db"), "FULL");
        raw::fill(&connection, tickets, facts);
        let tickets = tickets as u64;
        let records = tickets * facts as u64;
        let (mut raw_micros, mut desk_micros) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (loaded, spent_raw) = spent(|| raw::cold(&connection, tickets));
            assert_eq!(loaded, records);
            raw_micros.push(spent_raw.micros_each(tickets));
            let (loaded, spent_desk) = spent(|| desk::cold(&log, &rulebook, tickets));
            assert_eq!(loaded, records);
            desk_micros.push(spent_desk.micros_each(tickets));
        }
        for (name, micros) in [("raw", &raw_micros), ("desk", &desk_micros)] {
            let each = median(&**micros);
            println!(
                "{name:5} {facts:5} facts {each:9.1} µs a load {:6.2} µs a fact {:5.2} x raw",
                each / facts as f64,
                median_ratio(&raw_micros, micros),
            );
        }
    }
}
