//! The record: a fact in its envelope, as the log keeps it.
//!
//! What the log stores of a record is [`Sealed`]: a body, and the personal
//! values apart from it. The body names the personal fields and commits to the
//! stored personal bytes by a digest; the chain runs over bodies only. So the
//! personal bytes can be sealed or erased later without touching a link.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{Actor, RecordId, StreamId};
use crate::personal::Personal;
use crate::vocabulary::{Fact, FieldType, PersonalFields, StoredFact, Value};

/// The shape of the body; a reader that meets a higher number says so.
const BODY_SHAPE: u32 = 1;
/// The chain's name for its algorithm and domain.
const CHAIN_DOMAIN: &str = "chain/1";
/// How many bytes of salt the personal bytes carry, in hexadecimal figures.
const SALT_FIGURES: usize = 32;

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
    #[serde(with = "record_id")]
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

mod record_id {
    use serde::{Deserialize, Serialize};

    use super::{RecordId, RecordIdText};

    pub(super) fn serialize<S: serde::Serializer>(
        id: &RecordId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        RecordIdText(*id).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        source: D,
    ) -> Result<RecordId, D::Error> {
        RecordIdText::deserialize(source).map(|id| id.0)
    }
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

/// A fact or notice in its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
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
    pub chain: Digest,
}

impl Record {
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

/// A record before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// See [`Record::id`].
    pub id: RecordId,
    /// See [`Record::stream`].
    pub stream: StreamId,
    /// See [`Record::version`].
    pub version: u64,
    /// See [`Record::occurred_at`].
    pub occurred_at: DateTime<FixedOffset>,
    /// See [`Record::recorded_at`].
    pub recorded_at: DateTime<Utc>,
    /// See [`Record::by`].
    pub by: Actor,
    /// See [`Record::done_by`].
    pub done_by: Option<Actor>,
    /// See [`Record::rulebook`].
    pub rulebook: Digest,
    /// See [`Record::evidence`].
    pub evidence: Vec<Evidence>,
    /// See [`Record::cause`].
    pub cause: Option<RecordId>,
    /// See [`Record::content`].
    pub content: Content,
}

/// A record as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The chain link, a line feed, and the body.
    pub body: Vec<u8>,
    /// The personal values, if there are any.
    pub personal: Option<Vec<u8>>,
}

/// Sixteen random bytes from the caller, so that the digest of a short personal
/// value (a phone number) cannot be turned back by trying all of them.
pub type Salt = [u8; 16];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    v: u32,
    id: RecordIdText,
    stream: StreamId,
    version: u64,
    occurred_at: DateTime<FixedOffset>,
    recorded_at: DateTime<Utc>,
    by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done_by: Option<Actor>,
    rulebook: Digest,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<RecordIdText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fact: Option<StoredFact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    personal: Option<Commitment>,
}

/// A ULID in its text form. (The crate's own serde support wants its `std`
/// feature, and with it a clock and a source of randomness.)
#[derive(Clone, Copy)]
struct RecordIdText(RecordId);

impl Serialize for RecordIdText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
    }
}

impl<'de> Deserialize<'de> for RecordIdText {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = RecordId;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a ULID: 26 characters such as 01KM7Z3N9W0000000000000000")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RecordId, E> {
                RecordId::from_string(text)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        source.deserialize_str(Text).map(Self)
    }
}

/// What the body says of the personal values stored apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Commitment {
    fields: Vec<String>,
    hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonalBytes {
    salt: String,
    fields: std::collections::BTreeMap<String, String>,
}

/// Stored bytes that are no record, or not the record they ought to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// The bytes do not parse.
    #[error("the record cannot be read: {0}")]
    Unreadable(String),
    /// A newer writer's shape.
    #[error(
        "the record has shape {found}, this program reads up to {BODY_SHAPE}; use a newer program"
    )]
    Newer {
        /// The shape found.
        found: u32,
    },
    /// The link does not follow from the one before and the body.
    #[error(
        "the record was altered, or the one before it is not the one it was written after: its chain link does not fit"
    )]
    ChainBroken,
    /// Personal bytes that are not the ones the body commits to.
    #[error("the personal values were altered: they do not fit the record's commitment")]
    PersonalAltered,
    /// The envelope names another place than the log does.
    #[error("the record says it is version {says} of {stream}, but stands at another place")]
    Misplaced {
        /// The stream it names.
        stream: StreamId,
        /// The version it names.
        says: u64,
    },
}

/// The link before the first record of a stream.
pub fn chain_origin(stream: &StreamId) -> Digest {
    Digest::of("chain-origin/1", &[stream.as_str().as_bytes()])
}

fn link(before: &Digest, body: &[u8]) -> Digest {
    Digest::of(CHAIN_DOMAIN, &[before.as_bytes(), body])
}

fn commitment(personal: &[u8]) -> Digest {
    Digest::of("personal/1", &[personal])
}

