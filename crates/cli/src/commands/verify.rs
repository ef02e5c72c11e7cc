//! `thirdring verify`: the chain of every record.

use serde::Serialize;

use crate::copying::{Proved, prove};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Style, Text};
use crate::shell::Shell;

#[derive(Debug, Serialize)]
struct Summary {
    records: u64,
    streams: usize,
    last_position: u64,
}

#[derive(Debug, Serialize)]
struct SummaryLine {
    summary: Summary,
}

/// Runs the command.
pub(crate) fn run(shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let proved = prove(&*shell.log(false)?)?;
    if shell.is_json() {
        let Proved {
            records,
            streams,
            last_position,
        } = proved;
        shell.out.json(&SummaryLine {
            summary: Summary {
                records,
                streams,
                last_position,
            },
        });
    } else {
        shell
            .out
            .line(Text::new().styled(Style::Good, "Sound").plain(format!(
                ": {}, each following from the one before",
                proved.in_words()
            )));
    }
    Ok(Exit::Fine)
}
