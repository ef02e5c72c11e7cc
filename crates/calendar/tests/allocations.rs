//! Counting and adding allocate nothing, whatever the span.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::hint::black_box;

use allocation_counter::measure;
use chrono::{DateTime, Utc};
use thirdring_calendar::{Calendar, Direction, Pause};

#[test]
fn questions_in_seconds_allocate_nothing() {
    let text = "tz = \"Europe/Berlin\"\nholidays_from = [\"cn\"]\nweekly.mon = [\"09:00-17:00\"]";
    let calendar = Calendar::compile(&toml::from_str(text).unwrap()).unwrap();
    let start: DateTime<Utc> = "2026-03-02T10:00:00Z".parse().unwrap();
    for days in [0, 1, 366, 3_660] {
        let end = start + chrono::TimeDelta::days(days);
        let counted = measure(|| {
            black_box(calendar.between(start, end));
            let _ = black_box(calendar.add(start, days * 3_600));
            let _ = black_box(calendar.add_toward(start, -days * 3_600, Direction::Backward));
            let _ = black_box((calendar.next_open(end), calendar.next_close(end)));
            black_box((calendar.is_open(end), calendar.coverage(start, end)));
            let _ = black_box(calendar.deadline(start, days * 3_600, &[]));
        });
        assert_eq!(counted.count_total, 0, "{days} days");
    }
    // Pauses are sorted into lists of their own.
    let pauses = [Pause {
        from: start,
        to: Some(start + chrono::TimeDelta::hours(1)),
    }];
    let counted = measure(|| {
        let _ = black_box(calendar.deadline(start, 7_200, &pauses));
    });
    assert!(counted.count_total <= 2, "{}", counted.count_total);
}
