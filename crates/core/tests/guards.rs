//! `needs`, `never`, `only_by`, `carries`: what proves, since when, and for which key.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod common;

use chrono::TimeDelta;
use common::{kinds, said, story};
use thirdring_core::Actor;
use thirdring_core::judge::ProposeError;

#[test]
fn a_proof_counts_since_the_opening_of_its_key() {
    let clause = "fact = \"work_started\"\nneeds = [\"backup_taken\"]\nsame = \"visit\"";
    let visits = || {
        story(clause)
            .given("request_received")
            .given("dispatch_requested visit=1")
    };
    let _ = visits()
        .given("backup_taken visit=1")
        .when("work_started visit=1")
        .then_clean();
    let _ = visits()
        .given("dispatch_requested visit=2")
        .given("backup_taken visit=1")
        .when("work_started visit=2")
        .then_refused("r");
    // One without a key belongs to no visit.
    let _ = visits()
        .given("backup_taken")
        .when("work_started visit=1")
        .then_refused("r");
    // Asked for again, the visit begins anew.
    let _ = visits()
        .given("backup_taken visit=1")
        .given("dispatch_requested visit=1")
        .when("work_started visit=1")
        .then_refused("r");
}

#[test]
fn a_fact_without_its_key_is_proved_by_such_facts_only() {
    let clause = "fact = \"backup_taken\"\nneeds = [\"backup_refused\"]\nsame = \"visit\"";
    let asked = || {
        story(clause)
            .given("request_received")
            .given("dispatch_requested visit=1")
    };
    let _ = asked()
        .given("backup_refused visit=1")
        .when("backup_taken")
        .then_refused("r");
    let _ = asked()
        .given("backup_refused")
        .when("backup_taken")
        .then_clean();
    let _ = asked()
        .given("backup_refused")
        .when("backup_taken visit=1")
        .then_refused("r");
}

#[test]
fn reopening_wants_proof_again_unless_the_rule_says_ever() {
    let needs = |since: &str| format!("fact = \"problem_solved\"\nneeds = [\"triaged\"]\n{since}");
    let reopened = |since: &str| {
        story(&needs(since))
            .given("request_received")
            .given("triaged")
            .given("problem_solved")
            .given("ticket_closed")
            .given("ticket_reopened")
            .when("problem_solved")
    };
    let _ = reopened("").then_refused("r");
    let _ = reopened("since = \"ever\"").then_clean();
    let _ = reopened("since = \"request_received\"").then_refused("r");
}

#[test]
fn since_a_fact_means_after_its_latest() {
    let clause =
        "fact = \"customer_recontacted\"\nneeds = [\"consultation_held\"]\nsince = \"parked\"";
    let opened = || story(clause).given("request_received");
    // It never occurred: since the opening.
    let _ = opened()
        .given("consultation_held")
        .when("customer_recontacted")
        .then_clean();
    let _ = opened()
        .given("consultation_held")
        .given("parked")
        .when("customer_recontacted")
        .then_refused("r");
    let _ = opened()
        .given("parked")
        .given("consultation_held")
        .when("customer_recontacted")
        .then_clean();
    let _ = opened()
        .given("parked")
        .given("consultation_held")
        .given("parked")
        .when("customer_recontacted")
        .then_refused("r");
}

#[test]
fn all_that_is_needed_is_named_until_all_is_there() {
    let clause = "fact = \"ticket_closed\"\nneeds_all = [\"problem_solved\", \"status_told\"]";
    let half = story(clause)
        .given("request_received")
        .given("status_told")
        .when("ticket_closed")
        .then_refused("r");
    let Some(Err(ProposeError::Refused(objections))) = half.last() else {
        panic!("refused")
    };
    assert_eq!(
        objections[0].missing,
        "no problem_solved since it was opened"
    );
    let _ = half
        .given("problem_solved")
        .when("ticket_closed")
        .then_clean();
}

#[test]
fn at_one_instant_what_was_recorded_first_came_first() {
    let clause = "fact = \"parked\"\nneeds = [\"triaged\"]";
    let _ = story(clause)
        .given("request_received")
        .given("triaged")
        .when("parked")
        .then_clean();
    let after = story(clause)
        .given("request_received")
        .when("parked")
        .then_refused("r")
        .given("triaged");
    assert_eq!(kinds(&after), Vec::<&str>::new());
}

#[test]
fn a_proof_of_the_wrong_kind_is_none() {
    let clause = "fact = \"parked\"\nneeds = [{ fact = \"triaged\", solvable_by = \"onsite\", by = \"manager\" }]";
    let opened = || story(clause).given("request_received");
    let _ = opened()
        .given("triaged solvable_by=phone by=manager")
        .when("parked")
        .then_refused("r");
    let _ = opened()
        .given("triaged solvable_by=onsite by=engineer")
        .when("parked")
        .then_refused("r");
    let _ = opened()
        .given("triaged by=manager")
        .when("parked")
        .then_refused("r");
    let _ = opened()
        .given("triaged solvable_by=onsite by=manager")
        .when("parked")
        .then_clean();
}

#[test]
fn an_unknown_if_does_not_apply_and_an_unknown_unless_does_not_exempt() {
    let level_one = story("fact = \"parked\"\nif = { level = 1 }\nneeds = [\"triaged\"]")
        .given("request_received");
    let _ = level_one.clone().when("parked").then_clean();
    let _ = level_one
        .given("request_classified level=1")
        .when("parked")
        .then_refused("r");
    let others = story("fact = \"parked\"\nunless = { level = [1, 2] }\nneeds = [\"triaged\"]")
        .given("request_received");
    let _ = others.clone().when("parked").then_refused("r");
    let _ = others
        .clone()
        .given("request_classified level=2")
        .when("parked")
        .then_clean();
    let _ = others
        .given("request_classified level=2")
        .given("request_classified level=3")
        .when("parked")
        .then_refused("r");
}

