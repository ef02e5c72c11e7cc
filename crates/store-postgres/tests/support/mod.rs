//! Short ways to say what a test needs.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails panics"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use thirdring_store::{
    Append, AppendError, Cursor, Expected, Log, NewRecord, Place, RecordId, StoredRecord, StreamId,
};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{PostgresLog, PostgresOptions};

/// Longer than anything takes on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn open(url: &str) -> PostgresLog {
    open_patient(url, PATIENCE)
}

pub(crate) fn open_patient(url: &str, patience: Duration) -> PostgresLog {
    PostgresLog::open_with(url, PostgresOptions::default().with_patience(patience)).unwrap()
}

pub(crate) fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

/// A record that says who wrote it and which one of his it is.
pub(crate) fn record(writer: u64, n: u64) -> NewRecord {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&writer.to_be_bytes());
    id[8..].copy_from_slice(&n.to_be_bytes());
    NewRecord {
        id: RecordId(id),
        body: format!("fact {n} of writer {writer}").into_bytes(),
        personal: n.is_multiple_of(5).then(|| b"somebody".to_vec()),
    }
}

pub(crate) fn one(name: &str, expected: Expected, record: NewRecord) -> [Append; 1] {
    [Append {
        stream: stream(name),
        expected,
        records: vec![record],
    }]
}

/// The whole log.
pub(crate) fn all(log: &impl Log) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let mut cursor = Cursor::start();
    loop {
        let page = log.scan(&cursor, 1_000).unwrap();
        all.extend(page.records);
        cursor = page.next;
        if page.end {
            return all;
        }
    }
}

/// Checks that in each partition positions count from 1, in order, and the
/// versions of each stream too.
pub(crate) fn assert_whole(log: &impl Log, records: &[StoredRecord]) {
    let mut lasts: BTreeMap<usize, u64> = BTreeMap::new();
    let mut heads: BTreeMap<StreamId, u64> = BTreeMap::new();
    for stored in records {
        let last = lasts.entry(log.partition(&stored.stream)).or_default();
        *last += 1;
        assert_eq!(stored.position, *last, "{stored:?}");
        let head = heads.entry(stored.stream.clone()).or_default();
        *head += 1;
        assert_eq!(stored.version, *head, "{stored:?}");
    }
}

/// What was confirmed to the writers of a test.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Stream, version and position of each record that was confirmed.
    places: BTreeMap<RecordId, (String, u64, u64)>,
    /// Who won each version.
    winners: BTreeMap<(String, u64), RecordId>,
    last: Option<Instant>,
    /// Longest time between two confirmations.
    gap: Duration,
}

impl Confirmed {
    pub(crate) fn add(&self, name: &str, id: RecordId, place: Place) {
        let mut state = self.state.lock().unwrap();
        let before = state.winners.insert((name.to_owned(), place.version), id);
        assert_eq!(
            before, None,
            "two winners of {name}, version {}",
            place.version
        );
        state
            .places
            .insert(id, (name.to_owned(), place.version, place.position));
        let now = Instant::now();
        if let Some(last) = state.last.replace(now) {
            state.gap = state.gap.max(now - last);
        }
        self.grown.notify_all();
    }

    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().places.len()
    }

    /// Waits until `more` records have been confirmed from now on.
    pub(crate) fn wait_for_more(&self, more: usize) {
        let state = self.state.lock().unwrap();
        let wanted = state.places.len() + more;
        let (_state, waited) = self
            .grown
            .wait_timeout_while(state, PATIENCE, |state| state.places.len() < wanted)
            .unwrap();
        assert!(!waited.timed_out(), "nothing is confirmed any more");
    }

    /// The longest time without a confirmation, and a new beginning.
    pub(crate) fn gap(&self) -> Duration {
        let mut state = self.state.lock().unwrap();
        state.last = Some(Instant::now());
        std::mem::take(&mut state.gap)
    }

    /// Checks that a server holds every confirmed record where it was confirmed.
    pub(crate) fn assert_on(&self, server: &Server) {
        let rows = server
            .sql("SELECT encode(uuid_send(id), 'hex'), stream, version, pos FROM thirdring.record")
            .unwrap();
        let number = |text: &Option<String>| text.as_ref().unwrap().parse::<u64>().unwrap();
        let stored: BTreeMap<String, (String, u64, u64)> = rows
            .iter()
            .map(|row| {
                let place = (row[1].clone().unwrap(), number(&row[2]), number(&row[3]));
                (row[0].clone().unwrap(), place)
            })
            .collect();
        let state = self.state.lock().unwrap();
        let lost = state
            .places
            .iter()
            .filter(|(id, place)| stored.get(&id.to_string()) != Some(place));
        let lost: Vec<_> = lost.take(5).collect();
        assert!(lost.is_empty(), "lost on {}: {lost:?}", server.name());
    }
}

/// Appends to a stream of its own and to one that is shared, in turn, until told
/// to stop. Any error but a conflict ends the test.
pub(crate) fn write_until(log: &impl Log, writer: u64, confirmed: &Confirmed, over: &AtomicBool) {
    let own = format!("own/{writer}");
    let shared = format!("shared/{}", writer % 8);
    let (mut head, mut shared_head, mut n) = (0, 0, 0);
    while !over.load(Ordering::SeqCst) {
        let mine = record(writer, n);
        let id = mine.id;
        let appended = log
            .append(&one(&own, Expected::Exactly(head), mine))
            .unwrap();
        confirmed.add(&own, id, appended.places[0]);
        head += 1;
        n += 1;
        let ours = record(writer, n);
        let id = ours.id;
        loop {
            match log.append(&one(&shared, Expected::Exactly(shared_head), ours.clone())) {
                Ok(appended) => {
                    confirmed.add(&shared, id, appended.places[0]);
                    shared_head = appended.places[0].version;
                    break;
                }
                Err(AppendError::Conflict(conflicts)) => shared_head = conflicts[0].actual,
                Err(error) => panic!("{error}"),
            }
        }
        n += 1;
    }
}
