//! What people see: whole transcripts, held against snapshots.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use console::{Console, LITTLE, TWO_TICKETS, answer};
use insta::assert_snapshot;
use thirdring::TimeSource;
use thirdring_cli::Exit;

fn told() -> Console {
    let console = Console::new(LITTLE);
    assert_eq!(console.run(&["run", TWO_TICKETS]).exit, Exit::Fine);
    console
}

#[test]
fn run() {
    assert_snapshot!(Console::new(LITTLE).run(&["run", TWO_TICKETS]).transcript());
}

#[test]
fn run_json() {
    assert_snapshot!(
        Console::new(LITTLE)
            .run(&["--format", "json", "run", TWO_TICKETS])
            .transcript()
    );
}

#[test]
fn run_again() {
    assert_snapshot!(told().run(&["run", TWO_TICKETS]).transcript());
}

#[test]
fn show() {
    assert_snapshot!(told().run(&["show"]).transcript());
}

#[test]
fn show_one() {
    assert_snapshot!(told().run(&["show", "T-2"]).transcript());
}

#[test]
fn show_one_json() {
    assert_snapshot!(
        told()
            .run(&["show", "T-2", "--format", "json"])
            .transcript()
    );
}

#[test]
fn audit() {
    assert_snapshot!(told().run(&["audit"]).transcript());
}

#[test]
fn audit_of_a_file() {
    assert_snapshot!(
        Console::new(LITTLE)
            .run(&["audit", TWO_TICKETS])
            .transcript()
    );
}

#[test]
fn audit_as_of() {
    assert_snapshot!(
        told()
            .run(&["audit", "--as-of", "2026-03-02 11:00"])
            .transcript()
    );
}

#[test]
fn explain() {
    assert_snapshot!(told().run(&["explain", "T-1", "callback"]).transcript());
}

#[test]
fn rules() {
    assert_snapshot!(Console::new(LITTLE).run(&["rules"]).transcript());
}

#[test]
fn rules_one() {
    assert_snapshot!(
        Console::new(LITTLE)
            .run(&["rules", "callback", "backup-before-work"])
            .transcript()
    );
}

#[test]
fn rules_one_json() {
    assert_snapshot!(
        Console::new(LITTLE)
            .run(&["rules", "callback", "--format", "json"])
            .transcript()
    );
}

