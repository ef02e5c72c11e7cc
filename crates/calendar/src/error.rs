//! What can go wrong: each error says what, where, and how to mend it.

use chrono::{DateTime, NaiveDate, Utc};

/// Why a calendar could not be compiled, or why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The zone is not in the zone database compiled into this crate.
    #[error(
        "tz: `{zone}` is not an IANA time zone; write a name such as \"Asia/Shanghai\" (names are case-sensitive)"
    )]
    UnknownZone {
        /// The name as written.
        zone: String,
    },
    /// A window that ends before or when it begins.
    #[error(
        "{field}: the window {open}-{close} has no length; a window past midnight ends after 24:00, e.g. \"22:00\" to \"30:00\" for 06:00 of the next day"
    )]
    EmptyWindow {
        /// Where it stands, e.g. `weekly.mon[0]`.
        field: String,
        /// The opening as written.
        open: String,
        /// The close as written.
        close: String,
    },
    /// A range of dates that ends before it begins, or is too long to be a list of holidays.
    #[error(
        "{field}: {from} to {to} is not a usable range of dates; put the earlier date first (one holiday covers at most 366 days)"
    )]
    BadRange {
        /// Where it stands.
        field: String,
        /// The first date.
        from: NaiveDate,
        /// The last date, itself included.
        to: NaiveDate,
    },
    /// One date is both a holiday and a make-up working day of the same source.
    #[error(
        "make_up_days: {date} is also in holidays; keep one of them, or give the day its own hours in special_days"
    )]
    Contradiction {
        /// The date listed twice.
        date: NaiveDate,
    },
    /// A list of holidays that is not shipped.
    #[error("holidays_from: there is no holiday list `{name}`; shipped are: {known}")]
    UnknownHolidayList {
        /// The name as written.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// Nothing opens before (backward) or after (forward) the instant, ever.
    #[error(
        "the calendar never opens {direction} {instant}; give it weekly hours, a special day there, or always_open = true"
    )]
    NeverOpens {
        /// Where the search began.
        instant: DateTime<Utc>,
        /// "after" or "before".
        direction: &'static str,
    },
    /// The calendar is open without end from here, so there is no close to name.
    #[error("the calendar never closes after {instant}; it is open around the clock")]
    NeverCloses {
        /// Where the search began.
        instant: DateTime<Utc>,
    },
    /// There are fewer working days than asked for.
    #[error(
        "{asked} is not reached: the calendar has no more working days there; check weekly hours and the number of days"
    )]
    NoSuchWorkingDay {
        /// What was asked for.
        asked: String,
    },
    /// The answer lies outside the years a date can have.
    #[error(
        "the answer lies beyond the years that can be written (about 262,000 before and after Christ); ask for a smaller {what}"
    )]
    OutOfRange {
        /// The quantity that was too large, e.g. "number of seconds".
        what: &'static str,
    },
    /// A pause that ends before it begins.
    #[error(
        "pauses: a pause from {from} ends earlier, at {to}; swap the two, or leave `to` open while the pause lasts"
    )]
    ReversedPause {
        /// Its beginning.
        from: DateTime<Utc>,
        /// Its end.
        to: DateTime<Utc>,
    },
    /// A budget below zero where only time ahead makes sense.
    #[error(
        "seconds: a deadline needs a budget of zero or more, not {seconds}; to count backward use `add` with negative seconds"
    )]
    NegativeBudget {
        /// The budget in seconds.
        seconds: i64,
    },
}
