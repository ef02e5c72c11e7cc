//! `thirdring due`: which clocks are running.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::lines::{OpenClockLine, OpenClockOnly};
use crate::moments;
use crate::output::{Text, counted};
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
    let mut clocks = desk.open_clocks(now)?;
    let running = clocks.len();
    if !arguments.all {
        clocks.retain(|clock| clock.due_at.is_some_and(|due| due <= until));
    }
    if shell.is_json() {
        for clock in &clocks {
            shell.out.json(&OpenClockOnly {
                open_clock: OpenClockLine::of(clock, zone),
            });
        }
        return Ok(Exit::Fine);
    }
    let out = &mut shell.out;
    if clocks.is_empty() && !arguments.all {
        out.line(format!(
            "Nothing is due until {} ({zone}).",
            moments::people(until, zone)
        ));
    }
    findings::open_clocks(out, &clocks, desk.rulebook());
    let hidden = running - clocks.len();
    if hidden > 0 {
        out.line(Text::new().dim(format!(
            "{} running beside; --all shows them",
            counted(hidden as u64, "clock")
        )));
    } else if running == 0 {
        out.line("No clock is running.");
    }
    Ok(Exit::Fine)
}
