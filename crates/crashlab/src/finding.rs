//! What an experiment can find, and the count of what was found.

use std::fmt;

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// What was answered with success is not there.
    Loss(String),
    /// What is there is not whole, not in order, not as it was written, or was
    /// never asked for.
    Tear(String),
    /// The log does not open.
    Refusal(String),
    /// Repeating a command did not have one effect.
    Retry(String),
    /// The process ended in a way nobody asked for.
    Crash(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(what) => write!(f, "loss: {what}"),
            Self::Tear(what) => write!(f, "tear: {what}"),
            Self::Refusal(what) => write!(f, "refusal to open: {what}"),
            Self::Retry(what) => write!(f, "retry: {what}"),
            Self::Crash(what) => write!(f, "crash: {what}"),
        }
    }
}

/// How many examples of findings are kept.
const EXAMPLES_MAX: usize = 24;

/// What a number of experiments gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Experiments made, or images looked at.
    pub tried: usize,
    /// Different images among them, each of which was opened and judged.
    pub distinct: usize,
    /// Experiments in which nothing was to be disturbed any more.
    pub undisturbed: usize,
    /// Experiments in which an answered command was lost.
    pub losses: usize,
    /// … in which something was torn.
    pub tears: usize,
    /// … in which the log did not open.
    pub refusals: usize,
    /// … in which a retry did not have one effect.
    pub retries: usize,
    /// … in which a process crashed by itself.
    pub crashes: usize,
    /// The first findings, with where they were made.
    pub examples: Vec<String>,
}

impl Figures {
    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.losses + self.tears + self.refusals + self.retries + self.crashes == 0
    }

    /// Counts one experiment.
    pub(crate) fn count(&mut self, place: &dyn Fn() -> String, findings: &[Finding]) {
        self.tried = self.tried.saturating_add(1);
        let has = |is: fn(&Finding) -> bool| usize::from(findings.iter().any(is));
        self.losses += has(|finding| matches!(finding, Finding::Loss(_)));
        self.tears += has(|finding| matches!(finding, Finding::Tear(_)));
        self.refusals += has(|finding| matches!(finding, Finding::Refusal(_)));
        self.retries += has(|finding| matches!(finding, Finding::Retry(_)));
        self.crashes += has(|finding| matches!(finding, Finding::Crash(_)));
        for finding in findings {
            if self.examples.len() < EXAMPLES_MAX {
                self.examples.push(format!("{}: {finding}", place()));
            }
        }
    }

    /// Adds the figures of other experiments.
    pub fn add(&mut self, other: Self) {
        self.tried += other.tried;
        self.distinct += other.distinct;
        self.undisturbed += other.undisturbed;
        self.losses += other.losses;
        self.tears += other.tears;
        self.refusals += other.refusals;
        self.retries += other.retries;
        self.crashes += other.crashes;
        let room = EXAMPLES_MAX.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }
}
