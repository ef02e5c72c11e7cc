//! Derived fields: what a condition may ask that no fact says outright.
//!
//! Each is a typed function with a name, a sentence and a test. This is the one
//! place where code may look at facts in a way rules cannot write.

use std::collections::BTreeMap;

use crate::scene::Scene;
use crate::vocabulary::ticket::visit::{
    AppointmentAgreed, AppointmentMoved, DispatchRequested, VisitAbandoned, VisitWrittenOff,
};
use crate::vocabulary::{Fact, FactType, Scalar, Value};

/// A typed function of the judged fact and the past before it.
#[derive(Debug, Clone, Copy)]
pub struct DerivedField {
    /// The name rules use.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What is so where it is true, and where it is false.
    pub says: [&'static str; 2],
    /// Whether later facts can make it otherwise, so that what it forbids now can
    /// be right then.
    pub passes: bool,
    /// The facts it looks at, so that a clock knows when to ask again.
    pub reads: &'static [FactType],
    /// The function; `None` where it has no answer.
    pub value: fn(&Scene<'_>) -> Option<Scalar>,
}

/// Every derived field.
pub const ALL: &[DerivedField] = &[
    DerivedField {
        name: "after_agreed_time",
        doc: "The fact happened later than the time last agreed for its visit begins.",
        says: ["the agreed time has begun", "the agreed time has not begun"],
        passes: false,
        reads: &[AppointmentAgreed::TYPE, AppointmentMoved::TYPE],
        value: after_agreed_time,
    },
    DerivedField {
        name: "visits_open",
        doc: "Some visit was requested and is neither written off nor given up.",
        says: ["a visit is open", "no visit is open"],
        passes: true,
        reads: &[
            DispatchRequested::TYPE,
            VisitWrittenOff::TYPE,
            VisitAbandoned::TYPE,
        ],
        value: visits_open,
    },
];

/// The derived field of that name.
pub fn named(name: &str) -> Option<&'static DerivedField> {
    ALL.iter().find(|field| field.name == name)
}

fn after_agreed_time(scene: &Scene<'_>) -> Option<Scalar> {
    let key = scene.key();
    let latest = [AppointmentAgreed::TYPE, AppointmentMoved::TYPE]
        .into_iter()
        .filter_map(|fact| scene.history.latest_value(fact, "from", key, scene.end))
        .max_by_key(|(_, position)| *position);
    match latest? {
        (Value::Instant(from), _) => Some(Scalar::Flag(scene.happened_at > from.to_utc())),
        _ => None,
    }
}

fn visits_open(scene: &Scene<'_>) -> Option<Scalar> {
    let key_at = |position: usize| scene.history.fact(position).and_then(Fact::key);
    let mut ended: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for fact in [VisitWrittenOff::TYPE, VisitAbandoned::TYPE] {
        for position in scene.history.positions_before(fact, scene.end) {
            let latest = ended.entry(key_at(position)).or_default();
            *latest = position.max(*latest);
        }
    }
    let open = scene
        .history
        .positions_before(DispatchRequested::TYPE, scene.end)
        .any(|position| {
            ended
                .get(&key_at(position))
                .is_none_or(|ended| *ended < position)
        });
    Some(Scalar::Flag(open))
}
