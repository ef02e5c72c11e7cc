//! The audit: what every rule says about a history, and why.

mod explain;
mod verdict;

pub use explain::{Explanation, explain};
pub use verdict::{Observable, Verdict, VerdictKind, verdicts, verdicts_of};
