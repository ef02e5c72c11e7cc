//! Working calendars: exact working-time arithmetic with holidays, make-up days and time zones.
//!
//! A [`CalendarDefinition`] says when somebody works: hours of the week, holidays, special days,
//! make-up working days, breaks, a time zone. [`Calendar::compile`] checks it and prepares it;
//! then questions cost about 100 ns whatever the span: when are eight working hours used up
//! ([`Calendar::add`]), how much working time lies between two instants
//! ([`Calendar::between`]), when is the deadline with these pauses ([`Calendar::deadline`]),
//! which day is the third working day of the month
//! ([`Calendar::nth_working_day_of_month`]).
//!
//! Pure: no clock, no files, no tickets; the same question always has the same answer.
//!
//! ```
//! use thirdring_calendar::{Calendar, CalendarDefinition};
//!
//! let definition: CalendarDefinition = toml::from_str(r#"
//!     tz = "Asia/Shanghai"
//!     holidays_from = ["cn"]
//!     [weekly]
//!     mon = ["09:00-12:00", "13:30-18:00"]
//!     fri = [["09:00", "12:00"], ["13:30", "18:00"]]
//! "#)?;
//! let calendar = Calendar::compile(&definition)?;
//! // Friday 17:00 and two working hours: one on Friday, one on Monday.
//! let due = calendar.add("2026-03-06T09:00:00Z".parse()?, 2 * 3600)?;
//! assert_eq!(due.to_rfc3339(), "2026-03-09T02:00:00+00:00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Choices
//! - A window past midnight belongs to the day it opens on. A holiday cancels what opens on it,
//!   not what is still open from the evening before.
//! - The instant nearest the start wins: a budget used up exactly at a close is due at the
//!   close. Zero from a closed instant moves to the next opening.
//! - A clock time that does not exist means the moment of the change; of a time that occurs
//!   twice the first opens and the second closes. A break is an interval of the same kind.
//! - A calendar that never opens gives an error. An answer that needs a year without announced
//!   holidays can say so ([`Calendar::add_covered`]).

// Floors, lowest first: each group uses only those above it.

mod error;

mod clock_time;

mod definition;

mod holiday_list;

mod resolved;

#[cfg(feature = "ics")]
pub mod ics;

mod day_book;

mod week;

mod zone;

mod timeline;

mod calendar;

mod pauses;
mod working_days;

mod coverage;
mod windows;

#[cfg(feature = "batch")]
pub mod batch;

pub use calendar::{Calendar, Direction};
pub use clock_time::{ClockTime, ParseClockTimeError, Window};
pub use coverage::{Coverage, Covered};
pub use day_book::HoursReason;
pub use definition::{CalendarDefinition, Day, Holiday, HolidaysKnown, MakeUpDay};
pub use error::CalendarError;
pub use holiday_list::{HolidayList, ListedDay};
pub use pauses::Pause;
pub use windows::{OpenRun, Windows};
pub use working_days::ClosedReason;
pub use zone::{ZONE_DATA_LAST_YEAR, zone_data_version};
