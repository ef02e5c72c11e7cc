//! `every`: periods open and close by time alone.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod common;

use chrono::TimeDelta;
use common::{due, kinds, said, story};
use thirdring_core::{lapse, next_deadline};
use thirdring_testkit::Scenario;

const MONTHLY: &str = r#"
every = "calendar month"
expect = ["status_told"]
starts_with = "request_received"
ends_with = "ticket_closed"
"#;

fn march(clause: &str) -> Scenario {
    story(clause).given("request_received")
}

fn day(moment: chrono::DateTime<chrono::Utc>) -> String {
    let zone = chrono::FixedOffset::east_opt(8 * 3600).expect("an offset");
    moment.with_timezone(&zone).format("%Y-%m-%d").to_string()
}

#[test]
fn the_first_whole_period_is_the_first_that_counts() {
    let early = march(MONTHLY).after_hours(24 * 20);
    assert_eq!(kinds(&early), Vec::<&str>::new(), "April has not begun");
    let april = march(MONTHLY).at("2026-04-02T09:00:00+08:00");
    assert_eq!(kinds(&april), ["pending"]);
    assert_eq!(kinds(&april.given("status_told")), ["kept"]);
}

#[test]
fn an_empty_period_is_missed_when_it_is_over() {
    let may = march(MONTHLY).at("2026-05-01T00:00:00+08:00");
    assert_eq!(kinds(&may), ["broken", "pending"]);
    let notices = lapse(may.case(), may.bench().now());
    assert_eq!(notices.len(), 1);
    assert_eq!(day(notices[0].due_at), "2026-04-30");
    // A fact of May does not make up for April.
    assert_eq!(kinds(&may.given("status_told")), ["broken", "kept"]);
}

#[test]
fn the_next_deadline_lies_in_a_period_that_has_not_begun() {
    let april = march(MONTHLY)
        .at("2026-04-10T09:00:00+08:00")
        .given("status_told");
    let deadline = next_deadline(april.case()).expect("May will come");
    assert_eq!(day(deadline.at), "2026-05-31");
}

#[test]
fn one_missed_period_after_another_has_its_deadline_and_its_notice() {
    let mut bench = march(MONTHLY).bench().clone();
    let mut months = Vec::new();
    for _ in 0..4 {
        let deadline = next_deadline(bench.case()).expect("the next month");
        bench.go_to(deadline.at + TimeDelta::nanoseconds(1));
        let notices = bench.lapse();
        assert_eq!(notices.len(), 1, "{deadline:?}");
        months.push(day(notices[0].due_at));
    }
    assert_eq!(
        months,
        ["2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31"]
    );
    // Looked at once, late, it is the same.
    let late = march(MONTHLY).at("2026-08-01T00:00:00+08:00");
    let all: Vec<String> = lapse(late.case(), late.bench().now())
        .iter()
        .map(|notice| day(notice.due_at))
        .collect();
    assert_eq!(all, months);
}

#[test]
fn an_end_ends_what_would_follow_even_if_the_period_is_answered() {
    let closed = march(MONTHLY)
        .at("2026-04-10T09:00:00+08:00")
        .given("status_told")
        .after_hours(24)
        .given("ticket_closed outcome=solved")
        .at("2026-09-01T09:00:00+08:00");
    assert_eq!(kinds(&closed), ["kept"]);
    assert_eq!(next_deadline(closed.case()), None);
}

#[test]
fn a_second_start_opens_no_second_row_of_periods() {
    let twice = march(MONTHLY)
        .at("2026-04-10T09:00:00+08:00")
        .given("status_told")
        .given("request_received")
        .at("2026-05-10T09:00:00+08:00");
    assert_eq!(kinds(&twice), ["kept", "pending"]);
    // After an end it begins again.
    let again = twice
        .given("ticket_closed outcome=solved")
        .given("ticket_reopened")
        .given("request_received")
        .at("2026-06-10T09:00:00+08:00");
    assert_eq!(kinds(&again), ["kept", "pending"]);
}

