//! Trying a rulebook on the one-line histories its own rules hold.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};

use crate::audit::{Observable, VerdictKind, verdicts_of};
use crate::digest::Digest;
use crate::ids::{Actor, RecordId, StreamId};
use crate::judge::Case;
use crate::record::{Content, Record};
use crate::rulebook::{Library, Rule, Rulebook, WrittenCase};
use crate::source::{Complaint, Complaints};
use crate::vocabulary::{Fact, FactType, FieldType, Process, Value, decode_fact, nearest};

/// Reads a manual with the rules it takes, checks it as a whole, and tries it
/// on the cases its rules hold.
///
/// # Errors
/// Everything that is wrong, with file, line and remedy.
pub fn load(library: &Library, manual: &str) -> Result<Rulebook, Complaints> {
    let rulebook = Rulebook::read(library, manual)?;
    let complaints = try_cases(&rulebook);
    if complaints.is_empty() { Ok(rulebook) } else { Err(Complaints(complaints)) }
}

fn try_cases(rulebook: &Rulebook) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for rule in &rulebook.rules {
        if rule.cases.is_empty() {
            continue;
        }
        let alone = Arc::new(rulebook.alone(&rule.id));
        for case in &rule.cases {
            if let Err(complaint) = try_case(&alone, rule, case) {
                complaints.push(complaint);
            }
        }
    }
    complaints
}

fn try_case(rulebook: &Arc<Rulebook>, rule: &Rule, written: &WrittenCase) -> Result<(), Complaint> {
    let complain = |problem: String, remedy: String| written.place.complain(Some(&rule.id), problem, remedy);
    let start = beginning(rulebook);
    let process = rule
        .clauses
        .iter()
        .flat_map(|clause| &clause.facts)
        .map(|fact| fact.spec().process)
        .find(|process| *process != Process::Any)
        .unwrap_or(Process::Ticket);
    let name = match process {
        Process::Ticket | Process::Any => "case".to_owned(),
        Process::Shift | Process::Knowledge => format!("{}/case", process.name()),
    };
    let stream = StreamId::new(&name).map_err(|error| complain(error.to_string(), "rename it".to_owned()))?;
    let mut now = start;
    let mut records = Vec::new();
    for step in &written.steps {
        let (delay, rest) = split_delay(step).map_err(|problem| {
            complain(format!("`{step}`: {problem}"), "write e.g. \"+59m status_told\"".to_owned())
        })?;
        now += delay;
        if rest.is_empty() {
            continue;
        }
        let (fact, role) =
            parse_step(rest, start).map_err(|(problem, remedy)| complain(format!("`{step}`: {problem}"), remedy))?;
        let role = match role {
            None => "somebody".to_owned(),
            Some(role) => rulebook.roles.canonical(&role).map(str::to_owned).ok_or_else(|| {
                complain(format!("`{step}`: `{role}` is no role of the manual"), "use a role of [roles]".to_owned())
            })?,
        };
        let version = records.len() as u64 + 1;
        records.push(Arc::new(Record {
            id: RecordId::from(u128::from(version)),
            stream: stream.clone(),
            version,
            occurred_at: now.fixed_offset(),
            recorded_at: now,
            by: Actor { id: format!("somebody-{role}"), role },
            done_by: None,
            rulebook: rulebook.digest,
            evidence: Vec::new(),
            cause: None,
            content: Content::Fact(fact),
            chain: Digest::of("case", &[]),
        }));
    }
    let case = Case::replay(stream, Arc::clone(rulebook), records);
    let verdicts = verdicts_of(&case, now, &Observable::default(), Some(&rule.id));
    let broken: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.kind == VerdictKind::Broken)
        .map(|verdict| verdict.why.as_str())
        .collect();
    let judged = verdicts.iter().any(|verdict| {
        !matches!(verdict.kind, VerdictKind::NotApplicable | VerdictKind::Pending | VerdictKind::Unobservable)
    });
    let lifts = rule.clauses.iter().all(|clause| !clause.form.is_guard() && !clause.form.is_clock());
    match (written.breaks, broken.is_empty()) {
        (false, false) => Err(complain(
            format!("a `kept` case is found broken: {}", broken.join("; ")),
            "correct the case or the rule".to_owned(),
        )),
        (true, true) => Err(complain(
            "a `broken` case is not found broken".to_owned(),
            "correct the case or the rule".to_owned(),
        )),
        (false, true) if !judged && !lifts => Err(complain(
            "a `kept` case is not judged at all: nothing in it concerns the rule, or its time is still running".to_owned(),
            "let the case reach the rule's end".to_owned(),
        )),
        (true, false) | (false, true) => Ok(()),
    }
}

