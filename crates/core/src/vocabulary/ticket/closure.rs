//! Solved, filed, closed, and perhaps opened again.

use crate::vocabulary::declare::facts;

facts! {
    group closure of Ticket from super::visit::END;

    /// The customer's problem is gone.
    act problem_solved ProblemSolved {
        /// By which way: `phone`, `remote`, `onsite` or `text`.
        method: word,
        /// What solved it.
        solution: personal,
    }

    /// The problem was linked to an entry of the standardised problem library
    /// (标准化问题库), a new one or one that was there.
    act kb_linked KbLinked {
        /// The number of the entry.
        entry: word,
    }

    /// The problem was entered in the list of unsolved problems (问题记录清单).
    act problem_listed ProblemListed {
        /// The number of the entry.
        entry: word,
    }

    /// The customer took the request back.
    event request_withdrawn RequestWithdrawn {
        /// What the customer said.
        reason: personal,
    }

    /// The ticket was closed.
    act ticket_closed TicketClosed {
        /// How it ended: `solved`, `unsolvable`, `out_of_scope`, `withdrawn` by
        /// the customer, or `abandoned` (nobody waited, or a wrong number).
        outcome: word,
    }

    /// A closed ticket was opened again. What was recorded before stays, but
    /// what must be proved again is proved anew.
    act ticket_reopened TicketReopened {
        /// Why.
        reason: personal,
    }
}
