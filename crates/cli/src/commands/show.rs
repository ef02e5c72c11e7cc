//! `thirdring show`: the streams of the store, or one stream's history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use thirdring::core::record::Content;
use thirdring::core::vocabulary::Value;
use thirdring::core::{Actor, Case, Record, RecordId, VerdictKind, verdicts};
use thirdring::{Desk, Fact, StreamId};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::lines::{Counts, NoticeLine, VerdictLine, says_something};
use crate::moments;
use crate::output::{Out, Style, Table, Text, counted};
use crate::shell::Shell;
use crate::then::{flags, turned};

/// Show the streams of the store with where they stand, or one stream's history.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The stream; without it a table of all
    stream: Option<String>,
    /// Show what every rule says about the stream
    #[arg(long)]
    verdicts: bool,
    /// The present; the machine's clock unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let desk = shell.desk(false)?;
    let zone = desk.rulebook().calendar.zone();
    let now = shell.now(arguments.now.as_deref(), zone)?;
    match &arguments.stream {
        None => all_streams(&desk, now, zone, shell)?,
        Some(name) => {
            let case = known_case(&desk, name)?;
            shell.note_other_rulebooks(
                desk.rulebook(),
                case.records().iter().map(|record| &**record),
            );
            one_stream(&case, now, zone, arguments.verdicts, shell);
        }
    }
    Ok(Exit::Fine)
}

/// A stream by its name.
///
/// # Errors
/// If it is no name, or the store has no such stream: then which are near.
pub(crate) fn known_case(desk: &Desk, name: &str) -> Result<Case, Failure> {
    let stream = StreamId::new(name).map_err(|error| {
        Failure::usage(
            format!("this is no stream: {error}"),
            "name one, e.g. T-1001",
        )
    })?;
    let case = desk.case(&stream)?;
    if case.version() > 0 {
        return Ok(case);
    }
    let known = desk.streams()?;
    let remedy =
        match thirdring::core::vocabulary::nearest(name, known.iter().map(StreamId::as_str)) {
            Some(near) => format!("did you mean {near}? `thirdring show` lists all"),
            None => "`thirdring show` lists all".to_owned(),
        };
    Err(Failure::usage(
        format!("the store has no stream {name}"),
        remedy,
    ))
}

fn all_streams(
    desk: &Desk,
    now: DateTime<Utc>,
    zone: Tz,
    shell: &mut Shell<'_>,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct StreamLine<'a> {
        stream: &'a str,
        process: &'static str,
        status: &'static str,
        visits: &'a BTreeMap<String, &'static str>,
        facts: usize,
        last_at: Option<String>,
        last_fact: Option<&'static str>,
        open_clocks: usize,
        overdue: usize,
        verdicts: &'a Counts,
    }
    let mut open: BTreeMap<StreamId, (usize, usize)> = BTreeMap::new();
    for clock in desk.open_clocks(now)? {
        let (running, overdue) = open.entry(clock.stream).or_default();
        *running += 1;
        *overdue += usize::from(clock.overdue);
    }
    let mut table = Table::with_head([
        "stream",
        "status",
        "facts",
        "last fact",
        "",
        "open clocks",
        "broken",
    ]);
    let streams = desk.streams()?;
    for stream in &streams {
        let case = desk.case(stream)?;
        let status = case.status();
        let last = case.history().records().last();
        let last_fact = last
            .and_then(|record| record.fact())
            .map(|fact| fact.fact_type().name());
        let counts: Counts = verdicts(&case, now).iter().collect();
        let (running, overdue) = open.get(stream).copied().unwrap_or_default();
        if shell.is_json() {
            shell.out.json(&StreamLine {
                stream: stream.as_str(),
                process: stream.process().name(),
                status: status.stream,
                visits: &status.visits,
                facts: case.history().len(),
                last_at: last.map(|record| moments::machine(record.happened_at(), zone)),
                last_fact,
                open_clocks: running,
                overdue,
                verdicts: &counts,
            });
            continue;
        }
        let mut clocks = Text::from(running.to_string());
        if overdue > 0 {
            clocks = clocks
                .plain(" ")
                .styled(Style::Bad, format!("({overdue} overdue)"));
        }
        let broken = counts.of(VerdictKind::Broken);
        table.row([
            Text::new().strong(stream.as_str()),
            findings::status_text(&case),
            Text::from(case.history().len().to_string()),
            Text::from(
                last.map(|record| moments::column(record.happened_at(), zone))
                    .unwrap_or_default(),
            ),
            Text::from(last_fact.unwrap_or_default()),
            clocks,
            if broken > 0 {
                Text::new().styled(Style::Bad, broken.to_string())
            } else {
                Text::new().dim("0")
            },
        ]);
    }
    if !shell.is_json() {
        if streams.is_empty() {
            shell.out.line("The store holds no streams yet. `thirdring run FILE.jsonl` or `thirdring record` adds some.");
        } else {
            table.print(&mut shell.out);
            shell.out.gap();
            shell.out.line(Text::new().dim(format!(
                "{}; moments in {zone}",
                counted(streams.len() as u64, "stream")
            )));
        }
    }
    Ok(())
}

