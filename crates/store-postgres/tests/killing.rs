//! Kills processes of the server while appends are in flight: nothing that was
//! confirmed is lost, and the client comes back by itself.
//!
//! A kill leaves what was written in the cache of the operating system, so this
//! shows that the client and the recovery of the server fit together, not that
//! the server syncs.

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

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use support::{Confirmed, all, assert_whole, open, write_until};
use thirdring_store::Log;
use thirdring_store_postgres::testing::Server;

const WRITERS: u64 = 8;

/// Rounds of each kind: `THIRDRING_KILL_ROUNDS`.
fn rounds() -> u32 {
    std::env::var("THIRDRING_KILL_ROUNDS").map_or(3, |text| text.parse().unwrap())
}

#[test]
fn killed_backends_and_a_killed_server_lose_nothing() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let (log, other) = (open(&server.url()), open(&server.url()));
    let (confirmed, over) = (Confirmed::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (log, confirmed, over) = (
                if writer % 2 == 0 { &log } else { &other },
                &confirmed,
                &over,
            );
            scope.spawn(move || write_until(log, writer, confirmed, over));
        }
        for round in 0..rounds() {
            confirmed.wait_for_more(200);
            confirmed.gap();
            // One process of the server that serves an append. The server ends
            // all others, recovers, and goes on.
            let backend = "SELECT pid FROM pg_stat_activity WHERE application_name = 'thirdring' \
                           ORDER BY query LIKE '%append_batch%' DESC, state = 'active' DESC LIMIT 1";
            let pid = server.value(backend).parse().unwrap();
            server.kill_backend(pid);
            confirmed.wait_for_more(200);
            println!(
                "round {round}: a backend killed, {:?} without a confirmation",
                confirmed.gap()
            );
        }
        for round in 0..rounds() {
            confirmed.wait_for_more(200);
            confirmed.gap();
            server.kill();
            server.begin();
            confirmed.wait_for_more(200);
            println!(
                "round {round}: the server killed, {:?} without a confirmation",
                confirmed.gap()
            );
        }
        over.store(true, Ordering::SeqCst);
    });
    confirmed.assert_on(&server);
    let all = all(&log);
    assert_whole(&log, &all);
    println!(
        "{} confirmed, {} stored, 0 lost",
        confirmed.count(),
        all.len()
    );
    // What is stored beyond that was in flight when it was repeated: nothing
    // here, because each writer repeats until it is confirmed.
    assert_eq!(all.len(), confirmed.count());
    assert!(log.integrity_check().unwrap().problems.is_empty());
    log.close();
}
