//! A verdict: what a clause of a rule says about one thing that happened, with
//! the facts that prove it.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::ids::{RecordId, StreamId};
use crate::judge::Case;
use crate::rulebook::Rule;

/// What a rule says about a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerdictKind {
    /// It was kept.
    Kept,
    /// It was broken.
    Broken,
    /// It is not decided yet: a clock is running.
    Pending,
    /// A fact waived its limit.
    Waived,
    /// Another rule of the manual lifted it.
    Lifted,
    /// Nothing happened that it speaks of.
    NotApplicable,
    /// The log cannot show it.
    Unobservable,
    /// Somebody vouched for it; never counted as kept.
    Attested,
    /// The text gives no number: only how long it took.
    Measured,
}

impl VerdictKind {
    /// Every kind, in the order reports list them.
    pub const ALL: &[Self] = &[
        Self::Broken,
        Self::Pending,
        Self::Kept,
        Self::Waived,
        Self::Lifted,
        Self::Attested,
        Self::Measured,
        Self::Unobservable,
        Self::NotApplicable,
    ];

    /// The word for it in machine output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Broken => "broken",
            Self::Pending => "pending",
            Self::Waived => "waived",
            Self::Lifted => "lifted",
            Self::NotApplicable => "not_applicable",
            Self::Unobservable => "unobservable",
            Self::Attested => "attested",
            Self::Measured => "measured",
        }
    }
}

/// What one clause of a rule says about one thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The stream.
    pub stream: StreamId,
    /// The rule.
    pub rule: Arc<str>,
    /// Which clause of it, from 1.
    pub clause: u16,
    /// The key it is about: which call, which visit.
    pub key: Option<String>,
    /// The verdict.
    pub kind: VerdictKind,
    /// When it was or is due, for clocks.
    pub due: Option<DateTime<Utc>>,
    /// When it was decided: the judged fact, or the fact that stopped the clock.
    pub at: Option<DateTime<Utc>>,
    /// The facts that prove it, the judged one first.
    pub facts: Vec<RecordId>,
    /// How long it took or takes, in seconds, for clocks.
    pub seconds: Option<i64>,
    /// The reason, in a sentence.
    pub why: Cow<'static, str>,
}

/// A verdict that names no key, no moment and no fact.
pub(super) fn bare(
    case: &Case,
    rule: &Rule,
    clause: u16,
    kind: VerdictKind,
    why: impl Into<Cow<'static, str>>,
) -> Verdict {
    Verdict {
        stream: case.stream().clone(),
        rule: Arc::clone(&rule.id),
        clause,
        key: None,
        kind,
        due: None,
        at: None,
        facts: Vec::new(),
        seconds: None,
        why: why.into(),
    }
}
