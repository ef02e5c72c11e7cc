//! Somebody else's log, read row by row into records.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value};
use thirdring::core::Record;
use thirdring::core::digest::Digest;
use thirdring::core::record::Content;
use thirdring::core::vocabulary::decode_fact;
use thirdring::{Actor, Fact, RecordId, StreamId};

use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::field_value::field_value;
use crate::input::PlainLineEnds;
use crate::log_map::{LogMap, Origin, Yield};
use crate::moments;
use crate::output::shorten;

/// A log as it was read.
#[derive(Debug, Default)]
pub(crate) struct ForeignLog {
    pub(crate) rows: u64,
    pub(crate) ignored: u64,
    /// Rows that do not count because a later one of their case does.
    pub(crate) superseded: u64,
    /// The records of each case, in the order they happened.
    pub(crate) cases: BTreeMap<StreamId, Vec<Arc<Record>>>,
    /// The latest moment of the log.
    pub(crate) latest: Option<DateTime<Utc>>,
}

/// The row a record comes from, counted as lines of the file.
pub(crate) fn row_of(id: RecordId) -> u64 {
    let bytes = id.to_bytes();
    bytes
        .iter()
        .skip(8)
        .fold(0, |row, byte| (row << 8) | u64::from(*byte))
}

/// What is read of one row, before the rows of a case are put in order.
struct Row {
    line: u64,
    at: DateTime<Utc>,
    actor: Actor,
    fact: Option<Fact>,
    /// Whether only the last fact of its type in the case counts.
    only_last: bool,
    /// The opening fact, should the row turn out to be the first of its case.
    opening: Option<(Fact, Actor)>,
}

impl ForeignLog {
    /// Reads a log; `rulebook` is the digest the records carry.
    ///
    /// # Errors
    /// Names the row and the column that do not fit the map.
    pub(crate) fn read(
        file: &str,
        from: impl Read,
        map: &LogMap,
        rulebook: Digest,
    ) -> Result<Self, Failure> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(map.delimiter)
            .flexible(false)
            .from_reader(PlainLineEnds::new(from));
        let headers = reader
            .headers()
            .map_err(|error| csv_failure(file, &error))?
            .clone();
        let columns = Columns::find(file, &headers, map)?;
        let mut log = Self::default();
        let mut cases: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        let mut constants = Constants::default();
        let mut row = csv::StringRecord::new();
        while reader
            .read_record(&mut row)
            .map_err(|error| csv_failure(file, &error))?
        {
            let line = row.position().map_or(0, csv::Position::line);
            let cells = Cells {
                file,
                line,
                row: &row,
                columns: &columns,
                map,
            };
            log.rows += 1;
            let name = cells.cell(columns.case);
            let known = cases.contains_key(name);
            let read = cells.read(&mut constants, known)?;
            log.ignored += u64::from(read.fact.is_none());
            log.latest = log.latest.max(Some(read.at));
            match cases.get_mut(name) {
                Some(rows) => rows.push(read),
                None => {
                    cells.stream()?;
                    cases.insert(name.to_owned(), vec![read]);
                }
            }
        }
        for (name, mut rows) in cases {
            let stream = stream_of(&name).map_err(|problem| {
                Failure::one(
                    Exit::Input,
                    Told::new(problem, "").file(file).field(&map.case),
                )
            })?;
            // The opening fact was read from the row that stands first in the
            // file; it belongs to the one that happened first.
            let opening = rows.first_mut().and_then(|first| first.opening.take());
            rows.sort_by_key(|row| row.at);
            log.superseded += drop_superseded(&mut rows);
            let records = records(&stream, rows, opening, rulebook);
            log.cases.insert(stream, records);
        }
        Ok(log)
    }
}

