//! Prints the throughput of the log beside hand-written loops on the same
//! server: facts of 300 bytes in streams of 12, appended one by one, each
//! confirmed before the next of the same writer, `synchronous_commit = on`.
//!
//! The engines take turns in short rounds, so that whatever else the machine does
//! falls on all of them alike; the ratio is taken in each round, and the median
//! of the rounds is printed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::print_stdout,
    reason = "a program that measures and prints"
)]

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use postgres::types::Type;
use postgres::{Client, NoTls};
use thirdring_store::{Append, Expected, Log, NewRecord, RecordId, StreamId};
use thirdring_store_postgres::testing::{Cluster, Server};
use thirdring_store_postgres::{PostgresLog, PostgresOptions};

const BODY_BYTES: usize = 300;
const STREAM_RECORDS: u64 = 12;
const BATCH: u64 = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Engine {
    /// One `INSERT` a transaction, on so many connections.
    RawRows(u64),
    /// Inserts of 64 rows a transaction, on so many connections.
    RawBatches(u64),
    /// The log, with so many threads that append.
    Log(u64),
}

impl Engine {
    const ALL: [Self; 7] = [
        Self::RawRows(1),
        Self::Log(1),
        Self::RawRows(8),
        Self::Log(8),
        Self::RawRows(64),
        Self::Log(64),
        Self::RawBatches(2),
    ];

    fn name(self) -> String {
        match self {
            Self::RawRows(n) => format!("raw, a row a transaction, {n} in flight"),
            Self::RawBatches(n) => format!("raw, {BATCH} rows a transaction, {n} in flight"),
            Self::Log(n) => format!("log, {n} in flight"),
        }
    }

    fn in_flight(self) -> u64 {
        match self {
            Self::RawRows(n) | Self::RawBatches(n) | Self::Log(n) => n,
        }
    }
}

/// With what the contract needs: unique (stream, version) and unique id.
const TABLE: &str = "
DROP TABLE IF EXISTS raw;
CREATE TABLE raw (
    seq bigserial PRIMARY KEY, version bigint NOT NULL, id uuid NOT NULL UNIQUE,
    stream text COLLATE \"C\" NOT NULL, body bytea NOT NULL, UNIQUE (stream, version)
)";

