//! The desk: a log, a rulebook and a source of time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, FixedOffset, Utc};
use thirdring_core::judge::{ClockChange, Nonsense, Objection};
use thirdring_core::record::{BadRecord, Content, Draft, Notice, Salt, seal};
use thirdring_core::vocabulary::{Fact, FactProblem, FieldType};
use thirdring_core::{
    Actor, Case, Explanation, Mode, Proposal, ProposeError, Record, RecordId, Rulebook, StreamId,
    Verdict, explain, lapse, propose, verdicts,
};
use thirdring_store::{Append, AppendError, Expected, Log, MemoryLog, StreamIdError};

use crate::identity::{NoRandomness, derived_id, fresh_id, salt};
use crate::register::{OpenClock, Register, open_clocks};
use crate::storage::{ReadFailure, new_record, read_stream, stored_stream};
use crate::time_source::TimeSource;

/// How often a proposal is judged again after somebody else was faster.
const ATTEMPTS: usize = 64;

/// What somebody wants recorded, with everything they may say about it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The stream.
    pub stream: StreamId,
    /// The fact.
    pub fact: Fact,
    /// Who records it.
    pub by: Actor,
    /// Who did it, where that was another.
    pub done_by: Option<Actor>,
    /// When it happened.
    pub occurred_at: DateTime<FixedOffset>,
    /// When it is told; `None`: now.
    pub told_at: Option<DateTime<Utc>>,
    /// The id it shall have; proposing the same id again gives the first answer.
    pub id: Option<RecordId>,
    /// The record it follows from.
    pub cause: Option<RecordId>,
    /// Whether rules may refuse it; a history that is only looked at is observed.
    pub mode: Mode,
}

impl Request {
    /// A fact that happened at a moment, told now.
    pub fn new(
        stream: &StreamId,
        fact: impl Into<Fact>,
        by: &Actor,
        occurred_at: DateTime<FixedOffset>,
    ) -> Self {
        Self {
            stream: stream.clone(),
            fact: fact.into(),
            by: by.clone(),
            done_by: None,
            occurred_at,
            told_at: None,
            id: None,
            cause: None,
            mode: Mode::Enforce,
        }
    }

    /// Told at a moment other than now.
    #[must_use]
    pub const fn told_at(mut self, moment: DateTime<Utc>) -> Self {
        self.told_at = Some(moment);
        self
    }

    /// Done by somebody other than the one who records it.
    #[must_use]
    pub fn done_by(mut self, doer: Actor) -> Self {
        self.done_by = Some(doer);
        self
    }

    /// With an id of the caller's, so that a retry is recorded once.
    #[must_use]
    pub const fn with_id(mut self, id: RecordId) -> Self {
        self.id = Some(id);
        self
    }

    /// As part of somebody's history: nothing is refused, everything is found.
    #[must_use]
    pub const fn observed(mut self) -> Self {
        self.mode = Mode::Observe;
        self
    }

    /// Following from another record.
    #[must_use]
    pub const fn caused_by(mut self, cause: RecordId) -> Self {
        self.cause = Some(cause);
        self
    }
}

/// What became of a proposal.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is recorded, perhaps with flags.
    Admitted(Receipt),
    /// It is not recorded.
    Refused(Refusal),
}

/// A fact that is recorded, durably.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The record.
    pub record: Arc<Record>,
    /// The rules it does not keep though it was admitted.
    pub flags: Vec<Objection>,
    /// What it did to the clocks.
    pub clocks: Vec<ClockChange>,
    /// What time had made of the case before it.
    pub notices: Vec<Notice>,
    /// Whether it was told afterwards.
    pub testimony: bool,
    /// Whether it had been recorded before: this is the first answer again.
    pub replayed: bool,
}

/// Why a proposal was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// By rules of the manual.
    Rules(Vec<Objection>),
    /// It makes no sense under any manual.
    Nonsense(Nonsense),
}

