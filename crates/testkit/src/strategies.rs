//! Proptest strategies: facts of a vocabulary, and histories made of them.
//!
//! ```
//! use proptest::strategy::{Strategy, ValueTree};
//! use proptest::test_runner::TestRunner;
//! use thirdring_core::vocabulary::Process;
//! use thirdring_testkit::strategies::{facts, histories, play};
//!
//! let unis = thirdring_testkit::shipped("unis");
//! let mut runner = TestRunner::deterministic();
//! let fact = facts(&unis, Process::Ticket).new_tree(&mut runner)?.current();
//! let moves = histories(&unis, Process::Ticket, 1..20).new_tree(&mut runner)?.current();
//! let bench = play(&unis, &moves);
//! # let _ = (fact, bench.case().version());
//! # Ok::<(), proptest::test_runner::Reason>(())
//! ```

use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use thirdring_core::judge::Mode;
use thirdring_core::vocabulary::bookkeeping::FactRetracted;
use thirdring_core::vocabulary::{FactType, FieldType, Process, Scalar};
use thirdring_core::{Fact, RecordId, Rulebook};

use crate::bench::{Bench, Telling};
use crate::pool::{Pool, facts_of, pool_of};

/// One thing that happens in a generated history.
#[derive(Debug, Clone)]
pub struct Move {
    /// How much time passes before it, in seconds.
    pub wait_seconds: i64,
    /// How long after it happened it is told, in seconds; 0 is at once.
    pub told_after_seconds: i64,
    /// The role of whoever does it.
    pub role: String,
    /// What is proposed.
    pub what: What,
    /// Whether rules may refuse it.
    pub enforced: bool,
}

/// What a move proposes.
#[derive(Debug, Clone)]
pub enum What {
    /// A fact.
    Fact(Fact),
    /// The n-th record from the latest is declared wrong.
    Retraction(usize),
    /// Nothing: somebody looks at the clocks.
    Look,
}

/// Facts of a process, with values that the manual knows more often than not.
pub fn facts(rulebook: &Rulebook, process: Process) -> BoxedStrategy<Fact> {
    let pools = pool_of(rulebook, process);
    let types: Vec<FactType> = facts_of(process)
        .filter(|fact| *fact != FactRetracted::TYPE)
        .collect();
    let each: Vec<BoxedStrategy<Fact>> = types
        .into_iter()
        .map(|fact| fact_of(fact, &pools))
        .collect();
    proptest::strategy::Union::new(each).boxed()
}

/// Facts of one type.
fn fact_of(fact: FactType, pools: &[Pool]) -> BoxedStrategy<Fact> {
    let spec = fact.spec();
    let key = match spec.key {
        None => Just(None).boxed(),
        Some(key) if key.optional => weighted(0.8, select(vec!["1", "2"])).boxed(),
        Some(_) => select(vec!["1", "1", "2"]).prop_map(Some).boxed(),
    };
    let mut members = Vec::new();
    for field in spec.fields {
        let known = pools
            .iter()
            .find(|pool| pool.fact == fact && pool.field == field.name)
            .map(|pool| pool.values.clone())
            .unwrap_or_default();
        let name = field.name;
        let value = value_of(field.field_type, known);
        members.push(weighted(0.8, value).prop_map(move |value| value.map(|value| (name, value))));
    }
    (key, members)
        .prop_map(move |(key, members)| {
            let mut text = format!("{{\"type\":{:?}", spec.name);
            if let (Some(spec), Some(key)) = (spec.key, key) {
                text.push_str(&format!(",{:?}:{key:?}", spec.name));
            }
            for (name, json) in members.into_iter().flatten() {
                text.push_str(&format!(",{name:?}:{json}"));
            }
            text.push('}');
            text
        })
        .prop_filter_map("decodes", |text| decode(&text))
        .boxed()
}

fn decode(text: &str) -> Option<Fact> {
    thirdring_core::vocabulary::decode_fact(&mut serde_json::Deserializer::from_str(text)).ok()
}

