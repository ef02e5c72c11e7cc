//! Every command on a store in PostgreSQL says what it says on one in SQLite.
//! The test starts a server of its own; without binaries it is skipped, loudly.

#![cfg(feature = "postgres")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use console::{Answer, Console, answer};
use thirdring::TimeSource;
use thirdring_cli::Exit;
use thirdring_store_postgres::testing::Server;

const DAY: &str = "../../examples/a-day-at-the-desk.jsonl";
const NOW: &str = "2026-03-03T19:00:00+08:00";

/// A command on the store in the server.
fn on(server: &Server, args: &[&str]) -> Answer {
    let url = server.url();
    let mut all = vec!["thirdring", "--store", &url, "--manual", "unis"];
    all.extend_from_slice(args);
    let now = NOW.parse().unwrap();
    answer(&all, b"", TimeSource::of(move || now), false)
}

#[test]
fn the_days_example_says_the_same_on_both() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let mut file = Console::new("unis");
    file.now = NOW;
    let history = std::fs::read_to_string(DAY).unwrap();
    let stream = "T-101";
    for args in [
        &["run", DAY, "--format", "json"][..],
        // Streams of 64 partitions are read in another order, and told by name.
        &["audit", "--format", "json", "--all"],
        &["audit"],
        &["show", "--format", "json"],
        &["show"],
        &["show", stream, "--format", "json"],
        &["due", "--all", "--format", "json"],
        &["due"],
        &["explain", stream, "onsite-level1-within-24h"],
        &["what-if", "--set", "hotline-callback-within-1h.within=PT2H"],
        &["lapse", "--format", "json"],
        &["run", DAY, "--format", "json"],
        &[
            "record",
            "--stream",
            "T-900",
            "--by",
            "li",
            "--role",
            "hotline_engineer",
            "--id",
            "01KJP6N1M0AAAAAAAAAAAAAAAA",
            "--format",
            "json",
            "call_rang",
            "call=1",
        ],
    ] {
        let (one, other) = (file.run(args), on(&server, args));
        assert_eq!(other.exit, one.exit, "{args:?}: {}", other.transcript());
        assert_eq!(other.out, one.out, "{args:?}");
        assert_eq!(other.err, one.err, "{args:?}");
    }
    assert!(history.lines().count() > 200);
    assert_eq!(on(&server, &["verify"]).out, file.run(&["verify"]).out);

    let seen = on(&server, &["doctor", "--format", "json"]);
    let state = |name: &str| {
        seen.json()
            .iter()
            .find(|line| line["check"]["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {}", seen.transcript()))["check"]["state"]
            .clone()
    };
    for name in [
        "server_version",
        "partitions",
        "schema_version",
        "isolation",
        "integrity",
        "chain",
    ] {
        assert_eq!(state(name), "ok", "{name}: {}", seen.transcript());
    }
    // The server was started without syncs, and nobody confirms.
    assert_eq!(state("fsync"), "bad");
    assert_eq!(state("synchronous_standby_names"), "warn");
    assert_eq!(seen.exit, Exit::Findings);
    let text = on(&server, &["doctor"]);
    assert!(
        text.out.contains("to mend it: set fsync = on"),
        "{}",
        text.out
    );

    // Out of the database into a file, and out of a file into a database.
    let copy = file.store().with_file_name("copy.db");
    let copy = copy.to_str().unwrap();
    let made = on(&server, &["backup", copy]);
    assert_eq!(made.exit, Exit::Fine, "{}", made.transcript());
    let back = Console::new("unis");
    assert_eq!(back.run(&["restore", copy]).exit, Exit::Fine);
    assert_eq!(back.run(&["verify"]).out, file.run(&["verify"]).out);
    assert_eq!(
        back.run(&["audit", "--format", "json"]).verdicts(),
        file.run(&["audit", "--format", "json"]).verdicts()
    );
    let refused = on(&server, &["restore", copy]);
    assert_eq!(refused.exit, Exit::Store);
    assert!(
        refused.err.contains("holds records already"),
        "{}",
        refused.err
    );
    let again = on(&server, &["restore", copy, "--force"]);
    assert_eq!(again.exit, Exit::Fine, "{}", again.transcript());

    server.sql("DROP SCHEMA thirdring CASCADE").unwrap();
    let moved = on(&server, &["restore", copy]);
    assert_eq!(moved.exit, Exit::Fine, "{}", moved.transcript());
    assert_eq!(on(&server, &["verify"]).out, file.run(&["verify"]).out);
}

/// Two desks on two machines lapse at once: every breach is recorded once, and
/// told by one of them.
#[test]
fn two_desks_that_lapse_at_once_record_each_breach_once() {
    use std::collections::BTreeSet;
    use std::sync::Barrier;
    use thirdring::core::record::Content;
    use thirdring::{Desk, manuals};
    use thirdring_store_postgres::PostgresLog;

    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let run = on(&server, &["run", DAY, "--format", "json"]);
    assert!(!run.out.is_empty(), "{}", run.transcript());
    let desk = || {
        let log = PostgresLog::open(&server.url()).unwrap();
        Desk::open(log, manuals::shipped("unis").unwrap())
    };
    let notices_of = |desk: &Desk| {
        let mut notices = Vec::new();
        for stream in desk.streams().unwrap() {
            for record in desk.history(&stream).unwrap() {
                if let Content::Notice(notice) = &record.content {
                    notices.push((stream.clone(), notice.clone()));
                }
            }
        }
        notices
    };
    let before = notices_of(&desk()).len();
    let now = "2026-06-01T09:00:00+08:00".parse().unwrap();
    let start = Barrier::new(2);
    let told: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let desk = desk();
                    start.wait();
                    desk.lapse(now).unwrap()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let all = notices_of(&desk());
    let different: BTreeSet<_> = all.iter().cloned().collect();
    assert_eq!(different.len(), all.len(), "a breach is recorded twice");
    assert!(!told.is_empty());
    assert_eq!(told.len(), all.len() - before, "{told:#?}");
    assert!(told.iter().all(|notice| different.contains(notice)));
    // And nothing was passed over by both.
    assert!(desk().lapse(now).unwrap().is_empty());
}

