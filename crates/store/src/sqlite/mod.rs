//! A log in one SQLite file: the embedded default.

// Lowest floor first.

mod options;

mod settings;

mod schema;

mod open;

mod revive;

mod rows;

mod readers;

mod commit;

mod writer;

mod timetables;

mod step;

mod projection;

mod care;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use care::{BackupError, Integrity};
pub use open::OpenError;
pub use options::{Durability, SqliteOptions};
pub use projection::SqliteProjection;
pub use settings::Setting;
pub use step::SqliteStep;

use self::commit::Committer;
use self::open::{failure, open_writer};
use self::readers::Readers;
use self::revive::revive;
use self::rows::Way;
use self::writer::Writer;
use crate::append::{Append, AppendError, Appended, CheckedBatch};
use crate::arrivals::{Arrivals, Waited};
use crate::completion::Completion;
use crate::cursor::Cursor;
use crate::failure::StorageFailure;
use crate::judge::Ledger;
use crate::limits::Limits;
use crate::log::{Capabilities, Log, Wake};
use crate::read::{Page, ReadError, StreamPage, first_pages, single_position};
use crate::stream::StreamId;
use crate::timetable::Timetables;

/// How often a waiting follower looks for commits of other processes.
const POLL: Duration = Duration::from_millis(20);

/// A log in one SQLite file on a local file system. Several processes, and
/// several values in one process, may use one file at once.
#[derive(Debug)]
pub struct SqliteLog {
    path: PathBuf,
    options: SqliteOptions,
    arrivals: Arc<Arrivals>,
    // Dropped before the readers, so that the last connection to close is one
    // that may move the WAL into the file.
    readers: Readers,
    writer: Writer,
}

impl SqliteLog {
    /// Opens or makes the log at `path`, durable.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, SqliteOptions::default())
    }

    /// Opens or makes the log at `path`.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let connection = open_writer(&path, &options)?;
        // What recovery found in the WAL may never have been synced. Answers to
        // retries vouch for it, so it is made durable before the first answer.
        revive(&connection, &path)?;
        let arrivals = Arc::new(Arrivals::default());
        let committer = Committer::new(
            connection,
            path.clone(),
            Limits::DEFAULT,
            Arc::clone(&arrivals),
        );
        let writer = Writer::start(committer).map_err(|error| {
            StorageFailure::new("start the writer thread", path.display().to_string(), error)
        })?;
        let readers = Readers::new(path.clone(), options.clone());
        Ok(Self {
            path,
            options,
            arrivals,
            readers,
            writer,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings the contract rests on, read from the file now.
    ///
    /// # Errors
    /// [`StorageFailure`] if they cannot be read.
    pub fn settings(&self) -> Result<Vec<Setting>, StorageFailure> {
        self.writer
            .with_connection(|connection| {
                settings::settings_of(connection, self.options.durability)
            })
            .map_err(|error| failure("read the settings", &self.path, error))
    }
}

impl SqliteLog {
    /// Copies the log as of one moment into a new file, while it is in use. A
    /// process that dies meanwhile leaves `target` with `.partial` appended, which
    /// hinders nobody and may be removed.
    ///
    /// # Errors
    /// [`BackupError`]; then there is nothing at `target` that was not there
    /// before.
    pub fn backup_to(&self, target: impl AsRef<Path>) -> Result<(), BackupError> {
        care::backup(&self.path, target.as_ref(), &self.options)
    }

    /// Checks the whole file: its pages and indexes, and that positions and
    /// versions have no gaps. Reads everything, so it takes a while.
    ///
    /// # Errors
    /// [`StorageFailure`] if it cannot be checked; problems that were found are
    /// in the answer.
    pub fn integrity_check(&self) -> Result<Integrity, StorageFailure> {
        care::check(&self.path, &self.options)
    }
}

impl Log for SqliteLog {
    fn append(&self, batch: &[Append]) -> Result<Appended, AppendError> {
        if batch.is_empty() {
            return Ok(Appended::default());
        }
        self.writer
            .append(CheckedBatch::new(batch.to_vec(), &Limits::DEFAULT)?)
    }

    fn submit(&self, batch: Vec<Append>) -> Completion {
        if batch.is_empty() {
            return Completion::ready(Ok(Appended::default()));
        }
        match CheckedBatch::new(batch, &Limits::DEFAULT) {
            Ok(batch) => self.writer.submit(batch),
            Err(error) => Completion::ready(Err(error)),
        }
    }

    fn read(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.readers
            .with(|rows| rows.read(stream, from_version, Way::Forward, limit))
    }

    fn read_many(&self, streams: &[StreamId], limit: usize) -> Result<Vec<StreamPage>, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        // Beginning and ending a transaction costs more than reading a short
        // stream does.
        self.readers.with(|rows| {
            rows.at_one_moment(|rows| {
                first_pages(streams, |stream| rows.read(stream, 1, Way::Forward, limit))
            })
        })
    }

    fn read_backward(
        &self,
        stream: &StreamId,
        from_version: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.readers
            .with(|rows| rows.read(stream, from_version, Way::Backward, limit))
    }

    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        let position = single_position(cursor)?;
        self.readers.with(|rows| rows.scan(position, limit))
    }

    fn streams(&self, after: Option<&StreamId>, limit: usize) -> Result<Vec<StreamId>, ReadError> {
        if limit == 0 {
            return Err(ReadError::ZeroLimit);
        }
        self.readers.with(|rows| rows.streams(after, limit))
    }

    fn head(&self, stream: &StreamId) -> Result<u64, ReadError> {
        self.readers.with(|rows| Ok(rows.head(stream)?.version))
    }

    fn end(&self) -> Result<Cursor, ReadError> {
        let last = self.readers.with(|rows| rows.last())?;
        Ok(Cursor::from_positions(vec![last]))
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
        let position = single_position(cursor)?;
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let left = deadline.map_or(POLL, |at| at.saturating_duration_since(Instant::now()));
            match self.arrivals.wait_past(position, left.min(POLL)) {
                Waited::Arrived => return Ok(Wake::Arrived),
                Waited::Closed => return Ok(Wake::Closed),
                Waited::TimedOut => {}
            }
            // Another process may have written.
            if self.readers.with(|rows| rows.last())? > position {
                return Ok(Wake::Arrived);
            }
            if left.is_zero() {
                return Ok(Wake::TimedOut);
            }
        }
    }

    fn timetables(&self) -> Option<&dyn Timetables> {
        Some(self)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            persistent: true,
            durable: self.options.durability == Durability::Full,
            multi_process: true,
            partitions: 1,
        }
    }

    fn limits(&self) -> Limits {
        Limits::DEFAULT
    }

    fn close(&self) {
        self.writer.close();
        self.arrivals.close();
    }
}
