//! Facts in JSON: as people propose them and as the log stores them.
//!
//! A fact is one flat object, `{"type":"call_answered","call":"1","rings":3}`.
//! It is decoded straight into typed fields by its declaration, never through a
//! generic tree (unless the writer put `type` behind other members).

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::json_text::JsonText;
use super::json_value::{Origin, ValueSeed};
use super::problem::{FactProblem, shorten};
use super::{Fact, FactSpec, FactType, FieldSpec, FieldType, Value, nearest};

/// Reads a fact as a person or a program proposes it.
///
/// # Errors
/// Says which member is wrong, why, and what would be right.
pub fn decode_fact<'de, D: Deserializer<'de>>(source: D) -> Result<Fact, FactProblem> {
    let found = RefCell::new(None);
    match (FactSeed { problem: &found, origin: Origin::Proposed }).deserialize(source) {
        Ok(fact) => Ok(fact),
        Err(other) => Err(found.into_inner().unwrap_or_else(|| {
            FactProblem::new(
                "fact",
                shorten(&other.to_string()),
                "write a fact as an object such as {\"type\":\"call_answered\",\"call\":\"1\",\"rings\":2}",
            )
        })),
    }
}

/// A fact as the log stores it, without its personal fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredFact<'a>(pub(crate) Cow<'a, Fact>);

impl<'de> serde::Deserialize<'de> for StoredFact<'_> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let found = RefCell::new(None);
        (FactSeed {
            problem: &found,
            origin: Origin::Stored,
        })
        .deserialize(source)
        .map(|fact| Self(Cow::Owned(fact)))
    }
}

impl Serialize for StoredFact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_fact(&self.0, false, serializer)
    }
}

impl Serialize for Fact {
    /// The whole fact, personal fields included: for the eyes of whoever may
    /// read the log, never for the log's own storage.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write_fact(self, true, serializer)
    }
}

fn write_fact<S: Serializer>(fact: &Fact, reveal: bool, serializer: S) -> Result<S::Ok, S::Error> {
    let spec = fact.spec();
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("type", spec.name)?;
    if let (Some(key), Some(value)) = (spec.key, fact.key()) {
        map.serialize_entry(key.name, value)?;
    }
    for (place, field) in spec.fields.iter().enumerate() {
        let Some(value) = u8::try_from(place).ok().and_then(|place| fact.at(place)) else {
            continue;
        };
        match value {
            // Evidence stands in the envelope, with where it was found.
            _ if field.field_type == FieldType::Evidence && !reveal => {}
            Value::Int(n) => map.serialize_entry(field.name, n)?,
            Value::Flag(b) => map.serialize_entry(field.name, b)?,
            Value::Word(w) => map.serialize_entry(field.name, w)?,
            Value::Words(all) => map.serialize_entry(field.name, all)?,
            Value::Instant(at) => map.serialize_entry(field.name, &at.to_rfc3339())?,
            Value::Date(on) => map.serialize_entry(field.name, &on.to_string())?,
            Value::Personal(text) if reveal => {
                map.serialize_entry(
                    field.name,
                    text.as_ref()
                        .map_or("(erased)", |text| text.reveal().as_str()),
                )?;
            }
            Value::Personal(_) => {}
        }
    }
    map.end()
}

/// What of a fact is personal and not erased: names and texts.
pub(crate) fn personal_fields(fact: &Fact) -> Vec<(&'static str, &str)> {
    fact.fields()
        .filter_map(|(name, value)| match value {
            Value::Personal(Some(text)) => Some((name, text.reveal().as_str())),
            Value::Personal(None)
            | Value::Int(_)
            | Value::Flag(_)
            | Value::Word(_)
            | Value::Words(_)
            | Value::Instant(_)
            | Value::Date(_) => None,
        })
        .collect()
}

struct FactSeed<'a> {
    problem: &'a RefCell<Option<FactProblem>>,
    origin: Origin,
}

