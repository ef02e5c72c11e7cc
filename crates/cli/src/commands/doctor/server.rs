//! A store in a PostgreSQL database.

use std::collections::BTreeMap;

use thirdring::store::Log;
use thirdring_store_postgres::PARTITIONS;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

use super::chain;
use super::check::Check;
use crate::failure::Failure;
use crate::place::open_postgres;

/// What the server says of itself, as name and value.
const ASK: &str = "
SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'server_version_num',
    'fsync', 'full_page_writes', 'synchronous_standby_names', 'autovacuum', 'server_encoding')
UNION ALL SELECT name, reset_val FROM pg_settings
    WHERE name IN ('synchronous_commit', 'default_transaction_isolation')
UNION ALL SELECT 'standbys', count(*)::text FROM pg_stat_replication
    WHERE sync_state IN ('sync', 'quorum')
UNION ALL SELECT 'partitions', count(*)::text FROM thirdring.feed
UNION ALL SELECT 'schema_version', max(version)::text FROM thirdring.schema_version
UNION ALL SELECT 'size', pg_size_pretty(pg_total_relation_size('thirdring.record')
    + pg_total_relation_size('thirdring.personal'))";

/// Partitions whose positions are not dense, and streams whose versions are not.
const GAPS: &str = "
SELECT 'gaps', ((SELECT count(*) FROM thirdring.feed LEFT JOIN
        (SELECT part, count(*) AS n, max(pos) AS last FROM thirdring.record GROUP BY part) AS held
        USING (part) WHERE coalesce(n, 0) <> pos OR coalesce(last, 0) <> pos)
    + (SELECT count(*) FROM (SELECT 1 FROM thirdring.record GROUP BY part, stream
        HAVING count(*) <> max(version) OR min(version) <> 1) AS broken))::text";

/// Looks at everything.
///
/// # Errors
/// If the store cannot be opened.
pub(super) fn examine(text: &str, quick: bool) -> Result<Vec<Check>, Failure> {
    let log = open_postgres(text)?;
    let mut checks = vec![Check::ok(
        "place",
        log.place(),
        "the servers and the schema; one of them accepts writes",
    )];
    match ask(text, quick) {
        Ok(said) => checks.extend(settings(&said, quick)),
        Err(why) => checks.push(Check::warn(
            "settings",
            "unknown",
            format!("the server could not be asked: {why}"),
            "run the command where the server can be asked without encryption, or look at pg_settings",
        )),
    }
    checks.push(if log.capabilities().durable {
        Check::ok(
            "durable",
            "yes",
            "an answered append survives a loss of power",
        )
    } else {
        Check::bad(
            "durable",
            "no",
            "fsync or full_page_writes is off: a loss of power loses or destroys records",
            "set fsync = on and full_page_writes = on",
        )
    });
    checks.push(chain(&log, quick));
    Ok(checks)
}

fn ask(text: &str, quick: bool) -> Result<BTreeMap<String, String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let config: Config = text
            .parse()
            .map_err(|_| "the connection string".to_owned())?;
        let told = |error: tokio_postgres::Error| {
            error
                .as_db_error()
                .map_or_else(|| error.to_string(), |error| error.message().to_owned())
        };
        let (client, connection) = config.connect(NoTls).await.map_err(told)?;
        tokio::spawn(connection);
        let mut said = BTreeMap::new();
        for question in [Some(ASK), (!quick).then_some(GAPS)].into_iter().flatten() {
            for message in client.simple_query(question).await.map_err(told)? {
                if let SimpleQueryMessage::Row(row) = message
                    && let (Some(name), Some(value)) = (row.get(0), row.get(1))
                {
                    said.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        Ok(said)
    })
}

fn settings(said: &BTreeMap<String, String>, quick: bool) -> Vec<Check> {
    let of = |name: &str| said.get(name).map_or("", String::as_str);
    let mut checks = vec![
        // Opening refuses an older server and another encoding.
        Check::ok(
            "server_version",
            of("server_version"),
            "PostgreSQL 15 or newer",
        ),
        Check::ok(
            "server_encoding",
            of("server_encoding"),
            "names of streams are UTF-8",
        ),
        on("fsync", of("fsync")),
        on("full_page_writes", of("full_page_writes")),
        synchronous_commit(of("synchronous_commit")),
        standbys(of("synchronous_standby_names"), of("standbys")),
        Check::ok(
            "isolation",
            of("default_transaction_isolation"),
            "the server's default; connections of ours use read committed, which the tables rely on",
        ),
        if of("autovacuum") == "on" {
            Check::ok("autovacuum", "on", "dead rows are cleared away")
        } else {
            Check::warn(
                "autovacuum",
                of("autovacuum"),
                "dead rows of the counters pile up, and appends become slow",
                "set autovacuum = on",
            )
        },
    ];
    let partitions = of("partitions");
    checks.push(if partitions == PARTITIONS.to_string() {
        Check::ok("partitions", partitions, "a stream belongs to one for ever")
    } else {
        Check::bad(
            "partitions",
            format!("{partitions} instead of {PARTITIONS}"),
            "streams whose partition is missing cannot be written",
            "restore a backup of the database",
        )
    });
    checks.push(Check::ok(
        "schema_version",
        of("schema_version"),
        "the tables are those this program makes and reads",
    ));
    checks.push(Check::ok("size", of("size"), "records with their indexes"));
    checks.push(match of("gaps") {
        _ if quick => Check::skipped("integrity", "the records were not counted: --quick"),
        "0" => Check::ok("integrity", "whole", "positions and versions have no gaps"),
        gaps => Check::bad(
            "integrity",
            format!("{gaps} partitions or streams with gaps"),
            "records are missing",
            "keep the database, restore a backup, and find out who deleted rows",
        ),
    });
    checks
}

fn on(name: &'static str, found: &str) -> Check {
    let means = "a loss of power tears or loses nothing that was answered";
    if found == "on" {
        Check::ok(name, found, means)
    } else {
        Check::bad(
            name,
            found,
            "a loss of power loses or destroys records",
            format!("set {name} = on"),
        )
    }
}

fn synchronous_commit(found: &str) -> Check {
    const NAME: &str = "synchronous_commit";
    if matches!(found, "on" | "remote_apply") {
        Check::ok(
            NAME,
            found,
            "an append is answered when it is on the disk, and with the standbys that confirm",
        )
    } else {
        Check::warn(
            NAME,
            found,
            "connections of ours use `on` all the same; other programs on this server do not",
            "set synchronous_commit = on for the database",
        )
    }
}

fn standbys(names: &str, confirming: &str) -> Check {
    const NAME: &str = "synchronous_standby_names";
    if names.is_empty() {
        return Check::warn(
            NAME,
            "empty",
            "nobody confirms: what was answered is lost with this server's disk",
            "with standbys, set e.g. synchronous_standby_names = 'ANY 1 (a, b)'",
        );
    }
    if confirming == "0" {
        return Check::bad(
            NAME,
            format!("{names}; none of them is seen"),
            "appends wait until one confirms, unless this user may not see them",
            "start a standby; or let this user see them: GRANT pg_monitor",
        );
    }
    Check::ok(
        NAME,
        format!("{names}; {confirming} confirm"),
        "an answered append is on a second machine",
    )
}
