//! Digests: SHA-256 with a domain in front, so that a digest of one kind can
//! never stand for one of another.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The name of the algorithm, as records write it.
const ALGORITHM: &str = "sha256";

/// A SHA-256 digest over a domain name and content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests parts under a domain; each part's length is part of what is
    /// digested, so that no two lists of parts collide by moving a border.
    pub fn of(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"thirdring/");
        hasher.update(domain.as_bytes());
        hasher.update([0]);
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first characters, for the eye.
    pub fn short(&self) -> String {
        self.0
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest; one reads {ALGORITHM}: and 64 hexadecimal figures")]
pub struct NoDigest(String);

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        Self::from_text(text.as_bytes()).ok_or_else(|| NoDigest(text.chars().take(90).collect()))
    }
}

impl Digest {
    /// How many bytes its text form has.
    pub(crate) const TEXT_BYTES: usize = ALGORITHM.len() + 1 + 64;

    /// Reads the text form. There is one spelling only: a digest that could be
    /// written in two ways would let a stored byte change unnoticed.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        const fn figure(byte: u8) -> Option<u8> {
            match byte {
                b'0'..=b'9' => Some(byte - b'0'),
                b'a'..=b'f' => Some(byte - b'a' + 10),
                _ => None,
            }
        }
        let hex = text
            .strip_prefix(ALGORITHM.as_bytes())?
            .strip_prefix(b":")?;
        let (pairs, rest) = hex.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = figure(*high)? << 4 | figure(*low)?;
        }
        Some(Self(bytes))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a digest")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }
        source.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_borders_matter() {
        let one = Digest::of("a", &[b"bc", b"d"]);
        assert_ne!(one, Digest::of("a", &[b"b", b"cd"]));
        assert_ne!(one, Digest::of("ab", &[b"c", b"d"]));
        assert_eq!(one.to_string().parse::<Digest>(), Ok(one));
        assert!("sha256:xyz".parse::<Digest>().is_err());
        assert!("sha256:éé".parse::<Digest>().is_err());
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let one = Digest::of("a", &[]).to_string();
        let (name, hex) = one.split_at(7);
        assert!(
            format!("{name}{}", hex.to_uppercase())
                .parse::<Digest>()
                .is_err()
        );
        assert!(format!("{name}+{}", &hex[1..]).parse::<Digest>().is_err());
    }
}
