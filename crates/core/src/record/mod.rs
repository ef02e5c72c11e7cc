//! The record: a fact in its envelope, as the log keeps it.
//!
//! What the log stores of a record is [`Sealed`]: a body, and the personal
//! values apart from it. The body names the personal fields and commits to the
//! stored personal bytes by a digest; the chain runs over bodies only. So the
//! personal bytes can be sealed or erased later without touching a link.

mod body;
mod opener;
mod personal_bytes;
mod sealed;
mod text;

pub use opener::Opener;
pub use sealed::{BadRecord, Salt, Sealed, chain_origin, seal};

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{Actor, RecordId, StreamId};
use crate::vocabulary::{Fact, FieldType, Value};

/// Something learned from another stream, sealed at the moment of recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The typed question, by the name of the field it fills.
    pub query: String,
    /// What it was asked about, e.g. the customer's number.
    pub about: String,
    /// The answer.
    pub answer: bool,
    /// The stream that proves a yes, with the version that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_in: Option<SeenIn>,
}

/// Where evidence was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenIn {
    /// The stream.
    pub stream: StreamId,
    /// Its version at that moment.
    pub version: u64,
}

/// The announcement that time made something of a clock. The judge never reads
/// it: it only keeps one announcement from being made twice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The rule whose clock it is.
    pub rule: String,
    /// Which clause of the rule, counted from 1.
    pub clause: u16,
    /// The key the clock runs for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The record that started the clock.
    #[serde(with = "text::record_id")]
    pub started_by: RecordId,
    /// What is announced.
    pub step: Step,
    /// The moment it became true: the due moment of a miss, never the moment
    /// somebody looked.
    pub due_at: DateTime<Utc>,
    /// The role to be told, where the manual names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What a notice announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The n-th warning before the limit, counted from 1.
    Warned(u16),
    /// The limit has passed.
    Missed,
    /// The n-th rung of the escalation ladder, counted from 1, and how often it
    /// was told again.
    Escalated {
        /// The rung.
        rung: u16,
        /// Which repetition; 0 is the first telling.
        again: u32,
    },
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Something that happened.
    Fact(Fact),
    /// Something that was announced.
    Notice(Notice),
}

/// A fact or notice in its envelope, with its link of the chain; without one it
/// is a [`Draft`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<Chain = Digest> {
    /// Its id; the same id is never recorded twice.
    pub id: RecordId,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in the stream, counted from 1.
    pub version: u64,
    /// When it happened, as claimed, in the offset it was told in.
    pub occurred_at: DateTime<FixedOffset>,
    /// When the desk learned it.
    pub recorded_at: DateTime<Utc>,
    /// Who recorded it.
    pub by: Actor,
    /// Who did it, where that was another.
    pub done_by: Option<Actor>,
    /// The rulebook it was judged by.
    pub rulebook: Digest,
    /// What was learned from other streams for this decision.
    pub evidence: Vec<Evidence>,
    /// The record this one follows from, perhaps of another stream.
    pub cause: Option<RecordId>,
    /// The fact or notice itself.
    pub content: Content,
    /// The chain up to and with this record.
    pub chain: Chain,
}

/// Stands in a [`Draft`] where a record has its link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchained;

/// A record before it has its place in the chain.
pub type Draft = Record<Unchained>;

impl<Chain> Record<Chain> {
    /// The fact, unless the record is a notice.
    pub const fn fact(&self) -> Option<&Fact> {
        match &self.content {
            Content::Fact(fact) => Some(fact),
            Content::Notice(_) => None,
        }
    }

    /// Who did it: the one named, else the one who recorded it.
    pub fn doer(&self) -> &Actor {
        self.done_by.as_ref().unwrap_or(&self.by)
    }

    /// When it happened, in UTC.
    pub fn happened_at(&self) -> DateTime<Utc> {
        self.occurred_at.to_utc()
    }
}

impl Draft {
    /// The record the draft becomes with its link of the chain.
    pub(crate) fn chained(self, chain: Digest) -> Record {
        Record {
            id: self.id,
            stream: self.stream,
            version: self.version,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
            by: self.by,
            done_by: self.done_by,
            rulebook: self.rulebook,
            evidence: self.evidence,
            cause: self.cause,
            content: self.content,
            chain,
        }
    }
}

pub(crate) fn restore_evidence(fact: &mut Fact, evidence: &[Evidence]) {
    for found in evidence {
        // Only a field that holds evidence is evidence's to fill.
        if let Some((place, field)) = fact.spec().field(&found.query)
            && field.field_type == FieldType::Evidence
        {
            fact.set_at(place, Value::Flag(found.answer));
        }
    }
}
