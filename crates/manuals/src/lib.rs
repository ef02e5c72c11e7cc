//! The service manuals Thirdring ships, as data: rules by process
//! (`rules/*.toml`), manuals by organisation (`manuals/*.toml`), and maps for
//! other people's logs (`maps/*.toml`).
//!
//! A manual of one's own is the same kind of file; it may extend one of these.

use thirdring_core::{Complaint, Complaints, Library, Rulebook, SourceText};

macro_rules! texts {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../", $name)))),*]
    };
}

const RULES: &[(&str, &str)] = texts![
    "rules/ticket.toml",
    "rules/shift.toml",
    "rules/knowledge.toml"
];
const MANUALS: &[(&str, &str)] = texts![
    "manuals/unis.toml",
    "manuals/yonyou.toml",
    "manuals/helpdesk.toml"
];

/// The maps that are shipped, for other people's logs: name and text.
pub const MAPS: &[(&str, &str)] = &[("helpdesk", include_str!("../maps/helpdesk.toml"))];

/// The names of the manuals that are shipped.
pub const NAMES: &[&str] = &["unis", "yonyou", "helpdesk"];

/// The ids and quotes of the shipped rules as they stand in the manuals' own
/// texts, frozen: what a rule cites is compared with this.
pub const FROZEN_RULES: &str = include_str!("../frozen/rules.json");

fn source_texts(files: &[(&str, &str)]) -> Vec<SourceText> {
    files
        .iter()
        .map(|(name, text)| SourceText::new(*name, *text))
        .collect()
}

/// Every shipped rule and manual.
pub fn library() -> Library {
    Library {
        rules: source_texts(RULES),
        manuals: source_texts(MANUALS),
    }
}

/// A shipped manual, read, checked, and tried on its rules' own cases.
///
/// # Errors
/// If there is no such manual. (The shipped ones are sound: a test says so.)
pub fn shipped(name: &str) -> Result<Rulebook, Complaints> {
    thirdring_core::load(&library(), name)
}

/// A manual of one's own, which may extend a shipped one.
///
/// # Errors
/// Everything that is wrong with it, with file, line and remedy.
pub fn own(file: &str, text: &str) -> Result<Rulebook, Complaints> {
    let (library, name) = library_with(file, text)?;
    thirdring_core::load(&library, &name)
}

/// Every shipped rule and manual, and a manual of one's own with its name.
///
/// # Errors
/// If the file has no name, or that of a shipped manual.
pub fn library_with(file: &str, text: &str) -> Result<(Library, String), Complaints> {
    let mut library = library();
    let source = SourceText::new(file, text);
    let name = thirdring_core::manual_name(&source)?;
    if NAMES.contains(&name.as_str()) {
        return Err(Complaints(vec![Complaint {
            file: file.to_owned(),
            line: 1,
            column: 1,
            about: None,
            problem: format!("a manual named `{name}` is shipped already"),
            remedy: "give yours a name of its own, and let it say extends = \"…\"".to_owned(),
        }]));
    }
    library.manuals.push(source);
    Ok((library, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_manual_loads_and_behaves() {
        for name in NAMES {
            if let Err(complaints) = shipped(name) {
                panic!("{name}:\n{complaints}");
            }
        }
    }
}
