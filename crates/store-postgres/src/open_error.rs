//! Why a log could not be opened.

use thirdring_store::StorageFailure;

/// Why a log on PostgreSQL could not be opened. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The connection string cannot be understood.
    #[error(
        "the connection string cannot be understood: {0}; write postgres://user:password@host:port/database"
    )]
    ConnectionString(String),
    /// The name of the schema is not one.
    #[error("{0:?} is no name for a schema; use at most 40 lower-case letters, digits and `_`")]
    Schema(String),
    /// The certificates could not be used.
    #[error("the certificates cannot be used: {0}")]
    Certificates(String),
    /// No server that accepts writes could be reached.
    #[error("{0}; check that the server runs, and that one of the hosts accepts writes")]
    Unreachable(StorageFailure),
    /// A server answered, and does not let this user into this database.
    #[error(
        "{0}; check user, password and database in the connection string, and that the \
         server lets this user in"
    )]
    TurnedAway(StorageFailure),
    /// There is no log, and none was to be made.
    #[error(
        "there is no log in schema {schema} on {place}; name another database, or open it \
         once with leave to make the tables"
    )]
    Missing {
        /// The server.
        place: String,
        /// The schema.
        schema: String,
    },
    /// The server is too old.
    #[error("{place} is PostgreSQL {found}, at least 15 is needed; upgrade the server")]
    ServerTooOld {
        /// The server.
        place: String,
        /// Its version.
        found: String,
    },
    /// The database does not store UTF-8.
    #[error(
        "the database on {place} has the encoding {found}, stream ids need UTF8; \
         create a database with ENCODING 'UTF8'"
    )]
    Encoding {
        /// The server.
        place: String,
        /// The encoding of the database.
        found: String,
    },
    /// The tables were made by a newer program.
    #[error(
        "schema {schema} on {place} has version {found}, this program knows {known}; \
         upgrade this program"
    )]
    SchemaNewer {
        /// The server.
        place: String,
        /// The schema.
        schema: String,
        /// The version of its tables.
        found: i32,
        /// The version this program makes.
        known: i32,
    },
    /// The server or the connection failed.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}
