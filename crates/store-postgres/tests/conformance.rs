//! The laws of the log, for the log in PostgreSQL: those of a single order within
//! one of its partitions, and those across partitions. Each log is a schema of
//! its own on one server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails panics"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use thirdring_store::conformance::{Backend, Damage, OnePartition};
use thirdring_store::{conformance_tests, partition_tests};
use thirdring_store_postgres::testing::Server;
use thirdring_store_postgres::{PostgresLog, PostgresOptions};

/// A schema on the server all laws share while any of them runs.
struct Schema {
    server: Arc<Server>,
    name: String,
}

fn server() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let Some(server) = Server::start_without_sync().map(Arc::new) else {
        // It was said loudly. Every law here needs a server, and a law cannot
        // be passed over one by one.
        std::process::exit(0);
    };
    *shared = Arc::downgrade(&server);
    server
}

impl Backend for Schema {
    type Log = PostgresLog;

    fn fresh() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self {
            server: server(),
            name: format!("log_{count}"),
        }
    }

    fn open(&self) -> PostgresLog {
        let options = PostgresOptions::in_schema(&self.name);
        PostgresLog::open_with(&self.server.url(), options).unwrap()
    }

    fn damage(&self, damage: Damage) -> bool {
        let (table, at) = match damage {
            Damage::RecordGone(at) => ("record", at),
            Damage::PersonalGone(at) => ("personal", at),
            // An id is of a type that has no other length, and the name of a
            // stream stands in the record itself.
            _ => return false,
        };
        let sql = format!(
            "WITH gone AS (DELETE FROM {}.{table} WHERE part = 0 AND pos = {at} RETURNING 1) \
             SELECT count(*) FROM gone",
            self.name
        );
        self.server.value(&sql) == "1"
    }
}

conformance_tests!(OnePartition<Schema>);

mod across {
    use super::Schema;

    super::partition_tests!(Schema);
}
