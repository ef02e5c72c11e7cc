//! The JSON Lines protocol.

#![cfg(feature = "batch")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail, and a measurement is printed"
)]

use proptest::prelude::*;
use serde_json::Value;
use thirdring_calendar::batch::{Batch, answer};

const SHANGHAI: &str = r#"{"tz":"Asia/Shanghai","weekly":{"mon":[["09:00","12:00"],["13:30","18:00"]],"tue":[["09:00","12:00"],["13:30","18:00"]],"wed":[["09:00","12:00"],["13:30","18:00"]],"thu":[["09:00","12:00"],["13:30","18:00"]],"fri":[["09:00","12:00"],["13:30","18:00"]]},"holidays":["2026-10-01","2026-10-02","2026-10-05","2026-10-06","2026-10-07"],"special_days":{"2026-10-10":[["09:00","18:00"]]},"breaks":{"2026-10-12":[["15:00","16:00"]]},"always_open":false}"#;

/// Puts the Shanghai calendar into a case and checks the whole line that comes back.
#[track_caller]
fn check(case: &str, expected: &str) {
    let line = format!(r#"{{"id":7,"calendar":{SHANGHAI},{case}}}"#);
    assert_eq!(answer(&line), expected, "{case}");
    assert_eq!(Batch::new().answer(&line), expected);
}

#[track_caller]
fn check_error(line: &str, id: &str, words: &[&str]) {
    let out = answer(line);
    let value: Value = serde_json::from_str(&out).expect(&out);
    assert_eq!(value["id"].to_string(), id, "{out}");
    let error = value["error"].as_str().expect(&out);
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
    assert!(!out.contains('\n'));
}

#[test]
fn each_operation_answers_in_its_form() {
    check(
        r#""op":"add","start":"2026-10-12T14:30:00+08:00","seconds":3600"#,
        r#"{"id":7,"instant":"2026-10-12T16:30:00+08:00"}"#,
    );
    check(
        r#""op":"add","start":"2026-10-12T08:30:00Z","seconds":-3600"#,
        r#"{"id":7,"instant":"2026-10-12T14:30:00+08:00"}"#,
    );
    check(
        r#""op":"add","start":"2026-10-12T12:30:00+08:00","seconds":0"#,
        r#"{"id":7,"instant":"2026-10-12T13:30:00+08:00"}"#,
    );
    check(
        r#""op":"add","start":"2026-10-12T12:30:00+08:00","seconds":0,"direction":"backward""#,
        r#"{"id":7,"instant":"2026-10-12T12:00:00+08:00"}"#,
    );
    check(
        r#""op":"between","start":"2026-09-30T17:00:00+08:00","end":"2026-10-08T10:00:00+08:00""#,
        r#"{"id":7,"seconds":7200}"#,
    );
    check(
        r#""op":"between","start":"2026-10-08T10:00:00+08:00","end":"2026-09-30T17:00:00+08:00""#,
        r#"{"id":7,"seconds":0}"#,
    );
    check(
        r#""op":"between_signed","start":"2026-10-08T10:00:00+08:00","end":"2026-09-30T17:00:00+08:00""#,
        r#"{"id":7,"seconds":-7200}"#,
    );
    check(
        r#""op":"deadline","start":"2026-10-12T09:00:00+08:00","seconds":7200,"pauses":[{"from":"2026-10-12T10:00:00+08:00","to":"2026-10-12T11:00:00+08:00"}]"#,
        r#"{"id":7,"instant":"2026-10-12T12:00:00+08:00"}"#,
    );
    check(
        r#""op":"deadline","start":"2026-10-12T09:00:00+08:00","seconds":7200,"pauses":[{"from":"2026-10-12T10:00:00+08:00","to":null}]"#,
        r#"{"id":7,"none":"paused"}"#,
    );
    check(
        r#""op":"deadline","start":"2026-10-12T09:00:00+08:00","seconds":7200"#,
        r#"{"id":7,"instant":"2026-10-12T11:00:00+08:00"}"#,
    );
    check(
        r#""op":"add_working_days","start":"2026-09-30T17:00:00+08:00","days":3"#,
        r#"{"id":7,"instant":"2026-10-10T17:00:00+08:00"}"#,
    );
    check(
        r#""op":"next_open","start":"2026-10-01T00:00:00+08:00""#,
        r#"{"id":7,"instant":"2026-10-08T09:00:00+08:00"}"#,
    );
    check(
        r#""op":"next_close","start":"2026-10-01T00:00:00+08:00""#,
        r#"{"id":7,"instant":"2026-10-08T12:00:00+08:00"}"#,
    );
    check(
        r#""op":"previous_close","start":"2026-10-03T00:00:00+08:00""#,
        r#"{"id":7,"instant":"2026-09-30T18:00:00+08:00"}"#,
    );
    check(
        r#""op":"is_open","start":"2026-10-12T09:00:00+08:00""#,
        r#"{"id":7,"open":true}"#,
    );
    check(
        r#""op":"is_open","start":"2026-10-12T12:00:00+08:00""#,
        r#"{"id":7,"open":false}"#,
    );
    check(
        r#""op":"add_civil_days","start":"2026-10-12T09:00:00+08:00","days":-15"#,
        r#"{"id":7,"instant":"2026-09-27T09:00:00+08:00"}"#,
    );
    check(
        r#""op":"add_civil_months","start":"2026-08-31T09:00:00+08:00","months":6"#,
        r#"{"id":7,"instant":"2027-02-28T09:00:00+08:00"}"#,
    );
}

#[test]
fn ids_come_back_as_written() {
    for id in [
        r#""a""#,
        "12345678901234567890123",
        "1.50",
        r#"{"case":[1]}"#,
        "true",
    ] {
        let line = format!(
            r#"{{"calendar":{{"tz":"UTC","always_open":true}},"op":"add","start":"2026-01-01T00:00:00Z","seconds":1,"id":{id}}}"#
        );
        assert_eq!(
            answer(&line),
            format!(r#"{{"id":{id},"instant":"2026-01-01T00:00:01+00:00"}}"#)
        );
    }
}

#[test]
fn a_whole_number_may_have_a_point() {
    check(
        r#""op":"add","start":"2026-10-12T09:00:00+08:00","seconds":3600.0"#,
        r#"{"id":7,"instant":"2026-10-12T10:00:00+08:00"}"#,
    );
}

#[test]
fn a_fraction_of_a_second_is_kept() {
    check(
        r#""op":"add","start":"2026-10-12T11:59:59.750+08:00","seconds":1"#,
        r#"{"id":7,"instant":"2026-10-12T13:30:00.750+08:00"}"#,
    );
}

#[test]
fn a_year_without_announced_holidays_is_said() {
    let calendar = r#"{"tz":"Asia/Shanghai","holidays_from":["cn"],"weekly":{"mon":[["09:00","18:00"]],"tue":[["09:00","18:00"]],"wed":[["09:00","18:00"]],"thu":[["09:00","18:00"]],"fri":[["09:00","18:00"]]}}"#;
    let line = |start: &str| {
        format!(
            r#"{{"id":1,"calendar":{calendar},"op":"add_working_days","start":"{start}","days":3}}"#
        )
    };
    assert_eq!(
        answer(&line("2026-09-30T17:00:00+08:00")),
        r#"{"id":1,"instant":"2026-10-10T17:00:00+08:00"}"#
    );
    assert_eq!(
        answer(&line("2026-12-30T17:00:00+08:00")),
        r#"{"id":1,"instant":"2027-01-04T17:00:00+08:00","unannounced":2027}"#
    );
}

#[test]
fn every_bad_line_gets_its_error() {
    let with = |from: &str, to: &str| {
        format!(r#"{{"id":7,"calendar":{SHANGHAI},"op":"add","start":"2026-10-12T09:00:00+08:00","seconds":1}}"#)
            .replace(from, to)
    };
    check_error("", "null", &["not a case"]);
    check_error("{", "null", &["not a case"]);
    check_error("[1]", "null", &["not a case"]);
    check_error("null", "null", &["not a case"]);
    check_error(r#"{"id":3}"#, "3", &["op: missing"]);
    check_error(r#"{"id":3,"op":5}"#, "3", &["op: 5 is not a text"]);
    check_error(r#"{"id":3,"op":"jump"}"#, "3", &["`jump`", "next_open"]);
    check_error(r#"{"id":3,"op":"add"}"#, "3", &["calendar: missing"]);
    check_error(
        &with(r#""op""#, r#""id":8,"op""#),
        "null",
        &["duplicate field `id`"],
    );
    check_error(
        &with("Asia/Shanghai", "Asia/Peking"),
        "7",
        &["Asia/Peking", "IANA"],
    );
    check_error(&with("always_open", "open_always"), "7", &["open_always"]);
    check_error(&with("13:30", "13:60"), "7", &["13:60", "HH:MM"]);
    check_error(&with("13:30", "48:01"), "7", &["48:01", "48:00"]);
    check_error(
        &with("13:30", "18:00"),
        "7",
        &["weekly.mon[1]", "18:00-18:00", "30:00"],
    );
    check_error(&with("2026-10-07", "2026-10-32"), "7", &["date"]);
    check_error(
        &with(r#""2026-10-12":"#, r#""2026-02-30":"#),
        "7",
        &["2026-02-30", "YYYY-MM-DD"],
    );
    check_error(
        &with("09:00:00+08:00", "09:00:00"),
        "7",
        &["start", "RFC 3339", "offset"],
    );
    check_error(
        &with(r#""2026-10-12T09:00:00+08:00""#, "0"),
        "7",
        &["start: 0 is not a text"],
    );
    check_error(
        &with(r#""seconds":1"#, r#""second":1"#),
        "7",
        &["seconds: missing"],
    );
    check_error(
        &with(r#""seconds":1"#, r#""seconds":1.5"#),
        "7",
        &["seconds: 1.5 is not a whole"],
    );
    check_error(
        &with(r#""seconds":1"#, r#""seconds":"1""#),
        "7",
        &["seconds", "not a whole"],
    );
    check_error(
        &with(r#""seconds":1"#, r#""seconds":9223372036854775807"#),
        "7",
        &["smaller"],
    );
    check_error(
        &with(r#""seconds":1"#, r#""seconds":-9223372036854775808"#),
        "7",
        &["smaller"],
    );
    check_error(&with(r#""seconds":1"#, r#""seconds":9e99"#), "7", &["9e99"]);
    check_error(
        &with(r#""seconds":1"#, r#""seconds":900000000000"#),
        "7",
        &["RFC 3339 cannot"],
    );
    check_error(
        &with(r#""seconds":1"#, r#""seconds":0,"direction":"up""#),
        "7",
        &["direction: `up`"],
    );
    check_error(
        &with(r#""op":"add""#, r#""op":"deadline","pauses":[{}]"#),
        "7",
        &["pauses[0].from"],
    );
    check_error(
        &with(r#""op":"add""#, r#""op":"deadline","pauses":5"#),
        "7",
        &["pauses"],
    );
    check_error(
        &with(
            r#""op":"add""#,
            r#""op":"deadline","pauses":[{"from":"2026-10-12T10:00:00Z","to":"2026-10-12T09:00:00Z"}]"#,
        ),
        "7",
        &["ends earlier", "swap"],
    );
    check_error(
        r#"{"id":1,"calendar":{"tz":"UTC"},"op":"next_open","start":"2026-01-01T00:00:00Z"}"#,
        "1",
        &["never opens after", "weekly"],
    );
    check_error(
        r#"{"id":1,"calendar":{"tz":"UTC","always_open":true},"op":"next_close","start":"2026-01-01T00:00:00Z"}"#,
        "1",
        &["never closes"],
    );
    let deep = format!(
        r#"{{"id":4,"op":"add","calendar":{}1{}}}"#,
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    check_error(&deep, "4", &["calendar", "not an object"]);
}

#[test]
fn a_leap_second_is_the_second_after_it() {
    let line = r#"{"id":1,"calendar":{"tz":"UTC","always_open":true},"op":"add","start":"2016-12-31T23:59:60Z","seconds":1}"#;
    assert_eq!(
        answer(line),
        r#"{"id":1,"instant":"2017-01-01T00:00:01+00:00"}"#
    );
}

#[test]
fn an_offset_with_seconds_is_written_at_the_whole_minute() {
    // Shanghai kept local mean time, 8:05:43 ahead, until 1901.
    let line = r#"{"id":1,"calendar":{"tz":"Asia/Shanghai","always_open":true},"op":"add","start":"1899-12-31T16:00:00Z","seconds":0}"#;
    assert_eq!(
        answer(line),
        r#"{"id":1,"instant":"1900-01-01T00:05:00+08:05"}"#
    );
}

#[test]
#[ignore = "a measurement: cargo test --release -p thirdring-calendar --features batch --test batch -- --ignored --nocapture"]
fn a_hundred_thousand_cases_each_with_its_own_calendar() {
    let lines: Vec<String> = (0..100_000_u32)
        .map(|case| {
            let calendar = SHANGHAI
                .replace("Asia/Shanghai", ["Europe/Rome", "America/New_York", "Asia/Shanghai"][(case % 3) as usize])
                .replace("13:30", &format!("{}:{:02}", 12 + case / 60 % 4, case % 60))
                .replace("2026-10-12", &format!("20{:02}-10-12", 26 + case / 240 % 70));
            format!(r#"{{"id":{case},"calendar":{calendar},"op":"add","start":"2026-10-12T09:00:00+08:00","seconds":{case}}}"#)
        })
        .collect();
    for (what, pure) in [("kept", false), ("pure", true)] {
        let begun = std::time::Instant::now();
        let mut batch = Batch::new();
        let bytes: usize = lines
            .iter()
            .map(|line| {
                if pure {
                    answer(line)
                } else {
                    batch.answer(line)
                }
                .len()
            })
            .sum();
        println!(
            "{what}: {} lines, {bytes} bytes, {:?}",
            lines.len(),
            begun.elapsed()
        );
    }
}

/// One line comes back for any line, with an id and no second line.
fn comes_back_as_one_object(line: &str) {
    let out = answer(line);
    assert!(!out.contains('\n'), "{out}");
    let value: Value = serde_json::from_str(&out).expect(&out);
    let object = value.as_object().expect(&out);
    let answers = ["instant", "seconds", "open", "none", "error"];
    assert!(object.contains_key("id"), "{out}");
    assert_eq!(
        answers
            .iter()
            .filter(|key| object.contains_key(**key))
            .count(),
        1,
        "{out}"
    );
}

proptest! {
    #[test]
    fn any_line_is_answered(line in any::<String>()) {
        comes_back_as_one_object(&line);
    }

    #[test]
    fn any_damage_to_a_case_is_answered(
        op in proptest::sample::select(thirdring_calendar::batch::OPERATIONS.to_vec()),
        number in prop_oneof![any::<i64>(), -1_000_000..1_000_000_i64],
        start in prop_oneof![
            Just("2026-10-12T09:00:00+08:00".to_owned()),
            "[+-]?[0-9]{4,6}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,12})?(Z|[+-][0-2][0-9]:[0-6][0-9])",
        ],
        place in any::<prop::sample::Index>(),
        put in prop_oneof![Just(None), any::<char>().prop_map(Some)],
        damaged in any::<bool>(),
    ) {
        let line = format!(
            r#"{{"id":7,"calendar":{SHANGHAI},"op":"{op}","start":"{start}","end":"{start}","seconds":{number},"days":{number},"months":{number}}}"#
        );
        let mut characters: Vec<char> = line.chars().collect();
        if damaged {
            let place = place.index(characters.len());
            characters.splice(place..=place, put);
        }
        comes_back_as_one_object(&characters.into_iter().collect::<String>());
    }
}