impl FactSeed<'_> {
    fn fail<E: serde::de::Error>(&self, problem: FactProblem) -> E {
        let error = E::custom(&problem);
        self.problem.replace(Some(problem));
        error
    }

    fn type_named<E: serde::de::Error>(&self, name: &str) -> Result<FactType, E> {
        FactType::named(name).ok_or_else(|| {
            let known = FactType::all().map(FactType::name);
            let remedy = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`? `thirdring schema` lists all facts"),
                None => "`thirdring schema` lists all facts".to_owned(),
            };
            self.fail(FactProblem::new(
                "fact.type",
                format!("`{}` is no fact this engine knows", shorten(name)),
                remedy,
            ))
        })
    }

    fn member<E: serde::de::Error>(&self, spec: &FactSpec, name: &str) -> Result<Member, E> {
        if spec.key.is_some_and(|key| key.name == name) {
            return Ok(Member::Key);
        }
        match spec.field(name) {
            Some((_, field))
                if field.field_type == FieldType::Evidence && self.origin == Origin::Proposed =>
            {
                Err(self.fail(FactProblem::new(
                    format!("fact.{name}"),
                    "this is evidence from another stream, which the desk looks up itself",
                    "leave it out",
                )))
            }
            Some((place, field)) => Ok(Member::Field(place, field)),
            None => {
                let known: Vec<&str> = spec
                    .key
                    .iter()
                    .map(|key| key.name)
                    .chain(spec.fields.iter().map(|field| field.name))
                    .collect();
                let remedy = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => format!("`{}` has no fields", spec.name),
                    None => format!("`{}` has: {}", spec.name, known.join(", ")),
                };
                Err(self.fail(FactProblem::new(
                    format!("fact.{}", shorten(name)),
                    format!("`{}` has no such field", spec.name),
                    remedy,
                )))
            }
        }
    }
}

enum Member {
    Key,
    Field(u8, &'static FieldSpec),
}

impl<'de> DeserializeSeed<'de> for FactSeed<'_> {
    type Value = Fact;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Fact, D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FactSeed<'_> {
    type Value = Fact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact: an object with a `type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fact, A::Error> {
        // Members read before the type is known wait here.
        let mut early: Vec<(String, serde_json::Value)> = Vec::new();
        let mut fact: Option<Fact> = None;
        while let Some(name) = map.next_key::<JsonText<'de>>()? {
            let name = name.as_str();
            match fact.as_mut() {
                None if name == "type" => {
                    let type_name = map.next_value::<JsonText<'de>>().map_err(|_| {
                        self.fail::<A::Error>(FactProblem::new(
                            "fact.type",
                            "the type of a fact is a name",
                            "write e.g. \"type\":\"call_answered\"",
                        ))
                    })?;
                    fact = Some(Fact::bare(self.type_named(type_name.as_str())?, None));
                }
                None => early.push((name.to_owned(), map.next_value()?)),
                Some(_) if name == "type" => {
                    return Err(self.fail(FactProblem::new(
                        "fact.type",
                        "the type stands twice",
                        "write it once",
                    )));
                }
                Some(fact) => self.read_member(fact, name, |seed| map.next_value_seed(seed))?,
            }
        }
        let Some(mut fact) = fact else {
            return Err(self.fail(FactProblem::new(
                "fact.type",
                "the fact has no type",
                "add \"type\", e.g. \"type\":\"call_answered\"; `thirdring schema` lists all facts",
            )));
        };
        for (name, value) in early {
            self.read_member(&mut fact, &name, |seed| {
                seed.deserialize(value).map_err(A::Error::custom)
            })?;
        }
        if let Some(key) = fact.spec().key
            && !key.optional
            && fact.key().is_none()
        {
            return Err(self.fail(FactProblem::new(
                format!("fact.{}", key.name),
                format!(
                    "`{}` belongs to one {}, which is missing",
                    fact.spec().name,
                    key.name
                ),
                format!("add \"{}\", e.g. \"{}\":\"1\"", key.name, key.name),
            )));
        }
        Ok(fact)
    }
}

impl FactSeed<'_> {
    fn read_member<E: serde::de::Error>(
        &self,
        fact: &mut Fact,
        name: &str,
        read: impl FnOnce(ValueSeed<'_>) -> Result<Option<Value>, E>,
    ) -> Result<(), E> {
        let member = self.member(fact.spec(), name)?;
        let (field_type, key) = match &member {
            Member::Key => (FieldType::Word, true),
            Member::Field(_, field) => (field.field_type, false),
        };
        let seed = ValueSeed {
            name,
            field_type,
            key,
            problem: self.problem,
            origin: self.origin,
        };
        let value = read(seed)?;
        let twice = match (&member, value) {
            // A null member says nothing: as if it were not there.
            (_, None) => false,
            (Member::Key, Some(Value::Word(word))) => {
                let twice = fact.key.is_some();
                fact.key = Some(word);
                twice
            }
            (Member::Key, Some(_)) => false,
            (Member::Field(place, _), Some(value)) => {
                let twice = fact.at(*place).is_some();
                fact.set_at(*place, value);
                twice
            }
        };
        if twice {
            return Err(self.fail(FactProblem::new(
                format!("fact.{name}"),
                "the member stands twice",
                "write it once",
            )));
        }
        Ok(())
    }
}
