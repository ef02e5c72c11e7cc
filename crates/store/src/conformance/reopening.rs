//! Several handles on one log, one after the other or at once.

use std::thread;

use super::Backend;
use super::scene::{append, assert_whole, numbers, part, read_all, refusal, scan_all};
use crate::append::{AppendError, Expected};
use crate::log::Log;

/// What was answered is there, and the log goes on where it stopped.
pub fn what_was_appended_is_there_after_reopening(backend: &impl Backend) {
    let mut before = Vec::new();
    for round in 0..4 {
        let log = backend.open();
        assert_eq!(scan_all(&log, 100), before);
        for n in 0..5 {
            append(&log, if n % 2 == 0 { "a" } else { "b" }, &[round * 10 + n]);
        }
        // A batch nobody waits for is finished before the handle is gone.
        drop(log.submit(vec![part("c", Expected::Any, &[round * 10 + 9])]));
        let last = append(&log, "a", &[round * 10 + 8]);
        assert_eq!(last.places[0].position, (round + 1) * 7);
        before = scan_all(&log, 100);
    }
    let log = backend.open();
    assert_eq!(scan_all(&log, 100), before);
    assert_whole(&before);
}

/// Idempotency is for ever, not for as long as the handle lives.
pub fn a_retry_is_recognised_after_reopening(backend: &impl Backend) {
    let batch = [
        part("a", Expected::NoStream, &[1, 2]),
        part("b", Expected::NoStream, &[3]),
    ];
    let first = {
        let log = backend.open();
        let first = log.append(&batch).unwrap();
        append(&log, "a", &[4]);
        first
    };
    let log = backend.open();
    let again = log.append(&batch).unwrap();
    assert!(again.replayed);
    assert_eq!(again.places, first.places);
    let partly = refusal(&log, &[part("a", Expected::Any, &[4, 5])]);
    assert!(matches!(partly, AppendError::PartlyKnown { .. }));
    assert_eq!(numbers(&scan_all(&log, 100)), [1, 2, 3, 4]);
}

/// Handles that write in turn and at once keep one order.
pub fn two_handles_are_one_log(backend: &impl Backend) {
    let (one, two) = (backend.open(), backend.open());
    one.append(&[part("a", Expected::NoStream, &[1])]).unwrap();
    assert!(matches!(
        refusal(&two, &[part("a", Expected::NoStream, &[2])]),
        AppendError::Conflict(_)
    ));
    two.append(&[part("a", Expected::Exactly(1), &[2])])
        .unwrap();
    assert!(
        one.append(&[part("a", Expected::Exactly(1), &[2])])
            .unwrap()
            .replayed
    );
    one.append(&[part("a", Expected::Exactly(2), &[3])])
        .unwrap();
    assert_eq!(read_all(&two, "a", 10), read_all(&one, "a", 10));

    thread::scope(|scope| {
        for (handle, log) in [&one, &two].into_iter().enumerate() {
            scope.spawn(move || {
                for n in 0..50 {
                    append(log, "race", &[1_000 + handle as u64 * 100 + n]);
                }
            });
        }
    });
    let all = scan_all(&one, 1_000);
    assert_eq!(all.len(), 103);
    assert_whole(&all);
    assert_eq!(scan_all(&two, 7), all);
}
