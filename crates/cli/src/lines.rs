//! The JSON lines of the command: their members are a contract.

use chrono_tz::Tz;
use serde::Serialize;
use thirdring::core::judge::{ClockChange, Nonsense, Objection};
use thirdring::core::record::{Notice, Step};
use thirdring::core::rulebook::Rule;
use thirdring::core::{Verdict, VerdictKind};
use thirdring::{OpenClock, Rulebook, StreamId};

use crate::moments;
use crate::then::Turned;

/// Where the manual departs from the text of a rule.
#[derive(Debug, Serialize)]
pub(crate) struct ChangePart {
    what: String,
    because: String,
}

impl ChangePart {
    /// The departures of a rule.
    pub(crate) fn of(rule: &Rule) -> Vec<Self> {
        rule.changes
            .iter()
            .map(|change| Self {
                what: change.what.clone(),
                because: change.because.clone(),
            })
            .collect()
    }

    /// The departures of the rule with an id.
    fn of_id(rulebook: &Rulebook, rule: &str) -> Vec<Self> {
        rulebook.rule(rule).map(Self::of).unwrap_or_default()
    }
}

/// A rule that a proposal does not keep.
#[derive(Debug, Serialize)]
pub(crate) struct ObjectionLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clause: Option<u16>,
    says: String,
    manual: String,
    section: String,
    quote: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangePart>,
    missing: String,
    accepted: String,
    later: &'static str,
}

impl ObjectionLine {
    pub(crate) fn of(objection: &Objection, rulebook: &Rulebook) -> Self {
        Self {
            rule: Some(objection.rule.to_string()),
            clause: Some(objection.clause),
            says: objection.says.clone(),
            manual: objection.manual.clone(),
            section: objection.section.clone(),
            quote: objection.quote.clone(),
            changes: ChangePart::of_id(rulebook, &objection.rule),
            missing: objection.missing.clone(),
            accepted: objection.accepted.clone(),
            later: objection.later.name(),
        }
    }

    /// What makes no sense under any manual has no rule to cite.
    pub(crate) fn nonsense(nonsense: &Nonsense) -> Self {
        let text = nonsense.to_string();
        let (missing, accepted) = text.split_once("; ").unwrap_or((&text, ""));
        Self {
            rule: None,
            clause: None,
            says: "It makes no sense under any manual.".to_owned(),
            manual: String::new(),
            section: String::new(),
            quote: String::new(),
            changes: Vec::new(),
            missing: missing.to_owned(),
            accepted: accepted.to_owned(),
            later: "after_other_facts",
        }
    }
}

/// What a fact did to a clock.
#[derive(Debug, Serialize)]
pub(crate) struct ClockLine {
    rule: String,
    clause: u16,
    key: Option<String>,
    event: &'static str,
    due_at: Option<String>,
}

impl ClockLine {
    pub(crate) fn of(change: &ClockChange, zone: Tz) -> Self {
        Self {
            rule: change.rule.to_string(),
            clause: change.clause,
            key: change.key.clone(),
            event: change.event.name(),
            due_at: change.due_at.map(|due| moments::machine(due, zone)),
        }
    }
}

/// What time alone made of a clock.
#[derive(Debug, Serialize)]
pub(crate) struct NoticeLine {
    pub(crate) stream: String,
    rule: String,
    clause: u16,
    key: Option<String>,
    notice: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<u32>,
    due_at: String,
    to: Option<String>,
    started_by: String,
}

impl NoticeLine {
    pub(crate) fn of(stream: &StreamId, notice: &Notice, zone: Tz) -> Self {
        let (name, step, again) = match notice.step {
            Step::Warned(step) => ("warned", Some(step), None),
            Step::Missed => ("missed", None, None),
            Step::Escalated { rung, again } => ("escalated", Some(rung), Some(again)),
        };
        Self {
            stream: stream.to_string(),
            rule: notice.rule.clone(),
            clause: notice.clause,
            key: notice.key.clone(),
            notice: name,
            step,
            again,
            due_at: moments::machine(notice.due_at, zone),
            to: notice.to.clone(),
            started_by: notice.started_by.to_string(),
        }
    }
}