#[test]
fn an_attribute_is_the_latest_that_was_known_when_it_happened() {
    let clause = "fact = \"parked\"\nif = { level = 1 }\nneeds = [\"triaged\"]";
    let parked = story(clause)
        .given("request_received")
        .given("request_classified level=3")
        .after_hours(1)
        .given("parked")
        .after_hours(1)
        .given("request_classified level=1");
    assert_eq!(kinds(&parked), Vec::<&str>::new());
    // Told late that it was level 1 all along: as known now it was broken.
    let told = parked
        .when_told_after(TimeDelta::minutes(90), "request_classified level=1")
        .then_admitted();
    assert_eq!(kinds(&told), ["broken"]);
}

#[test]
fn two_people_where_the_rule_wants_two() {
    let clause = "fact = \"visit_dispatched\"\nonly_by = [\"engineer\", \"manager\"]\nother_than = \"dispatch_verified\"\nsame = \"visit\"";
    let li = Actor::new("li", "engineer").expect("a name");
    let wang = Actor::new("wang", "engineer").expect("a name");
    let verified = story(clause)
        .given("request_received")
        .given("dispatch_requested visit=1")
        .given("dispatch_requested visit=2")
        .person(li.clone())
        .given("dispatch_verified visit=1");
    let _ = verified
        .clone()
        .when("visit_dispatched visit=1")
        .then_refused("r");
    let _ = verified
        .clone()
        .when("visit_dispatched visit=2")
        .then_clean();
    let _ = verified
        .clone()
        .person(wang)
        .when("visit_dispatched visit=1")
        .then_clean();
    let _ = verified
        .by("customer")
        .when("visit_dispatched visit=1")
        .then_refused("r");
}

#[test]
fn the_first_route_that_fits_decides() {
    let clause = r#"
fact = "parked"
route = [
  { if = { level = 1 }, to = ["manager"] },
  { if = { level = [1, 2] }, to = ["engineer"] },
]
"#;
    let level = |level: &str| {
        story(clause)
            .given("request_received")
            .given(format!("request_classified level={level}").as_str())
    };
    let _ = level("1").when("parked by=engineer").then_refused("r");
    let _ = level("1").when("parked by=manager").then_clean();
    let _ = level("2").when("parked by=manager").then_refused("r");
    let free = level("3").when("parked by=customer").then_clean();
    assert_eq!(kinds(&free), Vec::<&str>::new());
}

#[test]
fn events_and_claims_are_flagged_and_never_refused() {
    let event = story("fact = \"engineer_arrived\"\nneeds = [\"status_told\"]")
        .given("request_received")
        .given("dispatch_requested visit=1")
        .when("engineer_arrived visit=1")
        .then_flagged("r");
    assert_eq!(kinds(&event), ["broken"]);
    let claim =
        story("fact = \"triaged\"\nattests = [\"phone_tried_first\"]").given("request_received");
    assert_eq!(
        kinds(&claim.clone().when("triaged").then_flagged("r")),
        ["broken"]
    );
    assert_eq!(
        kinds(
            &claim
                .when("triaged attested=phone_tried_first,more")
                .then_clean()
        ),
        ["attested"]
    );
}

#[test]
fn bounds_judge_only_what_was_said() {
    let clause = "fact = \"call_answered\"\nat_most = { rings = 3 }\nat_least = { rings = 1 }";
    for (rings, kind) in [
        ("", "kept"),
        ("rings=0", "broken"),
        ("rings=1", "kept"),
        ("rings=3", "kept"),
        ("rings=4", "broken"),
    ] {
        let answered = story(clause).given(format!("call_answered call=1 {rings}").as_str());
        assert_eq!(kinds(&answered), [kind], "{rings}");
    }
}

#[test]
fn blank_is_not_given() {
    let clause = "fact = \"kb_linked\"\ncarries = [\"entry\"]\n";
    let opened = || {
        story(
            &clause
                .replace("kb_linked", "request_recorded")
                .replace("entry", "phenomenon"),
        )
        .given("request_received")
    };
    let _ = opened()
        .when("request_recorded phenomenon=\"  \"")
        .then_refused("r");
    let _ = opened()
        .when("request_recorded phenomenon=\"x\"")
        .then_clean();
}

#[test]
fn a_permission_lifts_under_its_condition_and_the_audit_says_so() {
    let text = common::manual_text("fact = \"parked\"\nneeds = [\"triaged\"]")
        + r#"
[rule.free]
says = "Questions may be parked at once."
source = [{ manual = "bare", quote = "…" }]
fact = "parked"
if = { kind = "question" }
may = true
lifts = ["r"]
"#;
    let rulebook = thirdring_testkit::alone(&text);
    let asked = |kind: &str| {
        thirdring_testkit::Scenario::new(&rulebook)
            .by("engineer")
            .given(format!("request_received kind={kind}").as_str())
            .when("parked")
    };
    let _ = asked("fault").then_refused("r");
    let lifted = asked("question").then_clean();
    assert_eq!(said(&lifted)[0].why, "lifted by free");
}

#[test]
fn a_rule_on_bookkeeping_is_audited_in_every_stream() {
    let clause = "fact = \"fact_retracted\"\nneeds = [\"status_told\"]";
    let opened = story(clause)
        .given("request_received")
        .given("parked")
        .after_hours(1);
    let _ = opened
        .clone()
        .when_retracted("parked", "manager")
        .then_refused("r");
    let kept = opened
        .given("status_told")
        .when_retracted("parked", "manager")
        .then_clean();
    assert_eq!(kinds(&kept), ["kept"]);
}
