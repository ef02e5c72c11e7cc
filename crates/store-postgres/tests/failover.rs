//! Failover under load: the primary dies with all its processes while 64 appends
//! are in flight, the standby with the longer log is promoted, and the client
//! finds it by itself. Nothing that was confirmed is lost on any node, and no
//! version has two winners.
//!
//! One round by default; `THIRDRING_FAILOVER_ROUNDS=20` for a long run.

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
use thirdring_store_postgres::testing::Cluster;

const IN_FLIGHT: u64 = 64;

#[test]
fn a_failover_loses_nothing_that_was_confirmed() {
    let rounds: u32 =
        std::env::var("THIRDRING_FAILOVER_ROUNDS").map_or(1, |text| text.parse().unwrap());
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let (log, other) = (open(&cluster.url()), open(&cluster.url()));
    let (confirmed, over) = (Confirmed::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..IN_FLIGHT {
            let log = if writer % 2 == 0 { &log } else { &other };
            let (confirmed, over) = (&confirmed, &over);
            scope.spawn(move || write_until(log, writer, confirmed, over));
        }
        for round in 0..rounds {
            confirmed.wait_for_more(1_000);
            confirmed.gap();
            cluster.kill_primary();
            cluster.promote_the_longer();
            confirmed.wait_for_more(1_000);
            println!(
                "round {round}: {} is primary, {:?} without a confirmation, {} confirmed so far",
                cluster.primary().name(),
                confirmed.gap(),
                confirmed.count()
            );
            cluster.rejoin();
        }
        over.store(true, Ordering::SeqCst);
    });
    cluster.wait_for_equality();
    for node in cluster.nodes() {
        confirmed.assert_on(node);
    }
    let all = all(&log);
    assert_whole(&log, &all);
    assert!(log.integrity_check().unwrap().problems.is_empty());
    println!(
        "{} confirmed, {} stored, 0 lost on 3 nodes",
        confirmed.count(),
        all.len()
    );
    assert_eq!(
        all.len(),
        confirmed.count(),
        "each writer repeats until it is confirmed"
    );
}

/// A primary that hangs closes no connection: its machine still answers. The
/// client asks the other hosts after a while, and leaves it.
#[test]
fn a_primary_that_hangs_is_left_once_another_has_taken_over() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    let log = open(&cluster.url());
    let (confirmed, over) = (Confirmed::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for writer in 0..8 {
            let (log, confirmed, over) = (&log, &confirmed, &over);
            scope.spawn(move || write_until(log, writer, confirmed, over));
        }
        confirmed.wait_for_more(200);
        confirmed.gap();
        let hung = cluster.primary().name().to_owned();
        cluster.primary().freeze();
        cluster.promote_the_longer();
        confirmed.wait_for_more(200);
        println!(
            "{hung} hangs, {} is primary, {:?} without a confirmation",
            cluster.primary().name(),
            confirmed.gap()
        );
        over.store(true, Ordering::SeqCst);
        // Only then is it fenced, and comes back as a standby.
        cluster.kill(&hung);
    });
    cluster.rejoin();
    cluster.wait_for_equality();
    for node in cluster.nodes() {
        confirmed.assert_on(node);
    }
    let all = all(&log);
    assert_whole(&log, &all);
    assert_eq!(all.len(), confirmed.count());
}
