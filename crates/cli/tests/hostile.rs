//! Hostile text never reaches a terminal as it is, and hostile input never ends
//! the process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use std::io::{self, BufReader, Cursor, Write};

use console::{Answer, Console, LITTLE, TWO_TICKETS};
use thirdring::TimeSource;
use thirdring_cli::{Exit, World, run};

fn assert_harmless(answer: &Answer) {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(u32::from(c), 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF)
    };
    for text in [&answer.out, &answer.err] {
        assert!(!text.contains(hidden), "{text:?}");
    }
}

#[test]
fn escape_sequences_in_facts_are_written_out() {
    let console = Console::new(LITTLE);
    let line = r#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-\u202e1","by":{"id":"l\u200bi","role":"hotline_engineer"},"fact":{"type":"request_received","channel":"ph\ufeffone","customer":"C\u2066"}}
{"at":"2026-03-02T09:01:00+08:00","stream":"T-\u202e1","by":{"id":"l\u200bi","role":"hotline_engineer"},"fact":{"type":"request_recorded","phenomenon":"line one\nline two\tand \u202e\u200b tab"}}"#;
    for args in [&["run", "-"][..], &["run", "-", "--format", "json"]] {
        let told = console.run_with(args, line.as_bytes());
        assert_eq!(told.exit, Exit::Fine, "{}", told.transcript());
        assert_harmless(&told);
    }
    for args in [
        &["show"][..],
        &["show", "T-\u{202e}1"],
        &["show", "T-\u{202e}1", "--format", "json"],
        &["audit", "--all"],
        &["explain", "T-\u{202e}1", "callback"],
    ] {
        let shown = console.run(args);
        assert_ne!(shown.exit, Exit::Usage, "{}", shown.transcript());
        assert_harmless(&shown);
    }
    let shown = console.run(&["show", "T-\u{202e}1"]);
    assert!(
        shown
            .out
            .contains("line one\\u{a}line two\\u{9}and \\u{202e}\\u{200b} tab"),
        "{}",
        shown.out
    );
}

#[test]
fn escape_sequences_in_arguments_and_bad_lines_are_written_out() {
    let console = Console::new(LITTLE);
    console.run(&["run", TWO_TICKETS]);
    for args in [
        &["show", "T-\u{1b}[2J"][..],
        &["rules", "\u{1b}]0;title\u{7}"],
        &["\u{1b}[31mfrob"],
        &["run", "\u{1b}[31m.jsonl"],
        &["rules", "--manual", "\u{1b}[31m"],
        &["show", "--now", "\u{202e}"],
        &[
            "record",
            "--stream",
            "T-1",
            "--by",
            "li",
            "--role",
            "\u{1b}",
            "call_rang",
            "call=1",
        ],
        &[
            "record",
            "--stream",
            "T-1",
            "--by",
            "li",
            "--role",
            "hotline_engineer",
            "call_\u{1b}rang",
        ],
        &["judge", "\u{1b}.csv", "--map", "helpdesk"],
    ] {
        let answer = console.run(args);
        assert_ne!(answer.exit, Exit::Fine);
        assert_harmless(&answer);
    }
    let lines: &[&[u8]] = &[
        b"\x1b[2J",
        b"\x00\x00\x00",
        b"{\"at\":\"\xff\xfe\"}",
        b"{\"\xe2\x80\xae\":1}",
        "{\"at\":\"2026-03-02T09:00:00+08:00\",\"stream\":\"T-1\",\"by\":{\"id\":\"li\",\"role\":\"\u{202e}\"},\"fact\":{\"type\":\"call_rang\",\"call\":\"1\"}}".as_bytes(),
        br#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_\u001b[31m"}}"#,
        br#"{"at":"2026-03-02T09:00:00+08:00","stream":"T-\u001b[31m","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_rang","call":"1"}}"#,
    ];
    for line in lines {
        for format in ["text", "json"] {
            let told = console.run_with(&["run", "-", "--format", format], line);
            assert_eq!(told.exit, Exit::Input, "{}", told.transcript());
            assert_harmless(&told);
        }
    }
}

#[test]
fn long_lines_are_refused() {
    let console = Console::new(LITTLE);
    for bytes in [1024 * 1024, 20 * 1024 * 1024] {
        let told = console.run_with(&["run", "-"], "x".repeat(bytes).as_bytes());
        assert_eq!(told.exit, Exit::Input);
        assert!(told.err.contains("long"), "{}", told.err);
        assert!(told.err.len() < 1000);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        console.run_with(&["run", "-"], deep.as_bytes()).exit,
        Exit::Input
    );
    // A mark at the beginning of a file is no part of its first line.
    assert_eq!(
        console
            .run_with(&["run", "-"], "\u{feff}// nothing\n".as_bytes())
            .exit,
        Exit::Fine
    );
}

/// A reader that goes away after a number of bytes.
struct Pipe {
    left: usize,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.left);
        self.left -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A medium that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn run_into(args: &[&str], out: &mut dyn Write) -> (Exit, String) {
    let mut err = Vec::new();
    let mut stdin = BufReader::new(Cursor::new(Vec::new()));
    let exit = run(
        args.iter().copied(),
        &mut World {
            stdin: &mut stdin,
            stdout: out,
            stderr: &mut err,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            no_color: false,
            time: TimeSource::system(),
        },
    );
    (exit, String::from_utf8(err).unwrap())
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_the_work_is_done() {
    let console = Console::new(LITTLE);
    let store = console.store();
    let args = [
        "thirdring",
        "--store",
        store.to_str().unwrap(),
        "--manual",
        LITTLE,
        "run",
        TWO_TICKETS,
    ];
    let (exit, err) = run_into(&args, &mut Pipe { left: 10 });
    assert_eq!((exit, err.as_str()), (Exit::Fine, ""));
    let again = console.run(&["run", TWO_TICKETS, "--format", "json"]);
    assert_eq!(again.json().pop().unwrap()["summary"]["admitted"], 0);
    for left in 0..200 {
        assert_eq!(
            run_into(
                &["thirdring", "--manual", LITTLE, "rules"],
                &mut Pipe { left }
            )
            .0,
            Exit::Fine
        );
    }
}

#[test]
fn a_full_medium_is_said() {
    let (exit, err) = run_into(&["thirdring", "--manual", LITTLE, "rules"], &mut Full);
    assert_eq!(exit, Exit::Output);
    assert!(err.contains("could not be written"));
}
