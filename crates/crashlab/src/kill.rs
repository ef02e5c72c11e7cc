//! Kills and failing calls: at every call that changes something.

use std::path::Path;

use tempfile::TempDir;

use crate::finding::{Figures, Finding};
use crate::judge::Judge;
use crate::lab_error::LabError;
use crate::recorder::Recorder;
use crate::strace::{Ended, Injected, Injection, Laboratory};
use crate::told::Told;
use crate::trace::{Argument, Call};
use crate::workload::Workload;

/// At most so many experiments; 0: all.
pub(crate) type Budget = usize;

/// A place at which a run can be disturbed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    call: String,
    nth: usize,
}

/// Whether a call changes a file of the log, or tells something.
fn is_write_like(call: &Call, folder: &Path) -> bool {
    let inside = |path: &str| Path::new(path).starts_with(folder);
    let of_descriptor = call.path_of_descriptor();
    let creates = call.arguments.iter().any(|argument| {
        matches!(argument, Argument::Word(word) if word.starts_with("O_") && word.contains("O_CREAT"))
    });
    match call.name.as_str() {
        "lseek" => false,
        "open" | "openat" | "creat" => creates && call.text(0).is_some_and(|path| inside(&path)),
        "write" | "pwrite64" if of_descriptor.is_some_and(|(number, _)| number == 1) => true,
        _ => {
            of_descriptor.is_some_and(|(_, path)| inside(path))
                || call.text(0).is_some_and(|path| inside(&path))
        }
    }
}

/// Every write-like call of a run from `start`, in order.
fn places(lab: &Laboratory, workload: &Workload, start: &Path) -> Result<Vec<Place>, LabError> {
    let folder = lab.copy(start)?;
    let (_, calls) = lab.run(workload, folder.path(), None, true)?;
    let mut places = Vec::new();
    for call in calls {
        let place = Place {
            call: call.name.clone(),
            nth: call.nth,
        };
        if is_write_like(&call, folder.path()) && !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

fn thinned<T>(all: Vec<T>, budget: Budget) -> impl Iterator<Item = T> {
    let step = match budget {
        0 => 1,
        budget => all.len().div_ceil(budget).max(1),
    };
    all.into_iter().step_by(step)
}

/// An experiment's folder, how the child ended, and where it was disturbed.
struct Experiment<'a> {
    judge: &'a Judge,
    workload: &'a Workload,
    figures: Figures,
}

impl<'a> Experiment<'a> {
    fn new(judge: &'a Judge, workload: &'a Workload) -> Self {
        Self {
            judge,
            workload,
            figures: Figures::default(),
        }
    }

    fn count(&mut self, place: &dyn Fn() -> String, folder: &TempDir, ended: &Ended) {
        let found = self.judge.look(folder.path());
        let mut findings = found.against(self.workload, &ended.told);
        if let Some(crashed) = &ended.crashed {
            findings.push(Finding::Crash(crashed.clone()));
        }
        self.figures.distinct += 1;
        self.figures.count(place, &findings);
    }
}

fn judge_of(workload: &Workload) -> Result<Judge, LabError> {
    Judge::new(workload).map_err(|what| LabError::Undisturbed {
        workload: workload.name.to_owned(),
        what,
    })
}

/// Kills a run at each of its write-like calls.
pub(crate) fn kills(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    let start = lab.prepared(workload)?;
    kills_from(lab, workload, start.path(), &Told::default(), budget)
}

/// Kills a run in the middle of a commit, and then the run that recovers from it
/// at each of its write-like calls.
pub(crate) fn kills_in_recovery(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    let start = lab.prepared(workload)?;
    let places = places(lab, workload, start.path())?;
    let middle = places.len() / 2;
    let Some(place) = places
        .into_iter()
        .skip(middle)
        .find(|place| place.call.contains("sync"))
    else {
        return Ok(Figures::default());
    };
    let (first, _) = lab.run(workload, start.path(), Some(&kill(place)), false)?;
    kills_from(lab, workload, start.path(), &first.told, budget)
}

fn kill(Place { call, nth }: Place) -> Injection {
    Injection {
        call,
        nth,
        what: Injected::Kill,
    }
}

/// `before` is what was told before the experiment begins.
fn kills_from(
    lab: &Laboratory,
    workload: &Workload,
    start: &Path,
    before: &Told,
    budget: Budget,
) -> Result<Figures, LabError> {
    let judge = judge_of(workload)?;
    let mut experiment = Experiment::new(&judge, workload);
    for place in thinned(places(lab, workload, start)?, budget) {
        let folder = lab.copy(start)?;
        let injection = kill(place);
        let (mut ended, _) = lab.run(workload, folder.path(), Some(&injection), false)?;
        if !ended.killed {
            experiment.figures.undisturbed += 1;
        }
        ended.told.tried.extend(&before.tried);
        ended.told.answered.extend(&before.answered);
        let place = || format!("killed at {} {}", injection.call, injection.nth);
        experiment.count(&place, &folder, &ended);
    }
    Ok(experiment.figures)
}

/// Lets each write-like call fail, once and for ever.
pub(crate) fn errors(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    let judge = judge_of(workload)?;
    let start = lab.prepared(workload)?;
    let mut experiment = Experiment::new(&judge, workload);
    let mut kinds = Vec::new();
    // `write` only tells; a child that cannot tell says nothing about the log.
    let mut places = places(lab, workload, start.path())?;
    places.retain(|place| place.call != "write");
    for place in places {
        for name in ["EIO", "ENOSPC"] {
            for for_ever in [false, true] {
                kinds.push((place.clone(), Injected::Error { name, for_ever }));
            }
        }
    }
    // The kinds alternate fastest: a step that is no multiple of four meets all.
    let budget = match kinds.len().div_ceil(budget.max(1)) {
        step if budget > 0 && step % 4 == 0 => kinds.len().div_ceil(step + 1),
        _ => budget,
    };
    for (Place { call, nth }, what) in thinned(kinds, budget) {
        let folder = lab.copy(start.path())?;
        let injection = Injection { call, nth, what };
        let (ended, _) = lab.run(workload, folder.path(), Some(&injection), false)?;
        if ended.told.errors.is_empty() {
            experiment.figures.undisturbed += 1;
        }
        let place = || injection.argument();
        experiment.count(&place, &folder, &ended);
    }
    Ok(experiment.figures)
}

/// Lets a file grow to every size of 512 bytes and no further: the write that
/// crosses it is short, and the one after it fails.
pub(crate) fn short_writes(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    let judge = judge_of(workload)?;
    let start = lab.prepared(workload)?;
    // The largest size any file reaches says where the limits end.
    let rehearsal = lab.copy(start.path())?;
    let mut recorder = Recorder::new(rehearsal.path())?;
    let (_, calls) = lab.run(workload, rehearsal.path(), None, true)?;
    recorder.process(&calls)?;
    let largest = recorder.finish(workload.name)?.largest_file();
    let mut experiment = Experiment::new(&judge, workload);
    let limits: Vec<u64> = (0..=u64::try_from(largest / 512).unwrap_or(0)).collect();
    for blocks in thinned(limits, budget) {
        let folder = lab.copy(start.path())?;
        let ended = lab.run_limited(workload, folder.path(), blocks)?;
        if ended.told.errors.is_empty() {
            experiment.figures.undisturbed += 1;
        }
        let place = || format!("files of at most {blocks} blocks");
        experiment.count(&place, &folder, &ended);
    }
    Ok(experiment.figures)
}
