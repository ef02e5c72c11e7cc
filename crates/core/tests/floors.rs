//! The floors of the crate: a module uses only modules that stand above it in
//! `lib.rs`.

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

#[test]
fn modules_stand_on_floors() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let floors: Vec<&str> = lib
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub mod ")
                .or_else(|| line.strip_prefix("mod "))
        })
        .filter_map(|line| line.strip_suffix(';'))
        .collect();
    assert!(floors.len() > 10, "the list of floors is in lib.rs");
    for (floor, module) in floors.iter().enumerate() {
        let file = src.join(format!("{module}.rs"));
        let place = if file.exists() {
            file
        } else {
            src.join(module)
        };
        for path in sources(&place) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                // Documents may point anywhere.
                let code = line.split("//").next().unwrap_or_default();
                for used in code.split("crate::").skip(1) {
                    let name: String = used
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect();
                    let Some(other) = floors.iter().position(|known| *known == name) else {
                        continue;
                    };
                    assert!(
                        other <= floor,
                        "{}:{}: `{module}` uses `{name}`, which stands above it",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
}
