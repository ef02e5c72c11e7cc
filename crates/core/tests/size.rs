//! Tickets of very many facts are borne.
//! `cargo test --release --test size -- --nocapture` shows the times of ten
//! thousand.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]
#![allow(clippy::print_stdout, reason = "times are for whoever asks")]

use std::sync::Arc;
use std::time::Instant;

use chrono::TimeDelta;
use thirdring_core::judge::{Case, Mode, propose};
use thirdring_core::written::Step;
use thirdring_core::{explain, lapse, next_deadline, verdicts};
use thirdring_testkit::{Bench, Telling, shipped};

const FACTS: usize = if cfg!(debug_assertions) {
    1_500
} else {
    10_000
};

/// A ticket of many facts, `line` giving the n-th.
fn grown(line: impl Fn(usize) -> String) -> Bench {
    let mut bench = Bench::new(&shipped("unis"));
    let telling = Telling {
        mode: Mode::Observe,
        ..Telling::now(bench.actor("hotline_engineer"))
    };
    let start = bench.start();
    for number in 0..FACTS {
        bench.pass(TimeDelta::minutes(1));
        let fact = Step::parse(&line(number), start)
            .expect("it reads")
            .fact
            .expect("a fact");
        let proposal = bench.proposal(fact, &telling);
        let admission = propose(bench.case(), proposal).expect("admitted");
        bench.record(admission.draft);
    }
    bench
}

fn asked(name: &str, line: impl Fn(usize) -> String) {
    let begun = Instant::now();
    let bench = grown(line);
    let proposed = begun.elapsed();
    let begun = Instant::now();
    let records = bench.case().records().iter().cloned();
    let case = Case::replay(
        bench.case().stream().clone(),
        Arc::clone(bench.case().rulebook()),
        records,
    );
    let replayed = begun.elapsed();
    let begun = Instant::now();
    let later = bench.now() + TimeDelta::days(30);
    let (notices, deadline) = (lapse(&case, later).len(), next_deadline(&case));
    let lapsed = begun.elapsed();
    let begun = Instant::now();
    let judged = verdicts(&case, later).len();
    let audited = begun.elapsed();
    assert!(explain(&case, "hotline-callback-within-1h", later).is_some());
    println!(
        "{name}: proposed in {proposed:?}, replayed {replayed:?}, lapsed {lapsed:?} ({notices} notices, {}), audited {audited:?} ({judged} verdicts)",
        if deadline.is_some() {
            "a deadline"
        } else {
            "none"
        }
    );
}

#[test]
fn calls_upon_calls() {
    asked("calls", |n| match n % 4 {
        0 => format!("call_answered call={n} rings=1"),
        1 => format!("call_ended call={} reason=consultation", n - 1),
        2 => "status_told".to_owned(),
        _ => "triaged solvable_by=onsite cause_kind=unknown in_doubt=true".to_owned(),
    });
}

#[test]
fn visits_upon_visits() {
    asked("visits", |n| match n % 4 {
        0 => format!("dispatch_requested visit={n}"),
        1 => format!(
            "appointment_agreed visit={} from=@+2h to=@+90000h asked_by=us",
            n - 1
        ),
        2 => format!("work_started visit={}", n - 2),
        _ => "ticket_closed outcome=solved".to_owned(),
    });
}

#[test]
fn the_same_again_and_again() {
    asked("same", |n| match n {
        0 => "request_received channel=phone kind=fault report_form=written".to_owned(),
        _ => "request_classified level=1".to_owned(),
    });
    asked("unsolved", |n| match n {
        0 => "dispatch_requested visit=1".to_owned(),
        _ => "visit_written_off visit=1 solved=false next=next_order".to_owned(),
    });
}
