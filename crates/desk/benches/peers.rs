//! Beside other crates: the desk, the database alone, and `cqrs-es` with `sqlite-es`
//! and `postgres-es`, on the same tickets, with payloads of the same length and the
//! same durability.
//!
//! Two versions of SQLite's C library cannot be in one dependency graph, so the
//! peers are a package of their own (`crates/peers`), and every contender is a
//! process of its own, the desk and the database alone as well. This program builds
//! the peers, starts the contenders in turn, round by round, and prints medians. A
//! contender measures itself, without its start.
//!
//! ```sh
//! cargo bench -p thirdring --bench peers                      # everything
//! cargo bench -p thirdring --bench peers -- sqlite commands   # a part
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::panic,
    reason = "a benchmark may stop"
)]
#![expect(clippy::print_stdout, reason = "it prints its figures")]

mod contenders;
mod spent;
mod task;
mod ticket;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use contenders::{desk, raw, raw_postgres};
use spent::{Spent, median, median_ratio, setting, spent};
use task::{Answer, Database, Task, Who, Work};
use thirdring::Desk;
use thirdring::store::Log;
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{PostgresLog, PostgresOptions};

const WRITERS: [u64; 3] = [1, 8, 64];
const PARTS: [&str; 3] = ["commands", "replay", "cold"];
const DATABASES: [(&str, Database); 2] = [
    ("sqlite", Database::Sqlite),
    ("postgres", Database::Postgres),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only wants to know that it starts.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    if arguments
        .iter()
        .any(|argument| argument.starts_with("who="))
    {
        let task = Task::from_words(arguments.into_iter()).unwrap();
        println!("{}", contend(&task));
        return;
    }
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let any_part = PARTS.iter().any(|part| named(part));
    let any_database = DATABASES.iter().any(|(name, _)| named(name));
    let programs = Programs::build();
    for (name, database) in DATABASES {
        if any_database && !named(name) {
            continue;
        }
        let server = match database {
            Database::Sqlite => None,
            Database::Postgres => match Server::start() {
                Some(server) => Some(server),
                // It has said that there are no binaries.
                None => continue,
            },
        };
        let contest = Contest::new(&programs, database, server.as_ref());
        for part in PARTS {
            if any_part && !named(part) {
                continue;
            }
            match part {
                "commands" => contest.commands(),
                "replay" => contest.replay(),
                _ => contest.cold(),
            }
        }
    }
}

/// The programs of the contenders.
struct Programs {
    own: PathBuf,
    peer: PathBuf,
}

impl Programs {
    fn build() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../peers");
        let target = package.join("target");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .args(["build", "--release", "--locked", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target);
        // What Cargo says of this package would be taken for a change of what the
        // build scripts of the others look at, and all would be built again.
        for (name, _) in std::env::vars_os() {
            let told = name.to_string_lossy();
            if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
                build.env_remove(&name);
            }
        }
        assert!(build.status().unwrap().success(), "the peers do not build");
        Self {
            own: std::env::current_exe().unwrap(),
            peer: target.join("release/peers"),
        }
    }

    fn run(&self, task: &Task) -> Answer {
        let program = match task.who {
            Who::Peer => &self.peer,
            Who::Raw | Who::Desk => &self.own,
        };
        let output = Command::new(program)
            .args(task.words())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{task:?}: {}", output.status);
        let output = String::from_utf8(output.stdout).unwrap();
        output.parse().unwrap()
    }
}

/// A row of a table: what a contender did, round by round.
struct Row {
    name: String,
    task: Task,
    /// The row it is compared with.
    beside: usize,
    /// Operations a second.
    rates: Vec<f64>,
    /// Microseconds of processor time for each operation.
    processor: Vec<f64>,
    note: String,
}

impl Row {
    fn new(name: impl Into<String>, task: Task, beside: usize) -> Self {
        Self {
            name: name.into(),
            task,
            beside,
            rates: Vec::new(),
            processor: Vec::new(),
            note: String::new(),
        }
    }

    fn add(&mut self, answer: Answer) {
        let operations = self.task.operations();
        let spent = Spent {
            elapsed: answer.elapsed,
            processor: answer.processor,
        };
        self.rates.push(spent.rate(operations));
        self.processor.push(spent.processor_micros_each(operations));
        self.note = answer.note;
    }
}

