//! History lines: facts in a JSON Lines file, as people and programs write them.

use chrono::{DateTime, FixedOffset, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use thirdring_core::vocabulary::{FactProblem, decode_fact};
use thirdring_core::{Actor, Fact, RecordId, StreamId};

/// The longest line, in bytes.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// One line of a history: a fact, when, in which stream, by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// When it happened.
    pub at: DateTime<FixedOffset>,
    /// When it was told, where that was later.
    pub recorded_at: Option<DateTime<FixedOffset>>,
    /// The stream.
    pub stream: StreamId,
    /// Who recorded it.
    pub by: Actor,
    /// Who did it, where that was another.
    pub done_by: Option<Actor>,
    /// The id it shall have, where the writer gives one.
    pub id: Option<RecordId>,
    /// The record it follows from.
    pub cause: Option<RecordId>,
    /// The fact.
    pub fact: Fact,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct LineError {
    /// The line, counted from 1.
    pub line: usize,
    /// The member at fault, what is wrong with it, and how to mend it.
    pub problem: FactProblem,
}

/// A text that is no moment with a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no moment with a zone; write RFC 3339 with an offset, e.g. 2026-03-02T09:00:00+08:00"
)]
pub struct NoMoment(String);

/// Reads a moment with its offset, in RFC 3339.
///
/// # Errors
/// If the text is something else, or has no offset.
pub fn moment(text: &str) -> Result<DateTime<FixedOffset>, NoMoment> {
    DateTime::parse_from_rfc3339(text).map_err(|_| NoMoment(text.chars().take(60).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    at: Option<serde_json::Value>,
    recorded_at: Option<serde_json::Value>,
    stream: Option<serde_json::Value>,
    by: Option<serde_json::Value>,
    done_by: Option<serde_json::Value>,
    id: Option<serde_json::Value>,
    cause: Option<serde_json::Value>,
    #[serde(borrow)]
    fact: Option<&'a RawValue>,
}

impl HistoryLine {
    /// Reads one line. Blank lines and lines that begin with `//` or `#` say
    /// nothing and give `None`.
    ///
    /// # Errors
    /// Names the line, the member at fault, what is wrong and how to mend it.
    pub fn parse(line: usize, text: &str) -> Result<Option<Self>, LineError> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.starts_with("//") || trimmed.starts_with('#') {
            return Ok(None);
        }
        Self::read(trimmed)
            .map(Some)
            .map_err(|problem| LineError { line, problem })
    }

    fn read(text: &str) -> Result<Self, FactProblem> {
        if text.len() > LINE_BYTES_MAX {
            return Err(problem(
                "line",
                format!(
                    "{} bytes are too long for one fact, at most {LINE_BYTES_MAX} fit",
                    text.len()
                ),
                "shorten it, or keep the document elsewhere and record its reference",
            ));
        }
        let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| json_problem(&error))?;
        let Some(fact) = raw.fact else {
            return Err(missing("fact", "{\"type\":\"call_rang\",\"call\":\"1\"}"));
        };
        let fact = decode_fact(&mut serde_json::Deserializer::from_str(fact.get()))?;
        let at = read_moment("at", raw.at.as_ref())?
            .ok_or_else(|| missing("at", "\"2026-03-02T09:00:00+08:00\""))?;
        let recorded_at = read_moment("recorded_at", raw.recorded_at.as_ref())?;
        if let Some(told) = recorded_at
            && told < at
        {
            return Err(problem(
                "recorded_at",
                "a fact cannot be told before it happened",
                "let recorded_at be at or after at",
            ));
        }
        let stream = match &raw.stream {
            None => return Err(missing("stream", "\"T-1001\"")),
            Some(serde_json::Value::String(name)) => StreamId::new(name).map_err(|error| {
                problem(
                    "stream",
                    error.to_string(),
                    "name the stream, e.g. \"T-1001\"",
                )
            })?,
            Some(_) => {
                return Err(problem(
                    "stream",
                    "a stream id is text",
                    "write e.g. \"T-1001\"",
                ));
            }
        };
        let by = read_actor("by", raw.by)?
            .ok_or_else(|| missing("by", "{\"id\":\"li\",\"role\":\"hotline_engineer\"}"))?;
        let done_by = read_actor("done_by", raw.done_by)?;
        Ok(Self {
            at,
            recorded_at,
            stream,
            by,
            done_by,
            id: read_id("id", raw.id)?,
            cause: read_id("cause", raw.cause)?,
            fact,
        })
    }

    /// The moment the desk learns it.
    pub fn told_at(&self) -> DateTime<Utc> {
        self.recorded_at.unwrap_or(self.at).to_utc()
    }
}

fn problem(field: &str, problem: impl Into<String>, remedy: impl Into<String>) -> FactProblem {
    FactProblem {
        field: field.to_owned(),
        problem: problem.into(),
        remedy: remedy.into(),
    }
}

fn missing(field: &str, example: &str) -> FactProblem {
    problem(
        field,
        "it is missing",
        format!("add e.g. \"{field}\":{example}"),
    )
}

fn json_problem(error: &serde_json::Error) -> FactProblem {
    const SHAPE: &str = "write one object a line: {\"at\":…,\"stream\":…,\"by\":{\"id\":…,\"role\":…},\"fact\":{\"type\":…}}";
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    let named = |prefix: &str| {
        what.strip_prefix(prefix)
            .and_then(|rest| rest.split('`').next())
            .map(|name| name.chars().take(60).collect::<String>())
    };
    if let Some(name) = named("unknown field `") {
        return problem(
            &name,
            "a line has no such member",
            "a line has: at, stream, by, fact, and perhaps recorded_at, done_by, id, cause",
        );
    }
    if let Some(name) = named("duplicate field `") {
        return problem(&name, "the member stands twice", "write it once");
    }
    if error.is_data() {
        return problem("line", "it is JSON, but no object with a fact", SHAPE);
    }
    problem(
        &format!("column {}", error.column()),
        format!(
            "this is not JSON: {}",
            what.chars().take(120).collect::<String>()
        ),
        SHAPE,
    )
}

