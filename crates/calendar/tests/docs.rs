//! The definition shown in the manual page is one that compiles.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use thirdring_calendar::{Calendar, CalendarDefinition};

#[test]
fn the_example_of_the_manual_page_compiles() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/calendar.md");
    let page = std::fs::read_to_string(path).unwrap();
    let example = page
        .split("```toml")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let definition: CalendarDefinition = toml::from_str(example).unwrap();
    let calendar = Calendar::compile(&definition).unwrap();
    assert!(calendar.is_working_day("2026-10-12".parse().unwrap()));
    assert!(!calendar.is_working_day("2026-07-01".parse().unwrap()));
}
