//! One run of a clock: from the fact that started it to the one that stopped
//! it, with everything that happened to it on the way.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::record::Record;

/// One run of a clock for one key.
#[derive(Debug, Clone)]
pub struct Run {
    /// The key it runs for.
    pub key: Option<String>,
    /// The record that started it.
    pub started_by: Arc<Record>,
    /// From when its time counts.
    pub from: DateTime<Utc>,
    /// The named calendar it is counted in, where the place decides; `None`: the
    /// manual's own.
    pub calendar: Option<String>,
    /// When it is due; `None` while it is paused, where nothing limits it, or
    /// where the calendar has no answer (then [`Run::trouble`] says why).
    pub due: Option<DateTime<Utc>>,
    /// A year the due moment rests on though its holidays are not announced: it
    /// may move.
    pub unannounced: Option<i32>,
    /// Why there is no due moment though there should be one.
    pub trouble: Option<String>,
    /// Its pauses, in order; only the last may be open.
    pub pauses: Vec<Pause>,
    /// Whether a pausing fact holds it up.
    pub stopped: bool,
    /// Whether its condition holds now.
    pub applies: bool,
    /// Whether its condition ever held.
    pub ever_applied: bool,
    /// Whether it ended before anybody recorded what its condition asks: told
    /// later, that decides it after all.
    pub undecided: bool,
    /// Which of several expected facts have come, where all are expected.
    pub partly: Vec<Arc<Record>>,
    /// How it ended, if it did.
    pub end: Option<End>,
    /// Whether its limit passed while it applied and ran. Then its due moment
    /// stays what it was: no later pause or change undoes a miss.
    pub missed: bool,
    /// For a period: whether the condition will hold for the one that follows;
    /// `None` where none follows, or has followed already.
    pub follow: Option<bool>,
}

/// A pause of a run.
#[derive(Debug, Clone)]
pub struct Pause {
    /// What paused it: a record, or a condition that no longer held.
    pub by: Arc<Record>,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when; open while it lasts.
    pub to: Option<DateTime<Utc>>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The expected fact came.
    Answered(Arc<Record>),
    /// The expected fact came before it may.
    Early(Arc<Record>),
    /// A fact lifted the limit.
    Waived(Arc<Record>),
    /// A fact took the duty away.
    Cancelled(Arc<Record>),
    /// A new run took its place.
    Superseded(Arc<Record>),
    /// Its period passed without the expected fact.
    Lapsed,
}

impl Run {
    /// A run that starts with `record` and counts from `from`.
    pub(crate) fn starting(
        record: &Arc<Record>,
        key: Option<String>,
        from: DateTime<Utc>,
        applies: bool,
    ) -> Self {
        Self {
            key,
            started_by: Arc::clone(record),
            from,
            calendar: None,
            due: None,
            unannounced: None,
            trouble: None,
            pauses: Vec::new(),
            stopped: false,
            applies,
            ever_applied: applies,
            undecided: false,
            partly: Vec::new(),
            end: None,
            missed: false,
            follow: None,
        }
    }

    /// Whether it still waits for its fact.
    pub const fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether it is paused now.
    pub fn is_paused(&self) -> bool {
        self.pauses.last().is_some_and(|pause| pause.to.is_none())
    }

    /// Lets time pass up to `moment`: a limit that lies before it was missed.
    /// The due moment itself is still in time.
    pub(crate) fn settle(&mut self, moment: DateTime<Utc>) {
        if self.is_missed_by(moment) {
            self.missed = true;
        }
    }

    /// Whether its limit lies before `moment` while it still waits.
    pub(crate) fn is_missed_by(&self, moment: DateTime<Utc>) -> bool {
        self.is_open() && self.applies && self.due.is_some_and(|due| due < moment)
    }

    /// The record that ended it.
    pub const fn ended_by(&self) -> Option<&Arc<Record>> {
        match &self.end {
            Some(
                End::Answered(record)
                | End::Early(record)
                | End::Waived(record)
                | End::Cancelled(record)
                | End::Superseded(record),
            ) => Some(record),
            Some(End::Lapsed) | None => None,
        }
    }
}