/// What a rule says about a history. `run`, `show`, `audit` and `judge` print
/// the same shape.
#[derive(Debug, Serialize)]
pub(crate) struct VerdictLine {
    stream: String,
    rule: String,
    clause: u16,
    key: Option<String>,
    verdict: &'static str,
    due: Option<String>,
    at: Option<String>,
    facts: Vec<String>,
    seconds: Option<i64>,
    why: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangePart>,
    /// What was said of the same thing before a later record turned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_then: Option<&'static str>,
    /// The record that turned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    turned_by: Option<String>,
    /// For somebody else's log: the rows of the file the facts come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rows: Vec<u64>,
}

impl VerdictLine {
    pub(crate) fn of(verdict: &Verdict, rulebook: &Rulebook) -> Self {
        let zone = rulebook.calendar.zone();
        Self {
            stream: verdict.stream.to_string(),
            rule: verdict.rule.to_string(),
            clause: verdict.clause,
            key: verdict.key.clone(),
            verdict: verdict.kind.name(),
            due: verdict.due.map(|due| moments::machine(due, zone)),
            at: verdict.at.map(|at| moments::machine(at, zone)),
            facts: verdict.facts.iter().map(ToString::to_string).collect(),
            seconds: verdict.seconds,
            why: verdict.why.to_string(),
            changes: ChangePart::of_id(rulebook, &verdict.rule),
            known_then: None,
            turned_by: None,
            rows: Vec::new(),
        }
    }

    /// With what turned it, if a later record did.
    #[must_use]
    pub(crate) fn turned_by(mut self, turned: Option<&Turned>) -> Self {
        self.known_then = turned.map(|turned| turned.then.name());
        self.turned_by = turned.map(|turned| turned.by.id.to_string());
        self
    }
}

/// A clock that is running.
#[derive(Debug, Serialize)]
pub(crate) struct OpenClockLine {
    stream: String,
    rule: String,
    clause: u16,
    key: Option<String>,
    due_at: Option<String>,
    overdue: bool,
    why: String,
}

impl OpenClockLine {
    pub(crate) fn of(clock: &OpenClock, zone: Tz) -> Self {
        Self {
            stream: clock.stream.to_string(),
            rule: clock.rule.clone(),
            clause: clock.clause,
            key: clock.key.clone(),
            due_at: clock.due_at.map(|due| moments::machine(due, zone)),
            overdue: clock.overdue,
            why: clock.why.clone(),
        }
    }
}

/// An open clock as a line of its own.
#[derive(Debug, Serialize)]
pub(crate) struct OpenClockOnly {
    pub(crate) open_clock: OpenClockLine,
}

/// A notice as a line of its own.
#[derive(Debug, Serialize)]
pub(crate) struct NoticeOnly {
    pub(crate) notice: NoticeLine,
}

/// How many verdicts there are of each kind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts([u64; VerdictKind::ALL.len()]);

impl Counts {
    /// Counts one more.
    pub(crate) fn add(&mut self, kind: VerdictKind) {
        let place = VerdictKind::ALL.iter().position(|known| *known == kind);
        if let Some(count) = place.and_then(|place| self.0.get_mut(place)) {
            *count += 1;
        }
    }

    /// Counts all of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// Kinds and counts, in the order reports list them.
    pub(crate) fn each(&self) -> impl Iterator<Item = (VerdictKind, u64)> {
        VerdictKind::ALL.iter().copied().zip(self.0)
    }

    /// How many there are of one kind.
    pub(crate) fn of(&self, kind: VerdictKind) -> u64 {
        self.each()
            .find(|(known, _)| *known == kind)
            .map_or(0, |(_, count)| count)
    }
}

impl<'v> FromIterator<&'v Verdict> for Counts {
    fn from_iter<I: IntoIterator<Item = &'v Verdict>>(verdicts: I) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            counts.add(verdict.kind);
        }
        counts
    }
}

impl Serialize for Counts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.each().map(|(kind, count)| (kind.name(), count)))
    }
}

/// Whether a verdict stands in machine output without `--all`: rules that
/// nothing happened to concern are only counted.
pub(crate) const fn says_something(kind: VerdictKind) -> bool {
    !matches!(kind, VerdictKind::NotApplicable)
}
