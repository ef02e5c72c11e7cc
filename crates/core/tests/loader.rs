//! What the loader finds, one test a check: file, line, column, remedy.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod common;

use common::{HEAD, manual_text};
use insta::assert_snapshot;
use thirdring_core::{Library, SourceText, load};

/// Everything that is wrong with the rule `r` under test, or its warnings.
fn rule(clause: &str) -> String {
    manual(&manual_text(clause))
}

/// Everything that is wrong with a manual, or its warnings.
fn manual(text: &str) -> String {
    let manuals = vec![SourceText::new("bare.toml", text)];
    match load(
        &Library {
            rules: Vec::new(),
            manuals,
        },
        "bare",
    ) {
        Err(complaints) => complaints.to_string(),
        Ok(rulebook) => {
            let warnings: Vec<String> = rulebook
                .warnings
                .iter()
                .map(|w| format!("warning {w}"))
                .collect();
            if warnings.is_empty() {
                "nothing is wrong".to_owned()
            } else {
                warnings.join("\n")
            }
        }
    }
}

/// Rules that stand beside each other, each with cases that hold.
fn rules(tables: &[(&str, &str)]) -> String {
    let mut text = HEAD.to_owned();
    for (id, clause) in tables {
        text.push_str(
            &manual_text(clause)
                .replacen(HEAD, "", 1)
                .replace("rule.r", &format!("rule.{id}")),
        );
    }
    text
}

const ANSWER: &str = "after = \"request_received\"\nexpect = [\"status_told\"]\nrepeat = \"keep\"";

#[test]
fn a_sound_rule() {
    assert_eq!(rule(ANSWER), "nothing is wrong");
}

#[test]
fn an_unknown_fact() {
    assert_snapshot!(rule("fact = \"parkd\"\nneeds = [\"triaged\"]"));
}

#[test]
fn an_unknown_fact_that_resembles_none() {
    assert_snapshot!(rule("fact = \"teleported\"\nneeds = [\"triaged\"]"));
}

#[test]
fn an_unknown_field() {
    assert_snapshot!(rule("fact = \"call_answered\"\ncarries = [\"ring\"]"));
}

#[test]
fn an_unknown_field_in_a_condition() {
    assert_snapshot!(rule(
        "fact = \"parked\"\nif = { lvel = 1 }\nneeds = [\"triaged\"]"
    ));
}

#[test]
fn an_unknown_field_in_a_pattern() {
    assert_snapshot!(rule(
        "fact = \"parked\"\nneeds = [{ fact = \"triaged\", solvable = \"phone\" }]"
    ));
}

#[test]
fn an_unknown_role() {
    assert_snapshot!(rule("fact = \"parked\"\nonly_by = [\"enginer\"]"));
}

#[test]
fn a_role_by_the_manuals_own_word() {
    assert_eq!(
        rule("fact = \"call_answered\"\nonly_by = [\"工程师\"]"),
        "nothing is wrong"
    );
}

#[test]
fn an_unknown_value() {
    assert_snapshot!(rule(
        "fact = \"parked\"\nneeds = [{ fact = \"triaged\", solvable_by = \"fax\" }]"
    ));
}

#[test]
fn a_value_of_no_list() {
    assert_snapshot!(rule(
        "fact = \"parked\"\nneeds = [{ fact = \"guidance_given\", method = \"phone\" }]"
    ));
}

#[test]
fn a_value_of_the_wrong_type() {
    assert_snapshot!(rule(
        "fact = \"parked\"\nneeds = [{ fact = \"request_classified\", level = \"1\" }]"
    ));
}

#[test]
fn same_is_missing() {
    assert_snapshot!(rule(
        "fact = \"work_started\"\nneeds = [\"engineer_arrived\"]"
    ));
}

#[test]
fn same_where_a_fact_has_no_such_key() {
    assert_snapshot!(rule(
        "fact = \"work_started\"\nneeds = [\"triaged\"]\nsame = \"visit\""
    ));
}

#[test]
fn same_by_another_key() {
    assert_snapshot!(rule(
        "fact = \"work_started\"\nneeds = [\"call_answered\"]\nsame = \"visit\""
    ));
}

#[test]
fn an_open_choice() {
    assert_snapshot!(rule(
        "after = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"1 {time} hour\"\nrepeat = \"keep\"\nchoose.time = [\"clock\", \"working\"]"
    ));
}

