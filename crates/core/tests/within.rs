//! `within`: what starts, pauses, moves and stops a run, where it is easy to
//! get wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod common;

use chrono::TimeDelta;
use common::{due, kinds, said, story};
use thirdring_core::judge::ClockEvent;
use thirdring_core::record::Step;
use thirdring_core::{lapse, next_deadline, next_deadline_unlifted};
use thirdring_testkit::Scenario;

const ANSWER: &str = r#"
after = "request_received"
expect = ["status_told"]
within = "2 working hours"
repeat = "keep"
"#;

const WITH_PAUSE: &str = r#"
after = "request_received"
expect = ["problem_solved"]
within = "4 working hours"
repeat = "keep"
pause = ["parked"]
resume = ["customer_recontacted"]
"#;

fn received(clause: &str) -> Scenario {
    story(clause).given("request_received")
}

#[test]
fn the_due_instant_itself_is_in_time() {
    let at_due = received(ANSWER).after_hours(2).given("status_told");
    assert_eq!(kinds(&at_due), ["kept"]);
    let late = received(ANSWER)
        .after(TimeDelta::milliseconds(7_200_001))
        .given("status_told");
    assert_eq!(kinds(&late), ["broken"]);
}

#[test]
fn nothing_lapses_at_the_due_instant_and_everything_just_after() {
    let at_due = received(ANSWER).after_hours(2);
    assert_eq!(lapse(at_due.case(), at_due.bench().now()), []);
    let deadline = next_deadline(at_due.case()).expect("a clock runs");
    assert_eq!(deadline.at, at_due.bench().now());
    let after = at_due.after(TimeDelta::nanoseconds(1));
    let notices = lapse(after.case(), after.bench().now());
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].due_at, deadline.at);
}

#[test]
fn lateness_is_exact_to_the_part_of_a_second() {
    let late = received(ANSWER)
        .after(TimeDelta::milliseconds(7_200_000 + 61_250))
        .given("status_told");
    assert_eq!(
        said(&late)[0].why,
        "status_told came, 1 min 1 s 250 ms late"
    );
    let little = received(ANSWER)
        .after(TimeDelta::milliseconds(7_200_001))
        .given("status_told");
    assert_eq!(said(&little)[0].why, "status_told came, 1 ms late");
}

#[test]
fn a_start_that_can_never_count_does_not_keep_another_from_starting() {
    let clause = r#"
after = "call_ended"
if = { reason = "consultation" }
expect = ["status_told"]
within = "1 working hour"
repeat = "keep"
"#;
    for repeat in ["keep", "restart", "each"] {
        let broken = story(&clause.replace("keep", repeat))
            .given("call_answered call=1")
            .given("call_ended call=1 reason=finished")
            .after_minutes(5)
            .given("call_ended call=2 reason=consultation")
            .after_minutes(61);
        assert_eq!(kinds(&broken), ["broken"], "{repeat}");
    }
    // And it does not take the place of one that counts.
    let restarted = story(&clause.replace("keep", "restart"))
        .given("call_answered call=1")
        .given("call_ended call=1 reason=consultation")
        .after_minutes(30)
        .given("call_ended call=2 reason=finished")
        .after_minutes(31);
    assert_eq!(kinds(&restarted), ["broken"]);
}

#[test]
fn a_second_start_keeps_restarts_or_runs_beside_as_the_rule_says() {
    let told = |repeat: &str| {
        let clause = format!(
            "after = \"request_received\"\nexpect = [\"status_told\"]\nwithin = \"2 clock hours\"\nrepeat = \"{repeat}\""
        );
        received(&clause)
            .after_hours(1)
            .given("request_received")
            .after_minutes(90)
            .given("status_told")
    };
    assert_eq!(kinds(&told("keep")), ["broken"]);
    assert_eq!(kinds(&told("restart")), ["kept"]);
    assert_eq!(kinds(&told("each")), ["broken", "kept"]);
}

#[test]
fn a_pause_after_the_limit_hides_no_miss() {
    let parked = received(WITH_PAUSE)
        .after_hours(6)
        .given("parked")
        .after_hours(1);
    let verdict = &said(&parked)[0];
    assert_eq!(verdict.kind.name(), "broken");
    assert!(verdict.due.is_some(), "the due moment is still known");
    // Looked at only now, the miss is announced all the same.
    let notices = parked
        .case()
        .records()
        .iter()
        .filter(|record| record.fact().is_none())
        .count();
    let late = lapse(
        &parked.case().under(parked.case().rulebook().clone()),
        parked.bench().now(),
    );
    assert_eq!(notices + late.len(), 1);
    let solved = parked
        .after_hours(1)
        .given("customer_recontacted")
        .given("problem_solved");
    // 09:00 and four working hours, with the lunch break: due at 14:00, solved at 17:00.
    assert_eq!(said(&solved)[0].why, "problem_solved came, 3 h late");
}

