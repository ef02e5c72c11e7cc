//! The tables of the file, and how a file is recognised.

/// Marks a database file as a log: "3rng" in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x3372_6e67;

/// Version of the tables below, kept in `user_version`.
pub(super) const SCHEMA_VERSION: i64 = 2;

/// What leads from each version to the next, the first from an empty file. A step
/// that was released never changes: files of its version are everywhere.
pub(super) const STEPS: [&str; 2] = [LOG, DERIVED];

/// The log itself.
///
/// A stream's text stands once, in `streams`; elsewhere it is a number. A
/// stream's head is not stored: it is the last entry of `records_by_stream`,
/// and the append that asks for it writes to that very page. Personal bytes have
/// their own table so that erasing them touches nothing else; `has_personal`
/// tells "none" from "missing".
const LOG: &str = "
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

/// What is derived from the log and kept beside it: it may be emptied at any time
/// and is then worked out anew.
///
/// `moments` says when streams are due, each kind of moment once a stream. Streams
/// stand there by name, so that nothing of the log depends on it, nor it on the
/// numbers of the log. `projections` says how far each projection has come, and
/// why it stopped, if it did.
const DERIVED: &str = "
CREATE TABLE timetables (
    timetable_no INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    cursor       TEXT NOT NULL
) STRICT;
CREATE TABLE moments (
    timetable_no INTEGER NOT NULL,
    stream       TEXT NOT NULL,
    kind         INTEGER NOT NULL,
    at_us        INTEGER NOT NULL,
    PRIMARY KEY (timetable_no, stream, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX moments_by_time ON moments (timetable_no, kind, at_us, stream);
CREATE TABLE projections (
    name            TEXT PRIMARY KEY,
    version         INTEGER NOT NULL,
    position        INTEGER NOT NULL,
    stopped_at      INTEGER,
    stopped_stream  TEXT,
    stopped_version INTEGER,
    stopped_reason  TEXT
) STRICT, WITHOUT ROWID;
";
