//! Rules in words for people who do not write them: names without underscores,
//! histories with the time that has passed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value as Json;
use thirdring::Fact;
use thirdring::core::forms::limit::describe_seconds;
use thirdring::core::forms::{Clause, Form};
use thirdring::core::vocabulary::Value;
use thirdring::core::written::Step;

/// A clause in words: when it applies, what it says, and what else is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) when: Option<String>,
    pub(crate) sentence: String,
    pub(crate) besides: Vec<String>,
}

/// What a clause says.
pub(crate) fn clause(clause: &Clause) -> Said {
    let text = clause.describe();
    if let Form::Stated(_) = clause.form {
        return Said {
            when: None,
            sentence: text,
            besides: Vec::new(),
        };
    }
    let mut parts = text.split("; ");
    let head = parts.next().unwrap_or_default();
    let (sentence, when) = match head.split_once(", where ") {
        Some((sentence, when)) => (sentence, Some(words(when))),
        None => (head, None),
    };
    Said {
        when,
        sentence: sentence_of(sentence),
        besides: parts.map(words).collect(),
    }
}

fn sentence_of(text: &str) -> String {
    let text = text.replace(" within 0 clock minutes of ", " not later than ");
    if let Some((fact, claims)) = text.split_once(" somebody vouches for ") {
        return format!(
            "at {}, somebody vouches for: {}",
            words(fact),
            words(claims)
        );
    }
    if let Some((field, value)) = text
        .strip_prefix("says what ")
        .and_then(|rest| rest.strip_suffix(" means"))
        .and_then(|rest| rest.split_once(" = "))
    {
        let (fact, field) = field.split_once('.').unwrap_or(("", field));
        return format!(
            "says what {} {} in {} means",
            words(field),
            words(value),
            words(fact)
        );
    }
    words(&text.replace(" carries ", " names "))
}

/// Names as words, and what is asked of a fact in brackets behind it:
/// `call_ended reason=finished` is `call ended (reason finished)`.
pub(crate) fn words(text: &str) -> String {
    let mut said = String::new();
    let mut asked: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_end_matches([',', ';', ')', ':']);
        let after = word.get(bare.len()..).unwrap_or_default();
        let pair = bare
            .split_once('=')
            .filter(|(name, value)| !name.is_empty() && !value.is_empty());
        if let Some((name, value)) = pair {
            let value = match value {
                "true" => "yes".to_owned(),
                "false" => "no".to_owned(),
                other => spaced(&other.replace('|', " or ")),
            };
            asked.push(format!("{} {value}", spaced(name)));
            if after.is_empty() {
                continue;
            }
            push(&mut said, &bracketed(&mut asked));
            said.push_str(after);
            continue;
        }
        if !asked.is_empty() {
            push(&mut said, &bracketed(&mut asked));
        }
        push(&mut said, &spaced(word));
    }
    if !asked.is_empty() {
        push(&mut said, &bracketed(&mut asked));
    }
    said
}

fn push(said: &mut String, word: &str) {
    if !said.is_empty() {
        said.push(' ');
    }
    said.push_str(word);
}

fn bracketed(asked: &mut Vec<String>) -> String {
    let text = format!("({})", asked.join(", "));
    asked.clear();
    text
}

/// A name as words.
pub(crate) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// What a manual chose, as it stands in the rulebook: a word, a list, a pattern.
pub(crate) fn chosen(value: &str) -> String {
    fn said(value: &Json) -> String {
        match value {
            Json::String(word) => spaced(word),
            Json::Array(items) if items.is_empty() => "none".to_owned(),
            Json::Array(items) => items.iter().map(said).collect::<Vec<_>>().join(", "),
            Json::Object(members) => {
                let fact = members.get("fact").map(said);
                let asked: Vec<String> = members
                    .iter()
                    .filter(|(name, _)| *name != "fact")
                    .map(|(name, value)| {
                        format!("{} {}", spaced(name), said(value).replace(", ", " or "))
                    })
                    .collect();
                match fact {
                    Some(fact) if asked.is_empty() => fact,
                    Some(fact) => format!("{fact} ({})", asked.join(", ")),
                    None => asked.join(", "),
                }
            }
            other => other.to_string(),
        }
    }
    match serde_json::from_str::<Json>(value) {
        Ok(value) => said(&value),
        Err(_) => spaced(value),
    }
}

