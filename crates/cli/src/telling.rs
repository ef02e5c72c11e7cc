//! Telling a desk what a history file says: the clock follows the file, and the
//! same file told twice changes nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use thirdring::Refusal;
use thirdring::core::digest::Digest;
use thirdring::core::judge::Earlier;
use thirdring::core::{Case, Mode, Proposal, ProposeError, propose};
use thirdring::{Desk, DeskError, HistoryLine, Outcome, RecordId, Request, StreamId, derived_id};

/// Whether the desk keeps its manual or only looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attitude {
    /// What breaks a rule is refused.
    Enforce,
    /// Nothing is refused, everything is found.
    Observe,
}

/// A line as it is told.
#[derive(Debug)]
pub(crate) struct Told {
    /// The present when it is told.
    pub(crate) told_at: DateTime<Utc>,
    /// The id it gets.
    pub(crate) id: RecordId,
}

/// Tells lines one by one.
#[derive(Debug)]
pub(crate) struct Teller {
    attitude: Attitude,
    present: Option<DateTime<Utc>>,
    /// How often each line stood in the file so far.
    told: BTreeMap<[u8; 32], u64>,
    /// How far each stream had come at the file's present.
    then: BTreeMap<StreamId, Then>,
}

/// A stream as it was at the file's present.
#[derive(Debug, Default)]
struct Then {
    /// How many records it had. It never has fewer later on, since the present
    /// of a file never goes back.
    version: u64,
    /// The case with so many, once it was asked for.
    case: Option<Earlier>,
}

impl Teller {
    pub(crate) const fn new(attitude: Attitude) -> Self {
        Self {
            attitude,
            present: None,
            told: BTreeMap::new(),
            then: BTreeMap::new(),
        }
    }

    /// The present the file has reached.
    pub(crate) const fn present(&self) -> Option<DateTime<Utc>> {
        self.present
    }

    /// The present and the id of a line. Time never goes back within a file: a
    /// line that speaks of an earlier moment is told afterwards. The id follows
    /// from the line, so that the same file gives the same ids.
    pub(crate) fn place(&mut self, line: &HistoryLine, text: &str) -> Told {
        let told_at = self
            .present
            .map_or(line.told_at(), |present| present.max(line.told_at()));
        self.present = Some(told_at);
        let text = text.trim().as_bytes();
        let before = self
            .told
            .entry(*Digest::of("history-line/1", &[text]).as_bytes())
            .or_default();
        let count = before.to_be_bytes();
        *before += 1;
        let id = line.id.unwrap_or_else(|| {
            derived_id(told_at, &[line.stream.as_str().as_bytes(), text, &count])
        });
        Told { told_at, id }
    }

    /// Proposes a line.
    ///
    /// # Errors
    /// If it is malformed under the manual, its id is taken, or the log fails.
    pub(crate) fn tell(
        &mut self,
        desk: &Desk,
        line: HistoryLine,
        told: &Told,
    ) -> Result<Outcome, DeskError> {
        let stream = line.stream.clone();
        if self.attitude == Attitude::Enforce
            && let Some(refusal) = self.refused_then(desk, &line, told)?
        {
            return Ok(Outcome::Refused(refusal));
        }
        let mut request = Request::new(&stream, line.fact, &line.by, line.at)
            .told_at(told.told_at)
            .with_id(told.id);
        if let Some(doer) = line.done_by {
            request = request.done_by(doer);
        }
        if let Some(cause) = line.cause {
            request = request.caused_by(cause);
        }
        if self.attitude == Attitude::Observe {
            request = request.observed();
        }
        let outcome = desk.submit(request)?;
        if let Outcome::Admitted(receipt) = &outcome {
            let then = self.then.entry(stream).or_default();
            then.version = then.version.max(receipt.record.version);
        }
        Ok(outcome)
    }

