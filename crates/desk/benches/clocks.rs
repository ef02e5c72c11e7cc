//! Ten million clocks: setting, cancelling, popping what is due, and the memory
//! they take. The number comes from `THIRDRING_BENCH_CLOCKS`.
#![expect(
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "it prints its figures"
)]

use std::hint::black_box;
use std::time::Instant;

use thirdring::DueIndex;
use thirdring::store::Moment;

/// A small generator: the same moments in every run.
struct Dice(u64);

impl Dice {
    const fn roll(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }
}

/// Resident memory in MiB, where the system tells.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or_default()
        / 1024
}

/// So many seconds after the beginning, which is some day.
fn second(seconds: u64) -> Moment {
    let start = 20_000 * 86_400;
    Moment::from_micros(i64::try_from(start + seconds).unwrap_or(0) * 1_000_000)
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let count: u64 = std::env::var("THIRDRING_BENCH_CLOCKS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000_000);
    let mut dice = Dice(7);
    let before = resident_mib();
    let mut index: DueIndex<u64> = DueIndex::new();
    let mut operations = 0u64;
    let whole = Instant::now();
    let told = |name: &str, from: Instant, operations: u64| {
        let nanos = from.elapsed().as_nanos() as f64 / operations.max(1) as f64;
        println!("{name:32} {operations:>11} operations {nanos:8.0} ns each");
    };

    let from = Instant::now();
    for key in 0..count {
        // Within thirty days, to the second.
        index.set(key, second(dice.roll() % (30 * 86_400)));
    }
    told("set", from, count);
    operations += count;
    println!(
        "{:32} {} MiB for {} clocks",
        "memory",
        resident_mib().saturating_sub(before),
        index.len()
    );

    let from = Instant::now();
    let cancelled = count / 2;
    for _ in 0..cancelled {
        let key = dice.roll() % count;
        black_box(index.cancel(&key));
    }
    told("cancel (random)", from, cancelled);
    operations += cancelled;

    let from = Instant::now();
    let left = index.len() as u64;
    let mut now = 0;
    let mut popped = 0;
    while !index.is_empty() {
        now += 60;
        popped += index.pop_due(second(now)).len() as u64;
    }
    assert!(popped == left, "everything is due once");
    told("pop what is due, minute by minute", from, popped);
    operations += popped;
    told("all together", whole, operations);
}
