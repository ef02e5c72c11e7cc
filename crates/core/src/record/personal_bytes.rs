//! The personal values of a fact as bytes: a salt, and the values by field.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Salt;
use crate::personal::Personal;
use crate::vocabulary::JsonText;

/// How many hexadecimal figures the salt has.
const SALT_FIGURES: usize = 32;

/// Personal values as they are written: names and texts.
pub(super) struct Written<'a> {
    pub(super) salt: &'a Salt,
    pub(super) fields: &'a [(&'static str, &'a str)],
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let salt = format!("{:032x}", u128::from_be_bytes(*self.salt));
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("salt", &salt)?;
        map.serialize_entry("fields", &Values(self.fields))?;
        map.end()
    }
}

struct Values<'a>(&'a [(&'static str, &'a str)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// Personal values as they were read: names and texts in the order they were
/// written.
pub(super) type Fields<'a> = Vec<(JsonText<'a>, Personal<String>)>;

/// Reads personal values: their fields in the order they were written.
pub(super) fn read(text: &str) -> Result<Fields<'_>, serde_json::Error> {
    let mut source = serde_json::Deserializer::from_str(text);
    let fields = serde::Deserializer::deserialize_map(&mut source, Envelope)?;
    source.end()?;
    Ok(fields)
}

struct Envelope;

impl<'de> Visitor<'de> for Envelope {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a salt and fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
        use serde::de::Error as _;
        let mut fields = None;
        let mut salted = false;
        while let Some(name) = map.next_key::<&str>()? {
            match name {
                "salt" => salted = map.next_value::<&str>()?.len() == SALT_FIGURES,
                "fields" => fields = Some(map.next_value::<Read>()?.0),
                other => {
                    let problem = A::Error::custom(format!("unknown member `{other}`"));
                    map.next_value::<IgnoredAny>()?;
                    return Err(problem);
                }
            }
        }
        match fields {
            Some(fields) if salted => Ok(fields),
            Some(_) | None => Err(A::Error::custom("the salt or the fields are missing")),
        }
    }
}

struct Read<'a>(Fields<'a>);

impl<'de> serde::Deserialize<'de> for Read<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct ByField;
        impl<'de> Visitor<'de> for ByField {
            type Value = Read<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("personal values by field")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = map.next_key()? {
                    fields.push((name, Personal::new(map.next_value()?)));
                }
                Ok(Read(fields))
            }
        }
        source.deserialize_map(ByField)
    }
}
