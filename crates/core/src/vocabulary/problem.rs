//! What is wrong with a fact as it was written.

use super::printable;

/// What is wrong with a fact as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}; {remedy}")]
pub struct FactProblem {
    /// The member at fault, e.g. `fact.rings`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub remedy: String,
}

impl FactProblem {
    pub(crate) fn new(
        field: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let one_line = |text: String| printable(&text).replace('\n', " ");
        Self {
            field: one_line(field.into()),
            problem: one_line(problem.into()),
            remedy: one_line(remedy.into()),
        }
    }
}

/// Cuts what a hostile writer made long.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 120;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain("…".chars()).collect()
    }
}
