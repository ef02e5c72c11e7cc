//! The audit: what every rule says about a history, and why.

mod compare;
mod explain;
mod sum;
mod verdict;

pub use compare::{Comparison, Flip};
pub use explain::{Explanation, explain};
pub use verdict::{Observable, Verdict, VerdictKind, verdicts, verdicts_of};
