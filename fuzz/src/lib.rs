//! What the fuzz targets share: facts and ticks of time out of bytes.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use chrono::{DateTime, TimeDelta};
use thirdring_core::judge::Mode;
use thirdring_core::vocabulary::bookkeeping::FactRetracted;
use thirdring_core::vocabulary::{FactType, FieldType, Process, Scalar, decode_fact};
use thirdring_core::{Fact, RecordId, Rulebook};
use thirdring_testkit::{Bench, Pool, Telling, pool_of};

/// What facts are made from under one manual.
#[derive(Debug)]
pub struct Maker {
    types: Vec<FactType>,
    pools: Vec<Pool>,
    roles: Vec<String>,
}

impl Maker {
    /// For the facts of a process under a manual.
    pub fn new(rulebook: &Rulebook, process: Process) -> Self {
        let at_home = |fact: &FactType| [process, Process::Any].contains(&fact.spec().process);
        Self {
            types: FactType::all().filter(at_home).collect(),
            pools: pool_of(rulebook, process),
            roles: rulebook.roles.names().map(str::to_owned).collect(),
        }
    }

    /// Lets time pass, then tells one fact, or only looks at the clocks.
    ///
    /// # Errors
    /// When the bytes are used up.
    pub fn step(&self, bench: &mut Bench, bytes: &mut Unstructured<'_>) -> Result<()> {
        bench.pass(span(bytes)?);
        if bytes.ratio(1, 16)? {
            bench.lapse();
            return Ok(());
        }
        let fact = if bytes.ratio(1, 16)? {
            let back = bytes.int_in_range(0..=7)?;
            let records = bench.case().records();
            let target = records.iter().rev().nth(back).map_or(RecordId::from(0), |record| record.id);
            FactRetracted::new().record(target.to_string()).reason("it was wrong").into()
        } else {
            let Some(fact) = self.fact(bytes)? else { return Ok(()) };
            fact
        };
        let role = bytes.choose(&self.roles)?;
        let mut telling = Telling::now(bench.actor(role));
        if bytes.ratio(1, 6)? {
            telling = telling.ago(span(bytes)?);
        }
        if bytes.ratio(1, 4)? {
            telling.mode = Mode::Observe;
        }
        // Whether it is admitted is the rules' affair; what is left is the history.
        drop(bench.tell(fact, &telling));
        Ok(())
    }

    fn fact(&self, bytes: &mut Unstructured<'_>) -> Result<Option<Fact>> {
        let fact = *bytes.choose(&self.types)?;
        let spec = fact.spec();
        let mut json = serde_json::Map::new();
        json.insert("type".to_owned(), spec.name.into());
        if let Some(key) = spec.key
            && (!key.optional || bytes.ratio(3, 4)?)
        {
            json.insert(key.name.to_owned(), (*bytes.choose(&["1", "2"])?).into());
        }
        for field in spec.fields {
            if bytes.ratio(1, 5)? {
                continue;
            }
            let known = self.pools.iter().find(|pool| pool.fact == fact && pool.field == field.name);
            let values = known.map_or(&[][..], |pool| pool.values.as_slice());
            if let Some(value) = value(field.field_type, values, bytes)? {
                json.insert(field.name.to_owned(), value);
            }
        }
        Ok(decode_fact(serde_json::Value::Object(json)).ok())
    }
}

/// Seconds, minutes, hours, days, or no time at all.
fn span(bytes: &mut Unstructured<'_>) -> Result<TimeDelta> {
    let number = i64::from(u8::arbitrary(bytes)?);
    let unit = *bytes.choose(&[0, 1, 60, 3_600, 86_400])?;
    Ok(TimeDelta::try_seconds(number * unit).unwrap_or_default())
}

fn value(
    field_type: FieldType,
    known: &[Scalar],
    bytes: &mut Unstructured<'_>,
) -> Result<Option<serde_json::Value>> {
    if !known.is_empty() && bytes.ratio(7, 8)? {
        let scalar = |bytes: &mut Unstructured<'_>| -> Result<serde_json::Value> {
            Ok(match bytes.choose(known)? {
                Scalar::Int(number) => (*number).into(),
                Scalar::Flag(flag) => (*flag).into(),
                Scalar::Word(word) => word.as_str().into(),
            })
        };
        if field_type != FieldType::Words {
            return scalar(bytes).map(Some);
        }
        let count = bytes.int_in_range(0..=4)?;
        let words: Result<Vec<serde_json::Value>> = (0..count).map(|_| scalar(bytes)).collect();
        return Ok(Some(words?.into()));
    }
    Ok(match field_type {
        FieldType::Int => Some(i64::arbitrary(bytes)?.into()),
        FieldType::Flag => Some(bool::arbitrary(bytes)?.into()),
        FieldType::Word | FieldType::Personal => Some(<&str>::arbitrary(bytes)?.into()),
        FieldType::Words => Some(vec![<&str>::arbitrary(bytes)?].into()),
        FieldType::Instant => {
            let around = 1_772_413_200 + i64::from(i32::arbitrary(bytes)? >> 8);
            DateTime::from_timestamp(around, 0).map(|moment| moment.to_rfc3339().into())
        }
        FieldType::Date => Some("2026-03-02".into()),
        FieldType::Evidence => None,
    })
}
