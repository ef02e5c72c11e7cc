//! `thirdring judge`: somebody else's log, judged through a map.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use thirdring::Rulebook;
use thirdring::core::audit::verdicts_of;
use thirdring::core::{Case, Verdict, VerdictKind};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::foreign_log::{ForeignLog, row_of};
use crate::lines::{Counts, VerdictLine, says_something};
use crate::log_map::LogMap;
use crate::moments;
use crate::output::{Out, Style, Table, Text, counted};
use crate::shell::Shell;

/// Judge somebody else's log (CSV), through a map that says what its columns
/// and activities mean and which facts it can show; what it cannot show is
/// counted as unobservable. Exits with 1 where a rule is broken.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The log
    #[arg(value_name = "LOG.csv")]
    log: String,
    /// The map: a shipped one (helpdesk) or a file ending in .toml
    #[arg(long, value_name = "NAME|FILE")]
    map: String,
    /// The present; the log's latest moment unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
    /// Print what is broken case by case, not only the summary
    #[arg(long)]
    findings: bool,
    /// For machines: print every verdict, also rules nothing happened to concern
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let began = Instant::now();
    let rulebook = Arc::new(shell.rulebook()?);
    let map = LogMap::open(&arguments.map)?;
    let now = arguments
        .now
        .as_deref()
        .map(|text| moments::read(text, rulebook.calendar.zone()))
        .transpose()?;
    let unreadable = |error| Failure::unreadable(&arguments.log, &error);
    let file = File::open(&arguments.log).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let progress = Progress::new(shell.shows_progress);
    let reading = progress.bar(bytes, "reading");
    let log = ForeignLog::read(
        &arguments.log,
        BufReader::with_capacity(1 << 16, reading.wrap_read(file)),
        &map,
        rulebook.digest,
    )?;
    reading.finish_and_clear();
    let now = now.or(log.latest).unwrap_or_default();
    let judging = progress.bar(log.cases.len() as u64, "judging");
    let mut summary = Summary::new(&log, &rulebook, now);
    let json = shell.is_json();
    for (stream, records) in &log.cases {
        let case = Case::replay(
            stream.clone(),
            Arc::clone(&rulebook),
            records.iter().cloned(),
        );
        let said = verdicts_of(&case, now, &map.observable, None);
        summary.count(&case, &said);
        if json {
            print_lines(&mut shell.out, &said, &rulebook, arguments.all);
        } else if arguments.findings {
            for verdict in said
                .iter()
                .filter(|verdict| verdict.kind == VerdictKind::Broken)
            {
                print_finding(&mut shell.out, verdict, &rulebook);
            }
        }
        judging.inc(1);
    }
    judging.finish_and_clear();
    let broken = summary.verdicts.of(VerdictKind::Broken) > 0;
    if json {
        shell.out.json(&SummaryLine { summary });
        shell.out.json(&TookLine {
            took: Took::since(began),
        });
    } else {
        summary.print(&mut shell.out, &rulebook, now);
        Took::since(began).print(&mut shell.notes);
    }
    Ok(if broken { Exit::Findings } else { Exit::Fine })
}

fn rows(verdict: &Verdict) -> Vec<u64> {
    let mut rows: Vec<u64> = verdict.facts.iter().map(|id| row_of(*id)).collect();
    rows.dedup();
    rows
}

fn print_lines(out: &mut Out<'_>, said: &[Verdict], rulebook: &Rulebook, all: bool) {
    for verdict in said
        .iter()
        .filter(|verdict| all || says_something(verdict.kind))
    {
        let mut line = VerdictLine::of(verdict, rulebook);
        line.rows = rows(verdict);
        out.json(&line);
    }
}

fn print_finding(out: &mut Out<'_>, verdict: &Verdict, rulebook: &Rulebook) {
    let rows: Vec<String> = rows(verdict).iter().map(u64::to_string).collect();
    let mut line = Text::new()
        .styled(Style::Bad, findings::words(verdict.kind))
        .plain("  ")
        .strong(verdict.stream.as_str())
        .plain("  ")
        .plain(&*verdict.rule)
        .plain(": ")
        .plain(&verdict.why);
    if let Some(due) = verdict.due {
        line = line
            .dim(", due ")
            .plain(moments::people(due, rulebook.calendar.zone()));
    }
    out.line(line.dim(format!(" (rows {})", rows.join(", "))));
    findings::changes(out, "        changed: ", rulebook, &verdict.rule);
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    rows: u64,
    cases: usize,
    ignored: u64,
    superseded: u64,
    facts: Vec<FactCount>,
    rules: Vec<RuleCount<'a>>,
    verdicts: Counts,
    now: String,
    manual: &'a str,
    rulebook: String,
}

/// How often a fact stands in the log, and in how many cases.
#[derive(Debug, Serialize)]
struct FactCount {
    fact: &'static str,
    count: u64,
    cases: u64,
}

/// What one rule says about the log.
#[derive(Debug, Serialize)]
struct RuleCount<'a> {
    rule: &'a str,
    verdicts: Counts,
    /// In how many cases there is such a verdict.
    cases: Counts,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

