//! How an SQLite log is opened.

use std::time::Duration;

/// What "stored" promises when an append returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Every commit is synced to the medium (`synchronous=FULL`).
    #[default]
    Full,
    /// Commits are not synced (`synchronous=NORMAL`): a loss of power loses
    /// appends that were answered. For tests and benchmarks only.
    NormalLosesAnsweredAppendsOnPowerLoss,
}

/// How an SQLite log is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// What "stored" promises. Default: [`Durability::Full`].
    pub durability: Durability,
    /// Whether to make the file if it is not there. Default: yes.
    pub create: bool,
    /// How long to wait for another process that is writing. Default: 10 s.
    pub busy_timeout: Duration,
    /// Reads at the same time; more wait. Default: 4.
    pub readers: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            create: true,
            busy_timeout: Duration::from_secs(10),
            readers: 4,
        }
    }
}
