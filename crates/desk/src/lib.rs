//! A service desk that keeps its manual.
//!
//! A [`Desk`] is a log, a rulebook and a source of time. Facts are proposed to
//! it; the rules of the manual admit, flag or refuse them, clocks run, and
//! everything that was recorded can be shown, explained and judged again.
//!
//! ```
//! use thirdring::{Actor, Desk, Outcome, StreamId, manuals, moment};
//! use thirdring::facts::{CallAnswered, CallRang, WorkStarted};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let desk = Desk::in_memory(manuals::shipped("unis")?);
//! let ticket = StreamId::new("T-1")?;
//! let phone = Actor::new("pbx", "telephone_system")?;
//! let li = Actor::new("li", "hotline_engineer")?;
//! let nine = moment("2026-03-02T09:00:00+08:00")?;
//!
//! desk.propose_at(&ticket, CallRang::new("1"), &phone, nine)?;
//! // The fourth ring: an event is recorded whatever the rules say, and flagged.
//! let late = CallAnswered::new("1").rings(4).attested(["standard_script"]);
//! match desk.propose_at(&ticket, late, &li, nine)? {
//!     Outcome::Admitted(receipt) => {
//!         assert_eq!(&*receipt.flags[0].rule, "hotline-answer-within-three-rings");
//!         assert_eq!(receipt.flags[0].quote, "热线电话铃响三声接听");
//!     }
//!     Outcome::Refused(_) => unreachable!("events are never refused"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The calls block for at most one commit of the log. From async code run them
//! where blocking is allowed (`spawn_blocking` or the like); the desk needs no
//! runtime of its own and is `Send + Sync`.

// The floors, lowest first: each module uses only modules above it in this list.
mod time_source;

mod identity;

mod history_line;

mod storage;

mod open_clock;

mod register;

mod timetable;

mod replay;

mod request;

mod batch;

mod desk;

pub use desk::Desk;
pub use history_line::{HistoryLine, LineError, NoMoment, moment};
pub use identity::{derived_id, fresh_id};
pub use open_clock::OpenClock;
pub use replay::{Replayed, replay_log};
pub use request::{DeskError, Outcome, Receipt, Refusal, Request};
pub use storage::{ReadFailure, read_all, read_stream};
pub use time_source::TimeSource;

pub use thirdring_core as core;
pub use thirdring_manuals as manuals;
pub use thirdring_store as store;

pub use thirdring_store::DueIndex;

pub use thirdring_core::{Actor, Fact, RecordId, Rulebook, StreamId};

/// The facts of every process, by their typed builders.
pub mod facts {
    pub use thirdring_core::vocabulary::bookkeeping::*;
    pub use thirdring_core::vocabulary::knowledge::*;
    pub use thirdring_core::vocabulary::shift::*;
    pub use thirdring_core::vocabulary::ticket::{
        call::*, closure::*, handling::*, intake::*, ownership::*, talk::*, visit::*,
    };
}
