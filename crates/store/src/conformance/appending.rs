//! What an append accepts, refuses and answers.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};

use super::Backend;
use super::scene::{
    append, assert_whole, id, numbers, part, read_all, record, refusal, scan_all, stream,
};
use crate::append::{Append, AppendError, Appended, Expected, Place};
use crate::limits::{LimitExceeded, LimitName};
use crate::log::Log;
use crate::record::NewRecord;

/// One wrong expectation leaves nothing of the whole batch.
pub fn a_batch_is_all_or_nothing_over_streams(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "b", &[1]);
    let wrong = [
        part("a", Expected::NoStream, &[2, 3]),
        part("b", Expected::NoStream, &[4]),
        part("c", Expected::Any, &[5]),
    ];
    assert!(matches!(refusal(&log, &wrong), AppendError::Conflict(_)));
    assert_eq!(numbers(&scan_all(&log, 100)), [1]);
    assert_eq!(log.head(&stream("a")).unwrap(), 0);

    let right = [
        part("a", Expected::NoStream, &[2, 3]),
        part("b", Expected::Exactly(1), &[4]),
        part("c", Expected::Any, &[5]),
    ];
    let appended = log.append(&right).unwrap();
    let place = |position, version| Place { position, version };
    assert_eq!(
        appended.places,
        [place(2, 1), place(3, 2), place(4, 2), place(5, 1)]
    );
    assert!(!appended.replayed);
    assert_eq!(numbers(&scan_all(&log, 100)), [1, 2, 3, 4, 5]);
}

/// Any, none and exactly n mean what they say.
pub fn expectations_are_judged(backend: &impl Backend) {
    let log = backend.open();
    let mut n = 0;
    let mut tried = |expected, should: bool| {
        n += 1;
        let result = log.append(&[part("a", expected, &[n])]);
        match result {
            Ok(_) => assert!(should, "{expected:?} was accepted"),
            Err(AppendError::Conflict(_)) => assert!(!should, "{expected:?} was refused"),
            Err(error) => panic!("{error}"),
        }
    };
    tried(Expected::Exactly(1), false);
    tried(Expected::Exactly(0), true);
    tried(Expected::NoStream, false);
    tried(Expected::Exactly(0), false);
    tried(Expected::Exactly(2), false);
    tried(Expected::Exactly(u64::MAX), false);
    tried(Expected::Exactly(1), true);
    tried(Expected::Any, true);
    assert_eq!(log.head(&stream("a")).unwrap(), 3);
}

/// A part without records guards the others and makes no stream.
pub fn a_part_without_records_only_checks(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "guard", &[1, 2]);
    let batch = |expected| [part("guard", expected, &[]), part("a", Expected::Any, &[3])];
    assert!(matches!(
        refusal(&log, &batch(Expected::Exactly(1))),
        AppendError::Conflict(_)
    ));
    assert_eq!(log.head(&stream("a")).unwrap(), 0);
    assert_eq!(
        log.append(&batch(Expected::Exactly(2)))
            .unwrap()
            .places
            .len(),
        1
    );

    let only = log.append(&[part("new", Expected::NoStream, &[])]).unwrap();
    assert_eq!(only, Appended::default());
    assert!(matches!(
        refusal(&log, &[part("guard", Expected::NoStream, &[])]),
        AppendError::Conflict(_)
    ));
    assert_eq!(scan_all(&log, 100).len(), 3);
    assert_eq!(log.head(&stream("new")).unwrap(), 0);
}

/// Versions of a stream and positions of the log count from 1 without a gap.
pub fn versions_are_gapless_and_positions_dense(backend: &impl Backend) {
    let log = backend.open();
    for round in 0..20 {
        let n = round * 10;
        append(
            &log,
            if round % 2 == 0 { "even" } else { "odd" },
            &[n, n + 1],
        );
        // Refusals leave no gap.
        refusal(&log, &[part("even", Expected::Exactly(77), &[n + 2])]);
        append(&log, "all", &[n + 3]);
    }
    let all = scan_all(&log, 7);
    assert_eq!(all.len(), 60);
    assert_whole(&all);
}

/// A conflict carries what the caller has not seen yet.
pub fn a_conflict_tells_what_was_appended_since(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1, 2]);
    append(&log, "b", &[3]);
    append(&log, "a", &[4]);
    let AppendError::Conflict(conflicts) = refusal(&log, &[part("a", Expected::Exactly(1), &[9])])
    else {
        panic!("not a conflict");
    };
    let [conflict] = conflicts.as_slice() else {
        panic!("{} conflicts", conflicts.len())
    };
    assert_eq!(conflict.stream, stream("a"));
    assert_eq!(conflict.expected, Expected::Exactly(1));
    assert_eq!(conflict.actual, 3);
    assert!(conflict.complete);
    assert_eq!(numbers(&conflict.since), [2, 4]);
    assert_eq!(
        conflict.since,
        log.read(&stream("a"), 2, 100).unwrap().records
    );

    // More was expected than there is: nothing happened since.
    let AppendError::Conflict(conflicts) = refusal(&log, &[part("a", Expected::Exactly(5), &[9])])
    else {
        panic!("not a conflict");
    };
    assert_eq!((conflicts[0].actual, conflicts[0].since.len()), (3, 0));

    // Much happened since: a first part, and word that it is one.
    let many = u64::try_from(log.limits().page_records).unwrap();
    let numbers: Vec<u64> = (100..100 + many).collect();
    append(&log, "a", &numbers);
    let AppendError::Conflict(conflicts) = refusal(&log, &[part("a", Expected::NoStream, &[9])])
    else {
        panic!("not a conflict");
    };
    assert!(!conflicts[0].complete);
    assert_eq!(
        conflicts[0].since.first().map(|stored| stored.version),
        Some(1)
    );
}

