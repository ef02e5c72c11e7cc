//! The work, on whatever repository of events.

use std::collections::HashMap;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cqrs_es::persist::{
    PersistedEventRepository, PersistedEventStore, QueryReplay, SerializedEvent,
};
use cqrs_es::{AggregateContext, AggregateError, CqrsFramework, EventEnvelope, EventStore, Query};
use tokio::runtime::Runtime;

use crate::spent::spent;
use crate::task::{Answer, Task, Work};
use crate::ticket::{Recorded, Ticket};

/// Whatever went wrong, for the reader.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a file locked for longer than the timeout is called.
const LOCKED: &str = "database is locked";

/// Does the work and answers. `repository` makes one on the pool.
pub(crate) fn work<R>(
    runtime: &Runtime,
    task: &Task,
    repository: impl Fn() -> R,
    about: &str,
) -> Result<Answer, Failure>
where
    R: PersistedEventRepository + 'static,
{
    let history = read_history(&task.history)?;
    let store = PersistedEventStore::<R, Ticket>::new_event_store(repository());
    let mut note = about.to_owned();
    let (done, spent) = match task.work {
        Work::Fill => {
            note += &format!(", {} bytes a payload", mean_bytes(&history)?);
            spent(|| runtime.block_on(fill(&repository(), task.tickets, &history)))
        }
        Work::Commands => {
            let framework = Arc::new(CqrsFramework::new(store, Vec::new(), ()));
            let (done, spent) = spent(|| {
                runtime.block_on(commands(&framework, task.writers, task.tickets, &history))
            });
            note += &format!(", {} bytes a payload", mean_bytes(&history)?);
            let (done, locked) = done?;
            if locked > 0 {
                note += &format!(", {locked} commands repeated because the file was locked");
            }
            (Ok(done), spent)
        }
        Work::Replay => spent(|| runtime.block_on(replay(repository()))),
        Work::Cold => spent(|| runtime.block_on(cold(&store, task.tickets))),
        Work::Judge => return Err("a peer has no manual to judge by".into()),
    };
    let (done, wanted) = (done?, task.tickets * task.facts);
    if done != wanted {
        return Err(format!("{done} facts instead of {wanted}").into());
    }
    Ok(Answer {
        elapsed: spent.elapsed,
        processor: spent.processor,
        note,
    })
}

fn read_history(path: &str) -> Result<Vec<Recorded>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let lines = text.lines().map(serde_json::from_str);
    Ok(lines.collect::<Result<_, _>>()?)
}

fn mean_bytes(history: &[Recorded]) -> Result<usize, serde_json::Error> {
    let mut bytes = 0;
    for recorded in history {
        bytes += serde_json::to_vec(recorded)?.len();
    }
    Ok(bytes / history.len().max(1))
}

fn of_stream(recorded: &Recorded, stream: &str) -> Recorded {
    let mut recorded = recorded.clone();
    stream.clone_into(&mut recorded.stream);
    recorded
}

/// How many tickets are open at a time where a log is filled.
const OPEN: u64 = 200;

/// Stores the tickets as a desk would: some are open at a time, and their facts
/// come in turns. Those of a turn go into one transaction.
async fn fill<R: PersistedEventRepository>(
    repository: &R,
    tickets: u64,
    history: &[Recorded],
) -> Result<u64, Failure> {
    let mut facts = 0;
    for first in (0..tickets).step_by(OPEN as usize) {
        for (sequence, fact) in (1..).zip(history) {
            let mut turn = Vec::new();
            for number in first..(first + OPEN).min(tickets) {
                let stream = format!("T-{number}");
                turn.push(SerializedEvent::try_from(&EventEnvelope::<Ticket> {
                    payload: of_stream(fact, &stream),
                    aggregate_id: stream,
                    sequence,
                    metadata: HashMap::new(),
                })?);
            }
            repository.persist::<Ticket>(&turn, None).await?;
            facts += turn.len() as u64;
        }
    }
    Ok(facts)
}

/// Executes a command for each fact, each writer one ticket after the other; how
/// many, and how often one had to be repeated.
async fn commands<R: PersistedEventRepository + 'static>(
    framework: &Arc<CqrsFramework<Ticket, PersistedEventStore<R, Ticket>>>,
    writers: u64,
    tickets: u64,
    history: &[Recorded],
) -> Result<(u64, u64), Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let locked = Arc::new(AtomicU64::new(0));
    let history: Arc<[Recorded]> = history.into();
    let mut tasks = Vec::new();
    for _ in 0..writers {
        let (framework, history) = (Arc::clone(framework), Arc::clone(&history));
        let (next, locked) = (Arc::clone(&next), Arc::clone(&locked));
        tasks.push(tokio::spawn(async move {
            let mut facts = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= tickets {
                    return Ok::<u64, AggregateError<_>>(facts);
                }
                let stream = format!("T-{number}");
                for fact in &*history {
                    let command = of_stream(fact, &stream);
                    while let Err(error) = framework.execute(&stream, command.clone()).await {
                        if !error.to_string().contains(LOCKED) {
                            return Err(error);
                        }
                        locked.fetch_add(1, Ordering::Relaxed);
                    }
                    facts += 1;
                }
            }
        }));
    }
    let mut facts = 0;
    for task in tasks {
        facts += task.await??;
    }
    Ok((facts, locked.load(Ordering::Relaxed)))
}

/// Loads each ticket; nothing is kept from one load to the next.
async fn cold<R: PersistedEventRepository>(
    store: &PersistedEventStore<R, Ticket>,
    tickets: u64,
) -> Result<u64, Failure> {
    let mut facts = 0;
    for number in 0..tickets {
        let mut context = store.load_aggregate(&format!("T-{number}")).await?;
        facts += context.aggregate().facts;
    }
    Ok(facts)
}

/// Folds what a replay dispatches, by ticket.
#[derive(Clone, Default)]
struct Folding {
    tickets: Arc<Mutex<HashMap<String, Ticket>>>,
}

#[async_trait]
impl Query<Ticket> for Folding {
    async fn dispatch(&self, stream: &str, events: &[EventEnvelope<Ticket>]) {
        let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        if !tickets.contains_key(stream) {
            tickets.insert(stream.to_owned(), Ticket::default());
        }
        if let Some(ticket) = tickets.get_mut(stream) {
            for event in events {
                ticket.fold(&event.payload);
            }
        }
    }
}

/// Replays all events into a query, as the crate offers it.
async fn replay<R: PersistedEventRepository>(repository: R) -> Result<u64, Failure> {
    let folding = Folding::default();
    let mut replay = QueryReplay::new(repository, folding.clone());
    // Without a handler it would pass over what it cannot read.
    replay.use_error_handler(Box::new(|error| panic!("replay: {error}")));
    replay.replay_all().await?;
    let tickets = folding
        .tickets
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    Ok(tickets.values().map(|ticket| ticket.facts).sum())
}
