//! A service that embeds a desk, with plain threads and a file:
//! `cargo run -p thirdring-example-embed [STORE.db]`.
#![expect(clippy::print_stdout, reason = "a demonstration talks to its reader")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::thread;

use chrono::TimeDelta;
use thirdring::facts::{BypassDisclosed, CallEnded, ConsentGiven, OwnerTaken, RequestReceived};
use thirdring::store::SqliteLog;
use thirdring::{Actor, Desk, Fact, Outcome, Refusal, StreamId, TimeSource, manuals, moment};

type Anything<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The desk as this service uses it.
struct Service {
    desk: Desk,
    time: TimeSource,
}

impl Service {
    /// Proposes what happens now, and says what became of it.
    fn tell(&self, stream: &StreamId, by: &Actor, fact: impl Into<Fact>) -> Anything {
        let fact = fact.into();
        let what = format!("{stream} {}", fact.fact_type());
        let now = self.time.now().fixed_offset();
        match self.desk.propose(stream, fact, by, now)? {
            Outcome::Admitted(receipt) => {
                println!("{what}: admitted as record {}", receipt.record.version);
                for flag in receipt.flags {
                    println!("    flagged: {} 「{}」", flag.missing, flag.quote);
                }
            }
            Outcome::Refused(Refusal::Nonsense(why)) => println!("{what}: {why}"),
            Outcome::Refused(Refusal::Rules(objections)) => {
                for objection in objections {
                    println!("{what}: refused by {}", objection.rule);
                    println!("    {}", objection.missing);
                    println!("    would be accepted: {}", objection.accepted);
                }
            }
        }
        Ok(())
    }

    /// One caller: heard, owned, and put down so that somebody can be asked.
    fn take_a_call(&self, who: &str, ticket: &str) -> Anything {
        let (by, stream) = (Actor::new(who, "hotline_engineer")?, StreamId::new(ticket)?);
        let request = RequestReceived::new().channel("phone").kind("question");
        self.tell(&stream, &by, request)?;
        self.tell(&stream, &by, OwnerTaken::new().department("hotline"))?;
        self.tell(&stream, &by, ConsentGiven::new("1"))?;
        let ended = CallEnded::new("1").reason("consultation");
        self.tell(&stream, &by, ended.attested(["calm", "patient"]))
    }
}

fn main() -> Anything {
    // A service would take `TimeSource::system()`. Here minutes pass when we say so.
    let monday = moment("2026-03-02T09:30:00+08:00")?.to_utc();
    let minutes = Arc::new(AtomicI64::new(0));
    let hand = Arc::clone(&minutes);
    let time = TimeSource::of(move || monday + TimeDelta::minutes(hand.load(SeqCst)));

    let folder = tempfile::tempdir()?;
    let given = std::env::args_os().nth(1).map(Into::into);
    let log = SqliteLog::open(given.unwrap_or_else(|| folder.path().join("desk.db")))?;
    let desk = Desk::open(log, manuals::shipped("unis")?).with_time(time.clone());
    let service = Service { desk, time };

    // Two people at one desk, each in a thread.
    thread::scope(|scope| {
        let li = scope.spawn(|| service.take_a_call("li", "T-1"));
        service.take_a_call("wang", "T-2")?;
        li.join().unwrap_or_else(|_| Err("Li's thread died".into()))
    })?;

    // An act that breaks a rule is refused and leaves no trace.
    let (li, first) = (Actor::new("li", "hotline_engineer")?, StreamId::new("T-1")?);
    service.tell(&first, &li, BypassDisclosed::new())?;

    let soon = service.time.now() + TimeDelta::hours(2);
    for clock in service.desk.due(soon)? {
        println!("within two hours: {} of {}", clock.rule, clock.stream);
    }
    minutes.store(75, SeqCst);
    for (stream, notice) in service.desk.lapse(service.time.now())? {
        println!("{stream} {}: due at {}, missed", notice.rule, notice.due_at);
    }
    let rule = "hotline-callback-within-1h";
    if let Some(why) = service.desk.explain(&first, rule, service.time.now())? {
        println!("{}", why.steps.join("\n"));
    }
    Ok(())
}
