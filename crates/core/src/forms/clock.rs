//! What the time forms share: one fact working on the runs of a clause.

use std::sync::Arc;

use thirdring_calendar::Calendar;

use crate::forms::condition::Condition;
use crate::forms::run::Run;
use crate::history::History;
use crate::manual::Calendars;
use crate::record::Record;
use crate::scene::Scene;
use crate::vocabulary::Process;

/// One fact working on the runs of a clause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockScene<'a> {
    pub(crate) history: &'a History,
    /// The position of the fact.
    pub(crate) position: usize,
    pub(crate) record: &'a Arc<Record>,
    pub(crate) process: Process,
    pub(crate) calendar: &'a Calendar,
    pub(crate) calendars: Calendars<'a>,
    pub(crate) when: &'a Condition,
    /// The key the clause is tied by.
    pub(crate) same: Option<&'static str>,
}

impl ClockScene<'_> {
    /// The fact's value of the clause's key.
    pub(crate) fn key(&self) -> Option<&str> {
        let name = self.same?;
        let fact = self.record.fact()?;
        fact.spec()
            .key
            .filter(|key| key.name == name)
            .and_then(|_| fact.key())
    }

    /// Whether the fact is about this run: it has the run's key, or no such key
    /// at all (a classification concerns every visit).
    pub(crate) fn concerns(&self, run: &Run) -> bool {
        let Some(name) = self.same else { return true };
        let Some(fact) = self.record.fact() else {
            return false;
        };
        match fact.spec().key {
            Some(key) if key.name == name => fact.key() == run.key.as_deref(),
            Some(_) | None => true,
        }
    }

    /// Whether the clause's condition holds for a run once this fact is known.
    pub(crate) fn holds(&self, run: &Run) -> bool {
        if self.when.is_empty() {
            return true;
        }
        self.of(run).is_some_and(|scene| self.when.holds(&scene))
    }

    /// Whether nobody recorded yet what the clause's condition asks of a run.
    pub(crate) fn leaves_unknown(&self, run: &Run) -> bool {
        self.of(run)
            .is_some_and(|scene| self.when.is_unknown(&scene))
    }

    /// Whether the stream was opened again after a run had started.
    pub(crate) fn reopened_since(&self, run: &Run) -> bool {
        let started = self.history.position_of(&run.started_by);
        started.is_none_or(|started| {
            self.history.opening(self.process, None, self.position + 1) > started
        })
    }

    /// What a condition of a run sees once this fact is known.
    pub(crate) fn of<'b>(&'b self, run: &'b Run) -> Option<Scene<'b>> {
        Some(Scene {
            history: self.history,
            end: self.position + 1,
            fact: run.started_by.fact()?,
            doer: run.started_by.doer(),
            happened_at: run.started_by.happened_at(),
            process: self.process,
            calendar: self.calendar,
        })
    }
}
