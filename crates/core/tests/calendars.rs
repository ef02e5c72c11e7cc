//! Named calendars, bounds before a moment, and what the loader says of rules
//! that contradict themselves.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use thirdring_core::digest::Digest;
use thirdring_core::record::{Content, Record};
use thirdring_core::vocabulary::shift::{CheckedIn, ShiftAssigned};
use thirdring_core::vocabulary::ticket::intake::RequestReceived;
use thirdring_core::vocabulary::ticket::talk::StatusTold;
use thirdring_core::{
    Actor, Case, Complaints, Fact, Library, Rulebook, SourceText, StreamId, VerdictKind, explain,
    load, verdicts,
};

const HEAD: &str = r#"
[manual]
name = "two-places"

[calendar]
tz = "Asia/Shanghai"
weekly.mon = ["09:00-18:00"]
weekly.tue = ["09:00-18:00"]

[calendars.rome]
tz = "Europe/Rome"
weekly.mon = ["09:00-18:00"]
weekly.tue = ["09:00-18:00"]

[calendars.home]
tz = "Asia/Shanghai"
weekly.mon = ["09:00-18:00"]
weekly.tue = ["09:00-18:00"]

[roles]
agent = []

[words]
"request_received.site" = ["rome", "home"]

[rule.answer]
says = "A request is answered."
source = [{ manual = "two-places", quote = "It is answered." }]
"#;

fn manual(clause: &str) -> Result<Rulebook, Complaints> {
    let text = format!("{HEAD}{clause}");
    let library = Library {
        rules: Vec::new(),
        manuals: vec![SourceText::new("two-places.toml", text)],
    };
    load(&library, "two-places")
}

