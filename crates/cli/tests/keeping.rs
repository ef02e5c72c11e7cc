//! What must hold of the store: the same file twice changes nothing, `audit`
//! says what `run` said, a bad line keeps what stood before it, and damage is
//! found.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use console::{Console, LITTLE, TWO_TICKETS};
use thirdring_cli::Exit;

const UNBACKED: &str = "tests/histories/unbacked-repair.jsonl";
const RULE: &str = "\"rule\":\"fault-backup-before-any-handling\",\"clause\":1";

#[test]
fn the_same_file_twice_changes_nothing() {
    for (manual, file) in [(LITTLE, TWO_TICKETS), ("unis", UNBACKED)] {
        let console = Console::new(manual);
        let first = console.run(&["run", file, "--format", "json"]);
        let verified = console.run(&["verify"]).out;
        let second = console.run(&["run", file, "--format", "json"]);
        assert_eq!(console.run(&["verify"]).out, verified);
        assert_eq!(second.verdicts(), first.verdicts());
        let outcomes = |answer: &console::Answer| -> Vec<String> {
            answer
                .json()
                .iter()
                .filter_map(|line| line["outcome"].as_str().map(str::to_owned))
                .collect()
        };
        for (then, now) in outcomes(&first).iter().zip(outcomes(&second)) {
            // What was refused is refused again, although the store is further now.
            let wanted = if then == "refused" {
                "refused"
            } else {
                "replayed"
            };
            assert_eq!(now, wanted);
        }
        assert!(outcomes(&first).contains(&"refused".to_owned()));
    }
}

#[test]
fn an_audit_of_the_store_says_what_run_said() {
    for (manual, file) in [(LITTLE, TWO_TICKETS), ("unis", UNBACKED)] {
        let console = Console::new(manual);
        let told = console
            .run(&["run", file, "--format", "json", "--all"])
            .verdicts();
        let found = console.run(&["audit", "--format", "json", "--all"]);
        assert_eq!(found.exit, Exit::Findings);
        assert!(!told.is_empty());
        assert_eq!(found.verdicts(), told);
    }
}

#[test]
fn time_may_pass_after_the_last_line() {
    let console = Console::new(LITTLE);
    let line = r#"{"at":"2026-03-02T09:05:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_answered","call":"1","rings":1}}
{"at":"2026-03-02T09:05:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_ended","call":"1","reason":"consultation"}}"#;
    let told = console.run_with(
        &[
            "run",
            "-",
            "--until",
            "2026-03-02 12:00",
            "--format",
            "json",
        ],
        line.as_bytes(),
    );
    assert!(told.out.contains("\"notice\":\"missed\""), "{}", told.out);
    assert_eq!(
        console.run(&["audit", "--format", "json"]).verdicts(),
        told.verdicts()
    );
}