    /// A refusal leaves no trace in the store. Where the stream is already
    /// further than the file's present, an unknown line is therefore judged as
    /// it was at its own moment first: what was refused then is refused again,
    /// and does not come in by the back door as told afterwards.
    fn refused_then(
        &mut self,
        desk: &Desk,
        line: &HistoryLine,
        told: &Told,
    ) -> Result<Option<Refusal>, DeskError> {
        let proposal = Proposal {
            id: told.id,
            fact: line.fact.clone(),
            by: line.by.clone(),
            done_by: line.done_by.clone(),
            occurred_at: line.at,
            now: told.told_at,
            evidence: Vec::new(),
            cause: line.cause,
            mode: Mode::Enforce,
        };
        let then = self.then.entry(line.stream.clone()).or_default();
        let judged = desk.look_at(&line.stream, |case| {
            let further = case
                .records()
                .last()
                .is_some_and(|last| last.recorded_at > told.told_at);
            if !further || case.record(told.id).is_some() {
                return None;
            }
            Some(propose(then.at(case, told.told_at), proposal))
        })?;
        match judged {
            Some(Err(ProposeError::Refused(objections))) => Ok(Some(Refusal::Rules(objections))),
            Some(Err(ProposeError::Nonsense(nonsense))) => Ok(Some(Refusal::Nonsense(nonsense))),
            Some(Err(ProposeError::Invalid(problem))) => Err(problem.into()),
            Some(Err(ProposeError::Known(_)) | Ok(_)) | None => Ok(None),
        }
    }
}

impl Then {
    /// The case with what this file has told so far, and what was recorded
    /// before its present.
    fn at(&mut self, case: &Case, told_at: DateTime<Utc>) -> &Case {
        let past = case
            .records()
            .iter()
            .skip(usize::try_from(self.version).unwrap_or(usize::MAX))
            // No rule reads a notice, whenever it was written down.
            .take_while(|record| record.fact().is_none() || record.recorded_at < told_at);
        self.version += past.count() as u64;
        self.case
            .get_or_insert_with(|| Earlier::of(case))
            .at_version(case, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use thirdring::manuals;

    /// A call that rings each minute, and an act that is refused each time.
    fn lines() -> Vec<(HistoryLine, String)> {
        (0..60)
            .flat_map(|minute| {
                let fact = |fact: String| {
                    format!(
                        r#"{{"at":"2026-03-02T09:{minute:02}:00+08:00","stream":"T-1","by":{{"id":"li","role":"hotline_engineer"}},"fact":{fact}}}"#
                    )
                };
                [
                    fact(format!(r#"{{"type":"call_rang","call":"{minute}"}}"#)),
                    fact(r#"{"type":"bypass_disclosed"}"#.to_owned()),
                ]
            })
            .map(|text| (HistoryLine::parse(1, &text).unwrap().unwrap(), text))
            .collect()
    }

    fn tell(desk: &Desk, teller: &mut Teller) -> Vec<bool> {
        lines()
            .into_iter()
            .map(|(line, text)| {
                let told = teller.place(&line, &text);
                let outcome = teller.tell(desk, line, &told).unwrap();
                matches!(outcome, Outcome::Refused(_))
            })
            .collect()
    }

    #[test]
    fn what_was_refused_is_refused_again_in_one_pass_over_the_records() {
        let desk = Desk::in_memory(manuals::shipped("unis").unwrap());
        let first = tell(&desk, &mut Teller::new(Attitude::Enforce));
        assert_eq!(first.iter().filter(|refused| **refused).count(), 60);
        let mut teller = Teller::new(Attitude::Enforce);
        assert_eq!(tell(&desk, &mut teller), first);
        let stream = StreamId::new("T-1").unwrap();
        let records = desk.history(&stream).unwrap().len() as u64;
        assert_eq!(records, 60);
        let folded = teller.then[&stream].case.as_ref().unwrap().folded();
        assert!(folded > 0 && folded <= records, "{folded} of {records}");
    }
}
