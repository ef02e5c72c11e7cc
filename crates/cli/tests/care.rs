//! Looking after a store: `doctor`, `backup`, `restore`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Answer, Console, LITTLE, TWO_TICKETS};
use serde_json::Value;
use thirdring::facts::CallRang;
use thirdring::store::SqliteLog;
use thirdring::{Actor, Desk, StreamId, manuals, moment};
use thirdring_cli::Exit;

fn told() -> Console {
    let console = Console::new(LITTLE);
    assert_eq!(console.run(&["run", TWO_TICKETS]).exit, Exit::Fine);
    console
}

fn beside(console: &Console, name: &str) -> (PathBuf, String) {
    let path = console.store().with_file_name(name);
    let text = path.to_str().unwrap().to_owned();
    (path, text)
}

fn checks(answer: &Answer) -> Vec<Value> {
    answer
        .json()
        .into_iter()
        .filter_map(|mut line| line.get_mut("check").map(Value::take))
        .collect()
}

fn state_of(answer: &Answer, name: &str) -> String {
    let checks = checks(answer);
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("{name}: {}", answer.transcript()))["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Numbers of the file and of the machine differ from one to the next.
fn steady(text: &str, store: &Path) -> String {
    let text = text.replace(store.to_str().unwrap(), "desk.db");
    let places = [
        "SQLite ",
        "KiB",
        "bytes",
        "file_system",
        "permissions",
        // Its name holds the digest of the manual.
        "timetable",
    ];
    let kept = |line: &&str| !places.iter().any(|place| line.contains(place));
    let mut steady: String = text
        .lines()
        .filter(kept)
        .map(|line| {
            // Columns are as wide as what was left out.
            let words: Vec<&str> = line.split_whitespace().collect();
            words.join(" ") + "\n"
        })
        .collect();
    steady.truncate(steady.find("\nwarn: ").unwrap_or(steady.len()));
    steady
}

#[test]
fn doctor() {
    let console = told();
    let seen = console.run(&["doctor"]);
    assert_eq!(seen.exit, Exit::Fine, "{}", seen.transcript());
    insta::assert_snapshot!(steady(&seen.out, &console.store()));
    let quick = console.run(&["doctor", "--quick", "--format", "json"]);
    assert_eq!(state_of(&quick, "chain"), "skipped");
    let full = console.run(&["doctor", "--format", "json"]);
    for name in [
        "library",
        "journal_mode",
        "synchronous",
        "mmap_size",
        "application_id",
        "schema_version",
        "integrity",
        "size",
        "wal_size",
        "chain",
    ] {
        assert_eq!(state_of(&full, name), "ok", "{name}");
    }
    assert!(
        checks(&full)
            .iter()
            .any(|check| check["name"] == "file_system")
    );
    assert_eq!(full.json().pop().unwrap()["summary"]["bad"], 0);
}

#[test]
fn doctor_shows_how_far_projections_are_and_why_one_stopped() {
    use thirdring::store::{Page, SqliteLog, SqliteStep};

    let console = told();
    assert_eq!(console.run(&["due"]).exit, Exit::Fine);
    let log = SqliteLog::open(console.store()).unwrap();
    let clear =
        |step: &mut SqliteStep<'_>| step.execute_batch("CREATE TABLE IF NOT EXISTS mine (n)");
    log.projection("fine", 1).begin(clear).unwrap();
    log.projection("broken", 2).begin(clear).unwrap();
    let poison = |_: &mut SqliteStep<'_>, page: &Page| match page.records.first() {
        Some(first) if first.position > 2 => Err("no such customer"),
        _ => Ok(()),
    };
    let projection = log.projection("broken", 2);
    while projection.advance(1, poison).is_ok() {}
    let fine = log.projection("fine", 1);
    while fine.advance(5, |_, _| Ok::<_, &str>(())).unwrap() {}
    drop(log);
    let seen = console.run(&["doctor", "--quick", "--format", "json"]);
    assert_eq!(seen.exit, Exit::Fine);
    let found: Vec<(String, String)> = checks(&seen)
        .iter()
        .filter(|check| check["name"] == "projection" || check["name"] == "timetable")
        .map(|check| {
            let text = |name: &str| check[name].as_str().unwrap().to_owned();
            (text("state"), text("found"))
        })
        .collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0].0, "ok");
    assert!(found[0].1.starts_with("due/2/"), "{found:?}");
    assert!(found[0].1.contains("up to the end"), "{found:?}");
    assert_eq!(found[1].0, "warn");
    assert!(
        found[1]
            .1
            .contains("broken, version 2, up to c1-2; stopped at position 3")
            && found[1].1.contains("no such customer"),
        "{found:?}"
    );
    assert_eq!(
        found[2],
        ("ok".to_owned(), "fine, version 1, up to the end".to_owned())
    );
}

