//! `thirdring run`: propose every line of a history file to a desk.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use thirdring::core::record::Notice;
use thirdring::core::{Case, VerdictKind, next_deadline, verdicts};
use thirdring::{Desk, HistoryLine, OpenClock, Outcome, Rulebook, StreamId};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::input::{Lines, check_file};
use crate::lines::{
    Counts, NoticeLine, NoticeOnly, OpenClockLine, OpenClockOnly, VerdictLine, says_something,
};
use crate::moments;
use crate::output::{Out, Text, counted};
use crate::results::{View, outcome_name};
use crate::shell::Shell;
use crate::telling::{Attitude, Teller};
use crate::then::turned;

/// Propose every line of a history file to a desk on the store.
///
/// A line is {"at","stream","by":{"id","role"},"fact":{"type",…}} and perhaps
/// recorded_at, done_by, id, cause. The desk's clock follows the file, in
/// the streams it speaks of; a line that speaks of an earlier moment is told
/// afterwards. The same file run again
/// on the same store changes nothing. Refusals are the desk at work: they do
/// not change the exit code unless --strict is given.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The history, JSON Lines; `-` is standard input
    #[arg(value_name = "FILE.jsonl|-")]
    file: String,
    /// Let time pass up to this moment after the last line
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Exit with 1 if anything was refused
    #[arg(long)]
    strict: bool,
    /// Print every verdict at the end, also rules nothing happened to concern
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Default, Serialize)]
struct Tally {
    lines: u64,
    admitted: u64,
    flagged: u64,
    refused: u64,
    replayed: u64,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    tally: &'a Tally,
    streams: usize,
    verdicts: Counts,
    open_clocks: usize,
    now: Option<String>,
    manual: &'a str,
    rulebook: String,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let json = shell.is_json();
    // What is wrong with the command line is told before a store is made.
    let rulebook = shell.rulebook()?;
    let zone = rulebook.calendar.zone();
    let until = arguments
        .until
        .as_deref()
        .map(|text| moments::read(text, zone))
        .transpose()?;
    check_file(&arguments.file)?;
    let desk = shell.desk_by(rulebook, true)?;
    let mut waiting = Waiting::default();
    let mut lines = Lines::open(&arguments.file, shell.stdin)?;
    let out = &mut shell.out;
    let mut teller = Teller::new(Attitude::Enforce);
    let mut tally = Tally::default();
    let mut streams = BTreeSet::new();
    while let Some((number, text)) = lines.next_line()? {
        let at_line = |problem| Failure::bad_line(lines.name(), number, problem);
        let parsed = HistoryLine::parse(number, &text).map_err(|error| at_line(error.problem))?;
        let Some(line) = parsed else { continue };
        let told = teller.place(&line, &text);
        let lapsed = |error| Failure::at_line(error, lines.name(), number);
        for (stream, notice) in waiting
            .lapse(&desk, told.told_at, Some(&line.stream))
            .map_err(lapsed)?
        {
            print_notice(out, json, &stream, &notice, desk.rulebook());
        }
        let view = View {
            number: Some(number),
            line: &line,
            told: &told,
            rulebook: desk.rulebook(),
        };
        let outcome = teller.tell(&desk, line.clone(), &told).map_err(lapsed)?;
        tally.lines += 1;
        tally.count(&outcome);
        waiting.look_at(&desk, &line.stream).map_err(lapsed)?;
        view.print(out, json, &outcome);
        out.flush();
        streams.insert(line.stream);
    }
    drop(lines);
    if until < teller.present() && until.is_some() {
        shell
            .notes
            .line("note: --until lies before the last line; no more time passed");
    }
    let present = until.into_iter().chain(teller.present()).max();
    if let Some(present) = present {
        for (stream, notice) in waiting.lapse(&desk, present, None)? {
            print_notice(out, json, &stream, &notice, desk.rulebook());
        }
    }
    note_other_rulebooks(&desk, &streams, shell)?;
    let out = &mut shell.out;
    // As an audit of these streams will see it: up to their latest record.
    let now = latest_record(&desk, &streams)?;
    let end = End {
        desk: &desk,
        now,
        zone,
        all: arguments.all,
    };
    let (counts, open) = if json {
        end.json(out, &streams)?
    } else {
        end.text(out, &streams)?
    };
    let summary = Summary {
        tally: &tally,
        streams: streams.len(),
        verdicts: counts,
        open_clocks: open,
        now: present.map(|present| moments::machine(present, zone)),
        manual: &desk.rulebook().name,
        rulebook: desk.rulebook().digest.to_string(),
    };
    if json {
        out.json(&SummaryLine { summary });
    } else {
        summary.print(out);
    }
    Ok(if arguments.strict && tally.refused > 0 {
        Exit::Findings
    } else {
        Exit::Fine
    })
}

