//! `thirdring manual`: checking a manual.

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::output::{Style, Text, counted};
use crate::shell::{self, Shell};

/// What to do with a manual.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Read a manual, check it as a whole, and try its rules on their own cases
    Check(CheckArguments),
}

/// Which manual is checked.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// A shipped manual or a file ending in .toml; the one of --manual unless given
    #[arg(value_name = "FILE|NAME")]
    manual: Option<String>,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    manual: &'a str,
    title: &'a str,
    rulebook: String,
    rules: usize,
    cases: usize,
    warnings: usize,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

#[derive(Debug, Serialize)]
struct WarningLine {
    warning: Told,
}

/// Runs the command.
pub(crate) fn run(command: &Command, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let Command::Check(arguments) = command;
    let name = match &arguments.manual {
        Some(name) => name.clone(),
        None => shell.manual()?.to_owned(),
    };
    let rulebook = shell::rulebook(&name).map_err(|failure| match failure.exit {
        // Errors are what the command looks for; a file that cannot be read is not.
        Exit::Input if failure.told.iter().any(|told| told.line.is_some()) => Failure {
            exit: Exit::Findings,
            ..failure
        },
        _ => failure,
    })?;
    let warnings: Vec<Told> =
        Failure::from(thirdring::core::Complaints(rulebook.warnings.clone())).told;
    let summary = Summary {
        manual: &rulebook.name,
        title: &rulebook.title,
        rulebook: rulebook.digest.to_string(),
        rules: rulebook.rules.len(),
        cases: rulebook.rules.iter().map(|rule| rule.cases.len()).sum(),
        warnings: warnings.len(),
    };
    if shell.is_json() {
        for warning in warnings {
            shell.out.json(&WarningLine { warning });
        }
        shell.out.json(&SummaryLine { summary });
    } else {
        for warning in &warnings {
            warning.print(&mut shell.out, "warning", Style::Warn);
        }
        shell.out.line(
            Text::new()
                .strong(summary.manual)
                .plain(format!(
                    ": {}, {} behave",
                    counted(summary.rules as u64, "rule"),
                    counted(summary.cases as u64, "case")
                ))
                .plain(match summary.warnings {
                    0 => "; no warnings".to_owned(),
                    count => format!("; {}", counted(count as u64, "warning")),
                })
                .dim(format!("   rulebook {}", rulebook.digest.short())),
        );
    }
    Ok(Exit::Fine)
}
