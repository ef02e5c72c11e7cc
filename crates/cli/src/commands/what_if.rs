//! `thirdring what-if`: one history under two rulebooks, and what changes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use thirdring::core::audit::{Comparison, Flip, Observable};
use thirdring::core::{Case, Setting, VerdictKind};
use thirdring::{Rulebook, replay_log};

use crate::commands::audit::records_of_file;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::foreign_log::ForeignLog;
use crate::log_map::LogMap;
use crate::moments;
use crate::output::{Style, Table, Text, counted};
use crate::shell::Shell;

/// How many flips people are shown unless they ask for all.
const SHOWN: usize = 10;

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
    let report = Report {
        comparison: &comparison,
        first: &first,
        second: &second,
        now,
    };
    if shell.is_json() {
        report.print_json(shell);
    } else {
        report.print(shell, arguments.all);
    }
    Ok(Exit::Fine)
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
            let now = given.or(log.latest).unwrap_or_default();
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
            let now = given.or(latest).unwrap_or_default();
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
            let now = given.or(latest).unwrap_or_default();
            for case in cases.values() {
                comparison.add(case, first, second, now, &everything);
            }
            Ok((comparison, now))
        }
    }
}

struct Report<'a> {
    comparison: &'a Comparison,
    first: &'a Rulebook,
    second: &'a Rulebook,
    now: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
struct FlipLine<'a> {
    stream: &'a str,
    rule: &'a str,
    clause: u16,
    key: Option<&'a str>,
    before: Option<&'static str>,
    after: Option<&'static str>,
    team: Option<&'a str>,
    month: Option<String>,
    facts: Vec<String>,
    why: &'a str,
}

#[derive(Debug, Serialize)]
struct RuleCounts<'a> {
    rule: &'a str,
    verdict: &'static str,
    before: usize,
    after: usize,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    streams: usize,
    same: usize,
    flips: usize,
    before: RulebookName<'a>,
    after: RulebookName<'a>,
    now: String,
    rules: Vec<RuleCounts<'a>>,
    teams: BTreeMap<String, usize>,
    months: BTreeMap<String, usize>,
}

#[derive(Debug, Serialize)]
struct RulebookName<'a> {
    manual: &'a str,
    rulebook: String,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

fn month(flip: &Flip) -> Option<String> {
    flip.month.map(|(year, month)| format!("{year}-{month:02}"))
}

fn said(kind: Option<VerdictKind>) -> String {
    kind.map_or_else(|| "nothing".to_owned(), findings::words)
}

impl Report<'_> {
    fn teams(&self) -> BTreeMap<String, usize> {
        self.comparison
            .by(|flip| flip.team.clone().unwrap_or_else(|| "nobody".to_owned()))
    }

    fn months(&self) -> BTreeMap<String, usize> {
        self.comparison
            .by(|flip| month(flip).unwrap_or_else(|| "no month".to_owned()))
    }

    /// Rules whose verdicts are counted otherwise.
    fn changed_counts(&self) -> impl Iterator<Item = (&str, VerdictKind, usize, usize)> {
        self.comparison
            .counts
            .iter()
            .filter(|(_, (before, after))| before != after)
            .map(|((rule, kind), (before, after))| (&**rule, *kind, *before, *after))
    }

    fn print_json(&self, shell: &mut Shell<'_>) {
        for flip in &self.comparison.flips {
            shell.out.json(&FlipLine {
                stream: flip.stream.as_str(),
                rule: &flip.rule,
                clause: flip.clause,
                key: flip.key.as_deref(),
                before: flip.before.map(VerdictKind::name),
                after: flip.after.map(VerdictKind::name),
                team: flip.team.as_deref(),
                month: month(flip),
                facts: flip.facts.iter().map(ToString::to_string).collect(),
                why: &flip.why,
            });
        }
        let name = |rulebook: &'_ Rulebook| rulebook.digest.to_string();
        shell.out.json(&SummaryLine {
            summary: Summary {
                streams: self.comparison.streams,
                same: self.comparison.same,
                flips: self.comparison.flips.len(),
                before: RulebookName {
                    manual: &self.first.name,
                    rulebook: name(self.first),
                },
                after: RulebookName {
                    manual: &self.second.name,
                    rulebook: name(self.second),
                },
                now: moments::machine(self.now, self.first.calendar.zone()),
                rules: self
                    .changed_counts()
                    .map(|(rule, kind, before, after)| RuleCounts {
                        rule,
                        verdict: kind.name(),
                        before,
                        after,
                    })
                    .collect(),
                teams: self.teams(),
                months: self.months(),
            },
        });
    }

    fn print(&self, shell: &mut Shell<'_>, all: bool) {
        let out = &mut shell.out;
        let flips = &self.comparison.flips;
        out.line(
            Text::new()
                .strong(counted(self.comparison.streams as u64, "stream"))
                .plain(format!(
                    " under `{}` ({}) and under `{}` ({}), at {}",
                    self.first.name,
                    self.first.digest.short(),
                    self.second.name,
                    self.second.digest.short(),
                    moments::people(self.now, self.first.calendar.zone()),
                )),
        );
        out.line(format!(
            "{} the same, {} differ.",
            counted(self.comparison.same as u64, "verdict"),
            flips.len()
        ));
        if self.first.digest == self.second.digest {
            out.line("Both rulebooks are the same: give a second --manual, or --set.");
        }
        if flips.is_empty() {
            return;
        }
        out.gap();
        let mut table = Table::with_head(["rule", "verdict", "before", "after"]).indented(2);
        for (rule, kind, before, after) in self.changed_counts() {
            table.row([
                Text::new().strong(rule),
                Text::new().styled(findings::style_of(kind), findings::words(kind)),
                Text::from(before.to_string()),
                Text::from(after.to_string()),
            ]);
        }
        table.print(out);
        for (what, counts) in [("team", self.teams()), ("month", self.months())] {
            out.gap();
            let mut table = Table::with_head([what, "verdicts that flip"]).indented(2);
            for (name, count) in counts {
                table.row([name, count.to_string()]);
            }
            table.print(out);
        }
        out.gap();
        let shown = if all { flips.len() } else { SHOWN };
        for flip in flips.iter().take(shown) {
            let key = flip
                .key
                .as_ref()
                .map(|key| format!(" ({key})"))
                .unwrap_or_default();
            out.line(
                Text::new()
                    .strong(flip.stream.as_str())
                    .plain(key)
                    .plain("  ")
                    .plain(&*flip.rule)
                    .plain(": ")
                    .plain(said(flip.before))
                    .dim(" → ")
                    .styled(
                        flip.after.map_or(Style::Plain, findings::style_of),
                        said(flip.after),
                    )
                    .dim(format!(", {}", flip.why)),
            );
        }
        if flips.len() > shown {
            out.line(format!(
                "… and {} more; --all shows them",
                flips.len() - shown
            ));
        }
    }
}
