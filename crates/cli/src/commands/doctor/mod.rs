//! `thirdring doctor`: whether a store is as the contract of the log needs it.

mod check;
mod file;
mod file_system;
#[cfg(feature = "postgres")]
mod server;

use serde::Serialize;
use thirdring::store::{Cursor, Log, ProjectionStatus, StorageFailure, Timetables};

use self::check::{Check, State};
use crate::copying::prove;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Style, Table, Text, counted};
use crate::place::Place;
use crate::shell::Shell;

/// Show and check what the store rests on, line by line: ok, warn or bad, what
/// it means, and how to mend it. Nothing that is recorded is changed.
///
/// Exits with 1 where something is bad, with 4 where the store cannot be opened.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Do not read the whole store: leave out integrity and the chain of the records
    #[arg(long)]
    quick: bool,
}

#[derive(Debug, Serialize)]
struct CheckLine<'a> {
    check: &'a Check,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    store: String,
    ok: usize,
    warn: usize,
    bad: usize,
    skipped: usize,
}

#[derive(Debug, Serialize)]
struct SummaryLine {
    summary: Summary,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let place = shell.place()?;
    let checks = match &place {
        Place::Memory => {
            return Err(Failure::usage(
                "a store in memory has nothing to check: it is gone with the command",
                "name the store with --store",
            ));
        }
        Place::File(path) => file::examine(path, arguments.quick)?,
        #[cfg(feature = "postgres")]
        Place::Server(text) => server::examine(text, arguments.quick)?,
        #[cfg(not(feature = "postgres"))]
        Place::Server(_) => return place.open(false).map(|_| Exit::Fine),
    };
    let count = |state: State| checks.iter().filter(|check| check.state == state).count();
    let summary = Summary {
        store: place.to_string(),
        ok: count(State::Ok),
        warn: count(State::Warn),
        bad: count(State::Bad),
        skipped: count(State::Skipped),
    };
    let exit = if summary.bad > 0 {
        Exit::Findings
    } else {
        Exit::Fine
    };
    if shell.is_json() {
        for check in &checks {
            shell.out.json(&CheckLine { check });
        }
        shell.out.json(&SummaryLine { summary });
    } else {
        print(&checks, &summary, shell);
    }
    Ok(exit)
}

fn print(checks: &[Check], summary: &Summary, shell: &mut Shell<'_>) {
    let out = &mut shell.out;
    out.line(Text::new().strong(&summary.store));
    let mut table = Table::new().indented(2);
    for check in checks {
        table.row([
            Text::new().styled(check.state.style(), check.state.name()),
            Text::new().strong(check.name),
            Text::from(&check.found),
            Text::new().dim(&check.means),
        ]);
    }
    table.print(out);
    let to_mend = |check: &&Check| matches!(check.state, State::Warn | State::Bad);
    for check in checks.iter().filter(to_mend) {
        out.gap();
        out.line(
            Text::new()
                .styled(check.state.style(), check.state.name())
                .plain(": ")
                .strong(check.name)
                .plain(format!(": {}", check.found)),
        );
        out.prose(2, Style::Plain, &check.means);
        out.prose(2, Style::Plain, &format!("to mend it: {}", check.remedy));
    }
    out.gap();
    let verdict = match (summary.bad, summary.warn) {
        (0, 0) => Text::new().styled(Style::Good, "Everything is as it should be"),
        (0, warn) => Text::new()
            .styled(Style::Good, "Nothing is bad")
            .plain(format!(", {} to look at", counted(warn as u64, "thing"))),
        (bad, warn) => Text::new()
            .styled(Style::Bad, format!("{bad} bad"))
            .plain(format!(", {} to look at", counted(warn as u64, "thing"))),
    };
    let checked = summary.ok + summary.warn + summary.bad;
    let left_out = if summary.skipped > 0 {
        format!(", {} left out", summary.skipped)
    } else {
        String::new()
    };
    out.line(verdict.dim(format!("   {}{left_out}", counted(checked as u64, "check"))));
}

