//! What a manual says beside its rules: who there is, which words it uses, and
//! how much it lets be told afterwards.

use std::collections::BTreeMap;

use thirdring_calendar::Calendar;

use crate::vocabulary::{FactType, Scalar};

/// The roles of a manual: canonical words and the manual's own words for them.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    /// Canonical word → the manual's words.
    pub aliases: BTreeMap<String, Vec<String>>,
}

impl Roles {
    /// The canonical word for a role, given in whichever word.
    pub fn canonical(&self, name: &str) -> Option<&str> {
        if let Some((canonical, _)) = self.aliases.get_key_value(name) {
            return Some(canonical);
        }
        self.aliases
            .iter()
            .find(|(_, words)| words.iter().any(|word| word == name))
            .map(|(canonical, _)| canonical.as_str())
    }

    /// The canonical words.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.aliases.keys().map(String::as_str)
    }
}

/// A closed list of the values a field may have under a manual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordList {
    /// The fact.
    pub fact: FactType,
    /// Its field.
    pub field: String,
    /// The values.
    pub values: Vec<Scalar>,
}

/// The calendars of a manual: its own, and named ones for other places.
#[derive(Debug, Clone, Copy)]
pub struct Calendars<'a> {
    default: &'a Calendar,
    named: &'a BTreeMap<String, Calendar>,
    /// What an answer is worth that needs holidays nobody has announced.
    pub unannounced: Unannounced,
}

/// What a due moment is worth that needs a year whose holidays nobody has
/// announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unannounced {
    /// It is given, and every verdict that rests on it says so.
    #[default]
    Flag,
    /// None is given until the year is announced.
    Refuse,
}

impl<'a> Calendars<'a> {
    /// A manual's own calendar, and its named ones.
    pub const fn new(
        default: &'a Calendar,
        named: &'a BTreeMap<String, Calendar>,
        unannounced: Unannounced,
    ) -> Self {
        Self {
            default,
            named,
            unannounced,
        }
    }

    /// The named calendar; without a name, or where there is none of that name,
    /// the manual's own.
    pub fn get(self, name: Option<&str>) -> &'a Calendar {
        name.and_then(|name| self.named.get(name))
            .unwrap_or(self.default)
    }

    /// All of them, the manual's own first.
    pub fn all(self) -> impl Iterator<Item = &'a Calendar> {
        std::iter::once(self.default).chain(self.named.values())
    }
}

/// How a manual treats what is told afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Testimony {
    /// A fact recorded more seconds after it happened than this is testimony.
    pub tolerance_seconds: i64,
}
