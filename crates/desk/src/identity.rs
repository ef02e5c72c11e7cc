//! Ids and salts: the randomness the core must not have.

use chrono::{DateTime, Utc};
use thirdring_core::RecordId;
use thirdring_core::digest::Digest;
use thirdring_core::record::Salt;

/// The machine has no source of randomness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the machine gives no random bytes ({0}); without them no record can get an id of its own")]
pub struct NoRandomness(String);

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
    Ok(bytes)
}

fn millis(moment: DateTime<Utc>) -> u64 {
    u64::try_from(moment.timestamp_millis()).unwrap_or(0)
}

/// A new id, ordered by time.
///
/// # Errors
/// If the machine has no source of randomness.
pub fn fresh_id(now: DateTime<Utc>) -> Result<RecordId, NoRandomness> {
    let mut wide = [0; 16];
    for (to, from) in wide.iter_mut().skip(6).zip(random::<10>()?) {
        *to = from;
    }
    Ok(RecordId::from_parts(millis(now), u128::from_be_bytes(wide)))
}

/// An id that follows from a moment and what is said to have happened: the same
/// line of a file, or the same notice of two machines, gets the same id and is
/// recorded once.
pub fn derived_id(moment: DateTime<Utc>, parts: &[&[u8]]) -> RecordId {
    let digest = Digest::of("record-id/1", parts);
    let mut wide = [0; 16];
    for (to, from) in wide.iter_mut().skip(6).zip(digest.as_bytes()) {
        *to = *from;
    }
    RecordId::from_parts(millis(moment), u128::from_be_bytes(wide))
}

pub(crate) fn salt() -> Result<Salt, NoRandomness> {
    random()
}
