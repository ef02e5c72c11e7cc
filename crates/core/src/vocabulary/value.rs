//! The values a fact's fields hold.

use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::personal::Personal;

/// What a field of a fact may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// A whole number.
    Int,
    /// Yes or no.
    Flag,
    /// A word out of a closed list of the manual, or a reference (a sheet
    /// number, an entry id): text that belongs to no person.
    Word,
    /// Several words.
    Words,
    /// A moment, with the offset the speaker used.
    Instant,
    /// A civil date.
    Date,
    /// Text that belongs to a person or may name one: stored apart.
    Personal,
    /// Yes or no, found in another stream and filled in by the desk, never by
    /// the caller.
    Evidence,
}

impl FieldType {
    /// The name of the type as documents and errors write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "whole number",
            Self::Flag => "true or false",
            Self::Word => "word",
            Self::Words => "list of words",
            Self::Instant => "moment with zone",
            Self::Date => "date",
            Self::Personal => "personal text",
            Self::Evidence => "evidence (filled in by the desk)",
        }
    }

    /// A value of this type as one would write it in JSON.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Int => "3",
            Self::Flag | Self::Evidence => "true",
            Self::Word => "\"phone\"",
            Self::Words => "[\"standard_script\"]",
            Self::Instant => "\"2026-03-02T09:00:00+08:00\"",
            Self::Date => "\"2026-03-02\"",
            Self::Personal => "\"the screen stays black\"",
        }
    }
}

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Flag(bool),
    /// A word or reference.
    Word(String),
    /// Several words.
    Words(Vec<String>),
    /// A moment, with the offset it was told in.
    Instant(DateTime<FixedOffset>),
    /// A civil date.
    Date(NaiveDate),
    /// Personal text; `None` once it was erased: that it was there is still
    /// known.
    Personal(Option<Personal<String>>),
}

impl Value {
    /// The value as a rule's conditions see it; personal text has no such face.
    pub fn as_scalar(&self) -> Option<Scalar> {
        match self {
            Self::Int(n) => Some(Scalar::Int(*n)),
            Self::Flag(b) => Some(Scalar::Flag(*b)),
            Self::Word(w) => Some(Scalar::Word(w.clone())),
            Self::Instant(_) | Self::Date(_) | Self::Words(_) | Self::Personal(_) => None,
        }
    }

    /// Whether the value equals the one a rule names.
    pub fn matches(&self, wanted: &Scalar) -> bool {
        match (self, wanted) {
            (Self::Int(a), Scalar::Int(b)) => a == b,
            (Self::Flag(a), Scalar::Flag(b)) => a == b,
            (Self::Word(a), Scalar::Word(b)) => a == b,
            (Self::Words(all), Scalar::Word(b)) => all.contains(b),
            _ => false,
        }
    }

    /// Whether something was said: empty text and empty lists count as silence.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Word(w) => w.trim().is_empty(),
            Self::Words(all) => all.is_empty(),
            Self::Personal(Some(text)) => text.reveal().trim().is_empty(),
            Self::Personal(None)
            | Self::Int(_)
            | Self::Flag(_)
            | Self::Instant(_)
            | Self::Date(_) => false,
        }
    }
}

/// A value as a rule may name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Flag(bool),
    /// A word.
    Word(String),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Flag(b) => write!(f, "{b}"),
            Self::Word(w) => f.write_str(w),
        }
    }
}
