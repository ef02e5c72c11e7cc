//! The ticket as an aggregate of `cqrs-es`: the same facts as the desk's, typed,
//! and the order of a ticket checked by hand. No manual, no clocks, no chain: what
//! the desk writes of those is carried here as text, so that the payloads are as
//! long as the desk's.

use std::collections::BTreeSet;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

/// A fact with all that the desk's record of it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recorded {
    chain: String,
    v: u8,
    id: String,
    pub(crate) stream: String,
    version: u64,
    occurred_at: String,
    recorded_at: String,
    by: Actor,
    rulebook: String,
    fact: Fact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    personal: Option<Committed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Actor {
    id: String,
    role: String,
}

/// Which values are personal, and the digest that commits to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Committed {
    fields: Vec<String>,
    hash: String,
}

/// The personal values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    salt: String,
    fields: Words,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Words {
    #[serde(skip_serializing_if = "Option::is_none")]
    phenomenon: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guidance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    solution: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Fact {
    CallRang {
        call: String,
    },
    CallAnswered {
        call: String,
        rings: u32,
        attested: Vec<String>,
    },
    RequestReceived {
        channel: String,
        kind: String,
        customer: String,
    },
    OwnerTaken {
        department: String,
    },
    Triaged {
        solvable_by: String,
        cause_kind: String,
        in_doubt: bool,
        attested: Vec<String>,
    },
    RequestRecorded {
        attested: Vec<String>,
    },
    GuidanceGiven {
        method: String,
    },
    ProblemSolved {
        method: String,
    },
    ResultTold {
        attested: Vec<String>,
    },
    CallEnded {
        call: String,
        reason: String,
        attested: Vec<String>,
    },
    KbLinked {
        entry: String,
    },
    TicketClosed {
        outcome: String,
    },
}

impl DomainEvent for Recorded {
    fn event_type(&self) -> String {
        match self.fact {
            Fact::CallRang { .. } => "call_rang",
            Fact::CallAnswered { .. } => "call_answered",
            Fact::RequestReceived { .. } => "request_received",
            Fact::OwnerTaken { .. } => "owner_taken",
            Fact::Triaged { .. } => "triaged",
            Fact::RequestRecorded { .. } => "request_recorded",
            Fact::GuidanceGiven { .. } => "guidance_given",
            Fact::ProblemSolved { .. } => "problem_solved",
            Fact::ResultTold { .. } => "result_told",
            Fact::CallEnded { .. } => "call_ended",
            Fact::KbLinked { .. } => "kb_linked",
            Fact::TicketClosed { .. } => "ticket_closed",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

/// What has to be known of a ticket to take its next fact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ticket {
    ringing: BTreeSet<String>,
    talking: BTreeSet<String>,
    owner: Option<String>,
    received: bool,
    triaged: bool,
    recorded: bool,
    solved: bool,
    told: bool,
    closed: bool,
    /// How many facts it has.
    pub(crate) facts: u64,
}

/// Why a fact is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Closed,
    NotRinging,
    NotTalking,
    RungTwice,
    NotReceived,
    NotTriaged,
    NotRecorded,
    NotSolved,
    NotTold,
    TooLate,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Closed => "the ticket is closed",
            Self::NotRinging => "no such call is ringing",
            Self::NotTalking => "no such call was answered",
            Self::RungTwice => "this call rang before",
            Self::NotReceived => "no request was received",
            Self::NotTriaged => "the request was not triaged",
            Self::NotRecorded => "the request was not recorded",
            Self::NotSolved => "the problem is not solved",
            Self::NotTold => "the customer was not told the result",
            Self::TooLate => "the call was answered after the third ring",
        })
    }
}

impl std::error::Error for Refused {}

