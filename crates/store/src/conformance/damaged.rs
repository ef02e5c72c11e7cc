//! What is stored is not what was written.

use super::scene::{PATIENCE, append, part, refusal, stream};
use super::{Backend, Damage};
use crate::append::{AppendError, Expected};
use crate::cursor::Cursor;
use crate::follow::{Follow, Stopped};
use crate::log::Log;
use crate::read::ReadError;

/// Damage is reported with its position by every way of reading it.
pub fn damage_is_an_error_and_never_the_end(backend: &impl Backend) {
    let log = backend.open();
    // Record 3 of 6 is the second of its stream and has personal bytes.
    append(&log, "a", &[1]);
    append(&log, "b", &[2]);
    append(&log, "b", &[3]);
    append(&log, "b", &[4, 5, 6]);
    for damage in [
        Damage::PersonalGone(3),
        Damage::IdShortened(3),
        Damage::RecordGone(3),
        Damage::StreamNameGone(3),
    ] {
        if !backend.damage(damage) {
            continue;
        }
        let log = backend.open();
        let at = |error: ReadError| match error {
            ReadError::Damaged { position, .. } => position,
            error => panic!("{damage:?}: {error}"),
        };
        // Up to the damage everything is read; there it stops with an error. A
        // stream's name serves all its records.
        let first = if damage == Damage::StreamNameGone(3) {
            2
        } else {
            3
        };
        let mut cursor = Cursor::start();
        let error = loop {
            match log.scan(&cursor, 1) {
                Ok(page) => {
                    assert!(!page.end, "{damage:?}: the damage was taken for the end");
                    cursor = page.next;
                }
                Err(error) => break error,
            }
        };
        assert_eq!(at(error), first, "{damage:?}");
        let page = log.scan(&Cursor::start(), 100);
        assert_eq!(
            at(page.expect_err("a scan over the damage")),
            first,
            "{damage:?}"
        );
        let stopped = Follow::new(&log, Cursor::start()).next_page(PATIENCE);
        assert!(
            matches!(stopped, Err(Stopped::Read(ReadError::Damaged { .. }))),
            "{damage:?}"
        );
        if damage != Damage::StreamNameGone(3) {
            assert!(log.read(&stream("b"), 1, 100).is_err(), "{damage:?}");
            assert!(
                log.read_backward(&stream("b"), u64::MAX, 100).is_err(),
                "{damage:?}"
            );
        }
    }
    // A log without this kind of damage still keeps its laws.
    let refused = refusal(&log, &[part("a", Expected::Exactly(9), &[7])]);
    assert!(matches!(
        refused,
        AppendError::Conflict(_) | AppendError::Read(_)
    ));
}
