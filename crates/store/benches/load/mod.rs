//! The load both benchmarks run: facts of 300 bytes in streams of 12, appended
//! one by one, each durable before the next of the same writer.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails stops")]

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use thirdring_store::{
    Append, Durability, Expected, Log, NewRecord, RecordId, SqliteLog, SqliteOptions, StreamId,
};

/// Bytes of one fact.
pub(crate) const BODY_BYTES: usize = 300;
/// Facts of one stream.
pub(crate) const STREAM_RECORDS: u64 = 12;

/// Who writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Engine {
    /// A hand-written loop: one table without any index.
    RawBare,
    /// A hand-written loop with what the contract needs: unique (stream, version)
    /// and unique id.
    RawUnique,
    /// The log, with that many threads.
    Log(usize),
}

impl Engine {
    /// All that are compared.
    pub(crate) const ALL: [Self; 5] = [
        Self::RawBare,
        Self::RawUnique,
        Self::Log(1),
        Self::Log(8),
        Self::Log(64),
    ];

    /// A name for tables.
    pub(crate) fn name(self) -> String {
        match self {
            Self::RawBare => "raw, no index".to_owned(),
            Self::RawUnique => "raw, unique".to_owned(),
            Self::Log(writers) => format!("log, {writers} writers"),
        }
    }
}

/// Names of durability levels, as both sides understand them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sync {
    /// Each commit reaches the medium.
    Full,
    /// None does at once.
    Normal,
}

/// The `n`-th id of a writer, growing as ULIDs do.
fn id(writer: u64, n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    id[8..].copy_from_slice(&writer.to_be_bytes());
    id
}

fn stream(writer: u64, n: u64) -> String {
    format!("ticket/{writer:04}-{:012}", n / STREAM_RECORDS)
}

/// Appends `count` facts in a new file in `dir` and returns the time it took.
pub(crate) fn run(engine: Engine, sync: Sync, dir: &Path, count: u64) -> Duration {
    match engine {
        Engine::RawBare => run_raw(dir, sync, count, ""),
        Engine::RawUnique => run_raw(
            dir,
            sync,
            count,
            "CREATE UNIQUE INDEX by_stream ON facts(stream, version); CREATE UNIQUE INDEX by_id ON facts(id);",
        ),
        Engine::Log(writers) => run_log(dir, sync, count, writers as u64),
    }
}

fn run_raw(dir: &Path, sync: Sync, count: u64, indexes: &str) -> Duration {
    let connection = Connection::open(dir.join("raw.db")).unwrap();
    connection
        .pragma_update(None, "journal_mode", "wal")
        .unwrap();
    let level = if sync == Sync::Full { "full" } else { "normal" };
    connection
        .pragma_update(None, "synchronous", level)
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE facts(position INTEGER PRIMARY KEY, stream TEXT NOT NULL, \
             version INTEGER NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL)",
        )
        .unwrap();
    connection.execute_batch(indexes).unwrap();
    let mut insert = connection
        .prepare("INSERT INTO facts(stream, version, id, body) VALUES(?1, ?2, ?3, ?4)")
        .unwrap();
    let body = [b'x'; BODY_BYTES];
    let start = Instant::now();
    for n in 0..count {
        let version = (n % STREAM_RECORDS) as i64 + 1;
        insert
            .execute(params![stream(0, n), version, id(0, n), body])
            .unwrap();
    }
    start.elapsed()
}

fn run_log(dir: &Path, sync: Sync, count: u64, writers: u64) -> Duration {
    let durability = match sync {
        Sync::Full => Durability::Full,
        Sync::Normal => Durability::NormalLosesAnsweredAppendsOnPowerLoss,
    };
    let options = SqliteOptions {
        durability,
        ..SqliteOptions::default()
    };
    let log = SqliteLog::open_with(dir.join("log.db"), options).unwrap();
    let barrier = std::sync::Barrier::new(writers as usize + 1);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let (log, barrier) = (&log, &barrier);
            scope.spawn(move || {
                let mine = count / writers + u64::from(writer < count % writers);
                barrier.wait();
                for n in 0..mine {
                    log.append(&[Append {
                        stream: StreamId::new(&stream(writer, n)).unwrap(),
                        expected: Expected::Exactly(n % STREAM_RECORDS),
                        records: vec![NewRecord {
                            id: RecordId(id(writer, n)),
                            body: vec![b'x'; BODY_BYTES],
                            personal: None,
                        }],
                    }])
                    .unwrap();
                }
                barrier.wait();
            });
        }
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        start.elapsed()
    })
}
