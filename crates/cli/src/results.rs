//! What became of a proposal, for people and for machines.

use serde::Serialize;
use thirdring::{HistoryLine, Outcome, Receipt, Refusal, Rulebook};

use crate::findings;
use crate::lines::{ClockLine, NoticeLine, ObjectionLine};
use crate::moments;
use crate::output::{Out, Style, Text};
use crate::telling::Told;

/// One result, for machines.
#[derive(Debug, Serialize)]
struct ResultLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    stream: String,
    fact: &'static str,
    key: Option<String>,
    id: String,
    at: String,
    outcome: &'static str,
    objections: Vec<ObjectionLine>,
    clocks: Vec<ClockLine>,
    notices: Vec<NoticeLine>,
    testimony: bool,
}

/// What became of a proposal, in one word.
pub(crate) const fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Admitted(Receipt { replayed: true, .. }) => "replayed",
        Outcome::Admitted(receipt) if receipt.flags.is_empty() => "admitted",
        Outcome::Admitted(_) => "flagged",
        Outcome::Refused(_) => "refused",
    }
}

/// A line and where it stands.
pub(crate) struct View<'a> {
    pub(crate) number: Option<usize>,
    pub(crate) line: &'a HistoryLine,
    pub(crate) told: &'a Told,
    pub(crate) rulebook: &'a Rulebook,
}

impl View<'_> {
    /// Prints what became of the line.
    pub(crate) fn print(&self, out: &mut Out<'_>, json: bool, outcome: &Outcome) {
        if json {
            out.json(&self.result(outcome));
        } else {
            self.text(out, outcome);
        }
    }

    fn result(&self, outcome: &Outcome) -> ResultLine {
        let objection = |objection| ObjectionLine::of(objection, self.rulebook);
        let (objections, clocks, notices, testimony) = match outcome {
            Outcome::Admitted(receipt) => (
                receipt.flags.iter().map(objection).collect(),
                receipt
                    .clocks
                    .iter()
                    .map(|change| ClockLine::of(change, self.rulebook.calendar.zone()))
                    .collect(),
                receipt
                    .notices
                    .iter()
                    .map(|notice| {
                        NoticeLine::of(&self.line.stream, notice, self.rulebook.calendar.zone())
                    })
                    .collect(),
                receipt.testimony,
            ),
            Outcome::Refused(Refusal::Rules(objections)) => (
                objections.iter().map(objection).collect(),
                Vec::new(),
                Vec::new(),
                false,
            ),
            Outcome::Refused(Refusal::Nonsense(nonsense)) => (
                vec![ObjectionLine::nonsense(nonsense)],
                Vec::new(),
                Vec::new(),
                false,
            ),
        };
        ResultLine {
            line: self.number,
            stream: self.line.stream.to_string(),
            fact: self.line.fact.fact_type().name(),
            key: self.line.fact.key().map(str::to_owned),
            id: self.told.id.to_string(),
            at: moments::machine(self.line.at.to_utc(), self.rulebook.calendar.zone()),
            outcome: outcome_name(outcome),
            objections,
            clocks,
            notices,
            testimony,
        }
    }

    fn text(&self, out: &mut Out<'_>, outcome: &Outcome) {
        if let Outcome::Admitted(receipt) = outcome {
            for notice in &receipt.notices {
                findings::notice(out, self.line.stream.as_str(), notice, self.rulebook);
            }
        }
        let style = match outcome {
            Outcome::Admitted(receipt) if receipt.replayed => Style::Dim,
            Outcome::Admitted(receipt) if receipt.flags.is_empty() => Style::Good,
            Outcome::Admitted(_) => Style::Warn,
            Outcome::Refused(_) => Style::Bad,
        };
        let number = self
            .number
            .map_or_else(String::new, |number| format!("{number:>4}  "));
        let fact = &self.line.fact;
        let mut line = Text::new()
            .dim(number)
            .plain(moments::column(
                self.line.at.to_utc(),
                self.rulebook.calendar.zone(),
            ))
            .plain("  ")
            .then(Text::new().styled(style, outcome_name(outcome)).padded(9))
            .then(Text::from(self.line.stream.as_str()).padded(9))
            .plain(fact.fact_type().name());
        if let (Some(key), Some(value)) = (fact.spec().key, fact.key()) {
            line = line.dim(format!(" {} ", key.name)).plain(value);
        }
        if matches!(outcome, Outcome::Admitted(receipt) if receipt.testimony && !receipt.replayed) {
            line = line.dim(", told ").plain(moments::column(
                self.told.told_at,
                self.rulebook.calendar.zone(),
            ));
        }
        out.line(line);
        match outcome {
            // Told before: what it led to was said then.
            Outcome::Admitted(receipt) if receipt.replayed => {}
            Outcome::Admitted(receipt) => {
                findings::objections(out, &receipt.flags, false, self.rulebook);
                findings::clock_changes(out, &receipt.clocks, self.rulebook);
            }
            Outcome::Refused(Refusal::Rules(objections)) => {
                findings::objections(out, objections, true, self.rulebook);
            }
            Outcome::Refused(Refusal::Nonsense(nonsense)) => findings::nonsense(out, nonsense),
        }
    }
}
