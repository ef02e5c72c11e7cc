//! A whole log is replayed: nothing is missed without a word, and nothing that
//! came meanwhile is in it.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use thirdring::facts::CallRang;
use thirdring::store::{
    Append, Capabilities, Completion, Cursor, Limits, Log, MemoryLog, Page, ReadError,
    StreamId as StoredStream, StreamPage, Wake,
};
use thirdring::{Actor, Desk, ReadFailure, Rulebook, StreamId, manuals, moment, replay_log};

/// A log that does not do what the contract asks.
struct Careless {
    log: MemoryLog,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// One stream is never named.
    HidesAStream,
    /// Streams are not read together.
    ReadsNothing,
}

impl Log for Careless {
    fn submit(&self, batch: Vec<Append>) -> Completion {
        self.log.submit(batch)
    }
    fn read(
        &self,
        stream: &StoredStream,
        from: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        self.log.read(stream, from, limit)
    }
    fn read_many(
        &self,
        streams: &[StoredStream],
        limit: usize,
    ) -> Result<Vec<StreamPage>, ReadError> {
        match self.fault {
            Fault::ReadsNothing => Ok(Vec::new()),
            Fault::HidesAStream => self.log.read_many(streams, limit),
        }
    }
    fn read_backward(
        &self,
        stream: &StoredStream,
        from: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        self.log.read_backward(stream, from, limit)
    }
    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
        self.log.scan(cursor, limit)
    }
    fn streams(
        &self,
        after: Option<&StoredStream>,
        limit: usize,
    ) -> Result<Vec<StoredStream>, ReadError> {
        let mut names = self.log.streams(after, limit)?;
        names.retain(|name| self.fault != Fault::HidesAStream || name.as_str() != "T-2");
        Ok(names)
    }
    fn head(&self, stream: &StoredStream) -> Result<u64, ReadError> {
        self.log.head(stream)
    }
    fn end(&self) -> Result<Cursor, ReadError> {
        self.log.end()
    }
    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
        self.log.wait(cursor, timeout)
    }
    fn capabilities(&self) -> Capabilities {
        self.log.capabilities()
    }
    fn limits(&self) -> Limits {
        self.log.limits()
    }
    fn close(&self) {
        self.log.close();
    }
}

fn rulebook() -> Arc<Rulebook> {
    Arc::new(manuals::shipped("unis").unwrap())
}

fn ring(desk: &Desk, stream: &str, minute: i64) {
    let at = moment("2026-03-02T09:00:00+08:00").unwrap() + chrono::TimeDelta::minutes(minute);
    let phone = Actor::new("pbx", "telephone_system").unwrap();
    let stream = StreamId::new(stream).unwrap();
    desk.propose_at(&stream, CallRang::new(minute.to_string()), &phone, at)
        .unwrap();
}

fn filled() -> MemoryLog {
    let log = MemoryLog::new();
    let desk = Desk::open(log.clone(), rulebook());
    for minute in 0..12 {
        ring(&desk, &format!("T-{}", minute % 4), minute);
    }
    log
}

#[test]
fn what_no_stream_holds_is_told() {
    let log = Careless {
        log: filled(),
        fault: Fault::HidesAStream,
    };
    let records = log.end().unwrap().positions(1).unwrap()[0];
    let failure = replay_log(&log, &rulebook(), drop).unwrap_err();
    let ReadFailure::Lost {
        partition: 0,
        expected,
        found,
    } = failure
    else {
        panic!("{failure}");
    };
    assert_eq!(expected, records);
    assert_eq!(found, records - 3);
}

#[test]
fn a_log_that_reads_nothing_together_is_read_one_by_one() {
    let log = Careless {
        log: filled(),
        fault: Fault::ReadsNothing,
    };
    let replayed = replay_log(&log, &rulebook(), drop).unwrap();
    assert_eq!((replayed.records, replayed.streams), (12, 4));
}

#[test]
fn what_comes_meanwhile_is_left_out() {
    let log = filled();
    let before = log.end().unwrap().positions(1).unwrap()[0];
    let desk = Mutex::new(Desk::open(log.clone(), rulebook()));
    let replayed = replay_log(&log, &rulebook(), |case| {
        // To every stream, also those that are still to be read, and to a new one.
        let desk = desk.lock().unwrap();
        for stream in ["T-0", "T-1", "T-2", "T-3", "T-9"] {
            ring(&desk, stream, 100);
        }
        assert!(case.records().iter().all(|record| record.version <= 3));
    })
    .unwrap();
    assert_eq!((replayed.records, replayed.streams), (before, 4));
    assert!(log.end().unwrap().positions(1).unwrap()[0] > before);
}

#[test]
fn the_panic_of_a_visitor_is_the_callers_own() {
    let log = filled();
    let rulebook = rulebook();
    let caught = std::panic::catch_unwind(|| {
        replay_log(&log, &rulebook, |_| panic!("enough")).unwrap();
    });
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "enough");
}
