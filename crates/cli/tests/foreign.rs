//! Somebody else's log, judged.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use std::path::Path;

use console::{Answer, Console};
use thirdring_cli::Exit;

/// A handful of cases in the shape of the help-desk log, written by us: closed
/// across the beginning of summer time, closed a day early, waiting, taken in
/// charge late, never resolved.
const LOG: &str = include_str!("histories/foreign.csv");

fn judge(log: &str, more: &[&str]) -> (Answer, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.csv");
    std::fs::write(&file, log).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let mut args = vec!["judge", &file, "--map", "helpdesk"];
    args.extend_from_slice(more);
    (Console::new("helpdesk").run(&args), file.clone())
}

#[test]
fn a_small_log_is_judged_across_a_change_of_clocks() {
    let (answer, _) = judge(LOG, &["--format", "json"]);
    assert_eq!(answer.exit, Exit::Findings);
    let lines = answer.json();
    let verdict = |case: &str, rule: &str| -> Vec<String> {
        lines
            .iter()
            .filter(|line| line["stream"] == case && line["rule"] == rule)
            .map(|line| line["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    // 20 March 12:00 in Rome and 15 civil days: 4 April 12:00, which is 10:00 UTC.
    assert_eq!(verdict("Case 1", "helpdesk-auto-close"), ["kept"]);
    // 15 × 24 hours would have said so here; it is an hour late.
    assert_eq!(verdict("Case 2", "helpdesk-auto-close"), ["broken"]);
    assert_eq!(verdict("Case 3", "helpdesk-auto-close"), ["kept"]);
    // Only the last closing counts, and it came late.
    assert_eq!(verdict("Case 4", "helpdesk-auto-close"), ["broken"]);
    // A month of waiting does not count against the resolution.
    assert_eq!(verdict("Case 3", "helpdesk-resolution"), ["kept"]);
    assert_eq!(verdict("Case 3", "helpdesk-first-response"), ["broken"]);
    let summary = &lines
        .iter()
        .find(|line| line["summary"].is_object())
        .unwrap()["summary"];
    assert_eq!(summary["rows"], 19);
    assert_eq!(summary["cases"], 4);
    assert_eq!(summary["ignored"], 1);
    assert_eq!(summary["superseded"], 1);
    // Whatever comes first tells that the request was there.
    let received = summary["facts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|fact| fact["fact"] == "request_received");
    assert_eq!(received.unwrap()["cases"], 4);
    // A verdict names the rows that prove it.
    let late = lines
        .iter()
        .find(|line| line["stream"] == "Case 2" && line["rule"] == "helpdesk-auto-close");
    assert_eq!(late.unwrap()["rows"], serde_json::json!([8, 9]));
}

#[test]
fn the_summary_for_people() {
    let (answer, _) = judge(LOG, &["--findings"]);
    insta::assert_snapshot!(answer.out);
}

#[test]
fn what_a_log_cannot_show_is_unobservable() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.csv");
    std::fs::write(&file, LOG).unwrap();
    let args = [
        "judge",
        file.to_str().unwrap(),
        "--map",
        "helpdesk",
        "--format",
        "json",
    ];
    let judged = Console::new("unis").run(&args).json();
    assert!(judged.iter().any(|line| {
        line["rule"] == "fault-backup-before-any-handling" && line["verdict"] == "unobservable"
    }));
    assert!(
        !judged
            .iter()
            .any(|line| line["rule"] == "onsite-level1-within-24h" && line["verdict"] == "broken")
    );
}

#[test]
fn a_row_that_does_not_fit_is_named() {
    let cases = [
        (LOG.replace("Wait", "Whistle"), 11, "column `Activity`"),
        (
            LOG.replace("2013/05/07", "7 May"),
            11,
            "column `Complete Timestamp`",
        ),
        (LOG.replace("Case 3,Wait", ",Wait"), 11, "column `Case ID`"),
        (LOG.replace("Case 3,Wait,", "Case 3,"), 11, "CSV"),
        (LOG.replace("Resource", "Who"), 1, "`Resource`"),
    ];
    for (log, line, what) in cases {
        let (answer, file) = judge(&log, &[]);
        assert_eq!(answer.exit, Exit::Input);
        assert!(
            answer.err.contains(&format!("{file}:{line}")),
            "{}",
            answer.err
        );
        assert!(answer.err.contains(what), "{}", answer.err);
        assert!(answer.err.contains("to mend it"), "{}", answer.err);
    }
}

#[test]
fn a_map_that_does_not_fit_is_named() {
    let shipped = thirdring::manuals::MAPS[0].1;
    let cases = [
        (
            shipped.replace("\"owner_taken\"\n", "\"owner_token\"\n"),
            "`owner_token` is no fact",
        ),
        (
            shipped.replace("zone = \"UTC\"", "zone = \"Mars\""),
            "`Mars` is no time zone",
        ),
        (
            shipped.replace("format = \"csv\"", "format = \"xes\""),
            "`xes`",
        ),
        (
            shipped.replace("{ to = \"developer\" }", "{ whom = \"developer\" }"),
            "no field `whom`",
        ),
        (shipped.replace("[log]", "[logg]"), "logg"),
        (
            shipped.replace("activity = \"Wait\"", "activity = \"Closed\""),
            "mapped twice",
        ),
    ];
    for (map, what) in cases {
        assert_ne!(map, shipped);
        let dir = tempfile::tempdir().unwrap();
        let (log, file) = (dir.path().join("log.csv"), dir.path().join("map.toml"));
        std::fs::write(&log, LOG).unwrap();
        std::fs::write(&file, map).unwrap();
        let file = file.to_str().unwrap();
        let answer = Console::new("helpdesk").run(&["judge", log.to_str().unwrap(), "--map", file]);
        assert_eq!(answer.exit, Exit::Input);
        assert!(
            answer.err.contains(&format!("{file}:")) && answer.err.contains(what),
            "{}",
            answer.err
        );
    }
}

/// The real log lies beside the project where somebody has it; it is no part of
/// the product.
#[test]
fn the_real_log_where_it_is_there() {
    let file = "../../../shared/data/helpdesk/helpdesk.csv";
    if !Path::new(file).exists() {
        return;
    }
    let answer =
        Console::new("helpdesk").run(&["judge", file, "--map", "helpdesk", "--format", "json"]);
    let lines = answer.json();
    let summary = &lines
        .iter()
        .find(|line| line["summary"].is_object())
        .unwrap()["summary"];
    assert_eq!(summary["rows"], 21_348);
    assert_eq!(summary["cases"], 4_580);
    let of = |list: &str, name: &str, value: &str| -> serde_json::Value {
        summary[list]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry[name] == value)
            .unwrap()["cases"]
            .clone()
    };
    assert_eq!(of("facts", "fact", "owner_taken"), 4_285);
    assert_eq!(of("rules", "rule", "helpdesk-auto-close")["kept"], 1_398);
}
