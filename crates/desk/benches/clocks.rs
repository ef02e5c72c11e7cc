//! Ten million clocks in memory, and a million in a file: setting, cancelling,
//! taking what is due, and what they need. The numbers come from
//! `THIRDRING_BENCH_CLOCKS` and `THIRDRING_BENCH_STORED_CLOCKS`; 0 leaves one out.
#![expect(
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it prints its figures, and may stop"
)]

use std::hint::black_box;
use std::time::Instant;

use thirdring::DueIndex;
use thirdring::store::{Cursor, Due, Log, Moment, MomentKind, SqliteLog, StreamId, StreamMoments};

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

/// How many streams are replaced in one transaction: as many as a desk works out.
const AT_ONCE: u64 = 2048;

fn told(name: &str, from: Instant, operations: u64) {
    let nanos = from.elapsed().as_nanos() as f64 / operations.max(1) as f64;
    println!("{name:32} {operations:>11} operations {nanos:8.0} ns each");
}

/// How many clocks, by the environment.
fn wanted(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(otherwise)
}

fn main() {
    // `cargo test --benches` only wants to know that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    in_memory(wanted("THIRDRING_BENCH_CLOCKS", 10_000_000));
    stored(wanted("THIRDRING_BENCH_STORED_CLOCKS", 1_000_000));
}

fn in_memory(count: u64) {
    if count == 0 {
        return;
    }
    println!("In memory:");
    let mut dice = Dice(7);
    let before = resident_mib();
    let mut index: DueIndex<u64> = DueIndex::new();
    let mut operations = 0u64;
    let whole = Instant::now();

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

/// The same in the file of a log: every transaction is durable.
fn stored(count: u64) {
    const KIND: MomentKind = MomentKind(0);
    if count == 0 {
        return;
    }
    println!("In SQLite, {AT_ONCE} streams a transaction:");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("clocks.db");
    let log = SqliteLog::open(&path).unwrap();
    let timetables = log.timetables().unwrap();
    let mut dice = Dice(7);
    let here = Cursor::start();
    let replace = |changes: &[StreamMoments]| {
        timetables.replace("bench", &here, &here, changes).unwrap();
    };
    let set = |key: u64, moment: Option<Moment>| StreamMoments {
        stream: StreamId::new(&format!("T-{key:08}")).unwrap(),
        moments: moment.map(|moment| (KIND, moment)).into_iter().collect(),
    };
    let mut operations = 0u64;
    let whole = Instant::now();

    let from = Instant::now();
    for first in (0..count).step_by(AT_ONCE as usize) {
        let changes: Vec<_> = (first..(first + AT_ONCE).min(count))
            .map(|key| set(key, Some(second(dice.roll() % (30 * 86_400)))))
            .collect();
        replace(&changes);
    }
    told("insert", from, count);
    operations += count;

    let from = Instant::now();
    let cancelled = count / 2;
    for first in (0..cancelled).step_by(AT_ONCE as usize) {
        let changes: Vec<_> = (first..(first + AT_ONCE).min(cancelled))
            .map(|_| set(dice.roll() % count, None))
            .collect();
        replace(&changes);
    }
    told("cancel (random)", from, cancelled);
    operations += cancelled;
    let state = timetables.list().unwrap().remove(0);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!(
        "{:32} {} MiB, {} clocks left",
        "file",
        bytes >> 20,
        state.moments
    );

    // Every minute is asked for, and what was due is dealt with.
    let from = Instant::now();
    let (mut now, mut popped) = (0, 0);
    let mut questions = 0u64;
    while popped < state.moments {
        now += 60;
        loop {
            let due = timetables
                .due("bench", KIND, second(now), None, AT_ONCE as usize)
                .unwrap();
            questions += 1;
            let changes: Vec<_> = due
                .iter()
                .map(|Due { stream, .. }| StreamMoments {
                    stream: stream.clone(),
                    moments: Vec::new(),
                })
                .collect();
            if !changes.is_empty() {
                replace(&changes);
            }
            popped += changes.len() as u64;
            if changes.len() < AT_ONCE as usize {
                break;
            }
        }
    }
    told("pop what is due, minute by minute", from, popped);
    println!("{:32} {questions} questions", "");
    operations += popped;
    told("all together", whole, operations);
}
