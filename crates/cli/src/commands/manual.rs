//! `thirdring manual`: checking a manual.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use thirdring::Rulebook;
use thirdring::core::Complaints;
use thirdring::core::rulebook::Rule;

use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::moments;
use crate::output::{Out, Style, Text, counted};
use crate::plain;
use crate::shell::{self, Shell};

/// Holidays known for fewer days than this need a look.
const DAYS_ENOUGH: i64 = 90;

/// What to do with a manual.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Read a manual, check it as a whole, and try its rules on their own cases
    Check(CheckArguments),
}

/// Read a manual, check it as a whole, and try its rules on their own cases.
///
/// Also shown: what the manual chose where the text is open, where it departs
/// from the text, and whether its holidays reach far enough from today. Exits
/// with 1 where the manual has errors; warnings do not change the exit code.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// A shipped manual or a file ending in .toml; the one of --manual unless given
    // Another id than that of the option for every command, or clap mixes them up.
    #[arg(id = "checked", value_name = "FILE|NAME")]
    manual: Option<String>,
    /// The present; the machine's clock unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    manual: &'a str,
    title: &'a str,
    rulebook: String,
    rules: usize,
    clauses: usize,
    can_break: usize,
    cases: usize,
    choices: usize,
    changes: usize,
    warnings: usize,
    holidays: Holidays,
}

/// How far the announced holidays of a manual reach.
#[derive(Debug, Serialize)]
struct Holidays {
    known_until: Option<NaiveDate>,
    days_left: Option<i64>,
    /// Whether that is far enough.
    enough: bool,
    /// The clock that runs longest past them, if started now.
    #[serde(skip_serializing_if = "Option::is_none")]
    beyond: Option<Beyond>,
}

#[derive(Debug, Serialize)]
struct Beyond {
    rule: String,
    limit: String,
    until: String,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

#[derive(Debug, Serialize)]
struct WarningLine {
    warning: Told,
}

#[derive(Debug, Serialize)]
struct ChoiceLine<'a> {
    choice: Departure<'a>,
}

#[derive(Debug, Serialize)]
struct ChangeLine<'a> {
    change: Departure<'a>,
}

/// What a manual chose, or where it departs from the text.
#[derive(Debug, Serialize)]
struct Departure<'a> {
    rule: &'a str,
    what: String,
    because: &'a str,
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
    let now = shell.now(arguments.now.as_deref(), rulebook.calendar.zone())?;
    let warnings: Vec<Told> = Failure::from(Complaints(rulebook.warnings.clone())).told;
    let rules = || rulebook.rules.iter();
    let summary = Summary {
        manual: &rulebook.name,
        title: &rulebook.title,
        rulebook: rulebook.digest.to_string(),
        rules: rulebook.rules.len(),
        clauses: rules().map(|rule| rule.clauses.len()).sum(),
        can_break: rules().filter(|rule| rule.can_break()).count(),
        cases: rules().map(|rule| rule.cases.len()).sum(),
        choices: rules().map(|rule| rule.choices.len()).sum(),
        changes: rules().map(|rule| rule.changes.len()).sum(),
        warnings: warnings.len(),
        holidays: Holidays::of(&rulebook, now),
    };
    if shell.is_json() {
        for warning in warnings {
            shell.out.json(&WarningLine { warning });
        }
        for choice in rules().flat_map(choices) {
            shell.out.json(&ChoiceLine { choice });
        }
        for change in rules().flat_map(changes) {
            shell.out.json(&ChangeLine { change });
        }
        shell.out.json(&SummaryLine { summary });
    } else {
        print(&mut shell.out, &rulebook, &warnings, &summary);
    }
    Ok(Exit::Fine)
}

fn choices(rule: &Rule) -> impl Iterator<Item = Departure<'_>> {
    rule.choices.iter().map(|choice| Departure {
        rule: &rule.id,
        what: format!("{} = {}", choice.name, choice.value),
        because: &choice.because,
    })
}

fn changes(rule: &Rule) -> impl Iterator<Item = Departure<'_>> {
    rule.changes.iter().map(|change| Departure {
        rule: &rule.id,
        what: change.what.clone(),
        because: &change.because,
    })
}

