//! The tables, their version, and bringing them up to date.

use thirdring_store::StorageFailure;
use tokio_postgres::Client;

use crate::open_error::OpenError;
use crate::target::Target;

/// The version of the tables this program makes and reads.
pub(crate) const VERSION: i32 = 2;

/// The oldest server: `15.0` as PostgreSQL writes it in a number.
const SERVER_OLDEST: i32 = 150_000;

/// What leads from each version to the next, the first from nothing.
const STEPS: [&[&str]; 2] = [
    &[
        include_str!("sql/schema.sql"),
        include_str!("sql/append_batch.sql"),
    ],
    &[include_str!("sql/derived.sql")],
];

/// What the server is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    /// Whether a confirmed commit survives the loss of power.
    pub(crate) durable: bool,
}

/// Checks the server and makes the tables, where they may be made, or brings them
/// up to date.
pub(crate) async fn prepare(
    target: &Target,
    client: &mut Client,
    create: bool,
) -> Result<Server, OpenError> {
    let failed = |error| target.failure("check the server", error);
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_version'), \
             current_setting('server_encoding'), \
             current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'",
            &[],
        )
        .await
        .map_err(failed)?;
    let number: i32 = row.try_get(0).map_err(failed)?;
    let found: String = row.try_get(1).map_err(failed)?;
    let encoding: String = row.try_get(2).map_err(failed)?;
    let durable: bool = row.try_get(3).map_err(failed)?;
    let place = target.place().to_string();
    if number < SERVER_OLDEST {
        return Err(OpenError::ServerTooOld { place, found });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding {
            place,
            found: encoding,
        });
    }
    match version(target, client).await? {
        Some(VERSION) => {}
        None if !create => {
            return Err(OpenError::Missing {
                place,
                schema: target.schema().to_owned(),
            });
        }
        Some(_) | None => migrate(target, client).await?,
    }
    Ok(Server { durable })
}

/// The version of the tables, `None` if there are none. Newer is an error.
async fn version(
    target: &Target,
    client: &impl tokio_postgres::GenericClient,
) -> Result<Option<i32>, OpenError> {
    let failed = |error| target.failure("read the version of the tables", error);
    // The catalog itself, not `to_regclass`: that may answer from a cache that
    // has not heard of what another session has just made.
    let there = client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n \
             ON n.oid = c.relnamespace \
             WHERE n.nspname = $1::text AND c.relname = 'schema_version')",
            &[&target.schema()],
        )
        .await
        .map_err(failed)?;
    if !there.try_get::<_, bool>(0).map_err(failed)? {
        return Ok(None);
    }
    let row = client
        .query_one("SELECT max(version) FROM schema_version", &[])
        .await
        .map_err(failed)?;
    let found: Option<i32> = row.try_get(0).map_err(failed)?;
    match found {
        Some(found) if found > VERSION => Err(OpenError::SchemaNewer {
            place: target.place().to_string(),
            schema: target.schema().to_owned(),
            found,
            known: VERSION,
        }),
        other => Ok(other),
    }
}

/// All missing steps in one transaction. Whoever comes second waits for the
/// first and then finds nothing left to do.
async fn migrate(target: &Target, client: &mut Client) -> Result<(), OpenError> {
    let failed = |error| OpenError::Storage(made(target, error));
    let transaction = client.transaction().await.map_err(failed)?;
    transaction
        .execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('thirdring ' || $1, 0))",
            &[&target.schema()],
        )
        .await
        .map_err(failed)?;
    let before = version(target, &transaction).await?;
    if before.is_none() {
        let sql = format!(
            "CREATE SCHEMA IF NOT EXISTS \"{}\";
             CREATE TABLE schema_version (
                 version    int PRIMARY KEY,
                 applied_at timestamptz NOT NULL DEFAULT now()
             )",
            target.schema()
        );
        transaction.batch_execute(&sql).await.map_err(failed)?;
    }
    let done = usize::try_from(before.unwrap_or(0)).unwrap_or(0);
    for (step, version) in STEPS.iter().zip(1_i32..).skip(done) {
        for sql in *step {
            transaction.batch_execute(sql).await.map_err(failed)?;
        }
        transaction
            .execute(
                "INSERT INTO schema_version (version) VALUES ($1)",
                &[&version],
            )
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

fn made(target: &Target, error: tokio_postgres::Error) -> StorageFailure {
    target.failure("make the tables", error)
}
