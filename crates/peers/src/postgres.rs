//! `postgres-es`.

use postgres_es::{PostgresEventRepository, default_postgress_pool};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Pool, Postgres};
use tokio::runtime::Runtime;

use crate::task::{Answer, Task};
use crate::work::Failure;

/// What the crate's queries expect.
const TABLE: &str = "
CREATE TABLE IF NOT EXISTS events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 0),
    event_type text NOT NULL, event_version text NOT NULL,
    payload json NOT NULL, metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";

pub(crate) fn work(runtime: &Runtime, task: &Task) -> Result<Answer, Failure> {
    let pool = runtime.block_on(pool(task))?;
    let version = sqlx::query_scalar::<_, String>("SHOW server_version").fetch_one(&pool);
    let about = format!("PostgreSQL {}", runtime.block_on(version)?);
    let answer = crate::work::work(
        runtime,
        task,
        || PostgresEventRepository::new(pool.clone()),
        &about,
    );
    runtime.block_on(pool.close());
    answer
}

/// The crate's own pool unless another number of connections is asked for, with all its connections open, each of which has shown
/// that it confirms durably.
async fn pool(task: &Task) -> Result<Pool<Postgres>, Failure> {
    let pool = match task.connections {
        0 => default_postgress_pool(&task.at).await,
        chosen => {
            let options = PgPoolOptions::new().max_connections(chosen);
            options.connect(&task.at).await?
        }
    };
    sqlx::query(TABLE).execute(&pool).await?;
    let mut open = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        let mut connection = pool.acquire().await?;
        for setting in ["synchronous_commit", "fsync"] {
            let found: String = sqlx::query_scalar(&format!("SHOW {setting}"))
                .fetch_one(&mut *connection)
                .await?;
            if found != "on" {
                return Err(format!("{setting}={found}").into());
            }
        }
        open.push(connection);
    }
    Ok(pool)
}
