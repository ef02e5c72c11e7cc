//! The audit: what every rule says about a history, and why.

// The floors, lowest first: each module uses only modules above it in this list.
mod observable;
mod verdict;

mod guard_verdicts;
mod run_verdict;

mod verdicts;

mod sum;

mod explain;

mod compare;

pub use compare::{Comparison, Flip};
pub use explain::{Explanation, explain};
pub use observable::Observable;
pub use verdict::{Verdict, VerdictKind};
pub use verdicts::{findings, verdicts, verdicts_of};
