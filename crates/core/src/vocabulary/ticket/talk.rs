//! What the customer was told.

use crate::vocabulary::declare::facts;

facts! {
    group talk of Ticket from super::handling::END;

    /// The customer was called again with a method that had been asked for.
    act customer_recontacted CustomerRecontacted {
        /// How it went: `solved` or `failed`.
        outcome: word,
    }

    /// The customer was told how things stand.
    act status_told StatusTold {
        /// What was said.
        status: personal,
    }

    /// The customer was told the result.
    act result_told ResultTold {
        /// What was said.
        result: personal,
        /// Conduct somebody vouches for: `accurate`.
        attested: words,
    }

    /// The customer was told when somebody will come.
    act onsite_time_told OnsiteTimeTold {
        /// The moment named.
        onsite_at: instant,
    }

    /// A written reply went to the customer.
    act reply_sent ReplySent {
        /// The reply.
        text: personal,
    }
}
