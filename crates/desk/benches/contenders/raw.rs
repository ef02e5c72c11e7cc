//! The least anybody must do with SQLite: the same bytes, the same durability,
//! the two unique indexes the contract of a log needs; prepared statements, and a
//! transaction for each fact.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, params};
use serde::Deserialize as _;
use thirdring::core::record::Sealed;

use crate::ticket;

/// Opens a file, with its table, and proves how durable it is.
pub(crate) fn open(path: &Path, synchronous: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};
             CREATE TABLE IF NOT EXISTS record(position INTEGER PRIMARY KEY, stream TEXT NOT NULL,
               version INTEGER NOT NULL, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL,
               UNIQUE(stream, version));"
        ))
        .unwrap();
    let number = match synchronous {
        "FULL" => 2,
        "NORMAL" => 1,
        other => panic!("synchronous is FULL or NORMAL, not {other}"),
    };
    let found = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    assert_eq!(found("synchronous"), Ok(number));
    let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0));
    assert_eq!(mode, Ok("wal".to_owned()));
    connection
}

/// A record's bytes in one piece: what is personal behind the body.
pub(crate) fn body(sealed: Sealed) -> Vec<u8> {
    let mut body = sealed.body;
    body.extend(sealed.personal.unwrap_or_default());
    body
}

/// A whole record: everything a rule may ask of it, as a typed value.
#[derive(serde::Deserialize)]
pub(crate) struct Whole {
    id: String,
    stream: String,
    version: i64,
    occurred_at: chrono::DateTime<chrono::FixedOffset>,
    recorded_at: chrono::DateTime<chrono::Utc>,
    by: Person,
    rulebook: String,
    fact: serde_json::Map<String, serde_json::Value>,
}

#[derive(serde::Deserialize)]
struct Person {
    id: String,
    role: String,
}

#[derive(serde::Deserialize)]
struct Personal {
    fields: HashMap<String, String>,
}

/// What is kept of a stream.
#[derive(Default)]
pub(crate) struct Folded {
    /// The last version.
    pub(crate) version: i64,
    /// A number that depends on the rest, so that nothing is decoded in vain.
    seen: usize,
}

impl Folded {
    fn apply(&mut self, record: &Whole) {
        assert!(record.fact.contains_key("type") && record.occurred_at <= record.recorded_at);
        self.version = record.version.max(self.version);
        self.seen += record.id.len() + record.rulebook.len();
        self.seen += record.by.id.len() + record.by.role.len() + record.fact.len();
    }

    /// Folds a record into its stream.
    pub(crate) fn sort(streams: &mut HashMap<String, Self>, record: Whole) {
        match streams.get_mut(&record.stream) {
            Some(folded) => folded.apply(&record),
            None => {
                let mut folded = Self::default();
                folded.apply(&record);
                streams.insert(record.stream, folded);
            }
        }
    }
}

/// Decodes a record, and what is personal behind it.
pub(crate) fn decode(body: &[u8]) -> Whole {
    // Behind the link of the chain.
    let cut = body.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut deserializer = serde_json::Deserializer::from_slice(&body[cut..]);
    let mut record = Whole::deserialize(&mut deserializer).unwrap();
    if deserializer.end().is_err() {
        let personal = Personal::deserialize(&mut deserializer).unwrap();
        let fields = personal.fields.into_iter();
        let fields = fields.map(|(name, text)| (name, text.into()));
        record.fact.extend(fields);
    }
    record
}

/// Decodes and folds a stream's records in order.
pub(crate) fn fold<B: AsRef<[u8]>>(bodies: impl Iterator<Item = B>) -> Folded {
    let mut folded = Folded::default();
    for body in bodies {
        folded.apply(&decode(body.as_ref()));
    }
    folded
}

/// Loads a stream: select, decode, fold.
pub(crate) fn load(connection: &Connection, stream: &str) -> Folded {
    let mut read = connection
        .prepare_cached("SELECT body FROM record WHERE stream=?1 ORDER BY version")
        .unwrap();
    let rows = read.query_map([stream], |row| row.get::<_, Vec<u8>>(0));
    fold(rows.unwrap().map(Result::unwrap))
}

fn insert(connection: &Connection, stream: &str, version: i64, id: [u8; 16], body: &[u8]) {
    let mut insert = connection
        .prepare_cached("INSERT INTO record(stream, version, id, body) VALUES (?1, ?2, ?3, ?4)")
        .unwrap();
    insert
        .execute(params![stream, version, id.as_slice(), body])
        .unwrap();
}

/// What the records of a ticket are stored as.
pub(crate) fn bodies() -> Vec<Vec<u8>> {
    let sealed = ticket::sealed(1).into_iter();
    sealed.map(|(_, sealed)| body(sealed)).collect()
}

/// For every fact of the tickets: load the stream, decode it, fold it, decide,
/// insert, commit.
pub(crate) fn commands(connection: &Connection, bodies: &[Vec<u8>], tickets: u64) {
    for number in 0..tickets {
        let stream = format!("T-{number}");
        for body in bodies {
            let next = load(connection, &stream).version + 1;
            let id = ticket::id_of_now().to_bytes();
            insert(connection, &stream, next, id, body);
        }
    }
}

/// Stores so many tickets of so many facts.
pub(crate) fn fill(connection: &Connection, tickets: usize, facts: usize) {
    let transaction = connection.unchecked_transaction().unwrap();
    ticket::in_turns(tickets, facts, |version, records| {
        for (number, id, sealed) in records {
            let stream = format!("T-{number}");
            let (version, id) = (version as i64, id.to_bytes());
            insert(connection, &stream, version, id, &body(sealed));
        }
    });
    transaction.commit().unwrap();
}

/// Reads every record in order, decodes it, folds it into its stream; how many.
pub(crate) fn replay(connection: &Connection) -> u64 {
    let mut statement = connection
        .prepare("SELECT body FROM record ORDER BY position")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut streams: HashMap<String, Folded> = HashMap::new();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let record = decode(row.get_ref(0).unwrap().as_blob().unwrap());
        Folded::sort(&mut streams, record);
        count += 1;
    }
    assert!(streams.values().all(|folded| folded.seen > 0));
    count
}

/// Loads each ticket; how many records.
pub(crate) fn cold(connection: &Connection, tickets: u64) -> u64 {
    (0..tickets)
        .map(|number| load(connection, &format!("T-{number}")).version as u64)
        .sum()
}
