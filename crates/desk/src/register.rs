//! The register: what a desk knows across streams. It is a fold of the log and
//! can be thrown away at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thirdring_core::StreamId;
use thirdring_core::record::{Evidence, Opener, Record, SeenIn};
use thirdring_core::vocabulary::ticket::intake::RequestReceived;
use thirdring_core::vocabulary::ticket::visit::EngineerArrived;
use thirdring_core::vocabulary::{Fact, FieldType, Value};
use thirdring_store::{Cursor, Log};

use crate::storage::{ReadFailure, unproved};

/// How many records of its own a desk remembers until they fit behind what was
/// read.
const HEARD_MAX: usize = 4096;
/// How many records are read at a time.
const PAGE: usize = 512;

/// Which customers' requests stand in which streams, and in which of them an
/// engineer came.
#[derive(Debug, Default)]
pub(crate) struct Register {
    /// How far the log was read.
    cursor: Cursor,
    /// Records this desk appended itself beyond the cursor, by position: they
    /// need not be read back.
    heard: BTreeMap<u64, Arc<Record>>,
    customer_of: BTreeMap<StreamId, String>,
    /// Streams in which an engineer came to the customer, with the version.
    visited: BTreeMap<StreamId, u64>,
    streams_of: BTreeMap<String, BTreeSet<StreamId>>,
}

impl Register {
    /// Takes note of a record this desk appended itself, in a log of one
    /// partition.
    pub(crate) fn hear(&mut self, position: u64, record: &Arc<Record>) {
        if self.cursor.single().is_some_and(|read| position > read) && self.heard.len() < HEARD_MAX
        {
            self.heard.insert(position, Arc::clone(record));
        }
        self.take_heard();
    }

    /// Goes on over what was heard, as far as nothing is missing in between.
    fn take_heard(&mut self) {
        let Some(mut read) = self.cursor.single() else {
            return;
        };
        let before = read;
        self.heard = self.heard.split_off(&(read + 1));
        while let Some(record) = self.heard.remove(&(read + 1)) {
            read += 1;
            self.learn(&record);
        }
        if read > before {
            self.cursor = Cursor::from_positions(vec![read]);
        }
    }

    /// Reads what was appended since the last time, by this desk or another.
    pub(crate) fn catch_up(&mut self, log: &dyn Log) -> Result<(), ReadFailure> {
        let mut opener = Opener::default();
        loop {
            self.take_heard();
            let page = log.scan(&self.cursor, PAGE)?;
            for stored in page.records {
                // The chain is proved where a case is built; here only names
                // and customers are looked at.
                let record = unproved(&mut opener, stored)?;
                self.learn(&record);
            }
            self.cursor = page.next;
            if page.end {
                return Ok(());
            }
        }
    }

    /// Takes one more record into account.
    fn learn(&mut self, record: &Record) {
        let Some(fact) = record.fact() else { return };
        if fact.fact_type() == RequestReceived::TYPE
            && let Some(Value::Word(customer)) = fact.get("customer")
        {
            self.streams_of
                .entry(customer.clone())
                .or_default()
                .insert(record.stream.clone());
            self.customer_of
                .insert(record.stream.clone(), customer.clone());
        }
        if fact.fact_type() == EngineerArrived::TYPE {
            self.visited
                .entry(record.stream.clone())
                .or_insert(record.version);
        }
    }

    /// Answers the typed questions a fact asks of other streams.
    pub(crate) fn evidence(&self, stream: &StreamId, fact: &Fact) -> Vec<Evidence> {
        fact.spec()
            .fields
            .iter()
            .filter(|field| field.field_type == FieldType::Evidence)
            .filter_map(|field| match field.name {
                "repeat_customer" => self.repeat_customer(stream, fact),
                _ => None,
            })
            .collect()
    }

    /// Whether an engineer came to this customer before, in another stream.
    fn repeat_customer(&self, stream: &StreamId, fact: &Fact) -> Option<Evidence> {
        let Some(Value::Word(customer)) = fact.get("customer") else {
            return None;
        };
        let seen_in = self
            .streams_of
            .get(customer)
            .into_iter()
            .flatten()
            .filter(|other| *other != stream)
            .find_map(|other| {
                let version = *self.visited.get(other)?;
                Some(SeenIn {
                    stream: other.clone(),
                    version,
                })
            });
        Some(Evidence {
            query: "repeat_customer".to_owned(),
            about: customer.clone(),
            answer: seen_in.is_some(),
            seen_in,
        })
    }
}
