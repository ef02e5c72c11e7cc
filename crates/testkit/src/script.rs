//! Scenarios as text: facts, ticks of time, expected words.
//!
//! ```text
//! # A line that begins with a hash is a remark.
//! manual unis
//! at 2026-03-02T09:00:00+08:00
//! by hotline_engineer
//!
//! call_answered call=1 rings=4 => flagged hotline-answer-within-three-rings
//! +2m request_received channel=phone
//! +1m problem_solved => refused hotline-every-phone-request-recorded …
//! +8h told 2h ago: @first backup_taken visit=1
//! +1m fact_retracted record=@first reason="not ours" by=service_manager
//! +1d => broken hotline-callback-within-1h; status received
//! ```
//!
//! A line may begin with the time that passes (`+45m`), say that it is told
//! late (`told 8h ago:`), give the record a label (`@first`), name a fact with
//! its fields and a role (`by=…`), and after ` => ` say what is expected,
//! several things parted by `;`. Without ` => ` a fact must be admitted.
//!
//! | expected | means |
//! |---|---|
//! | `admitted` | recorded, flagged or not |
//! | `clean` | recorded without a flag |
//! | `refused R…` | refused by exactly these rules; a last `…` allows others |
//! | `flagged R…` | recorded, and flagged by these rules among others |
//! | `nonsense TEXT` | not possible, and the message holds the text |
//! | `started R`, `met R`, `missed R`, `cancelled R`, `paused R`, `moved R` | what the fact did to a clock |
//! | `noticed R`, `warned R` | what lapsed before the line |
//! | `kept R`, `broken R`, `pending R`, `waived R`, … | a verdict by now, by its word; `kept` also: broken nowhere |
//! | `due R MOMENT` | a pending verdict's due moment, RFC 3339 |
//! | `why R TEXT` | some verdict's reason holds the text |
//! | `status LABEL`, `visit KEY LABEL` | where the stream, or a visit, stands |

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use thirdring_core::judge::{Admission, ProposeError};
use thirdring_core::record::{Notice, Step as Told};
use thirdring_core::written::{Step, parse_span};
use thirdring_core::{Rulebook, StreamId, Verdict, VerdictKind, verdicts};

use crate::bench::{Bench, Telling};

/// A scenario that does not go as it says, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
    /// What was otherwise.
    pub problem: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}\n  {}", self.line, self.text, self.problem)
    }
}

/// Plays a scenario and panics with everything that was otherwise.
///
/// # Panics
/// If it does not go as it says.
#[track_caller]
pub fn check(name: &str, text: &str) {
    let unmet = play(text, &|manual| {
        thirdring_manuals::shipped(manual).ok().map(Arc::new)
    });
    if !unmet.is_empty() {
        let all: Vec<String> = unmet.iter().map(ToString::to_string).collect();
        crate::fail(&format!("{name}:\n{}", all.join("\n")));
    }
}

/// Plays a scenario; `manual` finds the rulebook it names. Gives everything
/// that was otherwise than expected.
pub fn play(text: &str, manual: &dyn Fn(&str) -> Option<Arc<Rulebook>>) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    let mut stage = Stage::default();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(problem) = stage.line(line, manual) {
            unmet.push(Unmet {
                line: number,
                text: line.to_owned(),
                problem,
            });
        }
    }
    unmet
}

#[derive(Default)]
struct Stage {
    rulebook: Option<Arc<Rulebook>>,
    start: Option<DateTime<Utc>>,
    stream: Option<StreamId>,
    by: String,
    bench: Option<Bench>,
    labels: Vec<(String, String)>,
}

/// What a line brought about.
struct Outcome {
    proposed: Option<Result<Admission, ProposeError>>,
    lapsed: Vec<Notice>,
    verdicts: Vec<Verdict>,
}

impl Stage {
    fn line(
        &mut self,
        line: &str,
        manual: &dyn Fn(&str) -> Option<Arc<Rulebook>>,
    ) -> Result<(), String> {
        let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
        match head {
            "manual" => {
                let found =
                    manual(rest.trim()).ok_or_else(|| format!("there is no manual `{rest}`"))?;
                self.rulebook = Some(found);
                Ok(())
            }
            "at" => {
                let moment: DateTime<Utc> = rest
                    .trim()
                    .parse()
                    .map_err(|_| format!("`{rest}` is no moment with a zone"))?;
                match &mut self.bench {
                    Some(bench) => bench.go_to(moment),
                    None => self.start = Some(moment),
                }
                Ok(())
            }
            "stream" => {
                self.stream = Some(StreamId::new(rest.trim()).map_err(|error| error.to_string())?);
                Ok(())
            }
            "by" => {
                rest.trim().clone_into(&mut self.by);
                Ok(())
            }
            _ => self.act(line),
        }
    }

