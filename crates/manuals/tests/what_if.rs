//! One member of a rule set otherwise, without a file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails panics"
)]

use thirdring_core::forms::Form;
use thirdring_core::{Setting, load_with};
use thirdring_manuals::{library, shipped};

fn set(settings: &[&str]) -> Result<thirdring_core::Rulebook, String> {
    let settings: Vec<Setting> = settings.iter().map(|text| text.parse().unwrap()).collect();
    load_with(&library(), "unis", &settings).map_err(|complaints| complaints.to_string())
}

fn limit(rulebook: &thirdring_core::Rulebook, rule: &str) -> String {
    match &rulebook.rule(rule).unwrap().clauses.first().unwrap().form {
        Form::Within(within) => within.describe_limit(),
        other => panic!("{} is no clock", other.name()),
    }
}

#[test]
fn a_duration_is_counted_in_the_time_the_rule_counts_in() {
    let changed = set(&[
        "hotline-callback-within-1h.within=PT2H",
        "onsite-level1-within-24h.within=PT36H",
    ])
    .unwrap();
    assert_eq!(
        limit(&changed, "hotline-callback-within-1h"),
        "2 working hours"
    );
    assert_eq!(
        limit(&changed, "onsite-level1-within-24h"),
        "36 clock hours"
    );
    assert_ne!(changed.digest, shipped("unis").unwrap().digest);
    let whole = set(&["hotline-callback-within-1h.within=1 clock hour"]).unwrap();
    assert_eq!(limit(&whole, "hotline-callback-within-1h"), "1 clock hour");
}

#[test]
fn what_does_not_fit_is_told() {
    let told = set(&["hotline-calback-within-1h.within=PT2H"]).unwrap_err();
    assert!(
        told.contains("did you mean `hotline-callback-within-1h`?"),
        "{told}"
    );
    let told = set(&["hotline-callback-within-1h.within=2 hours"]).unwrap_err();
    assert!(told.contains("`2 hours` is no limit"), "{told}");
    let told = set(&["hotline-callback-within-1h.withing=PT2H"]).unwrap_err();
    assert!(told.contains("did you mean `within`?"), "{told}");
    let told = set(&["fault-level1-definition.within=PT2H"]).unwrap_err();
    assert!(told.contains("no limit to count it in"), "{told}");
}