fn one_stream(case: &Case, now: DateTime<Utc>, zone: Tz, all: bool, shell: &mut Shell<'_>) {
    let said = verdicts(case, now);
    if shell.is_json() {
        for (record, flags) in with_flags(case) {
            shell.out.json(&RecordLine::of(&record, flags, zone));
        }
        for (verdict, turned) in said
            .iter()
            .zip(turned(case, &said, now))
            .filter(|(verdict, _)| all || says_something(verdict.kind))
        {
            shell
                .out
                .json(&VerdictLine::of(verdict, case.rulebook()).turned_by(turned.as_ref()));
        }
        return;
    }
    let out = &mut shell.out;
    out.line(
        Text::new()
            .strong(case.stream().as_str())
            .plain("  ")
            .then(findings::status_text(case))
            .dim(format!("   moments in {zone}")),
    );
    out.gap();
    let counting: BTreeSet<RecordId> = case.history().records().map(|record| record.id).collect();
    for (record, flags) in with_flags(case) {
        let counts = counting.contains(&record.id);
        print_record(out, case, &record, counts, &flags, zone);
    }
    out.gap();
    let counts: Counts = said.iter().collect();
    out.line(
        Text::new()
            .dim("verdicts: ")
            .then(findings::counts_text(&counts)),
    );
    for (verdict, turned) in said
        .iter()
        .zip(turned(case, &said, now))
        .filter(|(verdict, _)| all || verdict.kind == VerdictKind::Broken)
    {
        findings::verdict(out, case, verdict, turned.as_ref());
    }
    if !all {
        out.line(Text::new().dim(format!(
            "`thirdring show {} --verdicts` shows all of them, `thirdring explain {0} RULE` the reasoning",
            case.stream()
        )));
    }
}

/// Every record with the rules it was flagged by when it was recorded.
fn with_flags(case: &Case) -> Vec<(Arc<Record>, Vec<String>)> {
    let mut before = Case::new(case.stream().clone(), Arc::clone(case.rulebook()));
    case.records()
        .iter()
        .map(|record| {
            let flags = flags(&before, record);
            let flags = flags.iter().map(|flag| flag.rule.to_string()).collect();
            before.apply(Arc::clone(record));
            (Arc::clone(record), flags)
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct RecordLine<'a> {
    stream: &'a str,
    version: u64,
    id: String,
    at: String,
    recorded_at: String,
    by: &'a Actor,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_by: Option<&'a Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fact: Option<&'a Fact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeLine>,
    flags: Vec<String>,
    rulebook: String,
}

impl<'a> RecordLine<'a> {
    fn of(record: &'a Record, flags: Vec<String>, zone: Tz) -> Self {
        Self {
            stream: record.stream.as_str(),
            version: record.version,
            id: record.id.to_string(),
            at: moments::machine(record.happened_at(), zone),
            recorded_at: moments::machine(record.recorded_at, zone),
            by: &record.by,
            done_by: record.done_by.as_ref(),
            cause: record.cause.map(|cause| cause.to_string()),
            fact: record.fact(),
            notice: match &record.content {
                Content::Notice(notice) => Some(NoticeLine::of(&record.stream, notice, zone)),
                Content::Fact(_) => None,
            },
            flags,
            rulebook: record.rulebook.to_string(),
        }
    }
}

fn print_record(
    out: &mut Out<'_>,
    case: &Case,
    record: &Record,
    counts: bool,
    flags: &[String],
    zone: Tz,
) {
    let fact = match &record.content {
        Content::Notice(notice) => {
            return findings::notice(out, record.stream.as_str(), notice, case.rulebook());
        }
        Content::Fact(fact) => fact,
    };
    let counts = counts || fact.fact_type().name() == "fact_retracted";
    let mut line = Text::new()
        .dim(format!("{:>4}  ", record.version))
        .plain(moments::column(record.happened_at(), zone))
        .plain("  ")
        .styled(
            if counts { Style::Strong } else { Style::Dim },
            fact.fact_type().name(),
        );
    if let (Some(key), Some(value)) = (fact.spec().key, fact.key()) {
        line = line.dim(format!(" {} ", key.name)).plain(value);
    }
    line = line.dim(" by ").plain(record.doer().to_string());
    if !counts {
        line = line.styled(Style::Warn, "  retracted");
    }
    let tolerance = case.rulebook().testimony.tolerance_seconds;
    if (record.recorded_at - record.happened_at()).num_seconds() > tolerance {
        line = line
            .dim(", told ")
            .plain(moments::column(record.recorded_at, zone));
    }
    out.line(line);
    for (name, value) in fact.fields() {
        out.line(
            Text::new()
                .plain("        ")
                .dim(format!("{name}: "))
                .plain(value_text(value, zone)),
        );
    }
    if let Some(doer) = &record.done_by {
        out.line(
            Text::new()
                .dim("        recorded by ")
                .plain(record.by.to_string())
                .dim(" for ")
                .plain(doer.to_string()),
        );
    }
    for rule in flags {
        out.line(
            Text::new()
                .plain("        ")
                .styled(Style::Warn, "flagged by ")
                .plain(rule),
        );
    }
}

/// A field's value for people.
fn value_text(value: &Value, zone: Tz) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Word(word) => word.clone(),
        Value::Words(words) => words.join(", "),
        Value::Instant(moment) => moments::people(moment.to_utc(), zone),
        Value::Date(date) => date.to_string(),
        Value::Personal(Some(text)) => text.reveal().clone(),
        Value::Personal(None) => "(erased)".to_owned(),
    }
}