fn main() {
    // `cargo test --benches` passes `--test`: then one short round shows that it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (rounds, facts) = if quick {
        (1, 200)
    } else {
        (number("ROUNDS", 7), number("FACTS", 12_000))
    };
    let appenders = usize::try_from(number("APPENDERS", 1)).unwrap();
    // Only the engines with so many in flight, 0 for all.
    let only = number("ONLY", 0);
    let engines: Vec<Engine> = Engine::ALL
        .into_iter()
        .filter(|engine| only == 0 || engine.in_flight() == only)
        .collect();
    // With two standbys, of which one has to confirm each commit.
    let (cluster, single) = match number("CLUSTER", 0) {
        0 => (None, Server::start()),
        _ => (Cluster::start(), None),
    };
    let Some(server) = cluster.as_ref().map(Cluster::primary).or(single.as_ref()) else {
        return;
    };
    let version = server.value("SHOW server_version");
    let mut rates = vec![Vec::new(); engines.len()];
    for round in 0..rounds {
        for (engine, rates) in engines.iter().copied().zip(&mut rates) {
            let facts = if engine.in_flight() == 1 {
                facts / 4
            } else {
                facts
            };
            let facts = facts / engine.in_flight() * engine.in_flight();
            let time = match engine {
                Engine::RawRows(n) => raw_rows(server, n, facts),
                Engine::RawBatches(n) => raw_batches(server, n, facts),
                Engine::Log(n) => log(server, n, facts, appenders, round),
            };
            rates.push(facts as f64 / time.as_secs_f64());
        }
    }
    println!("PostgreSQL {version}, {facts} facts a round, {rounds} rounds, {appenders} appenders");
    println!("{:<44} {:>10} {:>22}", "", "facts/s", "/ raw rows, median");
    for (engine, of_engine) in engines.iter().copied().zip(&rates) {
        let raw = match engine {
            Engine::Log(n) | Engine::RawRows(n) => Engine::RawRows(n),
            Engine::RawBatches(_) => Engine::RawRows(64),
        };
        let Some(raw) = engines.iter().position(|other| *other == raw) else {
            continue;
        };
        let ratios = of_engine
            .iter()
            .zip(&rates[raw])
            .map(|(rate, raw)| rate / raw);
        let (rate, ratio) = (median(of_engine.clone()), median(ratios.collect()));
        println!("{:<44} {rate:>10.0} {ratio:>22.2}", engine.name());
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The `n`-th id of a writer, growing as ULIDs do.
fn id(writer: u64, n: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    id[8..].copy_from_slice(&writer.to_be_bytes());
    id
}

fn id_text(id: [u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn stream(writer: u64, n: u64) -> String {
    format!("ticket/{writer:04}-{:012}", n / STREAM_RECORDS)
}

/// Runs a writer on each of `writers` threads; the time from when all are ready.
fn race<S>(
    writers: u64,
    ready: impl Fn(u64) -> S + Sync,
    write: impl Fn(u64, &mut S) + Sync,
) -> Duration {
    let barrier = Barrier::new(writers as usize + 1);
    thread::scope(|scope| {
        for writer in 0..writers {
            let (barrier, ready, write) = (&barrier, &ready, &write);
            scope.spawn(move || {
                let mut state = ready(writer);
                barrier.wait();
                write(writer, &mut state);
                barrier.wait();
            });
        }
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        start.elapsed()
    })
}

fn client(server: &Server) -> Client {
    Client::connect(&server.url(), NoTls).unwrap()
}

fn raw_rows(server: &Server, writers: u64, facts: u64) -> Duration {
    client(server).batch_execute(TABLE).unwrap();
    let body = [b'x'; BODY_BYTES];
    let ready = |_| {
        let mut client = client(server);
        let sql = "INSERT INTO raw (stream, version, id, body) VALUES ($1, $2, encode($3, 'hex')::uuid, $4)";
        let types = [Type::TEXT, Type::INT8, Type::BYTEA, Type::BYTEA];
        let insert = client.prepare_typed(sql, &types).unwrap();
        (client, insert)
    };
    race(writers, ready, |writer, (client, insert)| {
        for n in 0..facts / writers {
            let version = (n % STREAM_RECORDS) as i64 + 1;
            let id = id(writer, n);
            client
                .execute(
                    &*insert,
                    &[
                        &stream(writer, n),
                        &version,
                        &id.as_slice(),
                        &body.as_slice(),
                    ],
                )
                .unwrap();
        }
    })
}

fn raw_batches(server: &Server, writers: u64, facts: u64) -> Duration {
    client(server).batch_execute(TABLE).unwrap();
    let body = [b'x'; BODY_BYTES];
    let ready = |_| {
        let mut client = client(server);
        let sql = "INSERT INTO raw (stream, version, id, body) \
                   SELECT s, v, i::uuid, b FROM unnest($1::text[], $2::int8[], $3::text[], $4::bytea[]) AS n(s, v, i, b)";
        let insert = client.prepare(sql).unwrap();
        (client, insert)
    };
    race(writers, ready, |writer, (client, insert)| {
        let all: Vec<u64> = (0..facts / writers).collect();
        for batch in all.chunks(BATCH as usize) {
            let streams: Vec<String> = batch.iter().map(|&n| stream(writer, n)).collect();
            let versions: Vec<i64> = batch
                .iter()
                .map(|&n| (n % STREAM_RECORDS) as i64 + 1)
                .collect();
            let ids: Vec<String> = batch.iter().map(|&n| id_text(id(writer, n))).collect();
            let bodies: Vec<&[u8]> = batch.iter().map(|_| body.as_slice()).collect();
            client
                .execute(&*insert, &[&streams, &versions, &ids, &bodies])
                .unwrap();
        }
    })
}

fn log(server: &Server, writers: u64, facts: u64, appenders: usize, round: u64) -> Duration {
    let schema = format!("round_{round}_{writers}");
    let options = PostgresOptions::in_schema(&schema).with_appenders(appenders);
    let log = PostgresLog::open_with(&server.url(), options).unwrap();
    let time = race(
        writers,
        |_| (),
        |writer, ()| {
            for n in 0..facts / writers {
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
        },
    );
    drop(log);
    server
        .sql(&format!("DROP SCHEMA {schema} CASCADE"))
        .unwrap();
    time
}
