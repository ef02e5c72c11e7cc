//! Random batches beside a model far smaller than any log.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use super::Backend;
use super::scene::{scan_all, stream};
use crate::append::{Append, AppendError, Expected};
use crate::log::Log;
use crate::record::{NewRecord, RecordId};

const STREAMS: u8 = 3;

/// What a record says: its stream, body and personal bytes.
type Content = (u8, Vec<u8>, Option<Vec<u8>>);

/// A part of a batch: stream, expectation, and records as (id, content).
type Part = (u8, Expected, Vec<(u8, Content)>);

/// What is stored, in order, and what an append should answer.
#[derive(Default)]
struct Model(Vec<(u8, Content)>);

#[derive(Debug, PartialEq)]
enum Answer {
    Written(Vec<(u64, u64)>),
    Replayed(Vec<(u64, u64)>),
    Conflict(Vec<(u8, u64)>),
    IdTaken,
    PartlyKnown,
}

impl Model {
    fn head(&self, stream: u8) -> u64 {
        self.0
            .iter()
            .filter(|(_, content)| content.0 == stream)
            .count() as u64
    }

    fn place(&self, index: usize) -> (u64, u64) {
        let upto = Model(self.0[..=index].to_vec());
        (index as u64 + 1, upto.head(self.0[index].1.0))
    }

    fn append(&mut self, batch: &[Part]) -> Answer {
        let records: Vec<_> = batch.iter().flat_map(|part| &part.2).collect();
        let found: Vec<_> = records
            .iter()
            .map(|(id, _)| self.0.iter().position(|(known, _)| known == id))
            .collect();
        let mut same = found.iter().zip(&records);
        if same.any(|(index, (_, content))| index.is_some_and(|index| self.0[index].1 != *content))
        {
            return Answer::IdTaken;
        }
        if let Some(all) = found.iter().copied().collect::<Option<Vec<_>>>()
            && !all.is_empty()
        {
            return Answer::Replayed(all.into_iter().map(|index| self.place(index)).collect());
        }
        if found.iter().any(Option::is_some) {
            return Answer::PartlyKnown;
        }
        let conflicts: Vec<_> = batch
            .iter()
            .filter(|(stream, expected, _)| !expected.admits(self.head(*stream)))
            .map(|(stream, ..)| (*stream, self.head(*stream)))
            .collect();
        if !conflicts.is_empty() {
            return Answer::Conflict(conflicts);
        }
        let before = self.0.len();
        self.0.extend(records.into_iter().cloned());
        Answer::Written(
            (before..self.0.len())
                .map(|index| self.place(index))
                .collect(),
        )
    }
}

fn id(n: u8) -> RecordId {
    RecordId([n; 16])
}

fn ask(log: &impl Log, batch: &[Part]) -> Answer {
    let batch: Vec<Append> = batch
        .iter()
        .map(|(name, expected, records)| Append {
            stream: stream(&name.to_string()),
            expected: *expected,
            records: records
                .iter()
                .map(|(n, (_, body, personal))| NewRecord {
                    id: id(*n),
                    body: body.clone(),
                    personal: personal.clone(),
                })
                .collect(),
        })
        .collect();
    match log.append(&batch) {
        Ok(appended) => {
            let places = appended
                .places
                .iter()
                .map(|place| (place.position, place.version));
            if appended.replayed {
                Answer::Replayed(places.collect())
            } else {
                Answer::Written(places.collect())
            }
        }
        Err(AppendError::Conflict(conflicts)) => Answer::Conflict(
            conflicts
                .iter()
                .map(|conflict| (conflict.stream.as_str().parse().unwrap(), conflict.actual))
                .collect(),
        ),
        Err(AppendError::IdTaken { .. }) => Answer::IdTaken,
        Err(AppendError::PartlyKnown { .. }) => Answer::PartlyKnown,
        Err(error) => panic!("{error}"),
    }
}

/// Few streams, few ids and few contents, so that they meet often.
fn batches() -> impl Strategy<Value = Vec<Vec<Part>>> {
    let expected = prop_oneof![
        3 => Just(Expected::Any),
        1 => Just(Expected::NoStream),
        3 => (0_u64..6).prop_map(Expected::Exactly),
    ];
    let content = prop_oneof![
        4 => Just((vec![1, 2, 3], None)),
        1 => Just((vec![], Some(vec![]))),
        2 => (vec(any::<u8>(), 0..20), proptest::option::of(vec(any::<u8>(), 0..20))),
    ];
    let part = (0..STREAMS, expected, vec((0_u8..40, content), 0..4));
    let batch = vec(part, 0..4).prop_map(|parts| {
        // A stream and an id stand once in a batch; another law covers the rest.
        let (mut streams, mut ids) = (BTreeSet::new(), BTreeSet::new());
        let once = parts
            .into_iter()
            .filter(|part| streams.insert(part.0))
            .collect::<Vec<_>>();
        once.into_iter()
            .map(|(stream, expected, records)| {
                let records = records
                    .into_iter()
                    .filter(|(id, _)| ids.insert(*id))
                    .map(|(id, (body, personal))| (id, (stream, body, personal)))
                    .collect();
                (stream, expected, records)
            })
            .collect()
    });
    vec(batch, 1..30)
}

/// Every answer and the whole log agree with the model.
pub fn any_sequence_of_appends_agrees_with_a_model<B: Backend>(_: &B) {
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&batches(), |batches| {
        let backend = B::fresh();
        let log = backend.open();
        let mut model = Model::default();
        for batch in &batches {
            prop_assert_eq!(ask(&log, batch), model.append(batch), "batch {:?}", batch);
        }
        let stored: Vec<_> = scan_all(&log, 5)
            .into_iter()
            .map(|stored| {
                let name = stored.stream.as_str().parse().unwrap();
                (stored.id, (name, stored.body, stored.personal))
            })
            .collect();
        let expected: Vec<_> = model
            .0
            .into_iter()
            .map(|(n, content)| (id(n), content))
            .collect();
        prop_assert_eq!(stored, expected);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
