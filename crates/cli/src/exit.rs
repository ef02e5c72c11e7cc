//! Exit codes: a contract for scripts.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done, and nothing was found that should not be.
    Fine = 0,
    /// The work was done and something was found: broken rules (`audit`,
    /// `judge`), a refusal (`record`, `run --strict`), errors in a manual
    /// (`manual check`), what is bad about a store (`doctor`).
    Findings = 1,
    /// The command was called in a way it does not understand, or names a
    /// manual, rule or stream that does not exist.
    Usage = 2,
    /// A line or file that was read is not what it should be; what stood before
    /// it is stored.
    Input = 3,
    /// The store could not be opened, read or written, or it is damaged.
    Store = 4,
    /// The output could not be written (a reader that goes away is no failure).
    Output = 5,
}

impl Exit {
    /// Every code with its meaning, as the help shows them.
    pub const ALL: &[(Self, &str)] = &[
        (Self::Fine, "done, and nothing found that should not be"),
        (
            Self::Findings,
            "done, and something found: broken rules, a refusal, errors in a manual, a bad setting",
        ),
        (
            Self::Usage,
            "the command line is wrong, or names what does not exist",
        ),
        (
            Self::Input,
            "a line or file that was read is wrong; what stood before it is stored",
        ),
        (Self::Store, "the store cannot be used, or is damaged"),
        (Self::Output, "the output could not be written"),
    ];

    /// The number the operating system gets.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The codes as the end of the help text.
pub(crate) fn help() -> String {
    let mut text = String::from("Exit codes:");
    for (exit, meaning) in Exit::ALL {
        text.push_str(&format!("\n  {}  {meaning}", exit.code()));
    }
    text
}
