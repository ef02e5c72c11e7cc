//! Every order in which three writers can begin, insert and commit, with a
//! reader that looks after each step: it misses nothing.
//!
//! The reader polls after every step because that is the hardest case: a record
//! that is missed is one that was invisible when the cursor passed its place. A
//! reader that polls less often passes later, when no fewer records are visible.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails panics"
)]

mod support;

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use postgres::{Client, NoTls};
use support::{open, stream};
use thirdring_store::{Cursor, Log};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{PostgresLog, partition_of};

const WRITERS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    Insert,
    Commit,
}

/// What is under test: how a writer inserts and how a reader reads.
trait System {
    /// Empties the tables before each order.
    fn clear(&mut self, client: &mut Client);
    /// The statement that inserts the one record of a writer.
    fn insert(&self, writer: usize) -> String;
    /// Whether a writer that has inserted keeps the others from inserting.
    const SERIAL: bool;
    /// What is new since the last time, as writers.
    fn poll(&mut self) -> Vec<usize>;
}

/// A connection on a thread of its own, so that a step may block.
struct Writer {
    pid: i32,
    steps: Sender<String>,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Writer {
    fn new(url: &str) -> Self {
        let mut client = Client::connect(url, NoTls).unwrap();
        let pid = client
            .query_one("SELECT pg_backend_pid()", &[])
            .unwrap()
            .get(0);
        let (steps, wanted) = channel::<String>();
        let (answer, done) = channel();
        let thread = thread::spawn(move || {
            for sql in wanted {
                client.batch_execute(&sql).unwrap();
                answer.send(()).unwrap();
            }
        });
        Self {
            pid,
            steps,
            done,
            thread,
        }
    }

    fn start(&self, sql: String) {
        self.steps.send(sql).unwrap();
    }

    fn finish(&self) {
        self.done.recv().unwrap();
    }
}

/// All orders of the steps of the writers that can happen. A writer that must
/// wait for the lock has made its step, and can make no other until it has the
/// lock, which is given in the order of asking.
fn orders(serial: bool) -> Vec<Vec<(usize, Step)>> {
    fn extend(
        serial: bool,
        made: &mut Vec<(usize, Step)>,
        next: [usize; WRITERS],
        lock: &VecDeque<usize>,
        all: &mut Vec<Vec<(usize, Step)>>,
    ) {
        if made.len() == WRITERS * 3 {
            all.push(made.clone());
            return;
        }
        for writer in 0..WRITERS {
            let step = match next[writer] {
                0 => Step::Begin,
                1 => Step::Insert,
                2 if !serial || lock.front() == Some(&writer) => Step::Commit,
                _ => continue,
            };
            let (mut next, mut lock) = (next, lock.clone());
            next[writer] += 1;
            match step {
                Step::Begin => {}
                Step::Insert => lock.push_back(writer),
                Step::Commit => lock.retain(|&other| other != writer),
            }
            made.push((writer, step));
            extend(serial, made, next, &lock, all);
            made.pop();
        }
    }
    let mut all = Vec::new();
    extend(
        serial,
        &mut Vec::new(),
        [0; WRITERS],
        &VecDeque::new(),
        &mut all,
    );
    all
}

/// Runs one order; the writers the reader has seen.
fn run<S: System>(
    system: &mut S,
    writers: &[Writer],
    watcher: &mut Client,
    order: &[(usize, Step)],
) -> BTreeSet<usize> {
    system.clear(watcher);
    let mut seen = BTreeSet::new();
    let mut lock: VecDeque<usize> = VecDeque::new();
    for &(writer, step) in order {
        match step {
            Step::Begin => {
                writers[writer].start("BEGIN".to_owned());
                writers[writer].finish();
            }
            Step::Insert => {
                writers[writer].start(system.insert(writer));
                if S::SERIAL && !lock.is_empty() {
                    // Goes on only once the server says that it waits.
                    let pid = writers[writer].pid;
                    let waits =
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)";
                    while !watcher.query_one(waits, &[&pid]).unwrap().get::<_, bool>(0) {
                        thread::yield_now();
                    }
                } else {
                    writers[writer].finish();
                }
                lock.push_back(writer);
            }
            Step::Commit => {
                writers[writer].start("COMMIT".to_owned());
                writers[writer].finish();
                lock.retain(|&other| other != writer);
                if S::SERIAL
                    && let Some(&next) = lock.front()
                {
                    writers[next].finish();
                }
            }
        }
        for new in system.poll() {
            assert!(seen.insert(new), "writer {new} was seen twice in {order:?}");
        }
    }
    seen
}

