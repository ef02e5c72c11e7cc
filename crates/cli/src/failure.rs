//! What keeps a command from doing its work: what, where, and how to mend it.

use serde::Serialize;
use thirdring::core::Complaints;
use thirdring::core::vocabulary::FactProblem;
use thirdring::{DeskError, LineError, ReadFailure};

use crate::exit::Exit;
use crate::output::{Out, Style, Text};

/// A failure, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) told: Vec<Told>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<usize>,
    /// The member or column at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// The stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<String>,
    /// The version in the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u64>,
    /// The position in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<u64>,
    /// What is wrong.
    pub(crate) problem: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) remedy: String,
}

impl Told {
    /// What is wrong and how to mend it.
    pub(crate) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            remedy: remedy.into(),
            ..Self::default()
        }
    }

    /// At a byte of a text, told by line and column.
    #[must_use]
    pub(crate) fn at_byte(mut self, text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |found| found + 1);
        self.line = Some(before.matches('\n').count() + 1);
        self.column = Some(before.get(line_start..).unwrap_or_default().chars().count() + 1);
        self
    }

    /// In a file.
    #[must_use]
    pub(crate) fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// At a line.
    #[must_use]
    pub(crate) const fn line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// About a member or column.
    #[must_use]
    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    fn place(&self) -> String {
        let mut place = self.file.clone().unwrap_or_default();
        if let Some(line) = self.line {
            if !place.is_empty() {
                place.push(':');
            } else {
                place.push_str("line ");
            }
            place.push_str(&line.to_string());
            if let Some(column) = self.column {
                place.push_str(&format!(":{column}"));
            }
        }
        let mut parts: Vec<String> = Vec::new();
        parts.extend((!place.is_empty()).then_some(place));
        parts.extend(
            self.stream
                .as_ref()
                .map(|stream| format!("stream {stream}")),
        );
        parts.extend(self.version.map(|version| format!("version {version}")));
        parts.extend(
            self.position
                .map(|position| format!("position {position} of the log")),
        );
        parts.extend(self.field.clone());
        parts.join(", ")
    }

    /// Prints it for people.
    pub(crate) fn print(&self, out: &mut Out<'_>, label: &str, style: Style) {
        let place = self.place();
        let mut line = Text::new().styled(style, label).plain(": ");
        if !place.is_empty() {
            line = line.strong(place).plain(": ");
        }
        let mut problem = self.problem.lines();
        out.line(line.plain(problem.next().unwrap_or_default()));
        for rest in problem {
            out.line(Text::new().plain("  ").plain(rest));
        }
        if !self.remedy.is_empty() {
            out.line(Text::new().dim("  to mend it: ").plain(&self.remedy));
        }
    }
}

impl Failure {
    /// One thing that is wrong.
    pub(crate) fn one(exit: Exit, told: Told) -> Self {
        Self {
            exit,
            told: vec![told],
        }
    }

    /// The command line is wrong, or names what does not exist.
    pub(crate) fn usage(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::one(Exit::Usage, Told::new(problem, remedy))
    }

    /// The store cannot be used.
    pub(crate) fn store(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::one(Exit::Store, Told::new(problem, remedy))
    }

    /// A file cannot be read.
    pub(crate) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;

        let (problem, remedy) = match error.kind() {
            ErrorKind::NotFound => ("there is no such file".to_owned(), "check the path"),
            ErrorKind::IsADirectory => ("it is a folder".to_owned(), "name a file, not a folder"),
            ErrorKind::PermissionDenied => (
                "this user may not read it".to_owned(),
                "change its permissions, or run the command as a user who may",
            ),
            ErrorKind::InvalidData => ("it is not UTF-8".to_owned(), "save the file as UTF-8"),
            _ => (
                format!("it cannot be read: {error}"),
                "check the file and the disk it lies on",
            ),
        };
        Self::one(Exit::Input, Told::new(problem, remedy).file(file))
    }

    /// A line of a file is wrong.
    pub(crate) fn bad_line(file: &str, line: usize, problem: FactProblem) -> Self {
        let told = Told::new(problem.problem, problem.remedy)
            .file(file)
            .line(line)
            .field(problem.field);
        Self::one(Exit::Input, told)
    }

    /// What a desk could not do with line of a file.
    pub(crate) fn at_line(error: DeskError, file: &str, line: usize) -> Self {
        let mut failure = Self::from(error);
        if failure.exit == Exit::Input || failure.exit == Exit::Usage {
            failure.exit = Exit::Input;
            for told in &mut failure.told {
                told.file = Some(file.to_owned());
                told.line = Some(line);
            }
        }
        failure
    }
}

impl From<FactProblem> for Failure {
    fn from(problem: FactProblem) -> Self {
        Self::one(
            Exit::Input,
            Told::new(problem.problem, problem.remedy).field(problem.field),
        )
    }
}

impl From<LineError> for Failure {
    fn from(error: LineError) -> Self {
        let mut failure = Self::from(error.problem);
        for told in &mut failure.told {
            told.line = Some(error.line);
        }
        failure
    }
}

impl From<Complaints> for Failure {
    fn from(complaints: Complaints) -> Self {
        let told = complaints
            .0
            .into_iter()
            .map(|complaint| Told {
                file: Some(complaint.file),
                line: Some(complaint.line),
                column: Some(complaint.column),
                field: complaint.about,
                problem: complaint.problem,
                remedy: complaint.remedy,
                ..Told::default()
            })
            .collect();
        Self {
            exit: Exit::Input,
            told,
        }
    }
}

impl From<ReadFailure> for Failure {
    fn from(failure: ReadFailure) -> Self {
        let told = match failure {
            ReadFailure::Damaged {
                stream,
                version,
                position,
                problem,
            } => Told {
                stream: Some(stream),
                version: Some(version),
                position: Some(position),
                problem: format!("the store is damaged: {problem}"),
                remedy: "restore a backup; `thirdring verify` checks the whole store".to_owned(),
                ..Told::default()
            },
            ReadFailure::Lost { .. } => Told::new(
                format!("the store is damaged: {failure}"),
                "`thirdring verify` checks the whole store",
            ),
            ReadFailure::ForeignStream(_) => Told::new(
                failure.to_string(),
                "it was written by another program; choose another store",
            ),
            ReadFailure::Log(error) => Told::new(
                error.to_string(),
                "`thirdring doctor` checks the store and says how to mend it",
            ),
        };
        Self::one(Exit::Store, told)
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Invalid(problem) => problem.into(),
            DeskError::Read(failure) => failure.into(),
            DeskError::IdTaken(id) => Self::one(
                Exit::Input,
                Told::new(
                    format!("the id {id} is recorded already for another fact"),
                    "give each fact an id of its own, or leave the id out",
                )
                .field("id"),
            ),
            DeskError::Name(error) => Self::one(
                Exit::Input,
                Told::new(error.to_string(), "").field("stream"),
            ),
            other @ (DeskError::Append(_)
            | DeskError::Contended { .. }
            | DeskError::Identity(_)
            | DeskError::Record(_)
            | DeskError::Timetable(_)) => Self::one(Exit::Store, Told::new(other.to_string(), "")),
        }
    }
}
