//! The crate `cqrs-es` under the load of Thirdring's benchmarks, in its event mode
//! (no snapshots), on `sqlite-es` and `postgres-es`.
//!
//! It is a contender of `cargo bench -p thirdring --bench peers`, which builds it,
//! starts it anew for each round and says what to do on the command line.

// The floors, lowest first: each module uses only modules above it in this list.
#[path = "../../desk/benches/task/mod.rs"]
mod task;

#[path = "../../desk/benches/spent/mod.rs"]
mod spent;

mod ticket;

mod work;

mod sqlite;

mod postgres;

use std::process::ExitCode;

use task::{Database, Task, Who};

fn main() -> ExitCode {
    match answer() {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> Result<task::Answer, work::Failure> {
    let task = Task::from_words(std::env::args().skip(1))?;
    if task.who != Who::Peer {
        return Err(format!("who={} is not here, only who=peer", task.who).into());
    }
    // As many threads as there are processors: what `#[tokio::main]` gives.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match task.database {
        Database::Sqlite => sqlite::work(&runtime, &task),
        Database::Postgres => postgres::work(&runtime, &task),
    }
}
