//! Judging what a disturbance left: does it open, is it whole, is it what was
//! asked for, and does repeating have one effect?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use thirdring::store::{Cursor, Durability, Log, NewRecord, SqliteLog, StoredRecord, StreamId};
use thirdring::{Desk, Request, TimeSource, read_all, replay_log};

use crate::finding::Finding;
use crate::handle::{Handle, due};
use crate::told::Told;
use crate::workload::{BACKUP, Command, Workload};

/// Records in a page of a scan.
const PAGE: usize = 256;

/// What every stream looks like to a desk: its version and its verdicts.
type Projection = BTreeMap<String, String>;

/// Knows a workload, and so what may be found after it.
#[derive(Debug)]
pub(crate) struct Judge {
    /// The workload; what it left is opened durable, however it was written.
    workload: Workload,
    /// For a desk: the projection after so many proposals, undisturbed.
    projections: Vec<Projection>,
}

/// What was found in a folder, whatever had been answered before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// The commands whose effect is there; `None` if that could not be seen.
    commands: Option<BTreeSet<usize>>,
    findings: Vec<Finding>,
}

impl Found {
    /// All findings, given what the child told before the disturbance.
    pub(crate) fn against(&self, workload: &Workload, told: &Told) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        let Some(commands) = &self.commands else {
            return findings;
        };
        let lasting: BTreeSet<usize> = lasting(workload).collect();
        let answered: BTreeSet<usize> = (1..=workload.prepared)
            .chain(told.answered.iter().copied())
            .filter(|n| lasting.contains(n))
            .collect();
        let lost: Vec<_> = answered.difference(commands).collect();
        if !lost.is_empty() {
            findings.push(Finding::Loss(format!("commands {lost:?} were answered")));
        }
        let unasked: Vec<_> = commands
            .iter()
            .filter(|n| **n > workload.prepared && !told.tried.contains(n))
            .collect();
        if !unasked.is_empty() {
            findings.push(Finding::Tear(format!(
                "commands {unasked:?} were never begun"
            )));
        }
        findings
    }
}

impl Judge {
    pub(crate) fn new(workload: &Workload) -> Result<Self, String> {
        let mut projections = Vec::new();
        if let Some(rulebook) = &workload.rulebook {
            let desk = Desk::in_memory(std::sync::Arc::clone(rulebook));
            projections.push(projection(&desk, workload)?);
            for (_, command) in workload.numbered() {
                if let Command::Propose(request) = command {
                    desk.submit(Request::clone(request))
                        .map_err(|error| error.to_string())?;
                    projections.push(projection(&desk, workload)?);
                }
            }
        }
        Ok(Self {
            workload: Workload {
                durability: Durability::Full,
                ..workload.clone()
            },
            projections,
        })
    }

    /// Opens what is in the folder, looks at everything, repeats every command,
    /// and looks again after reopening.
    pub(crate) fn look(&self, folder: &Path) -> Found {
        let mut found = Found::default();
        let handle = match Handle::open(&self.workload, folder) {
            Ok(handle) => handle,
            Err(error) => {
                found.findings.push(Finding::Refusal(error));
                return found;
            }
        };
        let mut commands = match self.whole(&handle) {
            Ok(commands) => commands,
            Err(tear) => {
                found.findings.push(Finding::Tear(tear));
                return found;
            }
        };
        match self.backup(folder) {
            Ok(there) => commands.extend(there),
            Err(tear) => found.findings.push(Finding::Tear(tear)),
        }
        if let Err(tear) = self.in_order(&commands) {
            found.findings.push(Finding::Tear(tear));
        }
        found
            .findings
            .extend(self.repeat(handle, &commands, folder));
        found.commands = Some(commands);
        found
    }

