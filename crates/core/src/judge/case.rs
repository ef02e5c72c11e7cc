//! A case: one stream as a rulebook sees it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::digest::Digest;
use crate::forms::clock::ClockScene;
use crate::forms::run::Run;
use crate::forms::{Clause, Form};
use crate::history::History;
use crate::ids::{RecordId, StreamId};
use crate::record::{Content, Notice, Record, chain_origin};
use crate::rulebook::Rulebook;
use crate::status::{Status, status};

/// One stream as a rulebook sees it: everything that was recorded, and what
/// follows from it. Cheap to keep, and never anything but a fold of the records.
#[derive(Debug, Clone)]
pub struct Case {
    stream: StreamId,
    rulebook: Arc<Rulebook>,
    records: Vec<Arc<Record>>,
    ids: BTreeMap<RecordId, usize>,
    chain: Digest,
    history: History,
    /// The runs of each clock, in the rulebook's order of clocks.
    clocks: Vec<Vec<Run>>,
    announced: BTreeSet<Notice>,
}

impl Case {
    /// The empty case of a stream.
    pub fn new(stream: StreamId, rulebook: Arc<Rulebook>) -> Self {
        let chain = chain_origin(&stream);
        let clocks = vec![Vec::new(); rulebook.clock_count()];
        Self {
            stream,
            rulebook,
            records: Vec::new(),
            ids: BTreeMap::new(),
            chain,
            history: History::default(),
            clocks,
            announced: BTreeSet::new(),
        }
    }

    /// The case that records amount to.
    pub fn replay(
        stream: StreamId,
        rulebook: Arc<Rulebook>,
        records: impl IntoIterator<Item = Arc<Record>>,
    ) -> Self {
        let mut case = Self::new(stream, rulebook);
        for record in records {
            case.keep(record);
        }
        case.rebuild();
        case
    }

    /// Adds a record. Total: every record in every state.
    pub fn apply(&mut self, record: Arc<Record>) {
        self.apply_all([record]);
    }

    /// Adds records, as [`Case::apply`] does one by one. However many of them
    /// happened earlier than they were recorded, everything is worked out anew
    /// at most once.
    pub fn apply_all(&mut self, records: impl IntoIterator<Item = Arc<Record>>) {
        let mut in_order = true;
        for record in records {
            in_order = in_order && self.history.extend(&record);
            let grown = in_order && record.fact().is_some();
            self.keep(record);
            if grown {
                self.touch(self.history.len().saturating_sub(1));
            }
        }
        if !in_order {
            self.rebuild();
        }
    }

    fn keep(&mut self, record: Arc<Record>) {
        self.chain = record.chain;
        self.ids.insert(record.id, self.records.len());
        if let Content::Notice(notice) = &record.content {
            self.announced.insert(notice.clone());
        }
        self.records.push(record);
    }

    /// Works everything out anew: after a fact that happened earlier than
    /// others were recorded, or a retraction.
    fn rebuild(&mut self) {
        self.history = History::of(&self.records);
        self.clocks = vec![Vec::new(); self.rulebook.clock_count()];
        for position in 0..self.history.len() {
            self.touch(position);
        }
    }

    /// Lets the fact at a position work on the clocks it touches.
    fn touch(&mut self, position: usize) {
        let Some(record) = self.history.record(position) else {
            return;
        };
        let Some(fact) = record.fact() else { return };
        for (place, clause) in self.rulebook.touched(fact.fact_type()) {
            if let Some(runs) = self.clocks.get_mut(place) {
                touch_clause(
                    &self.stream,
                    &self.history,
                    position,
                    record,
                    &self.rulebook,
                    clause,
                    runs,
                );
            }
        }
    }

    /// The stream.
    pub const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// The rulebook it is seen by.
    pub const fn rulebook(&self) -> &Arc<Rulebook> {
        &self.rulebook
    }

    /// How many records there are: the version of the latest.
    pub fn version(&self) -> u64 {
        self.records.len() as u64
    }

    /// The chain link of the latest record.
    pub const fn chain(&self) -> &Digest {
        &self.chain
    }

    /// All records, in the order they were recorded.
    pub fn records(&self) -> &[Arc<Record>] {
        &self.records
    }

    /// The facts that count, in the order they happened.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// The record with an id.
    pub fn record(&self, id: RecordId) -> Option<&Arc<Record>> {
        self.ids.get(&id).and_then(|place| self.records.get(*place))
    }

    /// The status that follows from the facts.
    pub fn status(&self) -> Status {
        status(self.stream.process(), &self.history)
    }

    /// Whether a notice was recorded already.
    pub(crate) const fn announced(&self) -> &BTreeSet<Notice> {
        &self.announced
    }

    pub(crate) fn runs(&self, place: usize) -> &[Run] {
        self.clocks.get(place).map_or(&[], Vec::as_slice)
    }

    /// The same case as it was known at a moment: what was recorded later is
    /// not in it.
    pub fn as_known_at(&self, moment: DateTime<Utc>) -> Self {
        Self::replay(
            self.stream.clone(),
            Arc::clone(&self.rulebook),
            self.records
                .iter()
                .filter(|record| record.recorded_at <= moment)
                .cloned(),
        )
    }

    /// The same records under another rulebook.
    pub fn under(&self, rulebook: Arc<Rulebook>) -> Self {
        Self::replay(self.stream.clone(), rulebook, self.records.iter().cloned())
    }
}

/// Lets one fact work on the runs of one clause.
pub(crate) fn touch_clause(
    stream: &StreamId,
    history: &History,
    position: usize,
    record: &Arc<Record>,
    rulebook: &Rulebook,
    clause: &Clause,
    runs: &mut Vec<Run>,
) {
    let scene = ClockScene {
        history,
        position,
        record,
        process: stream.process(),
        calendar: &rulebook.calendar,
        calendars: rulebook.calendars(),
        when: &clause.when,
        same: clause.same,
    };
    match &clause.form {
        Form::Within(within) => within.touch(runs, &scene),
        Form::Every(every) => every.touch(runs, &scene),
        Form::Carries(_)
        | Form::OnlyBy(_)
        | Form::Needs(_)
        | Form::Never
        | Form::Means(_)
        | Form::May(_)
        | Form::Computed(_)
        | Form::Stated(_) => {}
    }
}

/// The runs of a clock as they stand at a moment, by time alone. `place` is the
/// clock's among the rulebook's.
pub(crate) fn rolled<'c>(
    case: &'c Case,
    place: usize,
    clause: &Clause,
    now: DateTime<Utc>,
) -> Cow<'c, [Run]> {
    let mut runs = Cow::Borrowed(case.runs(place));
    if let Form::Every(every) = &clause.form
        && !runs.is_empty()
    {
        every.roll_until(runs.to_mut(), &case.rulebook.calendar, now);
    }
    if runs.iter().any(|run| run.is_missed_by(now)) {
        for run in runs.to_mut() {
            run.settle(now);
        }
    }
    runs
}
