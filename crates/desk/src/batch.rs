//! Records of one stream that are appended together.

use std::sync::Arc;

use thirdring_core::digest::Digest;
use thirdring_core::record::{BadRecord, Draft, Salt, seal};
use thirdring_core::{Case, Record, StreamId};
use thirdring_store::{Append, Expected, NewRecord, StreamIdError};

use crate::storage::{new_record, stored_stream};

/// Records of one stream, sealed one behind the other, that are appended
/// together or not at all.
#[derive(Debug)]
pub(crate) struct Batch {
    stream: StreamId,
    /// The version the stream must have when they are appended.
    behind: u64,
    chain: Digest,
    sealed: Vec<NewRecord>,
    records: Vec<Arc<Record>>,
}

impl Batch {
    /// An empty batch behind a case.
    pub(crate) fn behind(case: &Case) -> Self {
        Self {
            stream: case.stream().clone(),
            behind: case.version(),
            chain: *case.chain(),
            sealed: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Seals a draft behind the last record.
    pub(crate) fn add(&mut self, mut draft: Draft, salt: &Salt) -> Result<Arc<Record>, BadRecord> {
        draft.version = self.behind + self.records.len() as u64 + 1;
        let (record, sealed) = seal(draft, &self.chain, salt)?;
        let record = Arc::new(record);
        self.chain = record.chain;
        self.sealed.push(new_record(record.id, sealed));
        self.records.push(Arc::clone(&record));
        Ok(record)
    }

    /// Whether there is nothing to append.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What the log is asked to append, and the records it then holds.
    pub(crate) fn into_append(self) -> Result<(Append, Vec<Arc<Record>>), StreamIdError> {
        let append = Append {
            stream: stored_stream(&self.stream)?,
            expected: Expected::Exactly(self.behind),
            records: self.sealed,
        };
        Ok((append, self.records))
    }
}
