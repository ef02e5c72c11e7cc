//! Replaying a whole log: every stream proved, folded and handed over, on as
//! many threads as the machine has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use thirdring_core::{Case, Rulebook, StreamId};
use thirdring_store::{Cursor, Log, StoredRecord};

use crate::storage::{ReadFailure, prove};

/// How many records are read at a time.
const PAGE: usize = 1024;
/// How many pages may wait for a worker: what bounds the memory of a fast
/// reader before slow workers.
const PAGES_WAITING: usize = 8;

/// What a replay went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many records.
    pub records: u64,
    /// How many streams.
    pub streams: u64,
}

/// Replays every stream of a log under a rulebook and hands each case over, in
/// no particular order and from several threads at once.
///
/// # Errors
/// If the log cannot be read, or a record was altered: then which one.
pub fn replay_log(
    log: &dyn Log,
    rulebook: &Arc<Rulebook>,
    visit: impl Fn(Case) + Sync,
) -> Result<Replayed, ReadFailure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut running = Vec::new();
        for _ in 0..workers {
            let (sender, receiver) = sync_channel(PAGES_WAITING);
            senders.push(sender);
            running.push(scope.spawn(|| work(receiver, rulebook, &visit)));
        }
        let read = deal(log, &senders);
        drop(senders);
        let mut replayed = Replayed::default();
        let mut failure = read.err();
        for worker in running {
            match worker.join() {
                Ok(Ok(part)) => {
                    replayed.records += part.records;
                    replayed.streams += part.streams;
                }
                Ok(Err(damage)) => {
                    failure.get_or_insert(damage);
                }
                // The panic of a visitor is the caller's own.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        failure.map_or(Ok(replayed), Err)
    })
}

/// Reads the log in order and deals its records to the workers, each stream to
/// one of them.
fn deal(log: &dyn Log, senders: &[SyncSender<Vec<StoredRecord>>]) -> Result<(), ReadFailure> {
    let mut cursor = Cursor::start();
    loop {
        let page = log.scan(&cursor, PAGE)?;
        let mut hands: Vec<Vec<StoredRecord>> = senders.iter().map(|_| Vec::new()).collect();
        for record in page.records {
            let place = share(record.stream.as_str(), senders.len());
            if let Some(hand) = hands.get_mut(place) {
                hand.push(record);
            }
        }
        for (sender, hand) in senders.iter().zip(hands) {
            // A worker that stopped found damage and says so at the end.
            if !hand.is_empty() && sender.send(hand).is_err() {
                return Ok(());
            }
        }
        if page.end {
            return Ok(());
        }
        cursor = page.next;
    }
}

/// Which worker a stream belongs to: any even spread does.
fn share(stream: &str, workers: usize) -> usize {
    let sum = stream.bytes().fold(0usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(byte))
    });
    sum % workers.max(1)
}

fn work(
    receiver: Receiver<Vec<StoredRecord>>,
    rulebook: &Arc<Rulebook>,
    visit: &(impl Fn(Case) + Sync),
) -> Result<Replayed, ReadFailure> {
    let mut cases: BTreeMap<StreamId, Case> = BTreeMap::new();
    let mut replayed = Replayed::default();
    for hand in receiver {
        for stored in hand {
            let name = stored.stream.as_str();
            let stream =
                StreamId::new(name).map_err(|_| ReadFailure::ForeignStream(name.to_owned()))?;
            let case = match cases.entry(stream) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => {
                    let case = Case::new(free.key().clone(), Arc::clone(rulebook));
                    free.insert(case)
                }
            };
            let record = prove(stored, case.chain())?;
            case.apply(record);
            replayed.records += 1;
        }
    }
    replayed.streams = cases.len() as u64;
    for (_, case) in cases {
        visit(case);
    }
    Ok(replayed)
}
