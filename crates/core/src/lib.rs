//! The pure core of Thirdring: facts, rules, clocks and verdicts.
//!
//! No I/O, no clock, no randomness, no threads, no async, no global state: the
//! caller hands in the present and gets back values. Five verbs:
//!
//! | verb | gives |
//! |---|---|
//! | [`propose`] | whether a fact can be recorded, and what follows from it |
//! | [`Case::apply`] | the case with one more record |
//! | [`next_deadline`] | when time will next make something of the case |
//! | [`lapse`] | the notices of what became true by time alone |
//! | [`explain`] | the reasoning behind a rule's verdict, step by step |
//!
//! and above them [`verdicts`]: what every rule of a manual says about a
//! history.

// The floors, lowest first: each module uses only modules above it in this list
// (tests/floors.rs holds it to that). The blank lines keep it from being sorted.
pub mod digest;

pub mod personal;

pub mod vocabulary;

pub mod ids;

pub mod record;

mod source;

pub mod history;

pub mod manual;

pub mod scene;

pub mod derived;

pub mod forms;

pub mod rulebook;

pub mod status;

pub mod judge;

pub mod audit;

pub mod written;

mod trial;

mod settings;

pub use audit::{Explanation, Finding, Verdict, VerdictKind, each_finding, explain, verdicts};
pub use ids::{Actor, RecordId, StreamId};
pub use judge::{
    Admission, Case, Deadline, Mode, Proposal, ProposeError, lapse, next_deadline,
    next_deadline_unlifted, propose,
};
pub use personal::Personal;
pub use record::{Record, Sealed};
pub use rulebook::{Library, Rulebook, manual_name};
pub use settings::{NoSetting, Setting, load_with};
pub use source::{Complaint, Complaints, SourceText};
pub use trial::load;
pub use vocabulary::{Fact, FactType};