#[test]
fn a_choice_that_is_none() {
    let text = manual_text(
        "after = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"1 {time} hour\"\nrepeat = \"keep\"\nchoose.time = [\"clock\", \"working\"]",
    );
    let chosen = |choice: &str| manual(&format!("{text}\n[choice.r]\n{choice}"));
    assert_snapshot!(
        [
            chosen("time = \"lunar\"\nbecause = \"The moon.\""),
            chosen("time = \"clock\""),
            chosen("time = \"clock\"\nzone = \"moon\"\nbecause = \"So it is.\""),
            chosen("time = \"clock\"\nbecause = \"So it is.\""),
        ]
        .join("\n")
    );
}

#[test]
fn a_choice_nothing_uses_and_a_place_nothing_fills() {
    let unused = manual_text(&format!("{ANSWER}\nchoose.time = [\"clock\"]"));
    assert_snapshot!([
        manual(&format!("{unused}\n[choice.r]\ntime = \"clock\"\nbecause = \"…\"")),
        rule("after = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"1 {time} hour\"\nrepeat = \"keep\""),
    ]
    .join("\n"));
}

#[test]
fn a_choice_that_holds_its_own_place() {
    let text = manual_text(
        "after = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"1 {time} hour\"\nrepeat = \"keep\"\nchoose.time = [\"{time}\"]",
    );
    assert_snapshot!(manual(&format!(
        "{text}\n[choice.r]\ntime = \"{{time}}\"\nbecause = \"…\""
    )));
}

#[test]
fn a_choice_or_change_of_a_rule_that_is_not_there() {
    let text = manual_text(ANSWER);
    assert_snapshot!(
        [
            manual(&format!(
                "{text}\n[choice.s]\ntime = \"clock\"\nbecause = \"…\""
            )),
            manual(&format!(
                "{text}\n[change.s]\nwithin = \"1 clock hour\"\nbecause = \"…\""
            )),
        ]
        .join("\n")
    );
}

#[test]
fn a_change_without_a_reason() {
    let text = manual_text(ANSWER);
    assert_snapshot!(
        [
            manual(&format!("{text}\n[change.r]\nwithin = \"1 clock hour\"")),
            manual(&format!(
                "{text}\n[change.r]\nwithin = \"1 clock hour\"\nbecause = \" \""
            )),
            manual(&format!(
                "{text}\n[change.r]\nsays = \"Otherwise.\"\nbecause = \"…\""
            )),
            manual(&format!(
                "{text}\n[change.r]\nclause = 7\nwithin = \"1 clock hour\"\nbecause = \"…\""
            )),
        ]
        .join("\n")
    );
}

#[test]
fn an_escape_by_silence() {
    assert_snapshot!(rule(
        "fact = \"parked\"\nif = { level = 1 }\nneeds = [\"owner_taken\"]"
    ));
}

#[test]
fn an_act_nobody_demands() {
    let text = format!(
        "{HEAD}\n[rule.r]\nsays = \"…\"\nsource = [{{ manual = \"bare\", quote = \"…\" }}]\nfact = \"cause_explained\"\ncarries = [\"cause\"]\nkept = [\"cause_explained visit=1 cause=dust\"]\nbroken = [\"cause_explained visit=1\"]\n"
    );
    assert_snapshot!(manual(&text));
}

#[test]
fn roles_that_exclude_each_other() {
    let text = rules(&[
        ("r", "fact = \"parked\"\nonly_by = [\"engineer\"]"),
        ("s", "fact = \"parked\"\nonly_by = [\"manager\"]"),
    ]);
    assert_snapshot!(manual(&text));
}

#[test]
fn two_lists_on_one_field() {
    let list = "fact = \"guidance_given\"\none_of = { method = [\"phone\"] }";
    assert_snapshot!(
        [
            manual(&rules(&[("r", list), ("s", list)])),
            rule("fact = \"call_ended\"\none_of = { reason = [\"finished\"] }"),
        ]
        .join("\n")
    );
    // Under conditions they are two cases.
    let narrow = format!("{list}\nif = {{ solvable_by = \"phone\" }}");
    assert!(!manual(&rules(&[("r", list), ("s", &narrow)])).contains("two lists"));
    assert!(!manual(&rules(&[("r", &narrow), ("s", list)])).contains("two lists"));
}

