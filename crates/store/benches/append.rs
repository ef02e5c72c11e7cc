//! Appends per second of the SQLite log beside a hand-written rusqlite loop.
//!
//! One element is one fact, durable when its append returned.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails stops")]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod load;

use load::{Engine, Sync, run};

fn append(criterion: &mut Criterion) {
    for sync in [Sync::Full, Sync::Normal] {
        let mut group = criterion.benchmark_group(format!("append/{sync:?}"));
        group.throughput(Throughput::Elements(1));
        group.sample_size(20).warm_up_time(Duration::from_secs(1));
        for engine in Engine::ALL {
            group.bench_function(engine.name(), |bencher| {
                bencher.iter_custom(|count| {
                    let dir = tempfile::tempdir().unwrap();
                    run(engine, sync, dir.path(), count)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, append);
criterion_main!(benches);