#[test]
fn due_and_lapse() {
    let console = Console::new(LITTLE);
    let line = |at: &str, fact: &str| {
        format!(
            r#"{{"at":"2026-03-02T{at}:00+08:00","stream":"T-5","by":{{"id":"li","role":"hotline_engineer"}},"fact":{fact}}}"#
        )
    };
    let history = [
        line("11:40", r#"{"type":"call_answered","call":"1","rings":1}"#),
        line(
            "11:50",
            r#"{"type":"call_ended","call":"1","reason":"consultation","attested":["calm"]}"#,
        ),
    ]
    .join("\n");
    assert_eq!(
        console.run_with(&["run", "-"], history.as_bytes()).exit,
        Exit::Fine
    );
    let transcript = console.transcript(&[
        &["due", "--until", "2026-03-02 13:30"],
        &["due"],
        &["lapse", "--now", "2026-03-02 14:00"],
        &["lapse", "--now", "2026-03-02 14:00"],
        &["due", "--all", "--now", "2026-03-02 14:00"],
    ]);
    assert_snapshot!(transcript);
}

#[test]
fn record() {
    let console = Console::new(LITTLE);
    let transcript = console.transcript(&[
        &[
            "record",
            "--stream",
            "T-3",
            "--by",
            "li",
            "--role",
            "热线工程师",
            "request_received",
            "channel=phone",
        ],
        &[
            "record",
            "--stream",
            "T-3",
            "--by",
            "li",
            "--role",
            "hotline_engineer",
            "dispatch_requested",
            "visit=1",
        ],
        &[
            "record",
            "--stream",
            "T-3",
            "--by",
            "chen",
            "--role",
            "service_engineer",
            "work_started",
            "visit=1",
        ],
        &[
            "record",
            "--stream",
            "T-3",
            "--by",
            "chen",
            "--role",
            "cook",
            "work_started",
            "visit=1",
        ],
        &[
            "record",
            "--stream",
            "T-3",
            "--by",
            "chen",
            "--role",
            "service_engineer",
            "work_strated",
        ],
        &[
            "record",
            "--stream",
            "T-3",
            "--by",
            "chen",
            "--role",
            "service_engineer",
            "backup_taken",
            "visit=1",
            "data=perhaps",
        ],
        &[
            "record",
            "--json",
            r#"{"at":"2026-03-02T04:00:00+08:00","recorded_at":"2026-03-02T13:00:00+08:00","stream":"T-3","by":{"id":"chen","role":"service_engineer"},"fact":{"type":"work_started","visit":"1"}}"#,
        ],
    ]);
    assert_snapshot!(transcript);
}

#[test]
fn what_does_not_exist() {
    let console = told();
    let transcript = console.transcript(&[
        &["show", "T-22"],
        &["rules", "calback"],
        &["explain", "T-1", "nothing-like-it"],
        &["rules", "--manual", "unix"],
        &["rules", "--manual", "nowhere.toml"],
        &["run", "nowhere.jsonl"],
        &["show", "--now", "noon"],
        &["judge", "nowhere.csv", "--map", "helpdsk"],
    ]);
    assert_snapshot!(transcript);
}

#[test]
fn a_manual_with_errors() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.toml");
    std::fs::write(
        &file,
        std::fs::read_to_string(LITTLE)
            .unwrap()
            .replace("call_ended.reason", "call_ended.raison"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let checked = Console::new(LITTLE).run(&["manual", "check", file]);
    assert_eq!(checked.exit, Exit::Findings);
    assert_snapshot!(checked.transcript().replace(file, "bad.toml"));
    assert_eq!(
        Console::new(LITTLE)
            .run(&["run", TWO_TICKETS, "--manual", file])
            .exit,
        Exit::Input
    );
    assert_snapshot!(Console::new(LITTLE).run(&["manual", "check"]).transcript());
}

#[test]
fn calendar() {
    let console = Console::new(LITTLE);
    let transcript = console.transcript(&[
        &["calendar", "add", "2026-03-06 17:00", "2h"],
        &[
            "calendar",
            "add",
            "2026-03-06 17:00",
            "3",
            "working",
            "days",
        ],
        &[
            "calendar",
            "add",
            "2026-03-06 17:00",
            "15 civil days",
            "--format",
            "json",
        ],
        &["calendar", "add", "2026-03-06 17:00", "8h30m", "--back"],
        &["calendar", "add", "2026-03-06 17:00", "soon"],
        &[
            "calendar",
            "add",
            "2026-12-31 17:00",
            "1 working day",
            "--manual",
            "unis",
        ],
        &[
            "calendar",
            "between",
            "2026-03-06 17:00",
            "2026-03-09 10:30",
        ],
        &["calendar", "next-open", "2026-03-07"],
        &["calendar", "next-open"],
    ]);
    assert_snapshot!(transcript);
}

#[test]
fn a_batch_answers_every_line() {
    let calendar = r#""calendar":{"tz":"Asia/Shanghai","weekly":{"mon":[["09:00","12:00"]]}}"#;
    let mut cases = format!(
        "{{\"id\":1,{calendar},\"op\":\"next_open\",\"start\":\"2026-03-03T00:00:00Z\"}}\n"
    )
    .into_bytes();
    cases.extend_from_slice(b"{\"id\":2\n\n\xff\xfe\n");
    cases.extend_from_slice("x".repeat(5 * 1024 * 1024).as_bytes());
    cases.push(b'\n');
    cases.extend_from_slice(format!("{{\"id\":\"\u{202e}3\",{calendar},\"op\":\"is_open\",\"start\":\"2026-03-02T02:00:00Z\"}}").as_bytes());
    let answered = Console::new(LITTLE).run_with(&["calendar", "batch"], &cases);
    assert_eq!(answered.exit, Exit::Fine);
    let lines = answered.json();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0]["instant"], "2026-03-09T09:00:00+08:00");
    for line in &lines[1..5] {
        assert!(line["error"].is_string(), "{line}");
    }
    assert_eq!(lines[5]["id"], "\u{202e}3");
    assert_eq!(lines[5]["open"], true);
    assert!(!answered.out.contains('\u{202e}'));
}

#[test]
fn help_names_every_exit_code() {
    let help = answer(&["thirdring", "--help"], b"", TimeSource::system(), false);
    assert_eq!(help.exit, Exit::Fine);
    for (exit, meaning) in Exit::ALL {
        assert!(help.out.contains(&format!("  {}  {meaning}", exit.code())));
    }
}

#[test]
fn colours_only_on_a_terminal() {
    let args = ["thirdring", "--manual", LITTLE, "rules"];
    let seen = answer(&args, b"", TimeSource::system(), true);
    assert!(seen.out.contains("\u{1b}[1m"));
    let piped = answer(&args, b"", TimeSource::system(), false);
    assert!(!piped.out.contains('\u{1b}'));
}