/// Contenders on one database.
struct Contest<'a> {
    programs: &'a Programs,
    database: Database,
    dir: tempfile::TempDir,
    server: Option<&'a Server>,
    rounds: u64,
}

impl<'a> Contest<'a> {
    fn new(programs: &'a Programs, database: Database, server: Option<&'a Server>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for facts in [12, 1_000] {
            std::fs::write(history(dir.path(), facts), history_lines(facts)).unwrap();
        }
        Self {
            programs,
            database,
            dir,
            server,
            rounds: setting("THIRDRING_BENCH_ROUNDS", 7),
        }
    }

    fn task(&self, who: Who, work: Work, tickets: u64, facts: u64) -> Task {
        Task {
            who,
            work,
            database: self.database,
            at: String::new(),
            synchronous: "FULL".to_owned(),
            writers: 1,
            connections: 0,
            tickets,
            facts,
            history: history(self.dir.path(), facts).to_str().unwrap().to_owned(),
        }
    }

    /// A new place for a log.
    fn place(&self, name: &str) -> String {
        match self.server {
            None => {
                let file = self.dir.path().join(format!("{name}.db"));
                file.to_str().unwrap().to_owned()
            }
            Some(server) => {
                server.sql(&format!("CREATE DATABASE {name}")).unwrap();
                let url = server.url();
                url.replacen("/postgres?", &format!("/{name}?"), 1)
            }
        }
    }

    fn clear(&self, name: &str) {
        match self.server {
            None => {
                for ending in ["db", "db-wal", "db-shm"] {
                    // Not all of them need exist.
                    drop(std::fs::remove_file(
                        self.dir.path().join(format!("{name}.{ending}")),
                    ));
                }
            }
            Some(server) => {
                let sql = format!("DROP DATABASE {name} WITH (FORCE)");
                server.sql(&sql).unwrap();
            }
        }
    }

    /// All rows in turn, round by round. Each round begins with another one, so
    /// that none always follows the same one.
    fn race(&self, rows: &mut [Row], mut run: impl FnMut(&mut Row)) {
        for round in 0..self.rounds {
            let (before, from) = rows.split_at_mut(round as usize % rows.len());
            for row in from.iter_mut().chain(before) {
                run(row);
            }
        }
    }

    /// A race of which every row begins with an empty log each time.
    fn race_on_new_logs(&self, rows: &mut [Row]) {
        self.race(rows, |row| {
            row.task.at = self.place("round");
            row.add(self.programs.run(&row.task));
            self.clear("round");
        });
    }

    /// A race on logs that were filled before, one for each contender.
    fn race_on_filled_logs(&self, rows: &mut [Row]) {
        for who in [Who::Raw, Who::Desk, Who::Peer] {
            let at = self.place(&format!("filled_{who}"));
            let mut filled = false;
            for row in rows.iter_mut().filter(|row| row.task.who == who) {
                row.task.at.clone_from(&at);
                if !filled {
                    let fill = Task {
                        work: Work::Fill,
                        ..row.task.clone()
                    };
                    self.programs.run(&fill);
                    filled = true;
                }
            }
        }
        self.race(rows, |row| row.add(self.programs.run(&row.task)));
        for who in [Who::Raw, Who::Desk, Who::Peer] {
            self.clear(&format!("filled_{who}"));
        }
    }

