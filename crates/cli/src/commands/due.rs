//! `thirdring due`: which clocks are running.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::lines::{OpenClockLine, OpenClockOnly};
use crate::moments;
use crate::output::Text;
use crate::shell::Shell;

/// Show the clocks of all streams that are due up to a moment, soonest first.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Up to this moment; a day from now unless given
    #[arg(long, value_name = "MOMENT", conflicts_with = "all")]
    until: Option<String>,
    /// Every running clock, also those without a due moment
    #[arg(long)]
    all: bool,
    /// The present; the machine's clock unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let desk = shell.desk(false)?;
    let zone = desk.rulebook().calendar.zone();
    let now = match &arguments.now {
        Some(text) => moments::read(text, zone)?,
        None => moments::whole_second(shell.time.now()),
    };
    let until = match &arguments.until {
        Some(text) => moments::read(text, zone)?,
        None => now
            .checked_add_signed(chrono::TimeDelta::days(1))
            .unwrap_or(now),
    };
    // What is due is looked up; all that runs has to be judged.
    let clocks = if arguments.all {
        desk.open_clocks(now)?
    } else {
        desk.due_at(until, now)?
    };
    if shell.is_json() {
        for clock in &clocks {
            shell.out.json(&OpenClockOnly {
                open_clock: OpenClockLine::of(clock, zone),
            });
        }
        return Ok(Exit::Fine);
    }
    let out = &mut shell.out;
    findings::open_clocks(out, &clocks, desk.rulebook());
    if !clocks.is_empty() {
        return Ok(Exit::Fine);
    }
    if arguments.all {
        out.line("No clock is running.");
    } else {
        out.line(format!(
            "Nothing is due until {} ({zone}).",
            moments::people(until, zone)
        ));
        out.line(Text::new().dim("--all shows the clocks that are due later, or at no moment"));
    }
    Ok(Exit::Fine)
}