/// How that stands which is worked out of the records and kept beside them.
fn derived(
    log: &dyn Log,
    projections: Result<Vec<ProjectionStatus>, StorageFailure>,
) -> Vec<Check> {
    let end = log.end().ok();
    let how_far = |cursor: &Cursor| {
        if end.as_ref() == Some(cursor) {
            "up to the end".to_owned()
        } else {
            format!("up to {cursor}")
        }
    };
    let mut checks = Vec::new();
    match log.timetables().map_or(Ok(Vec::new()), Timetables::list) {
        Ok(list) => checks.extend(list.iter().map(|state| {
            let name = short(&state.name);
            let moments = counted(state.moments, "moment");
            match &state.cursor {
                Some(cursor) => Check::ok(
                    "timetable",
                    format!("{name}, {}: {moments}", how_far(cursor)),
                    "when streams are due; a desk reads only what came after",
                ),
                None => Check::warn(
                    "timetable",
                    format!("{name}, damaged: {moments}"),
                    "up to where it was worked out cannot be read; no record is concerned",
                    "run `thirdring due` with the manual it is of, which works it out anew, or \
                     `thirdring lapse --forget-others` with another one, which forgets it",
                ),
            }
        })),
        Err(error) => checks.push(Check::warn(
            "timetable",
            error.to_string(),
            "when streams are due cannot be looked up",
            "check that this user may read the store",
        )),
    }
    match projections {
        Ok(list) => checks.extend(list.iter().map(projection(&how_far))),
        Err(error) => checks.push(Check::warn(
            "projection",
            error.to_string(),
            "it cannot be seen how far the projections are",
            "check that this user may read the store",
        )),
    }
    checks
}

/// A name as far as people tell it apart: it may hold a digest.
fn short(name: &str) -> String {
    match name.char_indices().nth(24) {
        None => name.to_owned(),
        Some((place, _)) => format!("{}…", name.get(..place).unwrap_or(name)),
    }
}

fn projection(how_far: &dyn Fn(&Cursor) -> String) -> impl Fn(&ProjectionStatus) -> Check {
    move |status| {
        let found = format!(
            "{}, version {}, {}",
            status.name,
            status.version,
            how_far(&status.cursor)
        );
        match &status.stopped {
            None => Check::ok(
                "projection",
                found,
                "it goes on from there; no record was passed over",
            ),
            Some(stop) => Check::warn(
                "projection",
                format!("{found}; {stop}"),
                "what it shows ends before that record; the records themselves are not concerned",
                "mend the program that writes it, then let it go on or rebuild it",
            ),
        }
    }
}

/// Whether every record follows from the one before.
fn chain(log: &dyn Log, quick: bool) -> Check {
    if quick {
        return Check::skipped("chain", "the records were not read: --quick");
    }
    match prove(log) {
        Ok(proved) => Check::ok(
            "chain",
            proved.in_words(),
            "every record follows from the one before",
        ),
        Err(failure) => Check::bad(
            "chain",
            failure.to_string(),
            "what stands there is not what was recorded",
            "restore a backup that `thirdring verify` finds sound; keep the damaged store",
        ),
    }
}

/// Bytes in words: `4.0 KiB`.
fn in_words(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.iter().find(|(_, shift)| bytes >> shift > 0) {
        Some((unit, shift)) => {
            let tenths = (bytes >> (shift - 10)).saturating_mul(10) >> 10;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => counted(bytes, "byte"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_words() {
        assert_eq!(in_words(0), "0 bytes");
        assert_eq!(in_words(1), "1 byte");
        assert_eq!(in_words(4096), "4.0 KiB");
        assert_eq!(in_words(5 * 1024 * 1024 + 300 * 1024), "5.2 MiB");
        assert_eq!(in_words(3 << 30), "3.0 GiB");
    }
}
