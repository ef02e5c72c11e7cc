//! Several processes on one file, processes that are killed, and processes whose
//! writes fail.
//!
//! The children are this very test program, told by an environment variable to
//! run [`child`] only.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a fixture that fails fails the test")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::tempdir;
use thirdring_store::{
    Append, AppendError, Cursor, Expected, Log, NewRecord, RecordId, SqliteLog, StoredRecord,
    StreamId,
};

const FILE: &str = "STORE_TEST_FILE";
const FIRST: &str = "STORE_TEST_FIRST";
const COUNT: &str = "STORE_TEST_COUNT";
const THREADS: u64 = 8;

/// The batch with this number: two records in two streams.
fn batch(n: u64) -> Vec<Append> {
    let record = |half: u64| NewRecord {
        id: RecordId((u128::from(n) << 1 | u128::from(half)).to_be_bytes()),
        body: format!("batch {n} half {half}").repeat(10).into_bytes(),
        personal: n.is_multiple_of(3).then(|| vec![1; 20]),
    };
    [0, 1]
        .map(|half| Append {
            stream: StreamId::new(&format!("s/{}/{half}", n % 11)).unwrap(),
            expected: Expected::Any,
            records: vec![record(half)],
        })
        .to_vec()
}

/// Not a test of its own: appends batches from eight threads, telling before
/// which one it tries and after which one it was given as stored.
#[test]
fn child() {
    let Ok(file) = std::env::var(FILE) else {
        return;
    };
    let number = |name| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let (first, count) = (number(FIRST), number(COUNT));
    let log = SqliteLog::open(file).unwrap();
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= first + count {
                        return;
                    }
                    println!("\ntry {n}");
                    match log.append(&batch(n)) {
                        Ok(_) => println!("\nstored {n}"),
                        Err(AppendError::Unknown(_) | AppendError::Poisoned(_)) => {
                            println!("\nfailed {n}");
                            return;
                        }
                        Err(error) => println!("\nother {error}"),
                    }
                }
            });
        }
    });
}

/// Starts a child; `prefix` is put before the command in a shell.
fn start(file: &Path, first: u64, count: u64, prefix: &str) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{prefix} exec \"$0\" child --exact --nocapture"))
        .arg(std::env::current_exe().unwrap())
        .env(FILE, file)
        .env(FIRST, first.to_string())
        .env(COUNT, count.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a child told.
#[derive(Default)]
struct Told {
    tried: BTreeSet<u64>,
    stored: BTreeSet<u64>,
    failed: BTreeSet<u64>,
}

impl Told {
    /// Reads what the child tells; kills it once it stored `enough`.
    fn listen(&mut self, child: &mut Child, enough: usize) {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stored = 0;
        for line in lines.map_while(Result::ok) {
            let Some((word, number)) = line.split_once(' ') else {
                continue;
            };
            let Ok(n) = number.parse() else {
                assert_ne!(word, "other", "{line}");
                continue;
            };
            match word {
                "try" => self.tried.insert(n),
                "failed" => self.failed.insert(n),
                "stored" => {
                    stored += 1;
                    if stored == enough {
                        // SIGKILL; what it told before is still in the pipe.
                        child.kill().unwrap();
                    }
                    self.stored.insert(n)
                }
                _ => continue,
            };
        }
        child.wait().unwrap();
    }
}

fn everything(log: &SqliteLog) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    let mut cursor = Cursor::start();
    loop {
        let page = log.scan(&cursor, 1_000).unwrap();
        all.extend(page.records);
        cursor = page.next;
        if page.end {
            return all;
        }
    }
}

/// Asserts that everything told as stored is there, whole and once; that what is
/// there was tried; and that repeating what was tried has one effect.
fn assert_kept(file: &Path, told: &Told) {
    let log = SqliteLog::open(file).unwrap();
    let found = log.integrity_check().unwrap();
    assert!(found.is_whole(), "{:?}", found.problems);
    let all = everything(&log);
    let numbers: BTreeSet<u64> = all
        .iter()
        .map(|stored| u64::try_from(u128::from_be_bytes(stored.id.0) >> 1).unwrap())
        .collect();
    assert_eq!(all.len(), numbers.len() * 2, "half a batch, or one twice");
    assert!(
        told.stored.is_subset(&numbers),
        "stored and lost: {:?}",
        &told.stored - &numbers
    );
    assert!(
        numbers.is_subset(&told.tried),
        "never tried: {:?}",
        &numbers - &told.tried
    );
    for &n in &told.tried {
        let appended = log.append(&batch(n)).unwrap();
        assert_eq!(appended.replayed, numbers.contains(&n), "batch {n}");
    }
    assert_eq!(everything(&log).len(), told.tried.len() * 2);
}

#[test]
fn what_a_killed_process_was_told_is_stored_is_there() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("log.db");
    let mut told = Told::default();
    // The same file each time, so that recovery meets the rest of the last crash;
    // the counts pass the size at which the WAL is moved into the file.
    for (round, enough) in [1, 40, 150, 600, 1_100].into_iter().enumerate() {
        let mut child = start(&file, round as u64 * 1_000_000, 1_000_000, "");
        told.listen(&mut child, enough);
        assert!(told.failed.is_empty());
        assert_kept(&file, &told);
    }
    assert!(told.stored.len() >= 1_800);
}

#[test]
fn processes_at_once_keep_one_order() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("log.db");
    let mut children: Vec<_> = (0..3).map(|n| start(&file, n * 1_000, 60, "")).collect();
    // One of them here, so that there are handles of the same process as well.
    let log = SqliteLog::open(&file).unwrap();
    let mut told = Told::default();
    for n in 9_000..9_060 {
        log.append(&batch(n)).unwrap();
        told.tried.insert(n);
        told.stored.insert(n);
    }
    for child in &mut children {
        told.listen(child, usize::MAX);
    }
    assert_eq!(told.stored.len(), 240);
    assert_kept(&file, &told);
}

/// Writes fail at a size of file the process may not exceed, first one of the
/// WAL, then, with a larger one, one of a checkpoint.
#[test]
fn failed_writes_are_told_and_lose_nothing() {
    for blocks in [200, 900, 3_000, 9_000] {
        let dir = tempdir().unwrap();
        let file = dir.path().join("log.db");
        drop(SqliteLog::open(&file).unwrap());
        // Blocks of 512 bytes; the signal would end the process before SQLite
        // could report the error.
        let mut child = start(
            &file,
            0,
            100_000,
            &format!("trap '' XFSZ; ulimit -f {blocks};"),
        );
        let mut told = Told::default();
        told.listen(&mut child, usize::MAX);
        assert!(!told.failed.is_empty(), "nothing failed at {blocks} blocks");
        assert!(
            !told.stored.is_empty(),
            "nothing was stored at {blocks} blocks"
        );
        assert_kept(&file, &told);
    }
}
