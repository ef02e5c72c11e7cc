//! Proposing a fact: what the rules say of it, and what would follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::digest::Digest;
use crate::forms::Clause;
use crate::forms::ruling::{Later, Ruling, Shortfall};
use crate::forms::run::{End, Run};
use crate::ids::{Actor, RecordId};
use crate::judge::case::{Case, touch_clause};
use crate::judge::nonsense::{self, Nonsense};
use crate::judge::proposal::{Mode, Proposal};
use crate::record::{Content, Draft, Record, Unchained, restore_evidence};
use crate::rulebook::Rule;
use crate::scene::Scene;
use crate::vocabulary::bookkeeping::FactRetracted;
use crate::vocabulary::{Fact, FactProblem, Nature, Value, nearest};

/// A proposal that is admitted.
#[derive(Debug, Clone)]
pub struct Admission {
    /// What is to be recorded.
    pub draft: Draft,
    /// The rules it does not keep though it is admitted, in the rulebook's order.
    pub flags: Vec<Objection>,
    /// Whether it was told afterwards.
    pub testimony: bool,
    /// What it does to the clocks.
    pub clocks: Vec<ClockChange>,
}

/// A rule that a proposal does not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The rule.
    pub rule: Arc<str>,
    /// Which clause of it.
    pub clause: u16,
    /// Its sentence.
    pub says: String,
    /// The manual quoted.
    pub manual: String,
    /// The section quoted.
    pub section: String,
    /// The manual's own words.
    pub quote: String,
    /// What is missing or wrong.
    pub missing: String,
    /// What would be accepted.
    pub accepted: String,
    /// Whether the same can be accepted later.
    pub later: Later,
}

/// What happens to a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockChange {
    /// The rule.
    pub rule: Arc<str>,
    /// Which clause of it.
    pub clause: u16,
    /// The key it runs for.
    pub key: Option<String>,
    /// What happens.
    pub event: ClockEvent,
    /// When it is due, where it is.
    pub due_at: Option<DateTime<Utc>>,
}

/// What happens to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockEvent {
    /// It starts.
    Started,
    /// It is met in time, or what is only measured is done.
    Met,
    /// It is met too late, or too early.
    Missed,
    /// A fact lifts the limit.
    Waived,
    /// A fact takes the duty away, or a new run takes its place.
    Cancelled,
    /// Its time stops.
    Paused,
    /// Its time goes on, or its due moment moves.
    Moved,
}

impl ClockEvent {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Waived => "waived",
            Self::Cancelled => "cancelled",
            Self::Paused => "paused",
            Self::Moved => "moved",
        }
    }
}

/// Why a proposal is not admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// The proposal is not well formed under this manual.
    #[error(transparent)]
    Invalid(#[from] FactProblem),
    /// It makes no sense under any manual.
    #[error(transparent)]
    Nonsense(#[from] Nonsense),
    /// Rules refuse it: all of them, in the rulebook's order.
    #[error("refused by {}", .0.iter().map(|o| o.rule.to_string()).collect::<Vec<_>>().join(", "))]
    Refused(Vec<Objection>),
    /// The id is recorded already.
    #[error("record {} is recorded already, as version {}", .0.id, .0.version)]
    Known(Box<Record>),
}

/// Asks whether a fact can be recorded, and what follows from it.
///
/// Pure: nothing changes; a refused proposal leaves no trace. The caller lets
/// time lapse first, so that at one instant lapse comes before propose.
///
/// # Errors
/// If it is malformed, nonsense, known already, or an act proposed for now that
/// rules refuse.
pub fn propose(case: &Case, mut proposal: Proposal) -> Result<Admission, ProposeError> {
    if let Some(known) = case.record(proposal.id) {
        return Err(ProposeError::Known(Box::new(Record::clone(known))));
    }
    canonical_roles(case, &mut proposal)?;
    if proposal.mode == Mode::Enforce {
        check_words(case, &proposal.fact)?;
        nonsense::check(case, &proposal)?;
    }
    proposal.fact.check()?;
    // Evidence is the desk's: what a caller put in its place is not kept.
    proposal.fact.keep_what_was_said();
    restore_evidence(&mut proposal.fact, &proposal.evidence);
    let tolerance = TimeDelta::seconds(case.rulebook().testimony.tolerance_seconds);
    let testimony = proposal.now - proposal.occurred_at.to_utc() > tolerance;
    let objections = objections(case, &proposal);
    let refusable =
        proposal.mode == Mode::Enforce && proposal.fact.spec().nature == Nature::Act && !testimony;
    if refusable && objections.iter().any(|(_, may_refuse)| *may_refuse) {
        let refused = objections
            .into_iter()
            .filter(|(_, may_refuse)| *may_refuse)
            .map(|(objection, _)| objection)
            .collect();
        return Err(ProposeError::Refused(refused));
    }
    let flags = objections
        .into_iter()
        .map(|(objection, _)| objection)
        .collect();
    let draft = Draft {
        id: proposal.id,
        stream: case.stream().clone(),
        version: case.version() + 1,
        occurred_at: proposal.occurred_at,
        recorded_at: proposal.now,
        by: proposal.by,
        done_by: proposal.done_by,
        rulebook: case.rulebook().digest,
        evidence: proposal.evidence,
        cause: proposal.cause,
        content: Content::Fact(proposal.fact),
        chain: Unchained,
    };
    let clocks = clock_changes(case, &draft);
    Ok(Admission {
        draft,
        flags,
        testimony,
        clocks,
    })
}

/// Roles are stored in the manual's canonical word, whichever was used.
fn canonical_roles(case: &Case, proposal: &mut Proposal) -> Result<(), FactProblem> {
    let roles = &case.rulebook().roles;
    let observed = proposal.mode == Mode::Observe;
    let canonical = |actor: &mut Actor, field: &str| match roles.canonical(&actor.role) {
        Some(role) => {
            actor.role = role.into();
            Ok(())
        }
        // Somebody else's history has somebody else's roles.
        None if observed => Ok(()),
        None => {
            let remedy = match nearest(&actor.role, roles.names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "the manual knows: {}",
                    roles.names().collect::<Vec<_>>().join(", ")
                ),
            };
            Err(FactProblem::new(
                field,
                format!(
                    "`{}` is no role of the manual `{}`",
                    actor.role,
                    case.rulebook().name
                ),
                remedy,
            ))
        }
    };
    canonical(&mut proposal.by, "by.role")?;
    if let Some(doer) = &mut proposal.done_by {
        canonical(doer, "done_by.role")?;
    }
    Ok(())
}

