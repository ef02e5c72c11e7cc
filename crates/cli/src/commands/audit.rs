//! `thirdring audit`: what every rule says about a whole history.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use thirdring::core::{Case, Record, VerdictKind, verdicts};
use thirdring::{Desk, HistoryLine, Rulebook, StreamId, read_all};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::input::Lines;
use crate::lines::{Counts, VerdictLine, says_something};
use crate::moments;
use crate::output::{Text, counted};
use crate::shell::Shell;
use crate::telling::{Attitude, Teller};
use crate::then::turned;

/// Judge a whole history: the store, or a file that no desk ever refused
/// anything of, and show every finding with the facts that prove it.
///
/// The chain of the store is proved on the way; damage is named by stream,
/// version and position. Exits with 1 where a rule is broken.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A history file (JSON Lines, `-` is standard input); without it the store
    #[arg(value_name = "FILE.jsonl|-")]
    file: Option<String>,
    /// As it was known at this moment: what was recorded later is left out
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    /// The present; the latest record's unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
    /// Show every verdict, not only what is broken or pending
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    streams: usize,
    records: usize,
    verdicts: Counts,
    now: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    manual: &'a str,
    rulebook: String,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let rulebook = Arc::new(shell.rulebook()?);
    let zone = rulebook.calendar.zone();
    let moment = |text: &Option<String>| {
        text.as_deref()
            .map(|text| moments::read(text, zone))
            .transpose()
    };
    let as_of = moment(&arguments.as_of)?;
    let now = moment(&arguments.now)?;
    let streams = match &arguments.file {
        Some(file) => records_of_file(file, &rulebook, shell)?,
        None => records_of_store(shell)?,
    };
    let known = |record: &Record| as_of.is_none_or(|moment| record.recorded_at <= moment);
    let everything = || streams.values().flatten().map(|record| &**record);
    if arguments.file.is_none() {
        shell.note_other_rulebooks(&rulebook, everything());
    }
    let latest = everything().map(|record| record.recorded_at).max();
    let now = now.or(as_of).or(latest);
    let report = Report {
        rulebook: &rulebook,
        as_of,
        all: arguments.all,
    };
    let total = report.print(&streams, now, shell);
    let summary = Summary {
        streams: streams
            .values()
            .filter(|records| records.iter().any(|record| known(record)))
            .count(),
        records: everything().filter(|record| known(record)).count(),
        verdicts: total,
        now: now.map(|now| moments::machine(now, zone)),
        as_of: as_of.map(|moment| moments::machine(moment, zone)),
        manual: &rulebook.name,
        rulebook: rulebook.digest.to_string(),
    };
    if shell.is_json() {
        shell.out.json(&SummaryLine { summary });
    } else {
        summary.print(shell, as_of, now, zone);
    }
    Ok(if total.of(VerdictKind::Broken) > 0 {
        Exit::Findings
    } else {
        Exit::Fine
    })
}

type Streams = BTreeMap<StreamId, Vec<Arc<Record>>>;

/// The records of the store, every link proved.
fn records_of_store(shell: &Shell<'_>) -> Result<Streams, Failure> {
    let log = shell.log(false)?;
    let mut streams = Streams::new();
    read_all(&*log, |_, record| {
        streams
            .entry(record.stream.clone())
            .or_default()
            .push(record)
    })?;
    Ok(streams)
}

/// The records a file amounts to when nothing in it is refused.
pub(super) fn records_of_file(
    file: &str,
    rulebook: &Arc<Rulebook>,
    shell: &mut Shell<'_>,
) -> Result<Streams, Failure> {
    let desk = Desk::in_memory(Arc::clone(rulebook));
    let mut lines = Lines::open(file, shell.stdin)?;
    let mut teller = Teller::new(Attitude::Observe);
    while let Some((number, text)) = lines.next_line()? {
        let parsed = HistoryLine::parse(number, &text)
            .map_err(|error| Failure::bad_line(lines.name(), number, error.problem))?;
        let Some(line) = parsed else { continue };
        let told = teller.place(&line, &text);
        teller
            .tell(&desk, line, &told)
            .map_err(|error| Failure::at_line(error, lines.name(), number))?;
    }
    let mut streams = Streams::new();
    for stream in desk.streams()? {
        let records = desk.history(&stream)?;
        streams.insert(stream, records);
    }
    Ok(streams)
}

struct Report<'a> {
    rulebook: &'a Arc<Rulebook>,
    as_of: Option<DateTime<Utc>>,
    all: bool,
}

impl Report<'_> {
    fn print(
        &self,
        streams: &Streams,
        now: Option<DateTime<Utc>>,
        shell: &mut Shell<'_>,
    ) -> Counts {
        let mut total = Counts::default();
        let Some(now) = now else { return total };
        let json = shell.is_json();
        let out = &mut shell.out;
        let mut first = true;
        for (stream, records) in streams {
            let case = Case::replay(
                stream.clone(),
                Arc::clone(self.rulebook),
                records.iter().cloned(),
            );
            let case = self
                .as_of
                .map(|moment| case.as_known_at(moment))
                .unwrap_or(case);
            if case.version() == 0 {
                continue;
            }
            let said = verdicts(&case, now);
            let counts: Counts = said.iter().collect();
            total.merge(&counts);
            let shown = |kind: VerdictKind| {
                self.all
                    || (json && says_something(kind))
                    || matches!(kind, VerdictKind::Broken | VerdictKind::Pending)
            };
            let turned = turned(&case, &said, now);
            if !json {
                if !first {
                    out.gap();
                }
                first = false;
                out.line(
                    Text::new()
                        .strong(stream.as_str())
                        .plain("  ")
                        .then(findings::status_text(&case)),
                );
                out.line(Text::new().plain("  ").then(findings::counts_text(&counts)));
            }
            let both = said.iter().zip(turned);
            for (verdict, turned) in both.filter(|(verdict, _)| shown(verdict.kind)) {
                if json {
                    out.json(&VerdictLine::of(verdict, self.rulebook).turned_by(turned.as_ref()));
                } else {
                    findings::verdict(out, &case, verdict, turned.as_ref());
                }
            }
        }
        total
    }
}

impl Summary<'_> {
    fn print(
        &self,
        shell: &mut Shell<'_>,
        as_of: Option<DateTime<Utc>>,
        now: Option<DateTime<Utc>>,
        zone: chrono_tz::Tz,
    ) {
        let out = &mut shell.out;
        if self.streams > 0 {
            out.gap();
        }
        let mut line = Text::new()
            .strong(format!(
                "{}, {}",
                counted(self.streams as u64, "stream"),
                counted(self.records as u64, "record")
            ))
            .plain(format!(" judged by `{}`", self.manual));
        line = match (as_of, now) {
            (Some(moment), _) => {
                line.plain(format!(" as known at {}", moments::people(moment, zone)))
            }
            (None, Some(now)) => line.plain(format!(" at {}", moments::people(now, zone))),
            (None, None) => line.plain("; there is nothing to judge yet"),
        };
        out.line(line.dim(format!(", zone {zone}")));
        let verdicts = findings::counts_text(&self.verdicts);
        if verdicts.width() > 0 {
            out.line(Text::new().dim("verdicts: ").then(verdicts));
        }
    }
}
