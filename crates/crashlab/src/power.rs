//! Power cuts: every image a recording can leave is made and judged.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::disk::{Disk, Event, Fate, Medium};
use crate::finding::{Figures, Finding};
use crate::images::cuts;
use crate::judge::{Found, Judge};
use crate::lab_error::LabError;
use crate::recorder::{Recorder, Recording};
use crate::strace::{Injected, Injection, Laboratory};
use crate::told::Told;
use crate::workload::{LOG, Workload};

/// What is left of the shared memory after a power cut, every other time: it must
/// not be believed.
static STALE_SHARED_MEMORY: [u8; 32_768] = [0x5a; 32_768];

/// At most so many different images of one workload are opened; 0: all.
pub(crate) type Budget = usize;

/// Records an undisturbed run and judges its images.
pub(crate) fn power_cuts(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    let folder = lab.prepared(workload)?;
    let mut recorder = Recorder::new(folder.path())?;
    let (ended, calls) = lab.run(workload, folder.path(), None, true)?;
    if !ended.told.finished || !ended.told.errors.is_empty() {
        return Err(LabError::Undisturbed {
            workload: workload.name.to_owned(),
            what: format!("{:?} {:?}", ended.told.errors, ended.crashed),
        });
    }
    recorder.process(&calls)?;
    let recording = recorder.finish(workload.name)?;
    judge_images(lab, workload, &recording, budget)
}

/// Records runs in which a sync fails and the child reopens and repeats, as it is
/// told to, and judges their images: nothing that the failed sync would have
/// covered is trusted to a later one.
pub(crate) fn power_cuts_after_failed_syncs(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    after_each_sync(lab, workload, budget, |call, nth| {
        let (name, for_ever) = ("EIO", false);
        Injection {
            call,
            nth,
            what: Injected::Error { name, for_ever },
        }
    })
}

/// As above, but the child dies of the failed sync, and a second process goes on
/// with what it finds: pages that are in memory still, and not on the medium.
pub(crate) fn power_cuts_after_fatal_syncs(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    after_each_sync(lab, workload, budget, |call, nth| Injection {
        call,
        nth,
        what: Injected::Fatal,
    })
}