fn check_words(case: &Case, fact: &Fact) -> Result<(), FactProblem> {
    for list in &case.rulebook().words {
        if list.fact != fact.fact_type() {
            continue;
        }
        let Some(value) = fact.get(&list.field) else {
            continue;
        };
        let fits = |value: &Value| list.values.iter().any(|known| value.matches(known));
        let fits = match value {
            Value::Words(words) => words.iter().all(|word| fits(&Value::Word(word.clone()))),
            other => fits(other),
        };
        if !fits {
            let known: Vec<String> = list.values.iter().map(ToString::to_string).collect();
            return Err(FactProblem::new(
                format!("fact.{}", list.field),
                format!(
                    "the value is not one the manual `{}` knows",
                    case.rulebook().name
                ),
                format!("use one of: {}", known.join(", ")),
            ));
        }
    }
    Ok(())
}

/// Every rule the proposal does not keep, and whether it may refuse.
fn objections(case: &Case, proposal: &Proposal) -> Vec<(Objection, bool)> {
    let rulebook = case.rulebook();
    let happened_at = proposal.occurred_at.to_utc();
    let scene = Scene {
        history: case.history(),
        end: case.history().until(happened_at),
        fact: &proposal.fact,
        doer: proposal.done_by.as_ref().unwrap_or(&proposal.by),
        happened_at,
        process: case.stream().process(),
        calendar: &rulebook.calendar,
    };
    rulebook
        .guards(proposal.fact.fact_type())
        .filter_map(|(rule, clause)| match clause.judge(&scene) {
            Ruling::Broken(shortfall) if lifting_rule(case, rule, &scene).is_none() => {
                let may_refuse = clause.form.may_refuse();
                Some((objection(case, rule, clause, shortfall), may_refuse))
            }
            Ruling::Broken(_) | Ruling::Kept(_) | Ruling::Attested | Ruling::NotApplicable => None,
        })
        .collect()
}

/// The permission that lifts a rule in a scene, if one does.
pub(crate) fn lifting_rule<'a>(
    case: &'a Case,
    rule: &'a Rule,
    scene: &Scene<'_>,
) -> Option<&'a Rule> {
    case.rulebook()
        .permissions(&rule.id)
        .find(|(_, clause)| {
            (clause.facts.is_empty() || clause.facts.contains(&scene.fact.fact_type()))
                && clause.when.holds(scene)
        })
        .map(|(permission, _)| permission)
}

/// The permission that lifts the rule of a run, if one does: it is asked of the
/// fact that started it.
pub(crate) fn rule_lifting_run<'a>(case: &'a Case, rule: &'a Rule, run: &Run) -> Option<&'a Rule> {
    case.rulebook().permissions(&rule.id).next()?;
    let record = &run.started_by;
    let scene = Scene {
        history: case.history(),
        end: case.history().position_of(record)?,
        fact: record.fact()?,
        doer: record.doer(),
        happened_at: record.happened_at(),
        process: case.stream().process(),
        calendar: &case.rulebook().calendar,
    };
    lifting_rule(case, rule, &scene)
}

