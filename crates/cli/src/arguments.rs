//! The command line: every command, every option.

use clap::{Parser, Subcommand};

use crate::commands::{
    audit, backup, calendar, doctor, due, explain, judge, lapse, manual, record, restore, rules,
    run, show, what_if,
};
use crate::exit;
use crate::options::Options;

/// A service desk that keeps its manual: facts are proposed, the manual's rules
/// admit, flag or refuse them, clocks run, and every verdict can be explained.
#[derive(Debug, Parser)]
#[command(name = "thirdring", version, after_help = exit::help(), max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Propose every line of a history file to a desk
    Run(run::Arguments),
    /// Record one fact
    Record(record::Arguments),
    /// Show the streams of the store, or one stream's history
    Show(show::Arguments),
    /// Show which clocks are running, and when they are due
    Due(due::Arguments),
    /// Announce what time alone has made of every stream
    Lapse(lapse::Arguments),
    /// Show the reasoning behind a rule's verdict on a stream
    Explain(explain::Arguments),
    /// Judge a whole history and show every finding with its proof
    Audit(audit::Arguments),
    /// Judge somebody else's log, through a map
    Judge(judge::Arguments),
    /// Judge one history under two rulebooks and show what changes
    WhatIf(what_if::Arguments),
    /// List the rules of a manual, or show one
    Rules(rules::Arguments),
    /// Check a manual
    #[command(subcommand)]
    Manual(manual::Command),
    /// Print the JSON Schema of a history line and of every fact
    Schema,
    /// Reckon in working time
    #[command(subcommand)]
    Calendar(calendar::Command),
    /// Prove the chain of every record of the store
    Verify,
    /// Show and check the settings the store rests on, and how to mend what is not right
    Doctor(doctor::Arguments),
    /// Copy the store into a file, while it is in use
    Backup(backup::Arguments),
    /// Put a backup in the place of the store
    Restore(restore::Arguments),
}
