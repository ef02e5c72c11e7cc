//! One history under two rulebooks: what people and machines are shown.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use std::path::Path;

use console::{Answer, Console, LITTLE, TWO_TICKETS, answer};
use insta::assert_snapshot;
use serde_json::Value;
use thirdring::TimeSource;
use thirdring_cli::Exit;

const DAY: &str = "../../examples/a-day-at-the-desk.jsonl";
const FOREIGN: &str = "tests/histories/foreign.csv";
const HOUR: &str = "callback.within=2 working hours";

fn summary(answer: &Answer) -> Value {
    answer.json().pop().unwrap()["summary"].clone()
}

#[test]
fn one_number_on_a_small_history() {
    let console = Console::new(LITTLE);
    assert_snapshot!(
        console
            .run(&["what-if", TWO_TICKETS, "--set", HOUR])
            .transcript()
    );
    assert_snapshot!(
        console
            .run(&["what-if", TWO_TICKETS, "--set", HOUR, "--format", "json"])
            .transcript()
    );
    // Nothing was written.
    assert!(!console.store().exists());
}

#[test]
fn the_same_from_the_store_and_from_a_file() {
    let console = Console::new(LITTLE);
    let told = console
        .run(&["run", TWO_TICKETS, "--format", "json"])
        .json();
    let refused: Vec<usize> = told
        .iter()
        .filter(|line| line["outcome"] == "refused")
        .map(|line| usize::try_from(line["line"].as_u64().unwrap()).unwrap())
        .collect();
    assert_eq!(refused.len(), 1);
    // What the desk refused is in its file only.
    let kept: String = std::fs::read_to_string(TWO_TICKETS)
        .unwrap()
        .lines()
        .zip(1..)
        .filter(|(_, number)| !refused.contains(number))
        .map(|(line, _)| format!("{line}\n"))
        .collect();
    let file = console.store().with_file_name("kept.jsonl");
    std::fs::write(&file, kept).unwrap();
    assert_eq!(
        console.run(&["what-if", "--set", HOUR]).out,
        console
            .run(&["what-if", file.to_str().unwrap(), "--set", HOUR])
            .out
    );
}

#[test]
fn a_day_with_a_duration_a_whole_value_and_two_manuals() {
    let console = Console::new("unis");
    for setting in [
        "hotline-callback-within-1h.within=PT90M",
        "hotline-callback-within-1h.within=90 working minutes",
    ] {
        let answer = console.run(&["what-if", DAY, "--set", setting, "--format", "json"]);
        let summary = summary(&answer);
        assert_eq!(answer.exit, Exit::Fine);
        assert_eq!(
            (&summary["flips"], &summary["no_longer_broken"]),
            (&1.into(), &1.into()),
            "{summary}"
        );
    }
    assert_snapshot!(
        console
            .run(&[
                "what-if",
                DAY,
                "--set",
                "onsite-level1-within-24h.within=PT1H",
                "--set",
                "hotline-answer-within-three-rings.at_most={ rings = 5 }",
            ])
            .transcript()
    );
    let two = |more: &[&str]| {
        let mut args = vec!["what-if", DAY, "--manual", "unis", "--manual", "yonyou"];
        args.extend_from_slice(more);
        console.run(&args)
    };
    assert_snapshot!(two(&[]).transcript());
    let summary = summary(&two(&["--format", "json"]));
    assert_eq!(summary["before"]["manual"], "unis");
    assert_eq!(summary["after"]["manual"], "yonyou");
    assert_eq!(summary["before"]["only"].as_array().unwrap().len(), 25);
    assert_eq!(summary["after"]["only"].as_array().unwrap().len(), 5);
    let all = two(&["--all"]).out;
    assert!(!all.contains("not shown"), "{all}");
    assert_eq!(
        two(&["--all", "--manual", "helpdesk"]).exit,
        Exit::Usage,
        "three manuals"
    );
}

