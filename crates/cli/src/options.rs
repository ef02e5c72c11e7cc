//! Options every command knows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::output::Format;

/// Options every command knows.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// The store: an SQLite file, made where there is none; a database,
    /// postgres://user:password@host:port/database; or `:memory:`, which keeps nothing
    #[arg(
        long,
        global = true,
        value_name = "FILE|URL",
        default_value = "thirdring.db",
        help_heading = "Everywhere"
    )]
    pub(crate) store: PathBuf,
    /// The manual to judge by: a shipped one (unis, yonyou, helpdesk) or a file ending in .toml;
    /// `what-if` takes two
    #[arg(
        long,
        global = true,
        value_name = "NAME|FILE",
        default_values_t = [String::from("unis")],
        help_heading = "Everywhere"
    )]
    pub(crate) manual: Vec<String>,
    /// Text for people, or one JSON object a line
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Everywhere"
    )]
    pub(crate) format: Format,
}

impl Options {
    /// Checks that none of them stands both before and after the name of the
    /// command: the parser takes the latter and drops the former without a word.
    ///
    /// # Errors
    /// If one does: then which.
    pub(crate) fn check_places(&self, args: &[OsString]) -> Result<(), Failure> {
        let taken = [
            ("--store", 1),
            ("--manual", self.manual.len()),
            ("--format", 1),
        ];
        for (option, taken) in taken {
            if times_given(args, option) > taken {
                return Err(Failure::usage(
                    format!("{option} stands before the command and after it"),
                    format!("give {option} in one of the two places"),
                ));
            }
        }
        Ok(())
    }
}

/// How often an option stands on a command line.
fn times_given(args: &[OsString], option: &str) -> usize {
    args.iter()
        .map(|arg| arg.to_string_lossy())
        .take_while(|arg| *arg != "--")
        .filter(|arg| {
            arg.strip_prefix(option)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
        .count()
}