#[test]
fn a_pause_outside_working_hours_costs_nothing() {
    let base = received(WITH_PAUSE);
    let due = said(&base)[0].due;
    // Lunch is from 12 to 13.
    let lunch = base
        .after(TimeDelta::minutes(181))
        .given("parked")
        .after_minutes(50)
        .given("customer_recontacted");
    assert_eq!(said(&lunch)[0].due, due);
}

#[test]
fn a_pause_over_a_weekend_moves_a_limit_of_working_days_by_nothing() {
    let days = WITH_PAUSE.replace("4 working hours", "2 working days");
    let friday = story(&days)
        .at("2026-03-06T10:00:00+08:00")
        .given("request_received");
    let due = said(&friday)[0].due;
    let weekend = friday
        .at("2026-03-07T10:00:00+08:00")
        .given("parked")
        .after_hours(26)
        .given("customer_recontacted");
    assert_eq!(said(&weekend)[0].due, due);
    // Two hours of a working day move it by two hours.
    let monday = weekend
        .at("2026-03-09T10:00:00+08:00")
        .given("parked")
        .after_hours(2)
        .given("customer_recontacted");
    assert_eq!(
        said(&monday)[0].due,
        due.map(|due| due + TimeDelta::hours(2))
    );
}

#[test]
fn a_pause_that_goes_straight_to_solved_is_kept() {
    let solved = received(WITH_PAUSE)
        .after_hours(1)
        .given("parked")
        .after_hours(300)
        .given("problem_solved");
    assert_eq!(kinds(&solved), ["kept"]);
}

#[test]
fn an_endless_pause_has_no_due_moment_and_never_lapses() {
    let parked = received(WITH_PAUSE)
        .after_hours(1)
        .given("parked")
        .after_hours(10_000);
    assert_eq!(kinds(&parked), ["pending"]);
    assert_eq!(said(&parked)[0].due, None);
    assert_eq!(lapse(parked.case(), parked.bench().now()), []);
    assert_eq!(next_deadline(parked.case()), None);
}

#[test]
fn a_pause_told_late_counts_from_when_it_happened() {
    let told = received(WITH_PAUSE)
        .after_minutes(90)
        .when_told_after(TimeDelta::minutes(60), "parked")
        .then_admitted()
        .after_minutes(30)
        .given("customer_recontacted");
    // Parked from 9:30 to 11:00: 90 minutes later than 14:00.
    assert_eq!(due(&told).as_deref(), Some("2026-03-02T07:30:00+00:00"));
}

#[test]
fn a_pause_at_the_very_start_and_two_pauses_in_a_row_add_up() {
    let twice = received(WITH_PAUSE)
        .given("parked")
        .after_minutes(30)
        .given("customer_recontacted")
        .given("parked")
        .given("parked")
        .after_minutes(30)
        .given("customer_recontacted");
    assert_eq!(due(&twice).as_deref(), Some("2026-03-02T07:00:00+00:00"));
}

const LEVEL: &str = r#"
after = "request_received"
if = { level = 1 }
expect = ["status_told"]
within = "4 clock hours"
repeat = "keep"
pause = ["parked"]
resume = ["customer_recontacted"]
"#;

#[test]
fn a_condition_known_later_counts_from_the_start() {
    let late = received(LEVEL)
        .after_hours(5)
        .given("request_classified level=1");
    assert_eq!(kinds(&late), ["broken"]);
    let early = received(LEVEL)
        .after_hours(1)
        .given("request_classified level=1");
    assert_eq!(kinds(&early), ["pending"]);
    assert_eq!(due(&early).as_deref(), Some("2026-03-02T05:00:00+00:00"));
    // It no longer applies: nothing is pending, nothing lapses.
    let lowered = early
        .after_hours(1)
        .given("request_classified level=3")
        .after_hours(9);
    assert_eq!(kinds(&lowered), Vec::<&str>::new());
    assert_eq!(lapse(lowered.case(), lowered.bench().now()), []);
}

