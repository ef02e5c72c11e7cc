//! The log contract of Thirdring, with an in-memory and an SQLite implementation.
//!
//! A log keeps *streams* of *records*. It knows ids, versions, positions and
//! bytes; what the bytes mean is the business of the floors above. The contract
//! in words, with the test that guards each point, stands in `docs/log.md`.
//!
//! ```
//! use thirdring_store::{Append, Cursor, Expected, Log, MemoryLog, NewRecord, RecordId, StreamId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = MemoryLog::new();
//! let stream = StreamId::new("ticket/4711")?;
//! let record = NewRecord { id: RecordId([7; 16]), body: b"rang".to_vec(), personal: None };
//! let appended = log.append(&[Append {
//!     stream: stream.clone(),
//!     expected: Expected::NoStream,
//!     records: vec![record],
//! }])?;
//! assert_eq!(appended.places[0].version, 1);
//!
//! let page = log.scan(&Cursor::start(), 100)?;
//! assert!(page.end);
//! assert_eq!(page.records[0].stream, stream);
//! # Ok(())
//! # }
//! ```
//!
//! The modules, lowest floor first: names and records; cursors; limits; the
//! batch and its errors; the judgement whether a batch may be written;
//! completions; when streams are due; how projections stand; the trait; following; the two logs.

// Lowest floor first; the blank lines keep the order from being sorted away.

mod stream;

mod record;

mod cursor;

mod limits;

mod failure;

mod read;

mod append;

mod judge;

mod completion;

mod arrivals;

mod due_index;

mod timetable;

mod memory_timetables;

mod projection;

mod log;

mod follow;

mod memory;

mod sqlite;

#[cfg(feature = "conformance")]
pub mod conformance;

/// The library that statements of projections in SQLite are spoken through.
pub use rusqlite;

pub use append::{
    Append, AppendError, Appended, CheckedBatch, Conflict, Expected, Place, SeveralPartitions,
};
pub use completion::{Answer, Completion};
pub use cursor::{Cursor, CursorTextError};
pub use due_index::{DueIndex, Moment};
pub use failure::StorageFailure;
pub use follow::{Follow, Stopped};
pub use limits::{LimitExceeded, LimitName, Limits};
pub use log::{Capabilities, Log, Wake};
pub use memory::MemoryLog;
pub use memory_timetables::MemoryTimetables;
pub use projection::{AdvanceError, ProjectionStatus, Stop};
pub use read::{Page, ReadError, StreamPage};
pub use record::{NewRecord, RecordId, StoredRecord};
pub use sqlite::{
    BackupError, Durability, Integrity, OpenError, Setting, SqliteLog, SqliteOptions,
    SqliteProjection, SqliteStep,
};
pub use stream::{StreamId, StreamIdError};
pub use timetable::{Due, MomentKind, StreamMoments, TimetableError, TimetableState, Timetables};
