//! Where a reader of the whole log stands.

use std::fmt;
use std::str::FromStr;

/// Where a reader of the whole log stands: one position per partition, the last
/// one it has seen. Opaque to callers; keep it as text and hand it back.
///
/// The text form is `c1` and, for each partition, `-` and a decimal number. The
/// digit is the version of the form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Cursor {
    /// Empty means: before the first record, in however many partitions.
    positions: Vec<u64>,
}

/// Why a text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CursorTextError {
    /// The text does not begin with `c1`.
    #[error(
        "{text:?} is not a cursor of this version: it must begin with `c1`; pass a cursor exactly as it was given out"
    )]
    Form {
        /// The beginning of the text.
        text: String,
    },
    /// One of its positions is not a number of 64 bits in its shortest form.
    #[error(
        "position {nth} of the cursor is not a number: {text:?}; pass a cursor exactly as it was given out"
    )]
    Position {
        /// Which position, from 1.
        nth: usize,
        /// The beginning of the offending part.
        text: String,
    },
}

impl Cursor {
    /// Before the first record of any log.
    #[must_use]
    pub fn start() -> Self {
        Self::default()
    }

    /// For backends: a cursor from the last position seen in each partition.
    #[must_use]
    pub fn from_positions(positions: Vec<u64>) -> Self {
        if positions.iter().all(|&position| position == 0) {
            // One form only for the start, so that equal places compare equal.
            return Self::start();
        }
        Self { positions }
    }

    /// For backends with `partitions` partitions: the last position seen in
    /// each, or `None` if the cursor was made by a log with another number.
    #[must_use]
    pub fn positions(&self, partitions: usize) -> Option<Vec<u64>> {
        if self.positions.is_empty() {
            return Some(vec![0; partitions]);
        }
        (self.positions.len() == partitions).then(|| self.positions.clone())
    }

    /// For backends with one partition: the last position seen.
    #[must_use]
    pub fn single(&self) -> Option<u64> {
        match self.positions.as_slice() {
            [] => Some(0),
            [position] => Some(*position),
            _ => None,
        }
    }

    /// Number of partitions the cursor speaks of; 0 for the start.
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.positions.len()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("c1")?;
        self.positions
            .iter()
            .try_for_each(|position| write!(f, "-{position}"))
    }
}

impl FromStr for Cursor {
    type Err = CursorTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(rest) = text.strip_prefix("c1") else {
            return Err(CursorTextError::Form {
                text: beginning(text),
            });
        };
        let mut parts = rest.split('-');
        // What stands between `c1` and the first dash must be nothing.
        if parts.next() != Some("") {
            return Err(CursorTextError::Form {
                text: beginning(text),
            });
        }
        let mut positions = Vec::new();
        for (index, part) in parts.enumerate() {
            let number = part
                .parse::<u64>()
                .ok()
                .filter(|number| number.to_string() == part);
            let Some(number) = number else {
                return Err(CursorTextError::Position {
                    nth: index.saturating_add(1),
                    text: beginning(part),
                });
            };
            positions.push(number);
        }
        Ok(Self::from_positions(positions))
    }
}

/// Enough of a text for an error message, however long the text is.
fn beginning(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for positions in [vec![], vec![1], vec![u64::MAX], vec![0, 7, 0]] {
            let cursor = Cursor::from_positions(positions);
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        assert_eq!(Cursor::from_positions(vec![17]).to_string(), "c1-17");
        assert_eq!(Cursor::from_positions(vec![0]), Cursor::start());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "17",
            "c1x",
            "c2-1",
            "c17",
            "c1-",
            "c1-1-",
            "c1--1",
            "c1-+1",
            "c1-01",
            "c1-18446744073709551616",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?} was taken");
        }
    }
}
