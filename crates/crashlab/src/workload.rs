//! What is done to a log while it is disturbed: the same commands every time.

use std::sync::Arc;

use chrono::TimeDelta;
use thirdring::facts::{CallEnded, ConsentGiven, OwnerTaken, RequestReceived};
use thirdring::store::{Append, Durability, Expected, NewRecord, RecordId, StreamId};
use thirdring::{Actor, Fact, Request, Rulebook, manuals, moment};

/// Name of the log in the folder of an experiment.
pub const LOG: &str = "log.db";
/// Name of the backup that [`Command::Backup`] makes.
pub const BACKUP: &str = "copy.db";

/// One thing that is done and answered.
#[derive(Debug, Clone)]
pub enum Command {
    /// A batch is appended.
    Append(Vec<Append>),
    /// A fact is proposed to a desk.
    Propose(Box<Request>),
    /// The log is copied to [`BACKUP`].
    Backup,
    /// A desk is asked what is due, and keeps what it worked out beside the log.
    /// That is derived: it may be lost with the power, but what is asked next has
    /// to be answered as if nothing had been kept.
    Due,
}

impl Command {
    /// Whether its effect must be there once it was answered.
    pub(crate) const fn lasts(&self) -> bool {
        !matches!(self, Self::Due)
    }
}

/// Commands in a fixed order, numbered from 1.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Its name on the command line and in the table.
    pub name: &'static str,
    /// What it exercises, for the table.
    pub about: &'static str,
    /// Threads that share the commands out: the first takes 1, 1 + threads, ….
    pub threads: usize,
    /// How the log is opened.
    pub durability: Durability,
    /// How many of the commands are done before the experiment begins.
    pub prepared: usize,
    /// Whether the experiment begins with a file as version 1 left it.
    pub version_1: bool,
    /// The commands.
    pub commands: Vec<Command>,
    /// The rulebook, if the commands are proposed to a desk.
    pub rulebook: Option<Arc<Rulebook>>,
}

/// The names of all workloads.
pub const NAMES: [&str; 8] = [
    "create",
    "append",
    "checkpoint",
    "group",
    "backup",
    "desk",
    "due",
    "migrate",
];

/// The workload whose losses show that the laboratory can see losses.
pub const TEETH: &str = "append-normal";

impl Workload {
    /// The workload of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = Self {
            name: "append",
            about: "appends to two streams, with and without personal bytes, large and small",
            threads: 1,
            durability: Durability::Full,
            prepared: 2,
            version_1: false,
            commands: batches(7)?,
            rulebook: None,
        };
        Some(match name {
            "create" => Self {
                name: "create",
                about: "a new file, its tables, and the first append",
                prepared: 0,
                commands: batches(2)?,
                ..plain
            },
            "append" => plain,
            TEETH => Self {
                name: TEETH,
                about: "as `append`, but unsynced: must lose",
                durability: Durability::NormalLosesAnsweredAppendsOnPowerLoss,
                ..plain
            },
            "checkpoint" => Self {
                name: "checkpoint",
                about: "the WAL moved into the file twice, and begun anew after it",
                commands: with_large_batches()?,
                ..plain
            },
            "group" => Self {
                name: "group",
                about: "four threads whose appends share commits",
                threads: 4,
                prepared: 0,
                commands: batches(16)?,
                ..plain
            },
            "backup" => Self {
                name: "backup",
                about: "a copy made between appends",
                prepared: 3,
                commands: with_backup()?,
                ..plain
            },
            "desk" => Self {
                name: "desk",
                about: "facts proposed to a desk, chained by their hashes",
                prepared: 1,
                commands: proposals()?,
                rulebook: Some(Arc::new(manuals::shipped("unis").ok()?)),
                ..plain
            },
            "due" => Self {
                name: "due",
                about: "facts proposed to a desk, which keeps beside them what is due",
                prepared: 1,
                commands: with_due(proposals()?),
                rulebook: Some(Arc::new(manuals::shipped("unis").ok()?)),
                ..plain
            },
            "migrate" => Self {
                name: "migrate",
                about: "a file of version 1 brought up to date, and appended to",
                version_1: true,
                commands: batches(4)?,
                ..plain
            },
            _ => return None,
        })
    }

    /// The commands with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Command)> {
        (1..).zip(&self.commands)
    }
}

