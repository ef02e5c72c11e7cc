//! What is wrong is said calmly: what, where, and how to mend it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use std::fs;
use std::path::Path;

use console::{Console, LITTLE, TWO_TICKETS};
use thirdring_cli::Exit;

/// A folder with everything that can go wrong in a file.
fn files(folder: &Path) {
    let history = fs::read_to_string(TWO_TICKETS).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("empty", b"");
    write(
        "letter.txt",
        b"a letter to somebody, long enough to be no empty file",
    );
    write("latin1.jsonl", b"{\"at\":\"caf\xe9\"}\n");
    write("manual.toml", b"[manual]\nname = \"caf\xe9\"\n");
    let utf16: Vec<u8> = history.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("utf16.jsonl", &[b"\xff\xfe", utf16.as_slice()].concat());
    let first = history.lines().nth(1).unwrap();
    write("half.jsonl", &first.as_bytes()[..first.len() / 2]);
    write("array.jsonl", format!("[{first}]").as_bytes());
    fs::create_dir(folder.join("folder")).unwrap();
    fs::create_dir(folder.join("folder.toml")).unwrap();
    rusqlite::Connection::open(folder.join("other.db"))
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
}

#[test]
fn what_where_and_how_to_mend_it() {
    let console = Console::new(LITTLE);
    assert_eq!(console.run(&["run", TWO_TICKETS]).exit, Exit::Fine);
    let folder = console.store().parent().unwrap().to_owned();
    files(&folder);
    fs::write(
        folder.join("cut.db"),
        &fs::read(console.store()).unwrap()[..50],
    )
    .unwrap();
    let mut transcript = String::new();
    for command in [
        "shwo",
        "show --manuel unis",
        "show --now noon",
        "show T-11",
        "run nowhere.jsonl",
        "run folder",
        "run letter.txt",
        "run latin1.jsonl",
        "run utf16.jsonl",
        "run half.jsonl",
        "run array.jsonl",
        "audit nowhere.jsonl",
        "manual check manual.toml",
        "manual check nowhere.toml",
        "manual check folder.toml",
        "manual check letter.txt",
        "rules third-rnig",
        "judge nowhere.csv --map helpdesk",
        "judge folder --map helpdesk",
        "judge letter.txt --map helpdesk",
        "judge letter.txt --map nowhere.toml",
        "calendar add --calendar nowhere.toml 2026-03-02 3h",
        "calendar add 2026-03-02 soon",
        "show --store folder",
        "show --store other.db",
        "show --store letter.txt",
        "show --store cut.db",
        "show --store nowhere.db",
        "show --store mysql://host/desk",
        "run empty --store nowhere/desk.db",
        "record --stream T-1 --by li --role cook call_rang call=1",
        "record --stream T-1 --by li --role hotline_engineer call_rung call=1",
        "record --stream T-1 --by li --role hotline_engineer call_rang cal=1",
    ] {
        // Names of files are meant in the folder.
        let words: Vec<String> = command
            .split(' ')
            .map(|word| {
                let path = folder.join(word);
                let is_file = path.exists() || word.contains("nowhere");
                if is_file {
                    path.to_str().unwrap().to_owned()
                } else {
                    word.to_owned()
                }
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = console.run(&words);
        assert_ne!(answer.exit, Exit::Fine, "{command}");
        transcript.push_str(&format!(
            "$ {command}\n{}",
            answer
                .transcript()
                .replace(&format!("{}/", folder.to_str().unwrap()), "")
        ));
    }
    insta::assert_snapshot!(transcript);
    // Nothing of it touched what was there.
    assert!(
        fs::read_to_string(folder.join("letter.txt"))
            .unwrap()
            .starts_with("a letter")
    );
    assert!(!folder.join("nowhere.db").exists());
}

#[test]
fn what_is_wrong_is_told_in_few_words() {
    let console = Console::new(LITTLE);
    let folder = console.store().parent().unwrap().to_owned();
    let path = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let wide = path("wide.csv", &[b'a'; 300_000]);
    let many = path("many.csv", "column,".repeat(50_000).as_bytes());
    let empty = path("empty.csv", b"");
    let bad = path("bad.toml", b"tz = \"Asia/Shanghai\"\nweekly = 3\n");
    for (args, wanted) in [
        (
            &["judge", &*wide, "--map", "helpdesk", "--manual", "helpdesk"][..],
            "…",
        ),
        (
            &["judge", &*many, "--map", "helpdesk", "--manual", "helpdesk"],
            "and 49989 more",
        ),
        (
            &[
                "judge", &*empty, "--map", "helpdesk", "--manual", "helpdesk",
            ],
            "the file is empty",
        ),
        (
            &[
                "calendar",
                "add",
                "--calendar",
                &*bad,
                "2026-03-02 10:00",
                "2h",
            ],
            "bad.toml:2:10: ",
        ),
    ] {
        let answer = console.run(args);
        assert_eq!(answer.exit, Exit::Input, "{}", answer.transcript());
        assert!(answer.err.contains(wanted), "{wanted}: {}", answer.err);
        assert!(answer.err.len() < 1_500, "{} bytes", answer.err.len());
    }
    // What holds nothing is not judged at the beginning of all clocks.
    let none = path("none.jsonl", b"");
    let judged = console.run(&["what-if", &none]);
    assert!(judged.out.contains("2026-03-02 13:00"), "{}", judged.out);
    // Time does not go back to the moment somebody names.
    let told = console.run(&["run", TWO_TICKETS, "--until", "2026-03-01"]);
    assert_eq!(told.exit, Exit::Fine);
    assert!(
        told.err.contains("note: --until lies before the last line"),
        "{}",
        told.err
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let console = Console::new(LITTLE);
    let history = fs::read_to_string(TWO_TICKETS).unwrap();
    let plain = console.run(&["run", TWO_TICKETS, "--format", "json"]);
    let windows = format!("\u{feff}{}", history.replace('\n', "\r\n"));
    let other = Console::new(LITTLE);
    let told = other.run_with(&["run", "-", "--format", "json"], windows.as_bytes());
    assert_eq!(told.exit, Exit::Fine);
    assert_eq!(told.out, plain.out);
    // The ids are the same too: the file is known in either form.
    let again = console.run_with(&["run", "-", "--format", "json"], windows.as_bytes());
    assert_eq!(again.json().pop().unwrap()["summary"]["admitted"], 0);
    let without_end = console.run_with(&["run", "-"], history.trim_end().as_bytes());
    assert_eq!(without_end.exit, Exit::Fine);

    let dir = tempfile::tempdir().unwrap();
    let manual = dir.path().join("little.toml");
    let text = fs::read_to_string(LITTLE).unwrap().replace('\n', "\r\n");
    fs::write(&manual, format!("\u{feff}{text}")).unwrap();
    let checked = console.run(&["manual", "check", manual.to_str().unwrap()]);
    assert_eq!(checked.exit, Exit::Fine, "{}", checked.transcript());
    assert_eq!(checked.out, console.run(&["manual", "check"]).out);

    let log = fs::read_to_string("tests/histories/foreign.csv").unwrap();
    let file = dir.path().join("log.csv");
    fs::write(&file, format!("\u{feff}{}", log.replace('\n', "\r\n"))).unwrap();
    let judge = |file: &str| {
        Console::new("helpdesk")
            .run(&["judge", file, "--map", "helpdesk", "--format", "json"])
            .verdicts()
    };
    assert_eq!(
        judge(file.to_str().unwrap()),
        judge("tests/histories/foreign.csv")
    );
}

#[cfg(unix)]
#[test]
fn what_this_user_may_not_do() {
    use std::os::unix::fs::PermissionsExt;

    let console = Console::new(LITTLE);
    console.run(&["run", TWO_TICKETS]);
    let folder = console.store().parent().unwrap().to_owned();
    let history = folder.join("history.jsonl");
    fs::copy(TWO_TICKETS, &history).unwrap();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&history, 0o000);
    if fs::File::open(&history).is_ok() {
        // To whom everything is allowed nothing is denied.
        return;
    }
    let answer = console.run(&["run", history.to_str().unwrap()]);
    assert_eq!(answer.exit, Exit::Input);
    assert!(answer.err.contains("may not read it"), "{}", answer.err);
    mode(&console.store(), 0o400);
    let answer = console.run(&["show"]);
    assert_eq!(answer.exit, Exit::Store);
    assert!(answer.err.contains("let this user write"), "{}", answer.err);
}
