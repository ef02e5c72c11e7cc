//! A phone call on the hotline, from the first ring to the end of the line.

use crate::vocabulary::declare::facts;

facts! {
    group call of Ticket from super::intake::END;

    /// The hotline rang.
    event call_rang CallRang [call] {}

    /// The call was picked up.
    event call_answered CallAnswered [call] {
        /// How often it rang until it was picked up.
        rings: int,
        /// Conduct somebody vouches for: `standard_script`.
        attested: words,
    }

    /// The caller gave up before anybody picked up.
    event call_abandoned CallAbandoned [call] {
        /// How often it had rung.
        rings: int,
    }

    /// The customer was asked and agreed that the call be ended for an internal
    /// consultation.
    event consent_given ConsentGiven [call] {}

    /// The line was closed.
    event call_ended CallEnded [call] {
        /// Why: `finished`, `consultation`, `cut_off` or `wrong_number`.
        reason: word,
        /// Conduct somebody vouches for: `calm`, `patient`.
        attested: words,
    }
}
