//! What the threads of a log share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thirdring_store::StorageFailure;

use crate::arrivals::Arrivals;
use crate::queue::Queue;
use crate::target::Target;

/// What the threads of a log share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) target: Arc<Target>,
    pub(crate) queue: Queue,
    pub(crate) patience: Duration,
    pub(crate) arrivals: Arc<Arrivals>,
    /// Something was committed since the last hint to other nodes.
    pub(crate) committed: Arc<AtomicBool>,
}

impl Shared {
    /// Everything up to these positions is committed.
    pub(crate) fn committed(&self, lasts: &[(usize, u64)]) {
        if !lasts.is_empty() {
            self.committed.store(true, Ordering::Relaxed);
            self.arrivals.committed(lasts);
        }
    }

    pub(crate) fn failure(&self, doing: &'static str, what: &str) -> StorageFailure {
        let cause = std::io::Error::other(what.to_owned());
        StorageFailure::new(doing, Arc::clone(self.target.place()), cause)
    }
}
