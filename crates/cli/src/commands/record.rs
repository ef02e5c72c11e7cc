//! `thirdring record`: one fact, now.

use serde_json::{Map, Value};
use thirdring::core::vocabulary::{FactType, decode_fact, nearest};
use thirdring::{Actor, HistoryLine, Outcome, RecordId, Request, StreamId, fresh_id};

use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::field_value::field_value;
use crate::moments;
use crate::output::shorten;
use crate::results::View;
use crate::shell::Shell;
use crate::telling;

/// Record one fact. Exits with 1 if it is refused.
///
/// thirdring record --stream T-1 --by li --role hotline_engineer call_answered call=1 rings=2
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The stream
    #[arg(long, required_unless_present = "json")]
    stream: Option<String>,
    /// Who records it: a staff number or account
    #[arg(long, required_unless_present = "json")]
    by: Option<String>,
    /// In which role
    #[arg(long, required_unless_present = "json")]
    role: Option<String>,
    /// When it happened; now unless given
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    /// When it is told; now unless given
    #[arg(long, value_name = "MOMENT")]
    told_at: Option<String>,
    /// Who did it, where that was another
    #[arg(long, requires = "done_by_role")]
    done_by_id: Option<String>,
    /// In which role that one did it
    #[arg(long, requires = "done_by_id")]
    done_by_role: Option<String>,
    /// The id it shall have (a ULID), so that a retry is recorded once
    #[arg(long)]
    id: Option<String>,
    /// A whole history line instead, as `run` reads it
    #[arg(long, value_name = "LINE", conflicts_with_all = ["stream", "by", "role", "at", "done_by_id", "id", "fact"])]
    json: Option<String>,
    /// The fact, e.g. call_answered
    #[arg(required_unless_present = "json")]
    fact: Option<String>,
    /// Its key and fields
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    // What is wrong with the command line is told before a store is made.
    let rulebook = shell.rulebook()?;
    let zone = rulebook.calendar.zone();
    let now = shell.time.now();
    let told_at = arguments
        .told_at
        .as_deref()
        .map(|text| moments::read(text, zone))
        .transpose()?;
    let line = match &arguments.json {
        Some(text) => HistoryLine::parse(1, text)?.ok_or_else(|| {
            Failure::usage("the line says nothing", "write a history line as JSON")
        })?,
        None => {
            let at = match &arguments.at {
                Some(text) => moments::read(text, zone)?,
                None => told_at.unwrap_or(now),
            };
            line_of(arguments, at.with_timezone(&zone).fixed_offset())?
        }
    };
    let told_at = told_at
        .or(line.recorded_at.map(|moment| moment.to_utc()))
        .unwrap_or(now);
    let id = match line.id {
        Some(id) => id,
        None => fresh_id(told_at).map_err(thirdring::DeskError::from)?,
    };
    let mut request = Request::new(&line.stream, line.fact.clone(), &line.by, line.at)
        .told_at(told_at)
        .with_id(id);
    if let Some(doer) = &line.done_by {
        request = request.done_by(doer.clone());
    }
    if let Some(cause) = line.cause {
        request = request.caused_by(cause);
    }
    let desk = shell.desk_by(rulebook, true)?;
    let outcome = desk.submit(request)?;
    let told = telling::Told { told_at, id };
    let json = shell.is_json();
    View {
        number: None,
        line: &line,
        told: &told,
        rulebook: desk.rulebook(),
    }
    .print(&mut shell.out, json, &outcome);
    Ok(match outcome {
        Outcome::Admitted(_) => Exit::Fine,
        Outcome::Refused(_) => Exit::Findings,
    })
}

fn line_of(
    arguments: &Arguments,
    at: chrono::DateTime<chrono::FixedOffset>,
) -> Result<HistoryLine, Failure> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let wrong = |field: &str, problem: String, remedy: &str| {
        Failure::one(Exit::Usage, Told::new(problem, remedy).field(field))
    };
    let stream = StreamId::new(&text(&arguments.stream)).map_err(|error| {
        wrong(
            "--stream",
            error.to_string(),
            "name the stream, e.g. T-1001",
        )
    })?;
    let by = Actor::new(text(&arguments.by), text(&arguments.role)).map_err(|error| {
        wrong(
            "--by",
            error.to_string(),
            "write e.g. --by li --role hotline_engineer",
        )
    })?;
    let done_by = match (&arguments.done_by_id, &arguments.done_by_role) {
        (Some(id), Some(role)) => Some(
            Actor::new(id.as_str(), role.as_str())
                .map_err(|error| wrong("--done-by-id", error.to_string(), "name who did it"))?,
        ),
        _ => None,
    };
    let id = match &arguments.id {
        Some(id) => Some(RecordId::from_string(id).map_err(|_| {
            wrong(
                "--id",
                "it is no ULID".to_owned(),
                "write 26 characters of digits and capital letters, or leave it out",
            )
        })?),
        None => None,
    };
    Ok(HistoryLine {
        at,
        recorded_at: None,
        stream,
        by,
        done_by,
        id,
        cause: None,
        fact: fact_of(&text(&arguments.fact), &arguments.fields)?,
    })
}

/// A fact out of its name and `field=value`.
fn fact_of(name: &str, fields: &[String]) -> Result<thirdring::Fact, Failure> {
    let Some(fact_type) = FactType::named(name) else {
        let remedy = match nearest(name, FactType::all().map(FactType::name)) {
            Some(near) => format!("did you mean `{near}`? `thirdring schema` lists all facts"),
            None => "`thirdring schema` lists all facts".to_owned(),
        };
        let shown = shorten(name);
        return Err(Failure::usage(format!("`{shown}` is no fact"), remedy));
    };
    let mut object = Map::new();
    object.insert("type".to_owned(), Value::from(name));
    for field in fields {
        let Some((name, value)) = field.split_once('=') else {
            let shown = shorten(field);
            return Err(Failure::usage(
                format!("`{shown}` is no field=value"),
                "write e.g. rings=2",
            ));
        };
        let value = field_value(fact_type, name, value, |flag| match flag {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        });
        if object.insert(name.to_owned(), value).is_some() {
            return Err(Failure::usage(
                format!("`{name}` is given twice"),
                "give it once",
            ));
        }
    }
    decode_fact(Value::Object(object)).map_err(|problem| {
        let mut failure = Failure::from(problem);
        failure.exit = Exit::Usage;
        failure
    })
}
