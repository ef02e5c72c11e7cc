//! Facts in JSON: as people propose them and as the log stores them.
//!
//! A fact is one flat object, `{"type":"call_answered","call":"1","rings":3}`.
//! It is decoded straight into typed fields by its declaration, never through a
//! generic tree (unless the writer put `type` behind other members).

use std::cell::RefCell;
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Fact, FactSpec, FactType, FieldSpec, FieldType, Value, nearest, printable};
use crate::personal::Personal;

/// The longest word, reference or key, in bytes.
const WORD_BYTES_MAX: usize = 256;
/// The longest personal text, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The most words in a list.
const WORDS_MAX: usize = 64;

/// What is wrong with a fact as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}; {remedy}")]
pub struct FactProblem {
    /// The member at fault, e.g. `fact.rings`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub remedy: String,
}

impl FactProblem {
    pub(crate) fn new(
        field: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let one_line = |text: String| printable(&text).replace('\n', " ");
        Self {
            field: one_line(field.into()),
            problem: one_line(problem.into()),
            remedy: one_line(remedy.into()),
        }
    }
}

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

/// Cuts what a hostile writer made long.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 120;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain("…".chars()).collect()
    }
}

/// Where a fact's JSON comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From outside: everything is checked.
    Proposed,
    /// From our own log: it was checked once; its personal fields lie apart.
    Stored,
}

/// A fact as the log stores it, without its personal fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredFact(pub(crate) Fact);

impl<'de> serde::Deserialize<'de> for StoredFact {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let found = RefCell::new(None);
        (FactSeed {
            problem: &found,
            origin: Origin::Stored,
        })
        .deserialize(source)
        .map(Self)
    }
}

