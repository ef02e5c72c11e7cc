//! The laws of the core, over generated histories, legal and illegal.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use common::stories::{LEVEL_ONE, PHONE, WRITTEN};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use thirdring_core::judge::{Admission, Case, Earlier, Mode, ProposeError, propose};
use thirdring_core::record::{Content, Notice, Opener, Sealed, Step as Told, chain_origin};
use thirdring_core::vocabulary::{Nature, Process};
use thirdring_core::written::Step;
use thirdring_core::{
    Record, Rulebook, Verdict, VerdictKind, explain, lapse, next_deadline, verdicts,
};
use thirdring_testkit::strategies::{self, Move, What};
use thirdring_testkit::{Bench, Telling, shipped};

static UNIS: LazyLock<Arc<Rulebook>> = LazyLock::new(|| shipped("unis"));

/// The same histories every time; `PROPTEST_CASES` asks for so many others.
fn config(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return asked;
    }
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_260_302),
        ..asked
    }
}

/// Anything in any order.
fn wild() -> impl Strategy<Value = Vec<Move>> {
    strategies::histories(&UNIS, Process::Ticket, 1..24)
}

/// A story of the desk's daily life, with some of it left out, told late,
/// retracted, or with other things in between.
fn lifelike() -> impl Strategy<Value = Vec<Move>> {
    let stories: Vec<Vec<Move>> = [PHONE, LEVEL_ONE, WRITTEN]
        .into_iter()
        .map(moves_of)
        .collect();
    let turn = prop_oneof![
        30 => Just(Turn::Keep),
        2 => Just(Turn::Leave),
        2 => strategies::told_after().prop_map(Turn::Late),
        2 => strategies::waits().prop_map(Turn::Wait),
        2 => strategies::moves(&UNIS, Process::Ticket).prop_map(Turn::Before),
        1 => (0usize..5).prop_map(Turn::Retract),
    ];
    (
        proptest::sample::select(stories),
        proptest::collection::vec(turn, 60),
    )
        .prop_map(|(story, turns)| {
            let mut moves = Vec::new();
            for (mut step, turn) in story.into_iter().zip(turns) {
                match turn {
                    Turn::Keep => moves.push(step),
                    Turn::Leave => {}
                    Turn::Late(seconds) => {
                        step.told_after_seconds = seconds;
                        moves.push(step);
                    }
                    Turn::Wait(seconds) => {
                        step.wait_seconds = seconds;
                        moves.push(step);
                    }
                    Turn::Before(other) => moves.extend([other, step]),
                    Turn::Retract(back) => {
                        let retraction = Move {
                            wait_seconds: 60,
                            told_after_seconds: 0,
                            role: "service_manager".to_owned(),
                            what: What::Retraction(back),
                            enforced: true,
                        };
                        moves.extend([step, retraction]);
                    }
                }
            }
            moves
        })
}

#[derive(Debug, Clone)]
enum Turn {
    Keep,
    Leave,
    Late(i64),
    Wait(i64),
    Before(Move),
    Retract(usize),
}

fn moves_of(story: &str) -> Vec<Move> {
    let start = Bench::new(&UNIS).start();
    story
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let step = Step::parse(line, start).expect("the story reads");
            Move {
                wait_seconds: step.delay.num_seconds(),
                told_after_seconds: 0,
                role: step.by.unwrap_or_else(|| "hotline_engineer".to_owned()),
                what: step.fact.map_or(What::Look, What::Fact),
                enforced: true,
            }
        })
        .collect()
}

fn histories() -> impl Strategy<Value = Vec<Move>> {
    prop_oneof![2 => lifelike(), 1 => wild()]
}

/// Everything that can be asked of a case.
fn all_said(case: &Case, now: DateTime<Utc>) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        verdicts(case, now),
        lapse(case, now),
        next_deadline(case),
        case.status(),
        case.version(),
        *case.chain(),
        case.history()
            .records()
            .map(|record| record.id)
            .collect::<Vec<_>>(),
    )
}

