//! Pages, ends and cursors.

use super::Backend;
use super::scene::{append, numbers, part, read_all, scan_all, stream};
use crate::append::{Append, Expected};
use crate::cursor::Cursor;
use crate::log::Log;
use crate::read::ReadError;
use crate::record::{NewRecord, RecordId, StoredRecord};

/// 40 records in three streams.
fn filled(log: &impl Log) {
    for n in 0..40 {
        append(log, ["a", "b", "c"][usize::try_from(n % 3).unwrap()], &[n]);
    }
}

/// Whatever the size of the pages, together they are the same.
pub fn pages_join_to_the_whole(backend: &impl Backend) {
    let log = backend.open();
    filled(&log);
    let all = scan_all(&log, 1_000);
    assert_eq!(numbers(&all), (0..40).collect::<Vec<_>>());
    let of_a: Vec<StoredRecord> = all
        .iter()
        .filter(|stored| stored.stream == stream("a"))
        .cloned()
        .collect();
    for limit in [1, 2, 3, 7, 13, 14, 39, 40, 41, usize::MAX] {
        assert_eq!(scan_all(&log, limit), all, "pages of {limit}");
        assert_eq!(read_all(&log, "a", limit), of_a, "pages of {limit}");
    }
}

/// Reading backward gives the forward read from the other end.
pub fn backward_is_forward_reversed(backend: &impl Backend) {
    let log = backend.open();
    filled(&log);
    let mut forward = read_all(&log, "b", 100);
    forward.reverse();
    for limit in [1, 4, 13, 14, usize::MAX] {
        let mut backward = Vec::new();
        let mut from = u64::MAX;
        loop {
            let page = log.read_backward(&stream("b"), from, limit).unwrap();
            assert!(page.records.len() <= limit);
            backward.extend(page.records);
            from = page.next;
            if page.end {
                break;
            }
        }
        assert_eq!(from, 0);
        assert_eq!(backward, forward, "pages of {limit}");
    }
}

/// From any version, in any number, in both directions.
pub fn limited_reads_are_slices_of_the_forward_read(backend: &impl Backend) {
    let log = backend.open();
    let all_numbers: Vec<u64> = (1..=9).collect();
    append(&log, "a", &all_numbers);
    let all = read_all(&log, "a", 100);
    for from in 0..=11_u64 {
        for limit in 1..=10 {
            let first = usize::try_from(from.max(1) - 1).unwrap().min(all.len());
            let last = (first + limit).min(all.len());
            let page = log.read(&stream("a"), from, limit).unwrap();
            assert_eq!(page.records, all[first..last], "{limit} from {from}");
            assert_eq!(page.end, last == all.len(), "{limit} from {from}");
            assert_eq!(
                page.next,
                from.max(1) + (last - first) as u64,
                "{limit} from {from}"
            );

            let last = usize::try_from(from).unwrap().min(all.len());
            let first = last.saturating_sub(limit);
            let page = log.read_backward(&stream("a"), from, limit).unwrap();
            let expected: Vec<_> = all[first..last].iter().rev().cloned().collect();
            assert_eq!(page.records, expected, "{limit} back from {from}");
            assert_eq!(
                (page.end, page.next),
                (first == 0, first as u64),
                "{limit} back from {from}"
            );
        }
    }
}

/// The end is said, and asking beyond it is no error.
pub fn there_is_an_end_and_nothing_beyond_it(backend: &impl Backend) {
    let log = backend.open();
    let page = log.scan(&Cursor::start(), 10).unwrap();
    assert_eq!(
        (page.records.len(), page.end, page.next),
        (0, true, Cursor::start())
    );
    let page = log.read(&stream("none"), 1, 10).unwrap();
    assert_eq!((page.records.len(), page.end, page.next), (0, true, 1));
    let page = log.read_backward(&stream("none"), u64::MAX, 10).unwrap();
    assert_eq!((page.records.len(), page.end, page.next), (0, true, 0));

    filled(&log);
    let end = log.end().unwrap();
    let page = log.scan(&end, 10).unwrap();
    assert_eq!((page.records.len(), page.end, &page.next), (0, true, &end));
    let page = log.read(&stream("a"), u64::MAX, 10).unwrap();
    assert_eq!(
        (page.records.len(), page.end, page.next),
        (0, true, u64::MAX)
    );
    // A page that is exactly full knows whether it is the last.
    assert!(log.scan(&Cursor::start(), 40).unwrap().end);
    assert!(!log.scan(&Cursor::start(), 39).unwrap().end);
    // The end was the end then; what comes later is read from there.
    append(&log, "a", &[100]);
    assert_eq!(numbers(&log.scan(&end, 10).unwrap().records), [100]);
}

