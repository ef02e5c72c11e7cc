//! Prints the throughput of each engine as a ratio to the hand-written loops.
//!
//! The engines take turns in short rounds, so that whatever else the machine
//! does falls on neighbours alike. A ratio is taken within each round; printed is
//! the median of the rounds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a program that measures and prints"
)]

mod load;

use load::{Engine, Sync, run};

const ROUNDS: usize = 21;

/// Facts in a round: about a quarter of a second for each.
fn facts(engine: Engine) -> u64 {
    match engine {
        Engine::RawBare | Engine::RawUnique | Engine::Log(1) => 1_500,
        Engine::Log(..=8) => 4_000,
        Engine::Log(_) => 16_000,
    }
}

fn main() {
    // `cargo test --benches` passes `--test`: then one short round shows that it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (rounds, part) = if quick { (1, 20) } else { (ROUNDS, 1) };
    for sync in [Sync::Full, Sync::Normal] {
        let rates: Vec<Vec<f64>> = (0..rounds)
            .map(|_| {
                let measured = Engine::ALL.map(|engine| {
                    let dir = tempfile::tempdir().unwrap();
                    let facts = facts(engine) / part;
                    facts as f64 / run(engine, sync, dir.path(), facts).as_secs_f64()
                });
                measured.to_vec()
            })
            .collect();
        println!("{sync:?}: median of {rounds} rounds");
        println!(
            "{:<16} {:>10} {:>12} {:>12}",
            "", "facts/s", "/ no index", "/ unique"
        );
        for (index, engine) in Engine::ALL.into_iter().enumerate() {
            let rate = median(rates.iter().map(|round| round[index]));
            let bare = median(rates.iter().map(|round| round[index] / round[0]));
            let unique = median(rates.iter().map(|round| round[index] / round[1]));
            println!(
                "{:<16} {rate:>10.0} {bare:>12.2} {unique:>12.2}",
                engine.name()
            );
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
