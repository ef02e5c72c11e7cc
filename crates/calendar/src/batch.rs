//! Questions as JSON Lines: one case a line in, one line out, whatever the line.
//!
//! [`answer`] is a pure function of the line; [`Batch`] gives the same answers and keeps
//! calendars it has compiled, so that many cases on few calendars are fast.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, FixedOffset, Offset, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::calendar::{Calendar, Direction};
use crate::coverage::Coverage;
use crate::definition::CalendarDefinition;
use crate::pauses::Pause;

/// The operations a case can ask for.
pub const OPERATIONS: [&str; 11] = [
    "add",
    "between",
    "between_signed",
    "deadline",
    "add_working_days",
    "add_civil_days",
    "add_civil_months",
    "next_open",
    "next_close",
    "previous_close",
    "is_open",
];

/// Answers one case. Never panics; what cannot be answered gives `{"id":…,"error":"…"}`.
#[must_use]
pub fn answer(line: &str) -> String {
    Batch::new().answer(line)
}

/// Calendars kept at once. A run where every case has its own calendar must not grow without
/// bound; one with a few keeps them all.
const KEPT: usize = 512;

/// Answers cases and keeps the calendars they use.
#[derive(Debug, Default)]
pub struct Batch {
    compiled: HashMap<String, Result<Arc<Calendar>, String>>,
}

/// A case as written, fields not yet read, so that an error can name its field and still carry
/// the id.
#[derive(Deserialize)]
struct Case<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    calendar: Option<&'a RawValue>,
    #[serde(borrow, default)]
    op: Option<&'a RawValue>,
    #[serde(borrow, default)]
    start: Option<&'a RawValue>,
    #[serde(borrow, default)]
    end: Option<&'a RawValue>,
    #[serde(borrow, default)]
    seconds: Option<&'a RawValue>,
    #[serde(borrow, default)]
    days: Option<&'a RawValue>,
    #[serde(borrow, default)]
    months: Option<&'a RawValue>,
    #[serde(borrow, default)]
    direction: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pauses: Option<&'a RawValue>,
}

/// The id alone, for lines whose other fields stand twice.
#[derive(Deserialize)]
struct OnlyId<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPause<'a> {
    #[serde(borrow, default)]
    from: Option<&'a RawValue>,
    #[serde(borrow, default)]
    to: Option<&'a RawValue>,
}

/// What a case is answered with; exactly one of the first five is there.
#[derive(Serialize, Default)]
struct Answer<'a> {
    id: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unannounced: Option<i32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    beyond_zone_data: bool,
}

impl Batch {
    /// A batch that has seen nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers one case; the same as [`answer`], faster where calendars repeat.
    #[must_use]
    pub fn answer(&mut self, line: &str) -> String {
        let (id, answered) = match object::<Case<'_>>(line) {
            Ok(case) => (case.id, self.answer_case(&case)),
            Err(error) => {
                let id = object::<OnlyId<'_>>(line).ok().and_then(|only| only.id);
                (
                    id,
                    Err(format!(
                        "the line is not a case: {error}; write one JSON object a line"
                    )),
                )
            }
        };
        let answer = match answered {
            Ok(answer) => Answer { id, ..answer },
            Err(error) => Answer {
                id,
                error: Some(error),
                ..Answer::default()
            },
        };
        serde_json::to_string(&answer)
            .unwrap_or_else(|_| r#"{"id":null,"error":"the answer cannot be written"}"#.to_owned())
    }

    fn answer_case<'a>(&mut self, case: &Case<'a>) -> Result<Answer<'a>, String> {
        let op = text(case.op, "op")?;
        if !OPERATIONS.contains(&&*op) {
            return Err(format!(
                "op: `{op}` is unknown; write one of {}",
                OPERATIONS.join(", ")
            ));
        }
        let calendar = self.calendar(case.calendar)?;
        let calendar = &*calendar;
        let start = instant(case.start, "start")?;
        let say = |error: crate::CalendarError| error.to_string();
        let reached = |at: Result<DateTime<Utc>, crate::CalendarError>| {
            let at = at.map_err(say)?;
            let instant = Some(written(calendar, at)?);
            Ok(with(
                calendar.coverage(start, at),
                Answer {
                    instant,
                    ..Answer::default()
                },
            ))
        };
        match &*op {
            "add" => {
                let zero = direction(case.direction)?;
                reached(calendar.add_toward(start, whole(case.seconds, "seconds")?, zero))
            }
            "between" | "between_signed" => {
                let end = instant(case.end, "end")?;
                let seconds = calendar.between_signed(start, end);
                let seconds = Some(if op == "between" {
                    seconds.max(0)
                } else {
                    seconds
                });
                Ok(with(
                    calendar.coverage(start, end),
                    Answer {
                        seconds,
                        ..Answer::default()
                    },
                ))
            }
            "deadline" => {
                let seconds = whole(case.seconds, "seconds")?;
                let pauses = pauses(case.pauses)?;
                match calendar.deadline(start, seconds, &pauses).map_err(say)? {
                    Some(due) => reached(Ok(due)),
                    None => Ok(Answer {
                        none: Some("paused"),
                        ..Answer::default()
                    }),
                }
            }
            "add_working_days" => {
                reached(calendar.add_working_days(start, whole(case.days, "days")?))
            }
            "add_civil_days" => reached(calendar.add_civil_days(start, whole(case.days, "days")?)),
            "add_civil_months" => {
                reached(calendar.add_civil_months(start, whole(case.months, "months")?))
            }
            "next_open" => reached(calendar.next_open(start)),
            "next_close" => reached(calendar.next_close(start)),
            "previous_close" => reached(calendar.previous_close(start)),
            // The last of OPERATIONS, all of which are above.
            _ => {
                let open = Some(calendar.is_open(start));
                Ok(with(
                    calendar.coverage(start, start),
                    Answer {
                        open,
                        ..Answer::default()
                    },
                ))
            }
        }
    }

    fn calendar(&mut self, raw: Option<&RawValue>) -> Result<Arc<Calendar>, String> {
        let raw = raw
            .ok_or("calendar: missing; write an object with at least \"tz\"")?
            .get();
        if let Some(known) = self.compiled.get(raw) {
            return known.clone();
        }
        let compiled = object::<CalendarDefinition>(raw)
            .map_err(|error| format!("calendar: {error}"))
            .and_then(|definition| {
                Calendar::compile(&definition).map_err(|error| format!("calendar: {error}"))
            })
            .map(Arc::new);
        if self.compiled.len() >= KEPT {
            self.compiled.clear();
        }
        self.compiled.insert(raw.to_owned(), compiled.clone());
        compiled
    }
}

