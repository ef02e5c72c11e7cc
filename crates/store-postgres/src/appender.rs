//! An appender: a thread with a connection of its own that turns what waits
//! into transactions.
//!
//! An append in flight is never cancelled: PostgreSQL would commit it without
//! its standbys and show it to everybody. A connection that is lost is replaced
//! and the same group is sent again; what the first try stored is recognised by
//! its record ids.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thirdring_store::{Answer, AppendError, Appended, CheckedBatch, Conflict, StorageFailure};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Error, Row};

use crate::conn::Conn;
use crate::group::{Parameters, Verdict, Verdicts};
use crate::queue::Group;
use crate::rows::{self, Failed};
use crate::server_error::{Kind, is_lost, kind};
use crate::shared::Shared;

/// Pause before a connection or a transaction is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a group that is not confirmed is looked after.
const TICK: Duration = Duration::from_millis(200);

/// How long without a confirmation until the other hosts are asked whether one
/// of them has taken over.
const SUSPECT: Duration = Duration::from_secs(3);

/// How often a transaction that met another one is tried again.
const COLLISIONS: u32 = 20;

/// Longest wait for writers that were just answered.
const GATHER_MAX: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(crate) struct Appender {
    shared: Arc<Shared>,
    conn: Option<Conn>,
}

/// The answers to items.
type Done = Vec<(usize, Result<Appended, AppendError>)>;

/// The items in conflict.
type Unmet = Vec<(usize, Vec<Conflict>)>;

/// Who waits for a group; those who were answered wait no more.
struct Waiting(Vec<Option<Answer>>);

impl Waiting {
    fn give(&mut self, item: usize, result: Result<Appended, AppendError>) {
        if let Some(answer) = self.0.get_mut(item).and_then(Option::take) {
            answer.give(result);
        }
    }

    fn give_all(&mut self, error: &AppendError) {
        for answer in self.0.iter_mut().filter_map(Option::take) {
            answer.give(Err(error.clone()));
        }
    }
}

