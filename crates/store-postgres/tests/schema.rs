//! The tables and their version, and what is said of a server.

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

use std::sync::Barrier;
use std::thread;

use support::{PATIENCE, all, one, record, stream};
use thirdring_store::{
    AdvanceError, AppendError, Cursor, Expected, Log, Moment, MomentKind, Page, StreamMoments,
};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{OpenError, PostgresLog, PostgresOptions, Step};

fn try_open(server: &Server, schema: &str) -> Result<PostgresLog, OpenError> {
    PostgresLog::open_with(&server.url(), PostgresOptions::in_schema(schema))
}

#[test]
fn the_tables_their_version_and_the_server() {
    let Some(server) = Server::start_without_sync() else {
        return;
    };
    without_leave_no_tables_are_made(&server);
    many_open_at_once_and_make_the_tables_once(&server);
    tables_of_version_1_are_brought_up_to_date(&server);
    a_newer_schema_is_refused(&server);
    two_schemas_have_nothing_in_common(&server);
    a_database_without_utf8_is_refused(&server);
    an_unsafe_server_is_declared(&server);
    an_unreachable_server_is_an_error(&server);
    settings_of_a_role_do_not_cut_appends_short(&server);
    a_role_that_may_only_write_is_enough(&server);
    damage_is_found_by_the_check(&server);
    a_log_works_inside_an_async_runtime(&server);
}

fn without_leave_no_tables_are_made(server: &Server) {
    let options = PostgresOptions::in_schema("absent").with_create(false);
    let error = PostgresLog::open_with(&server.url(), options.clone()).unwrap_err();
    assert!(
        matches!(&error, OpenError::Missing { schema, .. } if schema == "absent"),
        "{error}"
    );
    assert!(error.to_string().contains("/absent; "), "{error}");
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'absent'";
    assert_eq!(server.value(there), "0");
    drop(try_open(server, "absent").unwrap());
    let log = PostgresLog::open_with(&server.url(), options).unwrap();
    let said = log.database().unwrap();
    assert_eq!(said.partitions, 64);
    assert_eq!(said.default_isolation, "read committed");
    assert!(said.autovacuum && said.size_bytes > 0, "{said:?}");
}

fn many_open_at_once_and_make_the_tables_once(server: &Server) {
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for writer in 0..8 {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                let log = try_open(server, "fresh").unwrap();
                log.append(&one("a", Expected::Any, record(writer, 0)))
                    .unwrap();
            });
        }
    });
    assert_eq!(
        server.value("SELECT count(*) FROM fresh.schema_version"),
        "2"
    );
    assert_eq!(all(&try_open(server, "fresh").unwrap()).len(), 8);
}

/// Whatever version the tables are of: what is recorded stays as it is.
fn tables_of_version_1_are_brought_up_to_date(server: &Server) {
    let log = try_open(server, "old").unwrap();
    log.append(&one("a", Expected::Any, record(1, 1))).unwrap();
    drop(log);
    // As version 1 left it.
    server
        .sql(
            "DROP TABLE old.timetable, old.moment, old.projection; \
             CREATE TABLE old.due (part smallint, due_at timestamptz, stream text, what text, \
                 PRIMARY KEY (part, due_at, stream, what)); \
             INSERT INTO old.checkpoint VALUES ('mine', 3, 7), ('mine', 4, 9); \
             DELETE FROM old.schema_version WHERE version > 1",
        )
        .unwrap();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                drop(try_open(server, "old").unwrap());
            });
        }
    });
    let log = try_open(server, "old").unwrap();
    assert_eq!(all(&log).len(), 1);
    assert_eq!(log.timetables().unwrap().list().unwrap(), []);
    assert_eq!(
        server.value(
            "SELECT string_agg(version::text, ',' ORDER BY version) FROM old.schema_version"
        ),
        "1,2"
    );
    // A projection of no version begins anew under its first, whichever that is.
    assert_eq!(log.projections().unwrap(), []);
    let mine = log.projection("mine", 0);
    let apply = |_: &mut Step<'_>, _: &Page| Ok::<_, &str>(());
    let refused = mine.advance(1, apply).unwrap_err();
    assert!(
        matches!(refused, AdvanceError::OtherVersion { found: None, .. }),
        "{refused}"
    );
    let mut cleared = false;
    let begun = mine.begin(|_| {
        cleared = true;
        Ok::<_, &str>(())
    });
    assert!(begun.unwrap() && cleared);
    let positions = mine.status().unwrap().unwrap().cursor.positions(64);
    assert_eq!(positions, Some(vec![0; 64]));
    while mine.advance(1, apply).unwrap() {}
    assert_eq!(mine.status().unwrap().unwrap().cursor, log.end().unwrap());
}

fn a_newer_schema_is_refused(server: &Server) {
    drop(try_open(server, "newer").unwrap());
    server
        .sql("INSERT INTO newer.schema_version (version) VALUES (99)")
        .unwrap();
    let error = try_open(server, "newer").unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(error, OpenError::SchemaNewer { found: 99, .. }),
        "{text}"
    );
    assert!(text.contains("99") && text.contains("upgrade"), "{text}");
}

fn two_schemas_have_nothing_in_common(server: &Server) {
    let (one_log, other) = (
        try_open(server, "one").unwrap(),
        try_open(server, "other").unwrap(),
    );
    one_log
        .append(&one("a", Expected::NoStream, record(1, 1)))
        .unwrap();
    other
        .append(&one("a", Expected::NoStream, record(1, 1)))
        .unwrap();
    assert_eq!((all(&one_log).len(), all(&other).len()), (1, 1));
}