/// What another manual left is shown, damaged or not, and `lapse` forgets it.
#[test]
fn timetables_of_other_manuals_are_shown_and_forgotten() {
    use thirdring::store::{Cursor, Log, SqliteLog};

    let console = told();
    assert_eq!(console.run(&["due"]).exit, Exit::Fine);
    let log = SqliteLog::open(console.store()).unwrap();
    for name in ["due/1/other", "due/1/third"] {
        let start = Cursor::start();
        let timetables = log.timetables().unwrap();
        timetables.replace(name, &start, &start, &[]).unwrap();
    }
    drop(log);
    let file = rusqlite::Connection::open(console.store()).unwrap();
    let damage = "UPDATE timetables SET cursor = 'nonsense' WHERE name = 'due/1/other'";
    assert_eq!(file.execute(damage, []).unwrap(), 1);
    drop(file);
    let states = || -> Vec<(String, String)> {
        let seen = console.run(&["doctor", "--quick", "--format", "json"]);
        assert_eq!(seen.exit, Exit::Fine);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        checks(&seen)
            .iter()
            .filter(|check| check["name"] == "timetable")
            .map(|check| (text(&check["found"]), text(&check["state"])))
            .collect()
    };
    let before = states();
    assert_eq!(before.len(), 3, "{before:?}");
    assert_eq!(
        before[0],
        (
            "due/1/other, damaged: 0 moments".to_owned(),
            "warn".to_owned()
        )
    );
    assert_eq!(before[1].1, "ok");
    let forgotten = console.run(&["lapse", "--forget-others"]);
    assert_eq!(forgotten.exit, Exit::Fine);
    assert!(
        forgotten
            .out
            .ends_with("Forgot 2 timetables of other manuals.\n"),
        "{}",
        forgotten.out
    );
    let after = states();
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].0.starts_with("due/2/") && after[0].1 == "ok");
    let again = console.run(&["lapse", "--forget-others", "--format", "json"]);
    assert_eq!(again.json().pop().unwrap()["forgotten"]["timetables"], 0);
}

#[test]
fn doctor_finds_what_was_altered_and_what_is_missing() {
    let console = told();
    let connection = rusqlite::Connection::open(console.store()).unwrap();
    connection
        .execute("UPDATE records SET body = x'00' WHERE position = 3", [])
        .unwrap();
    drop(connection);
    let seen = console.run(&["doctor", "--format", "json"]);
    assert_eq!(seen.exit, Exit::Findings);
    assert_eq!(state_of(&seen, "chain"), "bad");
    assert_eq!(state_of(&seen, "integrity"), "ok");
    let text = console.run(&["doctor"]);
    assert!(text.out.contains("stream T-1, version 3"), "{}", text.out);
    assert!(
        text.out.contains("to mend it: restore a backup"),
        "{}",
        text.out
    );

    let connection = rusqlite::Connection::open(console.store()).unwrap();
    connection
        .execute("DELETE FROM records WHERE position = 2", [])
        .unwrap();
    drop(connection);
    let seen = console.run(&["doctor", "--format", "json"]);
    assert_eq!(state_of(&seen, "integrity"), "bad");
}

