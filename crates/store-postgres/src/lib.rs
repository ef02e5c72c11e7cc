//! The log contract of Thirdring on PostgreSQL 15 or newer, for a desk with
//! several servers.
//!
//! ```no_run
//! use thirdring_store::{Cursor, Log};
//! use thirdring_store_postgres::PostgresLog;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = PostgresLog::open("postgres://desk:secret@db1,db2,db3/desk")?;
//! let page = log.scan(&Cursor::start(), 100)?;
//! # Ok(())
//! # }
//! ```
//!
//! The log has 64 partitions. A stream belongs to one for ever, see
//! [`partition_of`], and a batch is within one. All calls block and may be made
//! from any thread; the crate keeps threads of its own for its connections.
//! Running it, with standbys and failover, is described in `docs/operations.md`.
//!
//! The modules, lowest floor first: placement and types; connecting; the tables;
//! reading; appending; the log; what else is kept in the database.

// Lowest floor first; the blank lines keep the order from being sorted away.

mod partition;

mod sql_types;

mod block_on;

mod options;

mod open_error;

mod tls;

mod target;

mod schema;

mod conn;

mod server_error;

mod queries;

mod rows;

mod arrivals;

mod queue;

mod shared;

mod group;

mod appender;

mod hints;

mod readers;

mod log;

mod step;

mod timetables;

mod projection;

mod care;

#[cfg(feature = "testing")]
pub mod testing;

pub use care::{DatabaseReport, Integrity, ServerReport};
pub use log::PostgresLog;
pub use open_error::OpenError;
pub use options::PostgresOptions;
pub use partition::{PARTITIONS, partition_of};
pub use projection::Projection;
pub use step::Step;
pub use tokio_postgres::types::ToSql;