fn id(command: usize, part: usize) -> Option<RecordId> {
    let (command, part) = (u64::try_from(command).ok()?, u64::try_from(part).ok()?);
    Some(RecordId(
        (u128::from(command) << 64 | u128::from(part)).to_be_bytes(),
    ))
}

fn record(command: usize, part: usize) -> Option<NewRecord> {
    // One body needs pages of its own, so that a commit is more than its leaves.
    let repeated = if command % 4 == 3 { 400 } else { 5 };
    Some(NewRecord {
        id: id(command, part)?,
        body: format!("command {command} part {part};")
            .repeat(repeated)
            .into_bytes(),
        personal: command
            .is_multiple_of(3)
            .then(|| format!("person {command}/{part}").into_bytes()),
    })
}

/// Two records in two streams.
fn batch(command: usize) -> Option<Command> {
    let part = |part: usize| {
        Some(Append {
            stream: StreamId::new(&format!("s/{}", (command + part) % 3)).ok()?,
            expected: Expected::Any,
            records: vec![record(command, part)?],
        })
    };
    Some(Command::Append(vec![part(0)?, part(1)?]))
}

fn batches(count: usize) -> Option<Vec<Command>> {
    (1..=count).map(batch).collect()
}

/// So many records that the writer's estimate makes a checkpoint due, so small
/// that they fill few pages.
fn large_batch(command: usize) -> Option<Command> {
    let records = (0..340)
        .map(|part| {
            Some(NewRecord {
                id: id(command, part)?,
                body: vec![1],
                personal: None,
            })
        })
        .collect::<Option<_>>()?;
    Some(Command::Append(vec![Append {
        stream: StreamId::new("large").ok()?,
        expected: Expected::Any,
        records,
    }]))
}

fn with_large_batches() -> Option<Vec<Command>> {
    (1..=8)
        .map(|n| {
            if n == 3 || n == 6 {
                large_batch(n)
            } else {
                batch(n)
            }
        })
        .collect()
}

fn with_backup() -> Option<Vec<Command>> {
    (1..=6)
        .map(|n| {
            if n == 5 {
                Some(Command::Backup)
            } else {
                batch(n)
            }
        })
        .collect()
}

/// Two callers, one after the other in each step.
fn proposals() -> Option<Vec<Command>> {
    let by = Actor::new("li", "hotline_engineer").ok()?;
    let nine = moment("2026-03-02T09:00:00+08:00").ok()?;
    let steps: [Fact; 4] = [
        RequestReceived::new()
            .channel("phone")
            .kind("question")
            .into(),
        OwnerTaken::new().department("hotline").into(),
        ConsentGiven::new("1").into(),
        CallEnded::new("1")
            .reason("consultation")
            .attested(["calm", "patient"])
            .into(),
    ];
    let mut commands = Vec::new();
    for fact in steps {
        for ticket in ["T-1", "T-2"] {
            let number = u32::try_from(commands.len()).ok()?;
            let at = nine + TimeDelta::seconds(i64::from(number) * 5);
            let stream = thirdring::StreamId::new(ticket).ok()?;
            let millis = u64::try_from(at.timestamp_millis()).ok()?;
            commands.push(Command::Propose(Box::new(
                Request::new(&stream, fact.clone(), &by, at)
                    .told_at(at.to_utc())
                    .with_id(thirdring::RecordId::from_parts(millis, u128::from(number))),
            )));
        }
    }
    Some(commands)
}

/// Asks what is due after each of the last two commands.
fn with_due(commands: Vec<Command>) -> Vec<Command> {
    let count = commands.len();
    let mut all = Vec::new();
    for (n, command) in (1..).zip(commands) {
        all.push(command);
        if n + 2 > count {
            all.push(Command::Due);
        }
    }
    all
}
