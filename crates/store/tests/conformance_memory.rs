//! The laws of the log, for the log in memory.

use thirdring_store::conformance::Backend;
use thirdring_store::{MemoryLog, conformance_tests};

/// Clones share one log, so that a second handle finds what the first stored.
struct Memory(MemoryLog);

impl Backend for Memory {
    type Log = MemoryLog;

    fn fresh() -> Self {
        Self(MemoryLog::new())
    }

    fn open(&self) -> MemoryLog {
        self.0.clone()
    }
}

conformance_tests!(Memory);
thirdring_store::partition_tests!(Memory);