/// A few moments after the last proposal, in their order.
fn later(now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    [
        0, 1, 600, 3_600, 7_201, 40_000, 86_400, 100_000, 500_000, 3_000_000,
    ]
    .into_iter()
    .map(|seconds| now + TimeDelta::seconds(seconds))
    .collect()
}

fn missed(notices: &[Notice]) -> BTreeSet<Notice> {
    notices
        .iter()
        .filter(|notice| notice.step == Told::Missed)
        .cloned()
        .collect()
}

fn broken_guards(case: &Case, now: DateTime<Utc>, judged: &Record) -> Vec<Verdict> {
    verdicts(case, now)
        .into_iter()
        .filter(|verdict| {
            verdict.kind == VerdictKind::Broken && verdict.facts.first() == Some(&judged.id)
        })
        .filter(|verdict| {
            case.rulebook()
                .rule(&verdict.rule)
                .and_then(|rule| rule.clauses.get(usize::from(verdict.clause) - 1))
                .is_some_and(|clause| clause.form.may_refuse())
        })
        .collect()
}

#[test]
fn the_stories_are_legal() {
    for story in [PHONE, LEVEL_ONE, WRITTEN] {
        let mut bench = Bench::new(&UNIS);
        for line in story.lines().filter(|line| !line.trim().is_empty()) {
            let step = Step::parse(line, bench.start()).expect("the story reads");
            bench.pass(step.delay);
            let Some(fact) = step.fact else { continue };
            let by = bench.actor(step.by.as_deref().unwrap_or("hotline_engineer"));
            match bench.tell(fact, &Telling::now(by)) {
                Ok(admission) => assert_eq!(admission.flags, [], "{line}"),
                Err(ProposeError::Refused(objections)) => {
                    panic!(
                        "{line}: refused by {:?}",
                        objections.iter().map(|o| &o.rule).collect::<Vec<_>>()
                    )
                }
                Err(error) => panic!("{line}: {error}"),
            }
        }
        let broken: Vec<Verdict> = verdicts(bench.case(), bench.now())
            .into_iter()
            .filter(|verdict| matches!(verdict.kind, VerdictKind::Broken | VerdictKind::Pending))
            .collect();
        assert_eq!(broken, []);
    }
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn replayed_is_lived(moves in histories()) {
        let bench = strategies::play(&UNIS, &moves);
        let live = bench.case();
        let replayed = Case::replay(live.stream().clone(), Arc::clone(&UNIS), live.records().iter().cloned());
        for now in later(bench.now()) {
            prop_assert_eq!(all_said(live, now), all_said(&replayed, now));
        }
    }

    #[test]
    fn what_was_is_what_a_replay_of_so_many_records_gives(
        moves in histories(),
        asked in proptest::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let bench = strategies::play(&UNIS, &moves);
        let live = bench.case();
        let mut earlier = Earlier::of(live);
        for index in asked {
            let version = index.index(live.records().len() + 1);
            let records = live.records()[..version].iter().cloned();
            let replayed = Case::replay(live.stream().clone(), Arc::clone(&UNIS), records);
            let was = earlier.at_version(live, version as u64);
            prop_assert_eq!(all_said(was, bench.now()), all_said(&replayed, bench.now()));
        }
        // Asked in their order, each record is folded once.
        let mut in_order = Earlier::of(live);
        for version in 0..=live.version() {
            in_order.at_version(live, version);
        }
        prop_assert_eq!(in_order.folded(), live.version());
    }

    #[test]
    fn lapsed_twice_is_lapsed_once(moves in histories()) {
        let mut bench = strategies::play(&UNIS, &moves);
        for now in later(bench.now()) {
            bench.go_to(now);
            bench.lapse();
            prop_assert_eq!(bench.lapse(), []);
        }
    }

    #[test]
    fn lapsed_often_is_lapsed_late(moves in histories()) {
        let often = strategies::play(&UNIS, &moves);
        let mut late = often.clone();
        let mut often = often;
        let before = often.case().version();
        for now in later(often.now()) {
            often.go_to(now);
            let notices = often.lapse();
            prop_assert!(notices.is_sorted_by_key(|notice| notice.due_at));
            prop_assert!(notices.iter().all(|notice| notice.due_at <= now));
        }
        late.go_to(often.now());
        let at_once = late.lapse();
        let one_by_one: Vec<Notice> = often.case().records()[usize::try_from(before).expect("small")..]
            .iter()
            .filter_map(|record| match &record.content {
                Content::Notice(notice) => Some(notice.clone()),
                Content::Fact(_) => None,
            })
            .collect();
        prop_assert_eq!(missed(&one_by_one), missed(&at_once));
        // A warning that helps nobody any more is not made up for; nothing else is new.
        let heard: BTreeSet<&Notice> = one_by_one.iter().collect();
        prop_assert!(at_once.iter().all(|notice| heard.contains(notice)));
        prop_assert_eq!(verdicts(often.case(), often.now()), verdicts(late.case(), late.now()));
    }

    #[test]
    fn the_next_deadline_is_the_next_lapse(moves in histories()) {
        let mut bench = strategies::play(&UNIS, &moves);
        bench.lapse();
        for _ in 0..6 {
            let Some(deadline) = next_deadline(bench.case()) else {
                prop_assert_eq!(lapse(bench.case(), bench.now() + TimeDelta::days(400)), []);
                break;
            };
            // Only just after it a limit has passed, so now may be that moment.
            prop_assert!(deadline.at >= bench.now(), "{deadline:?} is past");
            let before = (deadline.at - TimeDelta::nanoseconds(1)).max(bench.now());
            prop_assert_eq!(lapse(bench.case(), before), []);
            bench.go_to(deadline.at);
            if bench.lapse().is_empty() {
                bench.pass(TimeDelta::nanoseconds(1));
                prop_assert!(!bench.lapse().is_empty(), "nothing lapsed at {deadline:?}");
            }
        }
    }

    #[test]
    fn notices_change_nothing(moves in histories(), fact in strategies::facts(&UNIS, Process::Ticket)) {
        let mut bench = strategies::play(&UNIS, &moves);
        let case = bench.case().clone();
        let facts = case.records().iter().filter(|record| record.fact().is_some()).cloned();
        let silent = Case::replay(case.stream().clone(), Arc::clone(&UNIS), facts);
        for now in later(bench.now()) {
            prop_assert_eq!(verdicts(&case, now), verdicts(&silent, now));
        }
        bench.pass(TimeDelta::hours(30));
        let telling = Telling::now(bench.actor("service_engineer"));
        let proposal = bench.proposal(fact, &telling);
        let told = |case: &Case| propose(case, proposal.clone()).map(|admission: Admission| {
            (admission.flags, admission.testimony, admission.clocks, admission.draft.content)
        });
        prop_assert_eq!(told(&case), told(&silent));
        // Nor does it matter whether time lapses first.
        let mut lapsed = bench.clone();
        lapsed.lapse();
        prop_assert_eq!(told(&case), told(lapsed.case()));
    }

    #[test]
    fn a_refused_proposal_leaves_no_trace_and_an_id_counts_once(moves in histories()) {
        let mut bench = Bench::new(&UNIS);
        for step in &moves {
            bench.pass(TimeDelta::seconds(step.wait_seconds));
            bench.lapse();
            let What::Fact(fact) = &step.what else { continue };
            let telling = Telling::now(bench.actor(&step.role)).ago(TimeDelta::seconds(step.told_after_seconds));
            let proposal = bench.proposal(fact.clone(), &telling);
            let before = (bench.case().version(), *bench.case().chain(), verdicts(bench.case(), bench.now()));
            let admitted = propose(bench.case(), proposal.clone());
            prop_assert_eq!(&before, &(bench.case().version(), *bench.case().chain(), verdicts(bench.case(), bench.now())));
            match admitted {
                Ok(admission) => {
                    bench.record(admission.draft);
                    match propose(bench.case(), proposal) {
                        Err(ProposeError::Known(record)) => prop_assert_eq!(record.version, bench.case().version()),
                        other => prop_assert!(false, "{other:?}"),
                    }
                }
                Err(ProposeError::Refused(objections)) => prop_assert!(!objections.is_empty()),
                Err(_) => {}
            }
        }
    }

    #[test]
    fn what_was_enforced_was_lawful_when_it_was_recorded(moves in histories()) {
        let moves: Vec<Move> = moves.into_iter().map(|step| Move { enforced: true, ..step }).collect();
        let bench = strategies::play(&UNIS, &moves);
        let tolerance = TimeDelta::seconds(UNIS.testimony.tolerance_seconds);
        let records = bench.case().records();
        for (index, record) in records.iter().enumerate() {
            let Some(fact) = record.fact() else { continue };
            let testimony = record.recorded_at - record.happened_at() > tolerance;
            if fact.spec().nature == Nature::Event || testimony {
                continue;
            }
            let then = Case::replay(bench.case().stream().clone(), Arc::clone(&UNIS), records[..=index].iter().cloned());
            prop_assert_eq!(broken_guards(&then, record.recorded_at, record), []);
        }
    }

    #[test]
    fn what_is_sealed_opens_again_and_hangs_together(moves in histories(), place in any::<proptest::sample::Index>(), flip in 1u8..) {
        let bench = strategies::play(&UNIS, &moves);
        let stream = bench.case().stream();
        let mut opener = Opener::default();
        let mut before = chain_origin(stream);
        for (record, sealed) in bench.case().records().iter().zip(bench.sealed()) {
            let opened = opener.open(sealed, stream, &before);
            prop_assert_eq!(opened.as_ref(), Ok(&**record));
            // Erased, it still hangs in the chain.
            let erased = opener.open(&Sealed { personal: None, ..sealed.clone() }, stream, &before);
            prop_assert_eq!(erased.map(|record| record.chain), Ok(record.chain));
            let mut altered = sealed.clone();
            let at = place.index(altered.body.len());
            altered.body[at] ^= flip;
            prop_assert!(opener.open(&altered, stream, &before).is_err(), "byte {at}");
            if let Some(personal) = &mut altered.personal {
                altered.body.clone_from(&sealed.body);
                let at = place.index(personal.len());
                personal[at] ^= flip;
                prop_assert!(opener.open(&altered, stream, &before).is_err(), "personal byte {at}");
            }
            before = record.chain;
        }
    }

    #[test]
    fn erased_values_change_no_verdict(moves in histories()) {
        let bench = strategies::play(&UNIS, &moves);
        let stream = bench.case().stream();
        let mut opener = Opener::default();
        let mut before = chain_origin(stream);
        let mut erased = Vec::new();
        for sealed in bench.sealed() {
            let record = opener.open(&Sealed { personal: None, ..sealed.clone() }, stream, &before).expect("it opens");
            before = record.chain;
            erased.push(Arc::new(record));
        }
        let without = Case::replay(bench.case().stream().clone(), Arc::clone(&UNIS), erased);
        prop_assert_eq!(verdicts(&without, bench.now()), verdicts(bench.case(), bench.now()));
    }

    #[test]
    fn any_fact_in_any_state_is_borne(moves in strategies::histories(&UNIS, Process::Ticket, 1..40), manual in 0usize..3) {
        let rulebook = shipped(thirdring_manuals::NAMES[manual]);
        let mut bench = Bench::new(&rulebook);
        for step in &moves {
            let What::Fact(fact) = &step.what else { continue };
            bench.pass(TimeDelta::seconds(step.wait_seconds));
            let mut telling = Telling::now(bench.actor(&step.role)).ago(TimeDelta::seconds(step.told_after_seconds));
            telling.mode = Mode::Observe;
            prop_assert!(bench.tell(fact.clone(), &telling).is_ok());
        }
        for rule in &rulebook.rules {
            prop_assert!(explain(bench.case(), &rule.id, bench.now()).is_some());
        }
    }
}