#[cfg(unix)]
#[test]
fn doctor_looks_at_permissions() {
    use std::os::unix::fs::PermissionsExt;

    let console = told();
    let folder = console.store().parent().unwrap().to_owned();
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(&folder, 0o755);
    for (file, state, exit) in [
        (0o600, "ok", Exit::Fine),
        (0o644, "warn", Exit::Fine),
        (0o666, "bad", Exit::Findings),
    ] {
        mode(&console.store(), file);
        let seen = console.run(&["doctor", "--quick", "--format", "json"]);
        assert_eq!(state_of(&seen, "permissions"), state);
        assert_eq!(seen.exit, exit);
    }
}

#[test]
fn doctor_of_what_cannot_be_opened() {
    let console = Console::new(LITTLE);
    let seen = console.run(&["doctor"]);
    assert_eq!(seen.exit, Exit::Store);
    assert!(seen.err.contains("there is no store"), "{}", seen.err);
    fs::write(
        console.store(),
        "a letter to somebody, long enough to be no empty file",
    )
    .unwrap();
    assert_eq!(console.run(&["doctor"]).exit, Exit::Store);
    let other = console::answer(
        &["thirdring", "--store", ":memory:", "doctor"],
        b"",
        thirdring::TimeSource::system(),
        false,
    );
    assert_eq!(other.exit, Exit::Usage);
}

#[test]
fn a_backup_is_the_store_and_comes_back() {
    let console = told();
    let verdicts = console.run(&["audit", "--format", "json"]).verdicts();
    let (backup, name) = beside(&console, "backup.db");
    let made = console.run(&["backup", &name]);
    assert_eq!(made.exit, Exit::Fine, "{}", made.transcript());
    assert!(made.out.contains("proved"), "{}", made.out);

    // Nothing is replaced unless it is said.
    let again = console.run(&["backup", &name]);
    assert_eq!(again.exit, Exit::Usage);
    assert!(again.err.contains("--force"), "{}", again.err);
    assert_eq!(console.run(&["backup", &name, "--force"]).exit, Exit::Fine);
    assert_eq!(console.run(&["restore", &name]).exit, Exit::Usage);

    // What was recorded since is gone after a restore that was asked for.
    console.run(&["lapse", "--now", "2026-04-02 14:00"]);
    let line = r#"{"at":"2026-03-05T09:00:00+08:00","stream":"T-9","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"request_received","channel":"phone"}}"#;
    assert_eq!(
        console.run_with(&["run", "-"], line.as_bytes()).exit,
        Exit::Fine
    );
    let bytes = fs::read(&backup).unwrap();
    let restored = console.run(&["restore", &name, "--force"]);
    assert_eq!(restored.exit, Exit::Fine, "{}", restored.transcript());
    assert_eq!(fs::read(&backup).unwrap(), bytes);
    assert_eq!(
        console.run(&["audit", "--format", "json"]).verdicts(),
        verdicts
    );
    assert_eq!(console.run(&["run", TWO_TICKETS]).exit, Exit::Fine);
    for rest in ["backup.db.unproved", "desk.db.unproved", "backup.db-wal"] {
        assert!(!beside(&console, rest).0.exists(), "{rest}");
    }
    assert_eq!(
        state_of(&console.run(&["doctor", "--format", "json"]), "chain"),
        "ok"
    );
}

