//! What holds across partitions. A log with one partition keeps these laws too.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use super::Backend;
use super::scene::{PATIENCE, append, part, refusal, scan_all, stream};
use crate::append::{Append, AppendError, Expected};
use crate::cursor::Cursor;
use crate::follow::Follow;
use crate::log::Log;
use crate::read::ReadError;
use crate::record::{NewRecord, RecordId, StoredRecord};

const STREAMS: u64 = 300;

fn name(n: u64) -> String {
    format!("s/{n}")
}

/// Checks that in each partition positions count from 1, in order, and the
/// versions of each stream too.
fn assert_whole_by_partition(log: &impl Log, records: &[StoredRecord]) {
    let mut lasts: BTreeMap<usize, u64> = BTreeMap::new();
    let mut heads = BTreeMap::new();
    for stored in records {
        let partition = log.partition(&stored.stream);
        let last = lasts.entry(partition).or_default();
        *last += 1;
        assert_eq!(
            stored.position, *last,
            "partition {partition} is not dense: {stored:?}"
        );
        let head: &mut u64 = heads.entry(stored.stream.clone()).or_default();
        *head += 1;
        assert_eq!(
            stored.version, *head,
            "versions are not gapless: {stored:?}"
        );
    }
}

/// Whoever asks, and whenever; and the streams spread over all partitions.
pub fn a_stream_belongs_to_one_partition_for_ever(backend: &impl Backend) {
    let (one, two) = (backend.open(), backend.open());
    let partitions = one.capabilities().partitions;
    let mut used = BTreeSet::new();
    for n in 0..5_000 {
        let stream = stream(&name(n));
        let partition = one.partition(&stream);
        assert!(partition < partitions, "partition {partition}");
        assert_eq!(two.partition(&stream), partition);
        used.insert(partition);
    }
    assert_eq!(used.len(), partitions, "partitions that are used");
}

/// A batch is within one partition, or it is not written at all.
pub fn a_batch_over_partitions_is_refused_whole(backend: &impl Backend) {
    let log = backend.open();
    let first = stream(&name(0));
    let other = (1..5_000)
        .map(|n| stream(&name(n)))
        .find(|other| log.partition(other) != log.partition(&first));
    let Some(other) = other else {
        assert_eq!(log.capabilities().partitions, 1);
        return;
    };
    // Streams that are only checked count as well.
    for numbers in [&[2][..], &[]] {
        let batch = [
            part(first.as_str(), Expected::Any, &[1]),
            part(other.as_str(), Expected::Any, numbers),
        ];
        let error = refusal(&log, &batch);
        let text = error.to_string();
        assert!(
            matches!(&error, AppendError::SeveralPartitions(which)
                if which.one == first
                    && which.other == other
                    && which.partition_of_one == log.partition(&first)
                    && which.partition_of_other == log.partition(&other)),
            "{text}"
        );
        assert!(text.contains(first.as_str()) && text.contains(other.as_str()));
        assert!(!error.is_transient());
    }
    assert!(scan_all(&log, 100).is_empty());
}

/// Positions are dense in each partition, whatever the others do.
pub fn every_partition_counts_its_own_positions(backend: &impl Backend) {
    let log = backend.open();
    let mut expected: BTreeMap<usize, u64> = BTreeMap::new();
    for n in 0..STREAMS {
        let appended = append(&log, &name(n), &[2 * n, 2 * n + 1]);
        let last = expected
            .entry(log.partition(&stream(&name(n))))
            .or_default();
        let positions: Vec<_> = appended.places.iter().map(|place| place.position).collect();
        assert_eq!(positions, [*last + 1, *last + 2]);
        *last += 2;
    }
    let partitions = log.capabilities().partitions;
    let all = scan_all(&log, 17);
    assert_eq!(all.len() as u64, STREAMS * 2);
    assert_whole_by_partition(&log, &all);
    let end = log.end().unwrap();
    assert_eq!(end.positions(partitions).unwrap().len(), partitions);
    for (partition, last) in expected {
        assert_eq!(end.positions(partitions).unwrap()[partition], last);
    }
    // All pages join to the same records, in each partition in the same order.
    for limit in [1, 64, 599, 600, usize::MAX] {
        let mut again = scan_all(&log, limit);
        assert_whole_by_partition(&log, &again);
        let mut all = all.clone();
        let order = |stored: &StoredRecord| (stored.stream.clone(), stored.version);
        again.sort_by_key(order);
        all.sort_by_key(order);
        assert_eq!(again, all, "pages of {limit}");
    }
}

/// A partition with much to read does not keep a reader from the others.
pub fn a_scan_gives_every_partition_its_turn(backend: &impl Backend) {
    let log = backend.open();
    let partitions = log.capabilities().partitions;
    let numbers: Vec<u64> = (0..1_000).collect();
    append(&log, &name(0), &numbers);
    let busy = log.partition(&stream(&name(0)));
    let quiet: Vec<u64> = (1..STREAMS)
        .filter(|&n| log.partition(&stream(&name(n))) != busy)
        .collect();
    for &n in &quiet {
        append(&log, &name(n), &[10_000 + n]);
    }
    for limit in [1, 7, 100] {
        let (mut cursor, mut busy_seen, mut quiet_seen) = (Cursor::start(), 0_usize, 0_usize);
        while quiet_seen < quiet.len() {
            let page = log.scan(&cursor, limit).unwrap();
            for stored in &page.records {
                if log.partition(&stored.stream) == busy {
                    busy_seen += 1;
                } else {
                    quiet_seen += 1;
                }
            }
            cursor = page.next;
        }
        assert!(
            partitions == 1 || busy_seen < 1_000,
            "pages of {limit}: the quiet partitions came last"
        );
    }
}

