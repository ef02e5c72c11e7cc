//! Prints the throughput of each engine as a ratio to the hand-written loops.
//!
//! The engines take turns in short rounds, so that whatever else the machine
//! does falls on all of them alike; the median of the rounds is printed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a program that measures and prints"
)]

mod load;

use load::{Engine, Sync, run};

const ROUNDS: usize = 7;
const FACTS: u64 = 6_000;

fn main() {
    // `cargo test --benches` passes `--test`: then one short round shows that it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (rounds, facts) = if quick { (1, 100) } else { (ROUNDS, FACTS) };
    for sync in [Sync::Full, Sync::Normal] {
        let mut rates = vec![Vec::new(); Engine::ALL.len()];
        for _ in 0..rounds {
            for (engine, rates) in Engine::ALL.into_iter().zip(&mut rates) {
                let dir = tempfile::tempdir().unwrap();
                let time = run(engine, sync, dir.path(), facts);
                rates.push(facts as f64 / time.as_secs_f64());
            }
        }
        let medians: Vec<f64> = rates.iter_mut().map(|rates| median(rates)).collect();
        println!("{sync:?}: {facts} facts a round, median of {rounds} rounds");
        println!(
            "{:<16} {:>10} {:>12} {:>12}",
            "", "facts/s", "/ no index", "/ unique"
        );
        for (engine, rate) in Engine::ALL.into_iter().zip(&medians) {
            let (bare, unique) = (rate / medians[0], rate / medians[1]);
            println!(
                "{:<16} {rate:>10.0} {bare:>12.2} {unique:>12.2}",
                engine.name()
            );
        }
    }
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
