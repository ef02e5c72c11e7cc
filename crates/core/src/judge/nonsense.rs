//! What makes no sense under any manual: the few typed checks that come before
//! all rules.

use chrono::TimeDelta;

use crate::history::retraction_target;
use crate::judge::case::Case;
use crate::judge::proposal::Proposal;
use crate::vocabulary::bookkeeping::FactRetracted;
use crate::vocabulary::ticket::closure::TicketClosed;
use crate::vocabulary::{Fact, Process, Value};

/// How far the proposer's clock may be ahead of the desk's, in seconds.
const AHEAD_SECONDS_MAX: i64 = 60;

/// Why a proposal makes no sense under any manual.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// A stream that begins in its middle.
    #[error(
        "{stream} was never opened, so nothing can be recorded in it yet; begin with {accepted}"
    )]
    NotOpened {
        /// The stream.
        stream: String,
        /// The facts that open one.
        accepted: String,
    },
    /// A fact of another kind of stream.
    #[error(
        "`{fact}` belongs in a {wanted} stream, and {stream} is a {process}; use a stream id such as {example}"
    )]
    WrongProcess {
        /// The fact.
        fact: &'static str,
        /// The kind of stream it belongs in.
        wanted: &'static str,
        /// The stream.
        stream: String,
        /// Its kind.
        process: &'static str,
        /// An id that would do.
        example: String,
    },
    /// A fact about something that was never begun.
    #[error("{key} {value} was never begun; record {accepted} for it first")]
    UnknownKey {
        /// The key's name.
        key: &'static str,
        /// Its value.
        value: String,
        /// The facts that begin one.
        accepted: String,
    },
    /// A retraction of nothing.
    #[error("there is no fact {0} in this stream to retract; name the id of one of its records")]
    NothingToRetract(String),
    /// A retraction of a fact that was retracted.
    #[error("the fact {0} was retracted already")]
    RetractedAlready(String),
    /// A retraction without a reason.
    #[error("a retraction says why: add `reason`")]
    NoReason,
    /// A retraction by somebody who may not.
    #[error("`{role}` may not retract facts under this manual; {accepted}")]
    MayNotRetract {
        /// The role.
        role: String,
        /// Who may.
        accepted: String,
    },
    /// Opening again what is open.
    #[error(
        "the ticket is not closed, so it cannot be opened again; record ticket_closed first, or leave it open"
    )]
    NotClosed,
    /// A fact of the future.
    #[error(
        "it is said to have happened at {occurred_at}, later than now ({now}); record it when it has happened"
    )]
    Future {
        /// When it is said to have happened.
        occurred_at: String,
        /// The present.
        now: String,
    },
}

pub(super) fn check(case: &Case, proposal: &Proposal) -> Result<(), Nonsense> {
    let fact = &proposal.fact;
    let fact_type = fact.fact_type();
    let stream = case.stream();
    let process = stream.process();
    let wanted = fact_type.spec().process;
    if wanted != Process::Any && wanted != process {
        let example = match wanted {
            Process::Ticket | Process::Any => "T-1001".to_owned(),
            Process::Shift | Process::Knowledge => format!("{}/1", wanted.name()),
        };
        return Err(Nonsense::WrongProcess {
            fact: fact_type.name(),
            wanted: wanted.name(),
            stream: stream.to_string(),
            process: process.name(),
            example,
        });
    }
    let ahead = proposal.occurred_at.to_utc() - proposal.now;
    if ahead > TimeDelta::seconds(AHEAD_SECONDS_MAX) {
        return Err(Nonsense::Future {
            occurred_at: proposal.occurred_at.to_rfc3339(),
            now: proposal
                .now
                .with_timezone(proposal.occurred_at.offset())
                .to_rfc3339(),
        });
    }
    let opens = process.opened_by();
    if case.history().is_empty() && !opens.contains(&fact_type) {
        let names: Vec<&str> = opens.iter().map(|fact| fact.name()).collect();
        return Err(Nonsense::NotOpened {
            stream: stream.to_string(),
            accepted: names.join(" or "),
        });
    }
    check_key(case, fact)?;
    if process.reopened_by() == Some(fact_type) && !is_closed(case) {
        return Err(Nonsense::NotClosed);
    }
    if fact_type == FactRetracted::TYPE {
        check_retraction(case, proposal)?;
    }
    Ok(())
}

fn check_key(case: &Case, fact: &Fact) -> Result<(), Nonsense> {
    let (Some(spec), Some(value)) = (fact.spec().key, fact.key()) else {
        return Ok(());
    };
    let process = case.stream().process();
    let opening = process
        .keys()
        .iter()
        .find(|opening| opening.key == spec.name && opening.strict);
    let Some(opening) = opening else {
        return Ok(());
    };
    if opening.opened_by.contains(&fact.fact_type()) {
        return Ok(());
    }
    let end = case.history().len();
    let begun = opening.opened_by.iter().any(|fact_type| {
        case.history()
            .positions_before(*fact_type, end)
            .any(|position| case.history().fact(position).and_then(Fact::key) == Some(value))
    });
    if begun {
        return Ok(());
    }
    let names: Vec<&str> = opening.opened_by.iter().map(|fact| fact.name()).collect();
    Err(Nonsense::UnknownKey {
        key: spec.name,
        value: value.to_owned(),
        accepted: names.join(" or "),
    })
}

fn is_closed(case: &Case) -> bool {
    let end = case.history().len();
    let closed = case
        .history()
        .positions_before(TicketClosed::TYPE, end)
        .next();
    let reopened = case
        .stream()
        .process()
        .reopened_by()
        .and_then(|fact_type| case.history().positions_before(fact_type, end).next());
    closed.is_some() && closed > reopened
}

fn check_retraction(case: &Case, proposal: &Proposal) -> Result<(), Nonsense> {
    let named = match proposal.fact.get("record") {
        Some(Value::Word(word)) => word.clone(),
        _ => String::new(),
    };
    let target = retraction_target(&proposal.fact)
        .and_then(|id| case.record(id))
        .filter(|record| record.fact().is_some())
        .ok_or_else(|| Nonsense::NothingToRetract(named.clone()))?;
    if !case
        .history()
        .records()
        .any(|record| record.id == target.id)
    {
        return Err(Nonsense::RetractedAlready(named));
    }
    if proposal.fact.get("reason").is_none_or(Value::is_blank) {
        return Err(Nonsense::NoReason);
    }
    let allowed = &case.rulebook().corrected_by;
    if !allowed.iter().any(|role| **role == *proposal.by.role) {
        return Err(Nonsense::MayNotRetract {
            role: proposal.by.role.to_string(),
            accepted: if allowed.is_empty() {
                "it names nobody who may: add [corrections] by = [\"…\"]".to_owned()
            } else {
                format!("allowed: {}", allowed.join(", "))
            },
        });
    }
    Ok(())
}