#[test]
fn monthly_in_the_first_year_then_quarterly() {
    let monthly = format!("{MONTHLY}ends_at_age = \"1 civil year\"\n");
    let two_years = march(&monthly).at("2028-03-02T09:00:00+08:00");
    assert_eq!(
        said(&two_years).len(),
        12,
        "April 2026 to March 2027, which begins before the year is over"
    );
    let quarterly =
        MONTHLY.replace("calendar month", "calendar quarter") + "from_age = \"1 civil year\"\n";
    let later = march(&quarterly).at("2028-03-02T09:00:00+08:00");
    let first = said(&later);
    assert_eq!(first.len(), 4);
    assert_eq!(first[0].due.map(day).as_deref(), Some("2027-06-30"));
}

#[test]
fn an_age_that_ends_before_the_first_period_leaves_none() {
    let short = format!("{MONTHLY}ends_at_age = \"10 civil days\"\n");
    let later = march(&short).at("2026-07-01T09:00:00+08:00");
    assert_eq!(kinds(&later), Vec::<&str>::new());
    assert_eq!(next_deadline(later.case()), None);
}

#[test]
fn a_working_day_ends_with_its_day() {
    let daily = MONTHLY.replace("calendar month", "working day");
    // Monday 2 March; the first whole day is Tuesday.
    let saturday = march(&daily)
        .at("2026-03-03T10:00:00+08:00")
        .given("status_told")
        .at("2026-03-04T10:00:00+08:00")
        .given("status_told")
        .at("2026-03-05T10:00:00+08:00")
        .given("status_told")
        .at("2026-03-07T10:00:00+08:00");
    assert_eq!(kinds(&saturday), ["kept", "kept", "kept", "broken"]);
    assert_eq!(
        said(&saturday)[3].due.map(day).as_deref(),
        Some("2026-03-06")
    );
}

#[test]
fn a_report_after_the_period_is_due_on_a_working_day() {
    let report = format!("{MONTHLY}due = \"3rd working day after\"\n");
    let may = march(&report).at("2026-05-02T09:00:00+08:00");
    // 1 to 5 May are holidays: the third working day is Friday the 8th.
    assert_eq!(due(&may).as_deref(), Some("2026-05-08T10:00:00+00:00"));
    let told = may.at("2026-05-08T18:00:00+08:00").given("status_told");
    assert_eq!(kinds(&told), ["kept", "pending"]);
    // A report of April before April is over is no report on April.
    let early = march(&report)
        .at("2026-04-28T09:00:00+08:00")
        .given("status_told");
    assert_eq!(kinds(&early), ["pending"]);
}

#[test]
fn friday_afternoon_or_the_working_day_before() {
    let weekly = MONTHLY.replace("calendar month", "calendar week")
        + "due = \"friday or the working day before\"\n";
    // 1 May 2026 is a Friday and a holiday.
    let week = march(&weekly).at("2026-04-27T09:00:00+08:00");
    let due = said(&week).last().and_then(|verdict| verdict.due);
    assert_eq!(
        due.map(|due| due.to_rfc3339()).as_deref(),
        Some("2026-04-30T10:00:00+00:00")
    );
}

#[test]
fn a_late_answer_is_late_and_the_next_period_waits_for_its_own() {
    let report = format!("{MONTHLY}due = \"last working day\"\n");
    let late = march(&report)
        .at("2026-05-04T10:00:00+08:00")
        .given("status_told");
    assert_eq!(kinds(&late), ["broken", "pending"]);
}

#[test]
fn decades_without_an_end_are_bounded() {
    let daily = MONTHLY.replace("calendar month", "civil day");
    let far = march(&daily).at("2126-03-02T09:00:00+08:00");
    let count = lapse(far.case(), far.bench().now()).len();
    assert!(count > 4000 && count <= 5000, "{count}");
}