#[test]
fn somebody_elses_log() {
    assert_snapshot!(
        Console::new("helpdesk")
            .run(&[
                "what-if",
                FOREIGN,
                "--map",
                "helpdesk",
                "--set",
                "helpdesk-auto-close.within=360 clock hours",
                "--set",
                "helpdesk-auto-close.expect=[{ fact = \"ticket_closed\", not_before = \"360 clock hours\" }]",
            ])
            .transcript()
    );
}

#[test]
fn what_does_not_fit_is_an_error_of_the_command_line() {
    let console = Console::new("unis");
    let mut transcript = String::new();
    for setting in [
        "hotline-calback-within-1h.within=PT2H",
        "hotline-callback-within-1h.withing=PT2H",
        "hotline-callback-within-1h.within=2 hours",
        "hotline-callback-within-1h.within=PT",
        "fault-level1-definition.within=PT2H",
        "hotline-callback-within-1h.within=[",
        "within=PT2H",
    ] {
        let answer = console.run(&["what-if", DAY, "--set", setting]);
        assert_eq!(
            answer.exit,
            Exit::Usage,
            "{setting}: {}",
            answer.transcript()
        );
        transcript.push_str(&format!("$ --set '{setting}'\n{}", answer.transcript()));
    }
    let same = console.run(&["what-if", DAY]);
    transcript.push_str(&format!("$ what-if\n{}", same.transcript()));
    assert_snapshot!(transcript);
}

/// The real log lies beside the project where somebody has it: fifteen civil
/// days hold for 1,398 cases, fifteen times 24 hours for 102 fewer.
#[test]
fn civil_days_against_hours_where_the_real_log_is_there() {
    let file = "../../../shared/data/helpdesk/helpdesk.csv";
    if !Path::new(file).exists() {
        return;
    }
    let answer = Console::new("helpdesk").run(&[
        "what-if",
        file,
        "--map",
        "helpdesk",
        "--set",
        "helpdesk-auto-close.within=360 clock hours",
        "--set",
        "helpdesk-auto-close.expect=[{ fact = \"ticket_closed\", not_before = \"360 clock hours\" }]",
        "--format",
        "json",
    ]);
    let summary = summary(&answer);
    let kept = summary["rules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rule| rule["rule"] == "helpdesk-auto-close" && rule["verdict"] == "kept")
        .unwrap()
        .clone();
    assert_eq!(
        (&kept["before"], &kept["after"]),
        (&1398.into(), &1296.into())
    );
    assert_eq!(summary["newly_broken"], 102);
}

#[test]
fn an_option_before_the_command_and_after_it_is_an_error() {
    let now: chrono::DateTime<chrono::Utc> = "2026-03-03T00:00:00Z".parse().unwrap();
    let run = |args: &[&str]| answer(args, b"", TimeSource::of(move || now), false);
    for args in [
        &[
            "thirdring",
            "--manual",
            "unis",
            "what-if",
            DAY,
            "--manual",
            "yonyou",
        ][..],
        &["thirdring", "--manual=unis", "rules", "--manual", "yonyou"],
        &["thirdring", "--store", "one.db", "show", "--store=other.db"],
        &["thirdring", "--format=json", "rules", "--format", "text"],
    ] {
        let answer = run(args);
        assert_eq!(answer.exit, Exit::Usage, "{args:?}");
        let told = format!("{}{}", answer.out, answer.err);
        assert!(told.contains("before the command and after it"), "{told}");
        assert!(told.contains("in one of the two places"), "{told}");
    }
    for args in [
        &[
            "thirdring",
            "--manual",
            "unis",
            "--manual",
            "yonyou",
            "what-if",
            DAY,
        ][..],
        &[
            "thirdring",
            "what-if",
            DAY,
            "--manual=unis",
            "--manual",
            "yonyou",
        ],
        &[
            "thirdring",
            "--manual",
            "yonyou",
            "rules",
            "--format",
            "json",
        ],
    ] {
        assert_eq!(run(args).exit, Exit::Fine, "{args:?}");
    }
}
