//! `thirdring what-if`: one history under two rulebooks, and what changes.

mod machine;
mod people;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use thirdring::core::audit::{Comparison, Flip, Observable};
use thirdring::core::{Case, Setting, VerdictKind};
use thirdring::{Rulebook, replay_log};

use crate::commands::audit::records_of_file;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::foreign_log::ForeignLog;
use crate::log_map::LogMap;
use crate::moments;
use crate::shell::Shell;

/// Judge one history under two rulebooks and show what changes: verdicts that
/// flip, by rule, by team, by month, with the streams that prove it.
///
/// The second rulebook is a second `--manual`, or the first with members of its
/// rules set otherwise: `--set hotline-callback-within-1h.within=PT2H`. Nothing
/// is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A history file (JSON Lines, `-` is standard input), or with --map somebody
    /// else's log; without it the store
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// Set a member of a rule otherwise; may stand several times
    #[arg(long, value_name = "RULE.MEMBER=VALUE")]
    set: Vec<Setting>,
    /// Read FILE as somebody else's log (CSV) through this map
    #[arg(long, value_name = "NAME|FILE", requires = "file")]
    map: Option<String>,
    /// The present; the latest record's unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
    /// Show every flip
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let (first, second) = shell.two_rulebooks(&arguments.set)?;
    let (first, second) = (Arc::new(first), Arc::new(second));
    let zone = first.calendar.zone();
    let given = arguments
        .now
        .as_deref()
        .map(|text| moments::read(text, zone))
        .transpose()?;
    let (comparison, now) = compare(arguments, shell, &first, &second, given)?;
    let changed = Changed {
        comparison: &comparison,
        first: &first,
        second: &second,
        settings: &arguments.set,
        now,
    };
    if shell.is_json() {
        machine::print(&changed, shell);
    } else {
        people::print(&changed, arguments.all, &mut shell.out);
    }
    Ok(Exit::Fine)
}

/// What changes, and between what.
struct Changed<'a> {
    comparison: &'a Comparison,
    first: &'a Rulebook,
    second: &'a Rulebook,
    settings: &'a [Setting],
    now: DateTime<Utc>,
}

/// How many verdicts flip, and how many of them to and from broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
struct Flips {
    flips: usize,
    newly_broken: usize,
    no_longer_broken: usize,
}

impl Flips {
    fn add(&mut self, flip: &Flip) {
        self.flips += 1;
        self.newly_broken += usize::from(flip.after == Some(VerdictKind::Broken));
        self.no_longer_broken += usize::from(flip.before == Some(VerdictKind::Broken));
    }
}

impl Changed<'_> {
    /// The flips by a property of theirs.
    fn by(&self, key: impl Fn(&Flip) -> String) -> BTreeMap<String, Flips> {
        let mut counts: BTreeMap<String, Flips> = BTreeMap::new();
        for flip in &self.comparison.flips {
            counts.entry(key(flip)).or_default().add(flip);
        }
        counts
    }

    fn teams(&self) -> BTreeMap<String, Flips> {
        self.by(|flip| flip.team.clone().unwrap_or_else(|| "nobody".to_owned()))
    }

    fn months(&self) -> BTreeMap<String, Flips> {
        self.by(|flip| month(flip).unwrap_or_else(|| "no month".to_owned()))
    }

    /// Rules whose verdicts are counted otherwise.
    fn changed_counts(&self) -> impl Iterator<Item = (&str, VerdictKind, usize, usize)> {
        self.comparison
            .counts
            .iter()
            .filter(|(_, (before, after))| before != after)
            .map(|((rule, kind), (before, after))| (&**rule, *kind, *before, *after))
    }

    /// Verdicts of all rules, of one kind: before and after.
    fn of_kind(&self, wanted: VerdictKind) -> (usize, usize) {
        self.comparison
            .counts
            .iter()
            .filter(|((_, kind), _)| *kind == wanted)
            .fold((0, 0), |(before, after), (_, (b, a))| {
                (before + b, after + a)
            })
    }
}

/// Rules that one rulebook has and another has not.
fn only_in<'a>(one: &'a Rulebook, other: &'a Rulebook) -> impl Iterator<Item = &'a str> {
    one.rules
        .iter()
        .map(|rule| &*rule.id)
        .filter(|id| other.rule(id).is_none())
}

fn month(flip: &Flip) -> Option<String> {
    flip.month.map(|(year, month)| format!("{year}-{month:02}"))
}

fn compare(
    arguments: &Arguments,
    shell: &mut Shell<'_>,
    first: &Arc<Rulebook>,
    second: &Arc<Rulebook>,
    given: Option<DateTime<Utc>>,
) -> Result<(Comparison, DateTime<Utc>), Failure> {
    let mut comparison = Comparison::default();
    let everything = Observable::default();
    match (&arguments.file, &arguments.map) {
        (Some(file), Some(map)) => {
            let map = LogMap::open(map)?;
            let open = File::open(file).map_err(|error| Failure::unreadable(file, &error))?;
            let log = ForeignLog::read(file, BufReader::new(open), &map, first.digest)?;
            let now = given.or(log.latest).unwrap_or_else(|| shell.time.now());
            for (stream, records) in log.cases {
                let case = Case::replay(stream, Arc::clone(first), records);
                comparison.add(&case, first, second, now, &map.observable);
            }
            Ok((comparison, now))
        }
        (Some(file), None) => {
            let streams = records_of_file(file, first, shell)?;
            let latest = streams
                .values()
                .flatten()
                .map(|record| record.recorded_at)
                .max();
            let now = given.or(latest).unwrap_or_else(|| shell.time.now());
            for (stream, records) in streams {
                let case = Case::replay(stream, Arc::clone(first), records);
                comparison.add(&case, first, second, now, &everything);
            }
            Ok((comparison, now))
        }
        (None, _) => {
            let log = shell.log(false)?;
            let cases: Mutex<BTreeMap<_, Case>> = Mutex::default();
            replay_log(&*log, first, |case| {
                cases
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(case.stream().clone(), case);
            })?;
            let cases = cases.into_inner().unwrap_or_else(PoisonError::into_inner);
            let latest = cases
                .values()
                .flat_map(Case::records)
                .map(|record| record.recorded_at)
                .max();
            let now = given.or(latest).unwrap_or_else(|| shell.time.now());
            for case in cases.values() {
                comparison.add(case, first, second, now, &everything);
            }
            Ok((comparison, now))
        }
    }
}