impl<'a> Summary<'a> {
    fn new(log: &ForeignLog, rulebook: &'a Rulebook, now: DateTime<Utc>) -> Self {
        Self {
            rows: log.rows,
            cases: log.cases.len(),
            ignored: log.ignored,
            superseded: log.superseded,
            facts: Vec::new(),
            rules: rulebook
                .rules
                .iter()
                .map(|rule| RuleCount {
                    rule: &rule.id,
                    verdicts: Counts::default(),
                    cases: Counts::default(),
                })
                .collect(),
            verdicts: Counts::default(),
            now: moments::machine(now, rulebook.calendar.zone()),
            manual: &rulebook.name,
            rulebook: rulebook.digest.to_string(),
        }
    }

    fn count(&mut self, case: &Case, said: &[Verdict]) {
        let mut in_case: BTreeMap<&'static str, u64> = BTreeMap::new();
        for fact in case.records().iter().filter_map(|record| record.fact()) {
            *in_case.entry(fact.fact_type().name()).or_default() += 1;
        }
        for (fact, count) in in_case {
            match self.facts.iter_mut().find(|known| known.fact == fact) {
                Some(known) => {
                    known.count += count;
                    known.cases += 1;
                }
                None => self.facts.push(FactCount {
                    fact,
                    count,
                    cases: 1,
                }),
            }
        }
        let mut seen: BTreeSet<(&str, VerdictKind)> = BTreeSet::new();
        for verdict in said {
            self.verdicts.add(verdict.kind);
            if let Some(rule) = self
                .rules
                .iter_mut()
                .find(|known| known.rule == &*verdict.rule)
            {
                rule.verdicts.add(verdict.kind);
                if seen.insert((&verdict.rule, verdict.kind)) {
                    rule.cases.add(verdict.kind);
                }
            }
        }
    }

    fn print(&mut self, out: &mut Out<'_>, rulebook: &Rulebook, now: DateTime<Utc>) {
        out.line(
            Text::new()
                .strong(format!(
                    "{}, {}",
                    counted(self.rows, "row"),
                    counted(self.cases as u64, "case")
                ))
                .plain(format!(
                    " judged by `{}` at {} ({})",
                    rulebook.name,
                    moments::people(now, rulebook.calendar.zone()),
                    rulebook.calendar.zone()
                )),
        );
        out.line(format!(
            "As the map says: {} ignored, {} without weight beside a later one of the same case.",
            counted(self.ignored, "row"),
            counted(self.superseded, "row")
        ));
        out.gap();
        let mut table = Table::with_head(["fact", "count", "in cases"]).indented(2);
        self.facts
            .sort_by(|a, b| b.count.cmp(&a.count).then(a.fact.cmp(b.fact)));
        for fact in &self.facts {
            table.row([
                fact.fact.to_owned(),
                fact.count.to_string(),
                fact.cases.to_string(),
            ]);
        }
        table.print(out);
        out.gap();
        let mut table = Table::with_head(["rule", "what it says", "verdicts", "cases"]).indented(2);
        for rule in &self.rules {
            for (kind, count) in rule.verdicts.each().filter(|(_, count)| *count > 0) {
                table.row([
                    Text::new().strong(rule.rule),
                    Text::new().styled(findings::style_of(kind), findings::words(kind)),
                    Text::from(count.to_string()),
                    Text::from(rule.cases.of(kind).to_string()),
                ]);
            }
        }
        table.print(out);
        out.gap();
        out.line(
            Text::new()
                .dim("verdicts: ")
                .then(findings::counts_text(&self.verdicts)),
        );
    }
}

/// How long it took, and how much memory. Beside the results, which are the
/// same every time.
#[derive(Debug, Serialize)]
struct Took {
    seconds: f64,
    peak_memory_kib: Option<u64>,
}

#[derive(Debug, Serialize)]
struct TookLine {
    took: Took,
}

impl Took {
    fn since(began: Instant) -> Self {
        // Only some systems tell; elsewhere the figure is left out.
        let peak = std::fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| {
                let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
                line.split_whitespace().nth(1)?.parse().ok()
            });
        Self {
            seconds: began.elapsed().as_secs_f64(),
            peak_memory_kib: peak,
        }
    }

    fn print(&self, notes: &mut Out<'_>) {
        let memory = self
            .peak_memory_kib
            .map(|kib| format!(", at most {} MiB of memory", kib.div_ceil(1024)))
            .unwrap_or_default();
        notes.line(
            Text::new()
                .dim("note: ")
                .plain(format!("{:.3} seconds{memory}", self.seconds)),
        );
    }
}

/// Bars on the terminal, where there is one.
struct Progress {
    shown: bool,
}

impl Progress {
    const fn new(shown: bool) -> Self {
        Self { shown }
    }

    fn bar(&self, length: u64, doing: &'static str) -> ProgressBar {
        let target = if self.shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(length), target).with_message(doing);
        // A template that does not parse is no reason to stop the work.
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %") {
            bar.set_style(style);
        }
        if self.shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        bar
    }
}
