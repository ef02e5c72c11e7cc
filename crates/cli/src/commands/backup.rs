//! `thirdring backup`: a copy of the store, taken while it is in use.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::copying::{Proved, copy, prove};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{
    UNPROVED, beside, check_folder, exists, is_same, not_backed_up, publish, remove,
};
use crate::output::{Style, Text};
use crate::place::{Place, open_file};
use crate::shell::Shell;

/// Copy the store as of one moment into a file, while others write to it.
///
/// The copy is proved record by record before it gets its name, so that
/// whatever stands at FILE is a whole backup. A database on a server is copied
/// into such a file too; `thirdring restore` takes both back.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where the copy goes
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace a backup that is there
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    backup: String,
    records: u64,
    streams: usize,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct SummaryLine {
    summary: Summary,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let target = &arguments.file;
    let place = shell.place()?;
    check_target(target, &place, arguments.force)?;
    let partial = beside(target, UNPROVED);
    shell.note_removed(&remove(&partial));
    let proved = made(&place, &partial).and_then(|proved| {
        publish(&partial, target, arguments.force)?;
        Ok(proved)
    });
    let proved = match proved {
        Ok(proved) => proved,
        Err(failure) => {
            remove(&partial);
            return Err(failure);
        }
    };
    let bytes = fs::metadata(target).map_or(0, |metadata| metadata.len());
    if shell.is_json() {
        shell.out.json(&SummaryLine {
            summary: Summary {
                backup: target.display().to_string(),
                records: proved.records,
                streams: proved.streams,
                bytes,
            },
        });
    } else {
        shell
            .out
            .line(Text::new().styled(Style::Good, "Backed up").plain(format!(
                " {place} to {}: {}, proved.",
                target.display(),
                proved.in_words()
            )));
    }
    Ok(Exit::Fine)
}

fn check_target(target: &Path, place: &Place, force: bool) -> Result<(), Failure> {
    let shown = target.display();
    if let Place::File(store) = place
        && is_same(store, target)
    {
        return Err(Failure::usage(
            format!("{shown} is the store itself"),
            "name another file, best on another disk",
        ));
    }
    if target.is_dir() {
        return Err(Failure::usage(
            format!("{shown} is a folder"),
            "name a file in it, e.g. FOLDER/2026-03-03.db",
        ));
    }
    check_folder(target)?;
    if target.exists() && !force {
        return Err(exists(target));
    }
    Ok(())
}

/// Copies the store and proves the copy.
fn made(place: &Place, partial: &Path) -> Result<Proved, Failure> {
    match place {
        Place::Memory => {
            return Err(Failure::usage(
                "a store in memory is gone with the command: there is nothing to back up",
                "name the store with --store",
            ));
        }
        Place::File(path) => open_file(path, false)?
            .backup_to(partial)
            .map_err(not_backed_up)?,
        Place::Server(_) => {
            copy(&*place.open(false)?, &open_file(partial, true)?)?;
        }
    }
    Ok(prove(&open_file(partial, false)?)?)
}