/// The identity of a record is one in the whole log, not one a partition.
pub fn an_id_stands_once_in_all_partitions(backend: &impl Backend) {
    let log = backend.open();
    append(&log, &name(0), &[7]);
    for n in 1..40 {
        assert!(matches!(
            refusal(&log, &[part(&name(n), Expected::Any, &[7])]),
            AppendError::IdTaken {
                differs: "stream",
                ..
            }
        ));
    }
    // Also if the partitions are written at the same time.
    for round in 0..20 {
        let winners: usize = thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|n| {
                    let log = &log;
                    scope.spawn(move || {
                        match log.append(&[part(&name(n), Expected::Any, &[1_000 + round])]) {
                            Ok(appended) => usize::from(!appended.replayed),
                            Err(AppendError::IdTaken { .. }) => 0,
                            Err(error) => panic!("{error}"),
                        }
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(winners, 1, "winners of round {round}");
    }
    let all = scan_all(&log, 100);
    assert_eq!(all.len(), 21);
    assert_whole_by_partition(&log, &all);
}

/// Many writers in many partitions, and a reader beside them.
pub fn racing_partitions_lose_nothing(backend: &impl Backend) {
    let log = backend.open();
    let seen = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut follow = Follow::new(&log, Cursor::start()).with_page_records(50);
            let mut seen = Vec::new();
            while seen.len() < 1_600 {
                let page = follow.next_page(PATIENCE).unwrap();
                seen.extend(page.expect("records that were appended").records);
            }
            seen
        });
        for writer in 0..8 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..100 {
                    let id = (writer * 100 + n) * 2;
                    append(log, &name(n), &[id]);
                    append(log, &format!("own/{writer}"), &[id + 1]);
                }
            });
        }
        reader.join().unwrap()
    });
    assert_whole_by_partition(&log, &seen);
    assert_eq!(scan_all(&log, 1_000).len(), seen.len());
}

/// A follower waits for all partitions at once.
pub fn following_sees_all_partitions(backend: &impl Backend) {
    let (reading, writing) = (backend.open(), backend.open());
    let mut follow = Follow::new(&reading, Cursor::start());
    for n in 0..70 {
        append(&writing, &name(n), &[n]);
        let page = follow.next_page(PATIENCE).unwrap().expect("the record");
        assert_eq!(page.records.len(), 1);
        assert_eq!(page.records[0].stream, stream(&name(n)));
    }
    assert_eq!(*follow.cursor(), reading.end().unwrap());
}

/// However many names are asked for at a time, each stream comes once.
pub fn every_stream_is_named_once(backend: &impl Backend) {
    let log = backend.open();
    assert_eq!(log.streams(None, 1).unwrap(), []);
    for n in 0..30 {
        append(&log, &format!("s{n}"), &[n]);
        append(&log, &format!("s{}", n / 2), &[100 + n]);
    }
    let named = |limit| {
        let mut all: Vec<_> = Vec::new();
        loop {
            let names = log.streams(all.last(), limit).unwrap();
            assert!(names.len() <= limit);
            if names.is_empty() {
                return all;
            }
            all.extend(names);
        }
    };
    let all = named(1);
    assert_eq!(all.len(), 30);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 30);
    for limit in [2, 7, 29, 30, 31, usize::MAX] {
        assert_eq!(named(limit), all, "{limit} names at a time");
    }
    assert!(matches!(log.streams(None, 0), Err(ReadError::ZeroLimit)));
}

/// Together, in any order, with streams among them that are not there.
pub fn several_streams_are_read_as_each_is(backend: &impl Backend) {
    let log = backend.open();
    for n in 0..40 {
        append(&log, &name(n % 9), &[n]);
    }
    let streams: Vec<_> = (0..12).rev().map(|n| stream(&name(n))).collect();
    for limit in [1, 3, 100] {
        let alone: Vec<_> = streams
            .iter()
            .map(|stream| log.read(stream, 1, limit).unwrap())
            .collect();
        assert_eq!(log.read_many(&streams, limit).unwrap(), alone, "{limit}");
    }
    assert_eq!(log.read_many(&[], 1).unwrap(), []);
    assert!(matches!(
        log.read_many(&streams, 0),
        Err(ReadError::ZeroLimit)
    ));
    // Large ones come some at a time, and at least one each time.
    let large = vec![7; log.limits().record_bytes.min(1024 * 1024)];
    for n in 0..12_u64 {
        let record = NewRecord {
            id: RecordId((1000 + u128::from(n)).to_be_bytes()),
            body: large.clone(),
            personal: None,
        };
        let part = Append {
            stream: stream(&name(n)),
            expected: Expected::Any,
            records: vec![record],
        };
        log.append(&[part]).unwrap();
    }
    let mut rest = streams.as_slice();
    while !rest.is_empty() {
        let pages = log.read_many(rest, 100).unwrap();
        assert!(!pages.is_empty() && pages.len() <= rest.len());
        let (now, later) = rest.split_at(pages.len());
        for (stream, page) in now.iter().zip(pages) {
            assert_eq!(log.read(stream, 1, 100).unwrap(), page);
        }
        rest = later;
    }
}