#[test]
fn who_classifies_after_the_answer_gains_nothing_by_it() {
    let answered = |hours: i64| {
        received(LEVEL)
            .after_hours(hours)
            .given("status_told")
            .after_hours(1)
    };
    // Nobody had said the level yet; said now, it decides what is over.
    assert_eq!(
        kinds(&answered(3).given("request_classified level=1")),
        ["kept"]
    );
    let late = answered(5).given("request_classified level=1");
    assert_eq!(kinds(&late), ["broken"]);
    assert_eq!(said(&late)[0].why, "status_told came, 1 h late");
    let Some(Ok(admission)) = late.last() else {
        panic!("admitted")
    };
    assert_eq!(
        admission
            .clocks
            .iter()
            .map(|change| change.event)
            .collect::<Vec<_>>(),
        [ClockEvent::Missed]
    );
    assert_eq!(
        kinds(&answered(5).given("request_classified level=2")),
        Vec::<&str>::new()
    );
    // Decided once, it is decided.
    let raised = answered(5)
        .given("request_classified level=2")
        .given("request_classified level=1");
    assert_eq!(kinds(&raised), Vec::<&str>::new());
    // A ticket opened again is another matter.
    let reopened = answered(5)
        .given("ticket_closed outcome=solved")
        .after_hours(24)
        .given("ticket_reopened")
        .given("request_classified level=1");
    assert_eq!(kinds(&reopened), Vec::<&str>::new());
}

#[test]
fn a_target_change_drops_no_pause() {
    // One hour ran, one was paused; then the level changes to 2 and back.
    let changed = received(LEVEL)
        .given("request_classified level=1")
        .after_hours(1)
        .given("parked")
        .after_hours(1)
        .given("customer_recontacted")
        .given("request_classified level=2")
        .after_minutes(10)
        .given("request_classified level=1");
    assert_eq!(due(&changed).as_deref(), Some("2026-03-02T06:00:00+00:00"));
}

#[test]
fn forward_counts_only_while_the_condition_holds_and_nobody_paused() {
    let clause = format!("{LEVEL}on_change = \"forward\"\n");
    let running = received(&clause)
        .after_hours(1)
        .given("parked")
        .after_hours(1)
        // Still parked when the condition begins to hold.
        .given("request_classified level=1")
        .after_hours(1);
    assert_eq!(said(&running)[0].due, None);
    let resumed = running.given("customer_recontacted");
    assert_eq!(due(&resumed).as_deref(), Some("2026-03-02T08:00:00+00:00"));
    // A resumption while the condition does not hold lets nothing run.
    let idle = received(&clause)
        .given("parked")
        .after_hours(1)
        .given("customer_recontacted")
        .after_hours(1);
    let holds = idle.given("request_classified level=1");
    assert_eq!(due(&holds).as_deref(), Some("2026-03-02T07:00:00+00:00"));
}

#[test]
fn reset_counts_from_the_change_and_a_pause_goes_on() {
    let clause = format!("{LEVEL}on_change = \"reset\"\n");
    let reset = received(&clause)
        .after_hours(5)
        .given("request_classified level=1");
    assert_eq!(kinds(&reset), ["pending"]);
    assert_eq!(due(&reset).as_deref(), Some("2026-03-02T10:00:00+00:00"));
    let paused = received(&clause)
        .after_hours(1)
        .given("parked")
        .after_hours(4)
        .given("request_classified level=1");
    assert_eq!(said(&paused)[0].due, None);
}

#[test]
fn all_expected_facts_may_overlap() {
    let clause = r#"
after = "request_received"
expect_all = ["status_told", { fact = "status_told", by = "manager" }]
within = "4 clock hours"
repeat = "keep"
"#;
    let told = received(clause)
        .given("status_told")
        .after_minutes(5)
        .given("status_told by=manager");
    assert_eq!(kinds(&told), ["kept"]);
    let half = received(clause)
        .given("status_told")
        .after_minutes(5)
        .given("status_told");
    assert_eq!(kinds(&half), ["pending"]);
}

#[test]
fn ones_own_reply_arms_no_clock() {
    let clause = r#"
after = { fact = "status_told", by = "customer" }
expect = [{ fact = "status_told", by = "engineer" }]
within = "1 clock hour"
repeat = "keep"
"#;
    let own = received(clause)
        .given("status_told by=engineer")
        .after_hours(2);
    assert_eq!(kinds(&own), Vec::<&str>::new());
    let wrong = received(clause)
        .given("status_told by=customer")
        .given("status_told by=manager")
        .after_hours(2);
    assert_eq!(kinds(&wrong), ["broken"]);
}