#[test]
fn a_command_that_only_reads_makes_no_tables() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    let file = Console::new("unis");
    let copy = file.store().with_file_name("copy.db");
    let copy = copy.to_str().unwrap();
    for args in [
        &["show"][..],
        &["due"],
        &["lapse"],
        &["explain", "T-1", "hotline-answer-within-three-rings"],
        &["audit"],
        &["what-if", "--set", "hotline-callback-within-1h.within=PT2H"],
        &["verify"],
        &["doctor"],
        &["backup", copy],
    ] {
        let answer = on(&server, args);
        assert_eq!(
            answer.exit,
            Exit::Store,
            "{args:?}: {}",
            answer.transcript()
        );
        assert!(
            answer
                .err
                .contains("there is no store in postgres://127.0.0.1"),
            "{}",
            answer.err
        );
        assert!(
            answer.err.contains("`thirdring run FILE`"),
            "{}",
            answer.err
        );
    }
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'thirdring'";
    assert_eq!(server.value(there), "0");
    assert_eq!(on(&server, &["run", DAY]).exit, Exit::Fine);
    assert_eq!(on(&server, &["verify"]).exit, Exit::Fine);
}

/// A server that turns away whoever comes without encryption.
#[test]
fn doctor_asks_over_the_connections_of_the_log() {
    let Some(mut server) = Server::make("ssl = on\n") else {
        return;
    };
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    server.add("server.crt", &made.cert.pem());
    server.add("server.key", &made.signing_key.serialize_pem());
    server.begin();
    let file = server.value("SHOW hba_file");
    server
        .sql(&format!(
            "COPY (SELECT 'hostssl all all 127.0.0.1/32 trust') TO '{file}'; SELECT pg_reload_conf()"
        ))
        .unwrap();
    // The server reads the file when it comes to it.
    while server.sql("SELECT 1").is_ok() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let root = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(root.path(), made.cert.pem()).unwrap();
    let url = server
        .url()
        .replace("sslmode=disable", "sslmode=verify-full");
    let url = format!("{url}&sslrootcert={}", root.path().display());
    let run = |args: &[&str]| {
        let mut all = vec!["thirdring", "--store", &url];
        all.extend_from_slice(args);
        answer(&all, b"", TimeSource::system(), false)
    };
    assert_eq!(run(&["run", DAY]).exit, Exit::Fine);
    let seen = run(&["doctor", "--format", "json"]).json();
    for name in [
        "server_version",
        "isolation",
        "partitions",
        "schema_version",
        "autovacuum",
        "size",
        "integrity",
        "chain",
    ] {
        let check = seen
            .iter()
            .find(|line| line["check"]["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {seen:?}"));
        assert_eq!(check["check"]["state"], "ok", "{check}");
    }
}

#[test]
fn what_cannot_be_reached_is_said_without_the_password() {
    let run = |store: &str| {
        answer(
            &["thirdring", "--store", store, "show"],
            b"",
            TimeSource::system(),
            false,
        )
    };
    let nobody = run("postgres://desk:geheim@127.0.0.1:1/desk?connect_timeout=1");
    assert_eq!(nobody.exit, Exit::Store);
    assert!(nobody.err.contains("127.0.0.1:1"), "{}", nobody.err);
    assert!(nobody.err.contains("to mend it"), "{}", nobody.err);
    assert!(!nobody.err.contains("geheim"), "{}", nobody.err);
    if let Some(server) = Server::start_without_sync() {
        // Whoever comes as `desk` needs a password.
        server
            .sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE desk LOGIN PASSWORD 'offen'")
            .unwrap();
        let file = server.value("SHOW hba_file");
        let rules = "host all desk 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust";
        server
            .sql(&format!(
                "COPY (SELECT unnest(string_to_array('{rules}', E'\\n'))) TO '{file}'"
            ))
            .unwrap();
        server.sql("SELECT pg_reload_conf()").unwrap();
        server.wait_until("SELECT count(*) = 2 FROM pg_hba_file_rules");
        let address = server.address();
        let at = |rest: &str| run(&format!("postgres://{rest}?sslmode=disable"));
        for (store, wanted) in [
            (
                format!("desk:geheim@{address}/postgres"),
                "password authentication failed",
            ),
            (format!("desk@{address}/postgres"), "password missing"),
            (
                format!("postgres@{address}/nowhere"),
                "database \"nowhere\" does not exist",
            ),
            (
                format!("nobody@{address}/postgres"),
                "role \"nobody\" does not exist",
            ),
        ] {
            let answer = at(&store);
            assert_eq!(answer.exit, Exit::Store, "{}", answer.transcript());
            assert!(answer.err.contains(wanted), "{wanted}: {}", answer.err);
            assert!(answer.err.contains(&address), "{}", answer.err);
            assert!(
                answer
                    .err
                    .contains("to mend it: check user, password and database"),
                "{}",
                answer.err
            );
            assert!(!answer.err.contains("geheim"), "{}", answer.err);
        }
    }
    let wrong = run("postgres://desk:geheim@db:port/desk");
    assert_eq!(wrong.exit, Exit::Usage);
    assert!(!wrong.err.contains("geheim"), "{}", wrong.err);
}
