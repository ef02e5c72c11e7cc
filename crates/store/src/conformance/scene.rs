//! Short ways to say what a law needs.

use std::time::Duration;

use crate::append::{Append, AppendError, Appended, Expected};
use crate::cursor::Cursor;
use crate::log::Log;
use crate::record::{NewRecord, RecordId, StoredRecord};
use crate::stream::StreamId;

/// Longer than anything takes on any machine; only a broken log waits so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn stream(name: &str) -> StreamId {
    StreamId::new(name).expect("a stream id of the suite")
}

pub(super) fn id(n: u64) -> RecordId {
    RecordId((u128::from(n) | 1 << 127).to_be_bytes())
}

/// A record whose content follows from `n`; every third has personal bytes.
pub(super) fn record(n: u64) -> NewRecord {
    NewRecord {
        id: id(n),
        body: format!("body of {n}").into_bytes(),
        personal: n
            .is_multiple_of(3)
            .then(|| format!("person of {n}").into_bytes()),
    }
}

pub(super) fn part(name: &str, expected: Expected, numbers: &[u64]) -> Append {
    let records = numbers.iter().map(|&n| record(n)).collect();
    Append {
        stream: stream(name),
        expected,
        records,
    }
}

/// Appends records to one stream, whatever it is like.
pub(super) fn append(log: &impl Log, name: &str, numbers: &[u64]) -> Appended {
    log.append(&[part(name, Expected::Any, numbers)])
        .expect("an append without expectation")
}

/// The error of an append that must not succeed.
pub(super) fn refusal(log: &impl Log, batch: &[Append]) -> AppendError {
    match log.append(batch) {
        Err(error) => error,
        Ok(appended) => panic!("a batch was accepted that should not be: {appended:?}"),
    }
}

/// The whole log, in pages of `limit`.
pub(super) fn scan_all(log: &impl Log, limit: usize) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let mut cursor = Cursor::start();
    loop {
        let page = log.scan(&cursor, limit).expect("a page of the log");
        assert!(
            page.records.len() <= limit,
            "a page is larger than asked for"
        );
        assert!(
            page.end || !page.records.is_empty(),
            "a page without records is not the end"
        );
        all.extend(page.records);
        cursor = page.next;
        if page.end {
            return all;
        }
    }
}

/// A whole stream upwards, in pages of `limit`.
pub(super) fn read_all(log: &impl Log, name: &str, limit: usize) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let mut from = 1;
    loop {
        let page = log
            .read(&stream(name), from, limit)
            .expect("a page of a stream");
        assert!(
            page.records.len() <= limit,
            "a page is larger than asked for"
        );
        assert!(
            page.end || !page.records.is_empty(),
            "a page without records is not the end"
        );
        all.extend(page.records);
        from = page.next;
        if page.end {
            return all;
        }
    }
}

/// The numbers of records made by [`record`], checked to be whole.
pub(super) fn numbers(records: &[StoredRecord]) -> Vec<u64> {
    records
        .iter()
        .map(|stored| {
            let n = u128::from_be_bytes(stored.id.0) & u128::from(u64::MAX);
            let n = u64::try_from(n).expect("a number of the suite");
            let NewRecord { body, personal, .. } = record(n);
            assert_eq!(stored.body, body, "body of record {n}");
            assert_eq!(stored.personal, personal, "personal bytes of record {n}");
            n
        })
        .collect()
}

/// Checks that positions count from 1, and the versions of each stream too.
pub(super) fn assert_whole(records: &[StoredRecord]) {
    let mut heads = std::collections::BTreeMap::new();
    for (stored, position) in records.iter().zip(1..) {
        assert_eq!(
            stored.position, position,
            "positions are not dense: {stored:?}"
        );
        let head: &mut u64 = heads.entry(stored.stream.clone()).or_default();
        *head += 1;
        assert_eq!(
            stored.version, *head,
            "versions are not gapless: {stored:?}"
        );
    }
}
