//! Who and what a record speaks of.

use std::fmt;
use std::sync::Arc;

use crate::vocabulary::Process;

/// The longest stream id or person id, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// The id of a stream: one ticket, one shift, one knowledge base.
///
/// `T-1001` is a ticket; a stream of another process names it in front, as in
/// `shift/2026-03-02-li`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

/// A name that cannot serve as an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing, or only blanks.
    #[error("the name is empty; give it at least one character")]
    Empty,
    /// Longer than the limit.
    #[error("{0} bytes are too long for a name; at most {NAME_BYTES_MAX} fit")]
    Long(usize),
    /// A character that cannot be printed.
    #[error("the name holds the control character U+{0:04X}; remove it")]
    Control(u32),
    /// A process in front that does not exist.
    #[error(
        "`{process}` is no process; a stream id is a ticket's name, or begins with one of {known}"
    )]
    UnknownProcess {
        /// What stood before the slash.
        process: String,
        /// What may stand there.
        known: String,
    },
}

fn check_name(name: &str) -> Result<(), BadName> {
    if name.trim().is_empty() {
        return Err(BadName::Empty);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(BadName::Long(name.len()));
    }
    match name.chars().find(|c| c.is_control()) {
        Some(c) => Err(BadName::Control(u32::from(c))),
        None => Ok(()),
    }
}

impl StreamId {
    /// Reads an id.
    ///
    /// # Errors
    /// If it is empty, too long, unprintable, or names an unknown process.
    pub fn new(name: &str) -> Result<Self, BadName> {
        check_name(name)?;
        if let Some((process, _)) = name.split_once('/')
            && Self::process_named(process).is_none()
        {
            return Err(BadName::UnknownProcess {
                process: process.to_owned(),
                known: Process::ALL
                    .iter()
                    .map(|p| format!("{}/", p.name()))
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
        Ok(Self(name.into()))
    }

    fn process_named(name: &str) -> Option<Process> {
        Process::ALL
            .iter()
            .copied()
            .find(|process| process.name() == name)
    }

    /// What kind of stream it is.
    pub fn process(&self) -> Process {
        self.0
            .split_once('/')
            .and_then(|(process, _)| Self::process_named(process))
            .unwrap_or(Process::Ticket)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamId({})", self.0)
    }
}

impl serde::Serialize for StreamId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for StreamId {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Name;
        impl serde::de::Visitor<'_> for Name {
            type Value = StreamId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a stream id")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<StreamId, E> {
                StreamId::new(text).map_err(E::custom)
            }
        }
        source.deserialize_str(Name)
    }
}

/// The id of one record: a ULID, given by whoever proposes, so that the same
/// proposal made twice is recorded once.
pub type RecordId = ulid::Ulid;

/// Someone who did or recorded something, in the role they did it in.
///
/// Cheap to clone: a log names the same few people again and again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// Who: a staff number or account, not a person's name.
    pub id: Arc<str>,
    /// In which role, by the manual's canonical word.
    pub role: Arc<str>,
}

impl Actor {
    /// Someone in a role.
    ///
    /// # Errors
    /// If id or role are empty, too long or unprintable.
    pub fn new(id: impl Into<Arc<str>>, role: impl Into<Arc<str>>) -> Result<Self, BadName> {
        let (id, role) = (id.into(), role.into());
        check_name(&id)?;
        check_name(&role)?;
        Ok(Self { id, role })
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.role)
    }
}

impl serde::Serialize for Actor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut actor = serializer.serialize_struct("Actor", 2)?;
        actor.serialize_field("id", &*self.id)?;
        actor.serialize_field("role", &*self.role)?;
        actor.end()
    }
}

impl<'de> serde::Deserialize<'de> for Actor {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            id: String,
            role: String,
        }
        let raw = Raw::deserialize(source)?;
        Self::new(raw.id, raw.role).map_err(serde::de::Error::custom)
    }
}
