//! Text that is borrowed from the JSON that holds it.

use std::fmt;

use serde::de::{Deserializer, Visitor};

/// A text that is borrowed from the input where that holds it unescaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonText<'a> {
    /// As it stands in the input, or in what is to be written.
    Borrowed(&'a str),
    /// Without its escapes.
    Owned(String),
}

impl JsonText<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl serde::Serialize for JsonText<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for JsonText<'a> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = JsonText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<JsonText<'de>, E> {
                Ok(JsonText::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<JsonText<'de>, E> {
                Ok(JsonText::Owned(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<JsonText<'de>, E> {
                Ok(JsonText::Owned(text))
            }
        }
        source.deserialize_str(TextVisitor)
    }
}