/// Large records make short pages, never an unbounded one.
pub fn a_page_is_bounded_in_bytes(backend: &impl Backend) {
    let log = backend.open();
    let limits = log.limits();
    let count = limits.page_bytes / limits.record_bytes + 2;
    for n in 0..count {
        let id = RecordId((n as u128).to_be_bytes());
        let record = NewRecord {
            id,
            body: vec![1; limits.record_bytes],
            personal: None,
        };
        let records = vec![record];
        log.append(&[Append {
            stream: stream("a"),
            expected: Expected::Any,
            records,
        }])
        .unwrap();
    }
    let bytes = |records: &[StoredRecord]| records.iter().map(StoredRecord::content_bytes).sum();
    let bounded = |records: &[StoredRecord], end: bool| {
        let bytes: usize = bytes(records);
        assert!(
            bytes <= limits.page_bytes + limits.record_bytes,
            "a page of {bytes} bytes"
        );
        assert!(!records.is_empty() && !end);
    };
    let page = log.scan(&Cursor::start(), 1_000).unwrap();
    bounded(&page.records, page.end);
    let page = log.read(&stream("a"), 1, 1_000).unwrap();
    bounded(&page.records, page.end);
    let page = log.read_backward(&stream("a"), u64::MAX, 1_000).unwrap();
    bounded(&page.records, page.end);
    assert_eq!(scan_all(&log, 1_000).len(), count);
    assert_eq!(read_all(&log, "a", 1_000).len(), count);
}

/// A page of no records could be told from no end; so it cannot be asked for.
pub fn a_page_of_nothing_is_an_error(backend: &impl Backend) {
    let log = backend.open();
    assert!(matches!(
        log.scan(&Cursor::start(), 0),
        Err(ReadError::ZeroLimit)
    ));
    assert!(matches!(
        log.read(&stream("a"), 1, 0),
        Err(ReadError::ZeroLimit)
    ));
    assert!(matches!(
        log.read_backward(&stream("a"), 1, 0),
        Err(ReadError::ZeroLimit)
    ));
}

/// A cursor that went through text goes on where it stood.
pub fn a_cursor_survives_as_text(backend: &impl Backend) {
    let log = backend.open();
    filled(&log);
    let mut cursor = Cursor::start();
    let mut seen = Vec::new();
    loop {
        cursor = cursor.to_string().parse().unwrap();
        let page = log.scan(&cursor, 7).unwrap();
        seen.extend(numbers(&page.records));
        cursor = page.next;
        if page.end {
            break;
        }
    }
    assert_eq!(seen, (0..40).collect::<Vec<_>>());
    assert_eq!(cursor, log.end().unwrap());
    assert!(cursor.partitions() == log.capabilities().partitions);
}

/// A cursor that this log cannot have given is not taken for the end.
pub fn a_cursor_of_another_log_is_refused(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1, 2]);
    let partitions = log.capabilities().partitions;
    let foreign = Cursor::from_positions(vec![1; partitions + 1]);
    assert!(matches!(
        log.scan(&foreign, 10),
        Err(ReadError::CursorForeign { expected, found })
            if expected == partitions && found == partitions + 1
    ));
    let ahead = Cursor::from_positions(vec![1_000_000; partitions]);
    assert!(matches!(
        log.scan(&ahead, 10),
        Err(ReadError::CursorAhead { .. })
    ));
}

/// The last version of a stream and the last cursor of the log.
pub fn head_and_end_tell_the_last(backend: &impl Backend) {
    let log = backend.open();
    assert_eq!(log.end().unwrap(), Cursor::start());
    assert_eq!(log.head(&stream("a")).unwrap(), 0);
    log.append(&[
        part("a", Expected::Any, &[1, 2]),
        part("b", Expected::Any, &[3]),
    ])
    .unwrap();
    assert_eq!(log.head(&stream("a")).unwrap(), 2);
    assert_eq!(log.head(&stream("b")).unwrap(), 1);
    assert_eq!(log.head(&stream("c")).unwrap(), 0);
    assert_eq!(
        log.end().unwrap(),
        log.scan(&Cursor::start(), 10).unwrap().next
    );
}
