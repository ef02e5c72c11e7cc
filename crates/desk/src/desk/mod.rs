//! The desk: a log, a rulebook and a source of time.

mod again;
mod clocks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, FixedOffset, Utc};
use thirdring_core::judge::Earlier;
use thirdring_core::record::{Content, Draft, Notice, Unchained};
use thirdring_core::vocabulary::bookkeeping::RulebookAdopted;
use thirdring_core::vocabulary::{Fact, FieldType};
use thirdring_core::{
    Actor, Case, Explanation, Proposal, ProposeError, Record, RecordId, Rulebook, StreamId,
    Verdict, explain, lapse, propose, verdicts,
};
use thirdring_store::{AppendError, Log, MemoryLog};

use crate::batch::Batch;
use crate::identity::{derived_id, fresh_id, salt};
use crate::register::Register;
use crate::request::{DeskError, Outcome, Receipt, Refusal, Request};
use crate::storage::{ReadFailure, read_stream, stored_stream, stream_names};
use crate::time_source::TimeSource;
use crate::timetable::Timetable;

/// How often a proposal is judged again after somebody else was faster.
const ATTEMPTS: usize = 64;
/// How many cases are kept in memory before idle ones are dropped.
const CASES_KEPT: usize = 20_000;

/// A case as it was last seen, guarded so that one stream is judged by one
/// thread at a time.
type Slot = Arc<Mutex<Option<Case>>>;

/// A log, a rulebook and a source of time: what a service embeds.
pub struct Desk {
    log: Arc<dyn Log>,
    rulebook: Arc<Rulebook>,
    time: TimeSource,
    cases: Mutex<BTreeMap<StreamId, Slot>>,
    register: Mutex<Register>,
    timetable: Timetable,
    /// Held by whoever brings the timetable up to the log.
    refreshing: Mutex<()>,
    /// Cases as they were before the record that was asked for again last.
    earlier: Mutex<BTreeMap<StreamId, Earlier>>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("manual", &self.rulebook.name)
            .finish_non_exhaustive()
    }
}

