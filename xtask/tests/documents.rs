//! Keeps the documents true.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails panics"
)]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufReader, empty};
use std::path::{Path, PathBuf};

use thirdring::{TimeSource, manuals};
use thirdring_cli::World;

/// Every page a person wrote or `xtask` generated, below the workspace.
const PAGES: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "docs/commands.md",
    "docs/decisions.md",
    "docs/facts.md",
    "docs/glossary.md",
    "docs/manuals.md",
    "docs/rules.md",
    "docs/tour.md",
    "examples/README.md",
    "examples/own-manual/README.md",
];

fn page(path: &str) -> String {
    fs::read_to_string(xtask::workspace().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn generated_documents_are_fresh() {
    for document in xtask::documents().expect("the shipped manuals load") {
        assert!(
            page(document.path) == document.text,
            "{} is out of date: {}",
            document.path,
            xtask::REMEDY
        );
    }
}

#[test]
fn the_tour_takes_ten_minutes() {
    let words = page("docs/tour.md").split_whitespace().count();
    assert!(
        words <= 2_000,
        "docs/tour.md has {words} words, at most 2,000"
    );
}

/// Files of Rust below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// A test that is left out of every run says why, and how to run it: the command
/// names the package and the file the test stands in.
#[test]
fn ignored_tests_say_why_and_how_to_run_them() {
    let mut files = Vec::new();
    sources(&xtask::workspace().join("crates"), &mut files);
    let mut seen = 0;
    for path in files {
        let shown = path.display();
        for line in fs::read_to_string(&path).expect("a source").lines() {
            let Some(rest) = line.trim().strip_prefix("#[ignore") else {
                continue;
            };
            seen += 1;
            let said = rest
                .strip_prefix(" = \"")
                .and_then(|text| text.strip_suffix("\"]"))
                .unwrap_or_else(|| panic!("{shown}: why is it ignored? {line}"));
            let (why, command) = said
                .split_once(": cargo test ")
                .unwrap_or_else(|| panic!("{shown}: how is it run? {said}"));
            assert!(!why.is_empty(), "{shown}: {said}");
            let words: Vec<&str> = command.split(' ').collect();
            let after = |option: &str| {
                let place = words.iter().position(|word| *word == option);
                place.and_then(|place| words.get(place + 1)).copied()
            };
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            assert_eq!(after("--test"), stem, "{shown}: {said}");
            let package = after("-p").and_then(|name| name.strip_prefix("thirdring-"));
            let folder = package.map(|name| xtask::workspace().join("crates").join(name));
            assert!(
                folder.is_some_and(|folder| path.starts_with(folder)),
                "{shown}: {said}"
            );
            assert!(words.contains(&"--ignored"), "{shown}: {said}");
        }
    }
    assert!(seen > 0, "there are some");
}

/// `[text](target)` of a page, without what is shown as code.
fn links(text: &str) -> Vec<String> {
    let mut prose = String::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 0 {
            prose.push_str(part);
        }
    }
    prose
        .match_indices("](")
        .filter_map(|(at, _)| prose[at + 2..].split(')').next().map(str::to_owned))
        .collect()
}

/// A heading as the name of its anchor.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = String::new();
    for path in PAGES {
        let text = page(path);
        let folder = xtask::workspace()
            .join(path)
            .parent()
            .map(Path::to_owned)
            .expect("a page has a folder");
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                xtask::workspace().join(path)
            } else {
                folder.join(file)
            };
            if !target.exists() {
                writeln!(wrong, "{path}: {link}: there is no such file").expect("text grows");
            } else if !place.is_empty() {
                let there = fs::read_to_string(&target).unwrap_or_default();
                if !there
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == place)
                {
                    writeln!(wrong, "{path}: {link}: there is no such heading")
                        .expect("text grows");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The blocks of a page in one language: first line and text.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (line, number) in text.lines().zip(1..) {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) => {
                open = Some((
                    number + 1,
                    if name == language {
                        String::new()
                    } else {
                        "\0".to_owned()
                    },
                ))
            }
            (Some(_), Some(_)) => {
                found.extend(open.take().filter(|(_, text)| !text.starts_with('\0')));
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// What the command prints; text for people on either stream.
fn thirdring(words: &[&str]) -> (String, u8) {
    let (mut stdin, mut stdout, mut stderr) = (BufReader::new(empty()), Vec::new(), Vec::new());
    let mut world = World {
        stdin: &mut stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        stdout_is_terminal: false,
        stderr_is_terminal: false,
        no_color: true,
        time: TimeSource::system(),
    };
    let exit = thirdring_cli::run(words, &mut world);
    let mut text = String::from_utf8_lossy(&stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&stderr));
    (text, exit.code())
}

/// Whether lines stand in the output in this order; a line that is `…` alone
/// stands for any number of lines, one that ends with `…` for its beginning.
fn shows(output: &str, shown: &[&str]) -> Result<(), String> {
    let output: Vec<&str> = output.lines().map(str::trim_end).collect();
    let mut at = 0;
    let mut anywhere = true;
    for line in shown.iter().map(|line| line.trim_end()) {
        if line.trim() == "…" {
            anywhere = true;
            continue;
        }
        let fits = |real: &&str| match line.strip_suffix('…') {
            Some(beginning) => real.starts_with(beginning.trim_end()),
            None => *real == line,
        };
        let rest = output.get(at..).unwrap_or_default();
        let found = if anywhere {
            rest.iter().position(fits)
        } else {
            rest.first().filter(|real| fits(real)).map(|_| 0)
        };
        match found {
            Some(skipped) => at += skipped + 1,
            None => {
                return Err(format!(
                    "shown:  {line}\nprinted: {}",
                    rest.first().unwrap_or(&"(nothing more)")
                ));
            }
        }
        anywhere = false;
    }
    Ok(())
}

/// The words of a command line; no quoting beyond single quotes.
fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.split('\'').enumerate() {
        if index % 2 == 0 {
            words.extend(part.split_whitespace().map(str::to_owned));
        } else {
            words.push(part.to_owned());
        }
    }
    words
}

/// Every `console` block of the pages is run, in order, with stores of its own.
#[test]
fn commands_print_what_is_shown() {
    std::env::set_current_dir(xtask::workspace()).expect("the workspace is there");
    let mut wrong = String::new();
    for path in PAGES {
        let stores = tempfile::tempdir().expect("a folder for the stores");
        for (first_line, block) in blocks(&page(path), "console") {
            let mut lines = block.lines().peekable();
            while let Some(line) = lines.next() {
                let command = line
                    .strip_prefix("$ ")
                    .unwrap_or_else(|| panic!("{path}:{first_line}: begin with `$ `"));
                let mut shown = Vec::new();
                while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                    shown.push(line);
                }
                let (command, asks_code) = match command.strip_suffix("; echo $?") {
                    Some(command) => (command, true),
                    None => (command, false),
                };
                let own = command
                    .strip_prefix("cargo run --release -p thirdring-cli -- ")
                    .or_else(|| command.strip_prefix("thirdring "));
                let Some(own) = own else {
                    assert!(
                        shown.is_empty(),
                        "{path}:{first_line}: output of `{command}` is not checked, so do not show it"
                    );
                    continue;
                };
                let words: Vec<String> = split(own)
                    .into_iter()
                    .map(|word| match word.strip_prefix("target/") {
                        Some(store) => stores.path().join(store).display().to_string(),
                        None => word,
                    })
                    .collect();
                let words: Vec<&str> = ["thirdring"]
                    .into_iter()
                    .chain(words.iter().map(String::as_str))
                    .collect();
                let (mut output, code) = thirdring(&words);
                if asks_code {
                    writeln!(output, "{code}").expect("text grows");
                }
                if let Err(difference) = shows(&output, &shown) {
                    writeln!(wrong, "{path}:{first_line}: `{command}`\n{difference}\n")
                        .expect("text grows");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every whole manual and every fragment of `docs/manuals.md` loads; fragments
/// are put under a manual that extends `unis`.
#[test]
fn examples_of_manuals_load() {
    const HEAD: &str = "[manual]\nname = \"example\"\nextends = \"unis\"\n\n";
    let mut wrong = String::new();
    let mut verbs = String::new();
    for path in ["docs/manuals.md", "docs/tour.md"] {
        for (line, block) in blocks(&page(path), "toml") {
            let text = if block.contains("[manual]") {
                block
            } else {
                format!("{HEAD}{block}")
            };
            if let Err(complaints) = manuals::own(&format!("{path}:{line}"), &text) {
                writeln!(wrong, "{complaints}").expect("text grows");
            }
            verbs.push_str(&text);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for verb in [
        "carries",
        "one_of",
        "at_most",
        "at_least",
        "attests",
        "only_by",
        "route",
        "other_than",
        "needs",
        "needs_all",
        "never",
        "after",
        "every",
        "means",
        "may",
        "stated",
        "choose",
        "choice",
        "change",
    ] {
        let shown = [
            format!("{verb} = "),
            format!("{verb}."),
            format!("[{verb}."),
        ];
        assert!(
            shown.iter().any(|form| verbs.contains(form)),
            "docs/manuals.md shows no `{verb}` that is loaded"
        );
    }
}

/// Every complaint of the table in `docs/manuals.md` is really made: the first
/// column provokes it.
#[test]
fn complaints_read_as_shown() {
    const R: &str = "⏎ says = \"S.\" ⏎ source = [{ manual = \"example\", quote = \"Q\" }] ⏎";
    let text = page("docs/manuals.md");
    let table = text
        .split("<!-- complaints -->")
        .nth(1)
        .expect("the table of complaints is marked");
    let mut seen = 0;
    let mut wrong = String::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [written, said, _] = cells.as_slice() else {
            panic!("three columns: {row}")
        };
        seen += 1;
        let written = written
            .trim_matches('`')
            .replace("⏎ R ⏎", R)
            .replace(" ⏎ ", "\n")
            .replace("¦", "|");
        let head = if written.contains("[manual]") {
            ""
        } else {
            "[manual]\nname = \"example\"\nextends = \"unis\"\n"
        };
        let told = match manuals::own("example.toml", &format!("{head}{written}")) {
            Ok(book) => book
                .warnings
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
            Err(complaints) => complaints.to_string(),
        };
        let said = said.replace("¦", "|");
        let parts: Vec<&str> = said
            .split('…')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        let mut rest = told.as_str();
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => {
                    writeln!(wrong, "{row}\n    said: {told}").expect("text grows");
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen > 30, "only {seen} complaints are shown");
}

/// What the README and the tour say of the examples.
#[test]
fn the_day_at_the_desk_is_what_it_says() {
    let text = page("examples/a-day-at-the-desk.jsonl");
    let mut tellings: Vec<String> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let read =
            thirdring::HistoryLine::parse(number, line).unwrap_or_else(|error| panic!("{error}"));
        tellings.extend(read.map(|read| read.told_at().to_rfc3339()));
    }
    assert!(
        tellings.is_sorted(),
        "the lines stand in the order they are told"
    );
    let file: PathBuf = xtask::workspace().join("examples/a-day-at-the-desk.jsonl");
    let file = file.display().to_string();
    let (output, _) = thirdring(&[
        "thirdring",
        "--store",
        ":memory:",
        "--format",
        "json",
        "run",
        &file,
    ]);
    let mut refusing: Vec<String> = Vec::new();
    let mut broken: Vec<String> = Vec::new();
    for line in output
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
    {
        if line["outcome"] == "refused" {
            refusing.extend(
                line["objections"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|o| o["rule"].to_string()),
            );
        }
        if line["verdict"] == "broken" {
            broken.push(line["rule"].to_string());
        }
    }
    for rules in [&mut refusing, &mut broken] {
        rules.sort();
        rules.dedup();
    }
    assert!(refusing.len() >= 10, "{refusing:?}");
    assert!(broken.len() >= 6, "{broken:?}");
}
