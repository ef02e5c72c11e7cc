//! Opening records: from bytes back to what was recorded, with proof.

use super::body::{BODY_SHAPE, Body, Commitment, Person};
use super::sealed::{BadRecord, Sealed, commitment, link, split};
use super::{Content, Record, personal_bytes, restore_evidence};
use crate::digest::Digest;
use crate::ids::{Actor, StreamId};
use crate::vocabulary::{Fact, FieldType, JsonText, Value};

/// How many people are remembered from one record to the next.
const ACTORS_KEPT: usize = 8;

/// Opens records. It remembers the people it met, since the same few record
/// most of a log; so one opener for many records is cheaper than one for each.
#[derive(Debug, Clone, Default)]
pub struct Opener {
    /// The latest to be met stands last.
    actors: Vec<Actor>,
}

impl Opener {
    /// Reads a record's bytes and proves that they follow `before` in `stream`.
    ///
    /// Personal bytes may be missing: erased values keep their names.
    ///
    /// # Errors
    /// If the bytes do not parse, or do not follow, or were altered, or belong
    /// to another stream.
    pub fn open(
        &mut self,
        sealed: &Sealed,
        stream: &StreamId,
        before: &Digest,
    ) -> Result<Record, BadRecord> {
        let (chain, json) = split(&sealed.body)?;
        if link(before, json) != chain {
            return Err(BadRecord::ChainBroken);
        }
        let body = parse(json)?;
        if body.stream.as_str() != stream.as_str() {
            return Err(BadRecord::Misplaced {
                stream: body.stream.as_str().to_owned(),
                says: body.version,
            });
        }
        if let Some(personal) = &sealed.personal {
            match &body.personal {
                Some(committed) if commitment(personal) == committed.hash => {}
                Some(_) | None => return Err(BadRecord::PersonalAltered),
            }
        }
        self.assemble(body, stream.clone(), chain, sealed.personal.as_deref())
    }

    /// Reads a record's bytes without proving anything: for readers that trust
    /// the log, as a desk does with what it has just written.
    ///
    /// # Errors
    /// If the bytes do not parse.
    pub fn open_unproved(&mut self, sealed: &Sealed) -> Result<Record, BadRecord> {
        let (chain, json) = split(&sealed.body)?;
        let body = parse(json)?;
        let stream = StreamId::new(body.stream.as_str())
            .map_err(|error| BadRecord::Unreadable(error.to_string()))?;
        self.assemble(body, stream, chain, sealed.personal.as_deref())
    }

    fn assemble(
        &mut self,
        body: Body<'_>,
        stream: StreamId,
        chain: Digest,
        personal: Option<&[u8]>,
    ) -> Result<Record, BadRecord> {
        let by = self.actor(&body.by)?;
        let done_by = match &body.done_by {
            Some(person) => Some(self.actor(person)?),
            None => None,
        };
        let content = match (body.fact, body.notice) {
            (Some(fact), None) => {
                let mut fact = fact.0.into_owned();
                restore_personal(&mut fact, body.personal.as_ref(), personal)?;
                restore_evidence(&mut fact, &body.evidence);
                Content::Fact(fact)
            }
            (None, Some(notice)) => Content::Notice(notice.into_owned()),
            (Some(_), Some(_)) | (None, None) => {
                return Err(BadRecord::Unreadable(
                    "it holds neither one fact nor one notice".to_owned(),
                ));
            }
        };
        Ok(Record {
            id: body.id,
            stream,
            version: body.version,
            occurred_at: body.occurred_at,
            recorded_at: body.recorded_at,
            by,
            done_by,
            rulebook: body.rulebook,
            evidence: body.evidence.into_owned(),
            cause: body.cause,
            content,
            chain,
        })
    }

    fn actor(&mut self, person: &Person<'_>) -> Result<Actor, BadRecord> {
        let (id, role) = (person.id.as_str(), person.role.as_str());
        let known = |actor: &&Actor| *actor.id == *id && *actor.role == *role;
        if let Some(actor) = self.actors.iter().rev().find(known) {
            return Ok(actor.clone());
        }
        let actor =
            Actor::new(id, role).map_err(|error| BadRecord::Unreadable(error.to_string()))?;
        if self.actors.len() == ACTORS_KEPT {
            self.actors.remove(0);
        }
        self.actors.push(actor.clone());
        Ok(actor)
    }
}

fn parse(json: &[u8]) -> Result<Body<'_>, BadRecord> {
    // Checked as a whole: quicker than text by text.
    let text = str::from_utf8(json).map_err(|error| BadRecord::Unreadable(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| {
        #[derive(serde::Deserialize)]
        struct Shape {
            v: u32,
        }
        match serde_json::from_str::<Shape>(text) {
            Ok(Shape { v }) if v > BODY_SHAPE => BadRecord::Newer { found: v },
            Ok(_) | Err(_) => BadRecord::Unreadable(error.to_string()),
        }
    })
}

fn restore_personal(
    fact: &mut Fact,
    committed: Option<&Commitment<'_>>,
    bytes: Option<&[u8]>,
) -> Result<(), BadRecord> {
    let Some(committed) = committed else {
        return Ok(());
    };
    let values = match bytes {
        Some(bytes) => {
            let text =
                str::from_utf8(bytes).map_err(|error| BadRecord::Unreadable(error.to_string()))?;
            personal_bytes::read(text).map_err(|error| BadRecord::Unreadable(error.to_string()))?
        }
        None => Vec::new(),
    };
    let mut values = values.into_iter().peekable();
    for name in committed.fields.iter().map(JsonText::as_str) {
        match fact.spec().field(name) {
            Some((place, field)) if field.field_type == FieldType::Personal => {
                // Both lists are in the order the fact was written in.
                let value = values
                    .next_if(|(known, _)| known.as_str() == name)
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
