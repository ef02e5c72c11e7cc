//! Tells followers in this process that something was committed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The last position known to be committed, and whether more can come.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    closed: bool,
    /// Threads that wait: waking nobody costs a system call as well.
    waiting: usize,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    Arrived,
    TimedOut,
    Closed,
}

impl Arrivals {
    // Both fields are plain values, each set in one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything up to `position` is committed and readable.
    pub(crate) fn committed(&self, position: u64) {
        let mut state = self.state();
        if position > state.last {
            state.last = position;
            if state.waiting > 0 {
                drop(state);
                self.changed.notify_all();
            }
        }
    }

    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits until something after `position` is committed.
    pub(crate) fn wait_past(&self, position: u64, timeout: Duration) -> Waited {
        // A timeout beyond what the clock can express is no timeout.
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.state();
        loop {
            if state.last > position {
                return Waited::Arrived;
            }
            if state.closed {
                return Waited::Closed;
            }
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => timeout,
            };
            if left.is_zero() {
                return Waited::TimedOut;
            }
            state.waiting = state.waiting.saturating_add(1);
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.waiting = state.waiting.saturating_sub(1);
        }
    }
}
