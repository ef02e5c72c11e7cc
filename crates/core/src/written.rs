//! Facts written in one line, as rules' own cases and scenarios write them:
//! `+59m call_answered call=1 rings=2 by=hotline_engineer`.

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::vocabulary::{Fact, FactType, FieldType, Value, decode_fact, nearest, printable};

/// The moment a written history begins at unless it says otherwise: a Monday
/// morning at nine in the manual's zone, 2 March 2026.
pub fn beginning(zone: Tz) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(2026, 3, 2)
        .and_then(|date| date.and_hms_opt(9, 0, 0))
        .and_then(|time| zone.from_local_datetime(&time).earliest())
        .map_or(DateTime::UNIX_EPOCH, |moment| moment.to_utc())
}

/// One line of a written history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How much time passes before it.
    pub delay: TimeDelta,
    /// What happens; nothing where only time passes.
    pub fact: Option<Fact>,
    /// The role of the doer, in whichever word, where one is named.
    pub by: Option<String>,
    /// The answers the line gives in place of the desk's look-ups: field and
    /// answer. The fact holds them already.
    pub evidence: Vec<(String, bool)>,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {remedy}")]
pub struct BadStep {
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub remedy: String,
}

impl BadStep {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: printable(&problem.into()),
            remedy: printable(&remedy.into()),
        }
    }
}

impl Step {
    /// Reads one line; `@+26h` means 26 hours after `start`.
    ///
    /// # Errors
    /// If the line names no fact, or its fields do not fit the fact.
    pub fn parse(line: &str, start: DateTime<Utc>) -> Result<Self, BadStep> {
        let line = line.trim();
        let (delay, rest) = match line.strip_prefix('+') {
            None => (TimeDelta::zero(), line),
            Some(delayed) => {
                let (span, rest) = delayed.split_once(' ').unwrap_or((delayed, ""));
                (parse_span(span)?, rest.trim())
            }
        };
        if rest.is_empty() {
            return Ok(Self {
                delay,
                fact: None,
                by: None,
                evidence: Vec::new(),
            });
        }
        let (fact, by, evidence) = parse_fact(rest, start)?;
        Ok(Self {
            delay,
            fact: Some(fact),
            by,
            evidence,
        })
    }
}

/// Parses `59m`, `26h`, `3d`, `10s`.
///
/// # Errors
/// If the text is no such span.
pub fn parse_span(span: &str) -> Result<TimeDelta, BadStep> {
    let bad = || {
        BadStep::new(
            format!("`{span}` is no span of time"),
            "write e.g. 10s, 59m, 26h or 3d",
        )
    };
    let unit = span.chars().last().ok_or_else(bad)?;
    let number: i64 = span
        .strip_suffix(unit)
        .and_then(|number| number.parse().ok())
        .filter(|n| *n >= 0)
        .ok_or_else(bad)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    number
        .checked_mul(seconds)
        .and_then(TimeDelta::try_seconds)
        .ok_or_else(bad)
}

type ReadFact = (Fact, Option<String>, Vec<(String, bool)>);

/// Reads `backup_taken visit=1 by_whom=customer by=service_engineer`.
fn parse_fact(text: &str, start: DateTime<Utc>) -> Result<ReadFact, BadStep> {
    let mut words = split_words(text).into_iter();
    let name = words.next().unwrap_or_default();
    let Some(fact_type) = FactType::named(&name) else {
        let remedy = match nearest(&name, FactType::all().map(FactType::name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`thirdring schema` lists all facts".to_owned(),
        };
        return Err(BadStep::new(format!("`{name}` is no fact"), remedy));
    };
    let spec = fact_type.spec();
    let mut role = None;
    let mut json = serde_json::Map::new();
    let mut evidence = Vec::new();
    json.insert("type".to_owned(), name.into());
    for word in words {
        let Some((field, value)) = word.split_once('=') else {
            return Err(BadStep::new(
                format!("`{word}` is no field=value"),
                "write field=value",
            ));
        };
        if field == "by" {
            role = Some(value.to_owned());
            continue;
        }
        let field_type = spec.field(field).map(|(_, declared)| declared.field_type);
        let parsed = match field_type {
            Some(FieldType::Int) => value
                .parse::<i64>()
                .map(Into::into)
                .unwrap_or_else(|_| value.into()),
            Some(FieldType::Flag) => value
                .parse::<bool>()
                .map(Into::into)
                .unwrap_or_else(|_| value.into()),
            Some(FieldType::Evidence) => {
                let answer = value.parse().map_err(|_| {
                    BadStep::new(
                        format!("`{field}` is yes or no, not `{value}`"),
                        format!("write {field}=true"),
                    )
                })?;
                evidence.push((field.to_owned(), answer));
                continue;
            }
            Some(FieldType::Words) => value
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
                .into(),
            Some(FieldType::Instant) => match value.strip_prefix("@+") {
                Some(span) => {
                    let at = start.checked_add_signed(parse_span(span)?).ok_or_else(|| {
                        BadStep::new(
                            format!("`{value}` lies beyond every calendar"),
                            "write e.g. from=@+26h",
                        )
                    })?;
                    at.to_rfc3339().into()
                }
                None => value.into(),
            },
            Some(FieldType::Word | FieldType::Date | FieldType::Personal) | None => value.into(),
        };
        if json.insert(field.to_owned(), parsed).is_some() {
            return Err(BadStep::new(
                format!("`{field}` stands twice"),
                "write it once",
            ));
        }
    }
    let mut fact = decode_fact(serde_json::Value::Object(json))
        .map_err(|bad| BadStep::new(format!("{}: {}", bad.field, bad.problem), bad.remedy))?;
    for (field, answer) in &evidence {
        fact.set(field, Value::Flag(*answer));
    }
    Ok((fact, role, evidence))
}

/// Splits at blanks outside quotation marks.
fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