    /// W1: one command at a time.
    fn commands(&self) {
        let tickets = setting("THIRDRING_BENCH_TICKETS", 60);
        let durabilities: &[&str] = match self.database {
            Database::Sqlite => &["FULL", "NORMAL"],
            Database::Postgres => &["FULL"],
        };
        for &synchronous in durabilities {
            let mut rows = Vec::new();
            let row = |who, writers: u64, beside| {
                let plural = if writers == 1 { "" } else { "s" };
                // Many writers need enough to do; the rounds stay short, so that what
                // else the machine does falls on all alike.
                let tickets = tickets * writers.min(8);
                let mut task = self.task(who, Work::Commands, tickets, 12);
                synchronous.clone_into(&mut task.synchronous);
                task.writers = writers;
                Row::new(format!("{who}, {writers} writer{plural}"), task, beside)
            };
            for writers in WRITERS {
                // One connection after the other: more of them on one file only wait.
                let raw = match self.database {
                    Database::Sqlite => 0,
                    Database::Postgres => rows.len(),
                };
                if raw == rows.len() {
                    rows.push(row(Who::Raw, writers, raw));
                }
                rows.push(row(Who::Desk, writers, raw));
                rows.push(row(Who::Peer, writers, raw));
                if writers == 64 {
                    rows.push(self.other_pool(row(Who::Peer, writers, raw)));
                }
            }
            self.race_on_new_logs(&mut rows);
            self.print(
                &format!("one command at a time, synchronous={synchronous}, tickets of 12 facts"),
                "commands",
                &rows,
            );
        }
    }

    /// The peer with another pool than it recommends: on a file one connection, so
    /// that nobody waits for a lock; on a server one for each writer.
    fn other_pool(&self, mut row: Row) -> Row {
        row.task.connections = match self.database {
            Database::Sqlite => 1,
            Database::Postgres => 64,
        };
        row.name += &format!(", pool of {}", row.task.connections);
        row
    }

    /// W2: a whole log.
    fn replay(&self) {
        let facts = setting("THIRDRING_BENCH_FACTS", 120_000);
        let tickets = facts.div_ceil(12);
        let mut rows = Vec::new();
        let mut row = |name, who, work| {
            rows.push(Row::new(name, self.task(who, work, tickets, 12), 0));
        };
        row("raw, read in order and folded", Who::Raw, Work::Replay);
        row("desk, replayed, chain proved", Who::Desk, Work::Replay);
        row("desk, replayed and judged", Who::Desk, Work::Judge);
        row("peer, replay_all into a query", Who::Peer, Work::Replay);
        self.race_on_filled_logs(&mut rows);
        self.print(
            &format!("a whole log, {tickets} tickets of 12 facts"),
            "facts",
            &rows,
        );
        let mut rows = Vec::new();
        for who in [Who::Raw, Who::Desk, Who::Peer] {
            let task = self.task(who, Work::Cold, tickets, 12);
            rows.push(Row::new(format!("{who}, each ticket loaded"), task, 0));
        }
        self.race_on_filled_logs(&mut rows);
        self.print(
            &format!("every ticket of a log, {tickets} tickets of 12 facts"),
            "loads",
            &rows,
        );
    }

    /// W3: cold loads.
    fn cold(&self) {
        for facts in [12, 1_000] {
            let tickets = setting("THIRDRING_BENCH_COLD_FACTS", 24_000) / facts;
            let mut rows = Vec::new();
            for who in [Who::Raw, Who::Desk, Who::Peer] {
                let task = self.task(who, Work::Cold, tickets, facts);
                rows.push(Row::new(format!("{who}, {facts} facts"), task, 0));
            }
            self.race_on_filled_logs(&mut rows);
            self.print(
                &format!("cold loads, {tickets} tickets of {facts} facts"),
                "loads",
                &rows,
            );
        }
    }

    fn print(&self, title: &str, operations: &str, rows: &[Row]) {
        println!("\n{}: {title}; {} rounds", self.database, self.rounds);
        for row in rows {
            let beside = &rows[row.beside];
            println!(
                "{:32} {:9.0} {operations}/s {:9.1} µs each {:6.2} x raw {:8.1} µs of processor {:6.2} x raw   {}",
                row.name,
                median(&*row.rates),
                1e6 / median(&*row.rates),
                median_ratio(&row.rates, &beside.rates),
                median(&*row.processor),
                median_ratio(&row.processor, &beside.processor),
                row.note,
            );
        }
    }
}

/// The file with the facts of a ticket of so many.
fn history(dir: &Path, facts: u64) -> PathBuf {
    dir.join(format!("history-{facts}.jsonl"))
}

