//! The ticket: a customer's request from the first ring to the archive.

pub mod intake;

pub mod call;

pub mod ownership;

pub mod handling;

pub mod talk;

pub mod visit;

pub mod closure;

use crate::vocabulary::{Attribute, FactType, KeyOpening};

/// What rules may ask about a ticket beyond the fact at hand: the latest value
/// of a field.
pub(crate) const ATTRIBUTES: &[Attribute] = &[
    Attribute {
        name: "channel",
        fact: intake::RequestReceived::TYPE,
        field: "channel",
    },
    Attribute {
        name: "kind",
        fact: intake::RequestReceived::TYPE,
        field: "kind",
    },
    Attribute {
        name: "site",
        fact: intake::RequestReceived::TYPE,
        field: "site",
    },
    Attribute {
        name: "repeat_customer",
        fact: intake::RequestReceived::TYPE,
        field: "repeat_customer",
    },
    Attribute {
        name: "level",
        fact: intake::RequestClassified::TYPE,
        field: "level",
    },
    Attribute {
        name: "solvable_by",
        fact: handling::Triaged::TYPE,
        field: "solvable_by",
    },
    Attribute {
        name: "cause_kind",
        fact: handling::Triaged::TYPE,
        field: "cause_kind",
    },
    Attribute {
        name: "in_doubt",
        fact: handling::Triaged::TYPE,
        field: "in_doubt",
    },
    Attribute {
        name: "work_solved",
        fact: visit::WorkFinished::TYPE,
        field: "solved",
    },
    Attribute {
        name: "last_visit_solved",
        fact: visit::VisitWrittenOff::TYPE,
        field: "solved",
    },
];

/// The facts that may open a ticket; any other needs an open one.
pub(crate) const OPENED_BY: &[FactType] = &[
    call::CallRang::TYPE,
    call::CallAnswered::TYPE,
    intake::RequestReceived::TYPE,
];

/// The fact from which proofs are counted anew.
pub(crate) const REOPENED_BY: FactType = closure::TicketReopened::TYPE;

/// The keys of a ticket and the facts that open one of their values.
pub(crate) const KEYS: &[KeyOpening] = &[
    KeyOpening {
        key: "call",
        opened_by: &[call::CallRang::TYPE, call::CallAnswered::TYPE],
        strict: false,
    },
    KeyOpening {
        key: "visit",
        opened_by: &[visit::DispatchRequested::TYPE],
        strict: true,
    },
];
