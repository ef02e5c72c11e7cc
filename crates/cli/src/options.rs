//! Options every command knows.

use std::path::PathBuf;

use clap::Args;

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
