//! A console for tests: a store of its own, a present that stands still, and
//! what the command printed.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufReader, Cursor};
use std::path::PathBuf;

use tempfile::TempDir;
use thirdring::TimeSource;
use thirdring_cli::{Exit, World, run};

/// The manual the transcripts are made with.
pub(crate) const LITTLE: &str = "tests/manuals/little.toml";

/// The history the transcripts are made with.
pub(crate) const TWO_TICKETS: &str = "tests/histories/two-tickets.jsonl";

/// What a command answered.
pub(crate) struct Answer {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// Output, errors and exit code as one text, for snapshots.
    pub(crate) fn transcript(&self) -> String {
        let mut text = self.out.clone();
        if !self.err.is_empty() {
            text.push_str("--- stderr\n");
            text.push_str(&self.err);
        }
        text.push_str(&format!("--- exit {}\n", self.exit.code()));
        without_digests(&text)
    }

    /// The lines as JSON objects.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// The verdict lines, as they were printed.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .out
            .lines()
            .filter(|line| line.contains("\"verdict\":\""))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }
}

/// The text with digests of rulebooks left out: what they are made of is the
/// core's business.
pub(crate) fn without_digests(text: &str) -> String {
    let mut steady = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let is_hex = word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        steady.push_str(if is_hex && matches!(word.len(), 12 | 64) {
            "(digest)"
        } else {
            &word
        });
        word.clear();
        steady.push(c);
    }
    steady.pop();
    steady
}

/// A console with a store of its own.
pub(crate) struct Console {
    dir: TempDir,
    manual: &'static str,
    pub(crate) now: &'static str,
}

impl Console {
    pub(crate) fn new(manual: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            dir,
            manual,
            now: "2026-03-02T13:00:00+08:00",
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.dir.path().join("desk.db")
    }

    pub(crate) fn run(&self, args: &[&str]) -> Answer {
        self.run_with(args, b"")
    }

    /// Runs several commands and writes each above what it answered.
    pub(crate) fn transcript(&self, commands: &[&[&str]]) -> String {
        commands
            .iter()
            .map(|args| format!("$ {}\n{}", args.join(" "), self.run(args).transcript()))
            .collect()
    }

    pub(crate) fn run_with(&self, args: &[&str], stdin: &[u8]) -> Answer {
        let store = self.store();
        let mut all = vec!["thirdring"];
        for (option, own) in [
            ("--store", store.to_str().unwrap()),
            ("--manual", self.manual),
        ] {
            if !args.contains(&option) {
                all.extend([option, own]);
            }
        }
        all.extend_from_slice(args);
        let now = self.now.parse().unwrap();
        answer(&all, stdin, TimeSource::of(move || now), false)
    }
}

/// Runs a command as it is given.
pub(crate) fn answer(args: &[&str], stdin: &[u8], time: TimeSource, terminal: bool) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut stdin = BufReader::new(Cursor::new(stdin.to_vec()));
    let exit = run(
        args.iter().copied(),
        &mut World {
            stdin: &mut stdin,
            stdout: &mut out,
            stderr: &mut err,
            stdout_is_terminal: terminal,
            stderr_is_terminal: false,
            no_color: false,
            time,
        },
    );
    Answer {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}
