//! Statuses: the label that follows from the facts. A status never refuses
//! anything; every order that matters is a rule.

use std::collections::BTreeMap;

use crate::history::History;
use crate::vocabulary::ticket::{call, closure, handling, intake, ownership, talk, visit};
use crate::vocabulary::{Fact, Process, Value};

/// Where a stream stands, and each of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// Where the stream stands.
    pub stream: &'static str,
    /// Where its visits stand, by key.
    pub visits: BTreeMap<String, &'static str>,
}

/// The status that follows from a history.
pub fn status(process: Process, history: &History) -> Status {
    let mut status = Status {
        stream: "not opened",
        visits: BTreeMap::new(),
    };
    for record in history.records() {
        let Some(fact) = record.fact() else { continue };
        match process {
            Process::Ticket => ticket(&mut status, fact),
            Process::Shift => status.stream = "on duty",
            Process::Knowledge => status.stream = "kept",
            Process::Any => {}
        }
    }
    status
}

fn ticket(status: &mut Status, fact: &Fact) {
    let fact_type = fact.fact_type();
    if let Some(label) = visit_label(fact) {
        if let Some(key) = fact.key() {
            status.visits.insert(key.to_owned(), label);
        }
        if fact_type == visit::DispatchRequested::TYPE {
            status.stream = "awaiting visit";
        }
        return;
    }
    status.stream = match fact_type {
        call::CallRang::TYPE => "ringing",
        call::CallAbandoned::TYPE => "abandoned",
        call::CallAnswered::TYPE | intake::RequestReceived::TYPE => "received",
        intake::RequestRecorded::TYPE => "recorded",
        intake::RequestClassified::TYPE => "classified",
        handling::Parked::TYPE => "parked",
        ownership::HandoverOffered::TYPE => "with another department",
        ownership::Escalated::TYPE => "escalated",
        talk::CustomerRecontacted::TYPE
        | ownership::OwnerTaken::TYPE
        | ownership::EngineerAssigned::TYPE
        | handling::GuidanceGiven::TYPE => "in hand",
        closure::ProblemSolved::TYPE => "solved",
        closure::ProblemListed::TYPE => "unsolvable",
        closure::TicketClosed::TYPE => "closed",
        closure::TicketReopened::TYPE => "reopened",
        _ => return,
    };
}

fn visit_label(fact: &Fact) -> Option<&'static str> {
    Some(match fact.fact_type() {
        visit::DispatchRequested::TYPE => "requested",
        visit::DispatchVerified::TYPE => "verified",
        visit::VisitDispatched::TYPE => "dispatched",
        visit::OrderConfirmed::TYPE => "order confirmed",
        visit::AppointmentAgreed::TYPE | visit::AppointmentMoved::TYPE => "appointed",
        visit::EngineerArrived::TYPE => "on site",
        visit::WorkStarted::TYPE => "working",
        visit::StuckOnSite::TYPE => "stuck",
        visit::WorkFinished::TYPE => match fact.get("solved") {
            Some(Value::Flag(false)) => "unsolved",
            _ => "finished",
        },
        visit::ServiceSigned::TYPE => "signed",
        visit::VisitWrittenOff::TYPE => "written off",
        visit::OrderArchived::TYPE => "archived",
        visit::VisitAbandoned::TYPE => "given up",
        _ => return None,
    })
}
