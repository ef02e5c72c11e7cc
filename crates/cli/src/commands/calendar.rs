//! `thirdring calendar`: reckoning in working time.

use std::io::{BufRead, Read};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use thirdring::core::forms::limit::{Limit, describe_seconds, describe_working_seconds};
use thirdring_calendar::batch::Batch;
use thirdring_calendar::{Calendar, CalendarDefinition, CalendarError};

use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::moments;
use crate::output::{Style, Text};
use crate::shell::Shell;

/// The longest line of a batch, in bytes.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What to reckon.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// When a span of time is used up, counted from a moment
    Add(AddArguments),
    /// How much working time lies between two moments
    Between(BetweenArguments),
    /// When it is next open, from a moment on
    NextOpen(NextOpenArguments),
    /// Answer cases as JSON Lines: one line in, one line out, whatever the line
    Batch,
}

/// Whose calendar.
#[derive(Debug, clap::Args)]
pub(crate) struct Whose {
    /// A calendar of one's own, TOML; the manual's unless given
    #[arg(long, value_name = "FILE.toml")]
    calendar: Option<String>,
}

/// When a span is used up.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArguments {
    /// From when
    #[arg(value_name = "START")]
    start: String,
    /// How long: `8h30m` of working time, `3 working days`, `15 civil days`, `24 clock hours`
    #[arg(value_name = "SPAN", required = true, num_args = 1..)]
    span: Vec<String>,
    /// Count backward
    #[arg(long)]
    back: bool,
    #[command(flatten)]
    whose: Whose,
}

/// How much working time lies between.
#[derive(Debug, clap::Args)]
pub(crate) struct BetweenArguments {
    /// From when
    #[arg(value_name = "START")]
    start: String,
    /// Until when
    #[arg(value_name = "END")]
    end: String,
    #[command(flatten)]
    whose: Whose,
}

/// When it is next open.
#[derive(Debug, clap::Args)]
pub(crate) struct NextOpenArguments {
    /// From when; now unless given
    #[arg(value_name = "START")]
    start: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, Serialize)]
struct InstantLine {
    instant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unannounced: Option<i32>,
}

#[derive(Debug, Serialize)]
struct SecondsLine {
    seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unannounced: Option<i32>,
}

/// Runs the command.
pub(crate) fn run(command: &Command, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Add(arguments) => add(arguments, shell),
        Command::Between(arguments) => between(arguments, shell),
        Command::NextOpen(arguments) => next_open(arguments, shell),
        Command::Batch => batch(shell),
    }
}

fn no_answer(error: &CalendarError) -> Failure {
    Failure::one(Exit::Input, Told::new(error.to_string(), ""))
}

fn calendar(whose: &Whose, shell: &Shell<'_>) -> Result<Calendar, Failure> {
    #[derive(Deserialize)]
    struct Within {
        calendar: CalendarDefinition,
    }
    let Some(file) = &whose.calendar else {
        return Ok(shell.rulebook()?.calendar);
    };
    let text = std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, &error))?;
    let definition = match toml::from_str::<CalendarDefinition>(&text) {
        Ok(definition) => Ok(definition),
        // A manual's file holds its calendar in a table.
        Err(error) => toml::from_str::<Within>(&text)
            .map(|within| within.calendar)
            .map_err(|_| error),
    };
    let wrong = |problem: String| {
        Told::new(
            problem,
            "write e.g. tz = \"Asia/Shanghai\" and [weekly] mon = [\"09:00-18:00\"]",
        )
        .file(file)
    };
    let definition = definition.map_err(|error| {
        let told = wrong(error.message().to_owned());
        let told = match error.span() {
            Some(span) => told.at_byte(&text, span.start),
            None => told,
        };
        Failure::one(Exit::Input, told)
    })?;
    Calendar::compile(&definition)
        .map_err(|error| Failure::one(Exit::Input, wrong(error.to_string())))
}

/// A span: `8h30m` counts in working time, words say in which time they count.
fn span(words: &[String]) -> Option<Limit> {
    let text = words.join(" ");
    if let Some(limit) = Limit::parse(&text) {
        return Some(limit);
    }
    let mut seconds: i64 = 0;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let each = match c {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<i64>().ok()?.checked_mul(each)?)?;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(Limit::Working(seconds))
}

