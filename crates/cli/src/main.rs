//! The `thirdring` command: a thin shell around the library of the same
//! package.

use std::io::{BufReader, BufWriter, IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;

use thirdring::TimeSource;
use thirdring_cli::{World, run};

fn main() -> ExitCode {
    let stdout_is_terminal = stdout().is_terminal();
    let stderr_is_terminal = stderr().is_terminal();
    let mut input = BufReader::with_capacity(1 << 16, stdin());
    let mut output = BufWriter::with_capacity(1 << 16, stdout().lock());
    let mut notes = stderr();
    let exit = run(
        std::env::args_os(),
        &mut World {
            stdin: &mut input,
            stdout: &mut output,
            stderr: &mut notes,
            stdout_is_terminal,
            stderr_is_terminal,
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            time: TimeSource::system(),
        },
    );
    ExitCode::from(exit.code())
}
