//! Hints between nodes that something was committed.
//!
//! Only hints: a follower polls anyway, and a hint lets it poll at once after it
//! has been quiet for a while. `NOTIFY` takes a lock of the whole server until
//! its commit, so it never goes with an append, never waits for replication, and
//! a node sends one a second at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use crate::arrivals::Arrivals;
use crate::target::Target;

/// The time between two hints of one node.
const INTERVAL: Duration = Duration::from_secs(1);

/// What hints are sent about.
#[derive(Debug)]
pub(crate) struct Hints {
    target: Arc<Target>,
    arrivals: Arc<Arrivals>,
    /// Something was committed since the last hint.
    committed: Arc<AtomicBool>,
}

impl Hints {
    pub(crate) fn new(
        target: Arc<Target>,
        arrivals: Arc<Arrivals>,
        committed: Arc<AtomicBool>,
    ) -> Self {
        Self {
            target,
            arrivals,
            committed,
        }
    }

    /// Sends and hears hints until the runtime ends. The connection is made when
    /// it is first needed.
    pub(crate) async fn run(self) {
        let mut client: Option<Client> = None;
        loop {
            sleep(INTERVAL).await;
            let send = self.committed.load(Ordering::Relaxed);
            if !send && self.arrivals.waiting() == 0 {
                continue;
            }
            if client.as_ref().is_none_or(Client::is_closed) {
                client = self.listen().await;
            }
            let Some(open) = client.as_ref().filter(|_| send) else {
                continue;
            };
            self.committed.store(false, Ordering::Relaxed);
            let notify = format!("NOTIFY {}", self.channel());
            // A hint that cannot be sent is no loss; the next connection is tried.
            if !matches!(
                timeout(INTERVAL, open.batch_execute(&notify)).await,
                Ok(Ok(()))
            ) {
                client = None;
            }
        }
    }

    fn channel(&self) -> String {
        format!("thirdring_{}", self.target.schema())
    }

    async fn listen(&self) -> Option<Client> {
        let arrivals = Arc::clone(&self.arrivals);
        let notified = Box::new(move || arrivals.hint());
        let link = self
            .target
            .connect_except(None, Some(notified))
            .await
            .ok()?;
        let listen = format!("SET synchronous_commit = off; LISTEN {}", self.channel());
        let listening = timeout(INTERVAL, link.client.batch_execute(&listen)).await;
        matches!(listening, Ok(Ok(()))).then_some(link.client)
    }
}
