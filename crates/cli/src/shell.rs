//! What every command works with: output, input, options, and from them the
//! rulebook, the log and the desk.

use std::io::BufRead;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use thirdring::core::digest::Digest;
use thirdring::core::vocabulary::nearest;
use thirdring::core::{Record, Setting, load_with};
use thirdring::store::Log;
use thirdring::{Desk, Rulebook, TimeSource, manuals};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::moments;
use crate::options::Options;
use crate::output::{Format, Out, Text, shorten};
use crate::place::Place;

/// The file that complaints about `--set` are about.
const SET: &str = "--set";

/// What every command works with.
pub(crate) struct Shell<'w> {
    pub(crate) out: Out<'w>,
    pub(crate) notes: Out<'w>,
    pub(crate) stdin: &'w mut dyn BufRead,
    pub(crate) shows_progress: bool,
    pub(crate) time: TimeSource,
    pub(crate) options: Options,
}

impl Shell<'_> {
    /// Whether machines read the output.
    pub(crate) fn is_json(&self) -> bool {
        self.options.format == Format::Json
    }

    /// The rulebook of `--manual`.
    ///
    /// # Errors
    /// If there is no such manual, or it has errors.
    pub(crate) fn rulebook(&self) -> Result<Rulebook, Failure> {
        rulebook(self.manual()?)
    }

    /// The manual of `--manual`, where one is meant.
    ///
    /// # Errors
    /// If several are given.
    pub(crate) fn manual(&self) -> Result<&str, Failure> {
        match self.options.manual.as_slice() {
            [manual] => Ok(manual),
            _ => Err(Failure::usage(
                "--manual stands several times, and only `what-if` compares manuals",
                "name one manual",
            )),
        }
    }

    /// The two rulebooks of `what-if`: two manuals, or one and the same with
    /// members of its rules set otherwise.
    ///
    /// # Errors
    /// If there are more than two, or one of them has errors.
    pub(crate) fn two_rulebooks(
        &self,
        settings: &[Setting],
    ) -> Result<(Rulebook, Rulebook), Failure> {
        let (first, second) = match self.options.manual.as_slice() {
            [only] => (only, only),
            [first, second] => (first, second),
            _ => {
                return Err(Failure::usage(
                    "more than two manuals are given",
                    "compare two: --manual A --manual B",
                ));
            }
        };
        let set = |mut failure: Failure| {
            // What is wrong with --set is wrong with the command line.
            if failure
                .told
                .iter()
                .all(|told| told.file.as_deref() == Some(SET))
            {
                failure.exit = Exit::Usage;
                for told in &mut failure.told {
                    (told.line, told.column) = (None, None);
                }
            }
            failure
        };
        let second = rulebook_with(second, settings).map_err(set)?;
        Ok((rulebook(first)?, second))
    }

    /// The log of `--store`; `create` makes the file where there is none.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(crate) fn log(&self, create: bool) -> Result<Box<dyn Log>, Failure> {
        self.place()?.open(create)
    }

    /// Where the store is.
    ///
    /// # Errors
    /// If `--store` names none.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        Place::of(&self.options.store)
    }

    /// A desk on the store and the manual, in the present.
    ///
    /// # Errors
    /// If one of them cannot be opened.
    pub(crate) fn desk(&self, create: bool) -> Result<Desk, Failure> {
        // The manual first: where it has errors no store is made.
        self.desk_by(self.rulebook()?, create)
    }

    /// As [`desk`](Self::desk), by a rulebook that was read already.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub(crate) fn desk_by(&self, rulebook: Rulebook, create: bool) -> Result<Desk, Failure> {
        Ok(Desk::open(self.log(create)?, rulebook).with_time(self.time.clone()))
    }

    /// The present: the moment the command line names, else the clock's.
    ///
    /// # Errors
    /// If what it names is no moment.
    pub(crate) fn now(&self, named: Option<&str>, zone: Tz) -> Result<DateTime<Utc>, Failure> {
        named.map_or_else(|| Ok(self.time.now()), |text| moments::read(text, zone))
    }

    /// Says beside the output what an attempt that was cut short had left.
    pub(crate) fn note_removed(&mut self, left: &[PathBuf]) {
        if left.is_empty() {
            return;
        }
        let names: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
        self.notes.line(Text::new().dim("note: ").plain(format!(
            "an earlier attempt was cut short; what it left is removed: {}",
            names.join(", ")
        )));
    }

    /// Says beside the output that records were judged by another rulebook.
    pub(crate) fn note_other_rulebooks<'r>(
        &mut self,
        rulebook: &Rulebook,
        records: impl IntoIterator<Item = &'r Record>,
    ) {
        let mut others: Vec<Digest> = Vec::new();
        let mut count = 0u64;
        for record in records {
            if record.rulebook != rulebook.digest {
                count += 1;
                if !others.contains(&record.rulebook) {
                    others.push(record.rulebook);
                }
            }
        }
        if count == 0 {
            return;
        }
        let names: Vec<String> = others.iter().map(Digest::short).collect();
        self.notes.line(Text::new().dim("note: ").plain(format!(
            "{count} {} judged by another rulebook ({}) when recorded; what follows is judged by `{}` ({})",
            if count == 1 { "record was" } else { "records were" },
            names.join(", "),
            rulebook.name,
            rulebook.digest.short(),
        )));
    }
}

/// The rulebook of a shipped manual or of a file.
///
/// # Errors
/// If there is no such manual, or it has errors.
pub(crate) fn rulebook(manual: &str) -> Result<Rulebook, Failure> {
    rulebook_with(manual, &[])
}

/// As [`rulebook`], with members of its rules set otherwise.
fn rulebook_with(manual: &str, settings: &[Setting]) -> Result<Rulebook, Failure> {
    if manual.ends_with(".toml") {
        let text =
            std::fs::read_to_string(manual).map_err(|error| Failure::unreadable(manual, &error))?;
        let (library, name) = manuals::library_with(manual, &text)?;
        return Ok(load_with(&library, &name, settings)?);
    }
    if !manuals::NAMES.contains(&manual) {
        let known = manuals::NAMES.join(", ");
        let remedy = match nearest(manual, manuals::NAMES.iter().copied()) {
            Some(near) => format!(
                "did you mean `{near}`? shipped are {known}; a file of your own ends in .toml"
            ),
            None => format!("shipped are {known}; a file of your own ends in .toml"),
        };
        let shown = shorten(manual);
        return Err(Failure::usage(
            format!("there is no manual `{shown}`"),
            remedy,
        ));
    }
    Ok(load_with(&manuals::library(), manual, settings)?)
}
