//! One thing that was checked.

use serde::{Serialize, Serializer};

use crate::output::Style;

/// How it stands with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// Records can be lost, or are.
    Bad,
    /// It was not looked at.
    Skipped,
}

impl State {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }

    pub(super) const fn style(self) -> Style {
        match self {
            Self::Ok => Style::Good,
            Self::Warn => Style::Warn,
            Self::Bad => Style::Bad,
            Self::Skipped => Style::Dim,
        }
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One thing that was checked.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    /// Its name: a contract.
    pub(super) name: &'static str,
    /// How it stands with it.
    pub(super) state: State,
    /// What was found.
    pub(super) found: String,
    /// What that means.
    pub(super) means: String,
    /// How to mend it; empty where nothing is to be mended.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) remedy: String,
}

impl Check {
    /// As it should be.
    pub(super) fn ok(
        name: &'static str,
        found: impl Into<String>,
        means: impl Into<String>,
    ) -> Self {
        Self {
            name,
            state: State::Ok,
            found: found.into(),
            means: means.into(),
            remedy: String::new(),
        }
    }

    /// Somebody should look at it.
    pub(super) fn warn(
        name: &'static str,
        found: impl Into<String>,
        means: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Warn,
            remedy: remedy.into(),
            ..Self::ok(name, found, means)
        }
    }

    /// Records can be lost, or are.
    pub(super) fn bad(
        name: &'static str,
        found: impl Into<String>,
        means: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Bad,
            ..Self::warn(name, found, means, remedy)
        }
    }

    /// It was not looked at, and why.
    pub(super) fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self {
            state: State::Skipped,
            ..Self::ok(name, "", why)
        }
    }
}
