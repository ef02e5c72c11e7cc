//! The shipped rules against the frozen list of what the manuals say: every id
//! bound, every quote byte for byte.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use thirdring_core::Rulebook;
use thirdring_manuals::{FROZEN_RULES, library, shipped};

const MANUALS: [&str; 2] = ["unis", "yonyou"];

#[derive(Deserialize)]
struct Frozen {
    id: String,
    quotes: BTreeMap<String, Vec<String>>,
}

fn frozen() -> Vec<Frozen> {
    serde_json::from_str(FROZEN_RULES).expect("the frozen list reads")
}

fn rulebook(name: &str) -> Rulebook {
    shipped(name).unwrap_or_else(|complaints| panic!("{name}:\n{complaints}"))
}

/// The quotes of a manual in a rule, in the rule's order.
fn quotes<'a>(rulebook: &'a Rulebook, id: &str, manual: &str) -> Vec<&'a str> {
    let rule = rulebook
        .rule(id)
        .unwrap_or_else(|| panic!("{manual} has no rule {id}"));
    rule.sources
        .iter()
        .filter(|source| source.manual == manual)
        .flat_map(|source| source.quotes.iter().map(String::as_str))
        .collect()
}

#[test]
fn seventy_nine_rules_and_no_id_twice() {
    let ids: Vec<String> = frozen().into_iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), 79);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 79);
}

#[test]
fn every_rule_is_bound_and_no_other() {
    let listed: BTreeSet<String> = frozen().into_iter().map(|rule| rule.id).collect();
    let bound: BTreeSet<String> = MANUALS
        .iter()
        .flat_map(|name| {
            rulebook(name)
                .rules
                .iter()
                .map(|rule| rule.id.to_string())
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(bound, listed);
    for name in MANUALS {
        let wanted: BTreeSet<String> = frozen()
            .into_iter()
            .filter(|rule| rule.quotes.contains_key(name))
            .map(|rule| rule.id)
            .collect();
        let has: BTreeSet<String> = rulebook(name)
            .rules
            .iter()
            .map(|rule| rule.id.to_string())
            .collect();
        assert_eq!(has, wanted, "{name}");
    }
}

#[test]
fn every_quote_is_the_manuals_own_byte_for_byte() {
    for name in MANUALS {
        let rulebook = rulebook(name);
        for rule in frozen() {
            if let Some(wanted) = rule.quotes.get(name) {
                assert_eq!(
                    &quotes(&rulebook, &rule.id, name),
                    wanted,
                    "{name} {}",
                    rule.id
                );
            }
        }
    }
}

#[test]
fn rules_stand_in_the_order_of_their_files() {
    let place = |id: &str| {
        library()
            .rules
            .iter()
            .enumerate()
            .find_map(|(file, source)| {
                source
                    .text
                    .find(&format!("\n[{id}]\n"))
                    .map(|offset| (file, offset))
            })
    };
    for name in MANUALS {
        let places: Vec<_> = rulebook(name)
            .rules
            .iter()
            .map(|rule| place(&rule.id).unwrap_or_else(|| panic!("{} stands in no file", rule.id)))
            .collect();
        assert!(places.is_sorted(), "{name}");
    }
}

#[test]
fn every_rule_says_what_it_is_in_one_sentence_and_shows_it() {
    for name in MANUALS {
        for rule in &rulebook(name).rules {
            assert!(
                rule.says.ends_with('.') && rule.says.chars().count() <= 200,
                "{}: {}",
                rule.id,
                rule.says
            );
            assert!(
                rule.quote(name)
                    .is_some_and(|(source, _)| source.manual == name),
                "{}",
                rule.id
            );
            assert_eq!(
                rule.can_break(),
                rule.cases.iter().any(|case| case.breaks),
                "{}",
                rule.id
            );
            for choice in &rule.choices {
                assert!(choice.because.ends_with('.'), "{} {}", rule.id, choice.name);
            }
        }
    }
}

/// Where the whole catalogue lies beside the product, the frozen list is held
/// against it; elsewhere there is nothing to compare with.
#[test]
fn the_frozen_list_is_the_catalogues() {
    #[derive(Deserialize)]
    struct Catalogued {
        id: String,
        profiles: Vec<String>,
        source: Vec<Cited>,
    }
    #[derive(Deserialize)]
    struct Cited {
        quote: String,
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/rules.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    let catalogue: Vec<Catalogued> = serde_json::from_str(&text).expect("the catalogue reads");
    for rule in frozen() {
        let found = catalogue.iter().find(|other| other.id == rule.id);
        let found = found.unwrap_or_else(|| panic!("{} is not in the catalogue", rule.id));
        let profiles: BTreeSet<&String> = found.profiles.iter().collect();
        assert_eq!(profiles, rule.quotes.keys().collect(), "{}", rule.id);
        let cited: BTreeSet<&String> = found.source.iter().map(|cited| &cited.quote).collect();
        let frozen: BTreeSet<&String> = rule.quotes.values().flatten().collect();
        assert_eq!(frozen, cited, "{}", rule.id);
    }
}