/// Why a desk could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The proposal is not well formed under this manual.
    #[error(transparent)]
    Invalid(#[from] FactProblem),
    /// The id stands for something else already.
    #[error("the id {0} is recorded already for another fact; give each fact its own id")]
    IdTaken(RecordId),
    /// Records could not be read.
    #[error(transparent)]
    Read(#[from] ReadFailure),
    /// The log did not take the record.
    #[error(transparent)]
    Append(Box<AppendError>),
    /// Others kept writing to the same stream.
    #[error("{stream} changed {ATTEMPTS} times while the proposal was judged; try again")]
    Contended {
        /// The stream.
        stream: StreamId,
    },
    /// The machine gives no random bytes.
    #[error(transparent)]
    Identity(#[from] NoRandomness),
    /// The stream's name does not fit the log.
    #[error(transparent)]
    Name(#[from] StreamIdError),
    /// The record could not be written as bytes.
    #[error(transparent)]
    Record(#[from] BadRecord),
}

impl From<AppendError> for DeskError {
    fn from(error: AppendError) -> Self {
        Self::Append(Box::new(error))
    }
}

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
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("manual", &self.rulebook.name).finish_non_exhaustive()
    }
}

/// A lock whose holder panicked guards nothing but a cache, which is dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    /// A desk on a log.
    pub fn open(log: impl Log + 'static, rulebook: Rulebook) -> Self {
        Self {
            log: Arc::new(log),
            rulebook: Arc::new(rulebook),
            time: TimeSource::system(),
            cases: Mutex::default(),
            register: Mutex::default(),
        }
    }

    /// A desk that forgets everything when it is dropped.
    pub fn in_memory(rulebook: Rulebook) -> Self {
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
            let Some(current) = case.as_mut() else { continue };
            match self.attempt(current, &request, id)? {
                Some(outcome) => return Ok(outcome),
                // Somebody else was faster: what we know is out of date.
                None => *case = None,
            }
        }
        Err(DeskError::Contended { stream: request.stream })
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
        let mut ahead = case.clone();
        let notices = lapse(&ahead, now);
        let mut batch = Batch::new(&request.stream, case.version());
        for notice in &notices {
            let draft = self.notice_draft(&ahead, notice.clone(), now);
            batch.add(&mut ahead, draft, &salt()?)?;
        }
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
        match propose(&ahead, proposal) {
            Ok(admission) => {
                let record = batch.add(&mut ahead, admission.draft, &salt()?)?;
                if !self.append(batch)? {
                    return Ok(None);
                }
                *case = ahead;
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
            Err(error) => {
                // What was refused on an outdated view may be right on today's.
                if self.head(&request.stream)? != case.version() {
                    return Ok(None);
                }
                // What time made of the case is so whatever becomes of the proposal.
                if !notices.is_empty() {
                    if !self.append(batch)? {
                        return Ok(None);
                    }
                    *case = ahead;
                }
                match error {
                    ProposeError::Refused(objections) => {
                        Ok(Some(Outcome::Refused(Refusal::Rules(objections))))
                    }
                    ProposeError::Nonsense(nonsense) => {
                        Ok(Some(Outcome::Refused(Refusal::Nonsense(nonsense))))
                    }
                    ProposeError::Known(record) => {
                        self.answer_again(case, request, &record).map(Some)
                    }
                    ProposeError::Invalid(problem) => Err(problem.into()),
                }
            }
        }
    }

    /// The answer a recorded proposal got the first time.
    fn answer_again(
        &self,
        case: &Case,
        request: &Request,
        record: &Record,
    ) -> Result<Outcome, DeskError> {
        let same = record.fact().is_some_and(|known| same_fact(known, &request.fact))
            && record.occurred_at.to_utc() == request.occurred_at.to_utc()
            && record.by.id == request.by.id
            && record.stream == request.stream;
        if !same {
            return Err(DeskError::IdTaken(record.id));
        }
        let before = Case::replay(
            case.stream().clone(),
            Arc::clone(case.rulebook()),
            case.records().iter().filter(|other| other.version < record.version).cloned(),
        );
        let admission = propose(
            &before,
            Proposal {
                id: record.id,
                fact: request.fact.clone(),
                by: record.by.clone(),
                done_by: record.done_by.clone(),
                occurred_at: record.occurred_at,
                now: record.recorded_at,
                evidence: record.evidence.clone(),
                cause: record.cause,
                mode: Mode::Observe,
            },
        );
        let (flags, clocks, testimony) = match admission {
            Ok(admission) => (admission.flags, admission.clocks, admission.testimony),
            Err(_) => (Vec::new(), Vec::new(), false),
        };
        Ok(Outcome::Admitted(Receipt {
            record: Arc::new(record.clone()),
            flags,
            clocks,
            notices: Vec::new(),
            testimony,
            replayed: true,
        }))
    }

    /// Appends a batch; `false` if the stream was no longer as expected.
    fn append(&self, batch: Batch) -> Result<bool, DeskError> {
        if batch.append.records.is_empty() {
            return Ok(true);
        }
        match self.log.append(&[batch.into_append()?]) {
            Ok(_) => Ok(true),
            // A record of ours is there already: from the same call, whose answer
            // was lost, or from another desk that announced the same lapse.
            Err(AppendError::Conflict(_) | AppendError::IdTaken { .. } | AppendError::PartlyKnown { .. }) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn notice_draft(&self, case: &Case, notice: Notice, now: DateTime<Utc>) -> Draft {
        let written = serde_json::to_vec(&notice).unwrap_or_default();
        Draft {
            id: derived_id(notice.due_at, &[case.stream().as_str().as_bytes(), &written]),
            stream: case.stream().clone(),
            version: case.version() + 1,
            occurred_at: notice.due_at.fixed_offset(),
            recorded_at: now,
            by: Actor { id: "thirdring".to_owned(), role: "system".to_owned() },
            done_by: None,
            rulebook: self.rulebook.digest,
            evidence: Vec::new(),
            cause: Some(notice.started_by),
            content: Content::Notice(notice),
        }
    }

    fn slot(&self, stream: &StreamId) -> Slot {
        Arc::clone(lock(&self.cases).entry(stream.clone()).or_default())
    }

    fn head(&self, stream: &StreamId) -> Result<u64, DeskError> {
        Ok(self.log.head(&stored_stream(stream)?).map_err(ReadFailure::from)?)
    }

    fn load(&self, stream: &StreamId) -> Result<Case, DeskError> {
        let records = read_stream(&*self.log, stream)?;
        Ok(Case::replay(stream.clone(), Arc::clone(&self.rulebook), records))
    }

    /// All streams, by name.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn streams(&self) -> Result<Vec<StreamId>, DeskError> {
        let mut register = lock(&self.register);
        register.catch_up(&*self.log)?;
        Ok(register.streams().cloned().collect())
    }

    /// A stream as the desk sees it now; an unknown one is empty.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn case(&self, stream: &StreamId) -> Result<Case, DeskError> {
        // Another desk may have written: ask the log how far the stream goes.
        let head = self.head(stream)?;
        let slot = self.slot(stream);
        let mut slot = lock(&slot);
        match slot.as_ref() {
            Some(case) if case.version() == head => Ok(case.clone()),
            Some(_) | None => {
                let case = self.load(stream)?;
                *slot = Some(case.clone());
                Ok(case)
            }
        }
    }

    /// The records of a stream, in the order they were recorded.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn history(&self, stream: &StreamId) -> Result<Vec<Arc<Record>>, DeskError> {
        Ok(self.case(stream)?.records().to_vec())
    }

    /// What every rule says about a stream at a moment.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn verdicts(&self, stream: &StreamId, now: DateTime<Utc>) -> Result<Vec<Verdict>, DeskError> {
        Ok(verdicts(&self.case(stream)?, now))
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
        Ok(explain(&self.case(stream)?, rule, now))
    }

    /// The clocks of all streams that are due up to and with a moment, soonest
    /// first. Clocks without a due moment are not among them.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn due(&self, until: DateTime<Utc>) -> Result<Vec<OpenClock>, DeskError> {
        let mut due = self.open_clocks(self.time.now())?;
        due.retain(|clock| clock.due_at.is_some_and(|due_at| due_at <= until));
        Ok(due)
    }

    /// Every running clock of all streams, soonest first; those without a due
    /// moment last.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn open_clocks(&self, now: DateTime<Utc>) -> Result<Vec<OpenClock>, DeskError> {
        let mut clocks = Vec::new();
        for stream in self.streams()? {
            clocks.extend(open_clocks(&self.case(&stream)?, now));
        }
        clocks.sort_by_key(|clock| (clock.due_at.is_none(), clock.due_at));
        Ok(clocks)
    }

    /// Records what time has made of every stream up to a moment, and says what
    /// it recorded. Safe to run twice, or on two machines: what was announced is
    /// not announced again.
    ///
    /// # Errors
    /// If the log cannot be read or written.
    pub fn lapse(&self, now: DateTime<Utc>) -> Result<Vec<(StreamId, Notice)>, DeskError> {
        let mut announced = Vec::new();
        for stream in self.streams()? {
            let notices = self.lapse_stream(&stream, now)?;
            announced.extend(notices.into_iter().map(|notice| (stream.clone(), notice)));
        }
        announced.sort_by_key(|(_, notice)| notice.due_at);
        Ok(announced)
    }

    /// As [`Desk::lapse`], for one stream.
    ///
    /// # Errors
    /// If the log cannot be read or written.
    pub fn lapse_stream(&self, stream: &StreamId, now: DateTime<Utc>) -> Result<Vec<Notice>, DeskError> {
        let slot = self.slot(stream);
        let mut case = lock(&slot);
        for _ in 0..ATTEMPTS {
            let current = match case.take() {
                Some(current) => current,
                None => self.load(stream)?,
            };
            let notices = lapse(&current, now);
            let mut ahead = current.clone();
            let mut batch = Batch::new(stream, current.version());
            for notice in &notices {
                let draft = self.notice_draft(&ahead, notice.clone(), now);
                batch.add(&mut ahead, draft, &salt()?)?;
            }
            if self.append(batch)? {
                *case = Some(ahead);
                return Ok(notices);
            }
        }
        Err(DeskError::Contended { stream: stream.clone() })
    }
}