fn a_database_without_utf8_is_refused(server: &Server) {
    server
        .sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        .unwrap();
    let url = server.url().replace("/postgres?", "/latin?");
    let error = PostgresLog::open(&url).unwrap_err();
    assert!(
        matches!(&error, OpenError::Encoding { found, .. } if found == "LATIN1"),
        "{error}"
    );
}

/// A server that forgets at a power cut is usable, and says so.
fn an_unsafe_server_is_declared(server: &Server) {
    let log = try_open(server, "unsafe").unwrap();
    assert!(!log.capabilities().durable);
    let reports = log.servers();
    let [report] = reports.as_slice() else {
        panic!("one server: {reports:?}");
    };
    assert_eq!(report.unreachable, None);
    let broken: Vec<_> = report
        .settings
        .iter()
        .filter(|setting| !setting.holds())
        .map(|setting| setting.name)
        .collect();
    assert_eq!(broken, ["fsync", "full_page_writes"]);
}

fn an_unreachable_server_is_an_error(server: &Server) {
    // A port nobody listens on, and no retry for ever.
    let url = "postgres://postgres:geheim@127.0.0.1:1/postgres?sslmode=disable";
    let error = PostgresLog::open(url).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, OpenError::Unreachable(_)), "{text}");
    assert!(
        text.contains("127.0.0.1:1") && !text.contains("geheim"),
        "{text}"
    );
    // Among several hosts the one that is there is found.
    let both = server.url().replace("@127", "@127.0.0.1:1,127");
    drop(PostgresLog::open_with(&both, PostgresOptions::in_schema("several")).unwrap());
}

/// What an administrator sets against runaway queries must not hit an append.
fn settings_of_a_role_do_not_cut_appends_short(server: &Server) {
    server
        .sql(
            "ALTER ROLE postgres SET statement_timeout = '1ms'; ALTER ROLE postgres SET lock_timeout = '1ms'; \
             ALTER ROLE postgres SET idle_in_transaction_session_timeout = '1ms'; \
             ALTER ROLE postgres SET synchronous_commit = off; \
             ALTER ROLE postgres SET default_transaction_isolation = 'serializable'",
        )
        .unwrap();
    let log = try_open(server, "other").unwrap();
    for n in 0..50 {
        log.append(&one("b", Expected::Exactly(n), record(7, n)))
            .unwrap();
    }
    // The report is of a session as ours are.
    let servers = log.servers();
    assert!(
        servers[0]
            .settings
            .iter()
            .any(|one| one.name == "synchronous_commit" && one.holds())
    );
    server.sql("ALTER ROLE postgres RESET ALL").unwrap();
}

/// Once the tables are there, a role needs no right to make any.
fn a_role_that_may_only_write_is_enough(server: &Server) {
    drop(try_open(server, "given").unwrap());
    server
        .sql(
            "CREATE ROLE desk LOGIN; GRANT USAGE ON SCHEMA given TO desk; \
             GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA given TO desk; \
             GRANT UPDATE ON given.feed, given.checkpoint TO desk; \
             GRANT UPDATE, DELETE ON given.timetable, given.moment, given.projection TO desk",
        )
        .unwrap();
    let url = server.url().replace("postgres@", "desk@");
    let log = PostgresLog::open_with(&url, PostgresOptions::in_schema("given")).unwrap();
    log.append(&one("a", Expected::NoStream, record(1, 5)))
        .unwrap();
    assert_eq!(all(&log).len(), 1);
    let timetables = log.timetables().unwrap();
    let moments = StreamMoments {
        stream: stream("a"),
        moments: vec![(MomentKind(0), Moment::from_micros(1))],
    };
    let (start, end) = (Cursor::start(), log.end().unwrap());
    timetables.replace("t", &start, &end, &[moments]).unwrap();
    timetables.forget("t").unwrap();
    // It cannot change what is recorded: the server refuses, and says why.
    let denied = postgres::Client::connect(&url, postgres::NoTls)
        .unwrap()
        .batch_execute("DELETE FROM given.record")
        .unwrap_err();
    assert_eq!(
        denied.code(),
        Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE)
    );
    // Nor can one who has no rights append: an error, not a hang.
    server
        .sql("REVOKE ALL ON ALL TABLES IN SCHEMA given FROM desk")
        .unwrap();
    let error = log
        .append(&one("a", Expected::Any, record(1, 6)))
        .unwrap_err();
    assert!(matches!(error, AppendError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("permission denied"), "{error}");
}

fn damage_is_found_by_the_check(server: &Server) {
    let log = try_open(server, "checked").unwrap();
    for n in 0..20 {
        log.append(&one(&format!("s/{}", n % 3), Expected::Any, record(3, n)))
            .unwrap();
    }
    let whole = log.integrity_check().unwrap();
    assert_eq!(
        (whole.records, whole.problems.len()),
        (20, 0),
        "{:?}",
        whole.problems
    );
    let part = log.partition(&stream("s/0"));
    server
        .sql(&format!(
            "DELETE FROM checked.record WHERE part = {part} AND stream = 's/0' AND version = 2; \
             DELETE FROM checked.personal WHERE ctid = (SELECT min(ctid) FROM checked.personal)"
        ))
        .unwrap();
    let problems = log.integrity_check().unwrap().problems;
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("stream s/0")),
        "{problems:?}"
    );
}

/// The calls block, but may be made where a runtime is.
fn a_log_works_inside_an_async_runtime(server: &Server) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = PostgresOptions::in_schema("inside").with_patience(PATIENCE);
        let log = PostgresLog::open_with(&server.url(), options).unwrap();
        let appended = log
            .submit(one("a", Expected::NoStream, record(1, 9)).to_vec())
            .await;
        assert_eq!(appended.unwrap().places[0].version, 1);
        assert_eq!(log.head(&stream("a")).unwrap(), 1);
    });
}
