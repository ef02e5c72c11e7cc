//! Why the laboratory itself could not work. What it finds is no error of it.

use std::path::Path;

/// The laboratory could not do an experiment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A file or a program could not be used.
    #[error("could not {doing} {what}: {cause}")]
    Io {
        /// Completes "could not".
        doing: &'static str,
        /// The file or program.
        what: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A line of a trace is not understood, so the images would be wrong.
    #[error("could not read the trace: {problem}: {line}")]
    Trace {
        /// What is wrong with it.
        problem: &'static str,
        /// Its beginning.
        line: String,
    },
    /// The disk the model arrived at is not the one that is there.
    #[error(
        "the model of {workload} ends with another {file} than the disk; a call that writes is \
         missing from the trace: add it to the traced calls"
    )]
    ModelDiffers {
        /// The workload.
        workload: String,
        /// The file.
        file: String,
    },
    /// A process that was to be killed was not, so the experiment shows nothing.
    #[error("{workload} was not killed by {place}; try another version of strace")]
    NotKilled {
        /// The workload.
        workload: String,
        /// The injection.
        place: String,
    },
    /// There is no such workload.
    #[error("there is no workload {0}")]
    UnknownWorkload(String),
    /// A workload that should succeed undisturbed did not.
    #[error("{workload} failed though nothing disturbed it: {what}")]
    Undisturbed {
        /// The workload.
        workload: String,
        /// What it said.
        what: String,
    },
}

impl LabError {
    /// For `map_err` on what concerns a file.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = path.display().to_string();
        move |cause| Self::Io { doing, what, cause }
    }

    /// For a line of a trace.
    pub(crate) fn trace(problem: &'static str, line: &str) -> Self {
        Self::Trace {
            problem,
            line: line.chars().take(200).collect(),
        }
    }
}
