//! What the command says of manuals: their rules, and whether they will do
//! today.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use std::collections::BTreeSet;

use console::{Answer, Console, LITTLE};
use serde_json::Value;
use thirdring_cli::Exit;

fn check(manual: &str, now: &str, format: &str) -> Answer {
    let args = ["manual", "check", manual, "--now", now, "--format", format];
    let answer = Console::new(LITTLE).run(&args);
    assert_eq!(answer.exit, Exit::Fine, "{}", answer.transcript());
    answer
}

fn holidays(now: &str) -> Value {
    let answer = check("unis", now, "json");
    answer.json().pop().unwrap()["summary"]["holidays"].clone()
}

#[test]
fn holidays_are_held_against_today() {
    let spring = holidays("2026-03-01");
    assert_eq!(spring["known_until"], "2026-12-31");
    assert_eq!(
        (&spring["days_left"], &spring["enough"]),
        (&305.into(), &true.into())
    );
    assert_eq!(holidays("2026-10-02")["enough"], true);
    assert_eq!(holidays("2026-10-03")["enough"], false);
    let eve = holidays("2026-12-31 17:59");
    assert_eq!(eve["enough"], false);
    assert!(
        eve["beyond"]["until"]
            .as_str()
            .unwrap()
            .starts_with("2027-01-01"),
        "{eve}"
    );
    assert_eq!(holidays("2027-02-01")["days_left"], -32);

    let text = |now| check("unis", now, "text").out;
    assert!(!text("2026-03-01").contains("about today"));
    assert!(text("2026-11-26").contains("fewer than 90 days"));
    assert!(text("2026-12-31 17:59").contains("started today reaches to 2027-01-01"));
    assert!(text("2027-02-01").contains("that was 32 days ago"));
}

/// Whatever a clause counts in working time may need next year's holidays.
#[test]
fn every_clause_that_counts_working_time_is_held_against_the_holidays() {
    const MANUAL: &str = r#"
[manual]
name = "ours"
title = "A desk of our own"

[calendar]
tz = "Asia/Shanghai"
weekly.mon = ["09:00-18:00"]
weekly.tue = ["09:00-18:00"]
weekly.wed = ["09:00-18:00"]
weekly.thu = ["09:00-18:00"]
weekly.fri = ["09:00-18:00"]
holidays_from = ["cn"]

[calendars.rome]
tz = "Europe/Rome"
weekly.mon = ["09:00-11:00"]
weekly.tue = ["09:00-11:00"]
weekly.wed = ["09:00-11:00"]
weekly.thu = ["09:00-11:00"]
weekly.fri = ["09:00-11:00"]
holidays = ["2026-01-06"]
holidays_known = { from = "2026-01-01", to = "2026-12-31" }

[roles]
desk = []

[words]
"request_received.site" = ["rome"]

[rule.one]
says = "A rule."
source = [{ manual = "ours", section = "1", quote = "A rule." }]
"#;
    let answer = "after = \"request_received\"\nexpect = [\"status_told\"]\nrepeat = \"keep\"\n\
                  kept = [\"request_received\", \"+1m status_told\"]\nbroken = [\"request_received\", \"+30d status_told\"]\n";
    let console = Console::new(LITTLE);
    let file = console.store().with_file_name("ours.toml");
    let beyond = |clause: &str, now: &str| -> Value {
        std::fs::write(&file, format!("{MANUAL}{clause}")).unwrap();
        let args = [
            "manual",
            "check",
            file.to_str().unwrap(),
            "--now",
            now,
            "--format",
            "json",
        ];
        let checked = console.run(&args);
        assert_eq!(
            checked.exit,
            Exit::Fine,
            "{clause}: {}",
            checked.transcript()
        );
        checked.json().pop().unwrap()["summary"]["holidays"]["beyond"]["limit"].clone()
    };
    for (clause, what) in [
        (format!("{answer}within = \"5 working days\""), "5 working days"),
        (
            format!("{answer}within = \"5 working days in rome\""),
            "5 working days in rome",
        ),
        (
            "after = \"request_received\"\nexpect = [{ fact = \"ticket_closed\", not_before = \"3 working days\" }]\n\
             within = \"20 clock days\"\nrepeat = \"keep\"\nkept = [\"request_received\", \"+10d ticket_closed\"]\n\
             broken = [\"request_received\", \"+1h ticket_closed\"]"
                .to_owned(),
            "not before 3 working days",
        ),
        (
            format!("{answer}within = \"10 clock days\"\nwarn = [\"2 working days before\"]"),
            "a warning 2 working days before",
        ),
        (
            format!(
                "{answer}within = \"1 clock hour\"\nescalate = [{{ after = \"4 working days\", to = \"desk\" }}]"
            ),
            "an escalation 4 working days after",
        ),
        (
            format!(
                "{answer}within = \"1 clock hour\"\nescalate = [{{ after = \"1 clock hour\", to = \"desk\", again = \"4 working days\" }}]"
            ),
            "an escalation again after 4 working days",
        ),
        (
            "after = \"shift_assigned\"\nexpect = [\"checked_in\"]\nwithin = \"3 working days before\"\nfrom = \"start\"\n\
             same = \"shift\"\nrepeat = \"keep\"\n\
             kept = [\"shift_assigned shift=1 start=@+20d\", \"+1d checked_in shift=1\"]\n\
             broken = [\"shift_assigned shift=1 start=@+20d\", \"+19d checked_in shift=1\"]"
                .to_owned(),
            "3 working days before",
        ),
        (
            "every = \"calendar month\"\nexpect = [\"kb_reviewed\"]\nstarts_with = \"kb_reviewed\"\n\
             due = \"3rd working day after\"\nkept = [\"kb_reviewed\", \"+60d kb_reviewed\"]\n\
             broken = [\"kb_reviewed\", \"+75d\"]"
                .to_owned(),
            "every calendar month",
        ),
    ] {
        let late = beyond(&clause, "2026-12-31 17:30");
        assert!(late.as_str().is_some_and(|late| late.contains(what)), "{what}: {late}");
        assert_eq!(beyond(&clause, "2026-03-02 10:00"), Value::Null, "{what}");
    }
    // The place decides, and nobody knows which it will be: at home five hours
    // are left of the year, in Rome there are two a day.
    let place = format!("{answer}within = \"5 working hours\"\ncalendar_by = \"site\"");
    assert_eq!(beyond(&place, "2026-12-31 10:00"), "5 working hours");
    let home = place.replace("\ncalendar_by = \"site\"", "");
    assert_eq!(beyond(&home, "2026-12-31 10:00"), Value::Null);
    // Time by the clock needs no holidays.
    let clock = format!("{answer}within = \"20 clock days\"");
    assert_eq!(beyond(&clock, "2026-12-31 17:30"), Value::Null);
}