    fn bench(&mut self) -> Result<&mut Bench, String> {
        if self.bench.is_none() {
            let rulebook = self.rulebook.as_ref().ok_or("begin with `manual NAME`")?;
            let plain = Bench::new(rulebook);
            let stream = self
                .stream
                .clone()
                .unwrap_or_else(|| plain.case().stream().clone());
            self.bench = Some(Bench::starting(
                rulebook,
                stream,
                self.start.unwrap_or(plain.start()),
            ));
        }
        self.bench
            .as_mut()
            .ok_or_else(|| "there is no bench".to_owned())
    }

    fn act(&mut self, line: &str) -> Result<(), String> {
        let (told, expected) = match line.split_once("=> ") {
            Some((told, expected)) => (told.trim(), Some(expected)),
            None => (line, None),
        };
        let (delay, told) = split_delay(told)?;
        let (ago, told) = split_ago(told)?;
        let (label, told) = split_label(told);
        let mut words = told.to_owned();
        for (name, id) in &self.labels {
            words = words.replace(&format!("=@{name}"), &format!("={id}"));
        }
        let by = self.by.clone();
        let bench = self.bench()?;
        bench.pass(delay);
        let lapsed = bench.lapse();
        let proposed = if words.is_empty() {
            None
        } else {
            let step = Step::parse(&words, bench.start()).map_err(|bad| bad.to_string())?;
            let fact = step.fact.ok_or("the line names no fact")?;
            let role = step.by.unwrap_or(by);
            if role.is_empty() {
                return Err(
                    "nobody does it: say `by ROLE` above, or by=ROLE in the line".to_owned(),
                );
            }
            let telling = Telling::now(bench.actor(&role)).ago(ago);
            Some(bench.tell(fact, &telling))
        };
        if let (Some(label), Some(Ok(admission))) = (label, &proposed) {
            self.labels
                .push((label.to_owned(), admission.draft.id.to_string()));
        }
        let bench = self.bench()?;
        let verdicts = verdicts(bench.case(), bench.now());
        let outcome = Outcome {
            proposed,
            lapsed,
            verdicts,
        };
        let expected: Vec<&str> = match expected {
            Some(expected) => expected
                .split(';')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .collect(),
            None if outcome.proposed.is_some() => vec!["admitted"],
            None => Vec::new(),
        };
        for wanted in expected {
            outcome
                .meets(wanted, bench)
                .map_err(|problem| format!("{wanted}: {problem}"))?;
        }
        Ok(())
    }
}

fn split_delay(told: &str) -> Result<(TimeDelta, &str), String> {
    let Some(delayed) = told.strip_prefix('+') else {
        return Ok((TimeDelta::zero(), told));
    };
    let (span, rest) = delayed.split_once(' ').unwrap_or((delayed, ""));
    Ok((
        parse_span(span).map_err(|bad| bad.to_string())?,
        rest.trim(),
    ))
}

fn split_ago(told: &str) -> Result<(TimeDelta, &str), String> {
    let Some(late) = told.strip_prefix("told ") else {
        return Ok((TimeDelta::zero(), told));
    };
    let (span, rest) = late
        .split_once(" ago:")
        .ok_or("write e.g. `told 8h ago: work_started visit=1`")?;
    Ok((
        parse_span(span.trim()).map_err(|bad| bad.to_string())?,
        rest.trim(),
    ))
}

fn split_label(told: &str) -> (Option<&str>, &str) {
    match told
        .strip_prefix('@')
        .and_then(|labelled| labelled.split_once(' '))
    {
        Some((label, rest)) => (Some(label), rest.trim()),
        None => (None, told),
    }
}

