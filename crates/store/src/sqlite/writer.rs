//! Gathers concurrent appends into groups with one commit each.
//!
//! One thread at a time *leads*: it holds the committer. A blocking append that
//! finds nobody leading leads itself, which spares it two changes of thread. All
//! others queue, and what has queued up while a group was being committed is the
//! next group, led by the writer thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::commit::{Committer, Request};
use crate::append::{AppendError, Appended, CheckedBatch};
use crate::completion::{Completion, completion};

/// Most batches in one commit: bounds the time until the first is answered.
const GROUP_MAX: usize = 1_024;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// The thread has work, or everything is over.
    woken: Condvar,
    committer: Mutex<Committer>,
    /// Whoever wants the committer for something else holds this while it waits, so
    /// that a busy leader does not always come first.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Request>,
    /// Somebody leads, or the thread has been told to.
    led: bool,
    /// The thread has been told to lead.
    thread_leads: bool,
    closed: bool,
}

impl Shared {
    // The queue's fields are set in single assignments.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // A panic of a leader leaves an open transaction at worst, which the next
    // `BEGIN` reports as an error.
    fn committer(&self) -> MutexGuard<'_, Committer> {
        self.committer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Leads on the writer thread until nothing waits.
    fn lead(&self) {
        loop {
            let group = {
                let mut queue = self.queue();
                if queue.waiting.is_empty() {
                    queue.led = false;
                    queue.thread_leads = false;
                    return;
                }
                let size = queue.waiting.len().min(GROUP_MAX);
                queue.waiting.drain(..size).collect()
            };
            drop(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
            self.committer().run(group);
        }
    }

    fn serve(&self) {
        loop {
            let mut queue = self.queue();
            while !queue.thread_leads {
                if queue.closed && !queue.led {
                    return;
                }
                queue = self
                    .woken
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            drop(queue);
            self.lead();
        }
    }
}

/// Held by a caller that leads; hands the lead on even if the caller panics.
struct Lead<'s>(&'s Shared);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        if queue.waiting.is_empty() {
            queue.led = false;
        } else {
            queue.thread_leads = true;
        }
        if queue.thread_leads || queue.closed {
            drop(queue);
            self.0.woken.notify_one();
        }
    }
}

impl Writer {
    pub(super) fn start(committer: Committer) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            woken: Condvar::new(),
            committer: Mutex::new(committer),
            turn: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("thirdring-log".to_owned())
            .spawn(move || served.serve())?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Appends on this thread if nobody leads, else waits for the group.
    pub(super) fn append(&self, batch: CheckedBatch) -> Result<Appended, AppendError> {
        let (answer, completion) = completion();
        let request = Request { batch, answer };
        let mut queue = self.shared.queue();
        if queue.closed {
            return Err(AppendError::Closed);
        }
        if queue.led {
            queue.waiting.push(request);
            drop(queue);
            return completion.wait();
        }
        queue.led = true;
        drop(queue);
        let lead = Lead(&self.shared);
        self.shared.committer().run(vec![request]);
        drop(lead);
        completion.wait()
    }

    /// Queues a batch for the writer thread.
    pub(super) fn submit(&self, batch: CheckedBatch) -> Completion {
        let (answer, completion) = completion();
        let mut queue = self.shared.queue();
        if queue.closed {
            return Completion::ready(Err(AppendError::Closed));
        }
        queue.waiting.push(Request { batch, answer });
        if !queue.led {
            queue.led = true;
            queue.thread_leads = true;
            drop(queue);
            self.shared.woken.notify_one();
        }
        completion
    }

    /// Uses the connection that writes, between two groups.
    pub(super) fn with_connection<T>(&self, action: impl FnOnce(&mut Connection) -> T) -> T {
        self.between_groups(|committer| action(committer.connection()))
    }

    /// Uses the committer between two groups.
    pub(super) fn between_groups<T>(&self, action: impl FnOnce(&mut Committer) -> T) -> T {
        let turn = self
            .shared
            .turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut committer = self.shared.committer();
        drop(turn);
        action(&mut committer)
    }

    /// Accepts nothing more, and returns when everything accepted is answered.
    pub(super) fn close(&self) {
        self.shared.queue().closed = true;
        self.shared.woken.notify_one();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // Its panic, if any, has answered whoever waited.
            drop(thread.join());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}