/// If several streams are not as expected, all are named, in batch order.
pub fn a_conflict_names_every_stream(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1]);
    append(&log, "b", &[2]);
    let batch = [
        part("b", Expected::NoStream, &[3]),
        part("c", Expected::NoStream, &[4]),
        part("a", Expected::Exactly(7), &[]),
    ];
    let error = refusal(&log, &batch);
    let text = error.to_string();
    let AppendError::Conflict(conflicts) = error else {
        panic!("{text}")
    };
    let named: Vec<_> = conflicts
        .iter()
        .map(|conflict| conflict.stream.as_str())
        .collect();
    assert_eq!(named, ["b", "a"]);
    assert!(
        text.contains("stream b") && text.contains("stream a"),
        "{text}"
    );
}

/// Nothing to append is done at once and changes nothing.
pub fn an_empty_batch_does_nothing(backend: &impl Backend) {
    let log = backend.open();
    assert_eq!(log.append(&[]).unwrap(), Appended::default());
    assert_eq!(log.submit(Vec::new()).wait().unwrap(), Appended::default());
    append(&log, "a", &[1]);
    assert_eq!(log.append(&[]).unwrap(), Appended::default());
    assert_eq!(scan_all(&log, 100).len(), 1);
}

/// In one batch a stream and an id stand once.
pub fn a_stream_or_an_id_twice_in_a_batch_is_refused(backend: &impl Backend) {
    let log = backend.open();
    let error = refusal(
        &log,
        &[
            part("a", Expected::Any, &[1]),
            part("a", Expected::Any, &[2]),
        ],
    );
    assert!(matches!(error, AppendError::StreamTwice { stream: twice } if twice == stream("a")));
    let error = refusal(
        &log,
        &[
            part("a", Expected::Any, &[1]),
            part("b", Expected::Any, &[1]),
        ],
    );
    assert!(matches!(error, AppendError::IdTwice { id: twice } if twice == id(1)));
    assert!(scan_all(&log, 100).is_empty());
}

/// Beyond a limit there is an error with its name and numbers, and nothing else.
pub fn limits_are_errors_that_name_the_limit(backend: &impl Backend) {
    let log = backend.open();
    let limits = log.limits();
    let exceeded = |batch: &[Append], limit, allowed: usize, found: usize| {
        let error = refusal(&log, batch);
        let text = error.to_string();
        assert!(
            matches!(error, AppendError::Limit(exceeded)
                if exceeded == LimitExceeded { limit, allowed, found }),
            "{text}"
        );
        assert!(
            text.contains(&allowed.to_string()) && text.contains(&found.to_string()),
            "{text}"
        );
    };
    let one = |records| {
        [Append {
            stream: stream("a"),
            expected: Expected::Any,
            records,
        }]
    };
    let sized = |n: u64, body: usize, personal: usize| NewRecord {
        id: id(n),
        body: vec![0; body],
        personal: Some(vec![0; personal]),
    };
    let bytes = limits.record_bytes;
    exceeded(
        &one(vec![sized(1, bytes, 1)]),
        LimitName::RecordBytes,
        bytes,
        bytes + 1,
    );
    exceeded(
        &one(vec![sized(1, 1, bytes)]),
        LimitName::RecordBytes,
        bytes,
        bytes + 1,
    );

    let many = limits.batch_records + 1;
    let records: Vec<_> = (0..many).map(|n| sized(n as u64, 0, 0)).collect();
    exceeded(
        &one(records),
        LimitName::BatchRecords,
        limits.batch_records,
        many,
    );

    let many = limits.batch_streams + 1;
    let parts: Vec<_> = (0..many)
        .map(|n| part(&format!("stream/{n}"), Expected::Any, &[]))
        .collect();
    exceeded(&parts, LimitName::BatchStreams, limits.batch_streams, many);

    let full = limits.batch_bytes / bytes;
    let mut records: Vec<_> = (0..full).map(|n| sized(n as u64, bytes, 0)).collect();
    let rest = limits.batch_bytes - full * bytes;
    records.push(sized(full as u64, rest + 1, 0));
    exceeded(
        &one(records),
        LimitName::BatchBytes,
        limits.batch_bytes,
        limits.batch_bytes + 1,
    );

    assert!(scan_all(&log, 100).is_empty());
}

