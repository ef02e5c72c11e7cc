//! What a rule sees when it judges: one fact, and the past before it.

use chrono::{DateTime, Utc};
use thirdring_calendar::Calendar;

use crate::history::History;
use crate::ids::Actor;
use crate::vocabulary::{Fact, Process};

/// One fact and the past before it.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The facts that count.
    pub history: &'a History,
    /// Where the past ends: facts from this position on are not seen.
    pub end: usize,
    /// The fact that is judged.
    pub fact: &'a Fact,
    /// Who did it.
    pub doer: &'a Actor,
    /// When it happened.
    pub happened_at: DateTime<Utc>,
    /// The kind of stream.
    pub process: Process,
    /// The manual's calendar.
    pub calendar: &'a Calendar,
}

impl<'a> Scene<'a> {
    /// The key of the judged fact: its name and value.
    pub fn key(&self) -> Option<(&'static str, &'a str)> {
        let spec = self.fact.spec().key?;
        self.fact.key().map(|value| (spec.name, value))
    }
}