#[test]
fn a_circle() {
    let text = rules(&[
        ("r", "fact = \"parked\"\nneeds = [\"triaged\"]"),
        ("s", "fact = \"triaged\"\nneeds = [\"status_told\"]"),
        ("t", "fact = \"status_told\"\nneeds = [\"parked\"]"),
    ]);
    assert_snapshot!(manual(&text));
}

#[test]
fn a_permission_that_lifts_nothing() {
    assert_snapshot!([
        rule("fact = \"parked\"\nmay = true\nlifts = [\"nobody\"]"),
        manual(&rules(&[
            ("r", "fact = \"parked\"\nmay = true\nlifts = [\"s\"]"),
            ("s", "stated = \"nothing can break it\""),
        ])
        .replace("[[rule.s.and]]\nfact = \"kb_linked\"\ncarries = [\"entry\"]", "")
        .replace("stated = \"nothing can break it\"\n\nkept = [\"kb_linked entry=1\"]\nbroken = [\"kb_linked\"]", "stated = \"nothing can break it\"")),
    ]
    .join("\n"));
}

#[test]
fn cases_that_do_not_behave() {
    let with = |cases: &str| {
        manual(&format!(
            "{HEAD}\n[rule.r]\nsays = \"…\"\nsource = [{{ manual = \"bare\", quote = \"…\" }}]\nafter = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"1 clock hour\"\nrepeat = \"keep\"\n{cases}"
        ))
    };
    const KEPT: &str = "kept = [\"request_received\", \"+1h status_told\"]\n";
    const BROKEN: &str = "broken = [\"request_received\", \"+2h\"]\n";
    assert_eq!(with(&format!("{KEPT}{BROKEN}")), "nothing is wrong");
    assert_snapshot!(
        [
            with(&format!(
                "kept = [\"request_received\", \"+2h status_told\"]\n{BROKEN}"
            )),
            with(&format!(
                "{KEPT}broken = [\"request_received\", \"+1h status_told\"]\n"
            )),
            with(&format!("kept = [\"request_received\"]\n{BROKEN}")),
            with(&format!("kept = [\"request_recieved\"]\n{BROKEN}")),
            with(&format!("kept = [\"+1w request_received\"]\n{BROKEN}")),
            with(&format!(
                "kept = [\"+9999999999999d request_received\"]\n{BROKEN}"
            )),
            with(&format!("kept = [\"request_received from\"]\n{BROKEN}")),
            with(&format!(
                "kept = [\"request_received by=nobody\"]\n{BROKEN}"
            )),
            with(KEPT),
            with(BROKEN),
        ]
        .join("\n")
    );
}

#[test]
fn an_unknown_key_in_a_rule() {
    assert_snapshot!([
        rule(&format!("{ANSWER}\nwithn = \"1 clock hour\"")),
        rule("fact = \"parked\"\nonly_by = [\"engineer\"]\neffect = \"refuse\""),
        rule("fact = \"parked\"\nroute = [{ to = [\"engineer\"], when = true }]"),
        rule(&format!("{ANSWER}\nescalate = [{{ after = \"1 clock hour\", to = \"manager\", agian = \"1 clock hour\" }}]\nwithin = \"1 clock hour\"")),
    ]
    .join("\n"));
}

#[test]
fn a_value_of_the_wrong_kind() {
    assert_snapshot!(
        [
            rule("fact = 3\nneeds = [\"triaged\"]"),
            rule("fact = \"parked\"\nneeds = [3]"),
            rule("fact = \"parked\"\nif = \"level\"\nneeds = [\"triaged\"]"),
            rule("fact = \"parked\"\nnever = \"yes\"\nif = { kind = \"question\" }"),
            rule("fact = \"call_answered\"\nat_most = { rings = 2.5 }"),
            rule("fact = \"call_answered\"\nat_most = { attested = 2 }"),
        ]
        .join("\n")
    );
}

#[test]
fn an_empty_list() {
    assert_snapshot!(
        [
            rule("fact = []\nneeds = [\"triaged\"]"),
            rule("fact = \"parked\"\nneeds = []"),
            rule("fact = \"parked\"\nonly_by = []"),
            rule("fact = \"parked\"\ncarries = []"),
            rule("fact = \"request_recorded\"\nattests = []"),
            rule("fact = \"guidance_given\"\none_of = { method = [] }"),
            rule("after = []\nexpect = [\"status_told\"]\nrepeat = \"keep\""),
            rule("after = \"request_received\"\nexpect = []\nrepeat = \"keep\""),
            rule("fact = \"parked\"\nmay = true\nlifts = []"),
        ]
        .join("\n")
    );
}

