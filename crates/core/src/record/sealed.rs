//! Records as bytes, and the chain over them.

use std::borrow::Cow;

use super::body::{BODY_SHAPE, Body, Commitment};
use super::{Content, Draft, Record, personal_bytes};
use crate::digest::Digest;
use crate::ids::StreamId;
use crate::vocabulary::{JsonText, StoredFact, personal_fields};

/// The chain's name for its algorithm and domain.
const CHAIN_DOMAIN: &str = "chain/1";
/// What most bodies fit in, in bytes.
const BODY_USUAL: usize = 640;

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
        stream: String,
        /// The version it names.
        says: u64,
    },
}

/// The link before the first record of a stream.
pub fn chain_origin(stream: &StreamId) -> Digest {
    Digest::of("chain-origin/1", &[stream.as_str().as_bytes()])
}

pub(super) fn link(before: &Digest, body: &[u8]) -> Digest {
    Digest::of(CHAIN_DOMAIN, &[before.as_bytes(), body])
}

pub(super) fn commitment(personal: &[u8]) -> Digest {
    Digest::of("personal/1", &[personal])
}

/// Puts a draft in its place behind `before` and turns it into bytes.
///
/// # Errors
/// Only if the record cannot be written as JSON, which no valid record does.
pub fn seal(draft: Draft, before: &Digest, salt: &Salt) -> Result<(Record, Sealed), BadRecord> {
    let unreadable = |error: serde_json::Error| BadRecord::Unreadable(error.to_string());
    let (fact, notice, fields) = match &draft.content {
        Content::Fact(fact) => (
            Some(StoredFact(Cow::Borrowed(fact))),
            None,
            personal_fields(fact),
        ),
        Content::Notice(notice) => (None, Some(Cow::Borrowed(notice)), Vec::new()),
    };
    let personal = if fields.is_empty() {
        None
    } else {
        let fields = &fields;
        Some(serde_json::to_vec(&personal_bytes::Written { salt, fields }).map_err(unreadable)?)
    };
    let body = Body {
        v: BODY_SHAPE,
        id: draft.id,
        stream: JsonText::Borrowed(draft.stream.as_str()),
        version: draft.version,
        occurred_at: draft.occurred_at,
        recorded_at: draft.recorded_at,
        by: (&draft.by).into(),
        done_by: draft.done_by.as_ref().map(Into::into),
        rulebook: draft.rulebook,
        evidence: Cow::Borrowed(&draft.evidence),
        cause: draft.cause,
        fact,
        notice,
        personal: personal.as_deref().map(|bytes| Commitment {
            fields: fields
                .iter()
                .map(|(name, _)| JsonText::Borrowed(name))
                .collect(),
            hash: commitment(bytes),
        }),
    };
    // The link stands in front, and is known last.
    let mut bytes = Vec::with_capacity(BODY_USUAL);
    bytes.extend_from_slice(&[b'\n'; LINK_BYTES]);
    serde_json::to_writer(&mut bytes, &body).map_err(unreadable)?;
    let (front, json) = bytes.split_at_mut(LINK_BYTES);
    let chain = link(before, json);
    if let Some(text) = front.get_mut(..Digest::TEXT_BYTES) {
        text.copy_from_slice(&chain.text());
    }
    let sealed = Sealed {
        body: bytes,
        personal,
    };
    Ok((draft.chained(chain), sealed))
}

/// What stands before the JSON of a body: the link and a line feed.
const LINK_BYTES: usize = Digest::TEXT_BYTES + 1;

/// The link and the JSON of stored bytes.
pub(super) fn split(bytes: &[u8]) -> Result<(Digest, &[u8]), BadRecord> {
    let missing = || BadRecord::Unreadable("it has no chain link in front".to_owned());
    let (chain, rest) = bytes
        .split_at_checked(Digest::TEXT_BYTES)
        .ok_or_else(missing)?;
    let chain = Digest::from_text(chain).ok_or_else(missing)?;
    let json = rest.strip_prefix(b"\n").ok_or_else(missing)?;
    Ok((chain, json))
}
