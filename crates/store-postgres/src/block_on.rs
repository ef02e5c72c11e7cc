//! Waiting on a thread for an answer that the runtime's thread will bring.
//!
//! Not tokio's `block_on`, which must not be called inside another runtime: who
//! calls the log may have one.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for `future` until `deadline`; `None` if it passes.
pub(crate) fn block_on_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_answer_or_the_deadline() {
        let far = Instant::now() + Duration::from_secs(3600);
        assert_eq!(block_on_until(async { 7 }, far), Some(7));
        let now = Instant::now();
        assert_eq!(block_on_until(std::future::pending::<()>(), now), None);
    }
}