#[test]
fn a_bad_limit() {
    let limit = |within: &str| rule(&format!("{ANSWER}\nwithin = {within}"));
    assert_snapshot!(
        [
            limit("\"3 hours\""),
            limit("\"three clock hours\""),
            limit("\"-3 clock hours\""),
            limit("\"3 clock months\""),
            limit("3"),
            rule(&format!(
                "{ANSWER}\nwithin = \"2 working days\"\nwarn = [\"80 %\"]"
            )),
            rule(&format!("{ANSWER}\nwarn = [\"80 %\"]")),
            rule(&format!(
                "{ANSWER}\nwithin = \"2 clock hours\"\nwarn = [\"soon\"]"
            )),
            rule(&format!(
                "{ANSWER}\nwithin = \"0 clock minutes\"\nfrom = \"channel\""
            )),
        ]
        .join("\n")
    );
}

#[test]
fn a_missing_or_unknown_repeat() {
    assert_snapshot!(
        [
            rule("after = \"request_received\"\nexpect = [\"status_told\"]"),
            rule(&ANSWER.replace("keep", "once")),
            rule(&format!("{ANSWER}\npause = [\"parked\"]")),
        ]
        .join("\n")
    );
}

#[test]
fn a_period_that_is_none() {
    let every = |text: &str| rule(&format!("expect = [\"status_told\"]\n{text}"));
    assert_snapshot!(
        [
            every("every = \"fortnight\"\nstarts_with = \"request_received\""),
            every("every = \"calendar month\""),
            every(
                "every = \"calendar month\"\nstarts_with = \"request_received\"\ndue = \"some day\""
            ),
            every("every = \"calendar month\"\nstarts_with = \"request_received\"\ntimes = 0"),
        ]
        .join("\n")
    );
}

#[test]
fn what_cannot_be_printed_is_spelt_out() {
    let said = rule("fact = \"par\\u001b[31mked\"\nneeds = [\"triaged\"]");
    assert!(said.contains("`par\\u{1b}[31mked` is no fact"), "{said}");
}

#[test]
fn no_verb_or_several() {
    assert_snapshot!(
        [
            rule(""),
            rule("fact = \"parked\"\nneds = [\"triaged\"]"),
            rule("fact = \"parked\"\nneeds = [\"triaged\"]\nonly_by = [\"engineer\"]"),
            rule("fact = \"parked\"\nnever = true"),
            rule("needs = [\"triaged\"]"),
            rule("fact = [\"parked\", \"kb_reviewed\"]\nneeds = [\"triaged\"]"),
        ]
        .join("\n")
    );
}

#[test]
fn what_is_wrong_with_a_manual_itself() {
    let sound = manual_text(ANSWER);
    assert_snapshot!(
        [
            manual("[manual]\nname = \"bare\"\n"),
            manual("[manual\nname = \"bare\"\n"),
            manual(&format!("{sound}\n[rolls]\nx = []")),
            manual(&sound.replace("[testimony]\ntolerance", "[testimony]\ntolerence")),
            manual(&sound.replace("10 clock minutes", "10 working minutes")),
            manual(&sound.replace("by = [\"manager\"]", "by = [\"boss\"]")),
            manual(&sound.replace("manager = []", "manager = [\"engineer\"]")),
            manual(&sound.replace("manager = []", "manager = [\"工程师\"]")),
            manual(&sound.replace("Asia/Shanghai", "Asia/Shanghi")),
            manual(&sound.replace("weekly.mon", "weekly.moon")),
            manual(&sound.replace("\"call_ended.reason\"", "\"call_ended.raeson\"")),
            manual(&sound.replace("name = \"bare\"", "name = \"bare\"\nextends = \"unis\"")),
            manual(&sound.replace("name = \"bare\"", "name = \"bare\"\nextends = 3")),
            manual(&sound.replace("name = \"bare\"", "name = \"bare\"\nextends = \"bare\"")),
            manual(&sound.replace("name = \"bare\"", "name = \"bare\"\nbut_without = [\"s\"]")),
            manual(&sound.replace("name = \"bare\"", "name = \"other\"")),
            manual(&sound.replace("quote = \"…\"", "quote = \"\"")),
        ]
        .join("\n")
    );
}
