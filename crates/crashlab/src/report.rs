//! The experiments by name, and the table of what they gave.

use std::io::Write;
use std::path::Path;

use crate::finding::Figures;
use crate::kill;
use crate::lab_error::LabError;
use crate::power;
use crate::strace::{Equipment, Laboratory};
use crate::workload::{NAMES, TEETH, Workload};

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// At even distances, so that all of it takes about a minute.
    Short,
    /// Everything, or as much as shows something new.
    Long,
}

/// A way to disturb a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Experiment {
    /// Killed at every write-like call.
    Kill,
    /// Killed within a commit, then killed again at every write-like call of the
    /// recovery and what follows.
    KillInRecovery,
    /// The power goes at every moment.
    PowerCut,
    /// Killed at each sync, continued by a second process, then the power goes.
    PowerCutAfterKill,
    /// A sync fails, the log is reopened and goes on, then the power goes.
    PowerCutAfterFailedSync,
    /// A sync fails, the process dies of it, a second one goes on, then the power
    /// goes.
    PowerCutAfterFatalSync,
    /// Every write-like call fails, once and for ever.
    Errors,
    /// Files cannot grow beyond a size: short writes.
    ShortWrites,
}

impl Experiment {
    const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillInRecovery => "kill, kill again",
            Self::PowerCut => "power cut",
            Self::PowerCutAfterKill => "kill, power cut",
            Self::PowerCutAfterFailedSync => "failed sync, power cut",
            Self::PowerCutAfterFatalSync => "fatal sync, power cut",
            Self::Errors => "errors",
            Self::ShortWrites => "short writes",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Kill | Self::KillInRecovery => "kill",
            Self::PowerCut | Self::PowerCutAfterKill => "power",
            Self::PowerCutAfterFailedSync | Self::PowerCutAfterFatalSync => "failed-sync",
            Self::Errors | Self::ShortWrites => "errors",
        }
    }

    /// How many experiments the short mode makes of one workload.
    const fn short(self) -> usize {
        match self {
            Self::Kill => 40,
            Self::KillInRecovery => 25,
            Self::PowerCut => 500,
            Self::PowerCutAfterKill
            | Self::PowerCutAfterFailedSync
            | Self::PowerCutAfterFatalSync => 300,
            Self::Errors => 50,
            Self::ShortWrites => 25,
        }
    }

    /// How many the long mode makes; 0: all there are.
    const fn long(self) -> usize {
        match self {
            // Each sync of a run is a recording of its own with thousands of
            // images, most of which differ only in what came before it.
            Self::PowerCutAfterKill
            | Self::PowerCutAfterFailedSync
            | Self::PowerCutAfterFatalSync => 12_000,
            _ => 0,
        }
    }
}

/// Makes one experiment with one workload.
///
/// # Errors
/// If the laboratory cannot work; what it finds is in the figures.
pub fn run(
    lab: &Laboratory,
    experiment: Experiment,
    workload: &Workload,
    depth: Depth,
) -> Result<Figures, LabError> {
    let budget = match depth {
        Depth::Short => experiment.short(),
        Depth::Long => experiment.long(),
    };
    match experiment {
        Experiment::Kill => kill::kills(lab, workload, budget),
        Experiment::KillInRecovery => kill::kills_in_recovery(lab, workload, budget),
        Experiment::PowerCut => power::power_cuts(lab, workload, budget),
        Experiment::PowerCutAfterKill => power::power_cuts_after_kills(lab, workload, budget),
        Experiment::PowerCutAfterFailedSync => {
            power::power_cuts_after_failed_syncs(lab, workload, budget)
        }
        Experiment::PowerCutAfterFatalSync => {
            power::power_cuts_after_fatal_syncs(lab, workload, budget)
        }
        Experiment::Errors => kill::errors(lab, workload, budget),
        Experiment::ShortWrites => kill::short_writes(lab, workload, budget),
    }
}

/// Makes all experiments of a kind, or `all`, with one workload or all, and writes
/// the table. Whether every promise was kept, and the laboratory saw the losses it
/// must see.
///
/// # Errors
/// If the laboratory cannot work here.
pub fn report(
    what: &str,
    only: Option<&str>,
    depth: Depth,
    out: &mut impl Write,
) -> Result<bool, LabError> {
    let own = Path::new("the laboratory's own program");
    let child = std::env::current_exe().map_err(LabError::io("find", own))?;
    let lab = match Laboratory::equip(&child) {
        Equipment::Ready(lab) => lab,
        Equipment::Missing(why) => {
            let told = writeln!(out, "SKIPPED, nothing was tried: {why}");
            told.map_err(LabError::io("write", Path::new("the table")))?;
            return Ok(false);
        }
    };
    let mut table = Table { out, clean: true };
    table.line("experiment", "workload", &HEADINGS)?;
    for experiment in [
        Experiment::Kill,
        Experiment::KillInRecovery,
        Experiment::PowerCut,
        Experiment::PowerCutAfterKill,
        Experiment::PowerCutAfterFailedSync,
        Experiment::PowerCutAfterFatalSync,
        Experiment::Errors,
        Experiment::ShortWrites,
    ] {
        if what != "all" && what != experiment.word() {
            continue;
        }
        for name in NAMES {
            if only.is_some_and(|only| only != name) {
                continue;
            }
            let workload = named(name)?;
            let figures = run(&lab, experiment, &workload, depth)?;
            table.clean &= figures.is_clean();
            table.row(experiment.name(), name, &figures)?;
        }
    }
    if what == "all" || what == "teeth" {
        let figures = run(&lab, Experiment::PowerCut, &named(TEETH)?, depth)?;
        table.clean &= figures.losses > 0 && figures.tears == 0 && figures.refusals == 0;
        table.row("teeth: must lose", TEETH, &figures)?;
    }
    Ok(table.clean)
}

fn named(name: &str) -> Result<Workload, LabError> {
    Workload::named(name).ok_or_else(|| LabError::UnknownWorkload(name.to_owned()))
}

const HEADINGS: [&str; 8] = [
    "tried", "distinct", "undist.", "losses", "tears", "refusals", "retries", "crashes",
];

struct Table<'o, W> {
    out: &'o mut W,
    clean: bool,
}

impl<W: Write> Table<'_, W> {
    fn line(&mut self, one: &str, two: &str, cells: &[&str; 8]) -> Result<(), LabError> {
        let mut line = format!("{one:<24} {two:<14}");
        for cell in cells {
            line.push_str(&format!(" {cell:>9}"));
        }
        writeln!(self.out, "{line}").map_err(LabError::io("write", Path::new("the table")))
    }

    fn row(&mut self, one: &str, two: &str, figures: &Figures) -> Result<(), LabError> {
        let cells = [
            figures.tried,
            figures.distinct,
            figures.undisturbed,
            figures.losses,
            figures.tears,
            figures.refusals,
            figures.retries,
            figures.crashes,
        ]
        .map(|cell| cell.to_string());
        self.line(one, two, &cells.each_ref().map(String::as_str))?;
        for example in figures.examples.iter().take(6) {
            writeln!(self.out, "    {example}")
                .map_err(LabError::io("write", Path::new("the table")))?;
        }
        Ok(())
    }
}