/// Monday morning at nine in the manual's zone, or the first opening after it.
fn beginning(rulebook: &Rulebook) -> DateTime<Utc> {
    let monday = NaiveDate::from_ymd_opt(2026, 3, 2)
        .and_then(|date| date.and_hms_opt(9, 0, 0))
        .and_then(|time| rulebook.calendar.zone().from_local_datetime(&time).earliest())
        .map_or(DateTime::UNIX_EPOCH, |moment| moment.to_utc());
    rulebook.calendar.next_open(monday).unwrap_or(monday)
}

/// Splits `+59m status_told` into the delay and the rest.
fn split_delay(step: &str) -> Result<(TimeDelta, &str), String> {
    let step = step.trim();
    let Some(delayed) = step.strip_prefix('+') else { return Ok((TimeDelta::zero(), step)) };
    let (span, rest) = delayed.split_once(' ').unwrap_or((delayed, ""));
    Ok((parse_span(span)?, rest.trim()))
}

/// Parses `59m`, `26h`, `3d`, `10s`.
fn parse_span(span: &str) -> Result<TimeDelta, String> {
    let bad = || format!("`{span}` is no span of time (10s, 59m, 26h, 3d)");
    let unit = span.chars().last().ok_or_else(bad)?;
    let number: i64 =
        span.strip_suffix(unit).and_then(|number| number.parse().ok()).filter(|n| *n >= 0).ok_or_else(bad)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    number.checked_mul(seconds).and_then(TimeDelta::try_seconds).ok_or_else(bad)
}

/// Reads `backup_taken visit=1 by_whom=customer by=service_engineer`.
fn parse_step(text: &str, start: DateTime<Utc>) -> Result<(Fact, Option<String>), (String, String)> {
    let mut words = split_words(text).into_iter();
    let name = words.next().unwrap_or_default();
    let Some(fact_type) = FactType::named(&name) else {
        let remedy = match nearest(&name, FactType::all().map(FactType::name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`thirdring schema` lists all facts".to_owned(),
        };
        return Err((format!("`{name}` is no fact"), remedy));
    };
    let spec = fact_type.spec();
    let mut role = None;
    let mut json = serde_json::Map::new();
    let mut evidence = Vec::new();
    json.insert("type".to_owned(), name.into());
    for word in words {
        let Some((field, value)) = word.split_once('=') else {
            return Err((format!("`{word}` is no field=value"), "write field=value".to_owned()));
        };
        if field == "by" {
            role = Some(value.to_owned());
            continue;
        }
        let field_type = spec.field(field).map(|(_, declared)| declared.field_type);
        let parsed = match field_type {
            Some(FieldType::Int) => value.parse::<i64>().map(Into::into).unwrap_or_else(|_| value.into()),
            Some(FieldType::Flag) => value.parse::<bool>().map(Into::into).unwrap_or_else(|_| value.into()),
            Some(FieldType::Evidence) => {
                evidence.push((field.to_owned(), value == "true"));
                continue;
            }
            Some(FieldType::Words) => value.split(',').map(str::to_owned).collect::<Vec<_>>().into(),
            Some(FieldType::Instant) => match value.strip_prefix("@+") {
                Some(span) => {
                    let span = parse_span(span).map_err(|problem| (problem, "write e.g. from=@+26h".to_owned()))?;
                    (start + span).to_rfc3339().into()
                }
                None => value.into(),
            },
            Some(FieldType::Word | FieldType::Date | FieldType::Personal) | None => value.into(),
        };
        json.insert(field.to_owned(), parsed);
    }
    let mut fact = decode_fact(serde_json::Value::Object(json))
        .map_err(|problem| (format!("{}: {}", problem.field, problem.problem), problem.remedy))?;
    for (field, answer) in evidence {
        fact.set(&field, Value::Flag(answer));
    }
    Ok((fact, role))
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
