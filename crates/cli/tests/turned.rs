//! A rule that is broken as known now, though nothing of it was known then: the
//! record that turned it is named, be it a retraction or a fact told afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use console::{Console, LITTLE};
use serde_json::Value;

/// A line by the hotline, told at a time of the same day.
fn line(at: &str, told_at: &str, fact: &str) -> String {
    told(at, told_at, "hotline_engineer", fact, "")
}

fn told(at: &str, told_at: &str, role: &str, fact: &str, more: &str) -> String {
    format!(
        r#"{{"at":"2026-03-02T{at}:00+08:00","recorded_at":"2026-03-02T{told_at}:00+08:00","stream":"T-1","by":{{"id":"li","role":"{role}"}},{more}"fact":{{{fact}}}}}"#
    )
}

const ANSWERED: &str = r#""type":"call_answered","call":"1","rings":1"#;
const ENDED: &str = r#""type":"call_ended","call":"1","reason":"consultation","attested":["calm"]"#;
const TOLD: &str = r#""type":"status_told""#;
const BACKED_UP: &str = r#""type":"backup_taken","visit":"1","by_whom":"customer""#;
const REQUESTED: &str = r#""type":"dispatch_requested","visit":"1""#;
const STARTED: &str = r#""type":"work_started","visit":"1""#;

/// What an audit of the lines finds broken, and the facts by id.
struct Found {
    console: Console,
    results: Vec<Value>,
    broken: Vec<Value>,
}

fn audited(lines: &[String]) -> Found {
    let console = Console::new(LITTLE);
    let results = console
        .run_with(
            &["run", "-", "--format", "json"],
            lines.join("\n").as_bytes(),
        )
        .json();
    let broken = console
        .run(&["audit", "--format", "json"])
        .json()
        .into_iter()
        .filter(|line| line["verdict"] == "broken")
        .collect();
    Found {
        console,
        results,
        broken,
    }
}

impl Found {
    /// The only rule that is broken, what was known of it then, and the fact
    /// that turned it with the moment it happened.
    fn only(&self) -> (&str, Option<&str>, Option<(&str, &str)>) {
        let [broken] = self.broken.as_slice() else {
            panic!("{:?}", self.broken);
        };
        let by = broken.get("turned_by").map(|id| {
            let result = self
                .results
                .iter()
                .find(|line| line["id"] == *id)
                .unwrap_or_else(|| panic!("{id}: {:?}", self.results));
            let at = result["at"].as_str().unwrap();
            (result["fact"].as_str().unwrap(), &at[11..16])
        });
        let then = match &broken["known_then"] {
            Value::Null => None,
            then => Some(then.as_str().unwrap()),
        };
        (broken["rule"].as_str().unwrap(), then, by)
    }
}

#[test]
fn a_start_told_after_the_answer() {
    let found = audited(&[
        line("09:00", "09:00", ANSWERED),
        line("10:50", "10:50", TOLD),
        line("09:05", "11:30", ENDED),
    ]);
    assert_eq!(
        found.only(),
        (
            "callback",
            Some("not_applicable"),
            Some(("call_ended", "09:05"))
        )
    );
    let text = found.console.run(&["audit"]).out;
    assert!(
        text.contains(
            "then:  not applicable, as far as was known; turned by call_ended 1 by li (hotline_engineer), Mon 2026-03-02 09:05:00"
        ) && text.contains("recorded Mon 2026-03-02 11:30:00"),
        "{text}"
    );
}

#[test]
fn a_start_told_when_its_limit_was_over() {
    let found = audited(&[
        line("09:00", "09:00", ANSWERED),
        line("09:05", "11:30", ENDED),
    ]);
    assert_eq!(
        found.only(),
        (
            "callback",
            Some("not_applicable"),
            Some(("call_ended", "09:05"))
        )
    );
}

#[test]
fn a_visit_that_was_opened_again_between_the_proof_and_the_act() {
    let lines = |reopened: &[String]| {
        let mut lines = vec![
            line("09:00", "09:00", ANSWERED),
            line("09:01", "09:01", REQUESTED),
            line("09:10", "09:10", BACKED_UP),
            line("09:30", "09:30", STARTED),
        ];
        lines.extend_from_slice(reopened);
        lines
    };
    assert!(audited(&lines(&[])).broken.is_empty());
    let found = audited(&lines(&[line("09:20", "11:00", REQUESTED)]));
    assert_eq!(
        found.only(),
        (
            "backup-before-work",
            Some("kept"),
            Some(("dispatch_requested", "09:20"))
        )
    );
}

#[test]
fn an_answer_that_was_taken_back_with_a_later_one_in_its_place() {
    const ID: &str = "01KJP6N1M0AAAAAAAAAAAAAAAA";
    let retracted = format!(r#""type":"fact_retracted","record":"{ID}","reason":"another ticket""#);
    let found = audited(&[
        line("09:00", "09:00", ANSWERED),
        line("09:05", "09:05", ENDED),
        told(
            "09:30",
            "09:30",
            "hotline_engineer",
            TOLD,
            &format!("\"id\":\"{ID}\","),
        ),
        line("11:00", "11:00", TOLD),
        told("11:30", "11:30", "service_manager", &retracted, ""),
    ]);
    assert_eq!(
        found.only(),
        ("callback", Some("kept"), Some(("fact_retracted", "11:30")))
    );
}

#[test]
fn what_was_late_or_missed_as_it_happened_was_turned_by_nobody() {
    for lines in [
        // Missed, and then something else is told afterwards.
        vec![
            line("09:00", "09:00", ANSWERED),
            line("09:05", "09:05", ENDED),
            line("11:00", "11:00", TOLD),
            line("08:50", "11:30", r#""type":"call_rang","call":"1""#),
        ],
        // Told out of order, but with time enough to call back.
        vec![
            line("09:00", "09:00", ANSWERED),
            line("09:06", "09:06", r#""type":"call_rang","call":"2""#),
            line("09:05", "09:08", ENDED),
            line("11:00", "11:00", TOLD),
        ],
        // The testimony itself is what breaks the rule: it was flagged.
        vec![
            line("09:00", "09:00", ANSWERED),
            line("09:01", "09:01", REQUESTED),
            line("09:40", "09:40", TOLD),
            line("09:30", "11:00", STARTED),
        ],
    ] {
        let found = audited(&lines);
        let (_, then, by) = found.only();
        assert_eq!((then, by), (None, None), "{lines:?}");
    }
}