/// Puts a draft in its place behind `before` and turns it into bytes.
///
/// # Errors
/// Only if the record cannot be written as JSON, which no valid record does.
pub fn seal(draft: Draft, before: &Digest, salt: &Salt) -> Result<(Record, Sealed), BadRecord> {
    let unreadable = |error: serde_json::Error| BadRecord::Unreadable(error.to_string());
    let (fact, notice, personal_fields) = match &draft.content {
        Content::Fact(fact) => (
            Some(StoredFact(fact.clone())),
            None,
            PersonalFields::of(fact),
        ),
        Content::Notice(notice) => (None, Some(notice.clone()), PersonalFields::default()),
    };
    let personal = if personal_fields.0.is_empty() {
        None
    } else {
        let names = personal_fields
            .0
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let bytes = serde_json::to_vec(&PersonalBytes {
            salt: salt.iter().map(|byte| format!("{byte:02x}")).collect(),
            fields: personal_fields
                .0
                .into_iter()
                .map(|(name, text)| (name, text.into_inner()))
                .collect(),
        })
        .map_err(unreadable)?;
        Some((
            Commitment {
                fields: names,
                hash: commitment(&bytes),
            },
            bytes,
        ))
    };
    let (commitment, personal_bytes) = personal.unzip();
    let body = Body {
        v: BODY_SHAPE,
        id: RecordIdText(draft.id),
        stream: draft.stream,
        version: draft.version,
        occurred_at: draft.occurred_at,
        recorded_at: draft.recorded_at,
        by: draft.by,
        done_by: draft.done_by,
        rulebook: draft.rulebook,
        evidence: draft.evidence,
        cause: draft.cause.map(RecordIdText),
        fact,
        notice,
        personal: commitment,
    };
    let json = serde_json::to_vec(&body).map_err(unreadable)?;
    let chain = link(before, &json);
    let mut bytes = chain.to_string().into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(&json);
    let record = Record {
        id: draft.id,
        stream: body.stream,
        version: draft.version,
        occurred_at: body.occurred_at,
        recorded_at: body.recorded_at,
        by: body.by,
        done_by: body.done_by,
        rulebook: body.rulebook,
        evidence: body.evidence,
        cause: draft.cause,
        content: draft.content,
        chain,
    };
    Ok((
        record,
        Sealed {
            body: bytes,
            personal: personal_bytes,
        },
    ))
}

/// Reads a record's bytes and proves that they follow `before`.
///
/// Personal bytes may be missing: erased values keep their names.
///
/// # Errors
/// If the bytes do not parse, or do not follow, or were altered.
pub fn open(sealed: &Sealed, before: &Digest) -> Result<Record, BadRecord> {
    let (chain, json) = split(&sealed.body)?;
    if link(before, json) != chain {
        return Err(BadRecord::ChainBroken);
    }
    if let Some(personal) = &sealed.personal {
        let body: Body = parse(json)?;
        match &body.personal {
            Some(committed) if commitment(personal) == committed.hash => {}
            Some(_) | None => return Err(BadRecord::PersonalAltered),
        }
        return assemble(body, chain, Some(personal));
    }
    assemble(parse(json)?, chain, None)
}

/// Reads a record's bytes without proving the chain: for readers that trust the
/// log, as a desk does with what it has just written.
///
/// # Errors
/// If the bytes do not parse.
pub fn open_unproved(sealed: &Sealed) -> Result<Record, BadRecord> {
    let (chain, json) = split(&sealed.body)?;
    assemble(parse(json)?, chain, sealed.personal.as_deref())
}

fn split(bytes: &[u8]) -> Result<(Digest, &[u8]), BadRecord> {
    let cut = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| BadRecord::Unreadable("it has no chain link in front".to_owned()))?;
    let (chain, rest) = bytes.split_at(cut);
    let chain = std::str::from_utf8(chain)
        .map_err(|error| BadRecord::Unreadable(error.to_string()))?
        .parse()
        .map_err(|error: crate::digest::NoDigest| BadRecord::Unreadable(error.to_string()))?;
    Ok((chain, rest.get(1..).unwrap_or_default()))
}

fn parse(json: &[u8]) -> Result<Body, BadRecord> {
    serde_json::from_slice(json).map_err(|error| {
        #[derive(Deserialize)]
        struct Shape {
            v: u32,
        }
        match serde_json::from_slice::<Shape>(json) {
            Ok(Shape { v }) if v > BODY_SHAPE => BadRecord::Newer { found: v },
            Ok(_) | Err(_) => BadRecord::Unreadable(error.to_string()),
        }
    })
}

fn assemble(body: Body, chain: Digest, personal: Option<&[u8]>) -> Result<Record, BadRecord> {
    let content = match (body.fact, body.notice) {
        (Some(StoredFact(mut fact)), None) => {
            restore_personal(&mut fact, body.personal.as_ref(), personal)?;
            restore_evidence(&mut fact, &body.evidence);
            Content::Fact(fact)
        }
        (None, Some(notice)) => Content::Notice(notice),
        (Some(_), Some(_)) | (None, None) => {
            return Err(BadRecord::Unreadable(
                "it holds neither one fact nor one notice".to_owned(),
            ));
        }
    };
    Ok(Record {
        id: body.id.0,
        stream: body.stream,
        version: body.version,
        occurred_at: body.occurred_at,
        recorded_at: body.recorded_at,
        by: body.by,
        done_by: body.done_by,
        rulebook: body.rulebook,
        evidence: body.evidence,
        cause: body.cause.map(|id| id.0),
        content,
        chain,
    })
}

fn restore_personal(
    fact: &mut Fact,
    committed: Option<&Commitment>,
    bytes: Option<&[u8]>,
) -> Result<(), BadRecord> {
    let Some(committed) = committed else {
        return Ok(());
    };
    let mut values = match bytes {
        Some(bytes) => {
            let read: PersonalBytes = serde_json::from_slice(bytes)
                .map_err(|error| BadRecord::Unreadable(error.to_string()))?;
            if read.salt.len() != SALT_FIGURES {
                return Err(BadRecord::PersonalAltered);
            }
            read.fields
        }
        None => std::collections::BTreeMap::new(),
    };
    for name in &committed.fields {
        match fact.spec().field(name) {
            Some((place, field)) if field.field_type == FieldType::Personal => {
                fact.set_at(
                    place,
                    Value::Personal(values.remove(name).map(Personal::new)),
                );
            }
            Some(_) | None => {
                return Err(BadRecord::Unreadable(format!(
                    "`{name}` is no personal field"
                )));
            }
        }
    }
    Ok(())
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