fn note_other_rulebooks(
    desk: &Desk,
    streams: &BTreeSet<StreamId>,
    shell: &mut Shell<'_>,
) -> Result<(), Failure> {
    let mut records = Vec::new();
    for stream in streams {
        records.extend(desk.history(stream)?);
    }
    shell.note_other_rulebooks(desk.rulebook(), records.iter().map(|record| &**record));
    Ok(())
}

fn latest_record(
    desk: &Desk,
    streams: &BTreeSet<StreamId>,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let mut latest = None;
    for stream in streams {
        latest = latest.max(desk.look_at(stream, last_told)?);
    }
    Ok(latest)
}

fn last_told(case: &Case) -> Option<DateTime<Utc>> {
    case.records().last().map(|last| last.recorded_at)
}

/// When time will next make something of each stream the file has spoken of.
/// Time passes in these alone: what the file does not touch is not read, however
/// much of it the store holds.
#[derive(Default)]
struct Waiting(BTreeMap<StreamId, DateTime<Utc>>);

impl Waiting {
    fn look_at(&mut self, desk: &Desk, stream: &StreamId) -> Result<(), thirdring::DeskError> {
        match desk.look_at(stream, next_deadline)? {
            Some(deadline) => self.0.insert(stream.clone(), deadline.at),
            None => self.0.remove(stream),
        };
        Ok(())
    }

    /// Lets time pass in every stream for which something is due; the stream
    /// of the next proposal lapses with it.
    fn lapse(
        &mut self,
        desk: &Desk,
        now: DateTime<Utc>,
        but: Option<&StreamId>,
    ) -> Result<Vec<(StreamId, Notice)>, thirdring::DeskError> {
        let due: Vec<StreamId> = self
            .0
            .iter()
            .filter(|(stream, at)| **at <= now && but != Some(*stream))
            .map(|(stream, _)| stream.clone())
            .collect();
        let mut notices = Vec::new();
        for stream in due {
            // A stream that is already further than the file has lapsed already.
            let further = desk
                .look_at(&stream, last_told)?
                .is_some_and(|told| told > now);
            if !further {
                let lapsed = desk.lapse_stream(&stream, now)?;
                notices.extend(lapsed.into_iter().map(|notice| (stream.clone(), notice)));
            }
            self.look_at(desk, &stream)?;
        }
        notices.sort_by_key(|(_, notice)| notice.due_at);
        Ok(notices)
    }
}

fn print_notice(
    out: &mut Out<'_>,
    json: bool,
    stream: &StreamId,
    notice: &Notice,
    rulebook: &Rulebook,
) {
    if json {
        out.json(&NoticeOnly {
            notice: NoticeLine::of(stream, notice, rulebook.calendar.zone()),
        });
    } else {
        findings::notice(out, stream.as_str(), notice, rulebook);
    }
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome_name(outcome) {
            "replayed" => self.replayed += 1,
            "admitted" => self.admitted += 1,
            "flagged" => self.flagged += 1,
            _ => self.refused += 1,
        }
    }
}

/// What stands at the end.
struct End<'a> {
    desk: &'a Desk,
    now: Option<DateTime<Utc>>,
    zone: Tz,
    all: bool,
}

