//! Who is told that a rule is broken is told where the manual departs from its
//! text, and why.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use console::{Answer, Console};
use serde_json::json;

/// `unis` with one rule that flags and one that refuses set otherwise.
const MANUAL: &str = r#"
[manual]
name = "ours"
title = "A desk of our own"
extends = "unis"

[change.hotline-answer-within-three-rings]
at_most = { rings = 5 }
because = "Our exchange counts a ring before anybody can hear it."
kept = ["call_answered call=1 rings=5"]
broken = ["call_answered call=1 rings=6"]

[change.online-problem-answered-by-consultant]
only_by = ["service_manager"]
because = "The manager answers for us."
kept = ["request_received channel=online", "+1h reply_sent by=service_manager", "+1h ticket_closed outcome=solved"]
broken = [["request_received channel=online", "+1h reply_sent by=hotline_engineer"], ["request_received channel=online", "+1h ticket_closed outcome=solved"]]
"#;

const HISTORY: &str = r#"
{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_answered","call":"1","rings":6}}
{"at":"2026-03-02T09:35:00+08:00","stream":"T-2","by":{"id":"c","role":"customer"},"fact":{"type":"request_received","channel":"online","kind":"question","customer":"C-44"}}
{"at":"2026-03-02T09:40:00+08:00","stream":"T-2","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"reply_sent"}}
"#;

const RINGS: &str = "at most: rings 5: Our exchange counts a ring before anybody can hear it.";
const ROLES: &str = "only by: service manager: The manager answers for us.";

struct Ours {
    console: Console,
    manual: String,
    history: String,
}

impl Ours {
    fn new() -> Self {
        let console = Console::new("unis");
        let folder = console.store().parent().unwrap().to_owned();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name).to_str().unwrap().to_owned()
        };
        let manual = file("ours.toml", MANUAL);
        let history = file("history.jsonl", HISTORY);
        Self {
            console,
            manual,
            history,
        }
    }

    fn run(&self, args: &[&str]) -> Answer {
        let mut all = vec!["--manual", self.manual.as_str()];
        all.extend_from_slice(args);
        self.console.run(&all)
    }
}

#[track_caller]
fn says(answer: &Answer, wanted: &str, times: usize) {
    let found = answer.out.matches(wanted).count();
    assert_eq!(found, times, "{wanted}\n{}", answer.transcript());
}

#[test]
fn run_and_record_say_it_where_a_rule_flags_or_refuses() {
    let ours = Ours::new();
    let told = ours.run(&["run", &ours.history]);
    // Beside the flag, and beside the verdict at the end.
    says(&told, RINGS, 2);
    says(&told, ROLES, 1);
    let refused = ours.run(&[
        "record",
        "--stream",
        "T-2",
        "--by",
        "li",
        "--role",
        "hotline_engineer",
        "--at",
        "2026-03-02 10:00",
        "--told-at",
        "2026-03-02 10:00",
        "reply_sent",
    ]);
    says(&refused, ROLES, 1);
    // Where the manual says what the text says there is nothing to add.
    let plain = Console::new("unis").run(&["run", &ours.history]);
    says(&plain, "changed", 0);
}

#[test]
fn audit_and_judge_say_it_beside_the_verdict() {
    let ours = Ours::new();
    let found = ours.run(&["audit", &ours.history]);
    says(&found, RINGS, 1);
    says(&found, ROLES, 1);
    ours.run(&["run", &ours.history]);
    says(&ours.run(&["audit"]), RINGS, 1);
}

#[test]
fn machines_are_told_too() {
    let ours = Ours::new();
    let rings = json!([{
        "what": "at_most = {\"rings\":5}",
        "because": "Our exchange counts a ring before anybody can hear it.",
    }]);
    let told = ours.run(&["run", &ours.history, "--format", "json"]).json();
    assert_eq!(told[0]["objections"][0]["changes"], rings);
    assert_eq!(
        told[2]["objections"][0]["changes"][0]["because"],
        "The manager answers for us."
    );
    let verdict = |lines: &[serde_json::Value]| {
        lines
            .iter()
            .find(|line| {
                line["rule"] == "hotline-answer-within-three-rings" && line["verdict"].is_string()
            })
            .unwrap()
            .clone()
    };
    assert_eq!(verdict(&told)["changes"], rings);
    let found = ours.run(&["audit", "--format", "json"]).json();
    assert_eq!(verdict(&found)["changes"], rings);
    let plain = Console::new("unis")
        .run(&["audit", &ours.history, "--format", "json"])
        .json();
    assert!(verdict(&plain).get("changes").is_none());
}
