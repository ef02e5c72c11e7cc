//! Files and standard input, line by line, whatever they hold.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use thirdring::core::vocabulary::FactProblem;

use crate::failure::Failure;

/// The longest line that is read into memory; a longer one is an error however
/// long it is.
const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Checks that a file is there and may be read; `-` is standard input.
///
/// # Errors
/// If it is not.
pub(crate) fn check_file(name: &str) -> Result<(), Failure> {
    if name == "-" {
        return Ok(());
    }
    let unreadable = |error: std::io::Error| Failure::unreadable(name, &error);
    let file = File::open(name).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    Ok(())
}

/// The lines of a file or of standard input.
pub(crate) struct Lines<'a> {
    name: String,
    from: Box<dyn BufRead + 'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The lines of a file; `-` is standard input.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub(crate) fn open(name: &str, stdin: &'a mut dyn BufRead) -> Result<Self, Failure> {
        let from: Box<dyn BufRead + 'a> = if name == "-" {
            Box::new(stdin)
        } else {
            let file = File::open(name).map_err(|error| Failure::unreadable(name, &error))?;
            Box::new(BufReader::with_capacity(1 << 16, file))
        };
        let name = if name == "-" { "standard input" } else { name };
        Ok(Self {
            name: name.to_owned(),
            from,
            number: 0,
        })
    }

    /// The name of the file, as errors show it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The next line with its number; `None` at the end.
    ///
    /// # Errors
    /// If the line is no text, is too long, or cannot be read.
    pub(crate) fn next_line(&mut self) -> Result<Option<(usize, String)>, Failure> {
        let mut bytes = Vec::new();
        let read = self
            .from
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| Failure::unreadable(&self.name, &error))?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if u64::try_from(read) == Ok(LINE_BYTES_MAX) && bytes.last() != Some(&b'\n') {
            return Err(self.wrong(
                format!("the line is longer than {LINE_BYTES_MAX} bytes"),
                "write one object a line, and keep long documents elsewhere",
            ));
        }
        if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((self.number, text))),
            Err(error) => Err(self.wrong(
                format!(
                    "byte {} of the line is not UTF-8",
                    error.utf8_error().valid_up_to() + 1
                ),
                "save the file as UTF-8",
            )),
        }
    }

    fn wrong(&self, problem: String, remedy: &str) -> Failure {
        let problem = FactProblem {
            field: "line".to_owned(),
            problem,
            remedy: remedy.to_owned(),
        };
        Failure::bad_line(&self.name, self.number, problem)
    }
}

/// Bytes with Windows line ends made into plain ones: a reader of CSV counts
/// lines by line feeds, and a row must have one number whoever saved the file.
pub(crate) struct PlainLineEnds<R> {
    from: R,
    /// What was read and made plain, and how much of it was handed on.
    plain: Vec<u8>,
    handed: usize,
    /// A carriage return was read, and what follows it was not.
    held: bool,
}

impl<R: Read> PlainLineEnds<R> {
    pub(crate) const fn new(from: R) -> Self {
        Self {
            from,
            plain: Vec::new(),
            handed: 0,
            held: false,
        }
    }

    /// Reads on until there is something to hand on, or the end.
    fn fill(&mut self) -> std::io::Result<()> {
        let mut read = [0; 1 << 13];
        self.plain.clear();
        self.handed = 0;
        loop {
            let count = self.from.read(&mut read)?;
            for byte in read.iter().take(count) {
                if self.held && *byte != b'\n' {
                    self.plain.push(b'\r');
                }
                self.held = *byte == b'\r';
                if !self.held {
                    self.plain.push(*byte);
                }
            }
            if count == 0 && std::mem::take(&mut self.held) {
                self.plain.push(b'\r');
            }
            if count == 0 || !self.plain.is_empty() {
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for PlainLineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.handed >= self.plain.len() {
            self.fill()?;
        }
        let mut rest = self.plain.get(self.handed..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.handed += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in small portions.
    struct Portions<'b>(&'b [u8], usize);

    impl Read for Portions<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(buffer.len()).min(self.0.len());
            self.0.read(&mut buffer[..count])
        }
    }

    #[test]
    fn windows_line_ends_become_plain_and_nothing_else_changes() {
        let text = b"a\r\nb\rc\n\r\n\r\rd\r\n\r";
        for portion in 1..text.len() {
            let mut reader = PlainLineEnds::new(Portions(text, portion));
            let mut plain = Vec::new();
            let mut one = [0];
            while reader.read(&mut one).unwrap() == 1 {
                plain.extend(one);
            }
            assert_eq!(plain, b"a\nb\rc\n\n\r\rd\n\r", "{portion}");
        }
    }
}
