//! Holidays from iCalendar texts.

#![cfg(feature = "ics")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use chrono::NaiveDate;
use thirdring_calendar::HolidayList;
use thirdring_calendar::ics::{IcsError, read};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn calendar(events: &str) -> Result<HolidayList, IcsError> {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{events}\nEND:VCALENDAR\n");
    read(
        &text.replace('\n', "\r\n"),
        date("2026-01-01"),
        date("2027-12-31"),
    )
}

#[track_caller]
fn check(event: &str, expected: &[&str]) {
    let list = calendar(&format!("BEGIN:VEVENT\nUID:1\n{event}\nEND:VEVENT")).unwrap();
    let dates: Vec<String> = list.off().iter().map(|day| day.date.to_string()).collect();
    assert_eq!(dates, expected);
}

#[track_caller]
fn check_refused(event: &str, words: &[&str]) {
    let error = calendar(&format!("BEGIN:VEVENT\n{event}\nEND:VEVENT"))
        .unwrap_err()
        .to_string();
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
}

#[test]
fn whole_days_are_days_off() {
    check(
        "DTSTART;VALUE=DATE:20260501\nSUMMARY:Labour Day",
        &["2026-05-01"],
    );
    check(
        "DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260503",
        &["2026-05-01", "2026-05-02"],
    );
    check(
        "DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260501",
        &["2026-05-01"],
    );
    check(
        "DTSTART;VALUE=DATE:20260501\nDURATION:P2D",
        &["2026-05-01", "2026-05-02"],
    );
    check("DTSTART;VALUE=DATE:20250501", &[]);
    check(
        "DTSTART;VALUE=DATE:20251231\nDTEND;VALUE=DATE:20260102",
        &["2026-01-01"],
    );
    check("DTSTART;VALUE=DATE:20260501\nSTATUS:CANCELLED", &[]);
}

#[test]
fn recurring_days_are_expanded() {
    check(
        "DTSTART;VALUE=DATE:20101225\nDTEND;VALUE=DATE:20101227\nRRULE:FREQ=YEARLY",
        &["2026-12-25", "2026-12-26", "2027-12-25", "2027-12-26"],
    );
    check(
        "DTSTART;VALUE=DATE:20201225\nRRULE:FREQ=YEARLY;UNTIL=20261225",
        &["2026-12-25"],
    );
    check(
        "DTSTART;VALUE=DATE:20101126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        &["2026-11-26", "2027-11-25"],
    );
    check(
        "DTSTART;VALUE=DATE:20101225\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20261225",
        &["2027-12-25"],
    );
    check(
        "DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=DATE:20260301,20260401",
        &["2026-01-05", "2026-03-01", "2026-04-01"],
    );
}

#[test]
fn what_would_be_guessed_is_refused() {
    check_refused(
        "SUMMARY:Party\nDTSTART:20260501T120000Z",
        &["Party", "whole day", "special_days"],
    );
    check_refused(
        "UID:x7\nSUMMARY:\nDTSTART;VALUE=DATE:20260231",
        &["20260231"],
    );
    check_refused(
        "SUMMARY:Moved\nRECURRENCE-ID;VALUE=DATE:20260501\nDTSTART;VALUE=DATE:20260502",
        &["Moved", "RECURRENCE-ID"],
    );
    check_refused(
        "SUMMARY:Odd\nDTSTART;VALUE=DATE:20260501\nRRULE:FREQ=SOMETIMES",
        &["Odd", "recurrence"],
    );
    check_refused(
        "SUMMARY:Back\nDTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260401",
        &["Back", "DTEND"],
    );
    check_refused("SUMMARY:Nowhen", &["Nowhen", "DTSTART"]);
    assert!(read("hello", date("2026-01-01"), date("2026-12-31")).is_err());
    assert!(read("", date("2026-01-01"), date("2026-12-31")).is_err());
}

#[test]
fn folded_lines_and_names_are_read() {
    let list = calendar(
        "BEGIN:VEVENT\nUID:1\nSUMMARY:Day of\n  the Sea\nDTSTART;VALUE=DATE:20260720\nEND:VEVENT",
    )
    .unwrap();
    assert_eq!(list.off()[0].name.as_deref(), Some("Day of the Sea"));
    assert_eq!(list.known().unwrap().to, date("2027-12-31"));
}
