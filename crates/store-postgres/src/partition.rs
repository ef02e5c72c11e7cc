//! Which partition a stream belongs to.

use sha2::{Digest, Sha256};
use thirdring_store::StreamId;

/// Number of partitions, fixed for ever.
pub const PARTITIONS: usize = 64;

/// The partition of a stream, for ever: the first byte of the SHA-256 of its
/// name in UTF-8, modulo 64. In SQL:
/// `get_byte(sha256(convert_to(stream, 'UTF8')), 0) % 64`.
#[must_use]
pub fn partition_of(stream: &StreamId) -> usize {
    let hash = Sha256::digest(stream.as_str().as_bytes());
    usize::from(hash.first().copied().unwrap_or(0)) % PARTITIONS
}

/// As it stands in a row.
pub(crate) fn part(partition: usize) -> i16 {
    i16::try_from(partition).unwrap_or(i16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: a stream that moved would be two streams.
    #[test]
    fn the_partition_of_a_stream_never_changes() {
        for (name, partition) in [
            ("a", 10),
            ("ticket/4711", 25),
            ("ticket/01ARZ3NDEKTSV4RRFFQ69G5FAV", 10),
            ("工单/4711 ü", 57),
            (" ", 54),
        ] {
            let stream = StreamId::new(name).unwrap();
            assert_eq!(partition_of(&stream), partition, "{name:?}");
        }
    }
}
