//! A finding: what a rule says about one thing that happened, before it is put
//! into words. A replay that only counts need not pay for the words.

use std::sync::Arc;

use crate::audit::verdict::{Verdict, VerdictKind, bare};
use crate::audit::{guard_verdict, run_verdict};
use crate::forms::Clause;
use crate::forms::ruling::Ruling;
use crate::forms::run::Run;
use crate::ids::StreamId;
use crate::judge::Case;
use crate::record::Record;
use crate::rulebook::Rule;
use chrono::{DateTime, Utc};

/// What a rule says about one thing that happened.
#[derive(Debug)]
pub struct Finding<'a> {
    pub(super) case: &'a Case,
    pub(super) rule: &'a Rule,
    pub(super) kind: VerdictKind,
    pub(super) basis: Basis<'a>,
}

/// What a finding rests on.
#[derive(Debug)]
pub(super) enum Basis<'a> {
    /// A fact that was judged.
    Fact {
        clause: &'a Clause,
        record: &'a Record,
        ruling: Ruling,
    },
    /// A run of a clock, at a moment.
    Run {
        clause: &'a Clause,
        run: &'a Run,
        now: DateTime<Utc>,
    },
    /// The log cannot show what a clause asks: its number, and why.
    Blind { clause: u16, why: String },
    /// Nothing happened that the rule speaks of.
    Silence,
}

impl Finding<'_> {
    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        self.case.stream()
    }

    /// The rule.
    pub const fn rule(&self) -> &Arc<str> {
        &self.rule.id
    }

    /// Which clause of it, from 1.
    pub const fn clause(&self) -> u16 {
        match &self.basis {
            Basis::Fact { clause, .. } | Basis::Run { clause, .. } => clause.number,
            Basis::Blind { clause, .. } => *clause,
            Basis::Silence => 1,
        }
    }

    /// What it says.
    pub const fn kind(&self) -> VerdictKind {
        self.kind
    }

    /// The same in words, with the facts that prove it.
    pub fn verdict(&self) -> Verdict {
        let Self {
            case, rule, kind, ..
        } = *self;
        match &self.basis {
            Basis::Fact {
                clause,
                record,
                ruling,
            } => guard_verdict::worded(case, rule, clause, record, kind, ruling),
            Basis::Run { clause, run, now } => {
                run_verdict::worded(case, rule, clause, run, kind, *now)
            }
            Basis::Blind { clause, why } => bare(case, rule, *clause, kind, why.clone()),
            Basis::Silence => bare(case, rule, 1, kind, "nothing happened that it speaks of"),
        }
    }
}
