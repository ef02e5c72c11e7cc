//! The example does what it is shown for.

#![allow(clippy::expect_used, reason = "a test that fails panics")]

use std::process::Command;

#[test]
fn it_runs() {
    let output = Command::new(env!("CARGO_BIN_EXE_thirdring-example-embed"))
        .output()
        .expect("the example starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for wanted in [
        "T-1 bypass_disclosed: refused by hotline-password-bypass-needs-authorisation",
        "within two hours: hotline-callback-within-1h of T-2",
        "due at 2026-03-02 02:30:00 UTC, missed",
        "15 min late",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}
