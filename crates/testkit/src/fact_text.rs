//! What can be said to a scenario: a typed fact, or a line of text.

use chrono::{DateTime, Utc};
use thirdring_core::Fact;
use thirdring_core::written::Step;

/// A fact, and the role of who did it where that was said.
#[derive(Debug, Clone)]
pub enum Said {
    /// A typed fact.
    Typed(Fact),
    /// A line such as `backup_taken visit=1 by=service_engineer`.
    Written(String),
}

impl From<Fact> for Said {
    fn from(fact: Fact) -> Self {
        Self::Typed(fact)
    }
}

impl From<&str> for Said {
    fn from(line: &str) -> Self {
        Self::Written(line.to_owned())
    }
}

impl Said {
    /// The fact and the role; `@+26h` counts from `start`.
    #[track_caller]
    pub(crate) fn read(self, start: DateTime<Utc>) -> (Fact, Option<String>) {
        let line = match self {
            Self::Typed(fact) => return (fact, None),
            Self::Written(line) => line,
        };
        match Step::parse(&line, start) {
            Ok(Step {
                fact: Some(fact),
                by,
                ..
            }) => (fact, by),
            Ok(_) => crate::fail(&format!("`{line}` names no fact")),
            Err(bad) => crate::fail(&format!("`{line}`: {bad}")),
        }
    }
}
