//! What is refused says what would do, and a manual that says nothing is told
//! so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use thirdring_core::forms::ruling::Later;
use thirdring_core::vocabulary::decode_fact;
use thirdring_core::{Library, ProposeError, SourceText, load};
use thirdring_testkit::Scenario;

#[test]
fn closing_is_right_once_no_visit_is_open() {
    let rulebook = thirdring_manuals::shipped("unis").unwrap();
    let open = Scenario::new(&rulebook.into())
        .given("request_received channel=phone kind=question")
        .when_told_after(chrono::TimeDelta::hours(2), "dispatch_requested visit=1")
        .when("ticket_closed outcome=solved");
    let Some(Err(ProposeError::Refused(objections))) = open.last() else {
        panic!("a visit is open");
    };
    let objection = objections
        .iter()
        .find(|objection| &*objection.rule == "onsite-completed-order-written-off")
        .unwrap();
    assert_eq!(objection.later, Later::AfterOtherFacts);
    assert_eq!(objection.accepted, "ticket_closed once no visit is open");
    assert_eq!(
        objection.missing,
        "ticket_closed is never done where a visit is open"
    );
}

#[test]
fn a_count_below_zero_is_none() {
    let text = r#"{"type":"call_answered","call":"1","rings":-3}"#;
    let problem = decode_fact(&mut serde_json::Deserializer::from_str(text)).unwrap_err();
    assert_eq!(problem.field, "fact.rings");
    assert!(problem.problem.contains("below zero"), "{problem}");
}

fn told(rule: &str) -> String {
    let text = format!(
        "[manual]\nname = \"m\"\n[calendar]\ntz = \"UTC\"\nalways_open = true\n[roles]\nagent = []\n{rule}"
    );
    let library = Library {
        rules: Vec::new(),
        manuals: vec![SourceText::new("m.toml", text)],
    };
    load(&library, "m")
        .map(|_| String::new())
        .unwrap_or_else(|complaints| complaints.to_string())
}

#[test]
fn rules_that_say_nothing_are_told_so() {
    let source = "source = [{ manual = \"m\", quote = \"So it is.\" }]";
    let stated = "stated = \"nothing\"";
    for (rule, expected) in [
        (
            format!("[rule.a]\nsays = \" \"\n{source}\n{stated}\n"),
            "m.toml:9:8: [a] the rule says nothing",
        ),
        (
            format!("[rule.a]\nsays = \"A.\"\nsource = []\n{stated}\n"),
            "[a] the rule comes from nowhere",
        ),
        (
            format!("[rule.a]\nsays = \"A.\"\n{source}\nstated = \"\"\n"),
            "[a] no reason is given why nothing can break it",
        ),
        (
            format!("[rule.\"A b\"]\nsays = \"A.\"\n{source}\n{stated}\n"),
            "`A b` is no id for a rule",
        ),
        (
            format!(
                "[rule.a]\nsays = \"A.\"\n{source}\nafter = \"ticket_closed\"\nexpect = [\"kb_reviewed\"]\nrepeat = \"keep\"\n"
            ),
            "they never stand in one stream",
        ),
    ] {
        let said = told(&rule);
        assert!(said.contains(expected), "expected {expected:?} in {said:?}");
    }
    assert_eq!(
        told(&format!("[rule.a]\nsays = \"A.\"\n{source}\n{stated}\n")),
        ""
    );
}
