//! Tells followers in this process that something was committed, or may have
//! been elsewhere.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::partition::PARTITIONS;

#[derive(Debug)]
pub(crate) struct Arrivals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// The last position known to be committed in each partition.
    lasts: [u64; PARTITIONS],
    /// Counts hints that another node has committed.
    hints: u64,
    closed: bool,
    /// Threads that wait: waking nobody costs a system call as well.
    waiting: usize,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    Arrived,
    /// Another node says that it has committed something.
    Hinted,
    TimedOut,
    Closed,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                lasts: [0; PARTITIONS],
                hints: 0,
                closed: false,
                waiting: 0,
            }),
            changed: Condvar::new(),
        }
    }
}

impl Arrivals {
    // The fields are plain values, each set in one assignment.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything up to these positions is committed and readable.
    pub(crate) fn committed(&self, lasts: &[(usize, u64)]) {
        let mut state = self.state();
        let mut news = false;
        for &(partition, position) in lasts {
            if let Some(last) = state.lasts.get_mut(partition)
                && position > *last
            {
                *last = position;
                news = true;
            }
        }
        let wake = news && state.waiting > 0;
        drop(state);
        if wake {
            self.changed.notify_all();
        }
    }

    pub(crate) fn hint(&self) {
        let mut state = self.state();
        state.hints = state.hints.wrapping_add(1);
        drop(state);
        self.changed.notify_all();
    }

    /// How many threads wait.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting
    }

    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits, once, until something after `positions` is committed.
    pub(crate) fn wait_past(&self, positions: &[u64], timeout: Duration) -> Waited {
        let mut state = self.state();
        let hints = state.hints;
        for turn in 0..2 {
            if state
                .lasts
                .iter()
                .zip(positions)
                .any(|(last, seen)| last > seen)
            {
                return Waited::Arrived;
            }
            if state.closed {
                return Waited::Closed;
            }
            if state.hints != hints {
                return Waited::Hinted;
            }
            if turn == 0 {
                state.waiting = state.waiting.saturating_add(1);
                let waited = self.changed.wait_timeout(state, timeout);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                state.waiting = state.waiting.saturating_sub(1);
            }
        }
        Waited::TimedOut
    }
}