impl Holidays {
    fn of(rulebook: &Rulebook, now: DateTime<Utc>) -> Self {
        let zone = rulebook.calendar.zone();
        let known_until = rulebook.holidays_known_until();
        let today = now.with_timezone(&zone).date_naive();
        let days_left = known_until.map(|until| (until - today).num_days());
        let beyond = furthest(rulebook, now).map(|(rule, limit, until)| Beyond {
            rule,
            limit,
            until: moments::machine(until, zone),
        });
        Self {
            known_until,
            days_left,
            enough: days_left.is_none_or(|days| days >= DAYS_ENOUGH) && beyond.is_none(),
            beyond,
        }
    }

    /// How far they reach, in one line.
    fn in_words(&self) -> String {
        match (self.known_until, self.days_left) {
            (Some(until), Some(days)) if days < 0 => {
                format!("known until {until}: that was {} ago", days_of(-days))
            }
            (Some(until), Some(days)) => {
                format!("known until {until}, {} from today", days_of(days))
            }
            _ => "the calendar lists none".to_owned(),
        }
    }

    fn warning(&self) -> Option<Told> {
        let remedy = "list the holidays of the next year under [calendar], or update the list the manual uses";
        if self.enough {
            return None;
        }
        let problem = match &self.beyond {
            Some(beyond) => format!(
                "`{}` ({}) started today reaches to {}, and the holidays of that year are not known",
                beyond.rule, beyond.limit, beyond.until
            ),
            None => format!(
                "fewer than {DAYS_ENOUGH} days of announced holidays are left: due moments after that are reckoned without holidays"
            ),
        };
        Some(Told::new(problem, remedy).field("[calendar]"))
    }
}

fn days_of(days: i64) -> String {
    counted(days.unsigned_abs(), "day")
}

/// What a clock that starts now counts furthest into a year without announced
/// holidays.
fn furthest(rulebook: &Rulebook, now: DateTime<Utc>) -> Option<(String, String, DateTime<Utc>)> {
    let clauses = rulebook
        .rules
        .iter()
        .flat_map(|rule| rule.clauses.iter().map(move |clause| (rule, clause)));
    clauses
        .flat_map(|(rule, clause)| {
            let reach = clause.form.reach(now, rulebook.calendars());
            reach.into_iter().map(move |reach| (rule, reach))
        })
        .filter(|(_, reach)| reach.unannounced().is_some())
        .map(|(rule, reach)| (rule.id.to_string(), reach.what, reach.until))
        .max_by_key(|(_, _, until)| *until)
}

fn print(out: &mut Out<'_>, rulebook: &Rulebook, warnings: &[Told], summary: &Summary<'_>) {
    for warning in warnings {
        warning.print(out, "warning", Style::Warn);
    }
    let holidays = summary.holidays.warning();
    if let Some(warning) = &holidays {
        warning.print(out, "about today", Style::Warn);
    }
    departures(
        out,
        "Chosen where the text is open",
        rulebook.rules.iter().flat_map(choices),
    );
    departures(
        out,
        "Where it departs from the text",
        rulebook.rules.iter().flat_map(changes),
    );
    out.line(Text::new().dim("clauses   ").plain(format!(
        "{}; {} of the rules can be broken by what is recorded",
        summary.clauses, summary.can_break
    )));
    out.line(
        Text::new()
            .dim("holidays  ")
            .plain(summary.holidays.in_words()),
    );
    out.line(
        Text::new()
            .strong(summary.manual)
            .plain(format!(
                ": {}, {} behave",
                counted(summary.rules as u64, "rule"),
                counted(summary.cases as u64, "case")
            ))
            .plain(match warnings.len() {
                0 => "; no warnings".to_owned(),
                count => format!("; {}", counted(count as u64, "warning")),
            })
            .plain(if holidays.is_some() {
                " of its own, its holidays need a look"
            } else {
                ""
            })
            .dim(format!("   rulebook {}", rulebook.digest.short())),
    );
}

fn departures<'a>(out: &mut Out<'_>, title: &str, departures: impl Iterator<Item = Departure<'a>>) {
    let mut departures = departures.peekable();
    if departures.peek().is_none() {
        return;
    }
    out.line(Text::new().dim(title));
    let mut before: Option<(&str, &str)> = None;
    for departure in departures {
        out.line(
            Text::new()
                .plain("  ")
                .strong(departure.rule)
                .plain("  ")
                .plain(plain::set(&departure.what)),
        );
        // One reason may stand for several choices of a rule.
        let reason = Some((departure.rule, departure.because));
        if reason != before {
            out.prose(4, Style::Dim, departure.because);
        }
        before = reason;
    }
    out.gap();
}