/// What is set otherwise, `time = working`, for people: a value is no JSON.
pub(crate) fn set(what: &str) -> String {
    match what.split_once(" = ") {
        Some((name, value)) => format!("{}: {}", spaced(name), chosen(value)),
        None => what.to_owned(),
    }
}

/// The steps of a written history: after which time, and what happens then.
pub(crate) fn story(steps: &[String]) -> Vec<(String, String)> {
    let start = DateTime::<Utc>::UNIX_EPOCH;
    let mut passed = TimeDelta::zero();
    steps
        .iter()
        .map(|written| {
            let Ok(step) = Step::parse(written, start) else {
                return (String::new(), written.clone());
            };
            passed = passed.checked_add(&step.delay).unwrap_or(passed);
            let when = if passed.is_zero() {
                "at first".to_owned()
            } else {
                format!("after {}", describe_seconds(passed.num_seconds()))
            };
            let what = step.fact.as_ref().map_or_else(
                || "nothing more has happened".to_owned(),
                |fact| happened(fact, step.by.as_deref(), start),
            );
            (when, what)
        })
        .collect()
}

/// A fact in words: `backup taken (visit 1, by whom customer, data yes)`.
fn happened(fact: &Fact, by: Option<&str>, start: DateTime<Utc>) -> String {
    let mut said: Vec<String> = Vec::new();
    if let (Some(key), Some(value)) = (fact.spec().key, fact.key()) {
        said.push(format!("{} {value}", key.name));
    }
    for (name, value) in fact.fields() {
        said.push(format!("{} {}", spaced(name), value_of(value, start)));
    }
    if let Some(role) = by {
        said.push(format!("done by {}", spaced(role)));
    }
    let name = spaced(fact.fact_type().name());
    if said.is_empty() {
        name
    } else {
        format!("{name} ({})", said.join(", "))
    }
}

fn value_of(value: &Value, start: DateTime<Utc>) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Word(word) => spaced(word),
        Value::Words(words) => words
            .iter()
            .map(|word| spaced(word))
            .collect::<Vec<_>>()
            .join(" and "),
        Value::Instant(moment) => {
            let after = (moment.to_utc() - start).num_seconds();
            format!("{} after the first", describe_seconds(after))
        }
        Value::Date(date) => date.to_string(),
        Value::Personal(text) => text.as_ref().map_or_else(
            || "(erased)".to_owned(),
            |text| format!("“{}”", text.reveal()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_what_is_asked_stands_in_brackets() {
        assert_eq!(
            words(
                "after triaged in_doubt=true: result_told, backup_refused consequences_told=true"
            ),
            "after triaged (in doubt yes): result told, backup refused (consequences told yes)"
        );
        assert_eq!(
            words(
                "remote_attempted outcome=failed or visit_written_off solved=false next=next_order"
            ),
            "remote attempted (outcome failed) or visit written off (solved no, next next order)"
        );
        assert_eq!(
            words("the agreed time has begun"),
            "the agreed time has begun"
        );
        assert_eq!(words("a = b"), "a = b");
    }

    #[test]
    fn a_choice_is_no_json() {
        assert_eq!(chosen("working"), "working");
        assert_eq!(chosen("[1,2]"), "1, 2");
        assert_eq!(chosen("[]"), "none");
        assert_eq!(
            chosen(r#"{"fact":"triaged","solvable_by":["remote","onsite"]}"#),
            "triaged (solvable by remote or onsite)"
        );
        assert_eq!(set(r#"at_most = {"rings":5}"#), "at most: rings 5");
    }

    #[test]
    fn a_history_says_how_much_time_has_passed() {
        let steps = [
            "request_received",
            "+10m appointment_agreed visit=1 asked_by=customer from=@+48h to=@+50h by=service_engineer",
            "+30h",
        ]
        .map(str::to_owned);
        assert_eq!(
            story(&steps),
            [
                ("at first", "request received"),
                (
                    "after 10 min",
                    "appointment agreed (visit 1, from 2 d after the first, to 2 d 2 h after the first, asked by customer, done by service engineer)"
                ),
                ("after 1 d 6 h 10 min", "nothing more has happened"),
            ]
            .map(|(when, what)| (when.to_owned(), what.to_owned()))
        );
    }
}
