//! Everything the command prints goes through here.

mod json;
pub(crate) mod sanitise;
mod table;
mod text;

use std::io::{self, Write};

use serde::Serialize;

use json::escape_json;
pub(crate) use json::to_line;
pub(crate) use table::Table;
pub(crate) use text::{Style, Text, counted, shorten, wrap};

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people: aligned text.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Where lines go, and whether they may be coloured.
///
/// A reader that goes away (`… | head`) is no failure: what it does not want to
/// read is not written, and the work goes on to its end.
pub(crate) struct Out<'w> {
    to: &'w mut dyn Write,
    colour: bool,
    closed: bool,
    failure: Option<io::Error>,
}

impl std::fmt::Debug for Out<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out")
            .field("colour", &self.colour)
            .finish_non_exhaustive()
    }
}

impl<'w> Out<'w> {
    /// Output to a writer.
    pub(crate) fn new(to: &'w mut dyn Write, colour: bool) -> Self {
        Self {
            to,
            colour,
            closed: false,
            failure: None,
        }
    }

    /// Whether nobody reads any more, or nothing more can be written.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Prints one line for people.
    pub(crate) fn line(&mut self, line: impl Into<Text>) {
        let mut bytes = String::new();
        for span in line.into().spans() {
            match span.style.code().filter(|_| self.colour) {
                Some(code) => {
                    bytes.push_str(code);
                    bytes.push_str(&span.text);
                    bytes.push_str("\u{1b}[0m");
                }
                None => bytes.push_str(&span.text),
            }
        }
        let mut trimmed = bytes.trim_end().to_owned();
        trimmed.push('\n');
        self.write(trimmed.as_bytes());
    }

    /// Prints an empty line.
    pub(crate) fn gap(&mut self) {
        self.write(b"\n");
    }

    /// Prints prose, broken into lines and set in.
    pub(crate) fn prose(&mut self, indent: usize, style: Style, text: &str) {
        for line in wrap(text, 96usize.saturating_sub(indent)) {
            self.line(Text::new().plain(" ".repeat(indent)).styled(style, line));
        }
    }

    /// Prints prose behind a mark, its further lines set in as the first.
    pub(crate) fn item(&mut self, indent: usize, mark: &str, text: &str) {
        let set_in = indent + Text::from(mark).width();
        for (place, line) in wrap(text, 96usize.saturating_sub(set_in))
            .iter()
            .enumerate()
        {
            let before = if place == 0 {
                format!("{}{mark}", " ".repeat(indent))
            } else {
                " ".repeat(set_in)
            };
            self.line(Text::new().plain(before).plain(line));
        }
    }

    /// Prints one object for machines.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        let mut line = to_line(value);
        line.push('\n');
        self.write(line.as_bytes());
    }

    /// Prints a line that is JSON already.
    pub(crate) fn json_text(&mut self, line: &str) {
        let mut line = escape_json(line).into_owned();
        line.push('\n');
        self.write(line.as_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        if !self.closed
            && let Err(error) = self.to.write_all(bytes)
        {
            self.give_up(error);
        }
    }

    fn give_up(&mut self, error: io::Error) {
        self.closed = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failure = Some(error);
        }
    }

    /// Hands on what is buffered, so that a person sees it before a wait.
    pub(crate) fn flush(&mut self) {
        if !self.closed
            && let Err(error) = self.to.flush()
        {
            self.give_up(error);
        }
    }

    /// Ends the output: an error if something could not be written though
    /// somebody wanted to read it.
    ///
    /// # Errors
    /// What the writer reported.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.flush();
        self.failure.map_or(Ok(()), Err)
    }
}
