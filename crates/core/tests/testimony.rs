//! Told now, told later, taken back: as known then and as known now.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use thirdring_core::judge::Case;
use thirdring_core::{VerdictKind, verdicts};
use thirdring_testkit::{Scenario, shipped};

const RULE: &str = "onsite-backup-before-work-customer";
const BACKUP: &str =
    "backup_taken visit=1 by_whom=customer data=true application=true copied_to=removable_disk";

fn kinds(case: &Case, now: DateTime<Utc>) -> Vec<&'static str> {
    verdicts(case, now)
        .iter()
        .filter(|verdict| &*verdict.rule == RULE)
        .map(|verdict| verdict.kind.name())
        .collect()
}

/// A visit on site, with its problem shown, before the work.
fn on_site() -> Scenario {
    let mut story = Scenario::new(&shipped("unis"));
    for line in common::stories::LEVEL_ONE.lines() {
        let line = line.trim();
        if line.contains("backup_taken") {
            break;
        }
        if line.is_empty() {
            continue;
        }
        let (delay, rest) = match line.strip_prefix('+') {
            Some(delayed) => delayed.split_once(' ').expect("a fact"),
            None => ("0s", line),
        };
        let delay = thirdring_core::written::parse_span(delay).expect("a span");
        let role = if rest.contains(" by=") {
            "service_engineer"
        } else {
            "hotline_engineer"
        };
        story = story.by(role).after(delay).given(rest);
    }
    story.by("service_engineer").after_minutes(10)
}

#[test]
fn the_same_repair_is_refused_now_and_told_later_admitted_and_broken() {
    let refused = on_site().when("work_started visit=1").then_refused(RULE);
    assert_eq!(
        kinds(refused.case(), refused.bench().now()),
        ["not_applicable"]
    );

    let told = on_site()
        .after_hours(8)
        .when_told_after(TimeDelta::hours(8), "work_started visit=1")
        .then_flagged(RULE)
        .then_broken(RULE);
    assert_eq!(kinds(told.case(), told.bench().now()), ["broken"]);
}

#[test]
fn with_its_backup_retracted_it_is_kept_as_known_then_and_broken_as_known_now() {
    let worked = on_site()
        .given(BACKUP)
        .after_minutes(5)
        .given("work_started visit=1");
    let then = worked.bench().now();
    assert_eq!(kinds(worked.case(), then), ["kept"]);
    let taken_back = worked
        .after_hours(8)
        .when_retracted("backup_taken", "service_manager")
        .then_admitted();
    let now = taken_back.bench().now();
    assert_eq!(kinds(&taken_back.case().as_known_at(then), then), ["kept"]);
    assert_eq!(kinds(taken_back.case(), now), ["broken"]);
    // And the audit names the fact that did it.
    let retraction = taken_back.case().records().last().expect("records").id;
    let verdict = verdicts(taken_back.case(), now)
        .into_iter()
        .find(|verdict| &*verdict.rule == RULE && verdict.kind == VerdictKind::Broken)
        .expect("broken");
    assert!(verdict.facts.contains(&retraction));
    assert!(
        verdict
            .why
            .ends_with(&format!("was retracted by {retraction}")),
        "{}",
        verdict.why
    );
}

#[test]
fn a_retraction_that_is_itself_retracted_counts_no_more() {
    let worked = on_site()
        .given(BACKUP)
        .after_minutes(5)
        .given("work_started visit=1");
    let back = worked
        .when_retracted("backup_taken", "service_manager")
        .then_admitted()
        .when_retracted("fact_retracted", "service_manager")
        .then_admitted();
    assert_eq!(kinds(back.case(), back.bench().now()), ["kept"]);
}

#[test]
fn a_backup_told_late_mends_the_work_but_only_if_it_came_before() {
    let started = on_site()
        .after_hours(8)
        .when_told_after(TimeDelta::hours(8), "work_started visit=1")
        .then_admitted();
    let mended = started
        .clone()
        .when_told_after(TimeDelta::minutes(481), BACKUP)
        .then_admitted();
    assert_eq!(kinds(mended.case(), mended.bench().now()), ["kept"]);
    let too_late = started
        .when_told_after(TimeDelta::minutes(479), BACKUP)
        .then_admitted();
    assert_eq!(kinds(too_late.case(), too_late.bench().now()), ["broken"]);
}

#[test]
fn within_the_tolerance_it_is_not_yet_testimony() {
    let _ = on_site()
        .when_told_after(TimeDelta::minutes(10), "work_started visit=1")
        .then_refused(RULE);
    let _ = on_site()
        .when_told_after(TimeDelta::milliseconds(600_001), "work_started visit=1")
        .then_admitted()
        .then_broken(RULE);
}

#[test]
fn reopening_keeps_the_evidence_but_wants_it_again() {
    let closed = Scenario::new(&shipped("unis")).by("hotline_engineer");
    let mut story = closed;
    for line in common::stories::PHONE
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let (delay, rest) = match line.strip_prefix('+') {
            Some(delayed) => delayed.split_once(' ').expect("a fact"),
            None => ("0s", line),
        };
        story = story
            .after(thirdring_core::written::parse_span(delay).expect("a span"))
            .given(rest);
    }
    let rule = "hotline-solved-recorded-then-kb";
    let reopened = story
        .after_hours(24)
        .given("ticket_reopened")
        .after_hours(1);
    // What was kept stays kept, and its facts are all still there.
    assert_eq!(
        reopened
            .verdicts_of(rule)
            .iter()
            .filter(|v| v.kind == VerdictKind::Broken)
            .count(),
        0
    );
    assert_eq!(reopened.case().history().len(), 13);
    let _ = reopened
        .when("ticket_closed outcome=solved")
        .then_refused(rule)
        .given("problem_solved method=phone solution=\"again\"")
        .given("kb_linked entry=KB-20")
        .when("ticket_closed outcome=solved")
        .then_clean();
}