fn objection(case: &Case, rule: &Rule, clause: &Clause, shortfall: Shortfall) -> Objection {
    let (manual, section, quote) = match rule.quote(&case.rulebook().name) {
        Some((source, quote)) => (
            source.manual.clone(),
            source.section.clone(),
            quote.to_owned(),
        ),
        None => Default::default(),
    };
    Objection {
        rule: Arc::clone(&rule.id),
        clause: clause.number,
        says: rule.says.clone(),
        manual,
        section,
        quote,
        missing: shortfall.missing,
        accepted: shortfall.accepted,
        later: shortfall.later,
    }
}

/// What recording the draft would do to the clocks.
fn clock_changes(case: &Case, draft: &Draft) -> Vec<ClockChange> {
    let Some(fact) = draft.fact() else {
        return Vec::new();
    };
    let fact_type = fact.fact_type();
    if fact_type != FactRetracted::TYPE && case.rulebook().touched(fact_type).next().is_none() {
        return Vec::new();
    }
    // The link is never stored: it is made when the draft is sealed.
    let record = Arc::new(draft.clone().chained(Digest::of("provisional", &[])));
    let mut history = case.history().clone();
    if !history.extend(&record) {
        // Told afterwards or taken back: everything is worked out anew.
        let mut changed = case.clone();
        changed.apply(record);
        return case
            .rulebook()
            .clocks()
            .enumerate()
            .flat_map(|(place, (rule, clause))| {
                compare(rule, clause, case.runs(place), changed.runs(place))
            })
            .collect();
    }
    let position = history.len().saturating_sub(1);
    let mut changes = Vec::new();
    for (place, clause) in case.rulebook().touched(fact_type) {
        // What is over stays as it is, however much of it there is.
        let lasting = |run: &&Run| run.is_open() || run.undecided || run.follow.is_some();
        let before: Vec<Run> = case.runs(place).iter().filter(lasting).cloned().collect();
        let mut after = before.clone();
        touch_clause(
            case.stream(),
            &history,
            position,
            &record,
            case.rulebook(),
            clause,
            &mut after,
        );
        if let Some((rule, _)) = case.rulebook().clocks().nth(place) {
            changes.extend(compare(rule, clause, &before, &after));
        }
    }
    changes
}

fn compare(rule: &Rule, clause: &Clause, before: &[Run], after: &[Run]) -> Vec<ClockChange> {
    fn name(run: &Run) -> (RecordId, Option<&str>, DateTime<Utc>) {
        (run.started_by.id, run.key.as_deref(), run.from)
    }
    let mut known: BTreeMap<_, &Run> = before.iter().map(|run| (name(run), run)).collect();
    let change = |run: &Run, event, due_at| ClockChange {
        rule: Arc::clone(&rule.id),
        clause: clause.number,
        key: run.key.clone(),
        event,
        due_at,
    };
    let mut changes: Vec<ClockChange> = after
        .iter()
        .filter_map(|run| {
            let event = event(known.remove(&name(run)), run)?;
            Some(change(run, event, run.due))
        })
        .collect();
    // Runs whose start was taken back are gone.
    let gone = known.values().filter(|run| run.is_open() && run.applies);
    changes.extend(gone.map(|run| change(run, ClockEvent::Cancelled, None)));
    changes
}

fn event(before: Option<&Run>, after: &Run) -> Option<ClockEvent> {
    let was_open = before.is_none_or(|run| run.is_open() || (run.undecided && !after.undecided));
    let was_running = before.is_some_and(|run| run.applies);
    if !after.applies && !was_running {
        return None;
    }
    match (&after.end, was_open) {
        (Some(End::Answered(_)), true) if after.missed => Some(ClockEvent::Missed),
        (Some(End::Answered(_)), true) => Some(ClockEvent::Met),
        (Some(End::Early(_) | End::Lapsed), true) => Some(ClockEvent::Missed),
        (Some(End::Waived(_)), true) => Some(ClockEvent::Waived),
        (Some(End::Cancelled(_) | End::Superseded(_)), true) => Some(ClockEvent::Cancelled),
        (Some(_), false) => None,
        (None, _) => match before {
            None => Some(ClockEvent::Started),
            // It waits for the first time, or again: its answer was taken back.
            Some(before) if !before.applies || !before.is_open() => Some(ClockEvent::Started),
            Some(_) if !after.applies => Some(ClockEvent::Cancelled),
            Some(before) if before.due.is_some() && after.is_paused() && !before.is_paused() => {
                Some(ClockEvent::Paused)
            }
            Some(before) if before.due != after.due => Some(ClockEvent::Moved),
            Some(_) => None,
        },
    }
}
