//! The least anybody must do with PostgreSQL: as with SQLite, but each writer has a
//! connection of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Client, NoTls, Statement};

use super::raw::{Folded, body, decode, fold};
use crate::ticket;

/// With what the contract needs: unique (stream, version) and unique id.
const TABLE: &str = "
CREATE TABLE IF NOT EXISTS raw (
    seq bigserial PRIMARY KEY, version bigint NOT NULL, id uuid NOT NULL UNIQUE,
    stream text COLLATE \"C\" NOT NULL, body bytea NOT NULL, UNIQUE (stream, version)
)";

/// A connection with its statements, which has shown that it confirms durably.
pub(crate) struct Raw {
    client: Client,
    select: Statement,
    insert: Statement,
}

pub(crate) fn open(url: &str) -> Raw {
    let mut client = Client::connect(url, NoTls).unwrap();
    client.batch_execute(TABLE).unwrap();
    for setting in ["synchronous_commit", "fsync"] {
        let found: String = client
            .query_one(&format!("SHOW {setting}"), &[])
            .unwrap()
            .get(0);
        assert_eq!(found, "on", "{setting}");
    }
    let select = client
        .prepare("SELECT body FROM raw WHERE stream = $1 ORDER BY version")
        .unwrap();
    let insert = client
        .prepare_typed(
            "INSERT INTO raw (stream, version, id, body) \
             VALUES ($1, $2, encode($3, 'hex')::uuid, $4)",
            &[Type::TEXT, Type::INT8, Type::BYTEA, Type::BYTEA],
        )
        .unwrap();
    Raw {
        client,
        select,
        insert,
    }
}

impl Raw {
    fn load(&mut self, stream: &str) -> Folded {
        let rows = self.client.query(&self.select, &[&stream]).unwrap();
        fold(rows.iter().map(|row| row.get::<_, &[u8]>(0)))
    }

    fn insert(&mut self, stream: &str, version: i64, id: [u8; 16], body: &[u8]) {
        self.client
            .execute(&self.insert, &[&stream, &version, &id.as_slice(), &body])
            .unwrap();
    }
}

/// For every fact of the tickets: load the stream, decode it, fold it, decide,
/// insert, commit.
pub(crate) fn commands(connections: &mut [Raw], bodies: &[Vec<u8>], tickets: u64) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for raw in connections {
            let next = &next;
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= tickets {
                        break;
                    }
                    let stream = format!("T-{number}");
                    for body in bodies {
                        let version = raw.load(&stream).version + 1;
                        let id = ticket::id_of_now().to_bytes();
                        raw.insert(&stream, version, id, body);
                    }
                }
            });
        }
    });
}

/// Stores so many tickets of so many facts.
pub(crate) fn fill(raw: &mut Raw, tickets: usize, facts: usize) {
    raw.client.batch_execute("BEGIN").unwrap();
    ticket::in_turns(tickets, facts, |version, records| {
        for (number, id, sealed) in records {
            let (version, id) = (version as i64, id.to_bytes());
            raw.insert(&format!("T-{number}"), version, id, &body(sealed));
        }
    });
    raw.client.batch_execute("COMMIT").unwrap();
}

/// Reads every record in order, decodes it, folds it into its stream; how many.
pub(crate) fn replay(raw: &mut Raw) -> u64 {
    let nothing: [&str; 0] = [];
    let mut rows = raw
        .client
        .query_raw("SELECT body FROM raw ORDER BY seq", nothing)
        .unwrap();
    let mut streams: HashMap<String, Folded> = HashMap::new();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        Folded::sort(&mut streams, decode(row.get(0)));
        count += 1;
    }
    count
}

/// Loads each ticket; how many records.
pub(crate) fn cold(raw: &mut Raw, tickets: u64) -> u64 {
    (0..tickets)
        .map(|number| raw.load(&format!("T-{number}")).version as u64)
        .sum()
}
