//! One field of a fact in JSON, by its declared type.

use std::cell::RefCell;
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::problem::{FactProblem, shorten};
use super::{Fact, FieldType, Value};
use crate::personal::Personal;

/// The longest word, reference or key, in bytes.
const WORD_BYTES_MAX: usize = 256;
/// The longest personal text, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The most words in a list.
const WORDS_MAX: usize = 64;

/// Where a fact's JSON comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From outside: everything is checked.
    Proposed,
    /// From our own log: it was checked once; its personal fields lie apart.
    Stored,
}

/// Reads one field by its type. `None` is JSON's null.
pub(super) struct ValueSeed<'a> {
    pub(super) name: &'a str,
    pub(super) field_type: FieldType,
    /// Whether it is the fact's key, which may also be written as a number.
    pub(super) key: bool,
    pub(super) problem: &'a RefCell<Option<FactProblem>>,
    pub(super) origin: Origin,
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
            FieldType::Int if number < 0 && self.origin == Origin::Proposed => Err(self.fail(
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
