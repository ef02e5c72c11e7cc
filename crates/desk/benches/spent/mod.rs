//! What work cost: time on the wall, and time of processors.
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What a piece of work took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// On the wall.
    pub(crate) elapsed: Duration,
    /// Of processors, by all threads of this process, ended ones too; in the
    /// program and in the system on its behalf.
    pub(crate) processor: Duration,
}

impl Spent {
    /// Operations a second.
    pub(crate) fn rate(&self, operations: u64) -> f64 {
        operations as f64 / self.elapsed.as_secs_f64()
    }

    /// Microseconds on the wall for each operation.
    pub(crate) fn micros_each(&self, operations: u64) -> f64 {
        self.elapsed.as_secs_f64() * 1e6 / operations as f64
    }

    /// Microseconds of processor time for each operation.
    pub(crate) fn processor_micros_each(&self, operations: u64) -> f64 {
        self.processor.as_secs_f64() * 1e6 / operations as f64
    }
}

/// Does the work and tells what it took.
pub(crate) fn spent<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let processor = processor_time();
    let start = Instant::now();
    let result = work();
    let elapsed = start.elapsed();
    let processor = processor_time().saturating_sub(processor);
    (result, Spent { elapsed, processor })
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

pub(crate) fn median(figures: impl Into<Vec<f64>>) -> f64 {
    let mut figures = figures.into();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The median of what each round's figure is to another's of the same round, so
/// that a machine that slows down meanwhile slows both.
pub(crate) fn median_ratio(figures: &[f64], to: &[f64]) -> f64 {
    let ratios = figures.iter().zip(to).map(|(one, other)| one / other);
    median(ratios.collect::<Vec<f64>>())
}

/// A number from the environment.
pub(crate) fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(otherwise)
}