fn at(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

fn case(rulebook: Rulebook, stream: &str, facts: Vec<(&str, Fact)>) -> Case {
    let stream = StreamId::new(stream).unwrap();
    let rulebook = Arc::new(rulebook);
    let records: Vec<_> = facts
        .into_iter()
        .zip(1u64..)
        .map(|((moment, fact), version)| {
            Arc::new(Record {
                id: u128::from(version).into(),
                stream: stream.clone(),
                version,
                occurred_at: at(moment),
                recorded_at: at(moment).to_utc(),
                by: Actor::new("a", "agent").unwrap(),
                done_by: None,
                rulebook: rulebook.digest,
                evidence: Vec::new(),
                cause: None,
                content: Content::Fact(fact),
                chain: Digest::of("test", &[]),
            })
        })
        .collect();
    Case::replay(stream, rulebook, records)
}

fn due(case: &Case, now: &str) -> (VerdictKind, String) {
    let verdict = verdicts(case, at(now).to_utc()).remove(0);
    (
        verdict.kind,
        verdict.due.map(|due| due.to_rfc3339()).unwrap_or_default(),
    )
}

fn received(site: Option<&str>) -> Fact {
    match site {
        Some(site) => RequestReceived::new().site(site).into(),
        None => RequestReceived::new().into(),
    }
}

const CASES: &str = r#"
kept = ["request_received site=home", "+1h status_told"]
broken = ["request_received site=home", "+2h status_told", "+1d"]
"#;

#[test]
fn the_stricter_of_two_calendars_wins() {
    let clause = r#"
after = "request_received"
expect = ["status_told"]
within = ["1 working hour in rome", "2 working hours in home"]
repeat = "keep"
kept = ["request_received", "+1h status_told"]
broken = ["request_received", "+9h status_told"]
"#;
    // Monday 09:00 in Shanghai is Monday 02:00 in Rome: home closes first.
    let early = case(
        manual(clause).unwrap(),
        "T-1",
        vec![("2026-03-02T09:00:00+08:00", received(None))],
    );
    assert_eq!(
        due(&early, "2026-03-02T09:00:00+08:00").1,
        "2026-03-02T03:00:00+00:00"
    );
    // Monday 17:30 in Shanghai is 10:30 in Rome: Rome's hour is over first.
    let late = case(
        manual(clause).unwrap(),
        "T-1",
        vec![("2026-03-02T17:30:00+08:00", received(None))],
    );
    assert_eq!(
        due(&late, "2026-03-02T17:30:00+08:00").1,
        "2026-03-02T10:30:00+00:00"
    );
}

#[test]
fn the_site_names_the_calendar_even_if_it_is_learned_later() {
    let clause = format!(
        r#"
after = "request_received"
expect = ["status_told"]
within = "1 working hour"
calendar_by = "site"
repeat = "keep"
{CASES}"#
    );
    let rome = case(
        manual(&clause).unwrap(),
        "T-1",
        vec![("2026-03-02T09:00:00+08:00", received(Some("rome")))],
    );
    // Rome opens at 08:00 UTC.
    assert_eq!(
        due(&rome, "2026-03-02T09:00:00+08:00").1,
        "2026-03-02T09:00:00+00:00"
    );
    let unknown = case(
        manual(&clause).unwrap(),
        "T-1",
        vec![("2026-03-02T09:00:00+08:00", received(None))],
    );
    assert_eq!(
        due(&unknown, "2026-03-02T09:00:00+08:00").1,
        "2026-03-02T02:00:00+00:00"
    );
    let told = explain(&rome, "answer", at("2026-03-02T12:00:00+08:00").to_utc()).unwrap();
    assert!(
        told.steps
            .iter()
            .any(|step| step.contains("by the calendar `rome`")),
        "{told:?}"
    );
    assert!(
        told.steps.iter().any(|step| step.contains("09:00:00 CET")),
        "{told:?}"
    );
}

#[test]
fn a_bound_may_lie_before_the_moment_it_counts_from() {
    // Ten minutes before the shift begins the engineer is there.
    let clause = r#"
after = "shift_assigned"
expect = ["checked_in"]
within = "10 clock minutes before"
from = "start"
same = "shift"
repeat = "keep"
kept = ["shift_assigned shift=1 start=@+60m", "+50m checked_in shift=1"]
broken = ["shift_assigned shift=1 start=@+60m", "+51m checked_in shift=1"]
"#;
    let assigned = ShiftAssigned::new("1").start(at("2026-03-03T09:00:00+08:00"));
    let judge = |checked_in: &str| {
        let facts = vec![
            ("2026-03-02T09:00:00+08:00", assigned.clone().into()),
            (checked_in, CheckedIn::new("1").into()),
        ];
        due(
            &case(manual(clause).unwrap(), "shift/1", facts),
            "2026-03-03T12:00:00+08:00",
        )
    };
    let moment = "2026-03-03T00:50:00+00:00".to_owned();
    assert_eq!(
        judge("2026-03-03T08:50:00+08:00"),
        (VerdictKind::Kept, moment.clone())
    );
    assert_eq!(
        judge("2026-03-03T08:50:01+08:00"),
        (VerdictKind::Broken, moment)
    );
}

#[test]
fn a_calendar_is_part_of_the_digest() {
    let clause = r#"
after = "request_received"
expect = ["status_told"]
within = "1 working hour in rome"
repeat = "keep"
kept = ["request_received", "+1h status_told"]
broken = ["request_received", "+9h status_told"]
"#;
    let one = manual(clause).unwrap();
    let text = format!("{HEAD}{clause}").replacen(
        "tz = \"Europe/Rome\"\nweekly.mon = [\"09:00-18:00\"]",
        "tz = \"Europe/Rome\"\nweekly.mon = [\"09:00-17:00\"]",
        1,
    );
    let library = Library {
        rules: Vec::new(),
        manuals: vec![SourceText::new("m.toml", text)],
    };
    let other = load(&library, "two-places").unwrap();
    assert_ne!(one.digest, other.digest);
}

fn complaints(clause: &str) -> String {
    match manual(clause) {
        Ok(rulebook) => rulebook
            .warnings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        Err(complaints) => complaints.to_string(),
    }
}

#[test]
fn the_loader_sees_what_cannot_be() {
    let base = |members: &str| {
        format!(
            "after = \"request_received\"\nexpect = [\"status_told\"]\nrepeat = \"keep\"\n{members}\n\
             kept = [\"request_received\", \"+1h status_told\"]\nbroken = [\"request_received\", \"+30h status_told\"]\n"
        )
    };
    let said = complaints(&base("within = \"1 working hour in rom\""));
    assert!(
        said.contains("no calendar named `rom`; did you mean `rome`?"),
        "{said}"
    );
    let said = complaints(&base("within = \"10 clock minutes before\""));
    assert!(said.contains("before what?"), "{said}");
    let said = complaints(&base(
        "within = \"1 clock hour\"\ncalendar_by = \"channel\"",
    ));
    assert!(
        said.contains("no list says which words it can have"),
        "{said}"
    );
    let said = complaints(
        "after = \"request_received\"\nexpect = [{ fact = \"status_told\", not_before = \"2 clock hours\" }]\n\
         within = \"1 clock hour\"\nrepeat = \"keep\"\nkept = [\"request_received\"]\nbroken = [\"request_received\"]\n",
    );
    assert!(
        said.contains("may not come before 2 clock hours and not after 1 clock hour"),
        "{said}"
    );
    let said = complaints(&base("within = \"1 clock hour\""));
    assert!(
        said.contains("nothing is counted in the calendar `rome`"),
        "{said}"
    );
    let said = complaints(
        "after = { fact = \"request_received\", site = \"rome\" }\nexpect = [\"status_told\"]\nwithin = \"1 clock hour\"\n\
         if = { site = \"home\" }\nrepeat = \"keep\"\nkept = [\"status_told\"]\nbroken = [\"status_told\"]\n",
    );
    assert!(
        said.contains("not behave")
            || said.contains("not judged")
            || said.contains("can never start"),
        "{said}"
    );
}

#[test]
fn a_waiting_status_answers_no_other_clock() {
    let clause = r#"
after = "request_received"
expect = ["result_told"]
within = "1 clock hour"
repeat = "keep"
kept = ["request_received", "+1h result_told"]
broken = ["request_received", "+30m status_told", "+1h"]
"#;
    let facts = vec![
        ("2026-03-02T09:00:00+08:00", received(None)),
        ("2026-03-02T09:10:00+08:00", StatusTold::new().into()),
    ];
    let case = case(manual(clause).unwrap(), "T-1", facts);
    assert_eq!(
        due(&case, "2026-03-02T09:30:00+08:00").0,
        VerdictKind::Pending
    );
}

#[test]
fn a_year_without_announced_holidays_is_flagged_or_refused_as_the_manual_says() {
    let text = |horizon: &str| {
        format!(
            "[manual]\nname = \"m\"\n[calendar]\ntz = \"Asia/Shanghai\"\nholidays_from = [\"cn\"]\n\
             weekly.mon = [\"09:00-18:00\"]\nweekly.thu = [\"09:00-18:00\"]\n{horizon}\n[roles]\nagent = []\n\
             [rule.answer]\nsays = \"A request is answered.\"\nsource = [{{ manual = \"m\", quote = \"It is answered.\" }}]\n\
             after = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"9 working hours\"\nrepeat = \"keep\"\n\
             kept = [\"request_received\", \"+1h status_told\"]\nbroken = [\"request_received\", \"+20d status_told\"]\n"
        )
    };
    let judged = |horizon: &str| {
        let library = Library {
            rules: Vec::new(),
            manuals: vec![SourceText::new("m.toml", text(horizon))],
        };
        let rulebook = load(&library, "m").unwrap();
        // Thursday 31 December 2026, three in the afternoon: six hours are left over.
        let facts = vec![("2026-12-31T15:00:00+08:00", received(None))];
        let case = case(rulebook, "T-1", facts);
        let verdict = verdicts(&case, at("2026-12-31T16:00:00+08:00").to_utc()).remove(0);
        (verdict.due, verdict.why)
    };
    let (due, why) = judged("");
    assert_eq!(due, Some(at("2027-01-04T15:00:00+08:00").to_utc()));
    assert!(
        why.contains("the holidays of 2027 are not announced"),
        "{why}"
    );
    assert_eq!(judged("[horizon]\nunannounced = \"flag\"").0, due);
    let (due, why) = judged("[horizon]\nunannounced = \"refuse\"");
    assert_eq!(due, None);
    assert!(why.contains("no due moment: the holidays of 2027"), "{why}");
}
