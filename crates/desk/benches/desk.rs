//! What a fact costs the core: proposed, replayed, judged. What it costs stored
//! stands in `commands.rs`, what a whole log costs in `replay.rs`.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop")]

mod ticket;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use thirdring::core::{Case, Mode, Proposal, Record, propose, verdicts};
use thirdring::{Rulebook, StreamId};

fn core(c: &mut Criterion) {
    let rulebook = Arc::new(ticket::rulebook());
    let stream = StreamId::new("T-1").unwrap();
    let records = ticket::records(&rulebook, &stream);
    let full = Case::replay(
        stream.clone(),
        Arc::clone(&rulebook),
        records.iter().cloned(),
    );
    let now = records.last().unwrap().recorded_at;
    let mut group = c.benchmark_group("core");
    group.throughput(Throughput::Elements(records.len() as u64));
    group.bench_function("propose a ticket of 12 facts", |b| {
        b.iter(|| records_again(&rulebook, &stream, &records));
    });
    group.bench_function("replay a ticket of 12 facts", |b| {
        b.iter(|| {
            Case::replay(
                stream.clone(),
                Arc::clone(&rulebook),
                black_box(&records).iter().cloned(),
            )
        });
    });
    group.bench_function("judge a ticket of 12 facts by all of unis", |b| {
        b.iter(|| verdicts(black_box(&full), now));
    });
    group.finish();
}

/// Proposing, applying: what a desk does, without sealing and storing.
fn records_again(rulebook: &Arc<Rulebook>, stream: &StreamId, records: &[Arc<Record>]) -> Case {
    let mut case = Case::new(stream.clone(), Arc::clone(rulebook));
    for record in records {
        let proposal = Proposal {
            id: record.id,
            fact: record.fact().unwrap().clone(),
            by: record.by.clone(),
            done_by: None,
            occurred_at: record.occurred_at,
            now: record.recorded_at,
            evidence: Vec::new(),
            cause: None,
            mode: Mode::Enforce,
        };
        black_box(propose(&case, proposal).unwrap());
        case.apply(Arc::clone(record));
    }
    case
}

criterion_group!(benches, core);
criterion_main!(benches);
