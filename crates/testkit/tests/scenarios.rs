//! Every scenario file, played.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use std::path::Path;

use thirdring_testkit::script::{check, play};
use thirdring_testkit::shipped;

#[test]
fn every_scenario_goes_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 12, "{} scenarios", files.len());
    let mut unmet = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it reads");
        let found = play(&text, &|manual| Some(shipped(manual)));
        unmet.extend(
            found
                .iter()
                .map(|unmet| format!("{}: {unmet}", file.display())),
        );
    }
    assert!(unmet.is_empty(), "{}", unmet.join("\n"));
}

#[test]
#[should_panic(expected = "small.txt:\nline 3: owner_taken")]
fn a_single_text_is_checked() {
    check("small.txt", "manual unis\nby hotline_engineer\nowner_taken");
}

/// A runner that finds nothing wrong proves nothing: what it must notice.
#[test]
fn a_scenario_that_goes_otherwise_is_noticed() {
    let unis = shipped("unis");
    let wrong = |text: &str| {
        let text =
            format!("manual unis\nby hotline_engineer\ncall_answered call=1 rings=1\n{text}");
        let unmet = play(&text, &|_| Some(unis.clone()));
        assert_eq!(unmet.len(), 1, "{text}");
        unmet[0].to_string()
    };
    insta::assert_snapshot!(
        [
            wrong("work_started visit=1"),
            wrong("owner_taken => refused onsite-badge-worn"),
            wrong("owner_taken => clean; nonsense nothing"),
            wrong("call_ended call=1 => clean"),
            wrong("owner_taken => kept hotline-first-contact-responsibility"),
            wrong("owner_taken => status closed"),
            wrong("owner_taken => kept no-such-rule"),
            wrong("owner_taken => gladly"),
            wrong("+1h => noticed hotline-callback-within-1h"),
            wrong("ownr_taken"),
            wrong("+1w owner_taken"),
            wrong("told late: owner_taken"),
        ]
        .join("\n")
    );
}
