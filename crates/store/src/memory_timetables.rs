//! Timetables in memory: for logs in memory, and for logs that keep none.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::cursor::Cursor;
use crate::due_index::{DueIndex, Moment};
use crate::stream::StreamId;
use crate::timetable::{
    Due, MomentKind, StreamMoments, TimetableError, TimetableState, Timetables,
};

/// Timetables that live as long as the value.
#[derive(Debug, Default)]
pub struct MemoryTimetables {
    tables: RwLock<BTreeMap<String, Table>>,
}

#[derive(Debug, Default)]
struct Table {
    cursor: Cursor,
    kinds: BTreeMap<MomentKind, DueIndex<StreamId>>,
}

impl Table {
    fn set(&mut self, change: &StreamMoments) {
        for (kind, index) in &mut self.kinds {
            if !change.moments.iter().any(|(given, _)| given == kind) {
                index.cancel(&change.stream);
            }
        }
        for (kind, moment) in &change.moments {
            let index = self.kinds.entry(*kind).or_default();
            index.set(change.stream.clone(), *moment);
        }
    }
}

impl MemoryTimetables {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // As with the log in memory, nothing panics halfway through a change.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Table>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Table>> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timetables for MemoryTimetables {
    fn cursor(&self, name: &str) -> Result<Cursor, TimetableError> {
        let tables = self.read();
        Ok(tables
            .get(name)
            .map_or_else(Cursor::start, |table| table.cursor.clone()))
    }

    fn replace(
        &self,
        name: &str,
        from: &Cursor,
        to: &Cursor,
        streams: &[StreamMoments],
    ) -> Result<(), TimetableError> {
        let mut tables = self.write();
        let table = tables.entry(name.to_owned()).or_default();
        if table.cursor != *from {
            return Err(TimetableError::Moved {
                found: table.cursor.clone(),
            });
        }
        for change in streams {
            table.set(change);
        }
        table.cursor = to.clone();
        Ok(())
    }

    fn due(
        &self,
        name: &str,
        kind: MomentKind,
        until: Moment,
        after: Option<&Due>,
        limit: usize,
    ) -> Result<Vec<Due>, TimetableError> {
        let tables = self.read();
        let Some(index) = tables.get(name).and_then(|table| table.kinds.get(&kind)) else {
            return Ok(Vec::new());
        };
        let after = after.map(|due| (due.at, due.stream.clone()));
        let due = index.due_until(until, after.as_ref(), limit);
        Ok(due
            .into_iter()
            .map(|(at, stream)| Due { at, stream })
            .collect())
    }

    fn forget(&self, name: &str) -> Result<(), TimetableError> {
        self.write().remove(name);
        Ok(())
    }

    fn list(&self) -> Result<Vec<TimetableState>, TimetableError> {
        let tables = self.read();
        Ok(tables
            .iter()
            .map(|(name, table)| TimetableState {
                name: name.clone(),
                cursor: Some(table.cursor.clone()),
                moments: table.kinds.values().map(|index| index.len() as u64).sum(),
            })
            .collect())
    }
}