/// Records runs that are killed at a sync, continued by a second process, and
/// judges their images: what the first wrote was never synced by it.
pub(crate) fn power_cuts_after_kills(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, LabError> {
    after_each_sync(lab, workload, budget, |call, nth| Injection {
        call,
        nth,
        what: Injected::Kill,
    })
}

fn after_each_sync(
    lab: &Laboratory,
    workload: &Workload,
    budget: Budget,
    injection: impl Fn(String, usize) -> Injection,
) -> Result<Figures, LabError> {
    let start = lab.prepared(workload)?;
    let rehearsal = lab.copy(start.path())?;
    let (_, calls) = lab.run(workload, rehearsal.path(), None, true)?;
    let syncs: Vec<_> = calls
        .iter()
        .filter(|call| matches!(call.name.as_str(), "fsync" | "fdatasync"))
        .map(|call| (call.name.clone(), call.nth))
        .collect();
    let share = budget.div_ceil(syncs.len().max(1));
    let mut figures = Figures::default();
    for (call, nth) in syncs {
        let folder = lab.copy(start.path())?;
        let mut recorder = Recorder::new(folder.path())?;
        let injection = injection(call, nth);
        let (ended, calls) = lab.run(workload, folder.path(), Some(&injection), true)?;
        recorder.process(&calls)?;
        if !ended.told.finished {
            let (_, calls) = lab.run(workload, folder.path(), None, true)?;
            recorder.process(&calls)?;
        }
        let recording = recorder.finish(workload.name)?;
        let mut part = judge_images(lab, workload, &recording, share)?;
        // So that the examples are of several syncs.
        part.examples.truncate(2);
        for example in &mut part.examples {
            *example = format!("{} {nth}: {example}", injection.call);
        }
        figures.add(part);
    }
    Ok(figures)
}

/// A moment of a recording at which the power may go.
struct Moment {
    disk: Disk,
    told: Told,
    event: usize,
}

/// The moments at which the most is open: before each sync, and at the end. What
/// is open at any other is a prefix of what is open at one of these.
fn moments(recording: &Recording) -> Vec<Moment> {
    let mut disk = Disk::new(recording.start.clone());
    let mut told = Told::default();
    let mut moments = Vec::new();
    for (event, happened) in recording.events.iter().enumerate() {
        let moment = |disk: &Disk, told: &Told| Moment {
            disk: disk.clone(),
            told: told.clone(),
            event,
        };
        match happened {
            Event::Sync { .. } | Event::SyncFailed { .. } => moments.push(moment(&disk, &told)),
            Event::Note(line) => line.lines().for_each(|line| told.hear(line)),
            Event::Change(_) => {}
        }
        disk.step(happened);
    }
    moments.push(Moment {
        disk,
        told,
        event: recording.events.len(),
    });
    moments
}

fn judge_images(
    lab: &Laboratory,
    workload: &Workload,
    recording: &Recording,
    budget: Budget,
) -> Result<Figures, LabError> {
    let judge = Judge::new(workload).map_err(|what| LabError::Undisturbed {
        workload: workload.name.to_owned(),
        what,
    })?;
    let moments: Vec<_> = moments(recording)
        .into_iter()
        .map(|moment| (cuts(&moment.disk), moment))
        .collect();
    // A budget leaves out images at even distances: the same ones every time.
    let all: usize = moments.iter().map(|(cuts, _)| cuts.len()).sum();
    let step = match budget {
        0 => 1,
        budget => all.div_ceil(budget).max(1),
    };
    let mut known: HashMap<u64, Found> = HashMap::new();
    let mut figures = Figures::default();
    let mut number = 0_usize;
    for (cuts, moment) in &moments {
        for (index, cut) in cuts.iter().enumerate() {
            number += 1;
            // The first loses nothing and stands for the moment itself.
            if index > 0 && !number.is_multiple_of(step) {
                continue;
            }
            let image = moment
                .disk
                .image(|index| cut.get(index).copied().unwrap_or(Fate::Lost));
            let found = match known.entry(key(&image)) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => {
                    figures.distinct += 1;
                    free.insert(open(lab, &judge, &image, figures.distinct)?)
                }
            };
            let mut findings = found.against(workload, &moment.told);
            // Before the first answer the file itself may not be there yet, and
            // then it is simply made.
            findings.extend(gone(workload, moment, &image));
            let place = || format!("event {} cut {}", moment.event, spelled(cut));
            figures.count(&place, &findings);
        }
    }
    Ok(figures)
}

/// A cut in few letters: kept, lost, head, tail, zeroed.
fn spelled(cut: &[Fate]) -> String {
    let letter = |fate: &Fate| match fate {
        Fate::Kept => "K".to_owned(),
        Fate::Lost => "-".to_owned(),
        Fate::Head(length) => format!("h{length} "),
        Fate::Tail(from) => format!("t{from} "),
        Fate::Zeroed => "0".to_owned(),
    };
    cut.iter().map(letter).collect()
}

/// A file that is missing after something was answered is a loss by itself.
fn gone(workload: &Workload, moment: &Moment, image: &Medium) -> Option<Finding> {
    let answered = workload.prepared > 0 || !moment.told.answered.is_empty();
    let there = image.names().any(|(name, _)| name == LOG);
    (answered && !there).then(|| Finding::Loss("the file is gone".to_owned()))
}

/// Tells images apart. A collision of 64 bits among some ten thousand would leave
/// out one image, which is the worst of it.
fn key(image: &Medium) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, bytes) in image.contents() {
        (name, bytes).hash(&mut hasher);
    }
    hasher.finish()
}

fn open(lab: &Laboratory, judge: &Judge, image: &Medium, number: usize) -> Result<Found, LabError> {
    let folder = lab.folder()?;
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).map_err(LabError::io("write", Path::new(name)))
    };
    for (name, bytes) in image.contents() {
        write(name, bytes)?;
    }
    if number.is_multiple_of(2) {
        write(&format!("{LOG}-shm"), &STALE_SHARED_MEMORY)?;
    }
    Ok(judge.look(folder.path()))
}