fn add(arguments: &AddArguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let calendar = calendar(&arguments.whose, shell)?;
    let zone = calendar.zone();
    let start = moments::read(&arguments.start, zone)?;
    let Some(limit) = span(&arguments.span) else {
        return Err(Failure::usage(
            "the span cannot be read",
            "write e.g. 8h30m, \"3 working days\", \"15 civil days\" or \"24 clock hours\"",
        ));
    };
    let backward = arguments.back;
    let reached = if backward {
        limit.before(start, &calendar)
    } else {
        limit.after(start, &calendar)
    };
    let reached = reached.map_err(|error| no_answer(&error))?;
    let unannounced = unannounced(&calendar, start, reached, limit);
    if shell.is_json() {
        shell.out.json(&InstantLine {
            instant: moments::machine(reached, zone),
            unannounced,
        });
        return Ok(Exit::Fine);
    }
    let direction = if backward { "before" } else { "after" };
    let out = &mut shell.out;
    out.line(Text::new().strong(with_zone(reached, zone)));
    out.line(Text::new().dim(format!("  {limit} {direction} {}", with_zone(start, zone))));
    warn(shell, unannounced);
    Ok(Exit::Fine)
}

/// Civil days and the clock on the wall need no holidays.
fn unannounced(
    calendar: &Calendar,
    a: DateTime<Utc>,
    b: DateTime<Utc>,
    limit: Limit,
) -> Option<i32> {
    if limit.is_working() {
        calendar.unannounced(a.min(b), a.max(b))
    } else {
        None
    }
}

fn with_zone(moment: DateTime<Utc>, zone: Tz) -> String {
    format!("{} {zone}", moments::people(moment, zone))
}

fn warn(shell: &mut Shell<'_>, year: Option<i32>) {
    if let Some(year) = year {
        shell.out.line(Text::new().styled(Style::Warn, "  careful: ").plain(format!(
            "the holidays of {year} are not announced in this calendar; the answer may change"
        )));
    }
}

fn between(arguments: &BetweenArguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let calendar = calendar(&arguments.whose, shell)?;
    let zone = calendar.zone();
    let start = moments::read(&arguments.start, zone)?;
    let end = moments::read(&arguments.end, zone)?;
    let seconds = calendar.between_signed(start, end);
    let unannounced = calendar.unannounced(start.min(end), start.max(end));
    if shell.is_json() {
        shell.out.json(&SecondsLine {
            seconds,
            unannounced,
        });
        return Ok(Exit::Fine);
    }
    let out = &mut shell.out;
    out.line(
        Text::new()
            .strong(describe_working_seconds(seconds))
            .plain(" of working time"),
    );
    out.line(Text::new().dim(format!(
        "  from {} to {}: {} by the clock",
        moments::people(start, zone),
        with_zone(end, zone),
        describe_seconds((end - start).num_seconds())
    )));
    warn(shell, unannounced);
    Ok(Exit::Fine)
}

fn next_open(arguments: &NextOpenArguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let calendar = calendar(&arguments.whose, shell)?;
    let zone = calendar.zone();
    let start = shell.now(arguments.start.as_deref(), zone)?;
    let opens = calendar
        .next_open(start)
        .map_err(|error| no_answer(&error))?;
    let unannounced = calendar.unannounced(start, opens);
    if shell.is_json() {
        shell.out.json(&InstantLine {
            instant: moments::machine(opens, zone),
            unannounced,
        });
        return Ok(Exit::Fine);
    }
    shell.out.line(Text::new().strong(with_zone(opens, zone)));
    if opens == start {
        shell
            .out
            .line(Text::new().dim("  it is open at that moment"));
    }
    warn(shell, unannounced);
    Ok(Exit::Fine)
}

fn batch(shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let mut batch = Batch::new();
    let mut line = Vec::new();
    while !shell.out.is_closed() {
        line.clear();
        let stdin = &mut shell.stdin;
        let failed = |error| Failure::unreadable("standard input", &error);
        let read = stdin
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if read == 0 {
            break;
        }
        let whole = line.last() == Some(&b'\n') || u64::try_from(read) != Ok(LINE_BYTES_MAX);
        if !whole {
            skip_line(stdin).map_err(failed)?;
            shell.out.json(&too_long());
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let answer = batch.answer(text.trim_end_matches(['\n', '\r']));
        shell.out.json_text(&answer);
    }
    Ok(Exit::Fine)
}

fn too_long() -> serde_json::Value {
    serde_json::json!({
        "id": null,
        "error": format!("the line is longer than {LINE_BYTES_MAX} bytes; write one case a line"),
    })
}

/// Passes over the rest of a line without keeping it.
fn skip_line(from: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                from.consume(end + 1);
                return Ok(());
            }
            None => {
                let all = buffer.len();
                from.consume(all);
            }
        }
    }
}
