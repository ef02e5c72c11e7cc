//! The crash laboratory of the SQLite log.
//!
//! It disturbs child processes that do fixed [workloads](Workload) on a log: it
//! kills them at every call that writes, cuts the power at every moment of a
//! recording of their writes and syncs, and lets their calls fail. After each it
//! opens what is left and judges it. What it found stands in `docs/log.md`.
//!
//! Short, as tests: `cargo test -p thirdring-crashlab`. Long, by hand:
//! `cargo run --release -p thirdring-crashlab -- all`.

// Lowest floor first; the blank lines keep the order from being sorted away.

mod lab_error;

mod finding;

mod workload;

mod told;

mod handle;

mod child;

mod trace;

mod strace;

mod disk;

mod recorder;

mod images;

mod judge;

mod power;

mod kill;

mod report;

pub use child::{OnError, work};
pub use finding::{Figures, Finding};
pub use lab_error::LabError;
pub use report::{Depth, Experiment, report, run};
pub use strace::{Equipment, Laboratory};
pub use told::Told;
pub use workload::{BACKUP, Command, LOG, NAMES, TEETH, Workload};
