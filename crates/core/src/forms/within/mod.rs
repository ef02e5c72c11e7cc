//! `within`: after one fact, another within a limit.

mod waiver;

mod due;
mod moves;
mod read;

pub use waiver::Waiver;

use crate::forms::bound::Bound;
use crate::forms::condition::Test;
use crate::forms::escalation::Steps;
use crate::forms::limit::Limit;
use crate::forms::pattern::{Pattern, describe_all, describe_any};
use crate::vocabulary::FactType;

/// After one fact, another within a limit.
#[derive(Debug, Clone)]
pub struct Within {
    /// What starts a run.
    pub after: Vec<Pattern>,
    /// What answers it.
    pub expect: Vec<Expected>,
    /// Whether all of `expect` are needed, or any one.
    pub all: bool,
    /// The limits; the soonest due moment counts. Empty: it is only measured.
    pub limits: Vec<Bound>,
    /// The field or attribute whose word names the calendar a run is counted
    /// in: the customer's or the site's.
    pub calendar_by: Option<Test>,
    /// Seconds of clock time by which the due moment may be overrun without
    /// harm, where the text itself allows for the clock's own inaccuracy.
    pub grace_seconds: i64,
    /// An instant field of the starting fact the limit counts from.
    pub from_field: Option<String>,
    /// What a second start does while a run is open.
    pub repeat: Repeat,
    /// What lifts the limit.
    pub waived_by: Vec<Waiver>,
    /// What takes the duty away.
    pub cancelled_by: Vec<Pattern>,
    /// What stops the time.
    pub pause: Vec<Pattern>,
    /// What lets it run again.
    pub resume: Vec<Pattern>,
    /// What a condition that begins to hold while a run is open does to it.
    pub on_change: OnChange,
    /// Warnings and escalations.
    pub steps: Steps,
}

/// An expected fact, perhaps not before a moment.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The fact.
    pub pattern: Pattern,
    /// How long after the start it may come at the earliest.
    pub not_before: Option<Limit>,
}

/// What a second start does while a run is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: the first run goes on.
    Keep,
    /// A new run takes the place of the open one.
    Restart,
    /// Every start has a run of its own.
    Each,
}

/// What a condition that begins to hold while a run is open does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// The limit counts from the original start.
    Recompute,
    /// Only time in which the condition held counts.
    Forward,
    /// The limit counts from the moment the condition began to hold.
    Reset,
}

impl Within {
    /// Whether it has no limit and only measures.
    pub const fn is_measure(&self) -> bool {
        self.limits.is_empty()
    }

    /// The types of fact that may change a run.
    pub fn reads(&self) -> Vec<FactType> {
        self.after
            .iter()
            .chain(self.expect.iter().map(|e| &e.pattern))
            .chain(self.waived_by.iter().map(|w| &w.pattern))
            .chain(&self.cancelled_by)
            .chain(&self.pause)
            .chain(&self.resume)
            .map(|pattern| pattern.fact)
            .chain(self.calendar_by.iter().flat_map(Test::reads))
            .collect()
    }

    /// The expected facts, as a person reads them.
    pub fn describe_expected(&self) -> String {
        let patterns: Vec<Pattern> = self.expect.iter().map(|e| e.pattern.clone()).collect();
        if self.all {
            describe_all(&patterns)
        } else {
            describe_any(&patterns)
        }
    }

    /// The limits, as a person reads them.
    pub fn describe_limit(&self) -> String {
        let limits: Vec<String> = self.limits.iter().map(ToString::to_string).collect();
        limits.join(" or, if sooner, ")
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let mut text = format!(
            "after {}: {}",
            describe_any(&self.after),
            self.describe_expected()
        );
        for expected in &self.expect {
            if let Some(limit) = expected.not_before {
                text.push_str(&format!(
                    " ({} not before {limit})",
                    expected.pattern.describe()
                ));
            }
        }
        if self.is_measure() {
            text.push_str(", measured: the text gives no number");
        } else {
            text.push_str(&format!(" within {}", self.describe_limit()));
        }
        if let Some(field) = &self.from_field {
            text.push_str(&format!(" of `{field}`"));
        }
        if let Some(test) = &self.calendar_by {
            text.push_str(&format!(", by the calendar that `{}` names", test.name));
        }
        text
    }

    /// What can happen to a run on the way, as a person reads it.
    pub(crate) fn describe_rest(&self) -> String {
        let mut text = String::new();
        if !self.waived_by.is_empty() {
            let waivers: Vec<String> = self.waived_by.iter().map(Waiver::describe).collect();
            text.push_str(&format!("; lifted by {}", waivers.join(" or ")));
        }
        if !self.pause.is_empty() {
            text.push_str(&format!(
                "; stopped by {}, going on with {}",
                describe_any(&self.pause),
                describe_any(&self.resume)
            ));
        }
        if !self.cancelled_by.is_empty() {
            text.push_str(&format!("; ended by {}", describe_any(&self.cancelled_by)));
        }
        let steps = self.steps.describe();
        if !steps.is_empty() {
            text.push_str("; ");
            text.push_str(&steps);
        }
        text
    }
}
