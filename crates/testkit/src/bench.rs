//! A desk without a store: one stream, a clock that only moves when told to.

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use thirdring_core::judge::{Admission, Case, Mode, Proposal, ProposeError, lapse, propose};
use thirdring_core::record::{Content, Draft, Evidence, Notice, Sealed, Unchained, seal};
use thirdring_core::vocabulary::{FieldType, Value};
use thirdring_core::written::beginning;
use thirdring_core::{Actor, Fact, RecordId, Rulebook, StreamId};

/// Who tells a fact, and how long after it happened.
#[derive(Debug, Clone)]
pub struct Telling {
    /// Who records it.
    pub by: Actor,
    /// Who did it, where that was another.
    pub done_by: Option<Actor>,
    /// How long ago it happened.
    pub ago: TimeDelta,
    /// Whether rules may refuse it.
    pub mode: Mode,
}

impl Telling {
    /// Somebody tells what happens now.
    pub fn now(by: Actor) -> Self {
        Self {
            by,
            done_by: None,
            ago: TimeDelta::zero(),
            mode: Mode::Enforce,
        }
    }

    /// The same, but it happened so long ago.
    #[must_use]
    pub fn ago(self, ago: TimeDelta) -> Self {
        Self { ago, ..self }
    }
}

/// A desk without a store: one stream and a clock that only moves when told to.
///
/// Like a desk it lets time lapse before every proposal and records what
/// lapsed; it seals every record into the chain, so that what it leaves behind
/// is what a log would hold.
///
/// ```
/// use chrono::TimeDelta;
/// use thirdring_core::vocabulary::ticket::call::CallRang;
/// use thirdring_testkit::{Bench, Telling, shipped};
///
/// let mut bench = Bench::new(&shipped("unis"));
/// let switchboard = bench.actor("telephone_system");
/// bench.pass(TimeDelta::minutes(5));
/// let admitted = bench.tell(CallRang::new("1").into(), &Telling::now(switchboard));
/// assert!(admitted.is_ok());
/// assert_eq!(bench.case().version(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct Bench {
    case: Case,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    proposals: u128,
    sealed: Vec<Sealed>,
}

impl Bench {
    /// A ticket on a Monday morning at nine in the manual's zone.
    pub fn new(rulebook: &Arc<Rulebook>) -> Self {
        let monday = beginning(rulebook.calendar.zone());
        match StreamId::new("T-1") {
            Ok(stream) => Self::starting(rulebook, stream, monday),
            Err(error) => crate::fail(&error.to_string()),
        }
    }

    /// Any stream, at any moment.
    pub fn starting(rulebook: &Arc<Rulebook>, stream: StreamId, now: DateTime<Utc>) -> Self {
        Self {
            case: Case::new(stream, Arc::clone(rulebook)),
            start: now,
            now,
            proposals: 0,
            sealed: Vec::new(),
        }
    }

    /// Somebody in a role: one person for each role.
    #[track_caller]
    pub fn actor(&self, role: &str) -> Actor {
        match Actor::new(format!("somebody-{role}"), role) {
            Ok(actor) => actor,
            Err(error) => crate::fail(&error.to_string()),
        }
    }

    /// The case as it stands.
    pub const fn case(&self) -> &Case {
        &self.case
    }

    /// When the bench was set up.
    pub const fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The bench's present.
    pub const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The bench's present, in the offset of the manual's zone.
    pub fn local(&self, moment: DateTime<Utc>) -> DateTime<FixedOffset> {
        moment
            .with_timezone(&self.case.rulebook().calendar.zone())
            .fixed_offset()
    }

    /// The stored bytes of every record, in their order.
    pub fn sealed(&self) -> &[Sealed] {
        &self.sealed
    }

    /// Lets time pass, without looking.
    pub fn pass(&mut self, span: TimeDelta) {
        self.now = self.now.checked_add_signed(span).unwrap_or(self.now);
    }

    /// Moves to a moment, unless it has passed.
    pub fn go_to(&mut self, moment: DateTime<Utc>) {
        self.now = self.now.max(moment);
    }

    /// Records what became true by time alone.
    pub fn lapse(&mut self) -> Vec<Notice> {
        let notices = lapse(&self.case, self.now);
        for notice in &notices {
            let Ok(by) = Actor::new("desk", "desk") else {
                continue;
            };
            self.proposals += 1;
            self.record(Draft {
                id: RecordId::from(self.proposals),
                stream: self.case.stream().clone(),
                version: self.case.version() + 1,
                occurred_at: self.local(notice.due_at),
                recorded_at: self.now,
                by,
                done_by: None,
                rulebook: self.case.rulebook().digest,
                evidence: Vec::new(),
                cause: None,
                content: Content::Notice(notice.clone()),
                chain: Unchained,
            });
        }
        notices
    }

    /// Lets time lapse, then proposes a fact, and records it if it is admitted.
    ///
    /// # Errors
    /// As [`propose`].
    pub fn tell(&mut self, fact: Fact, telling: &Telling) -> Result<Admission, ProposeError> {
        self.lapse();
        let proposal = self.proposal(fact, telling);
        let admission = propose(&self.case, proposal)?;
        self.record(admission.draft.clone());
        Ok(admission)
    }

    /// What [`Self::tell`] would propose; evidence the fact holds stands in for
    /// what a desk would have looked up.
    pub fn proposal(&mut self, fact: Fact, telling: &Telling) -> Proposal {
        self.proposals += 1;
        let evidence = fact
            .spec()
            .fields
            .iter()
            .filter(|field| field.field_type == FieldType::Evidence)
            .filter_map(|field| match fact.get(field.name) {
                Some(Value::Flag(answer)) => Some(Evidence {
                    query: field.name.to_owned(),
                    about: "the bench".to_owned(),
                    answer: *answer,
                    seen_in: None,
                }),
                _ => None,
            })
            .collect();
        let happened_at = self.now.checked_sub_signed(telling.ago).unwrap_or(self.now);
        Proposal {
            id: RecordId::from(self.proposals),
            fact,
            by: telling.by.clone(),
            done_by: telling.done_by.clone(),
            occurred_at: self.local(happened_at),
            now: self.now,
            evidence,
            cause: None,
            mode: telling.mode,
        }
    }

    /// Seals a draft behind the latest record.
    #[track_caller]
    pub fn record(&mut self, draft: Draft) {
        match seal(draft, self.case.chain(), &[7; 16]) {
            Ok((record, sealed)) => {
                self.case.apply(Arc::new(record));
                self.sealed.push(sealed);
            }
            Err(error) => crate::fail(&format!("the record cannot be sealed: {error}")),
        }
    }
}
