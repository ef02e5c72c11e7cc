//! A duty shift on the hotline: planned, taken, handed over, ended.

use crate::vocabulary::declare::facts;
use crate::vocabulary::{Attribute, FactType, KeyOpening};

facts! {
    group shift of Shift from super::ticket::closure::END;

    /// Somebody was put on the roster (值班安排).
    act shift_assigned ShiftAssigned [shift] {
        /// Who.
        engineer: personal,
        /// When the shift begins.
        start: instant,
        /// When the shift ends.
        end: instant,
    }

    /// The engineer came to the post.
    event checked_in CheckedIn [shift] {}

    /// The engineer reported to be ready for calls.
    act ready_reported ReadyReported [shift] {}

    /// The open items of the shift before were taken over (交接).
    act handover_recorded HandoverRecorded [shift] {
        /// Who handed over.
        previous_engineer: personal,
        /// The items taken over.
        items: personal,
    }

    /// Leave to be away from the post was given.
    act permission_given PermissionGiven [absence] {}

    /// The engineer left the post.
    event left_post LeftPost [absence] {}

    /// The shift was over.
    event shift_ended ShiftEnded [shift] {
        /// Conduct somebody vouches for: `line_kept_free`, `no_private_calls`,
        /// `phones_silent`.
        attested: words,
    }
}

/// What rules may ask about a shift beyond the fact at hand.
pub(crate) const ATTRIBUTES: &[Attribute] = &[];

/// The facts that may open a shift: all of them.
pub(crate) const OPENED_BY: &[FactType] = &[
    ShiftAssigned::TYPE,
    CheckedIn::TYPE,
    ReadyReported::TYPE,
    HandoverRecorded::TYPE,
    PermissionGiven::TYPE,
    LeftPost::TYPE,
    ShiftEnded::TYPE,
];

/// The keys of a shift stream and the facts that open one of their values.
pub(crate) const KEYS: &[KeyOpening] = &[
    KeyOpening {
        key: "shift",
        opened_by: &[ShiftAssigned::TYPE],
        strict: false,
    },
    KeyOpening {
        key: "absence",
        opened_by: &[PermissionGiven::TYPE],
        strict: false,
    },
];
