//! What a child tells while it works, one line each, so that its parent knows
//! what was answered before it died.

use std::collections::BTreeSet;
use std::io::{self, Write};

/// What a child told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Commands that were begun.
    pub tried: BTreeSet<usize>,
    /// Commands that were answered with success.
    pub answered: BTreeSet<usize>,
    /// What failed, in the words of the errors.
    pub errors: Vec<String>,
    /// The child had nothing left to do.
    pub finished: bool,
}

impl Told {
    /// Takes a line in.
    pub fn hear(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest.parse()) {
            ("try", Ok(n)) => {
                self.tried.insert(n);
            }
            ("done", Ok(n)) => {
                // The note that it was begun may have been what failed.
                self.tried.insert(n);
                self.answered.insert(n);
            }
            ("error", _) => self.errors.push(rest.to_owned()),
            ("finished", _) => self.finished = true,
            _ => {}
        }
    }

    /// Takes all lines in.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut told = Self::default();
        text.lines().for_each(|line| told.hear(line));
        told
    }
}

/// Tells a line in one write. A failed write is tried once more, because a single
/// failure may be what is being injected; if it still fails nobody listens.
pub(crate) fn tell(line: &str) {
    let line = format!("{line}\n");
    let mut out = io::stdout().lock();
    if out.write_all(line.as_bytes()).is_err() {
        drop(out.write_all(line.as_bytes()));
    }
}