/// A lock whose holder panicked guards nothing but a cache, which is dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A desk on a log.
    pub fn open(log: impl Log + 'static, rulebook: impl Into<Arc<Rulebook>>) -> Self {
        let rulebook = rulebook.into();
        Self {
            log: Arc::new(log),
            timetable: Timetable::of(&rulebook.digest),
            rulebook,
            time: TimeSource::system(),
            cases: Mutex::default(),
            register: Mutex::default(),
            refreshing: Mutex::default(),
            earlier: Mutex::default(),
        }
    }

    /// A desk that forgets everything when it is dropped.
    pub fn in_memory(rulebook: impl Into<Arc<Rulebook>>) -> Self {
        Self::open(MemoryLog::new(), rulebook)
    }

    /// With another source of time than the machine.
    #[must_use]
    pub fn with_time(mut self, time: TimeSource) -> Self {
        self.time = time;
        self
    }

    /// The rulebook it works by.
    pub const fn rulebook(&self) -> &Arc<Rulebook> {
        &self.rulebook
    }

    /// The log it works on.
    pub fn log(&self) -> &dyn Log {
        &*self.log
    }

    /// Proposes a fact that happened at a moment, told now.
    ///
    /// # Errors
    /// See [`Desk::submit`].
    pub fn propose(
        &self,
        stream: &StreamId,
        fact: impl Into<Fact>,
        by: &Actor,
        at: DateTime<FixedOffset>,
    ) -> Result<Outcome, DeskError> {
        self.submit(Request::new(stream, fact, by, at))
    }

    /// Proposes a fact at a moment that is also taken for the present: for
    /// imports, tests and simulations.
    ///
    /// # Errors
    /// See [`Desk::submit`].
    pub fn propose_at(
        &self,
        stream: &StreamId,
        fact: impl Into<Fact>,
        by: &Actor,
        at: DateTime<FixedOffset>,
    ) -> Result<Outcome, DeskError> {
        self.submit(Request::new(stream, fact, by, at).told_at(at.to_utc()))
    }

    /// Loads the case, lets time lapse, judges, and appends; judges again where
    /// somebody else was faster. A refusal is an answer, not an error, and
    /// leaves no trace of the proposal.
    ///
    /// # Errors
    /// If the proposal is malformed under the manual, its id stands for
    /// something else, or the log fails.
    pub fn submit(&self, request: Request) -> Result<Outcome, DeskError> {
        let slot = self.slot(&request.stream);
        let mut case = lock(&slot);
        let id = match request.id {
            Some(id) => id,
            None => fresh_id(request.told_at.unwrap_or_else(|| self.time.now()))?,
        };
        for _ in 0..ATTEMPTS {
            if case.is_none() {
                *case = Some(self.load(&request.stream)?);
            }
            let Some(current) = case.as_mut() else {
                continue;
            };
            match self.attempt(current, &request, id)? {
                Some(outcome) => return Ok(outcome),
                // Somebody else was faster: what we know is out of date.
                None => *case = None,
            }
        }
        Err(DeskError::Contended {
            stream: request.stream,
        })
    }

    /// One try; `None` if the stream changed meanwhile.
    fn attempt(
        &self,
        case: &mut Case,
        request: &Request,
        id: RecordId,
    ) -> Result<Option<Outcome>, DeskError> {
        let mut now = request.told_at.unwrap_or_else(|| self.time.now());
        // The present of a stream never goes back, whatever a machine's clock says.
        if let Some(last) = case.records().last() {
            now = now.max(last.recorded_at);
        }
        if let Some(record) = case.record(id) {
            let record = Arc::clone(record);
            return self.answer_again(case, request, &record).map(Some);
        }
        let evidence = if has_evidence(&request.fact) {
            // The one place where two locks are held at once: a case, then the
            // register, never the other way round.
            let mut register = lock(&self.register);
            register.catch_up(&*self.log)?;
            register.evidence(&request.stream, &request.fact)
        } else {
            Vec::new()
        };
        let notices = lapse(case, now);
        let mut batch = self.announce(case, &notices, now)?;
        let proposal = Proposal {
            id,
            fact: request.fact.clone(),
            by: request.by.clone(),
            done_by: request.done_by.clone(),
            occurred_at: request.occurred_at,
            now,
            evidence,
            cause: request.cause,
            mode: request.mode,
        };
        // The judge never reads a notice, so it need not wait for these.
        match propose(case, proposal) {
            Ok(admission) => {
                let record = batch.add(admission.draft, &salt()?)?;
                if !self.append(case, batch)? {
                    return Ok(None);
                }
                Ok(Some(Outcome::Admitted(Receipt {
                    record,
                    flags: admission.flags,
                    clocks: admission.clocks,
                    notices,
                    testimony: admission.testimony,
                    replayed: false,
                })))
            }
            Err(ProposeError::Invalid(problem)) => Err(problem.into()),
            Err(ProposeError::Known(record)) => self.answer_again(case, request, &record).map(Some),
            Err(ProposeError::Refused(objections)) => {
                self.refuse(case, &notices, batch, Refusal::Rules(objections))
            }
            Err(ProposeError::Nonsense(nonsense)) => {
                self.refuse(case, &notices, batch, Refusal::Nonsense(nonsense))
            }
        }
    }

    /// Refuses, unless the refusal rests on an outdated view.
    fn refuse(
        &self,
        case: &mut Case,
        notices: &[Notice],
        batch: Batch,
        refusal: Refusal,
    ) -> Result<Option<Outcome>, DeskError> {
        if self.head(case.stream())? != case.version() {
            return Ok(None);
        }
        if notices.is_empty() {
            return Ok(Some(Outcome::Refused(refusal)));
        }
        // What time made of the case is so whatever becomes of the proposal.
        Ok(self
            .append(case, batch)?
            .then_some(Outcome::Refused(refusal)))
    }

    /// Appends a batch and brings the case up to it; `false`, and the case as it
    /// was, if the stream was no longer as expected.
    fn append(&self, case: &mut Case, batch: Batch) -> Result<bool, DeskError> {
        if batch.is_empty() {
            return Ok(true);
        }
        let (append, records) = batch.into_append()?;
        match self.log.append(&[append]) {
            Ok(appended) => {
                // Whoever reads the log for the register meanwhile hears of these
                // records there: nobody waits for that after a commit.
                if self.log.capabilities().partitions == 1
                    && let Ok(mut register) = self.register.try_lock()
                {
                    for (place, record) in appended.places.iter().zip(&records) {
                        register.hear(place.position, record);
                    }
                }
                for record in records {
                    case.apply(record);
                }
                Ok(true)
            }
            // A record of ours is there already: from the same call, whose answer
            // was lost, or from another desk that announced the same lapse.
            Err(AppendError::Conflict(_) | AppendError::PartlyKnown { .. }) => Ok(false),
            Err(AppendError::IdTaken { id, .. }) => {
                // In this stream it is known to whoever looks again; in another
                // one it stands for something else.
                let id = RecordId::from_bytes(id.0);
                match self.load(case.stream())?.record(id) {
                    Some(_) => Ok(false),
                    None => Err(DeskError::IdTaken(id)),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A batch that begins with what time made of the case; before that, if the
    /// stream was judged by another rulebook so far, with the fact that this one
    /// judges from here on.
    fn announce(
        &self,
        case: &Case,
        notices: &[Notice],
        now: DateTime<Utc>,
    ) -> Result<Batch, DeskError> {
        let mut batch = Batch::behind(case);
        if let Some(last) = case.records().last()
            && last.rulebook != self.rulebook.digest
        {
            let adopted = RulebookAdopted::new()
                .digest(self.rulebook.digest.to_string())
                .manual(self.rulebook.name.as_str());
            let id = derived_id(now, &[last.id.to_bytes().as_slice(), b"rulebook_adopted"]);
            let content = Content::Fact(adopted.into());
            batch.add(self.own_draft(case, id, content, now, now), &salt()?)?;
        }
        for notice in notices {
            let written = serde_json::to_vec(notice).unwrap_or_default();
            let id = derived_id(
                notice.due_at,
                &[case.stream().as_str().as_bytes(), &written],
            );
            let content = Content::Notice(notice.clone());
            batch.add(
                self.own_draft(case, id, content, notice.due_at, now),
                &salt()?,
            )?;
        }
        Ok(batch)
    }

    /// What the desk itself records.
    fn own_draft(
        &self,
        case: &Case,
        id: RecordId,
        content: Content,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Draft {
        Draft {
            id,
            stream: case.stream().clone(),
            // The batch gives it its place.
            version: 0,
            occurred_at: at.fixed_offset(),
            recorded_at: now,
            by: Actor {
                id: "thirdring".into(),
                role: "system".into(),
            },
            done_by: None,
            rulebook: self.rulebook.digest,
            evidence: Vec::new(),
            cause: match &content {
                Content::Notice(notice) => Some(notice.started_by),
                Content::Fact(_) => None,
            },
            content,
            chain: Unchained,
        }
    }

    fn slot(&self, stream: &StreamId) -> Slot {
        let mut cases = lock(&self.cases);
        // Cases are a cache: when there are many, those nobody holds are dropped.
        if cases.len() >= CASES_KEPT && !cases.contains_key(stream) {
            cases.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(cases.entry(stream.clone()).or_default())
    }

    fn head(&self, stream: &StreamId) -> Result<u64, DeskError> {
        Ok(self
            .log
            .head(&stored_stream(stream)?)
            .map_err(ReadFailure::from)?)
    }

    fn load(&self, stream: &StreamId) -> Result<Case, DeskError> {
        let records = read_stream(&*self.log, stream)?;
        Ok(Case::replay(
            stream.clone(),
            Arc::clone(&self.rulebook),
            records,
        ))
    }

    /// All streams, by name.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn streams(&self) -> Result<Vec<StreamId>, DeskError> {
        Ok(stream_names(&*self.log)?)
    }

    /// A stream as the desk sees it now; an unknown one is empty.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn case(&self, stream: &StreamId) -> Result<Case, DeskError> {
        self.look_at(stream, Case::clone)
    }

    /// Looks at a stream as it is now, without taking it.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn look_at<T>(
        &self,
        stream: &StreamId,
        look: impl FnOnce(&Case) -> T,
    ) -> Result<T, DeskError> {
        let slot = self.slot(stream);
        let mut slot = lock(&slot);
        Ok(look(self.current(stream, &mut slot)?))
    }

    /// The case of a stream as the log has it; `known` is brought up to it.
    fn current<'c>(
        &self,
        stream: &StreamId,
        known: &'c mut Option<Case>,
    ) -> Result<&'c mut Case, DeskError> {
        // Another desk may have written: ask the log how far the stream goes. What
        // is read anew is read as it stands: there is nothing to ask.
        if let Some(case) = &*known
            && case.version() != self.head(stream)?
        {
            *known = None;
        }
        let case = match known.take() {
            Some(case) => case,
            None => self.load(stream)?,
        };
        Ok(known.insert(case))
    }

    /// The records of a stream, in the order they were recorded.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn history(&self, stream: &StreamId) -> Result<Vec<Arc<Record>>, DeskError> {
        self.look_at(stream, |case| case.records().to_vec())
    }

    /// What every rule says about a stream at a moment.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn verdicts(
        &self,
        stream: &StreamId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Verdict>, DeskError> {
        self.look_at(stream, |case| verdicts(case, now))
    }

    /// The reasoning behind a rule's verdicts on a stream; `None` if the manual
    /// has no such rule.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn explain(
        &self,
        stream: &StreamId,
        rule: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Explanation>, DeskError> {
        self.look_at(stream, |case| explain(case, rule, now))
    }
}

fn has_evidence(fact: &Fact) -> bool {
    fact.spec()
        .fields
        .iter()
        .any(|field| field.field_type == FieldType::Evidence)
}
