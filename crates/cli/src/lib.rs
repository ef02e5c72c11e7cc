//! The `thirdring` command as a library, so that tests (and other programs) can
//! call it without a process of its own.
//!
//! ```
//! use std::io::{BufReader, empty};
//! use thirdring::TimeSource;
//! use thirdring_cli::{Exit, World, run};
//!
//! let (mut stdin, mut stdout, mut stderr) = (BufReader::new(empty()), Vec::new(), Vec::new());
//! let mut world = World {
//!     stdin: &mut stdin,
//!     stdout: &mut stdout,
//!     stderr: &mut stderr,
//!     stdout_is_terminal: false,
//!     stderr_is_terminal: false,
//!     no_color: false,
//!     time: TimeSource::system(),
//! };
//! assert_eq!(run(["thirdring", "rules", "--manual", "helpdesk"], &mut world), Exit::Fine);
//! assert!(String::from_utf8_lossy(&stdout).contains("helpdesk-auto-close"));
//! ```

// The floors, lowest first: each module uses only modules above it in this list.
mod exit;

mod output;

mod failure;

mod options;

mod moments;

mod place;

mod shell;

mod input;

mod then;

mod lines;

mod telling;

mod plain;

mod findings;

mod results;

mod field_value;

mod log_map;

mod foreign_log;

mod copying;

mod files;

mod commands;

mod arguments;

use std::ffi::OsString;
use std::io::{BufRead, Write};

use clap::Parser;
use thirdring::TimeSource;

use crate::arguments::{Arguments, Command};
pub use crate::exit::Exit;
use crate::failure::Failure;
pub use crate::output::Format;
use crate::output::{Out, Style};
use crate::shell::Shell;

/// What the command reads, where it writes, and where it gets the present from.
pub struct World<'w> {
    /// Standard input.
    pub stdin: &'w mut dyn BufRead,
    /// Standard output.
    pub stdout: &'w mut dyn Write,
    /// Standard error: notes, progress and errors.
    pub stderr: &'w mut dyn Write,
    /// Whether a person looks at standard output.
    pub stdout_is_terminal: bool,
    /// Whether a person looks at standard error.
    pub stderr_is_terminal: bool,
    /// Whether colours are unwanted (`NO_COLOR`).
    pub no_color: bool,
    /// The present.
    pub time: TimeSource,
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("no_color", &self.no_color)
            .finish_non_exhaustive()
    }
}

/// Runs one command.
pub fn run<T>(args: impl IntoIterator<Item = T>, world: &mut World<'_>) -> Exit
where
    T: Into<OsString> + Clone,
{
    let mut out = Out::new(world.stdout, world.stdout_is_terminal && !world.no_color);
    let mut notes = Out::new(world.stderr, world.stderr_is_terminal && !world.no_color);
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let arguments = match Arguments::try_parse_from(&args) {
        Ok(arguments) => arguments,
        Err(answer) => {
            // Help and version come this way too; their place is the output.
            let to = if answer.use_stderr() {
                &mut notes
            } else {
                &mut out
            };
            for line in answer.render().to_string().lines() {
                to.line(line);
            }
            let exit = if answer.use_stderr() {
                Exit::Usage
            } else {
                Exit::Fine
            };
            return end(exit, out, notes);
        }
    };
    let format = arguments.options.format;
    let mut shell = Shell {
        out,
        notes,
        stdin: world.stdin,
        shows_progress: world.stderr_is_terminal,
        time: world.time.clone(),
        options: arguments.options,
    };
    let done = shell
        .options
        .check_places(&args)
        .and_then(|()| dispatch(arguments.command, &mut shell));
    let exit = match done {
        Ok(exit) => exit,
        Err(failure) => {
            tell(&failure, format, &mut shell);
            failure.exit
        }
    };
    end(exit, shell.out, shell.notes)
}

fn dispatch(command: Command, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => commands::run::run(&arguments, shell),
        Command::Record(arguments) => commands::record::run(&arguments, shell),
        Command::Show(arguments) => commands::show::run(&arguments, shell),
        Command::Due(arguments) => commands::due::run(&arguments, shell),
        Command::Lapse(arguments) => commands::lapse::run(&arguments, shell),
        Command::Explain(arguments) => commands::explain::run(&arguments, shell),
        Command::Audit(arguments) => commands::audit::run(&arguments, shell),
        Command::Judge(arguments) => commands::judge::run(&arguments, shell),
        Command::WhatIf(arguments) => commands::what_if::run(&arguments, shell),
        Command::Rules(arguments) => commands::rules::run(&arguments, shell),
        Command::Manual(command) => commands::manual::run(&command, shell),
        Command::Schema => commands::schema::run(shell),
        Command::Calendar(command) => commands::calendar::run(&command, shell),
        Command::Verify => commands::verify::run(shell),
        Command::Doctor(arguments) => commands::doctor::run(&arguments, shell),
        Command::Backup(arguments) => commands::backup::run(&arguments, shell),
        Command::Restore(arguments) => commands::restore::run(&arguments, shell),
    }
}

/// Says what went wrong: to machines in the output, where they read, to people
/// beside it.
fn tell(failure: &Failure, format: Format, shell: &mut Shell<'_>) {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        error: &'a failure::Told,
    }
    for told in &failure.told {
        match format {
            Format::Json => shell.out.json(&Line { error: told }),
            Format::Text => told.print(&mut shell.notes, "error", Style::Bad),
        }
    }
}

/// Hands on what is buffered.
fn end(exit: Exit, out: Out<'_>, mut notes: Out<'_>) -> Exit {
    match out.finish() {
        Ok(()) => {
            notes.flush();
            exit
        }
        Err(error) => {
            notes.line(format!("error: the output could not be written: {error}"));
            notes.flush();
            Exit::Output
        }
    }
}
