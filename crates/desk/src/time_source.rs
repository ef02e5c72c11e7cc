//! Where a desk gets the present from.

use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

/// Where a desk gets the present from: the machine, or whatever a test or an
/// import says.
#[derive(Clone)]
pub struct TimeSource(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl TimeSource {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::of(|| DateTime::from(SystemTime::now()))
    }

    /// Whatever a function says.
    pub fn of(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The present.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl std::fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TimeSource")
    }
}