#[test]
fn the_same_fact_may_answer_one_run_and_start_the_next() {
    let clause = r#"
after = "status_told"
expect = ["status_told"]
within = "1 clock hour"
repeat = "keep"
"#;
    let told = received(clause)
        .given("status_told")
        .after_minutes(30)
        .given("status_told")
        .after_minutes(61);
    assert_eq!(kinds(&told), ["kept", "broken"]);
}

#[test]
fn a_retracted_start_takes_its_clock_away_and_a_retracted_answer_gives_it_back() {
    let open = received(ANSWER).after_minutes(5);
    let gone = open
        .clone()
        .when_retracted("request_received", "manager")
        .then_admitted();
    assert_eq!(kinds(&gone), Vec::<&str>::new());
    let Some(Ok(admission)) = gone.last() else {
        panic!("admitted")
    };
    assert_eq!(
        admission
            .clocks
            .iter()
            .map(|change| change.event)
            .collect::<Vec<_>>(),
        [ClockEvent::Cancelled]
    );
    assert_eq!(next_deadline(gone.case()), None);

    let answered = open.given("status_told");
    assert_eq!(kinds(&answered), ["kept"]);
    let again = answered
        .when_retracted("status_told", "manager")
        .then_admitted();
    let Some(Ok(admission)) = again.last() else {
        panic!("admitted")
    };
    assert_eq!(
        admission
            .clocks
            .iter()
            .map(|change| change.event)
            .collect::<Vec<_>>(),
        [ClockEvent::Started]
    );
    assert_eq!(kinds(&again.after_hours(3)), ["broken"]);
}

#[test]
fn a_clock_that_another_rule_lifts_announces_nothing() {
    let clause = r#"
after = "request_received"
expect = ["status_told"]
within = "2 working hours"
repeat = "keep"
"#;
    let text = common::manual_text(clause)
        + r#"
[rule.free]
says = "Questions wait."
source = [{ manual = "bare", quote = "…" }]
fact = "request_received"
if = { kind = "question" }
may = true
lifts = ["r"]
"#;
    let rulebook = thirdring_testkit::alone(&text);
    let question = Scenario::new(&rulebook)
        .by("engineer")
        .given("request_received kind=question")
        .after_hours(5);
    assert_eq!(kinds(&question), ["lifted"]);
    assert_eq!(lapse(question.case(), question.bench().now()), []);
    assert_eq!(next_deadline(question.case()), None);
    // It runs all the same.
    let runs = next_deadline_unlifted(question.case());
    assert_eq!(runs.map(|deadline| deadline.step), Some(Step::Missed));
    let fault = Scenario::new(&rulebook)
        .by("engineer")
        .given("request_received kind=fault")
        .after_hours(5);
    assert_eq!(kinds(&fault), ["broken"]);
}

#[test]
fn two_limits_at_once_and_the_sooner_counts() {
    let clause = ANSWER.replace(
        "\"2 working hours\"",
        "[\"2 working hours\", \"3 clock hours\"]",
    );
    let noon = story(&clause)
        .at("2026-03-02T11:30:00+08:00")
        .given("request_received");
    // 11:30 and two working hours: 14:30, after lunch; three hours by the clock: 14:30 as well.
    assert_eq!(due(&noon).as_deref(), Some("2026-03-02T06:30:00+00:00"));
    let evening = story(&clause)
        .at("2026-03-02T17:00:00+08:00")
        .given("request_received");
    assert_eq!(due(&evening).as_deref(), Some("2026-03-02T12:00:00+00:00"));
}

#[test]
fn a_window_of_two_to_five_minutes() {
    let clause = r#"
after = "request_received"
expect = [{ fact = "status_told", not_before = "2 clock minutes" }]
within = "5 clock minutes"
repeat = "keep"
"#;
    for (minutes, verdict) in [(1, "broken"), (2, "kept"), (5, "kept"), (6, "broken")] {
        assert_eq!(
            kinds(&received(clause).after_minutes(minutes).given("status_told")),
            [verdict],
            "{minutes}"
        );
    }
}

#[test]
fn words_without_a_number_are_measured_and_never_broken() {
    let clause = r#"
after = "request_received"
expect = ["status_told"]
repeat = "keep"
"#;
    let waiting = received(clause).after_hours(10_000);
    assert_eq!(kinds(&waiting), ["pending"]);
    assert_eq!(lapse(waiting.case(), waiting.bench().now()), []);
    let told = waiting.given("status_told");
    assert_eq!(kinds(&told), ["measured"]);
    assert_eq!(said(&told)[0].seconds, Some(36_000_000));
}

