//! The name of a stream.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a stream: UTF-8 text of 1 to 255 bytes without control
/// characters. Compared byte by byte; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

/// Why a text is not the name of a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamIdError {
    /// The text is empty.
    #[error("a stream id may not be empty; give it 1 to 255 bytes of text")]
    Empty,
    /// The text has more than [`StreamId::BYTES_MAX`] bytes.
    #[error("a stream id has at most 255 bytes, this one has {found}; shorten it")]
    TooLong {
        /// Length of the text in bytes.
        found: usize,
    },
    /// The text contains a control character, such as a newline.
    #[error(
        "a stream id may not contain control characters, this one has U+{code:04X} at byte {at}; \
         remove it"
    )]
    Control {
        /// Offset of the character in bytes.
        at: usize,
        /// The character's code point.
        code: u32,
    },
}

impl StreamId {
    /// Longest permitted name, in bytes of UTF-8.
    pub const BYTES_MAX: usize = 255;

    /// Checks a text and makes it a stream id.
    ///
    /// # Errors
    /// [`StreamIdError`] if the text is empty, too long or has control characters.
    pub fn new(text: &str) -> Result<Self, StreamIdError> {
        if text.is_empty() {
            return Err(StreamIdError::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(StreamIdError::TooLong { found: text.len() });
        }
        match text.char_indices().find(|(_, c)| c.is_control()) {
            Some((at, c)) => Err(StreamIdError::Control {
                at,
                code: u32::from(c),
            }),
            None => Ok(Self(Arc::from(text))),
        }
    }

    /// The name as text.
    #[must_use]
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
        write!(f, "StreamId({:?})", self.as_str())
    }
}

impl Borrow<str> for StreamId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_borders_of_length() {
        assert_eq!(StreamId::new(""), Err(StreamIdError::Empty));
        assert!(StreamId::new(&"x".repeat(255)).is_ok());
        assert_eq!(
            StreamId::new(&"x".repeat(256)),
            Err(StreamIdError::TooLong { found: 256 })
        );
        // Bytes count, not characters.
        assert_eq!(
            StreamId::new(&"单".repeat(86)),
            Err(StreamIdError::TooLong { found: 258 })
        );
    }

    #[test]
    fn control_characters_are_named() {
        assert_eq!(
            StreamId::new("a\nb"),
            Err(StreamIdError::Control { at: 1, code: 10 })
        );
        assert_eq!(
            StreamId::new("工\u{85}"),
            Err(StreamIdError::Control { at: 3, code: 0x85 })
        );
        assert!(StreamId::new("工单/4711 ü").is_ok());
    }
}