#[test]
fn a_check_tells_choices_and_changes_with_reasons() {
    let unis = check("unis", "2026-03-01", "json").json();
    let choices = unis.iter().filter(|line| line["choice"].is_object());
    let summary = &unis.last().unwrap()["summary"];
    assert_eq!(summary["choices"], choices.count());
    assert_eq!(summary["rules"], 74);
    assert!(summary["clauses"].as_u64() > summary["rules"].as_u64());
    let shop = check("../../examples/own-manual/shop.toml", "2026-03-01", "json").json();
    let change = shop.iter().find(|line| line["change"].is_object()).unwrap();
    assert_eq!(change["change"]["rule"], "onsite-level1-within-24h");
    assert!(!change["change"]["because"].as_str().unwrap().is_empty());
}

#[test]
fn a_manual_may_be_named_by_the_option_or_by_itself() {
    let console = Console::new("yonyou");
    let by_option = console.run(&["manual", "check", "--now", "2026-03-01"]);
    let by_itself = Console::new(LITTLE).run(&["manual", "check", "yonyou", "--now", "2026-03-01"]);
    let behind = Console::new(LITTLE).run(&[
        "manual",
        "check",
        "--manual",
        "yonyou",
        "--now",
        "2026-03-01",
    ]);
    assert_eq!(by_option.out, by_itself.out);
    assert_eq!(by_option.out, behind.out);
    assert!(
        by_option.out.contains("yonyou: 54 rules"),
        "{}",
        by_option.out
    );
}

#[test]
fn the_two_manuals_have_seventy_nine_rules_each_with_its_words() {
    let mut ids = BTreeSet::new();
    for manual in ["unis", "yonyou"] {
        let answer = Console::new(manual).run(&["rules", "--format", "json"]);
        assert_eq!(answer.exit, Exit::Fine);
        for rule in answer.json() {
            let text = |member: &str| rule[member].as_str().unwrap().to_owned();
            assert!(!text("quote").is_empty(), "{rule}");
            assert!(!text("form").is_empty(), "{rule}");
            assert!(!text("says").is_empty(), "{rule}");
            let sources = rule["source"].as_array().unwrap();
            // What a manual is judged by is quoted from it.
            assert!(
                sources.iter().any(|source| source["manual"] == manual),
                "{rule}"
            );
            assert_eq!(
                rule["exact"],
                rule["leans_on"].as_array().unwrap().is_empty()
            );
            ids.insert(text("id"));
        }
        let text = Console::new(manual).run(&["rules"]).out;
        let last = text
            .lines()
            .rev()
            .find(|line| line.contains("exact data"))
            .unwrap();
        assert!(
            last.contains("3 lean on a derived field or on evidence"),
            "{last}"
        );
        // Nothing is said without a meaning.
        for line in text.lines().skip_while(|line| *line != last).skip(1) {
            assert!(line.trim_end().ends_with('.'), "{line}");
        }
    }
    assert_eq!(ids.len(), 79);
}

#[test]
fn a_rule_reads_like_a_sentence() {
    for manual in ["unis", "yonyou", "helpdesk"] {
        let console = Console::new(manual);
        for rule in console.run(&["rules", "--format", "json"]).json() {
            let id = rule["id"].as_str().unwrap();
            let shown = console.run(&["rules", id]).out;
            let checked = shown
                .lines()
                .skip_while(|line| *line != "What is checked")
                .take_while(|line| !line.contains("Leans on"));
            for line in checked {
                assert!(!line.contains('_'), "{id}: {line}");
                assert!(!line.contains('='), "{id}: {line}");
                assert!(!line.contains('{'), "{id}: {line}");
            }
        }
    }
}