const LADDER: &str = r#"
after = "request_received"
expect = ["status_told"]
within = "1 clock hour"
repeat = "keep"
pause = ["parked"]
resume = ["customer_recontacted"]
warn = ["50 %", "10 clock minutes before"]
escalate = [
  { after = "0 clock minutes", to = "engineer" },
  { after = "1 clock hour", to = "manager", again = "1 clock hour" },
]
"#;

#[test]
fn the_ladder_is_climbed_once_and_a_long_absence_is_no_storm() {
    let start = received(LADDER);
    let steps = |scenario: &Scenario| -> Vec<Step> {
        lapse(scenario.case(), scenario.bench().now())
            .into_iter()
            .map(|notice| notice.step)
            .collect()
    };
    let due = start.clone().after_minutes(60);
    assert_eq!(
        steps(&due),
        [Step::Warned(1), Step::Warned(2)],
        "the due instant is in time: no rung yet"
    );
    let away = start.after_hours(100);
    assert_eq!(
        steps(&away),
        [
            Step::Missed,
            Step::Escalated { rung: 1, again: 0 },
            Step::Escalated { rung: 2, again: 98 }
        ]
    );
}

#[test]
fn the_next_deadline_is_when_something_lapses_and_not_before() {
    let mut bench = received(LADDER).bench().clone();
    let mut told = Vec::new();
    for _ in 0..8 {
        let deadline = next_deadline(bench.case()).expect("an open clock");
        bench.go_to(deadline.at);
        if bench.lapse().is_empty() {
            bench.pass(TimeDelta::nanoseconds(1));
            assert!(!bench.lapse().is_empty(), "{deadline:?}");
        }
        told.push(deadline.step);
    }
    assert_eq!(told.last(), Some(&Step::Escalated { rung: 2, again: 4 }));
}

#[test]
fn tellings_before_the_due_moment_moved_do_not_hide_the_new_ones() {
    // Missed, told three times; then a pause told late moves the due moment.
    let mut scenario = received(LADDER);
    for _ in 0..4 {
        scenario = scenario.after_hours(1).given("request_recorded");
    }
    let moved = scenario
        .when_told_after(TimeDelta::minutes(210), "parked")
        .then_admitted()
        .after_minutes(1)
        .given("customer_recontacted");
    let due = said(&moved)[0].due.expect("running again");
    let deadline = next_deadline(moved.case()).expect("an open clock");
    assert!(deadline.at <= due, "{deadline:?} lies after {due}");
}

#[test]
fn a_waiver_lifts_only_what_is_not_missed_and_only_beyond_the_limit() {
    let clause = r#"
after = "dispatch_requested"
expect = ["engineer_arrived"]
within = "24 clock hours"
repeat = "keep"
same = "visit"
waived_by = [{ fact = "appointment_agreed", beyond_due = "from" }]
"#;
    let requested = || {
        story(clause)
            .given("request_received")
            .given("dispatch_requested visit=1")
    };
    let beyond = requested()
        .given("appointment_agreed visit=1 from=@+25h")
        .after_hours(30);
    assert_eq!(kinds(&beyond), ["waived"]);
    let within = requested()
        .given("appointment_agreed visit=1 from=@+24h")
        .after_hours(30);
    assert_eq!(kinds(&within), ["broken"]);
    let late = requested()
        .after_hours(25)
        .given("appointment_agreed visit=1 from=@+50h");
    assert_eq!(kinds(&late), ["broken"]);
    let other = requested()
        .given("dispatch_requested visit=2")
        .given("appointment_agreed visit=2 from=@+50h")
        .after_hours(30);
    assert_eq!(kinds(&other), ["broken", "waived"]);
}

#[test]
fn a_limit_counted_from_a_field_may_be_answered_before_it_begins() {
    let clause = r#"
after = "appointment_agreed"
expect = ["engineer_arrived"]
from = "to"
within = "0 clock minutes"
repeat = "restart"
same = "visit"
"#;
    let arrived = story(clause)
        .given("request_received")
        .given("dispatch_requested visit=1")
        .given("appointment_agreed visit=1 to=@+2h")
        .after_hours(1)
        .given("engineer_arrived visit=1");
    assert_eq!(
        said(&arrived)[0].why,
        "engineer_arrived came 1 h before its time began, in time"
    );
}
