//! The tables of the file, and how a file is recognised.

/// Marks a database file as a log: "3rng" in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x3372_6e67;

/// Version of the tables below, kept in `user_version`.
pub(super) const SCHEMA_VERSION: i64 = 1;

/// Makes the tables in an empty file.
///
/// A stream's text stands once, in `streams`; elsewhere it is a number. A
/// stream's head is not stored: it is the last entry of `records_by_stream`,
/// and the append that asks for it writes to that very page. Personal bytes have
/// their own table so that erasing them touches nothing else; `has_personal`
/// tells "none" from "missing".
pub(super) const CREATE: &str = "
CREATE TABLE streams (
    stream_no INTEGER PRIMARY KEY,
    stream    TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE records (
    position     INTEGER PRIMARY KEY,
    stream_no    INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    id           BLOB NOT NULL UNIQUE,
    has_personal INTEGER NOT NULL,
    body         BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_by_stream ON records (stream_no, version);
CREATE TABLE personal (
    position INTEGER PRIMARY KEY,
    bytes    BLOB NOT NULL
) STRICT;
";
