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
        let no = || NoDigest(text.chars().take(90).collect());
        let hex = text
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(':'))
            // One spelling only: a digest that could be written in two ways would
            // let a stored byte change unnoticed.
            .filter(|hex| {
                hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            })
            .ok_or_else(no)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| no())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| no())?;
        }
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(source)?;
        text.parse().map_err(serde::de::Error::custom)
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
