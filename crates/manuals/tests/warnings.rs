//! What the loader warns of in the shipped manuals, so that a new weak point is
//! seen when it comes in.

#![allow(clippy::panic, reason = "a test that fails panics")]

use thirdring_manuals::{NAMES, shipped};

#[test]
fn the_shipped_manuals_weak_points_are_known() {
    let mut seen = Vec::new();
    for name in NAMES {
        let rulebook = shipped(name).unwrap_or_else(|complaints| panic!("{name}:\n{complaints}"));
        seen.extend(rulebook.warnings.iter().map(|warning| {
            format!(
                "{name}: {}: {}",
                warning.about.as_deref().unwrap_or_default(),
                warning.problem
            )
        }));
    }
    insta::assert_snapshot!(seen.join("\n"));
}
