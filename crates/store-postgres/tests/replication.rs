//! A primary and two standbys: what a confirmation rests on, and what happens
//! when the standbys are gone.

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

use std::fs;
use std::path::Path;
use std::time::Duration;

use support::{all, one, open, open_patient, record, stream};
use thirdring_store::{AppendError, Expected, Log};
use thirdring_store_postgres::testing::Cluster;
use thirdring_store_postgres::{OpenError, PostgresLog, PostgresOptions, partition_of};

/// How long the clients here wait for a confirmation that does not come.
const SHORT: Duration = Duration::from_secs(1);

#[test]
fn confirmations_rest_on_standbys() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    drop(open(&cluster.url()));
    all_servers_name_the_same_standbys(&cluster);
    a_standby_is_not_read(&cluster);
    without_standbys_nothing_is_confirmed_or_shown(&cluster);
    a_cancelled_wait_would_show_what_nobody_has(&cluster);
}

/// Or one that is promoted would confirm alone.
fn all_servers_name_the_same_standbys(cluster: &Cluster) {
    let log = open(&cluster.url());
    let servers = log.servers();
    assert_eq!(servers.len(), 3);
    for server in &servers {
        assert_eq!(server.unreachable, None);
        assert_eq!(server.standby_names, "ANY 1 (n0, n1, n2)");
        assert!(
            server.settings.iter().all(thirdring_store::Setting::holds),
            "{server:?}"
        );
    }
    let primaries: Vec<_> = servers.iter().filter(|server| !server.standby).collect();
    assert_eq!(primaries.len(), 1);
    assert_eq!(primaries[0].confirming, 2);
    assert!(log.capabilities().durable);
}

/// A standby can show what was never confirmed, so it is no place to read from.
fn a_standby_is_not_read(cluster: &Cluster) {
    for standby in cluster.standbys() {
        let error = PostgresLog::open(&standby.url()).unwrap_err();
        assert!(matches!(error, OpenError::Unreachable(_)), "{error}");
        assert!(error.to_string().contains("accepts writes"), "{error}");
    }
}

fn without_standbys_nothing_is_confirmed_or_shown(cluster: &Cluster) {
    let name = |n: usize| format!("frozen/{n}");
    let reader = open(&cluster.url());
    // Of another partition, so that its retry waits for no lock below.
    let other = (1..100)
        .map(name)
        .find(|other| partition_of(&stream(other)) != partition_of(&stream(&name(0))));
    let stored = one(&other.unwrap(), Expected::NoStream, record(1, 1));
    reader.append(&stored).unwrap();
    let before = all(&reader).len();

    cluster.standbys().for_each(|standby| standby.freeze());
    let log = open_patient(&cluster.url(), SHORT);
    let batch = one(&name(0), Expected::NoStream, record(1, 2));
    let error = log.append(&batch).unwrap_err();
    assert!(matches!(error, AppendError::Unknown(_)), "{error}");
    assert!(error.to_string().contains("standbys"), "{error}");
    // What waits behind it was never sent, and is known not to be stored.
    let behind = one(&name(0), Expected::Any, record(1, 3));
    let error = log.append(&behind).unwrap_err();
    assert!(matches!(error, AppendError::Unavailable(_)), "{error}");
    assert!(error.is_transient());
    // "Stored before" is an answer, so it waits for the standbys as well.
    let retry = open_patient(&cluster.url(), SHORT);
    let error = retry.append(&stored).unwrap_err();
    assert!(matches!(error, AppendError::Unknown(_)), "{error}");
    // And nobody has seen anything.
    assert_eq!(all(&reader).len(), before);
    // Leaving does not hang, and does not withdraw what was sent.
    drop((log, retry));
    assert_eq!(all(&reader).len(), before);

    cluster.standbys().for_each(|standby| standby.thaw());
    assert!(reader.append(&batch).unwrap().replayed);
    assert!(reader.append(&stored).unwrap().replayed);
    assert!(!reader.append(&behind).unwrap().replayed);
    assert_eq!(all(&reader).len(), before + 2);
}

/// Teeth: a cancel does to an append what this crate must never do.
fn a_cancelled_wait_would_show_what_nobody_has(cluster: &Cluster) {
    let reader = open(&cluster.url());
    let before = all(&reader).len();
    let log = PostgresLog::open_with(&cluster.url(), PostgresOptions::default().with_appenders(1))
        .unwrap();
    cluster.standbys().for_each(|standby| standby.freeze());
    let pending = log.submit(one("cancelled", Expected::NoStream, record(1, 4)).to_vec());
    let waiting =
        "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%append_batch%'";
    cluster
        .primary()
        .wait_until(&format!("SELECT count(*) = 1 {waiting}"));
    assert_eq!(all(&reader).len(), before);
    cluster
        .primary()
        .sql(&format!("SELECT pg_cancel_backend(pid) {waiting}"))
        .unwrap();
    drop(pending.wait());
    assert_eq!(
        all(&reader).len(),
        before + 1,
        "it is shown, and on no standby"
    );
    cluster.standbys().for_each(|standby| standby.thaw());
}

/// No source of this crate has the means to cancel or terminate a session.
#[test]
fn the_sources_cannot_cancel() {
    fn look(dir: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += look(&path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for means in ["cancel_token", "cancel_query", "pg_cancel", "pg_terminate"] {
                assert!(!text.contains(means), "{} has {means}", path.display());
            }
            files += 1;
        }
        files
    }
    assert!(look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) > 20);
}
