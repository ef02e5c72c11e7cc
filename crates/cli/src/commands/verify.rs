//! `thirdring verify`: the chain of every record.

use std::collections::BTreeSet;

use serde::Serialize;
use thirdring::read_all;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Style, Text, counted};
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
    let log = shell.log(false)?;
    let (mut records, mut last_position) = (0, 0);
    let mut streams = BTreeSet::new();
    read_all(&*log, |position, record| {
        records += 1;
        last_position = position;
        streams.insert(record.stream.clone());
    })?;
    let summary = Summary {
        records,
        streams: streams.len(),
        last_position,
    };
    if shell.is_json() {
        shell.out.json(&SummaryLine { summary });
    } else {
        shell
            .out
            .line(Text::new().styled(Style::Good, "Sound").plain(format!(
                ": {} in {}, each following from the one before",
                counted(summary.records, "record"),
                counted(summary.streams as u64, "stream")
            )));
    }
    Ok(Exit::Fine)
}
