//! The answer to a batch that somebody else may be writing.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::append::{AppendError, Appended};
use crate::failure::StorageFailure;

/// The answer to a submitted batch: wait for it on a thread, or await it in any
/// async runtime. Dropping it withdraws nothing; the batch is written anyway.
#[derive(Debug)]
#[must_use = "a batch is only known to be stored once its completion says so"]
pub struct Completion(Arc<Slot>);

/// For backends: the other end of a [`Completion`]. If it is dropped without an
/// answer, the completion is answered with [`AppendError::Unknown`].
#[derive(Debug)]
pub struct Answer {
    slot: Arc<Slot>,
    given: bool,
}

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    result: Option<Result<Appended, AppendError>>,
    waker: Option<Waker>,
    /// Whether a thread waits: waking nobody costs a system call as well.
    waited_for: bool,
}

impl Slot {
    // The state is one assignment away from valid at every moment, so a panic
    // elsewhere while it was locked leaves nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A completion and the means to answer it.
pub(crate) fn completion() -> (Answer, Completion) {
    let slot = Arc::new(Slot::default());
    (
        Answer {
            slot: Arc::clone(&slot),
            given: false,
        },
        Completion(slot),
    )
}

impl Completion {
    /// For backends: a completion and the means to answer it.
    pub fn pending() -> (Answer, Self) {
        completion()
    }

    /// For backends: a completion that is answered already.
    pub fn ready(result: Result<Appended, AppendError>) -> Self {
        let (answer, completion) = completion();
        answer.give(result);
        completion
    }

    /// Waits until the batch is durable or refused.
    ///
    /// # Errors
    /// As [`Log::append`](crate::Log::append).
    pub fn wait(self) -> Result<Appended, AppendError> {
        let mut state = self.0.state();
        loop {
            if let Some(result) = state.result.take() {
                return result;
            }
            state.waited_for = true;
            let waited = self.0.answered.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether the answer is there, so that waiting would not block.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.0.state().result.is_some()
    }
}

impl Future for Completion {
    type Output = Result<Appended, AppendError>;

    /// Gives the answer as often as it is polled after it came.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state();
        match &state.result {
            Some(result) => Poll::Ready(result.clone()),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Answer {
    /// Answers.
    pub fn give(mut self, result: Result<Appended, AppendError>) {
        self.put(result);
    }

    fn put(&mut self, result: Result<Appended, AppendError>) {
        self.given = true;
        let (waker, waited_for) = {
            let mut state = self.slot.state();
            state.result = Some(result);
            (state.waker.take(), state.waited_for)
        };
        if waited_for {
            self.slot.answered.notify_one();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Answer {
    /// Nobody waits for ever, even if the writer dies with the question.
    fn drop(&mut self) {
        if !self.given {
            let cause = io::Error::other("the writer stopped without an answer");
            let failure = StorageFailure::new("finish the batch", "writer", cause);
            self.put(Err(AppendError::Unknown(failure)));
        }
    }
}