fn records(
    stream: &StreamId,
    rows: Vec<Row>,
    opening: Option<(Fact, Actor)>,
    rulebook: Digest,
) -> Vec<Arc<Record>> {
    let mut records: Vec<Arc<Record>> = Vec::with_capacity(rows.len() + 1);
    // Nothing proves a foreign log: its records hang in no chain.
    let chain = Digest::of("foreign-log", &[]);
    let first = rows.first().map(|row| (row.at, row.line));
    let opened = opening
        .zip(first)
        .map(|((fact, actor), (at, line))| (at, line, 1, actor, fact));
    let told = rows
        .into_iter()
        .filter_map(|row| row.fact.map(|fact| (row.at, row.line, 0, row.actor, fact)));
    for (at, line, opens, by, fact) in opened.into_iter().chain(told) {
        let wide = (u128::from(opens as u8) << 64) | u128::from(line);
        records.push(Arc::new(Record {
            id: RecordId::from_parts(u64::try_from(at.timestamp_millis()).unwrap_or(0), wide),
            stream: stream.clone(),
            version: records.len() as u64 + 1,
            occurred_at: at.fixed_offset(),
            recorded_at: at,
            by,
            done_by: None,
            rulebook,
            evidence: Vec::new(),
            cause: None,
            content: Content::Fact(fact),
            chain,
        }));
    }
    records
}

/// Takes the fact from every row whose fact counts only where it is the last of
/// its type; says how many those were.
fn drop_superseded(rows: &mut [Row]) -> u64 {
    let mut seen = BTreeSet::new();
    let mut dropped = 0;
    for row in rows.iter_mut().rev().filter(|row| row.only_last) {
        let again = row
            .fact
            .as_ref()
            .is_some_and(|fact| !seen.insert(fact.fact_type()));
        if again {
            row.fact = None;
            dropped += 1;
        }
    }
    dropped
}

/// A case's name as a stream of tickets.
fn stream_of(name: &str) -> Result<StreamId, String> {
    let full = if name.contains('/') {
        format!("ticket/{name}")
    } else {
        name.to_owned()
    };
    StreamId::new(&full).map_err(|error| error.to_string())
}

fn csv_failure(file: &str, error: &csv::Error) -> Failure {
    let mut told = Told::new(
        format!("the log is no CSV here: {error}"),
        "let every row have the columns of the heading, in UTF-8",
    )
    .file(file);
    told.line = error
        .position()
        .and_then(|place| usize::try_from(place.line()).ok());
    if let csv::ErrorKind::Io(error) = error.kind() {
        return Failure::unreadable(file, error);
    }
    Failure::one(Exit::Input, told)
}

/// The columns of a file, as far as somebody would read on.
fn its_columns(headers: &csv::StringRecord) -> String {
    const SHOWN: usize = 12;
    const CHARACTERS: usize = 40;
    if headers.is_empty() {
        return "the file is empty: name a log with a heading".to_owned();
    }
    let names: Vec<String> = headers
        .iter()
        .take(SHOWN)
        .map(|name| match name.char_indices().nth(CHARACTERS) {
            Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
            None => name.to_owned(),
        })
        .collect();
    let more = match headers.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("its columns are: {}{more}", names.join(", "))
}

/// Where the columns of the map stand in the file.
struct Columns {
    case: usize,
    activity: usize,
    time: usize,
    actor: Option<usize>,
    fields: BTreeMap<String, usize>,
}

impl Columns {
    fn find(file: &str, headers: &csv::StringRecord, map: &LogMap) -> Result<Self, Failure> {
        let place = |name: &String| {
            headers
                .iter()
                .position(|header| header.trim() == name)
                .ok_or_else(|| {
                    let told = Told::new(
                        format!("the log has no column `{name}`, which the map names"),
                        its_columns(headers),
                    );
                    Failure::one(Exit::Input, told.file(file).line(1))
                })
        };
        let origins = map
            .first_event
            .iter()
            .chain(map.facts.values())
            .flat_map(|one| one.fields.values());
        let mut fields = BTreeMap::new();
        for origin in origins {
            if let Origin::Column(name) = origin {
                fields.insert(name.clone(), place(name)?);
            }
        }
        Ok(Self {
            case: place(&map.case)?,
            activity: place(&map.activity)?,
            time: place(&map.time)?,
            actor: map.actor.as_ref().map(place).transpose()?,
            fields,
        })
    }
}

/// Facts that are the same in every row, made once.
#[derive(Default)]
struct Constants(BTreeMap<String, Fact>);

struct Cells<'a> {
    file: &'a str,
    line: u64,
    row: &'a csv::StringRecord,
    columns: &'a Columns,
    map: &'a LogMap,
}

