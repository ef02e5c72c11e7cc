//! Who is answerable for the ticket. The first responder (首问责任人) owns it
//! until somebody accepts the handover; there is no fact for turning a customer
//! away.

use crate::vocabulary::declare::facts;

facts! {
    group ownership of Ticket from super::call::END;

    /// Somebody took the ticket in hand and answers for it.
    act owner_taken OwnerTaken {
        /// Who.
        person: personal,
        /// The department that person works for.
        department: word,
    }

    /// The owner asked another department to take the ticket over and put the
    /// customer in touch with it.
    act handover_offered HandoverOffered {
        /// The department asked.
        department: word,
        /// The person asked, if it was one.
        person: personal,
    }

    /// The department asked took the ticket over; only now the owner changes.
    act handover_accepted HandoverAccepted {
        /// The department that answers for the ticket from here on.
        department: word,
        /// Who accepted.
        person: personal,
    }

    /// A support engineer was assigned to the ticket.
    act engineer_assigned EngineerAssigned {
        /// Who.
        engineer: personal,
    }

    /// The problem was handed up.
    act escalated Escalated {
        /// To whom: `headquarters` (总部).
        to: word,
        /// What was handed up, and why.
        reason: personal,
    }

    /// Headquarters gave its result.
    event headquarters_answered HeadquartersAnswered {
        /// What it said.
        answer: personal,
    }
}