impl Serialize for StoredFact {
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

/// The personal fields of a fact, to be stored apart: name and text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PersonalFields(pub(crate) Vec<(String, Personal<String>)>);

impl PersonalFields {
    /// What of `fact` is personal and not erased.
    pub(crate) fn of(fact: &Fact) -> Self {
        Self(
            fact.fields()
                .filter_map(|(name, value)| match value {
                    Value::Personal(Some(text)) => Some((name.to_owned(), text.clone())),
                    Value::Personal(None)
                    | Value::Int(_)
                    | Value::Flag(_)
                    | Value::Word(_)
                    | Value::Words(_)
                    | Value::Instant(_)
                    | Value::Date(_) => None,
                })
                .collect(),
        )
    }
}

/// A name that is borrowed from the input where that holds it unescaped.
enum Text<'de> {
    Borrowed(&'de str),
    Owned(String),
}

impl Text<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl<'de> serde::Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text::Owned(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text::Owned(text))
            }
        }
        source.deserialize_str(TextVisitor)
    }
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
        while let Some(name) = map.next_key::<Text<'de>>()? {
            let name = name.as_str();
            match fact.as_mut() {
                None if name == "type" => {
                    let type_name = map.next_value::<Text<'de>>().map_err(|_| {
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

/// Reads one field by its type. `None` is JSON's null.
struct ValueSeed<'a> {
    name: &'a str,
    field_type: FieldType,
    /// Whether it is the fact's key, which may also be written as a number.
    key: bool,
    problem: &'a RefCell<Option<FactProblem>>,
    origin: Origin,
}

/// What keeps a text from being recorded, and the remedy.
fn text_problem(text: &str, bytes_max: usize, prose: bool) -> Option<(String, &'static str)> {
    if text.len() > bytes_max {
        return Some((
            format!("{} bytes are too long, at most {bytes_max} fit", text.len()),
            "shorten it, or keep the document elsewhere and record its reference",
        ));
    }
    let bad = text
        .chars()
        .find(|c| c.is_control() && !(prose && matches!(c, '\n' | '\t')))?;
    Some((
        format!("it holds the control character U+{:04X}", u32::from(bad)),
        "remove it: text is kept as readable characters",
    ))
}

impl Fact {
    /// What the decoder checks, for facts that typed code built.
    pub(crate) fn check(&self) -> Result<(), FactProblem> {
        let problem = |name: &str, (problem, remedy): (String, &str)| {
            FactProblem::new(format!("fact.{name}"), problem, remedy)
        };
        if let (Some(spec), Some(key)) = (self.spec().key, self.key()) {
            if key.trim().is_empty() {
                return Err(problem(
                    spec.name,
                    ("the key is empty".to_owned(), "name it, e.g. \"1\""),
                ));
            }
            if let Some(bad) = text_problem(key, WORD_BYTES_MAX, false) {
                return Err(problem(spec.name, bad));
            }
        }
        for (name, value) in self.fields() {
            let bad = match value {
                Value::Word(word) => text_problem(word, WORD_BYTES_MAX, false),
                Value::Words(words) if words.len() > WORDS_MAX => {
                    Some((format!("more than {WORDS_MAX} words"), "shorten the list"))
                }
                Value::Words(words) => words
                    .iter()
                    .find_map(|word| text_problem(word, WORD_BYTES_MAX, false)),
                Value::Personal(Some(text)) => text_problem(text.reveal(), TEXT_BYTES_MAX, true),
                Value::Instant(at) if !(0..=9999).contains(&at.year()) => Some((
                    format!("the year {} cannot be written", at.year()),
                    "give a year of four figures",
                )),
                Value::Date(on) if !(0..=9999).contains(&on.year()) => Some((
                    format!("the year {} cannot be written", on.year()),
                    "give a year of four figures",
                )),
                Value::Instant(_)
                | Value::Date(_)
                | Value::Personal(None)
                | Value::Int(_)
                | Value::Flag(_) => None,
            };
            if let Some(bad) = bad {
                return Err(problem(name, bad));
            }
        }
        Ok(())
    }
}

impl ValueSeed<'_> {
    fn fail<E: serde::de::Error>(
        &self,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> E {
        let problem = FactProblem::new(format!("fact.{}", self.name), problem, remedy);
        let error = E::custom(&problem);
        self.problem.replace(Some(problem));
        error
    }

    fn wrong<E: serde::de::Error>(&self, got: &str) -> E {
        self.fail(
            format!(
                "expected a {}, got {}",
                self.field_type.name(),
                shorten(got)
            ),
            format!("write e.g. \"{}\":{}", self.name, self.field_type.example()),
        )
    }

    fn checked<E: serde::de::Error>(&self, text: &str, bytes_max: usize) -> Result<String, E> {
        // What the log holds was checked when it came in; were a bound tightened
        // later, an old record must still be readable.
        let prose = self.field_type == FieldType::Personal;
        let bad = match self.origin {
            Origin::Proposed => text_problem(text, bytes_max, prose),
            Origin::Stored => None,
        };
        match bad {
            Some((problem, remedy)) => Err(self.fail(problem, remedy)),
            None => Ok(text.to_owned()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} for `{}`", self.field_type.name(), self.name)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Self::Value, E> {
        match self.field_type {
            FieldType::Flag | FieldType::Evidence => Ok(Some(Value::Flag(flag))),
            FieldType::Int
            | FieldType::Word
            | FieldType::Words
            | FieldType::Instant
            | FieldType::Date
            | FieldType::Personal => Err(self.wrong(&flag.to_string())),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
        match self.field_type {
            FieldType::Int if number < 0 => Err(self.fail(
                format!("{number} is below zero, and this counts something"),
                format!("write e.g. \"{}\":{}", self.name, self.field_type.example()),
            )),
            FieldType::Int => Ok(Some(Value::Int(number))),
            FieldType::Word if self.key => Ok(Some(Value::Word(number.to_string()))),
            FieldType::Flag
            | FieldType::Evidence
            | FieldType::Word
            | FieldType::Words
            | FieldType::Instant
            | FieldType::Date
            | FieldType::Personal => Err(self.wrong(&format!("the number {number}"))),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => Err(self.fail(
                format!("the number {number} is too large"),
                format!("write a whole number up to {}", i64::MAX),
            )),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Err(self.wrong(&format!("the number {number}")))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match self.field_type {
            FieldType::Word => {
                let word = self.checked(text, WORD_BYTES_MAX)?;
                if self.key && word.trim().is_empty() {
                    return Err(self.fail("the key is empty", "name it, e.g. \"1\""));
                }
                Ok(Some(Value::Word(word)))
            }
            FieldType::Personal => {
                let text = self.checked(text, TEXT_BYTES_MAX)?;
                // Blank text says nothing. Kept, it would count as said once it
                // was erased, when nobody can see any more that it was blank.
                let said = !text.trim().is_empty();
                Ok(said.then(|| Value::Personal(Some(Personal::new(text)))))
            }
            FieldType::Instant => match DateTime::parse_from_rfc3339(text) {
                Ok(at) => Ok(Some(Value::Instant(at))),
                Err(_) => Err(self.fail(
                    format!("`{}` is no moment with a zone", shorten(text)),
                    "write RFC 3339 with an offset, e.g. 2026-03-02T09:00:00+08:00",
                )),
            },
            FieldType::Date => match text.parse::<NaiveDate>() {
                Ok(on) => Ok(Some(Value::Date(on))),
                Err(_) => Err(self.fail(
                    format!("`{}` is no date", shorten(text)),
                    "write year-month-day, e.g. 2026-03-02",
                )),
            },
            FieldType::Int | FieldType::Flag | FieldType::Evidence | FieldType::Words => {
                Err(self.wrong(&format!("the text \"{text}\"")))
            }
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        if self.field_type != FieldType::Words {
            return Err(self.wrong("a list"));
        }
        let mut words = Vec::new();
        while let Some(word) = seq
            .next_element::<std::borrow::Cow<'de, str>>()
            .map_err(|_| self.wrong::<A::Error>("a list that holds other things than words"))?
        {
            if words.len() == WORDS_MAX && self.origin == Origin::Proposed {
                return Err(self.fail(format!("more than {WORDS_MAX} words"), "shorten the list"));
            }
            words.push(self.checked(&word, WORD_BYTES_MAX)?);
        }
        Ok(Some(Value::Words(words)))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(self.wrong("an object"))
    }
}