/// A field's value in JSON.
fn value_of(field_type: FieldType, known: Vec<Scalar>) -> BoxedStrategy<String> {
    let words: Vec<String> = known
        .iter()
        .map(|value| match value {
            Scalar::Word(word) => format!("{word:?}"),
            Scalar::Int(_) | Scalar::Flag(_) => value.to_string(),
        })
        .collect();
    let free = match field_type {
        FieldType::Int => (0i64..6).prop_map(|n| n.to_string()).boxed(),
        FieldType::Flag => any::<bool>().prop_map(|flag| flag.to_string()).boxed(),
        FieldType::Word => "[a-z]{0,6}".prop_map(|word| format!("{word:?}")).boxed(),
        FieldType::Words => {
            let word = if words.is_empty() {
                "[a-z]{1,6}".prop_map(|word| format!("{word:?}")).boxed()
            } else {
                select(words).boxed()
            };
            return vec(word, 0..4)
                .prop_map(|words| format!("[{}]", words.join(",")))
                .boxed();
        }
        FieldType::Instant => moments()
            .prop_map(|at| format!("\"{}\"", at.to_rfc3339()))
            .boxed(),
        FieldType::Date => (0u64..800)
            .prop_map(|days| {
                let date = NaiveDate::default().checked_add_days(chrono::Days::new(20_000 + days));
                format!("\"{}\"", date.unwrap_or_default())
            })
            .boxed(),
        FieldType::Personal => "[a-z 问题]{0,12}"
            .prop_map(|text| format!("{text:?}"))
            .boxed(),
        // Only the desk says it: decoding would refuse it.
        FieldType::Evidence => return Just("null".to_owned()).boxed(),
    };
    if words.is_empty() {
        free
    } else {
        prop_oneof![6 => select(words), 1 => free].boxed()
    }
}

/// Moments around the first days of March 2026.
fn moments() -> impl Strategy<Value = DateTime<FixedOffset>> {
    (-100_000i64..400_000).prop_map(|seconds| {
        DateTime::from_timestamp(1_772_413_200 + seconds, 0)
            .unwrap_or_default()
            .fixed_offset()
    })
}

/// Histories of so many moves: facts in and out of order, told late, retracted.
pub fn histories(
    rulebook: &Rulebook,
    process: Process,
    length: Range<usize>,
) -> BoxedStrategy<Vec<Move>> {
    vec(moves(rulebook, process), length).boxed()
}

/// One move.
pub fn moves(rulebook: &Rulebook, process: Process) -> BoxedStrategy<Move> {
    let roles: Vec<String> = rulebook.roles.names().map(str::to_owned).collect();
    let what = prop_oneof![
        20 => facts(rulebook, process).prop_map(What::Fact),
        1 => (0usize..8).prop_map(What::Retraction),
        1 => Just(What::Look),
    ];
    (waits(), told_after(), select(roles), what, any::<bool>())
        .prop_map(
            |(wait_seconds, told_after_seconds, role, what, enforced)| Move {
                wait_seconds,
                told_after_seconds,
                role,
                what,
                enforced,
            },
        )
        .boxed()
}

/// Waits of seconds, minutes, hours, days, and sometimes none at all.
pub fn waits() -> impl Strategy<Value = i64> {
    prop_oneof![2 => Just(0), 4 => 1i64..120, 4 => 60i64..7200, 2 => 3600i64..200_000, 1 => 86_400i64..2_000_000]
}

/// Mostly told at once, sometimes within the tolerance, sometimes much later.
pub fn told_after() -> impl Strategy<Value = i64> {
    prop_oneof![8 => Just(0), 1 => 1i64..600, 1 => 600i64..100_000]
}

/// Plays moves on a bench: what is refused is left out.
pub fn play(rulebook: &Arc<Rulebook>, moves: &[Move]) -> Bench {
    let mut bench = Bench::new(rulebook);
    for step in moves {
        make(&mut bench, step);
    }
    bench
}

/// Makes one move.
pub fn make(bench: &mut Bench, step: &Move) {
    bench.pass(TimeDelta::try_seconds(step.wait_seconds).unwrap_or_default());
    let fact = match &step.what {
        What::Fact(fact) => fact.clone(),
        What::Retraction(back) => {
            let records = bench.case().records();
            let target = records
                .iter()
                .rev()
                .nth(*back)
                .map_or(RecordId::from(0), |record| record.id);
            FactRetracted::new()
                .record(target.to_string())
                .reason("it was wrong")
                .into()
        }
        What::Look => {
            bench.lapse();
            return;
        }
    };
    let mut telling = Telling::now(bench.actor(&step.role))
        .ago(TimeDelta::try_seconds(step.told_after_seconds).unwrap_or_default());
    if !step.enforced {
        telling.mode = Mode::Observe;
    }
    // What is refused leaves no trace: the history is what is left.
    drop(bench.tell(fact, &telling));
}