impl End<'_> {
    fn case(&self, stream: &StreamId) -> Result<Option<(Case, DateTime<Utc>)>, Failure> {
        let case = self.desk.case(stream)?;
        // A stream of refusals only was never begun.
        Ok(self
            .now
            .filter(|_| case.version() > 0)
            .map(|now| (case, now)))
    }

    fn open_clocks(&self, streams: &BTreeSet<StreamId>) -> Result<Vec<OpenClock>, Failure> {
        let Some(now) = self.now else {
            return Ok(Vec::new());
        };
        Ok(self.desk.open_clocks_of(streams, now)?)
    }

    fn json(
        &self,
        out: &mut Out<'_>,
        streams: &BTreeSet<StreamId>,
    ) -> Result<(Counts, usize), Failure> {
        #[derive(Serialize)]
        struct StreamLine<'a> {
            stream_summary: StreamSummary<'a>,
        }
        #[derive(Serialize)]
        struct StreamSummary<'a> {
            stream: &'a str,
            status: &'a str,
            visits: &'a BTreeMap<String, &'static str>,
            verdicts: &'a Counts,
        }
        let mut total = Counts::default();
        for stream in streams {
            let Some((case, now)) = self.case(stream)? else {
                continue;
            };
            let said = verdicts(&case, now);
            let counts: Counts = said.iter().collect();
            for (verdict, turned) in said
                .iter()
                .zip(turned(&case, &said, now))
                .filter(|(verdict, _)| self.all || says_something(verdict.kind))
            {
                out.json(&VerdictLine::of(verdict, case.rulebook()).turned_by(turned.as_ref()));
            }
            let status = case.status();
            out.json(&StreamLine {
                stream_summary: StreamSummary {
                    stream: stream.as_str(),
                    status: status.stream,
                    visits: &status.visits,
                    verdicts: &counts,
                },
            });
            total.merge(&counts);
        }
        let open = self.open_clocks(streams)?;
        for clock in &open {
            out.json(&OpenClockOnly {
                open_clock: OpenClockLine::of(clock, self.zone),
            });
        }
        Ok((total, open.len()))
    }

    fn text(
        &self,
        out: &mut Out<'_>,
        streams: &BTreeSet<StreamId>,
    ) -> Result<(Counts, usize), Failure> {
        let mut total = Counts::default();
        for stream in streams {
            let Some((case, now)) = self.case(stream)? else {
                continue;
            };
            let said = verdicts(&case, now);
            let counts: Counts = said.iter().collect();
            out.gap();
            out.line(
                Text::new()
                    .strong(stream.as_str())
                    .plain("  ")
                    .then(findings::status_text(&case)),
            );
            out.line(Text::new().plain("  ").then(findings::counts_text(&counts)));
            for (verdict, turned) in said
                .iter()
                .zip(turned(&case, &said, now))
                .filter(|(verdict, _)| self.all || verdict.kind == VerdictKind::Broken)
            {
                findings::brief(out, &case, verdict, turned.as_ref());
            }
            total.merge(&counts);
        }
        let open = self.open_clocks(streams)?;
        if !open.is_empty() {
            out.gap();
            out.line(
                Text::new()
                    .strong("Open clocks")
                    .dim(format!(", moments in {}", self.zone)),
            );
            findings::open_clocks(out, &open, self.desk.rulebook());
        }
        Ok((total, open.len()))
    }
}

impl Summary<'_> {
    fn print(&self, out: &mut Out<'_>) {
        let tally = self.tally;
        out.gap();
        out.line(
            Text::new()
                .strong(counted(tally.lines, "line"))
                .plain(format!(
                    ": {} admitted, {} flagged, {} refused, {} replayed; {}, {}",
                    tally.admitted,
                    tally.flagged,
                    tally.refused,
                    tally.replayed,
                    counted(self.streams as u64, "stream"),
                    counted(self.open_clocks as u64, "open clock")
                )),
        );
        let verdicts = findings::counts_text(&self.verdicts);
        if verdicts.width() > 0 {
            out.line(Text::new().dim("verdicts: ").then(verdicts));
        }
    }
}