#[test]
fn what_a_backup_that_was_cut_short_left_is_told_and_removed() {
    let console = told();
    let (backup, name) = beside(&console, "backup.db");
    let left: Vec<PathBuf> = [
        "backup.db.unproved",
        "backup.db.unproved-wal",
        "backup.db.unproved.partial",
        "backup.db.unproved.partial-2",
    ]
    .map(|name| beside(&console, name).0)
    .to_vec();
    // Half a copy, as a kill leaves it; and what is somebody else's.
    let half = &fs::read(console.store()).unwrap()[..2048];
    for path in &left {
        fs::write(path, half).unwrap();
    }
    let other = beside(&console, "film.partial").0;
    fs::write(&other, "half a film").unwrap();

    let seen = console.run(&["doctor", "--format", "json"]);
    assert_eq!(seen.exit, Exit::Fine, "{}", seen.transcript());
    assert_eq!(state_of(&seen, "left_behind"), "warn");
    let check = checks(&seen)
        .into_iter()
        .find(|check| check["name"] == "left_behind")
        .unwrap();
    assert!(
        check["found"].as_str().unwrap().starts_with("4 files"),
        "{check}"
    );
    assert!(
        check["remedy"]
            .as_str()
            .unwrap()
            .contains("backup.db.unproved.partial"),
        "{check}"
    );
    assert!(!check.to_string().contains("film"), "{check}");

    let made = console.run(&["backup", &name]);
    assert_eq!(made.exit, Exit::Fine, "{}", made.transcript());
    assert!(
        made.err
            .contains("note: an earlier attempt was cut short; what it left is removed")
            && made.err.contains("backup.db.unproved.partial-2"),
        "{}",
        made.err
    );
    assert!(left.iter().all(|path| !path.exists()));
    assert!(other.exists() && backup.exists());
    let seen = console.run(&["doctor", "--format", "json"]);
    assert!(
        checks(&seen)
            .iter()
            .all(|check| check["name"] != "left_behind")
    );
    // The next one has nothing to tell.
    assert!(console.run(&["backup", &name, "--force"]).err.is_empty());

    // A restore that was cut short leaves the same beside the store.
    fs::write(beside(&console, "desk.db.unproved").0, half).unwrap();
    assert_eq!(
        state_of(&console.run(&["doctor", "--format", "json"]), "left_behind"),
        "warn"
    );
    let restored = console.run(&["restore", &name, "--force"]);
    assert_eq!(restored.exit, Exit::Fine, "{}", restored.transcript());
    assert!(
        restored.err.contains("desk.db.unproved"),
        "{}",
        restored.err
    );
}

#[test]
fn a_backup_restores_into_an_empty_folder_even_if_nobody_may_write_to_it() {
    let console = told();
    let (backup, name) = beside(&console, "backup.db");
    console.run(&["backup", &name]);
    let mut permissions = fs::metadata(&backup).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&backup, permissions).unwrap();
    let other = Console::new(LITTLE);
    assert_eq!(other.run(&["restore", &name]).exit, Exit::Fine);
    assert_eq!(other.run(&["verify"]).out, console.run(&["verify"]).out);
    assert_eq!(other.run(&["run", TWO_TICKETS]).exit, Exit::Fine);
}

