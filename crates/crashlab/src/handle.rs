//! An open log and what a workload does to it.

use std::path::Path;
use std::sync::Arc;

use thirdring::store::{BackupError, Log, SqliteLog, SqliteOptions};
use thirdring::{Desk, Outcome, Request, moment};

use crate::workload::{BACKUP, Command, LOG, Workload};

/// An open log, with a desk on it if the workload has one.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) log: Arc<SqliteLog>,
    pub(crate) desk: Option<Desk>,
}

impl Handle {
    pub(crate) fn open(workload: &Workload, folder: &Path) -> Result<Self, String> {
        let options = SqliteOptions {
            durability: workload.durability,
            ..SqliteOptions::default()
        };
        let log = SqliteLog::open_with(folder.join(LOG), options);
        let log = Arc::new(log.map_err(|error| error.to_string())?);
        let desk = workload
            .rulebook
            .as_ref()
            .map(|rulebook| Desk::open(Arc::clone(&log), Arc::clone(rulebook)));
        Ok(Self { log, desk })
    }

    /// Does a command; whether it had been done before.
    pub(crate) fn execute(&self, command: &Command, folder: &Path) -> Result<bool, String> {
        match (command, &self.desk) {
            (Command::Append(batch), _) => match self.log.append(batch) {
                Ok(appended) => Ok(appended.replayed),
                Err(error) => Err(error.to_string()),
            },
            (Command::Propose(request), Some(desk)) => match desk.submit(Request::clone(request)) {
                Ok(Outcome::Admitted(receipt)) => Ok(receipt.replayed),
                Ok(Outcome::Refused(refusal)) => Err(format!("refused: {refusal:?}")),
                Err(error) => Err(error.to_string()),
            },
            (Command::Due, Some(desk)) => match due(desk) {
                Ok(_) => Ok(false),
                Err(error) => Err(error),
            },
            (Command::Propose(_) | Command::Due, None) => {
                Err("a question for a desk, and there is none".to_owned())
            }
            (Command::Backup, _) => match self.log.backup_to(folder.join(BACKUP)) {
                Ok(()) => Ok(false),
                Err(BackupError::Exists { .. }) => Ok(true),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

/// What is due on the day of the proposals and the one after, in words.
pub(crate) fn due(desk: &Desk) -> Result<Vec<String>, String> {
    let until = moment("2026-03-03T18:00:00+08:00").map_err(|error| error.to_string())?;
    let until = until.to_utc();
    let due = desk.due_at(until, until);
    let due = due.map_err(|error| error.to_string())?;
    Ok(due
        .iter()
        .map(|clock| format!("{} {} {:?}", clock.stream, clock.rule, clock.due_at))
        .collect())
}
