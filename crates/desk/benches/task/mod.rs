//! What the runner asks of a contender and what it answers. Each contender is a
//! process of its own: words on its command line, one line on its output.
//!
//! The package of the peers includes this file, so it stands on nothing but the
//! standard library.
#![allow(dead_code, reason = "runner and contenders use their parts")]

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::str::FromStr;
use std::time::Duration;

/// The names of an enum on the command line.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$case_doc])* $case,)* }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$case => $word,)* })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$case),)*
                    other => Err(format!(
                        concat!("{:?} is none of", $(" ", $word,)*), other
                    )),
                }
            }
        }
    };
}

words! {
    /// Who works.
    Who {
        /// The database alone.
        Raw = "raw",
        /// A desk.
        Desk = "desk",
        /// The other crate.
        Peer = "peer",
    }
}

words! {
    /// What is to be done.
    Work {
        /// Store the tickets, each at once. Not measured.
        Fill = "fill",
        /// Record the tickets of twelve facts, one command at a time.
        Commands = "commands",
        /// Fold the whole log once, in its order.
        Replay = "replay",
        /// The same, and judge every ticket.
        Judge = "judge",
        /// Load each ticket by its name.
        Cold = "cold",
    }
}

words! {
    /// On what.
    Database {
        /// A file.
        Sqlite = "sqlite",
        /// A database of a server.
        Postgres = "postgres",
    }
}

/// A task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) who: Who,
    pub(crate) work: Work,
    pub(crate) database: Database,
    /// The file, or the connection string.
    pub(crate) at: String,
    /// `FULL` or `NORMAL` for SQLite; PostgreSQL always confirms durably.
    pub(crate) synchronous: String,
    /// How many record at the same time.
    pub(crate) writers: u64,
    /// How many connections the peer's pool has, 0 for what it recommends.
    pub(crate) connections: u32,
    /// How many tickets.
    pub(crate) tickets: u64,
    /// How many facts each has.
    pub(crate) facts: u64,
    /// A file with the facts of a ticket, an object a line, for the peer.
    pub(crate) history: String,
}

impl Task {
    /// How many operations the work consists of: commands, facts or loads.
    pub(crate) fn operations(&self) -> u64 {
        match self.work {
            Work::Cold => self.tickets,
            Work::Fill | Work::Commands | Work::Replay | Work::Judge => self.tickets * self.facts,
        }
    }

    pub(crate) fn words(&self) -> Vec<String> {
        vec![
            format!("who={}", self.who),
            format!("work={}", self.work),
            format!("database={}", self.database),
            format!("at={}", self.at),
            format!("synchronous={}", self.synchronous),
            format!("writers={}", self.writers),
            format!("connections={}", self.connections),
            format!("tickets={}", self.tickets),
            format!("facts={}", self.facts),
            format!("history={}", self.history),
        ]
    }

    /// Reads a task off the command line.
    pub(crate) fn from_words(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let words = words
            .map(|word| match word.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => Err(format!("{word:?} is not of the form name=value")),
            })
            .collect::<Result<BTreeMap<String, String>, String>>()?;
        fn of<T: FromStr<Err: Display>>(
            words: &BTreeMap<String, String>,
            name: &str,
        ) -> Result<T, String> {
            let word = words
                .get(name)
                .ok_or_else(|| format!("{name}=… is missing"))?;
            word.parse().map_err(|error| format!("{name}: {error}"))
        }
        Ok(Self {
            who: of(&words, "who")?,
            work: of(&words, "work")?,
            database: of(&words, "database")?,
            at: of(&words, "at")?,
            synchronous: of(&words, "synchronous")?,
            writers: of(&words, "writers")?,
            connections: of(&words, "connections")?,
            tickets: of(&words, "tickets")?,
            facts: of(&words, "facts")?,
            history: of(&words, "history")?,
        })
    }
}

/// What a contender answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Time on the wall.
    pub(crate) elapsed: Duration,
    /// Processor time of the contender's process.
    pub(crate) processor: Duration,
    /// What it stands on and what it met, for the reader.
    pub(crate) note: String,
}

/// What the line of an answer begins with.
const ANSWER: &str = "answer";

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (elapsed, processor) = (self.elapsed.as_nanos(), self.processor.as_nanos());
        write!(f, "{ANSWER} {elapsed} {processor} ")?;
        for letter in self.note.chars() {
            f.write_char(if letter.is_control() { ' ' } else { letter })?;
        }
        Ok(())
    }
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(output: &str) -> Result<Self, String> {
        let line = output.lines().find_map(|line| line.strip_prefix(ANSWER));
        let line = line.ok_or_else(|| format!("no answer: {output:?}"))?;
        let mut words = line.trim_start().splitn(3, ' ');
        let mut nanoseconds = || {
            let word = words.next()?;
            word.parse().ok().map(Duration::from_nanos)
        };
        match (nanoseconds(), nanoseconds()) {
            (Some(elapsed), Some(processor)) => Ok(Self {
                elapsed,
                processor,
                note: words.next().unwrap_or_default().to_owned(),
            }),
            _ => Err(format!("not an answer: {line:?}")),
        }
    }
}