fn has_evidence(fact: &Fact) -> bool {
    fact.spec().fields.iter().any(|field| field.field_type == FieldType::Evidence)
}

/// Whether two facts say the same, evidence aside: that is the desk's to fill in.
fn same_fact(known: &Fact, given: &Fact) -> bool {
    let said = |fact: &Fact| -> Vec<(&'static str, String)> {
        let spec = fact.spec();
        fact.fields()
            .filter(|(name, _)| {
                spec.field(name).is_none_or(|(_, field)| field.field_type != FieldType::Evidence)
            })
            .map(|(name, value)| (name, format!("{value:?}")))
            .collect()
    };
    let personal = |fact: &Fact| -> Vec<Option<String>> {
        fact.fields()
            .filter_map(|(_, value)| match value {
                thirdring_core::vocabulary::Value::Personal(text) => {
                    Some(text.as_ref().map(|text| text.reveal().clone()))
                }
                _ => None,
            })
            .collect()
    };
    known.fact_type() == given.fact_type()
        && known.key() == given.key()
        && said(known) == said(given)
        && personal(known) == personal(given)
}

/// Records of one stream that are appended together.
struct Batch {
    stream: StreamId,
    append: PendingAppend,
}

struct PendingAppend {
    expected: u64,
    records: Vec<thirdring_store::NewRecord>,
}

impl Batch {
    fn new(stream: &StreamId, version: u64) -> Self {
        Self {
            stream: stream.clone(),
            append: PendingAppend { expected: version, records: Vec::new() },
        }
    }

    /// Seals a draft behind the case and applies it.
    fn add(&mut self, case: &mut Case, mut draft: Draft, salt: &Salt) -> Result<Arc<Record>, DeskError> {
        draft.version = case.version() + 1;
        let (record, sealed) = seal(draft, case.chain(), salt)?;
        let record = Arc::new(record);
        self.append.records.push(new_record(record.id, sealed));
        case.apply(Arc::clone(&record));
        Ok(record)
    }

    fn into_append(self) -> Result<Append, DeskError> {
        Ok(Append {
            stream: stored_stream(&self.stream)?,
            expected: Expected::Exactly(self.append.expected),
            records: self.append.records,
        })
    }
}