/// What a limit just admits is stored whole.
pub fn what_is_just_within_the_limits_is_stored(backend: &impl Backend) {
    let log = backend.open();
    let limits = log.limits();
    let body: Vec<u8> = (0..limits.record_bytes - 3)
        .map(|n| (n % 251) as u8)
        .collect();
    let large = NewRecord {
        id: id(1),
        body,
        personal: Some(vec![9, 0, 9]),
    };
    let batch = [Append {
        stream: stream(&"字".repeat(85)),
        expected: Expected::NoStream,
        records: vec![large.clone()],
    }];
    log.append(&batch).unwrap();
    let stored = log.scan(&crate::Cursor::start(), 1).unwrap().records;
    assert!(stored[0].body == large.body && stored[0].personal == large.personal);

    let numbers: Vec<u64> = (2..2 + limits.batch_records as u64).collect();
    assert_eq!(
        append(&log, "many", &numbers).places.len(),
        limits.batch_records
    );
    let parts: Vec<_> = (0..limits.batch_streams)
        .map(|n| {
            part(
                &format!("stream/{n}"),
                Expected::NoStream,
                &[1_000_000 + n as u64],
            )
        })
        .collect();
    assert_eq!(
        log.append(&parts).unwrap().places.len(),
        limits.batch_streams
    );
}

/// Bodies, personal bytes and ids are bytes: whatever went in comes out.
pub fn any_bytes_round_trip(backend: &impl Backend) {
    let log = backend.open();
    let bytes: Vec<Vec<u8>> = vec![
        vec![],
        vec![0],
        vec![0; 5_000],
        (0..=255).collect(),
        b"'; DROP TABLE records; --".to_vec(),
        vec![0xff, 0xfe, 0xc3, 0x28],
        "多字节".into(),
    ];
    let mut records = Vec::new();
    let mut n = 0;
    for body in &bytes {
        for personal in bytes.iter().map(Some).chain([None]) {
            n += 1;
            records.push(NewRecord {
                id: id(n),
                body: body.clone(),
                personal: personal.cloned(),
            });
        }
    }
    records[0].id.0 = [0; 16];
    records[1].id.0 = [255; 16];
    log.append(&[Append {
        stream: stream("a"),
        expected: Expected::NoStream,
        records: records.clone(),
    }])
    .unwrap();
    let stored = read_all(&log, "a", 10);
    assert_eq!(stored.len(), records.len());
    for (stored, record) in stored.into_iter().zip(records) {
        let back = NewRecord {
            id: stored.id,
            body: stored.body,
            personal: stored.personal,
        };
        assert!(back == record, "{back:?} is not {record:?}");
    }
}

/// No case, normal form, space or number is folded in stream ids.
pub fn streams_are_told_apart_byte_by_byte(backend: &impl Backend) {
    let log = backend.open();
    let names = [
        "a", "A", "a ", " a", "é", "e\u{301}", "1", "01", "1.0", "ａ", "%", "a%", "_",
    ];
    for (name, n) in names.iter().zip(0..) {
        log.append(&[part(name, Expected::NoStream, &[n])]).unwrap();
    }
    for (name, n) in names.iter().zip(0..) {
        assert_eq!(numbers(&read_all(&log, name, 10)), [n], "stream {name:?}");
    }
}

/// After `close` nothing is accepted, and what is there can be read.
pub fn a_closed_log_refuses_and_still_reads(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1]);
    let pending = log.submit(vec![part("a", Expected::Any, &[2])]);
    log.close();
    pending.wait().expect("what was submitted before the close");
    assert!(matches!(
        refusal(&log, &[part("a", Expected::Any, &[3])]),
        AppendError::Closed
    ));
    let late = log.submit(vec![part("a", Expected::Any, &[3])]).wait();
    assert!(matches!(late, Err(AppendError::Closed)));
    assert_eq!(numbers(&scan_all(&log, 100)), [1, 2]);
    log.close();
}

/// A completion is a future that any executor can drive.
pub fn a_submitted_batch_can_be_awaited(backend: &impl Backend) {
    let log = backend.open();
    let appended = block_on(log.submit(vec![part("a", Expected::NoStream, &[1])])).unwrap();
    assert_eq!(
        appended.places,
        [Place {
            position: 1,
            version: 1
        }]
    );
    let refused = block_on(log.submit(vec![part("a", Expected::NoStream, &[2])]));
    assert!(matches!(refused, Err(AppendError::Conflict(_))));
    // Dropping a completion withdraws nothing.
    drop(log.submit(vec![part("a", Expected::Any, &[3])]));
    append(&log, "a", &[4]);
    assert_eq!(numbers(&read_all(&log, "a", 10)), [1, 3, 4]);
}

/// The smallest executor: sleeps until woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

/// Batches of one thread are judged in the order in which it submitted them.
pub fn submitted_batches_keep_their_order(backend: &impl Backend) {
    let log = backend.open();
    let pending: Vec<_> = (0..300)
        .map(|n| log.submit(vec![part("a", Expected::Exactly(n), &[n])]))
        .collect();
    for (completion, n) in pending.into_iter().zip(1..) {
        assert_eq!(
            completion.wait().unwrap().places,
            [Place {
                position: n,
                version: n
            }]
        );
    }
    assert_eq!(record(0).id, scan_all(&log, 1)[0].id);
}
