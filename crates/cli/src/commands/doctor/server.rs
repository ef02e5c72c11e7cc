//! A store in a PostgreSQL database.

use thirdring::store::Setting;
use thirdring_store_postgres::{PARTITIONS, PostgresLog, ServerReport};

use super::check::Check;
use super::{chain, derived, in_words};
use crate::failure::Failure;
use crate::output::counted;
use crate::place::open_postgres;

/// Looks at everything.
///
/// # Errors
/// If the store cannot be opened.
pub(super) fn examine(text: &str, quick: bool) -> Result<Vec<Check>, Failure> {
    let log = open_postgres(text, false)?;
    let mut checks = vec![Check::ok(
        "place",
        log.place(),
        "the servers and the schema; one of them accepts writes",
    )];
    checks.extend(database(&log));
    let servers = log.servers();
    for server in &servers {
        checks.extend(of_server(server));
    }
    checks.extend(same_names(&servers));
    checks.extend(derived(&log, log.projections()));
    checks.push(integrity(&log, quick));
    checks.push(chain(&log, quick));
    Ok(checks)
}

/// What is so in the database.
fn database(log: &PostgresLog) -> Vec<Check> {
    let said = match log.database() {
        Ok(said) => said,
        Err(error) => {
            return vec![Check::bad(
                "server_version",
                error.to_string(),
                "the database cannot be asked about itself",
                "check that this user may read the tables",
            )];
        }
    };
    let mut checks = vec![
        Check::ok(
            "server_version",
            &said.server_version,
            "PostgreSQL 15 or newer",
        ),
        Check::ok(
            "isolation",
            &said.default_isolation,
            "the server's default; connections of ours use read committed, which the tables rely on",
        ),
    ];
    let partitions = said.partitions.to_string();
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
        said.schema_version.to_string(),
        "the tables are those this program makes and reads",
    ));
    checks.push(if said.autovacuum {
        Check::ok("autovacuum", "on", "dead rows are cleared away")
    } else {
        Check::warn(
            "autovacuum",
            "off",
            "dead rows of the counters pile up, and appends become slow",
            "set autovacuum = on",
        )
    });
    checks.push(Check::ok(
        "size",
        in_words(said.size_bytes),
        "records with their indexes",
    ));
    checks
}

fn of_server(server: &ServerReport) -> Vec<Check> {
    let at = |found: &str| format!("{found} at {}", server.address);
    if let Some(why) = &server.unreachable {
        return vec![Check::warn(
            "server",
            at("unreachable"),
            format!("it can neither take over nor confirm: {why}"),
            "start it, or take it out of the connection string",
        )];
    }
    let role = if server.standby {
        ("standby", "it follows the one that accepts writes")
    } else {
        ("primary", "it accepts writes")
    };
    let mut checks = vec![Check::ok("server", at(role.0), role.1)];
    checks.extend(
        server
            .settings
            .iter()
            .map(|setting| of_setting(setting, &at(&setting.found))),
    );
    if !server.standby {
        checks.push(standbys(server, &at));
    }
    checks
}

fn of_setting(setting: &Setting, found: &str) -> Check {
    if setting.name == "synchronous_commit" {
        let means =
            "an append is answered when it is on the disk, and with the standbys that confirm";
        return if setting.holds() || setting.found == "remote_apply" {
            Check::ok(setting.name, found, means)
        } else {
            Check::warn(
                setting.name,
                found,
                "connections of ours use `on` all the same; other programs on this server do not",
                "set synchronous_commit = on for the database",
            )
        };
    }
    if setting.holds() {
        Check::ok(
            setting.name,
            found,
            "a loss of power tears or loses nothing that was answered",
        )
    } else {
        Check::bad(
            setting.name,
            found,
            "a loss of power loses or destroys records",
            format!("set {} = {}", setting.name, setting.wanted),
        )
    }
}

fn standbys(server: &ServerReport, at: &dyn Fn(&str) -> String) -> Check {
    const NAME: &str = "synchronous_standby_names";
    if server.standby_names.is_empty() {
        return Check::warn(
            NAME,
            at("empty"),
            "nobody confirms: what was answered is lost with this server's disk",
            "with standbys, set e.g. synchronous_standby_names = 'ANY 1 (a, b)'; without, take backups",
        );
    }
    if server.confirming == 0 {
        return Check::bad(
            NAME,
            format!("{}; none is seen to confirm", at(&server.standby_names)),
            "appends wait until a standby confirms, unless this user may not see the standbys",
            "start a standby; or let this user see them: GRANT pg_monitor",
        );
    }
    Check::ok(
        NAME,
        format!(
            "{}; {} confirm",
            at(&server.standby_names),
            server.confirming
        ),
        "an answered append is on a second machine",
    )
}

/// Whether the servers name the same standbys.
fn same_names(servers: &[ServerReport]) -> Option<Check> {
    let mut reached = servers.iter().filter(|server| server.unreachable.is_none());
    let first = reached.next()?;
    let other = reached.find(|server| server.standby_names != first.standby_names)?;
    Some(Check::bad(
        "standby_names_agree",
        format!(
            "`{}` at {}, `{}` at {}",
            first.standby_names, first.address, other.standby_names, other.address
        ),
        "a standby that is promoted would confirm alone",
        "set synchronous_standby_names alike on all servers",
    ))
}

fn integrity(log: &PostgresLog, quick: bool) -> Check {
    let damaged = |found: String| {
        Check::bad(
            "integrity",
            found,
            "rows are missing or altered",
            "keep the database, restore a backup, and find out who changed the tables",
        )
    };
    if quick {
        return Check::skipped("integrity", "the tables were not read: --quick");
    }
    match log.integrity_check() {
        Ok(found) => match found.problems.first() {
            None => Check::ok(
                "integrity",
                counted(found.records, "record"),
                "positions and versions have no gaps, each stream is in its partition",
            ),
            Some(first) => damaged(format!(
                "{}, first: {first}",
                counted(found.problems.len() as u64, "problem")
            )),
        },
        Err(error) => damaged(error.to_string()),
    }
}
