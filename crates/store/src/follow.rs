//! Reading the whole log and then staying with it.

use std::time::Duration;

use crate::cursor::Cursor;
use crate::log::{Log, Wake};
use crate::read::{Page, ReadError};

/// Why a follower stopped. It saw everything before its cursor and nothing
/// after; a new one may start there.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Stopped {
    /// The log was closed and everything in it was delivered.
    #[error("the log was closed; everything in it was delivered")]
    Closed,
    /// The log could not be read.
    #[error("following stopped: {0}")]
    Read(#[from] ReadError),
}

/// Delivers every record after a cursor in order, each once, first those that
/// are there, then those that come.
#[derive(Debug)]
pub struct Follow<L> {
    log: L,
    cursor: Cursor,
    page_records: usize,
}

impl<L: Log> Follow<L> {
    /// Follows `log`, which may be a reference or an `Arc<dyn Log>`.
    #[must_use]
    pub fn new(log: L, cursor: Cursor) -> Self {
        let page_records = log.limits().page_records;
        Self {
            log,
            cursor,
            page_records,
        }
    }

    /// At most so many records at a time (at least 1).
    #[must_use]
    pub fn with_page_records(mut self, page_records: usize) -> Self {
        self.page_records = page_records.max(1);
        self
    }

    /// After the last record delivered. Keep it to go on later from here.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The next records: at once if there are some, else waiting for them up to
    /// `timeout`. `None` if none came in that time.
    ///
    /// # Errors
    /// [`Stopped`] says why nothing more comes. Asking again asks the log again.
    pub fn next_page(&mut self, timeout: Duration) -> Result<Option<Page>, Stopped> {
        if let Some(page) = self.scan()? {
            return Ok(Some(page));
        }
        let wake = self.log.wait(&self.cursor, timeout)?;
        // Scanned in every case: a record may have come just before the close.
        match (self.scan()?, wake) {
            (Some(page), _) => Ok(Some(page)),
            (None, Wake::Closed) => Err(Stopped::Closed),
            (None, Wake::Arrived | Wake::TimedOut) => Ok(None),
        }
    }

    fn scan(&mut self) -> Result<Option<Page>, Stopped> {
        let page = self.log.scan(&self.cursor, self.page_records)?;
        self.cursor.clone_from(&page.next);
        Ok((!page.records.is_empty()).then_some(page))
    }
}