impl Outcome {
    fn meets(&self, wanted: &str, bench: &Bench) -> Result<(), String> {
        let mut words = wanted.split_whitespace();
        let verb = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let first = rest.first().copied().unwrap_or_default();
        match verb {
            "admitted" => self.admission().map(|_| ()),
            "clean" => match self.admission()?.flags.as_slice() {
                [] => Ok(()),
                flags => Err(format!("flagged by {}", ids(flags))),
            },
            "refused" => self.refused(&rest),
            "flagged" => {
                let flags = &self.admission()?.flags;
                match rest
                    .iter()
                    .find(|rule| !flags.iter().any(|flag| &*flag.rule == **rule))
                {
                    None => Ok(()),
                    Some(missing) => Err(format!(
                        "{missing} does not flag it; it is flagged by {}",
                        ids(flags)
                    )),
                }
            }
            "nonsense" => {
                let text = rest.join(" ");
                match &self.proposed {
                    Some(Err(error @ (ProposeError::Nonsense(_) | ProposeError::Invalid(_)))) => {
                        let said = error.to_string();
                        if said.contains(&text) {
                            Ok(())
                        } else {
                            Err(said)
                        }
                    }
                    _ => Err(self.got()),
                }
            }
            "started" | "met" | "missed" | "cancelled" | "paused" | "moved" => {
                let found = self
                    .admission()?
                    .clocks
                    .iter()
                    .any(|change| &*change.rule == first && change.event.name() == verb);
                if found { Ok(()) } else { Err(self.got()) }
            }
            "noticed" | "warned" => {
                let found = self.lapsed.iter().any(|notice| {
                    notice.rule == first
                        && matches!(notice.step, Told::Warned(_)) == (verb == "warned")
                });
                if found {
                    Ok(())
                } else {
                    Err(format!("lapsed: {:?}", self.lapsed))
                }
            }
            "due" => {
                let moment = rest.get(1).copied().unwrap_or_default();
                let due: DateTime<Utc> = moment
                    .parse()
                    .map_err(|_| format!("`{moment}` is no moment"))?;
                let found = self.of(first).any(|verdict| {
                    verdict.kind == VerdictKind::Pending && verdict.due == Some(due)
                });
                if found {
                    Ok(())
                } else {
                    Err(self.verdicts_said(first))
                }
            }
            "why" => {
                let text = rest.get(1..).unwrap_or_default().join(" ");
                let found = self.of(first).any(|verdict| verdict.why.contains(&text));
                if found {
                    Ok(())
                } else {
                    Err(self.verdicts_said(first))
                }
            }
            "status" => {
                let stands = bench.case().status().stream;
                if stands == rest.join(" ") {
                    Ok(())
                } else {
                    Err(format!("it is {stands}"))
                }
            }
            "visit" => {
                let status = bench.case().status();
                let stands = status.visits.get(first).copied().unwrap_or("not requested");
                let label = rest.get(1..).unwrap_or_default().join(" ");
                if stands == label {
                    Ok(())
                } else {
                    Err(format!("it is {stands}"))
                }
            }
            other => self.verdict(other, first),
        }
    }

    fn verdict(&self, word: &str, rule: &str) -> Result<(), String> {
        let kind = VerdictKind::ALL
            .iter()
            .find(|kind| kind.name() == word)
            .ok_or_else(|| format!("`{word}` is nothing that can be expected"))?;
        let broken = self
            .of(rule)
            .any(|verdict| verdict.kind == VerdictKind::Broken);
        let found = self.of(rule).any(|verdict| verdict.kind == *kind);
        if found && !(broken && *kind == VerdictKind::Kept) {
            Ok(())
        } else {
            Err(self.verdicts_said(rule))
        }
    }

    fn of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Verdict> {
        self.verdicts
            .iter()
            .filter(move |verdict| &*verdict.rule == rule)
    }

    fn verdicts_said(&self, rule: &str) -> String {
        let said: Vec<String> = self
            .of(rule)
            .map(|verdict| {
                let due = verdict
                    .due
                    .map(|due| format!(", due {}", due.to_rfc3339()))
                    .unwrap_or_default();
                format!(
                    "clause {} {}: {}{due}",
                    verdict.clause,
                    verdict.kind.name(),
                    verdict.why
                )
            })
            .collect();
        if said.is_empty() {
            format!("the manual has no rule `{rule}` for this stream")
        } else {
            said.join(" | ")
        }
    }

    fn refused(&self, rules: &[&str]) -> Result<(), String> {
        let Some(Err(ProposeError::Refused(objections))) = &self.proposed else {
            return Err(self.got());
        };
        let mut got: Vec<&str> = objections
            .iter()
            .map(|objection| &*objection.rule)
            .collect();
        // A rule may refuse by several of its clauses; it is one rule.
        got.dedup();
        let (wanted, open) = match rules.split_last() {
            Some((&"…", wanted)) => (wanted, true),
            _ => (rules, false),
        };
        let meets = if open {
            wanted.iter().all(|rule| got.contains(rule))
        } else {
            wanted == got.as_slice()
        };
        if meets { Ok(()) } else { Err(self.got()) }
    }

    fn admission(&self) -> Result<&Admission, String> {
        match &self.proposed {
            Some(Ok(admission)) => Ok(admission),
            _ => Err(self.got()),
        }
    }

    fn got(&self) -> String {
        match &self.proposed {
            None => "the line proposes nothing".to_owned(),
            Some(Ok(admission)) => {
                let clocks: Vec<String> = admission
                    .clocks
                    .iter()
                    .map(|change| format!("{} {}", change.event.name(), change.rule))
                    .collect();
                format!(
                    "admitted; flags: {}; clocks: {}",
                    ids(&admission.flags),
                    clocks.join(", ")
                )
            }
            Some(Err(ProposeError::Refused(objections))) => {
                format!("refused by {}", ids(objections))
            }
            Some(Err(error)) => error.to_string(),
        }
    }
}

fn ids(objections: &[thirdring_core::judge::Objection]) -> String {
    if objections.is_empty() {
        return "none".to_owned();
    }
    objections
        .iter()
        .map(|objection| &*objection.rule)
        .collect::<Vec<_>>()
        .join(" ")
}
