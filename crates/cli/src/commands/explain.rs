//! `thirdring explain`: the reasoning behind a verdict.

use serde::Serialize;
use thirdring::core::explain;

use super::rules::known_rule;
use super::show::known_case;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings::{style_of, words};
use crate::lines::VerdictLine;
use crate::moments;
use crate::output::{Style, Text};
use crate::shell::Shell;

/// Show the reasoning behind what a rule says about a stream, in steps that can
/// be checked by hand, with the sum of the working time.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The stream
    stream: String,
    /// The rule
    rule: String,
    /// As it was known at this moment; the present unless given
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
}

#[derive(Debug, Serialize)]
struct Line<'a> {
    stream: &'a str,
    rule: &'a str,
    says: &'a str,
    source: &'a str,
    choices: &'a [String],
    steps: &'a [String],
    verdicts: Vec<VerdictLine>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let desk = shell.desk(false)?;
    let rulebook = desk.rulebook();
    let zone = rulebook.calendar.zone();
    let rule = known_rule(rulebook, &arguments.rule)?;
    let mut case = known_case(&desk, &arguments.stream)?;
    let now = match &arguments.as_of {
        Some(text) => {
            let moment = moments::read(text, zone)?;
            case = case.as_known_at(moment);
            moment
        }
        None => shell.time.now(),
    };
    let Some(explanation) = explain(&case, &rule.id, now) else {
        return Err(Failure::usage(
            "there is nothing to explain",
            "`thirdring rules` lists the rules",
        ));
    };
    if shell.is_json() {
        shell.out.json(&Line {
            stream: case.stream().as_str(),
            rule: &explanation.rule,
            says: &explanation.says,
            source: &explanation.source,
            choices: &explanation.choices,
            steps: &explanation.steps,
            verdicts: explanation
                .verdicts
                .iter()
                .map(|verdict| VerdictLine::of(verdict, case.rulebook()))
                .collect(),
        });
        return Ok(Exit::Fine);
    }
    let out = &mut shell.out;
    out.line(
        Text::new()
            .strong(case.stream().as_str())
            .plain("  ")
            .strong(&explanation.rule),
    );
    out.prose(2, Style::Plain, &explanation.says);
    for source in explanation.source.lines() {
        out.prose(2, Style::Dim, source);
    }
    for choice in &explanation.choices {
        out.prose(2, Style::Dim, &format!("chosen: {choice}"));
    }
    out.gap();
    for step in &explanation.steps {
        out.line(Text::new().plain("  ").plain(step));
    }
    out.gap();
    for verdict in &explanation.verdicts {
        let mut line = Text::new()
            .dim("So: ")
            .styled(style_of(verdict.kind), words(verdict.kind));
        if let Some(key) = &verdict.key {
            line = line.dim(", key ").plain(key);
        }
        out.line(line.plain(": ").plain(&verdict.why));
    }
    Ok(Exit::Fine)
}
