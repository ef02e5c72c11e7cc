//! Looking after the servers and what they hold.

use thirdring_store::{ReadError, Setting};

use crate::block_on::block_on_until;
use crate::conn::{Conn, Query};
use crate::log::PostgresLog;
use crate::readers::far;

/// One server of the connection string, as it answers now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// Host and port.
    pub address: String,
    /// What keeps it from being asked; then the rest is empty.
    pub unreachable: Option<String>,
    /// Whether it follows another server.
    pub standby: bool,
    /// `synchronous_standby_names`: must be the same on all servers, or one that
    /// is promoted confirms alone.
    pub standby_names: String,
    /// Standbys that are connected and may confirm a commit.
    pub confirming: usize,
    /// The settings a confirmed commit rests on.
    pub settings: Vec<Setting>,
}

/// The database as the server that accepts writes tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseReport {
    /// Version of the server, in its own words.
    pub server_version: String,
    /// Whether dead rows are cleared away.
    pub autovacuum: bool,
    /// The isolation the server gives to those who ask for none; connections of
    /// the log ask for read committed.
    pub default_isolation: String,
    /// How many partitions have a counter.
    pub partitions: u64,
    /// Version of the tables.
    pub schema_version: i32,
    /// Bytes of records and personal values, with their indexes.
    pub size_bytes: u64,
}

/// What a check of the tables found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrity {
    /// Records that were looked at.
    pub records: u64,
    /// What is wrong, in words; empty if nothing is.
    pub problems: Vec<String>,
}

const SETTINGS: [(&str, &str); 3] = [
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
];

const REPORT: &str = "SELECT pg_is_in_recovery(), current_setting('synchronous_standby_names'), \
    (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' \
        AND sync_state IN ('sync', 'quorum')), \
    current_setting('fsync'), current_setting('full_page_writes'), \
    current_setting('synchronous_commit')";

/// What a session of ours sets for itself is not what the server gives to others.
const DATABASE: Query = Query {
    sql: "
SELECT current_setting('server_version'), current_setting('autovacuum') = 'on',
    (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_isolation'),
    (SELECT count(*) FROM feed), (SELECT max(version) FROM schema_version),
    pg_total_relation_size('record') + pg_total_relation_size('personal')",
    types: &[],
};

/// One row for each problem; each number says where.
const CHECK: Query = Query {
    sql: "
WITH by_partition AS (
    SELECT f.part, f.pos AS counter, count(r.pos) AS records, coalesce(max(r.pos), 0) AS last
    FROM feed AS f LEFT JOIN record AS r ON r.part = f.part
    GROUP BY f.part, f.pos
), by_stream AS (
    SELECT part, stream, count(*) AS records, max(version) AS head
    FROM record GROUP BY part, stream
)
SELECT format('partition %s: the counter says %s, the last position is %s, there are %s records',
    part, counter, last, records)
FROM by_partition WHERE counter <> records OR counter <> last
UNION ALL
SELECT format('stream %s: the last version is %s, there are %s records', stream, head, records)
FROM by_stream WHERE head <> records
UNION ALL
SELECT format('stream %s stands in partition %s and belongs to another', stream, part)
FROM by_stream WHERE part <> get_byte(sha256(convert_to(stream, 'UTF8')), 0) % 64
UNION ALL
SELECT format('partition %s, position %s: personal bytes are missing or belong to no record',
    coalesce(r.part, p.part), coalesce(r.pos, p.pos))
FROM (SELECT * FROM record WHERE has_personal) AS r
FULL JOIN personal AS p ON p.part = r.part AND p.pos = r.pos
WHERE r.pos IS NULL OR p.pos IS NULL",
    types: &[],
};

const COUNT: Query = Query {
    sql: "SELECT coalesce(sum(pos), 0)::int8 FROM feed",
    types: &[],
};

impl PostgresLog {
    /// Asks every server of the connection string what it is and how it is set.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerReport> {
        let asked = self.each_host();
        asked
            .into_iter()
            .map(|(address, client)| self.report(address, client))
            .collect()
    }

    fn report(
        &self,
        address: String,
        client: Result<tokio_postgres::Client, String>,
    ) -> ServerReport {
        let empty = ServerReport {
            address,
            unreachable: None,
            standby: false,
            standby_names: String::new(),
            confirming: 0,
            settings: Vec::new(),
        };
        let until = far(std::time::Instant::now(), self.readers().patience());
        let row =
            client.and_then(
                |client| match block_on_until(client.query_one(REPORT, &[]), until) {
                    Some(Ok(row)) => Ok(row),
                    Some(Err(error)) => Err(crate::target::chain(&error)),
                    None => Err("no answer in time".to_owned()),
                },
            );
        let row = match row {
            Ok(row) => row,
            Err(why) => {
                return ServerReport {
                    unreachable: Some(why),
                    ..empty
                };
            }
        };
        let text = |n: usize| row.try_get::<_, String>(n).unwrap_or_default();
        let settings = SETTINGS.iter().zip(3..).map(|((name, wanted), n)| Setting {
            name,
            wanted: (*wanted).to_owned(),
            found: text(n),
        });
        ServerReport {
            standby: row.try_get(0).unwrap_or_default(),
            standby_names: text(1),
            confirming: usize::try_from(row.try_get::<_, i64>(2).unwrap_or_default())
                .unwrap_or_default(),
            settings: settings.collect(),
            ..empty
        }
    }

    /// Asks the server that accepts writes about the database, over a connection
    /// of the log: encrypted, and with the certificates, as all of them are.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be asked.
    pub fn database(&self) -> Result<DatabaseReport, ReadError> {
        self.readers().attempt(
            "ask about the database",
            self.readers().patience(),
            async |conn: &mut Conn| {
                let statement = conn.statement(DATABASE).await?;
                let row = conn.client().query_one(&statement, &[]).await?;
                Ok(DatabaseReport {
                    server_version: row.try_get(0)?,
                    autovacuum: row.try_get(1)?,
                    default_isolation: row.try_get(2)?,
                    partitions: crate::sql_types::unsigned(row.try_get(3)?),
                    schema_version: row.try_get(4)?,
                    size_bytes: crate::sql_types::unsigned(row.try_get(5)?),
                })
            },
        )
    }

    /// Checks all tables: that counters, positions and versions have no gaps,
    /// that each stream is in its partition, and that personal bytes are where
    /// they should be. Reads everything, so it takes a while.
    ///
    /// # Errors
    /// [`ReadError`] if it cannot be checked.
    pub fn integrity_check(&self) -> Result<Integrity, ReadError> {
        // As long as it takes: it is not asked for in a hurry.
        const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
        self.readers()
            .attempt("check the tables", DAY, async |conn: &mut Conn| {
                let mut problems = Vec::new();
                for row in conn.query(CHECK, &[]).await? {
                    problems.push(row.try_get::<_, String>(0)?);
                }
                let count = conn.query(COUNT, &[]).await?;
                let records = match count.first() {
                    Some(row) => crate::sql_types::unsigned(row.try_get(0)?),
                    None => 0,
                };
                Ok(Integrity { records, problems })
            })
    }
}