/// How sending a group ended.
enum Sent {
    /// The server has answered.
    Rows(Vec<Row>),
    /// The server has refused the transaction.
    Refused(Error),
    /// The connection is lost, or another server has taken over.
    Lost(&'static str),
    /// The log was closed and nobody waits any more.
    Abandoned,
}

impl Appender {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, conn: None }
    }

    /// Serves the queue until it is closed and empty.
    pub(crate) fn serve(mut self, runtime: &tokio::runtime::Runtime) {
        let mut hope = (0, Duration::ZERO);
        while let Some(group) = self.shared.queue.take(hope) {
            let count = group.answers.len();
            let begun = Instant::now();
            runtime.block_on(self.run(group));
            // Who was answered comes back, if at all, in a fraction of the time
            // it waited; and that much is won if one transaction holds all.
            let moment = begun.elapsed().checked_div(4).unwrap_or_default();
            hope = (count, moment.min(GATHER_MAX));
        }
    }

    /// Brings one group to its end, whatever happens on the way.
    async fn run(&mut self, group: Group) {
        let Group {
            batches,
            answers,
            partitions,
        } = group;
        let mut waiting = Waiting(answers.into_iter().map(Some).collect());
        let verdicts = self.store(&batches, &partitions, &mut waiting).await;
        let (mut done, mut unmet) = (Vec::new(), Vec::new());
        if let Some(verdicts) = verdicts {
            (done, unmet) = self.judged(verdicts, &batches);
        }
        // Before the answers: whoever is answered may take this thread's turn on
        // the processor.
        self.shared.queue.release(&partitions);
        for (item, result) in done {
            waiting.give(item, result);
        }
        // Those in conflict last: what happened since has to be read for them,
        // and whoever waits for these partitions need not wait for that.
        for (item, conflicts) in unmet {
            let error = self.since(conflicts).await;
            waiting.give(item, Err(error));
        }
    }

    /// Sends a group until the server answers; `None` if it was given up, and
    /// everybody was told.
    async fn store(
        &mut self,
        batches: &[(usize, CheckedBatch)],
        partitions: &[usize],
        waiting: &mut Waiting,
    ) -> Option<Verdicts> {
        let shared = Arc::clone(&self.shared);
        let parameters = Parameters::new(partitions, batches);
        let begun = Instant::now();
        // Whether an earlier try may have stored the group.
        let mut unknown = false;
        let mut collisions = 0_u32;
        loop {
            let mut again = true;
            let failure = match self.conn().await {
                Err(failure) => failure,
                Ok(conn) => match send(&shared, conn, &parameters, waiting, begun).await {
                    Sent::Rows(rows) => match rows.first().map(Verdicts::new) {
                        Some(Ok(verdicts)) => return Some(verdicts),
                        Some(Err(error)) => {
                            (unknown, again) = (true, false);
                            shared.target.failure("read the answer", error)
                        }
                        None => {
                            (unknown, again) = (true, false);
                            shared.failure("append", "the server gave no answer")
                        }
                    },
                    Sent::Abandoned => {
                        self.conn = None;
                        return None;
                    }
                    Sent::Lost(how) => {
                        self.conn = None;
                        unknown = true;
                        shared.failure("append", how)
                    }
                    Sent::Refused(error) => {
                        match kind(&error) {
                            Kind::Collision => {
                                collisions = collisions.saturating_add(1);
                                again = collisions <= COLLISIONS;
                            }
                            Kind::Unavailable => {
                                self.conn = None;
                                // A server that goes down says so even where the
                                // commit is written and waits for its standbys.
                                unknown = true;
                            }
                            Kind::Final => again = false,
                        }
                        shared.target.failure("append", error)
                    }
                },
            };
            if !again || begun.elapsed() >= shared.patience {
                waiting.give_all(&if unknown {
                    AppendError::Unknown(failure)
                } else {
                    AppendError::Unavailable(failure)
                });
                return None;
            }
            shared.queue.give_up(shared.patience, &failure);
            sleep(PAUSE).await;
        }
    }

    async fn conn(&mut self) -> Result<&mut Conn, StorageFailure> {
        if self.conn.as_ref().is_some_and(Conn::is_closed) {
            self.conn = None;
        }
        match &mut self.conn {
            Some(conn) => Ok(conn),
            empty => Ok(empty.insert(Conn::new(self.shared.target.connect().await?))),
        }
    }

    /// What became of each item; those in conflict apart.
    fn judged(&self, mut verdicts: Verdicts, batches: &[(usize, CheckedBatch)]) -> (Done, Unmet) {
        let place = self.shared.target.place();
        let mut lasts: Vec<(usize, u64)> = Vec::new();
        let mut done = Vec::with_capacity(batches.len());
        let mut unmet = Vec::new();
        for (item, (partition, batch)) in batches.iter().enumerate() {
            match verdicts.next(batch, place) {
                Some(Verdict::Done(result)) => {
                    if let Ok(appended) = &result
                        && let Some(last) = appended.places.last()
                    {
                        lasts.push((*partition, last.position));
                    }
                    done.push((item, result));
                }
                Some(Verdict::Unmet(conflicts)) => unmet.push((item, conflicts)),
                None => {
                    let short = "the answer of the server is too short";
                    let failure = self.shared.failure("append", short);
                    done.push((item, Err(AppendError::Unknown(failure))));
                }
            }
        }
        self.shared.committed(&lasts);
        (done, unmet)
    }

    /// Reads what happened since, up to the version the judgement saw.
    async fn since(&mut self, mut conflicts: Vec<Conflict>) -> AppendError {
        let shared = Arc::clone(&self.shared);
        let begun = Instant::now();
        loop {
            let failure = match self.conn().await {
                Err(failure) => failure,
                Ok(conn) => match rows::since(conn, &mut conflicts, shared.target.place()).await {
                    Ok(()) => return AppendError::Conflict(conflicts),
                    Err(Failed::Read(error)) => return AppendError::Read(error),
                    Err(Failed::Database(error)) => {
                        let again = is_lost(&error) || kind(&error) != Kind::Final;
                        let failure = shared.target.failure("read a stream", error);
                        if !again {
                            return AppendError::Read(failure.into());
                        }
                        self.conn = None;
                        failure
                    }
                },
            };
            if begun.elapsed() >= shared.patience {
                return AppendError::Read(failure.into());
            }
            sleep(PAUSE).await;
        }
    }
}

/// Sends a group and waits for its end. Waiting ends when the server answers or
/// is gone, not before; but those who wait are told after the patience that it
/// is not known.
async fn send(
    shared: &Shared,
    conn: &mut Conn,
    parameters: &Parameters<'_>,
    waiting: &mut Waiting,
    begun: Instant,
) -> Sent {
    let host = conn.host();
    let mut append = pin!(parameters.append(conn));
    let mut asked = Instant::now();
    loop {
        match timeout(TICK, &mut append).await {
            Ok(Ok(rows)) => return Sent::Rows(rows),
            Ok(Err(error)) if is_lost(&error) => return Sent::Lost("the connection was lost"),
            Ok(Err(error)) => return Sent::Refused(error),
            Err(_) => {}
        }
        let failure = shared.failure(
            "append",
            "the server does not confirm; it may be cut off from its standbys",
        );
        if begun.elapsed() >= shared.patience {
            waiting.give_all(&AppendError::Unknown(failure.clone()));
            if shared.queue.is_closed() {
                return Sent::Abandoned;
            }
        }
        shared.queue.give_up(shared.patience, &failure);
        if asked.elapsed() >= SUSPECT {
            asked = Instant::now();
            // If so, ours is no longer the primary, though it may still be there.
            if shared.target.connect_except(Some(host), None).await.is_ok() {
                return Sent::Lost("another server has taken over");
            }
        }
    }
}
