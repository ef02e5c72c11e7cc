//! The project's own tasks.
//!
//! `cargo xtask docs` writes the documents that are generated from the registry
//! of facts and rules. The tests of this crate keep every document true: the
//! generated ones are fresh, the commands shown print what is shown, the
//! examples of the manual on manuals load, the links lead somewhere, and the
//! Rust code of the README runs.

// The floors, lowest first: each module uses only modules above it in this list.
mod page;

mod facts;

mod rules;

use std::path::{Path, PathBuf};

use thirdring::core::Complaints;

/// How to write the generated documents anew.
pub const REMEDY: &str = "run `cargo xtask docs` and commit what it writes";

/// A document that is generated, and its place below the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it stands.
    pub path: &'static str,
    /// What stands in it.
    pub text: String,
}

/// Every generated document.
///
/// # Errors
/// If a shipped manual does not load.
pub fn documents() -> Result<Vec<Document>, Complaints> {
    Ok(vec![
        Document {
            path: "docs/facts.md",
            text: facts::document(),
        },
        Document {
            path: "docs/rules.md",
            text: rules::document()?,
        },
    ])
}

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The Rust code of the README, run by `cargo test`.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
