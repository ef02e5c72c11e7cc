//! Replaying a whole log: every stream proved, folded and handed over, on as
//! many threads as the machine has.
//!
//! Streams are read one by one rather than in the order of positions, so that a
//! case is built, looked at and dropped before the next: what is held at a time
//! is a case for each thread, however long the log is.

use std::sync::{Arc, Mutex, PoisonError};

use thirdring_core::record::Opener;
use thirdring_core::{Case, Rulebook};
use thirdring_store::{Cursor, Log, ReadError, StreamId as StoredStream, StreamPage};

use crate::storage::{ReadFailure, named, prove};

/// How many records of a stream are read at a time.
const PAGE: usize = 1024;
/// How many streams a thread takes at a time.
const STREAMS: usize = 64;

/// What a replay went through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many records.
    pub records: u64,
    /// How many streams.
    pub streams: u64,
}

/// Replays every stream of a log under a rulebook and hands each case over, in
/// no particular order and from several threads at once. What is appended while
/// it runs is left out.
///
/// # Errors
/// If the log cannot be read, a record was altered (then which one), or records
/// are missing.
pub fn replay_log(
    log: &dyn Log,
    rulebook: &Arc<Rulebook>,
    visit: impl Fn(Case) + Sync,
) -> Result<Replayed, ReadFailure> {
    let partitions = log.capabilities().partitions;
    let end = positions(&log.end()?, partitions)?;
    let source = Source {
        log,
        named: Mutex::new(Named::Begin),
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    // Whatever ends one of them, the others need not go on either;
                    // one that comes to the end finds nothing left.
                    let _stop = Stop(&source);
                    work(&source, &end, rulebook, &visit)
                })
            })
            .collect();
        let mut streams = 0;
        let mut seen = vec![0; partitions];
        let mut failure = None;
        for worker in running {
            match worker.join() {
                Ok(Ok(part)) => {
                    streams += part.streams;
                    for (sum, records) in seen.iter_mut().zip(part.records) {
                        *sum += records;
                    }
                }
                Ok(Err(damage)) => {
                    failure.get_or_insert(damage);
                }
                // The panic of a visitor is the caller's own.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        // Positions are dense: what no stream holds is missing.
        if let Some(partition) = (0..partitions).find(|place| seen.get(*place) != end.get(*place)) {
            return Err(missing(log, partition, &seen, &end));
        }
        Ok(Replayed {
            records: seen.iter().sum(),
            streams,
        })
    })
}

fn positions(cursor: &Cursor, partitions: usize) -> Result<Vec<u64>, ReadFailure> {
    cursor.positions(partitions).ok_or(
        ReadError::CursorForeign {
            expected: partitions,
            found: cursor.partitions(),
        }
        .into(),
    )
}

/// Which record is missing: a scan says it better than a count.
fn missing(log: &dyn Log, partition: usize, seen: &[u64], end: &[u64]) -> ReadFailure {
    let mut cursor = Cursor::start();
    loop {
        match log.scan(&cursor, PAGE) {
            Err(error) => return error.into(),
            Ok(page) if page.end => break,
            Ok(page) => cursor = page.next,
        }
    }
    let at = |positions: &[u64]| positions.get(partition).copied().unwrap_or(0);
    ReadFailure::Lost {
        partition,
        expected: at(end),
        found: at(seen),
    }
}

/// Hands out the streams of a log, some at a time.
struct Source<'l> {
    log: &'l dyn Log,
    named: Mutex<Named>,
}

/// How far the streams have been handed out.
enum Named {
    Begin,
    After(StoredStream),
    End,
}

impl Source<'_> {
    /// The next streams; none if all are handed out.
    fn next(&self) -> Result<Vec<StoredStream>, ReadFailure> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let after = match &*named {
            Named::Begin => None,
            Named::After(stream) => Some(stream),
            Named::End => return Ok(Vec::new()),
        };
        let streams = self.log.streams(after, STREAMS)?;
        *named = streams
            .last()
            .map_or(Named::End, |last| Named::After(last.clone()));
        Ok(streams)
    }
}

/// Lets a source end, also when a visitor panics.
struct Stop<'s, 'l>(&'s Source<'l>);

impl Drop for Stop<'_, '_> {
    fn drop(&mut self) {
        *self.0.named.lock().unwrap_or_else(PoisonError::into_inner) = Named::End;
    }
}

/// What one thread went through.
struct Part {
    streams: u64,
    /// Records by partition.
    records: Vec<u64>,
}

fn work(
    source: &Source<'_>,
    end: &[u64],
    rulebook: &Arc<Rulebook>,
    visit: &(impl Fn(Case) + Sync),
) -> Result<Part, ReadFailure> {
    let mut opener = Opener::default();
    let mut part = Part {
        streams: 0,
        records: vec![0; end.len()],
    };
    let place = |stream: &StoredStream| source.log.partition(stream);
    let upto = |stream: &StoredStream| end.get(place(stream)).copied().unwrap_or(0);
    loop {
        let streams = source.next()?;
        if streams.is_empty() {
            return Ok(part);
        }
        each_case(
            source.log,
            &streams,
            upto,
            rulebook,
            &mut opener,
            &mut |stream, case| {
                if case.version() == 0 {
                    return;
                }
                part.streams += 1;
                if let Some(records) = part.records.get_mut(place(stream)) {
                    *records += case.version();
                }
                visit(case);
            },
        )?;
    }
}

/// The cases of streams, read together; of each, what stands up to a position of
/// its partition.
pub(crate) fn each_case(
    log: &dyn Log,
    streams: &[StoredStream],
    upto: impl Fn(&StoredStream) -> u64,
    rulebook: &Arc<Rulebook>,
    opener: &mut Opener,
    visit: &mut impl FnMut(&StoredStream, Case),
) -> Result<(), ReadFailure> {
    let mut rest = streams;
    while let Some(first) = rest.first() {
        let mut pages = log.read_many(rest, PAGE)?;
        if pages.is_empty() {
            // Against the contract; but a log that never ends would be worse.
            pages.push(log.read(first, 1, PAGE)?);
        }
        let (now, later) = rest.split_at(pages.len().min(rest.len()));
        rest = later;
        for (stream, page) in now.iter().zip(pages) {
            let case = replay_stream(log, stream, page, upto(stream), rulebook, opener)?;
            visit(stream, case);
        }
    }
    Ok(())
}

/// The case of a stream as of a position of the log; `page` is its first.
fn replay_stream(
    log: &dyn Log,
    stream: &StoredStream,
    mut page: StreamPage,
    upto: u64,
    rulebook: &Arc<Rulebook>,
    opener: &mut Opener,
) -> Result<Case, ReadFailure> {
    let name = named(stream)?;
    let mut case = Case::new(name.clone(), Arc::clone(rulebook));
    loop {
        for stored in page.records {
            if stored.position > upto {
                return Ok(case);
            }
            case.apply(prove(opener, stored, &name, case.chain())?);
        }
        if page.end {
            return Ok(case);
        }
        page = log.read(stream, page.next, PAGE)?;
    }
}
