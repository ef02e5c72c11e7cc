//! A request comes in, is written down and is classified.

use crate::vocabulary::declare::facts;

facts! {
    group intake of Ticket from crate::vocabulary::bookkeeping::END;

    /// A customer's request reached the desk, whatever the channel.
    event request_received RequestReceived {
        /// The way it came: a word of the manual's channel list, such as `phone`.
        channel: word,
        /// What is asked for: `fault`, `question` or `function_change`.
        kind: word,
        /// How a fault was reported: `written` or `detailed_phone`.
        report_form: word,
        /// The customer's number.
        customer: word,
        /// Where the customer's system stands: a word of the manual's that names
        /// the calendar of that place.
        site: word,
        /// Whether this customer was served before; found in the other streams.
        repeat_customer: evidence,
    }

    /// The request was written down (热线记录).
    act request_recorded RequestRecorded {
        /// What the customer sees go wrong, in the customer's words.
        phenomenon: personal,
        /// Whom to speak to.
        contact: personal,
        /// Where to call back.
        phone: personal,
        /// The product concerned.
        product: word,
        /// Conduct somebody vouches for: `unambiguous`.
        attested: words,
    }

    /// The fault was given its severity (故障级别).
    act request_classified RequestClassified {
        /// The level, 1 being the most severe.
        level: int,
    }
}