fn read_moment(
    field: &str,
    value: Option<&serde_json::Value>,
) -> Result<Option<DateTime<FixedOffset>>, FactProblem> {
    match value {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => moment(text).map(Some).map_err(|_| {
            problem(
                field,
                format!(
                    "`{}` is no moment with a zone",
                    text.chars().take(60).collect::<String>()
                ),
                "write RFC 3339 with an offset, e.g. 2026-03-02T09:00:00+08:00",
            )
        }),
        Some(_) => Err(problem(
            field,
            "a moment is text",
            "write RFC 3339 with an offset, e.g. \"2026-03-02T09:00:00+08:00\"",
        )),
    }
}

fn read_actor(field: &str, value: Option<serde_json::Value>) -> Result<Option<Actor>, FactProblem> {
    match value {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(value @ serde_json::Value::Object(_)) => {
            serde_json::from_value(value).map(Some).map_err(|error| {
                problem(
                    field,
                    error.to_string().chars().take(160).collect::<String>(),
                    "write e.g. {\"id\":\"li\",\"role\":\"hotline_engineer\"}",
                )
            })
        }
        Some(_) => Err(problem(
            field,
            "a person is told by id and role",
            "write e.g. {\"id\":\"li\",\"role\":\"hotline_engineer\"}",
        )),
    }
}

fn read_id(field: &str, value: Option<serde_json::Value>) -> Result<Option<RecordId>, FactProblem> {
    let wrong = || {
        problem(
            field,
            "an id is a ULID: 26 characters of digits and capital letters",
            "write e.g. \"01KM7Z3N9W0000000000000000\", or leave it out",
        )
    };
    match value {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => {
            RecordId::from_string(&text).map(Some).map_err(|_| wrong())
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        HistoryLine::parse(7, text)
            .map(|_| String::new())
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn every_bad_line_names_line_field_and_remedy() {
        let line = |at: &str, by: &str, fact: &str| {
            format!(r#"{{"at":{at},"stream":"T-1","by":{by},"fact":{fact}}}"#)
        };
        let at = "\"2026-03-02T09:00:00+08:00\"";
        let by = r#"{"id":"li","role":"hotline_engineer"}"#;
        assert!(fault("{\"at\":").starts_with("line 7: column "));
        assert!(
            fault(&line(at, by, r#"{"type":"call_anserwed","call":"1"}"#))
                .contains("did you mean `call_answered`?")
        );
        assert!(fault(&line(at, by, r#"{"type":"call_answered"}"#)).contains("fact.call"));
        assert!(
            fault(&line(
                at,
                by,
                r#"{"type":"call_answered","call":"1","rings":"three"}"#
            ))
            .contains("fact.rings: expected a whole number")
        );
        assert!(
            fault(&line(
                at,
                by,
                r#"{"type":"call_answered","call":"1","rings":1e400}"#
            ))
            .starts_with("line 7: ")
        );
        assert!(
            fault(&line(
                at,
                by,
                r#"{"type":"call_answered","call":"1","rings":99999999999999999999}"#
            ))
            .contains("fact.rings")
        );
        assert!(
            fault(&line(
                "\"2026-03-02T09:00:00\"",
                by,
                r#"{"type":"call_rang","call":"1"}"#
            ))
            .contains("at: `2026-03-02T09:00:00` is no moment with a zone")
        );
        assert!(
            fault(&line(
                at,
                r#"{"id":"li"}"#,
                r#"{"type":"call_rang","call":"1"}"#
            ))
            .contains("by: ")
        );
        assert!(
            fault(&line(
                at,
                by,
                "{\"type\":\"call_rang\",\"call\":\"a\\u0007b\"}"
            ))
            .contains("U+0007")
        );
        let long = "x".repeat(20_000);
        assert!(
            fault(&line(
                at,
                by,
                &format!(r#"{{"type":"parked","reason":"{long}"}}"#)
            ))
            .contains("too long")
        );
        assert!(fault(&"x".repeat(1_000_000)).contains("too long"));
        assert!(
            fault(&line(
                at,
                by,
                r#"{"type":"call_rang","call":"1","colour":"red"}"#
            ))
            .contains("fact.colour")
        );
        assert!(fault(r#"{"when":1}"#).contains("a line has: at"));
        assert!(fault(&line(at, by, "null")).contains("fact"));
        assert!(fault(&line(at, by, "[]")).contains("fact"));
        assert!(fault(&line(at, "\"li\"", "{}")).contains("fact.type"));
        for (text, expected) in [
            ("null", "it is JSON, but no object"),
            ("[1,2]", "it is JSON, but no object"),
            (r#"{"at":"x","at":"y"}"#, "at: the member stands twice"),
        ] {
            assert!(fault(text).contains(expected), "{}", fault(text));
            assert!(!fault(text).contains("Raw"), "{}", fault(text));
        }
        let li = line(at, "\"li\"", r#"{"type":"call_rang","call":"1"}"#);
        assert!(
            fault(&li).contains("by: a person is told by id and role"),
            "{}",
            fault(&li)
        );
    }

    #[test]
    fn what_says_nothing_is_passed_over() {
        assert_eq!(HistoryLine::parse(1, "  \n"), Ok(None));
        assert_eq!(HistoryLine::parse(1, "// a remark"), Ok(None));
    }
}