#[test]
fn an_unbacked_repair_is_refused_now_found_later_and_turned_by_a_retraction() {
    let console = Console::new("unis");
    let told = console.run(&["run", UNBACKED, "--format", "json"]);
    let refused = told
        .json()
        .into_iter()
        .find(|line| line["outcome"] == "refused")
        .unwrap();
    assert_eq!(refused["fact"], "work_started");
    assert_eq!(
        refused["objections"][0]["rule"],
        "fault-backup-before-any-handling"
    );
    assert_eq!(
        refused["objections"][0]["quote"],
        "在解决任何故障前,先请客户将数据和应用进行备份,并拷贝至其她电脑或移动硬盘"
    );
    assert_eq!(refused["objections"][0]["later"], "after_other_facts");

    let of_rule = |answer: &console::Answer| -> serde_json::Value {
        let line = answer
            .verdicts()
            .into_iter()
            .find(|line| line.contains(RULE))
            .unwrap();
        serde_json::from_str(&line).unwrap()
    };
    // Broken as known now, and the record that turned it is named.
    let now = of_rule(&console.run(&["audit", "--format", "json"]));
    assert_eq!(now["verdict"], "broken");
    assert_eq!(now["known_then"], "kept");
    let retraction = told
        .json()
        .into_iter()
        .find(|line| line["fact"] == "fact_retracted")
        .unwrap();
    assert_eq!(now["turned_by"], retraction["id"]);
    // Kept as known then.
    let then = of_rule(&console.run(&["audit", "--as-of", "2026-03-02 20:00", "--format", "json"]));
    assert_eq!(then["verdict"], "kept");

    // Told eight hours later it is admitted, and found broken.
    let late = Console::new("unis");
    let history = std::fs::read_to_string(UNBACKED).unwrap();
    let history: String = history
        .lines()
        .filter(|line| !line.contains("backup_taken") && !line.contains("fact_retracted"))
        .filter(|line| !line.contains("T15:00:00"))
        .map(|line| {
            if line.contains("work_started") {
                line.replace(
                    "\"stream\"",
                    "\"recorded_at\":\"2026-03-02T22:45:00+08:00\",\"stream\"",
                ) + "\n"
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    let told = late.run_with(&["run", "-", "--format", "json"], history.as_bytes());
    let work = told
        .json()
        .into_iter()
        .find(|line| line["fact"] == "work_started")
        .unwrap();
    assert_eq!(work["outcome"], "flagged");
    assert_eq!(work["testimony"], true);
    let found = of_rule(&late.run(&["audit", "--format", "json"]));
    assert_eq!(found["verdict"], "broken");
    assert_eq!(found["known_then"], serde_json::Value::Null);
}

#[test]
fn strict_makes_a_refusal_a_finding() {
    assert_eq!(
        Console::new(LITTLE).run(&["run", TWO_TICKETS]).exit,
        Exit::Fine
    );
    assert_eq!(
        Console::new(LITTLE)
            .run(&["run", TWO_TICKETS, "--strict"])
            .exit,
        Exit::Findings
    );
}

#[test]
fn a_bad_line_keeps_what_stood_before_it() {
    let good = r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_rang","call":"1"}}"#;
    let bad: &[(&str, &str)] = &[
        ("{\"at\":", "column"),
        (
            r#"{"at":"2026-03-02T09:00:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_rang","call":"1"}}"#,
            "at",
        ),
        (
            r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"cook"},"fact":{"type":"call_rang","call":"1"}}"#,
            "by.role",
        ),
        (
            r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_rung","call":"1"}}"#,
            "fact.type",
        ),
        (
            r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_rang"}}"#,
            "fact.call",
        ),
        (
            r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_answered","call":"1","rings":99999999999999999999}}"#,
            "fact.rings",
        ),
        (
            r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_ended","call":"1","reason":"bored"}}"#,
            "fact.reason",
        ),
    ];
    for (line, field) in bad {
        let console = Console::new(LITTLE);
        let history = format!("{good}\n{line}\n{good}\n");
        let told = console.run_with(&["run", "-", "--format", "json"], history.as_bytes());
        assert_eq!(told.exit, Exit::Input, "{line}");
        let error = told.json().pop().unwrap()["error"].clone();
        assert_eq!(error["line"], 2, "{line}");
        assert!(
            error["field"].as_str().unwrap().starts_with(field),
            "{error}"
        );
        assert!(!error["problem"].as_str().unwrap().is_empty());
        assert!(!error["remedy"].as_str().unwrap().is_empty(), "{error}");
        assert!(
            console
                .run(&["verify"])
                .out
                .contains("1 record in 1 stream")
        );
    }
}

#[test]
fn another_manual_is_said_beside_the_output() {
    let console = Console::new(LITTLE);
    console.run(&["run", TWO_TICKETS]);
    let other = console.run(&["audit", "--manual", "unis"]);
    assert!(
        other.err.contains("judged by another rulebook"),
        "{}",
        other.err
    );
    assert!(console.run(&["audit"]).err.is_empty());
}

#[test]
fn one_altered_byte_is_found_where_it_is() {
    let console = Console::new(LITTLE);
    console.run(&["run", TWO_TICKETS]);
    let file = rusqlite::Connection::open(console.store()).unwrap();
    let body: Vec<u8> = file
        .query_row("SELECT body FROM records WHERE position = 3", [], |row| {
            row.get(0)
        })
        .unwrap();
    let mut altered = body.clone();
    let place = body.windows(5).position(|part| part == b"phone").unwrap();
    altered[place] = b'q';
    file.execute("UPDATE records SET body = ?1 WHERE position = 3", [altered])
        .unwrap();
    drop(file);
    for args in [&["verify"][..], &["audit"]] {
        let answer = console.run(args);
        assert_eq!(answer.exit, Exit::Store);
        assert!(
            answer
                .err
                .contains("stream T-1, version 3, position 3 of the log"),
            "{}",
            answer.err
        );
        assert!(answer.err.contains("altered"), "{}", answer.err);
    }
    let answer = console.run(&["verify", "--format", "json"]);
    let error = answer.json().pop().unwrap()["error"].clone();
    assert_eq!(
        (&error["stream"], &error["version"], &error["position"]),
        (&"T-1".into(), &3.into(), &3.into())
    );
}

/// A call that ended with a promise to call back, so that a clock runs.
fn promised(stream: &str, moment: &str) -> String {
    let line = |fact: &str| {
        format!(
            r#"{{"at":"{moment}","stream":"{stream}","by":{{"id":"li","role":"hotline_engineer"}},"fact":{fact}}}"#
        )
    };
    [
        line(r#"{"type":"call_answered","call":"1","rings":1}"#),
        line(r#"{"type":"call_ended","call":"1","reason":"consultation"}"#),
    ]
    .join("\n")
}

/// A stream whose chain does not hold is an error for whoever loads it: so it
/// tells who does.
#[test]
fn a_run_loads_only_what_its_file_speaks_of() {
    let console = Console::new(LITTLE);
    console.run(&["run", TWO_TICKETS]);
    let file = rusqlite::Connection::open(console.store()).unwrap();
    let altered = "UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'phone', 'qhone') AS BLOB) WHERE position = 3";
    assert_eq!(file.execute(altered, []).unwrap(), 1);
    drop(file);
    let run = ["run", "-", "--until", "2026-03-02 16:00"];
    let told = |stream: &str| {
        let lines = promised(stream, "2026-03-02T12:30:00+08:00");
        console.run_with(&run, lines.as_bytes())
    };
    let other = told("T-9");
    assert_eq!(other.exit, Exit::Fine, "{}", other.err);
    assert!(other.out.contains("missed  T-9  callback"), "{}", other.out);
    assert!(
        other.out.contains("1 stream, 1 open clock"),
        "{}",
        other.out
    );
    let same = told("T-1");
    assert_eq!(same.exit, Exit::Store);
    assert!(same.err.contains("stream T-1, version 3"), "{}", same.err);
}

/// Time passes in the streams the file speaks of; in the others it is `lapse`
/// that says what became of them.
#[test]
fn a_run_lets_time_pass_where_its_file_speaks_of() {
    let console = Console::new(LITTLE);
    let first = promised("T-1", "2026-03-02T09:05:00+08:00");
    console.run_with(&["run", "-"], first.as_bytes());
    let later = [
        promised("T-2", "2026-03-02T09:10:00+08:00"),
        promised("T-3", "2026-03-02T09:20:00+08:00"),
    ]
    .join("\n");
    let run = ["run", "-", "--until", "2026-03-02 12:00"];
    let told = console.run_with(&run, later.as_bytes()).out;
    for (stream, missed) in [("T-1", false), ("T-2", true), ("T-3", true)] {
        let notice = format!("missed  {stream}  callback");
        assert_eq!(told.contains(&notice), missed, "{told}");
    }
    let lapsed = console.run(&["lapse"]).out;
    assert!(lapsed.contains("missed  T-1  callback"), "{lapsed}");
    assert!(!lapsed.contains("T-2"), "{lapsed}");
}

#[test]
fn a_byte_altered_in_the_file_itself_is_found() {
    let console = Console::new(LITTLE);
    console.run(&["run", TWO_TICKETS]);
    // Move everything out of the write-ahead log, so that the file is all there is.
    let connection = rusqlite::Connection::open(console.store()).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    let mut bytes = std::fs::read(console.store()).unwrap();
    // A page that was moved leaves a copy behind, which nobody reads.
    let places: Vec<usize> = bytes
        .windows(7)
        .enumerate()
        .filter(|(_, part)| *part == b"onsite\"")
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place] = b'O';
    }
    std::fs::write(console.store(), bytes).unwrap();
    let answer = console.run(&["verify"]);
    assert_eq!(answer.exit, Exit::Store);
    assert!(
        answer.err.contains("stream T-2, version 1"),
        "{}",
        answer.err
    );
}

#[test]
fn only_what_records_makes_a_store() {
    let console = Console::new(LITTLE);
    for args in [
        &["show"][..],
        &["due"],
        &["lapse"],
        &["audit"],
        &["verify"],
        &["explain", "T-1", "calm"],
    ] {
        let answer = console.run(args);
        assert_eq!(answer.exit, Exit::Store, "{args:?}");
        assert!(answer.err.contains("there is no store"), "{}", answer.err);
        assert!(!console.store().exists());
    }
    // Nor does what is wrong before anything is recorded leave an empty one behind.
    for args in [
        &["run", TWO_TICKETS, "--manual", "unix"][..],
        &["run", "nowhere.jsonl"],
        &["run", "tests"],
        &["run", TWO_TICKETS, "--until", "yesterday"],
        &["record", "--json", "{"],
        &[
            "record",
            "--stream",
            "T-1",
            "--by",
            "li",
            "--role",
            "hotline_engineer",
            "call_rung",
        ],
    ] {
        assert_ne!(console.run(args).exit, Exit::Fine, "{args:?}");
        assert!(!console.store().exists(), "{args:?}");
    }
    // An empty file is no store either, and stays what it is.
    std::fs::write(console.store(), "").unwrap();
    for args in [
        &["show"][..],
        &["due"],
        &["lapse"],
        &["audit"],
        &["verify"],
        &["doctor"],
        &["explain", "T-1", "calm"],
        &["backup", "copy.db"],
    ] {
        let answer = console.run(args);
        assert_eq!(answer.exit, Exit::Store, "{args:?}");
        assert!(answer.err.contains("is an empty file"), "{}", answer.err);
        assert_eq!(std::fs::read(console.store()).unwrap(), b"");
    }
    assert_eq!(console.run(&["run", TWO_TICKETS]).exit, Exit::Fine);
}

#[test]
fn a_file_that_is_no_store_stays_as_it_is() {
    let console = Console::new(LITTLE);
    std::fs::write(
        console.store(),
        "a letter to somebody, long enough to be no empty file",
    )
    .unwrap();
    for args in [&["run", TWO_TICKETS][..], &["verify"]] {
        let answer = console.run(args);
        assert_eq!(answer.exit, Exit::Store);
        assert!(
            answer.err.contains("is not a Thirdring log"),
            "{}",
            answer.err
        );
    }
    assert!(
        std::fs::read_to_string(console.store())
            .unwrap()
            .starts_with("a letter")
    );
}
