//! Records, before and after they are stored.

use std::fmt;

use crate::stream::StreamId;

/// The identity of a record for ever: 16 bytes chosen by the caller, unique in
/// the whole log. Ids that grow with time (such as ULIDs) are cheapest to store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(pub [u8; 16]);

impl fmt::Display for RecordId {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

/// A record to be appended.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// Identity of the record; repeating it later is recognised as a retry.
    pub id: RecordId,
    /// What is recorded: any bytes.
    pub body: Vec<u8>,
    /// Bytes about persons, stored apart from `body` so that they can be erased
    /// without touching it. `None` and `Some(empty)` are different values.
    pub personal: Option<Vec<u8>>,
}

/// A record as the log holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Place in the partition's order of commits: dense, from 1.
    pub position: u64,
    /// The stream it stands in.
    pub stream: StreamId,
    /// Place within the stream: gapless, from 1.
    pub version: u64,
    /// Identity of the record.
    pub id: RecordId,
    /// What was recorded, byte for byte.
    pub body: Vec<u8>,
    /// Bytes about persons, byte for byte.
    pub personal: Option<Vec<u8>>,
}

impl StoredRecord {
    /// Bytes of `body` and `personal` together.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        content_bytes(&self.body, self.personal.as_deref())
    }
}

impl NewRecord {
    /// Bytes of `body` and `personal` together.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        content_bytes(&self.body, self.personal.as_deref())
    }
}

fn content_bytes(body: &[u8], personal: Option<&[u8]>) -> usize {
    body.len().saturating_add(personal.map_or(0, <[u8]>::len))
}

/// Stands for personal bytes in debug output, which may end in a log file.
struct Withheld(Option<usize>);

impl fmt::Debug for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("none"),
            Some(bytes) => write!(f, "{bytes} bytes, withheld"),
        }
    }
}

/// Stands for the body in debug output: its length says enough.
struct Length(usize);

impl fmt::Debug for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

impl fmt::Debug for NewRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRecord")
            .field("id", &self.id)
            .field("body", &Length(self.body.len()))
            .field("personal", &Withheld(self.personal.as_ref().map(Vec::len)))
            .finish()
    }
}

impl fmt::Debug for StoredRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRecord")
            .field("position", &self.position)
            .field("stream", &self.stream)
            .field("version", &self.version)
            .field("id", &self.id)
            .field("body", &Length(self.body.len()))
            .field("personal", &Withheld(self.personal.as_ref().map(Vec::len)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_content() {
        let record = NewRecord {
            id: RecordId([1; 16]),
            body: b"secret body".to_vec(),
            personal: Some(b"Li Lei 13800000000".to_vec()),
        };
        let text = format!("{record:?}");
        assert!(!text.contains("secret") && !text.contains("Li"), "{text}");
        assert!(text.contains("18 bytes, withheld"), "{text}");
    }
}
