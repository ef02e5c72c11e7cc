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
        let text = self.text();
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
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

    /// The text form: the algorithm, a colon, 64 hexadecimal figures.
    pub(crate) fn text(&self) -> [u8; Self::TEXT_BYTES] {
        let mut text = [b':'; Self::TEXT_BYTES];
        let (name, rest) = text.split_at_mut(ALGORITHM.len());
        name.copy_from_slice(ALGORITHM.as_bytes());
        let (pairs, _) = rest.split_at_mut(1).1.as_chunks_mut::<2>();
        for ([high, low], byte) in pairs.iter_mut().zip(self.0) {
            *high = figure_of(byte >> 4);
            *low = figure_of(byte & 0xf);
        }
        text
    }

    /// Reads the text form. There is one spelling only: a digest that could be
    /// written in two ways would let a stored byte change unnoticed.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        let hex = text
            .strip_prefix(ALGORITHM.as_bytes())?
            .strip_prefix(b":")?;
        let (pairs, rest) = hex.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        // Figures come at random: one look at the end costs less than a guess
        // at each of them.
        let mut strange = 0;
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (value_of(*high), value_of(*low));
            strange |= high | low;
            *byte = high << 4 | low & 0xf;
        }
        (strange <= 0xf).then_some(Self(bytes))
    }
}

/// A hexadecimal figure, in small letters.
const fn figure_of(value: u8) -> u8 {
    if value < 10 {
        b'0' + value
    } else {
        b'a' + value - 10
    }
}

/// What each byte is worth as a hexadecimal figure; more than 15 if it is none.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[figure_of(value) as usize] = value;
        value += 1;
    }
    values
};

#[expect(clippy::indexing_slicing, reason = "a byte is below 256")]
const fn value_of(figure: u8) -> u8 {
    VALUES[figure as usize]
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