impl Cells<'_> {
    fn cell(&self, column: usize) -> &str {
        self.row.get(column).unwrap_or_default().trim()
    }

    fn wrong(&self, column: &str, problem: String, remedy: impl Into<String>) -> Failure {
        let line = usize::try_from(self.line).unwrap_or(usize::MAX);
        let told = Told::new(problem, remedy)
            .file(self.file)
            .line(line)
            .field(format!("column `{column}`"));
        Failure::one(Exit::Input, told)
    }

    fn stream(&self) -> Result<StreamId, Failure> {
        stream_of(self.cell(self.columns.case))
            .map_err(|problem| self.wrong(&self.map.case, problem, "name every case"))
    }

    fn read(&self, constants: &mut Constants, known: bool) -> Result<Row, Failure> {
        let at = self.moment()?;
        let activity = self.cell(self.columns.activity);
        let found = self.map.facts.get(activity);
        if found.is_none() && !self.map.ignore.contains(activity) {
            return Err(self.wrong(
                &self.map.activity,
                format!("the map does not say what `{}` is", shorten(activity)),
                "add a [[fact]] for it, or name it in ignore",
            ));
        }
        let role = found
            .and_then(|one| one.role.as_ref())
            .unwrap_or(&self.map.role);
        let actor = self.actor(role)?;
        let fact = found
            .map(|one| self.fact(one, activity, constants))
            .transpose()?;
        let opening = match &self.map.first_event {
            Some(first) if !known => {
                let role = first.role.as_ref().unwrap_or(&self.map.role);
                Some((self.fact(first, "", constants)?, self.actor(role)?))
            }
            Some(_) | None => None,
        };
        Ok(Row {
            line: self.line,
            at,
            actor,
            fact,
            only_last: found.is_some_and(|one| one.only_last),
            opening,
        })
    }

    fn moment(&self) -> Result<DateTime<Utc>, Failure> {
        let text = self.cell(self.columns.time);
        let format = &self.map.time_format;
        let moment = match self.map.zone {
            Some(zone) => NaiveDateTime::parse_from_str(text, format)
                .ok()
                .and_then(|local| moments::resolve(local, zone)),
            None => DateTime::parse_from_str(text, format)
                .ok()
                .map(|moment| moment.to_utc()),
        };
        moment.ok_or_else(|| {
            self.wrong(
                &self.map.time,
                format!("`{}` is no moment in the format {format}", shorten(text)),
                "correct the row, or the map's time_format",
            )
        })
    }

    fn actor(&self, role: &str) -> Result<Actor, Failure> {
        let id = self
            .columns
            .actor
            .map(|column| self.cell(column))
            .filter(|id| !id.is_empty());
        Actor::new(id.unwrap_or("unknown"), role).map_err(|error| {
            let column = self.map.actor.as_deref().unwrap_or("role");
            self.wrong(column, error.to_string(), "correct the row")
        })
    }

    fn fact(
        &self,
        one: &Yield,
        activity: &str,
        constants: &mut Constants,
    ) -> Result<Fact, Failure> {
        if let Some(fact) = constants.0.get(activity) {
            return Ok(fact.clone());
        }
        let mut constant = true;
        let mut object = Map::new();
        object.insert("type".to_owned(), Value::from(one.fact.name()));
        for (field, origin) in &one.fields {
            match origin {
                Origin::Constant(value) => {
                    object.insert(field.clone(), value.clone());
                }
                Origin::Column(name) => {
                    constant = false;
                    let text = self
                        .columns
                        .fields
                        .get(name)
                        .map_or("", |column| self.cell(*column));
                    if !text.is_empty() {
                        object.insert(field.clone(), typed(text, one, field));
                    }
                }
            }
        }
        let fact =
            decode_fact(Value::Object(object)).map_err(|problem| {
                let column = problem.field.strip_prefix("fact.").and_then(|field| {
                    match one.fields.get(field) {
                        Some(Origin::Column(name)) => Some(name.as_str()),
                        Some(Origin::Constant(_)) | None => None,
                    }
                });
                self.wrong(
                    column.unwrap_or(&self.map.activity),
                    format!("{}: {}", problem.field, problem.problem),
                    problem.remedy,
                )
            })?;
        if constant {
            constants.0.insert(activity.to_owned(), fact.clone());
        }
        Ok(fact)
    }
}

/// A cell as the field's type has it.
fn typed(text: &str, one: &Yield, field: &str) -> Value {
    field_value(one.fact, field, text, |flag| match flag {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    })
}
