//! `thirdring lapse`: announce what time alone has made of every stream.

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings;
use crate::lines::{NoticeLine, NoticeOnly};
use crate::moments;
use crate::output::counted;
use crate::shell::Shell;

/// Record and print what time alone has made of every stream: warnings, missed
/// limits, escalations. Safe to run again and again, or on two machines: what
/// was announced is not announced twice.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The present; the machine's clock unless given
    #[arg(long, value_name = "MOMENT")]
    now: Option<String>,
    /// Forget when streams are due by other manuals, and by earlier texts of this
    /// one; what is still in use is worked out anew
    #[arg(long)]
    forget_others: bool,
}

#[derive(Debug, Serialize)]
struct ForgottenLine {
    forgotten: Forgotten,
}

#[derive(Debug, Serialize)]
struct Forgotten {
    timetables: usize,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let desk = shell.desk(false)?;
    let zone = desk.rulebook().calendar.zone();
    let now = shell.now(arguments.now.as_deref(), zone)?;
    let notices = desk.lapse(now)?;
    for (stream, notice) in &notices {
        if shell.is_json() {
            shell.out.json(&NoticeOnly {
                notice: NoticeLine::of(stream, notice, zone),
            });
        } else {
            findings::notice(&mut shell.out, stream.as_str(), notice, desk.rulebook());
        }
    }
    if notices.is_empty() && !shell.is_json() {
        shell.out.line(format!(
            "Nothing new up to {} ({zone}).",
            moments::people(moments::whole_second(now), zone)
        ));
    }
    if arguments.forget_others {
        let timetables = desk.forget_other_timetables()?;
        if shell.is_json() {
            shell.out.json(&ForgottenLine {
                forgotten: Forgotten { timetables },
            });
        } else {
            shell.out.line(format!(
                "Forgot {} of other manuals.",
                counted(timetables as u64, "timetable")
            ));
        }
    }
    Ok(Exit::Fine)
}
