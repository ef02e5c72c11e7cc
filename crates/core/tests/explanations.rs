//! Explanations a person can check by hand, and the words of refusals.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod common;

use common::story;
use insta::assert_snapshot;
use thirdring_core::explain;
use thirdring_core::judge::ProposeError;
use thirdring_testkit::{Scenario, alone, shipped};

fn explained(scenario: &Scenario, rule: &str) -> String {
    let explanation =
        explain(scenario.case(), rule, scenario.bench().now()).expect("the rule is there");
    // The digest and the zone data change with the rules and with time.
    explanation
        .steps
        .iter()
        .skip(1)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n")
}

const EIGHT_HOURS: &str = r#"
after = "request_received"
expect = ["problem_solved"]
within = "12 working hours"
repeat = "keep"
pause = ["parked"]
resume = ["customer_recontacted"]
"#;

#[test]
fn across_lunch_and_a_weekend() {
    let friday = story(EIGHT_HOURS)
        .at("2026-03-06T10:30:00+08:00")
        .given("request_received")
        .after_hours(1);
    assert_snapshot!(explained(&friday, "r"));
}

#[test]
fn across_the_spring_festival_with_its_make_up_days() {
    // 15 to 23 February 2026 are off; the Saturdays 14 and 28 are worked.
    let friday = story(EIGHT_HOURS)
        .at("2026-02-13T16:00:00+08:00")
        .given("request_received")
        .at("2026-02-24T10:00:00+08:00")
        .given("problem_solved");
    assert_snapshot!(explained(&friday, "r"));
}

#[test]
fn with_a_pause_and_late_by_seconds() {
    let solved = story(EIGHT_HOURS)
        .given("request_received")
        .after_hours(2)
        .given("parked")
        .after_hours(4)
        .given("customer_recontacted")
        .at("2026-03-03T17:00:01.5+08:00")
        .given("problem_solved");
    assert_snapshot!(explained(&solved, "r"));
}

#[test]
fn working_days_across_a_holiday() {
    let clause = EIGHT_HOURS.replace("12 working hours", "3 working days");
    let before = story(&clause)
        .at("2026-09-30T17:00:00+08:00")
        .given("request_received")
        .after_hours(1);
    assert_snapshot!(explained(&before, "r"));
}

#[test]
fn beyond_the_announced_holidays() {
    let clause = EIGHT_HOURS.replace("12 working hours", "30 working days");
    let december = story(&clause)
        .at("2026-12-21T09:00:00+08:00")
        .given("request_received");
    assert_snapshot!(explained(&december, "r"));
}

#[test]
fn a_guard_and_the_fact_that_proves_it() {
    let unis = shipped("unis");
    let started = Scenario::new(&unis)
        .by("service_engineer")
        .given("call_answered call=1 rings=1")
        .when_told_after(chrono::TimeDelta::hours(2), "dispatch_requested visit=1")
        .when_told_after(chrono::TimeDelta::hours(1), "backup_taken visit=1 by_whom=customer data=true application=true copied_to=removable_disk")
        .when_told_after(chrono::TimeDelta::minutes(30), "work_started visit=1")
        .when_retracted("backup_taken", "service_manager")
        .then_admitted();
    assert_snapshot!(explained(&started, "onsite-backup-before-work-customer"));
}

#[test]
fn waived_cancelled_and_not_applicable() {
    let clause = r#"
after = "dispatch_requested"
expect = ["engineer_arrived"]
within = "24 clock hours"
repeat = "keep"
same = "visit"
waived_by = [{ fact = "appointment_agreed", asked_by = "customer", beyond_due = "from" }]
cancelled_by = ["problem_solved"]
"#;
    let text = common::manual_text(clause).replace(
        "[testimony]",
        "\"appointment_agreed.asked_by\" = [\"customer\", \"us\"]\n[testimony]",
    );
    let visits = Scenario::new(&alone(&text))
        .by("engineer")
        .given("request_received")
        .given("dispatch_requested visit=1")
        .given("dispatch_requested visit=2")
        .given("dispatch_requested visit=3")
        .after_hours(1)
        .given("appointment_agreed visit=1 asked_by=customer from=@+48h")
        .given("appointment_agreed visit=2 asked_by=us from=@+48h")
        .given("engineer_arrived visit=3")
        .after_hours(1)
        .given("problem_solved");
    let unis = Scenario::new(&shipped("unis"))
        .by("hotline_engineer")
        .given("request_received channel=phone kind=fault report_form=written")
        .given("request_classified level=3");
    assert_snapshot!(
        [
            explained(&visits, "r"),
            explained(&unis, "fault-level2-immediate-coordination-meeting"),
            explained(&unis, "hotline-mail-and-qq-remote-support"),
            explained(&unis, "hotline-line-kept-free"),
        ]
        .join("\n---\n")
    );
}

#[test]
fn refusals_in_the_rulebooks_order_with_quotes_and_what_would_do() {
    let unis = shipped("unis");
    let asked = Scenario::new(&unis)
        .by("hotline_engineer")
        .given("call_answered call=1 rings=1")
        .given("request_received channel=phone kind=fault report_form=detailed_phone")
        .when("dispatch_requested visit=1 service_sheet=HS-1");
    let Some(Err(ProposeError::Refused(objections))) = asked.last() else {
        panic!("refused")
    };
    let text: Vec<String> = objections
        .iter()
        .map(|o| {
            format!(
                "{} ({})\n  {}\n  {} {}: {}\n  missing: {}\n  accepted: {}\n  later: {} ({})",
                o.rule,
                o.clause,
                o.says,
                o.manual,
                o.section,
                o.quote,
                o.missing,
                o.accepted,
                o.later.sentence(),
                o.later.name()
            )
        })
        .collect();
    assert_snapshot!(text.join("\n"));
}

#[test]
fn what_makes_no_sense_says_what_would() {
    let unis = shipped("unis");
    let fresh = || Scenario::new(&unis).by("hotline_engineer");
    let opened = || fresh().given("call_answered call=1 rings=1");
    let message = |scenario: Scenario| match scenario.last() {
        Some(Err(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let retraction = "fact_retracted record=00000000000000000000000001 reason=\"a slip\"";
    assert_snapshot!(
        [
            message(fresh().when("owner_taken")),
            message(fresh().when("shift_ended shift=1")),
            message(opened().when("visit_dispatched visit=9")),
            message(opened().when("ticket_reopened")),
            message(opened().when_told_after(chrono::TimeDelta::minutes(-5), "owner_taken")),
            message(opened().when("fact_retracted record=nothing reason=x by=service_manager")),
            message(opened().when(retraction)),
            message(
                opened()
                    .when("fact_retracted record=00000000000000000000000001 by=service_manager")
            ),
            message(
                opened()
                    .by("service_manager")
                    .given(retraction)
                    .when(retraction)
            ),
            message(opened().when("triaged solvable_by=fax")),
            message(opened().when("owner_taken by=manager")),
        ]
        .join("\n")
    );
}
