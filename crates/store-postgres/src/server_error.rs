//! What an error of the server means for who asked.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Whether the connection is gone, rather than the statement refused.
pub(crate) fn is_lost(error: &Error) -> bool {
    error.as_db_error().is_none()
}

/// What a refusal by the server means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another transaction was in the way: try again.
    Collision,
    /// The server cannot serve now: connect again, perhaps to another.
    Unavailable,
    /// It will not get better by itself. Nothing is stored.
    Final,
}

/// What kind of refusal an error is.
pub(crate) fn kind(error: &Error) -> Kind {
    let Some(code) = error.code() else {
        return Kind::Unavailable;
    };
    let collisions = [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    // Shutdown and crash; a standby, or a primary that became one; no
    // connections left.
    let unavailable = [
        &SqlState::ADMIN_SHUTDOWN,
        &SqlState::CRASH_SHUTDOWN,
        &SqlState::CANNOT_CONNECT_NOW,
        &SqlState::READ_ONLY_SQL_TRANSACTION,
        &SqlState::TOO_MANY_CONNECTIONS,
    ];
    if collisions.contains(&code) {
        Kind::Collision
    } else if unavailable.contains(&code) || code.code().starts_with("08") {
        Kind::Unavailable
    } else {
        Kind::Final
    }
}
