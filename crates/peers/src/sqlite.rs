//! `sqlite-es`.

use sqlite_es::SqliteEventRepository;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Pool, Sqlite};
use tokio::runtime::Runtime;

use crate::task::{Answer, Task};
use crate::work::Failure;

/// What the crate's queries expect. It promises no retry by id, so there is one
/// index, not two.
const TABLE: &str = "
CREATE TABLE IF NOT EXISTS events (
    aggregate_type TEXT NOT NULL, aggregate_id TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    event_type TEXT NOT NULL, event_version TEXT NOT NULL,
    payload TEXT NOT NULL, metadata TEXT NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
) STRICT";

/// What `sqlite_es::default_sqlite_pool` sets.
const CONNECTIONS: u32 = 10;

pub(crate) fn work(runtime: &Runtime, task: &Task) -> Result<Answer, Failure> {
    let pool = runtime.block_on(pool(task))?;
    let version = sqlx::query_scalar::<_, String>("SELECT sqlite_version()").fetch_one(&pool);
    let about = format!("SQLite {}", runtime.block_on(version)?);
    let answer = crate::work::work(
        runtime,
        task,
        || SqliteEventRepository::new(pool.clone()),
        &about,
    );
    runtime.block_on(pool.close());
    answer
}

/// The pool that `sqlite_es::default_sqlite_pool` makes, save that `synchronous` is
/// chosen: that function always sets NORMAL. All connections are open, and each
/// has shown that it is as durable as was asked for.
async fn pool(task: &Task) -> Result<Pool<Sqlite>, Failure> {
    let connections = match task.connections {
        0 => CONNECTIONS,
        chosen => chosen,
    };
    let (setting, number) = match &*task.synchronous {
        "FULL" => (SqliteSynchronous::Full, 2),
        "NORMAL" => (SqliteSynchronous::Normal, 1),
        other => return Err(format!("synchronous is FULL or NORMAL, not {other}").into()),
    };
    let options = SqliteConnectOptions::new()
        .filename(&task.at)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(setting)
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .connect_with(options)
        .await?;
    sqlx::query(TABLE).execute(&pool).await?;
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = pool.acquire().await?;
        let found: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *connection)
            .await?;
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut *connection)
            .await?;
        if (found, &*mode) != (number, "wal") {
            return Err(format!("synchronous={found}, journal_mode={mode}").into());
        }
        open.push(connection);
    }
    Ok(pool)
}
