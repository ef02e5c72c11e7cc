//! Repeating an append.

use super::Backend;
use super::scene::{append, id, numbers, part, record, refusal, scan_all, stream};
use crate::append::{Append, AppendError, Expected, Place};
use crate::log::Log;
use crate::record::NewRecord;

/// The first answer again, nothing written, whatever happened in between.
pub fn the_same_batch_again_gives_the_same_answer(backend: &impl Backend) {
    let log = backend.open();
    let batch = [
        part("a", Expected::NoStream, &[1, 2]),
        part("b", Expected::NoStream, &[3]),
    ];
    let first = log.append(&batch).unwrap();
    assert!(!first.replayed);
    for n in 10..60 {
        append(&log, "a", &[n]);
    }
    for _ in 0..3 {
        let again = log.append(&batch).unwrap();
        assert!(again.replayed);
        assert_eq!(again.places, first.places);
    }
    // The expectation is no part of the content.
    let other = [
        part("a", Expected::Exactly(999), &[1, 2]),
        part("b", Expected::Any, &[3]),
    ];
    assert_eq!(log.append(&other).unwrap().places, first.places);
    assert_eq!(scan_all(&log, 100).len(), 53);
}

/// An id means one stream, one body, one personal part, for ever.
pub fn a_known_id_with_other_content_is_refused(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1]);
    let plain = NewRecord {
        id: id(2),
        body: b"x".to_vec(),
        personal: None,
    };
    let append_to = |name: &str, record: &NewRecord| {
        let records = vec![record.clone()];
        vec![Append {
            stream: stream(name),
            expected: Expected::Any,
            records,
        }]
    };
    log.append(&append_to("a", &plain)).unwrap();

    let taken = |batch: &[Append], wanted: &str| match refusal(&log, batch) {
        AppendError::IdTaken {
            id: taken,
            position,
            differs,
        } => {
            assert_eq!((taken, position, differs), (id(2), 2, wanted));
        }
        error => panic!("{error}"),
    };
    taken(&append_to("b", &plain), "stream");
    taken(
        &append_to(
            "a",
            &NewRecord {
                body: b"y".to_vec(),
                ..plain.clone()
            },
        ),
        "body",
    );
    taken(
        &append_to(
            "a",
            &NewRecord {
                body: vec![],
                ..plain.clone()
            },
        ),
        "body",
    );
    let personal = NewRecord {
        personal: Some(vec![]),
        ..plain.clone()
    };
    taken(&append_to("a", &personal), "personal bytes");
    // Nothing else of the batch is stored either.
    let mut batch = append_to("b", &plain);
    batch.push(part("c", Expected::Any, &[5]));
    taken(&batch, "stream");
    assert_eq!(scan_all(&log, 100).len(), 2);
}

/// A batch that is neither a retry nor new is refused, and says which is which.
pub fn a_partly_known_batch_is_explained(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1, 2]);
    match refusal(&log, &[part("a", Expected::Any, &[2, 3, 4])]) {
        AppendError::PartlyKnown { known, unknown } => {
            assert_eq!(
                known,
                [(
                    id(2),
                    Place {
                        position: 2,
                        version: 2
                    }
                )]
            );
            assert_eq!(unknown, [id(3), id(4)]);
        }
        error => panic!("{error}"),
    }
    assert_eq!(numbers(&scan_all(&log, 100)), [1, 2]);
}

/// A refused batch was never stored, so its ids are still free.
pub fn after_a_conflict_the_same_ids_may_be_used(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1]);
    refusal(&log, &[part("a", Expected::NoStream, &[2])]);
    let other = NewRecord {
        body: b"judged again".to_vec(),
        ..record(2)
    };
    let again = [Append {
        stream: stream("a"),
        expected: Expected::Exactly(1),
        records: vec![other],
    }];
    let appended = log.append(&again).unwrap();
    assert!(!appended.replayed);
    assert!(log.append(&again).unwrap().replayed);
}

/// What was stored in several batches is answered record by record.
pub fn records_of_several_batches_are_recognised_together(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &[1]);
    append(&log, "b", &[2]);
    append(&log, "a", &[3]);
    let again = log
        .append(&[
            part("a", Expected::Any, &[3, 1]),
            part("b", Expected::Any, &[2]),
        ])
        .unwrap();
    assert!(again.replayed);
    let positions: Vec<_> = again.places.iter().map(|place| place.position).collect();
    assert_eq!(positions, [3, 1, 2]);
}
