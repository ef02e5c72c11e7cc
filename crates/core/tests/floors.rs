//! The floors of the crate: a module uses only modules that stand above it in
//! `lib.rs`; and so within the forms and the audit.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

use std::path::{Path, PathBuf};

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .unwrap()
        .flat_map(|entry| sources(&entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect();
    found.sort();
    found
}

/// The modules a file declares, in its order.
fn declared(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines()
        .filter_map(|line| {
            ["pub mod ", "pub(crate) mod ", "mod "]
                .iter()
                .find_map(|start| line.strip_prefix(start))
        })
        .filter_map(|line| line.strip_suffix(';'))
        .map(str::to_owned)
        .collect()
}

/// What a line of code names behind `path`: one name, or a list in braces.
fn named<'a>(code: &'a str, path: &str) -> Vec<&'a str> {
    code.split(path)
        .skip(1)
        .flat_map(|rest| {
            let names = match rest.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default(),
                None => rest.split(',').next().unwrap_or_default(),
            };
            names.split(',')
        })
        .map(|name| {
            let name = name.trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            name.get(..end.unwrap_or(name.len())).unwrap_or_default()
        })
        .collect()
}

/// Every module that `file` declares uses only those declared above it; `path`
/// is how code names them.
fn stand_on_floors(file: &Path, path: &str) {
    let floors = declared(file);
    assert!(
        floors.len() > 5,
        "the list of floors is in {}",
        file.display()
    );
    let folder = file.parent().unwrap();
    for (floor, module) in floors.iter().enumerate() {
        let file = folder.join(format!("{module}.rs"));
        let place = if file.exists() {
            file
        } else {
            folder.join(module)
        };
        for file in sources(&place) {
            let text = std::fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                // Documents may point anywhere.
                let code = line.split("//").next().unwrap_or_default();
                for name in named(code, path) {
                    let Some(other) = floors.iter().position(|known| known == name) else {
                        continue;
                    };
                    assert!(
                        other <= floor,
                        "{}:{}: `{module}` uses `{name}`, which stands above it",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
    }
}

#[test]
fn modules_stand_on_floors() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    stand_on_floors(&src.join("lib.rs"), "crate::");
    stand_on_floors(&src.join("forms/mod.rs"), "crate::forms::");
    stand_on_floors(&src.join("audit/mod.rs"), "crate::audit::");
}

#[test]
fn names_behind_a_path_are_found() {
    assert_eq!(
        named("use crate::forms::run::Run;", "crate::forms::"),
        ["run"]
    );
    assert_eq!(
        named("use crate::forms::{needs, never};", "crate::forms::"),
        ["needs", "never"]
    );
    assert_eq!(named("f(crate::a::A, crate::b::B)", "crate::"), ["a", "b"]);
}
