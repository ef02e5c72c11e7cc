//! A desk at work.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use thirdring::core::{VerdictKind, each_finding};
use thirdring::store::{
    Append, Durability, Expected, Log, NewRecord, SqliteLog, SqliteOptions,
    StreamId as StoredStream,
};
use thirdring::{Desk, Outcome, Request, Rulebook, StreamId, moment, replay_log};

use crate::ticket;

/// Opens an SQLite log and proves how durable it is.
pub(crate) fn open(path: &Path, synchronous: &str) -> SqliteLog {
    let (durability, number) = match synchronous {
        "FULL" => (Durability::Full, "2"),
        "NORMAL" => (Durability::NormalLosesAnsweredAppendsOnPowerLoss, "1"),
        other => panic!("synchronous is FULL or NORMAL, not {other}"),
    };
    let options = SqliteOptions {
        durability,
        ..SqliteOptions::default()
    };
    let log = SqliteLog::open_with(path, options).unwrap();
    let settings = log.settings().unwrap();
    let found = |name: &str| {
        let setting = settings.iter().find(|setting| setting.name == name);
        setting.unwrap().found.clone()
    };
    assert_eq!(found("journal_mode"), "wal");
    assert_eq!(found("synchronous"), number);
    log
}

/// Proposes every fact of the tickets, each writer one ticket after the other.
pub(crate) fn commands(desk: &Desk, writers: u64, tickets: u64) {
    let next = AtomicU64::new(0);
    let first = moment("2026-03-02T09:00:00+08:00").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= tickets {
                        break;
                    }
                    let stream = StreamId::new(&format!("T-{number}")).unwrap();
                    for (minutes, (fact, by)) in (0i64..).zip(ticket::ticket()) {
                        let at = first + chrono::TimeDelta::minutes(minutes);
                        let request = Request::new(&stream, fact, &by, at)
                            .told_at(at.to_utc())
                            .with_id(ticket::id_of_now());
                        assert!(matches!(
                            desk.submit(request).unwrap(),
                            Outcome::Admitted(_)
                        ));
                    }
                }
            });
        }
    });
}

/// Stores so many tickets of so many facts.
pub(crate) fn fill(log: &dyn Log, tickets: usize, facts: usize) {
    ticket::in_turns(tickets, facts, |version, records| {
        // A batch is of one partition.
        let mut partitions = vec![Vec::new(); log.capabilities().partitions];
        for (number, id, sealed) in records {
            let stream = StoredStream::new(&format!("T-{number}")).unwrap();
            partitions[log.partition(&stream)].push(Append {
                stream,
                expected: Expected::Exactly(version - 1),
                records: vec![NewRecord {
                    id: thirdring::store::RecordId(id.to_bytes()),
                    body: sealed.body,
                    personal: sealed.personal,
                }],
            });
        }
        // All are stored when the last one answers.
        let submitted: Vec<_> = partitions
            .into_iter()
            .filter(|batch| !batch.is_empty())
            .map(|batch| log.submit(batch))
            .collect();
        for completion in submitted {
            completion.wait().unwrap();
        }
    });
}

/// Replays the whole log; how many records.
pub(crate) fn replay(log: &dyn Log, rulebook: &Arc<Rulebook>) -> u64 {
    replay_log(log, rulebook, drop).unwrap().records
}

/// Replays the whole log and judges every ticket; how many records.
pub(crate) fn judge(log: &dyn Log, rulebook: &Arc<Rulebook>) -> u64 {
    let now = moment("2026-03-09T09:00:00+08:00").unwrap().to_utc();
    let broken = AtomicUsize::new(0);
    let replayed = replay_log(log, rulebook, |case| {
        let mut bad = 0;
        each_finding(&case, now, |finding| {
            bad += usize::from(finding.kind() == VerdictKind::Broken);
        });
        broken.fetch_add(bad, Ordering::Relaxed);
    });
    assert_eq!(broken.into_inner(), 0);
    replayed.unwrap().records
}

/// Loads each ticket with a desk of its own, so that none is known; how many
/// records.
pub(crate) fn cold<L>(log: &Arc<L>, rulebook: &Arc<Rulebook>, tickets: u64) -> u64
where
    L: Log + 'static,
{
    let mut records = 0;
    for number in 0..tickets {
        let desk = Desk::open(Arc::clone(log), Arc::clone(rulebook));
        let stream = StreamId::new(&format!("T-{number}")).unwrap();
        records += desk.look_at(&stream, |case| case.version()).unwrap();
    }
    records
}
