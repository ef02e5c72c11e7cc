//! The crash laboratory in its short mode: bounded numbers, the same places and
//! images every time. The long mode is the program of this crate.

#![expect(clippy::unwrap_used, reason = "a laboratory that fails fails the test")]

use std::io::Write;
use std::path::Path;

use thirdring_crashlab::{
    Depth, Equipment, Experiment, Figures, Laboratory, NAMES, TEETH, Workload, run,
};

/// The laboratory, or `None` where it cannot work; in CI it has to.
fn laboratory() -> Option<Laboratory> {
    match Laboratory::equip(Path::new(env!("CARGO_BIN_EXE_thirdring-crashlab"))) {
        Equipment::Ready(laboratory) => Some(laboratory),
        Equipment::Missing(why) => {
            let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(
                !(in_ci && cfg!(target_os = "linux")),
                "the crash laboratory must not be skipped in CI: {why}"
            );
            // Written past the harness, which would hide it.
            let mut past_the_harness = std::io::stderr();
            writeln!(past_the_harness, "CRASH LABORATORY skipped: {why}").unwrap();
            None
        }
    }
}

fn figures(experiment: Experiment, name: &str) -> Option<Figures> {
    let workload = Workload::named(name).unwrap();
    Some(run(&laboratory()?, experiment, &workload, Depth::Short).unwrap())
}

#[track_caller]
fn assert_kept(experiment: Experiment, names: &[&str]) {
    for name in names {
        if let Some(figures) = figures(experiment, name) {
            assert!(figures.tried > 0);
            assert!(figures.is_clean(), "{name}: {figures:#?}");
        }
    }
}

#[test]
fn killed_at_any_call_nothing_is_lost() {
    assert_kept(Experiment::Kill, &NAMES);
}

#[test]
fn killed_while_recovering_nothing_is_lost() {
    assert_kept(Experiment::KillInRecovery, &["append", "checkpoint"]);
}

#[test]
fn power_cuts_lose_nothing_of_batches() {
    assert_kept(Experiment::PowerCut, &["create", "append", "checkpoint"]);
}

#[test]
fn power_cuts_lose_nothing_of_groups_backups_and_desks() {
    assert_kept(Experiment::PowerCut, &["group", "backup", "desk"]);
}

/// What is derived may be lost; what is answered from it may not be wrong.
#[test]
fn power_cuts_lose_nothing_while_a_file_is_migrated_and_timetables_are_kept() {
    assert_kept(Experiment::PowerCut, &["migrate", "due"]);
}

#[test]
fn power_cuts_after_kills_lose_nothing() {
    assert_kept(
        Experiment::PowerCutAfterKill,
        &["create", "append", "checkpoint"],
    );
}

/// With SQLite alone this lost answered appends: it swallows the error of the
/// folder's sync.
#[test]
fn power_cuts_after_failed_syncs_lose_nothing() {
    assert_kept(
        Experiment::PowerCutAfterFailedSync,
        &["create", "append", "checkpoint", "backup", "migrate"],
    );
}

/// With SQLite alone this lost and tore: what a failed sync left in memory was
/// recovered, and taken for durable.
#[test]
fn power_cuts_after_fatal_syncs_lose_nothing() {
    assert_kept(
        Experiment::PowerCutAfterFatalSync,
        &["create", "append", "checkpoint", "desk"],
    );
}

#[test]
fn failing_calls_are_told_and_lose_nothing() {
    assert_kept(Experiment::Errors, &NAMES);
}

#[test]
fn short_writes_are_told_and_lose_nothing() {
    assert_kept(Experiment::ShortWrites, &NAMES);
}

/// A laboratory that finds no losses where there must be some finds none at all.
#[test]
fn unsynced_appends_are_seen_to_be_lost() {
    if let Some(figures) = figures(Experiment::PowerCut, TEETH) {
        assert!(figures.losses > 50, "{figures:#?}");
        // Lost, but still a whole log each time.
        let others = figures.tears + figures.refusals + figures.retries + figures.crashes;
        assert_eq!(others, 0, "{figures:#?}");
    }
}
