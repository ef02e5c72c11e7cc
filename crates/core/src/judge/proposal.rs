//! What somebody wants recorded.

use chrono::{DateTime, FixedOffset, Utc};

use crate::ids::{Actor, RecordId};
use crate::record::{Evidence, Record};
use crate::vocabulary::Fact;

/// A fact somebody wants recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The id the record shall have; proposing the same id again changes nothing.
    pub id: RecordId,
    /// The fact.
    pub fact: Fact,
    /// Who records it.
    pub by: Actor,
    /// Who did it, where that was another.
    pub done_by: Option<Actor>,
    /// When it happened, in the offset it was told in.
    pub occurred_at: DateTime<FixedOffset>,
    /// The present.
    pub now: DateTime<Utc>,
    /// What the desk found in other streams.
    pub evidence: Vec<Evidence>,
    /// The record it follows from.
    pub cause: Option<RecordId>,
    /// Whether rules may refuse it.
    pub mode: Mode,
}

impl Proposal {
    /// What was proposed when a record was made, to be looked at again: nothing is
    /// refused. `None` for a notice, which nobody proposed.
    pub fn observing(record: &Record) -> Option<Self> {
        Some(Self {
            id: record.id,
            fact: record.fact()?.clone(),
            by: record.by.clone(),
            done_by: record.done_by.clone(),
            occurred_at: record.occurred_at,
            now: record.recorded_at,
            evidence: record.evidence.clone(),
            cause: record.cause,
            mode: Mode::Observe,
        })
    }
}

/// Whether rules may refuse a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The desk's own work: what breaks a rule is refused.
    Enforce,
    /// Somebody's history, imported or audited: nothing is refused, everything
    /// is found.
    Observe,
}