/// Reads an object. The parser would also take a list of the fields in order, which nobody means.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        Err(format!("`{}` is not an object", excerpt(text)))
    }
}

fn with(coverage: Coverage, answer: Answer<'_>) -> Answer<'_> {
    Answer {
        unannounced: coverage.unannounced,
        beyond_zone_data: coverage.beyond_zone_data,
        ..answer
    }
}

fn text<'a>(raw: Option<&'a RawValue>, field: &str) -> Result<Cow<'a, str>, String> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let raw = raw.ok_or_else(|| format!("{field}: missing"))?.get();
    serde_json::from_str::<Text<'_>>(raw)
        .map(|Text(text)| text)
        .map_err(|_| format!("{field}: {} is not a text; put it in quotes", excerpt(raw)))
}

fn instant(raw: Option<&RawValue>, field: &str) -> Result<DateTime<Utc>, String> {
    let text = text(raw, field).map_err(|error| {
        format!("{error}; write an RFC 3339 instant such as \"2026-10-12T09:00:00+08:00\"")
    })?;
    DateTime::parse_from_rfc3339(&text).map(|instant| instant.to_utc()).map_err(|error| {
        format!(
            "{field}: `{}` is not an RFC 3339 instant ({error}); write date, time and offset, e.g. \"2026-10-12T09:00:00+08:00\"",
            excerpt(&text)
        )
    })
}

/// A whole number. JSON knows one kind of number, so `3600.0` is one too; `0.5` is not.
fn whole(raw: Option<&RawValue>, field: &str) -> Result<i64, String> {
    let raw = raw
        .ok_or_else(|| format!("{field}: missing; write a whole number"))?
        .get();
    let digits = match raw.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        _ => raw,
    };
    digits.parse().map_err(|_| {
        format!(
            "{field}: {} is not a whole number (of at most 64 bits, no exponent)",
            excerpt(raw)
        )
    })
}

fn direction(raw: Option<&RawValue>) -> Result<Direction, String> {
    if raw.is_none() {
        return Ok(Direction::Forward);
    }
    match &*text(raw, "direction")? {
        "forward" => Ok(Direction::Forward),
        "backward" => Ok(Direction::Backward),
        other => Err(format!(
            "direction: `{}`; write \"forward\" or \"backward\"",
            excerpt(other)
        )),
    }
}

fn pauses(raw: Option<&RawValue>) -> Result<Vec<Pause>, String> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    let written: Vec<WrittenPause<'_>> = serde_json::from_str(raw.get()).map_err(|error| {
        format!("pauses: {error}; write a list of {{\"from\":…,\"to\":…}}, `to` null while paused")
    })?;
    let mut pauses = Vec::with_capacity(written.len());
    for (index, pause) in written.iter().enumerate() {
        let from = instant(pause.from, &format!("pauses[{index}].from"))?;
        let to = match pause.to {
            Some(_) => Some(instant(pause.to, &format!("pauses[{index}].to"))?),
            None => None,
        };
        pauses.push(Pause { from, to });
    }
    Ok(pauses)
}

/// An instant by the calendar's clock with its numeric offset.
fn written(calendar: &Calendar, at: DateTime<Utc>) -> Result<String, String> {
    let offset = calendar
        .zone()
        .offset_from_utc_datetime(&at.naive_utc())
        .fix();
    // Before standard time some offsets had seconds, which RFC 3339 cannot write: those are
    // shown at the whole minute below, which is the same instant.
    let minutes = offset.local_minus_utc().div_euclid(60);
    let local = FixedOffset::east_opt(minutes * 60).map(|offset| at.with_timezone(&offset));
    match local {
        Some(local) if (0..=9999).contains(&local.year()) => Ok(local.to_rfc3339()),
        _ => Err(format!(
            "the answer is in the year {}, which RFC 3339 cannot write",
            at.year()
        )),
    }
}

/// The beginning of a value, for errors that must stay one readable line.
fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}
