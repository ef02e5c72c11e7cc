//! Records as bytes, and the chain over them.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use super::{Content, Draft, Evidence, Notice, Record, personal_bytes, restore_evidence, text};
use crate::digest::Digest;
use crate::ids::{Actor, RecordId, StreamId};
use crate::vocabulary::{Fact, FieldType, PersonalFields, StoredFact, Value};

/// The shape of the body; a reader that meets a higher number says so.
const BODY_SHAPE: u32 = 1;
/// The chain's name for its algorithm and domain.
const CHAIN_DOMAIN: &str = "chain/1";

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
    #[serde(with = "text::record_id")]
    id: RecordId,
    stream: StreamId,
    version: u64,
    #[serde(with = "text::moment")]
    occurred_at: DateTime<FixedOffset>,
    #[serde(with = "text::moment")]
    recorded_at: DateTime<Utc>,
    by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    done_by: Option<Actor>,
    rulebook: Digest,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional_record_id"
    )]
    cause: Option<RecordId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fact: Option<StoredFact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    personal: Option<Commitment>,
}

/// What the body says of the personal values stored apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Commitment {
    fields: Vec<String>,
    hash: Digest,
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
        let bytes = serde_json::to_vec(&personal_bytes::Written {
            salt,
            fields: &personal_fields,
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
        id: draft.id,
        stream: draft.stream,
        version: draft.version,
        occurred_at: draft.occurred_at,
        recorded_at: draft.recorded_at,
        by: draft.by,
        done_by: draft.done_by,
        rulebook: draft.rulebook,
        evidence: draft.evidence,
        cause: draft.cause,
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
    let missing = || BadRecord::Unreadable("it has no chain link in front".to_owned());
    let (chain, rest) = bytes
        .split_at_checked(Digest::TEXT_BYTES)
        .ok_or_else(missing)?;
    let chain = Digest::from_text(chain).ok_or_else(missing)?;
    let json = rest.strip_prefix(b"\n").ok_or_else(missing)?;
    Ok((chain, json))
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
        id: body.id,
        stream: body.stream,
        version: body.version,
        occurred_at: body.occurred_at,
        recorded_at: body.recorded_at,
        by: body.by,
        done_by: body.done_by,
        rulebook: body.rulebook,
        evidence: body.evidence,
        cause: body.cause,
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
        Some(bytes) => personal_bytes::read(bytes)
            .map_err(|error| BadRecord::Unreadable(error.to_string()))?
            .0
            .into_iter()
            .peekable(),
        None => Vec::new().into_iter().peekable(),
    };
    for name in &committed.fields {
        match fact.spec().field(name) {
            Some((place, field)) if field.field_type == FieldType::Personal => {
                // Both lists are in the order the fact was written in.
                let value = values
                    .next_if(|(known, _)| known == name)
                    .map(|(_, text)| text);
                fact.set_at(place, Value::Personal(value));
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