/// A ticket's records for the peer: all that the desk stores of each, as one JSON
/// object a line.
fn history_lines(facts: u64) -> String {
    let prototype = ticket::prototype(facts as usize);
    let mut lines = String::new();
    for (_, sealed) in ticket::seal_again(&prototype, 1) {
        let text = String::from_utf8(sealed.body).unwrap();
        let (chain, json) = text.split_once('\n').unwrap();
        let mut line: serde_json::Value = serde_json::from_str(json).unwrap();
        line["chain"] = chain.into();
        if let Some(personal) = sealed.personal {
            line["told"] = serde_json::from_slice(&personal).unwrap();
        }
        lines += &format!("{line}\n");
    }
    lines
}

/// Does a task as the desk or as the database alone.
fn contend(task: &Task) -> Answer {
    let (done, spent, note) = match (task.who, task.database) {
        (Who::Raw, Database::Sqlite) => raw_on_sqlite(task),
        (Who::Raw, Database::Postgres) => raw_on_postgres(task),
        (Who::Desk, Database::Sqlite) => {
            let log = desk::open(Path::new(&task.at), &task.synchronous);
            desk_on(Arc::new(log), task)
        }
        (Who::Desk, Database::Postgres) => {
            let log = PostgresLog::open_with(&task.at, PostgresOptions::default()).unwrap();
            assert!(log.capabilities().durable);
            desk_on(Arc::new(log), task)
        }
        (Who::Peer, _) => panic!("the peer is a program of its own"),
    };
    assert_eq!(done, task.tickets * task.facts, "facts");
    Answer {
        elapsed: spent.elapsed,
        processor: spent.processor,
        note,
    }
}

fn desk_on<L: Log + 'static>(log: Arc<L>, task: &Task) -> (u64, Spent, String) {
    let rulebook = Arc::new(ticket::rulebook());
    let (tickets, all) = (task.tickets, task.tickets * task.facts);
    let (done, spent) = match task.work {
        Work::Fill => spent(|| {
            desk::fill(&*log, tickets as usize, task.facts as usize);
            all
        }),
        Work::Commands => {
            let desk = Desk::open(Arc::clone(&log), rulebook);
            spent(|| {
                desk::commands(&desk, task.writers, tickets);
                all
            })
        }
        Work::Replay => spent(|| desk::replay(&*log, &rulebook)),
        Work::Judge => spent(|| desk::judge(&*log, &rulebook)),
        Work::Cold => spent(|| desk::cold(&log, &rulebook, tickets)),
    };
    (done, spent, String::new())
}

fn note(bodies: &[Vec<u8>]) -> String {
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    format!("{} bytes a body", bytes / bodies.len())
}

fn raw_on_sqlite(task: &Task) -> (u64, Spent, String) {
    let connection = raw::open(Path::new(&task.at), &task.synchronous);
    let (tickets, all) = (task.tickets, task.tickets * task.facts);
    let bodies = raw::bodies();
    let (done, spent) = match task.work {
        Work::Fill => spent(|| {
            raw::fill(&connection, tickets as usize, task.facts as usize);
            all
        }),
        Work::Commands => spent(|| {
            raw::commands(&connection, &bodies, tickets);
            all
        }),
        Work::Replay => spent(|| raw::replay(&connection)),
        Work::Cold => spent(|| raw::cold(&connection, tickets)),
        Work::Judge => panic!("only a desk judges"),
    };
    let about = format!("SQLite {}, {}", rusqlite::version(), note(&bodies));
    (done, spent, about)
}

fn raw_on_postgres(task: &Task) -> (u64, Spent, String) {
    let mut connections: Vec<_> = (0..task.writers)
        .map(|_| raw_postgres::open(&task.at))
        .collect();
    let (tickets, all) = (task.tickets, task.tickets * task.facts);
    let bodies = raw::bodies();
    let (done, spent) = match task.work {
        Work::Fill => spent(|| {
            raw_postgres::fill(&mut connections[0], tickets as usize, task.facts as usize);
            all
        }),
        Work::Commands => spent(|| {
            raw_postgres::commands(&mut connections, &bodies, tickets);
            all
        }),
        Work::Replay => spent(|| raw_postgres::replay(&mut connections[0])),
        Work::Cold => spent(|| raw_postgres::cold(&mut connections[0], tickets)),
        Work::Judge => panic!("only a desk judges"),
    };
    (done, spent, note(&bodies))
}
