//! One command at a time: tickets of twelve facts, each proposed, judged and
//! stored durably before the next, beside the raw loop that does the least
//! anybody must do. Rounds alternate, so that a machine that slows down slows
//! all of them down.
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

use contenders::{desk, raw};
use spent::{Spent, median, median_ratio, setting, spent};
use thirdring::Desk;

/// Facts of one ticket.
const FACTS: u64 = 12;

/// What the rounds of one contender gave.
#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    processor: Vec<f64>,
}

impl Figures {
    fn add(&mut self, tickets: u64, spent: Spent) {
        self.rates.push(spent.rate(tickets * FACTS));
        self.processor
            .push(spent.processor_micros_each(tickets * FACTS));
    }

    fn print(&self, name: &str, raw: &Self) {
        println!(
            "{name:20} {:8.0} facts/s {:5.2} x raw {:8.1} µs of processor a fact {:5.2} x raw",
            median(&*self.rates),
            median_ratio(&self.rates, &raw.rates),
            median(&*self.processor),
            median_ratio(&self.processor, &raw.processor),
        );
    }
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let rounds = setting("THIRDRING_BENCH_ROUNDS", 7);
    let tickets = setting("THIRDRING_BENCH_TICKETS", 300);
    for synchronous in ["FULL", "NORMAL"] {
        let mut raw = Figures::default();
        let mut desk = [1, 8, 64].map(|writers| (writers, Figures::default()));
        for _ in 0..rounds {
            raw.add(tickets, raw_round(synchronous, tickets));
            for (writers, figures) in &mut desk {
                // More writers do more in the same time.
                let tickets = tickets * if *writers == 1 { 1 } else { 4 };
                figures.add(tickets, desk_round(synchronous, *writers, tickets));
            }
        }
        println!(
            "synchronous={synchronous}, median of {rounds} alternating rounds of {tickets} tickets"
        );
        raw.print("raw loop, 1 writer", &raw);
        for (writers, figures) in desk {
            let plural = if writers == 1 { "" } else { "s" };
            figures.print(&format!("desk, {writers} writer{plural}"), &raw);
        }
    }
}

fn desk_round(synchronous: &str, writers: u64, tickets: u64) -> Spent {
    let dir = tempfile::tempdir().unwrap();
    let log = desk::open(&dir.path().join("bench.db"), synchronous);
    let desk = Desk::open(log, ticket::rulebook());
    spent(|| desk::commands(&desk, writers, tickets)).1
}

fn raw_round(synchronous: &str, tickets: u64) -> Spent {
    let dir = tempfile::tempdir().unwrap();
    let connection = raw::open(&dir.path().join("raw.db"), synchronous);
    let bodies = raw::bodies();
    spent(|| raw::commands(&connection, &bodies, tickets)).1
}