#[test]
fn what_is_no_backup_restores_nothing() {
    let console = told();
    let before = console.run(&["verify"]).out;
    let (letter, name) = beside(&console, "letter.txt");
    fs::write(
        &letter,
        "a letter to somebody, long enough to be no empty file",
    )
    .unwrap();
    let (empty, empty_name) = beside(&console, "empty.db");
    fs::write(&empty, "").unwrap();
    let (foreign, foreign_name) = beside(&console, "foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let (altered, altered_name) = beside(&console, "altered.db");
    console.run(&["backup", altered.to_str().unwrap()]);
    let connection = rusqlite::Connection::open(&altered).unwrap();
    connection
        .execute("UPDATE records SET body = x'00' WHERE position = 3", [])
        .unwrap();
    drop(connection);
    for (name, problem) in [
        (&name, "is not a Thirdring log"),
        (&empty_name, "is empty"),
        (&foreign_name, "is not a Thirdring log"),
        (&altered_name, "damaged"),
    ] {
        let answer = console.run(&["restore", name, "--force"]);
        assert_eq!(answer.exit, Exit::Store, "{}", answer.transcript());
        assert!(answer.err.contains(problem), "{}", answer.err);
        assert!(!answer.err.contains("unproved"), "{}", answer.err);
        assert!(answer.err.contains("to mend it"), "{}", answer.err);
        assert!(!beside(&console, "desk.db.unproved").0.exists());
    }
    let missing = console.run(&["restore", "nowhere.db", "--force"]);
    assert_eq!(missing.exit, Exit::Input);
    assert_eq!(console.run(&["verify"]).out, before);
}

#[test]
fn a_store_somebody_has_open_is_not_replaced() {
    let console = told();
    let (_, name) = beside(&console, "backup.db");
    console.run(&["backup", &name]);
    let open = SqliteLog::open(console.store()).unwrap();
    let answer = console.run(&["restore", &name, "--force"]);
    assert_eq!(answer.exit, Exit::Store);
    assert!(answer.err.contains("another process"), "{}", answer.err);
    drop(open);
    assert_eq!(console.run(&["restore", &name, "--force"]).exit, Exit::Fine);
}

#[test]
fn what_never_was_a_store_is_not_replaced() {
    let console = told();
    let (_, backup) = beside(&console, "backup.db");
    console.run(&["backup", &backup]);
    let other = Console::new(LITTLE);
    for make in [
        (|path: &Path| fs::write(path, "a letter to somebody, long enough").unwrap()) as fn(&Path),
        |path| {
            fs::remove_file(path).unwrap();
            let connection = rusqlite::Connection::open(path).unwrap();
            connection.execute_batch("CREATE TABLE t (a)").unwrap();
        },
    ] {
        make(&other.store());
        let before = fs::read(other.store()).unwrap();
        let answer = other.run(&["restore", &backup, "--force"]);
        assert_eq!(answer.exit, Exit::Store);
        assert!(
            answer.err.contains("so it is not replaced"),
            "{}",
            answer.err
        );
        assert_eq!(fs::read(other.store()).unwrap(), before);
    }
    // What is left of a lost store would be read into the restored one.
    fs::remove_file(other.store()).unwrap();
    let (left, _) = beside(&other, "desk.db-wal");
    fs::write(&left, "the last records").unwrap();
    let answer = other.run(&["restore", &backup]);
    assert_eq!(answer.exit, Exit::Store);
    assert!(answer.err.contains("without its store"), "{}", answer.err);
    fs::remove_file(left).unwrap();
    assert_eq!(other.run(&["restore", &backup]).exit, Exit::Fine);
}

#[test]
fn names_that_cannot_be_meant() {
    let console = told();
    let store = console.store();
    let folder = store.parent().unwrap().to_str().unwrap().to_owned();
    for args in [
        &["backup", store.to_str().unwrap(), "--force"][..],
        &["backup", &folder],
        &["backup", "nowhere/at/all.db"],
        &["restore", store.to_str().unwrap(), "--force"],
    ] {
        let answer = console.run(args);
        assert_eq!(answer.exit, Exit::Usage, "{}", answer.transcript());
        assert!(answer.err.contains("to mend it"), "{}", answer.err);
    }
    assert_eq!(console.run(&["verify"]).exit, Exit::Fine);
}

#[test]
fn a_backup_while_others_append_is_a_prefix() {
    let console = told();
    let store = console.store();
    let go_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let log = SqliteLog::open(&store).unwrap();
            let desk = Desk::open(log, manuals::shipped("unis").unwrap());
            let phone = Actor::new("pbx", "telephone_system").unwrap();
            let at = moment("2026-03-02T13:00:00+08:00").unwrap();
            let mut count = 0u64;
            while go_on.load(Ordering::Relaxed) || count < 50 {
                count += 1;
                let stream = StreamId::new(&format!("T-{}", 100 + count % 7)).unwrap();
                let rang = CallRang::new(count.to_string());
                desk.propose_at(&stream, rang, &phone, at).unwrap();
            }
            count
        });
        let mut records = 0;
        for round in 0..8 {
            let (backup, name) = beside(&console, &format!("backup{round}.db"));
            let made = console.run(&["backup", &name, "--format", "json"]);
            assert_eq!(made.exit, Exit::Fine, "{}", made.transcript());
            let held = made.json()[0]["summary"]["records"].as_u64().unwrap();
            assert!(held >= records, "a later backup holds no less");
            records = held;
            let copy = SqliteLog::open(&backup).unwrap();
            assert!(copy.integrity_check().unwrap().is_whole());
        }
        go_on.store(false, Ordering::Relaxed);
        assert!(writer.join().unwrap() >= 50);
    });
    assert_eq!(console.run(&["verify"]).exit, Exit::Fine);
}