    /// The commands of each thread are a prefix of those it had.
    fn in_order(&self, found: &BTreeSet<usize>) -> Result<(), String> {
        for thread in 0..self.workload.threads {
            let mine = lasting(&self.workload).filter(|n| {
                *n <= self.workload.prepared || (n - 1) % self.workload.threads == thread
            });
            let mut missing = None;
            for n in mine {
                match (found.contains(&n), missing) {
                    (false, None) => missing = Some(n),
                    (true, Some(earlier)) => {
                        return Err(format!("command {n} is there, {earlier} before it is not"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn repeat(&self, handle: Handle, found: &BTreeSet<usize>, folder: &Path) -> Option<Finding> {
        for (n, command) in self.workload.numbered() {
            let there = found.contains(&n);
            match handle.execute(command, folder) {
                Ok(replayed) if replayed == there || !command.lasts() => {}
                Ok(replayed) => {
                    return Some(Finding::Retry(format!(
                        "command {n}: there {there}, recognised {replayed}"
                    )));
                }
                Err(error) => return Some(Finding::Retry(format!("command {n}: {error}"))),
            }
        }
        drop(handle);
        let all = match Handle::open(&self.workload, folder) {
            Ok(handle) => self.whole(&handle),
            Err(error) => return Some(Finding::Refusal(format!("after the retry: {error}"))),
        };
        let appended = self.workload.numbered();
        let appended =
            appended.filter(|(_, command)| !matches!(command, Command::Backup | Command::Due));
        match all {
            Ok(all) if all.iter().copied().eq(appended.map(|(n, _)| n)) => self
                .backup(folder)
                .err()
                .map(|error| Finding::Tear(format!("after the retry: {error}"))),
            Ok(all) => Some(Finding::Retry(format!("afterwards there are {all:?}"))),
            Err(error) => Some(Finding::Tear(format!("after the retry: {error}"))),
        }
    }

    /// The backup, if the workload makes one and it is there: whole, and exactly
    /// what had been appended when it was made.
    fn backup(&self, folder: &Path) -> Result<Option<usize>, String> {
        let mut commands = self.workload.numbered();
        let Some((n, _)) = commands.find(|(_, command)| matches!(command, Command::Backup)) else {
            return Ok(None);
        };
        let path = folder.join(BACKUP);
        if !path.exists() {
            return Ok(None);
        }
        let log = SqliteLog::open(path).map_err(|error| format!("the backup: {error}"))?;
        let found = self
            .records(&log)
            .map_err(|error| format!("the backup: {error}"))?;
        if found.iter().copied().eq(1..n) {
            Ok(Some(n))
        } else {
            Err(format!("the backup holds {found:?}"))
        }
    }

    /// The commands whose effect is in the log, which is whole.
    fn whole(&self, handle: &Handle) -> Result<BTreeSet<usize>, String> {
        match &handle.desk {
            None => self.records(&handle.log),
            Some(desk) => self.facts(&handle.log, desk),
        }
    }

    /// For batches: every record as it was asked for, every batch entire.
    fn records(&self, log: &SqliteLog) -> Result<BTreeSet<usize>, String> {
        let mut asked: BTreeMap<[u8; 16], (usize, &StreamId, &NewRecord)> = BTreeMap::new();
        for (n, command) in self.workload.numbered() {
            if let Command::Append(batch) = command {
                for part in batch {
                    for record in &part.records {
                        asked.insert(record.id.0, (n, &part.stream, record));
                    }
                }
            }
        }
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for stored in everything(log)? {
            let Some((n, stream, record)) = asked.remove(&stored.id.0) else {
                return Err(format!("record {} was not asked for, or twice", stored.id));
            };
            if *stream != stored.stream
                || record.body != stored.body
                || record.personal != stored.personal
            {
                return Err(format!("record {} is not as it was written", stored.id));
            }
            *counts.entry(n).or_default() += 1;
        }
        // What is left of a batch was not found.
        if let Some((n, ..)) = asked.values().find(|(n, ..)| counts.contains_key(n)) {
            return Err(format!("of command {n} only a part is there"));
        }
        Ok(counts.into_keys().collect())
    }

    /// For a desk: the chain of hashes holds, every fact is as it was proposed,
    /// and what is replayed equals what an undisturbed desk shows.
    fn facts(&self, log: &SqliteLog, desk: &Desk) -> Result<BTreeSet<usize>, String> {
        everything(log)?;
        let asked: BTreeMap<_, (usize, &Request)> = self
            .workload
            .numbered()
            .filter_map(|(n, command)| match command {
                Command::Propose(request) => Some((request.id?, (n, &**request))),
                _ => None,
            })
            .collect();
        let mut found = BTreeSet::new();
        let mut other = None;
        let mut visit = |_, record: std::sync::Arc<thirdring::core::Record>| {
            let Some(fact) = record.fact() else {
                return;
            };
            match asked.get(&record.id) {
                Some((n, request))
                    if request.fact.fact_type() == fact.fact_type()
                        && request.stream == record.stream =>
                {
                    found.insert(*n);
                }
                _ => other = Some(record.id),
            }
        };
        read_all(log, &mut visit).map_err(|error| error.to_string())?;
        if let Some(id) = other {
            return Err(format!("fact {id} was not proposed"));
        }
        let wanted = self.projections.get(found.len());
        let shown = projection(desk, &self.workload)?;
        if wanted != Some(&shown) {
            return Err(format!(
                "after {} facts the desk shows {shown:?}",
                found.len()
            ));
        }
        let replayed = self.replayed(log)?;
        for (stream, version) in replayed {
            let head = log
                .head(&StreamId::new(&stream).map_err(|error| error.to_string())?)
                .map_err(|error| error.to_string())?;
            if head != version {
                return Err(format!("{stream} replays to {version}, its head is {head}"));
            }
        }
        Ok(found)
    }

    fn replayed(&self, log: &SqliteLog) -> Result<BTreeMap<String, u64>, String> {
        let versions = Mutex::new(BTreeMap::new());
        if let Some(rulebook) = &self.workload.rulebook {
            replay_log(log, rulebook, |case| {
                if let Ok(mut versions) = versions.lock() {
                    versions.insert(case.stream().as_str().to_owned(), case.version());
                }
            })
            .map_err(|error| error.to_string())?;
        }
        versions.into_inner().map_err(|error| error.to_string())
    }
}

/// The commands whose effect must be there once they were answered.
fn lasting(workload: &Workload) -> impl Iterator<Item = usize> + '_ {
    let all = workload.numbered();
    all.filter(|(_, command)| command.lasts()).map(|(n, _)| n)
}

/// What a desk shows of every stream a moment after the last proposal.
fn projection(desk: &Desk, workload: &Workload) -> Result<Projection, String> {
    let last = workload
        .commands
        .iter()
        .rev()
        .find_map(|command| match command {
            Command::Propose(request) => Some(request.occurred_at.to_utc()),
            _ => None,
        });
    let now = last.unwrap_or_else(|| TimeSource::system().now());
    let mut shown = Projection::new();
    for stream in desk.streams().map_err(|error| error.to_string())? {
        let case = desk.case(&stream).map_err(|error| error.to_string())?;
        let verdicts = desk
            .verdicts(&stream, now)
            .map_err(|error| error.to_string())?;
        shown.insert(
            stream.as_str().to_owned(),
            format!("version {} {verdicts:?}", case.version()),
        );
    }
    // Looked up in what was kept beside the log.
    shown.insert("due".to_owned(), format!("{:?}", due(desk)?));
    Ok(shown)
}

/// All records of a log that passes its own check, whose positions are dense and
/// versions gapless, and whose streams read the same by themselves.
fn everything(log: &SqliteLog) -> Result<Vec<StoredRecord>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let check = log.integrity_check().map_err(|error| text(&error))?;
    if !check.is_whole() {
        return Err(check.problems.join("; "));
    }
    let mut all: Vec<StoredRecord> = Vec::new();
    let mut cursor = Cursor::start();
    loop {
        let page = log.scan(&cursor, PAGE).map_err(|error| text(&error))?;
        all.extend(page.records);
        cursor = page.next;
        if page.end {
            break;
        }
    }
    let mut streams: BTreeMap<&StreamId, Vec<&StoredRecord>> = BTreeMap::new();
    for (position, record) in (1..).zip(&all) {
        if record.position != position {
            return Err(format!("position {position} is {}", record.position));
        }
        let stream = streams.entry(&record.stream).or_default();
        stream.push(record);
        if u64::try_from(stream.len()) != Ok(record.version) {
            return Err(format!("a gap before version {}", record.version));
        }
    }
    for (stream, records) in streams {
        let mut from = 1;
        let mut alone = Vec::new();
        loop {
            let page = log.read(stream, from, PAGE).map_err(|error| text(&error))?;
            alone.extend(page.records);
            from = page.next;
            if page.end {
                break;
            }
        }
        if !alone.iter().eq(records) {
            return Err(format!("stream {stream} reads otherwise by itself"));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::workload::LOG;

    /// A finished run of `append` in a folder, changed by `spoil`, and what is
    /// found if so many commands had been answered.
    fn judged(spoil: impl FnOnce(&Path), answered: usize) -> Vec<Finding> {
        let workload = Workload::named("append").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let handle = Handle::open(&workload, folder.path()).unwrap();
        for command in workload.commands.iter().take(5) {
            handle.execute(command, folder.path()).unwrap();
        }
        drop(handle);
        spoil(&folder.path().join(LOG));
        let told = Told {
            tried: (1..=5).collect(),
            answered: (1..=answered).collect(),
            ..Told::default()
        };
        let judge = Judge::new(&workload).unwrap();
        judge.look(folder.path()).against(&workload, &told)
    }

    /// Replaces the last place of these bytes in the file.
    fn replace(file: &Path, old: &[u8], new: &[u8]) {
        let mut bytes = fs::read(file).unwrap();
        let at = bytes.windows(old.len()).rposition(|here| here == old);
        let at = at.unwrap();
        bytes[at..at + new.len()].copy_from_slice(new);
        fs::write(file, bytes).unwrap();
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        assert_eq!(judged(|_| {}, 5), []);
        assert_eq!(judged(|_| {}, 4), [], "one more was in flight");
    }

    #[test]
    fn what_is_wrong_is_found() {
        let lost = judged(|_| {}, 6);
        assert!(matches!(lost.as_slice(), [Finding::Loss(_)]), "{lost:?}");
        let gone = judged(|file| fs::remove_file(file).unwrap(), 5);
        assert!(matches!(gone.as_slice(), [Finding::Loss(_)]), "{gone:?}");
        let flipped = judged(|file| replace(file, b"command 5", b"command 6"), 5);
        assert!(
            matches!(flipped.as_slice(), [Finding::Tear(_)]),
            "{flipped:?}"
        );
        let foreign = judged(|file| fs::write(file, [7; 4096]).unwrap(), 5);
        assert!(
            matches!(foreign.as_slice(), [Finding::Refusal(_)]),
            "{foreign:?}"
        );
    }
}
