//! The body of a record: the JSON that stands behind its chain link.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use super::{Evidence, Notice, text};
use crate::digest::Digest;
use crate::ids::{Actor, RecordId};
use crate::vocabulary::{JsonText, StoredFact};

/// The shape of the body; a reader that meets a higher number says so.
pub(super) const BODY_SHAPE: u32 = 1;

/// A body. Texts are borrowed: from the record that is written, or from the
/// bytes that are read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body<'a> {
    pub(super) v: u32,
    #[serde(with = "text::record_id")]
    pub(super) id: RecordId,
    #[serde(borrow)]
    pub(super) stream: JsonText<'a>,
    pub(super) version: u64,
    #[serde(with = "text::moment")]
    pub(super) occurred_at: DateTime<FixedOffset>,
    #[serde(with = "text::moment")]
    pub(super) recorded_at: DateTime<Utc>,
    #[serde(borrow)]
    pub(super) by: Person<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) done_by: Option<Person<'a>>,
    pub(super) rulebook: Digest,
    #[serde(default, skip_serializing_if = "none")]
    pub(super) evidence: Cow<'a, [Evidence]>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "text::optional_record_id"
    )]
    pub(super) cause: Option<RecordId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fact: Option<StoredFact<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) notice: Option<Cow<'a, Notice>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) personal: Option<Commitment<'a>>,
}

fn none(evidence: &[Evidence]) -> bool {
    evidence.is_empty()
}

/// Somebody in a role, as the body names them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person<'a> {
    #[serde(borrow)]
    pub(super) id: JsonText<'a>,
    #[serde(borrow)]
    pub(super) role: JsonText<'a>,
}

impl<'a> From<&'a Actor> for Person<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self {
            id: JsonText::Borrowed(&actor.id),
            role: JsonText::Borrowed(&actor.role),
        }
    }
}

/// What the body says of the personal values stored apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Commitment<'a> {
    #[serde(borrow)]
    pub(super) fields: Vec<JsonText<'a>>,
    pub(super) hash: Digest,
}
