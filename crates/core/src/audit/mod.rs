//! The audit: what every rule says about a history, and why.

// The floors, lowest first: each module uses only modules above it in this list.
mod observable;
mod verdict;

mod guard_verdict;
mod run_verdict;

mod finding;

mod verdicts;

mod sum;

mod explain;

mod compare;

pub use compare::{Comparison, Flip};
pub use explain::{Explanation, explain};
pub use finding::Finding;
pub use observable::Observable;
pub use verdict::{Verdict, VerdictKind};
pub use verdicts::{each_finding, verdicts, verdicts_of};