/// Runs all orders; how many there are, and how many lost something.
fn run_all<S: System>(server: &Server, mut system: S) -> (usize, usize) {
    let url = server.url();
    let writers: Vec<Writer> = (0..WRITERS).map(|_| Writer::new(&url)).collect();
    let mut watcher = Client::connect(&url, NoTls).unwrap();
    let orders = orders(S::SERIAL);
    let lost = orders
        .iter()
        .filter(|order| run(&mut system, &writers, &mut watcher, order).len() < WRITERS)
        .count();
    for Writer { steps, thread, .. } in writers {
        drop(steps);
        thread.join().unwrap();
    }
    (orders.len(), lost)
}

/// The log: `append_batch` in a transaction that is held open, and `scan`.
struct OurLog {
    log: PostgresLog,
    cursor: Cursor,
}

impl System for OurLog {
    const SERIAL: bool = true;

    fn clear(&mut self, client: &mut Client) {
        client
            .batch_execute(
                "TRUNCATE thirdring.record, thirdring.personal; UPDATE thirdring.feed SET pos = 0",
            )
            .unwrap();
        self.cursor = Cursor::start();
    }

    fn insert(&self, writer: usize) -> String {
        // One stream for all: one partition, in which each waits for the other.
        let part = partition_of(&stream("s"));
        format!(
            "SET LOCAL search_path TO thirdring; SELECT FROM append_batch(\
             ARRAY[{part}]::smallint[], ARRAY['s'], ARRAY[{part}]::smallint[], ARRAY[1], ARRAY[1], \
             ARRAY[1], ARRAY[-1]::bigint[], ARRAY[1], ARRAY['s'], ARRAY[{part}]::smallint[], \
             ARRAY['00000000-0000-0000-0000-00000000000{writer}']::uuid[], \
             ARRAY['\\x0{writer}']::bytea[], NULL)"
        )
    }

    fn poll(&mut self) -> Vec<usize> {
        let page = self.log.scan(&self.cursor, 100).unwrap();
        self.cursor = page.next;
        page.records
            .iter()
            .map(|stored| usize::from(stored.body[0]))
            .collect()
    }
}

/// What everybody tries first: an ascending number and `WHERE seq > last`.
struct Serial {
    client: Client,
    last: i64,
}

impl System for Serial {
    const SERIAL: bool = false;

    fn clear(&mut self, client: &mut Client) {
        client
            .batch_execute("DROP TABLE IF EXISTS plain; CREATE TABLE plain (seq bigserial PRIMARY KEY, writer int)")
            .unwrap();
        self.last = 0;
    }

    fn insert(&self, writer: usize) -> String {
        format!("INSERT INTO plain (writer) VALUES ({writer})")
    }

    fn poll(&mut self) -> Vec<usize> {
        let sql = "SELECT seq, writer FROM plain WHERE seq > $1 ORDER BY seq";
        let rows = self.client.query(sql, &[&self.last]).unwrap();
        self.last = rows.last().map_or(self.last, |row| row.get(0));
        rows.iter()
            .map(|row| usize::try_from(row.get::<_, i32>(1)).unwrap())
            .collect()
    }
}

#[test]
fn no_order_of_three_writers_hides_a_record_from_a_polling_reader() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let log = open(&server.url());
    let (orders, lost) = run_all(
        &server,
        OurLog {
            log,
            cursor: Cursor::start(),
        },
    );
    println!("{orders} orders, {lost} lost a record");
    assert!(orders > 200, "only {orders} orders");
    assert_eq!(lost, 0);
}

/// Teeth: the same test finds what is wrong with the usual way.
#[test]
fn a_plain_ascending_number_loses_records() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let client = Client::connect(&server.url(), NoTls).unwrap();
    let (orders, lost) = run_all(&server, Serial { client, last: 0 });
    println!("{orders} orders, {lost} lost a record");
    assert_eq!(orders, 1_680);
    assert!(lost > 500, "only {lost} orders lost a record");
}