impl Ticket {
    fn check(&self, fact: &Fact) -> Result<(), Refused> {
        let when = |holds: bool, otherwise: Refused| if holds { Ok(()) } else { Err(otherwise) };
        when(!self.closed, Refused::Closed)?;
        match fact {
            Fact::CallRang { call } => when(
                !self.ringing.contains(call) && !self.talking.contains(call),
                Refused::RungTwice,
            ),
            Fact::CallAnswered { call, rings, .. } => {
                when(self.ringing.contains(call), Refused::NotRinging)?;
                when(*rings <= 3, Refused::TooLate)
            }
            Fact::RequestReceived { .. } => when(!self.talking.is_empty(), Refused::NotTalking),
            Fact::OwnerTaken { .. } | Fact::Triaged { .. } | Fact::RequestRecorded { .. } => {
                when(self.received, Refused::NotReceived)
            }
            Fact::GuidanceGiven { .. } => {
                when(self.triaged, Refused::NotTriaged)?;
                when(self.recorded, Refused::NotRecorded)
            }
            Fact::ProblemSolved { .. } => when(self.triaged, Refused::NotTriaged),
            Fact::ResultTold { .. } | Fact::KbLinked { .. } => {
                when(self.solved, Refused::NotSolved)
            }
            Fact::CallEnded { call, .. } => when(self.talking.contains(call), Refused::NotTalking),
            Fact::TicketClosed { .. } => when(self.told, Refused::NotTold),
        }
    }

    /// Folds a fact.
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        self.facts += 1;
        match &recorded.fact {
            Fact::CallRang { call } => {
                self.ringing.insert(call.clone());
            }
            Fact::CallAnswered { call, .. } => {
                self.ringing.remove(call);
                self.talking.insert(call.clone());
            }
            Fact::RequestReceived { .. } => self.received = true,
            Fact::OwnerTaken { department } => self.owner = Some(department.clone()),
            Fact::Triaged { .. } => self.triaged = true,
            Fact::RequestRecorded { .. } => self.recorded = true,
            Fact::GuidanceGiven { .. } | Fact::KbLinked { .. } => {}
            Fact::ProblemSolved { .. } => self.solved = true,
            Fact::ResultTold { .. } => self.told = true,
            Fact::CallEnded { call, .. } => {
                self.talking.remove(call);
            }
            Fact::TicketClosed { .. } => self.closed = true,
        }
    }
}

impl Aggregate for Ticket {
    const TYPE: &'static str = "ticket";
    type Command = Recorded;
    type Event = Recorded;
    type Error = Refused;
    type Services = ();

    async fn handle(
        &mut self,
        command: Recorded,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Refused> {
        self.check(&command.fact)?;
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Recorded) {
        self.fold(&event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(fact: &str) -> Recorded {
        let line = format!(
            r#"{{"chain":"","v":1,"id":"","stream":"T-1","version":1,"occurred_at":"",
            "recorded_at":"","by":{{"id":"li","role":"hotline_engineer"}},"rulebook":"",
            "fact":{fact}}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    fn outcome(before: &[&str], fact: &str) -> Result<(), Refused> {
        let mut ticket = Ticket::default();
        for fact in before {
            ticket.fold(&recorded(fact));
        }
        ticket.check(&recorded(fact).fact)
    }

    #[test]
    fn the_order_of_a_ticket_is_checked() {
        let rang = r#"{"type":"call_rang","call":"1"}"#;
        let answered = r#"{"type":"call_answered","call":"1","rings":3,"attested":[]}"#;
        let late = r#"{"type":"call_answered","call":"1","rings":4,"attested":[]}"#;
        let solved = r#"{"type":"problem_solved","method":"phone"}"#;
        let told = r#"{"type":"result_told","attested":[]}"#;
        let closed = r#"{"type":"ticket_closed","outcome":"solved"}"#;
        assert_eq!(outcome(&[], answered), Err(Refused::NotRinging));
        assert_eq!(outcome(&[rang], answered), Ok(()));
        assert_eq!(outcome(&[rang], late), Err(Refused::TooLate));
        assert_eq!(outcome(&[rang, answered], rang), Err(Refused::RungTwice));
        assert_eq!(outcome(&[rang], solved), Err(Refused::NotTriaged));
        assert_eq!(outcome(&[], told), Err(Refused::NotSolved));
        assert_eq!(outcome(&[solved], closed), Err(Refused::NotTold));
        assert_eq!(outcome(&[solved, told], closed), Ok(()));
        assert_eq!(outcome(&[closed], rang), Err(Refused::Closed));
    }
}
