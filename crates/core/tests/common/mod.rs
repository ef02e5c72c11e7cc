//! What the tests of this crate share: a bare manual around one rule.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod stories;

use std::sync::Arc;

use thirdring_core::{Rulebook, Verdict, VerdictKind};
use thirdring_testkit::{Scenario, alone};

/// A manual around the rule `r`, whose first clause is `clause`: Shanghai,
/// Monday to Friday 09–12 and 13–18, holidays of China.
///
/// A rule must show how it is kept and broken; a second clause does it for all.
pub(crate) fn manual(clause: &str) -> Arc<Rulebook> {
    alone(&manual_text(clause))
}

/// The text of [`manual`].
pub(crate) fn manual_text(clause: &str) -> String {
    format!(
        "{HEAD}\n[rule.r]\nsays = \"A rule under test.\"\nsource = [{{ manual = \"bare\", quote = \"…\" }}]\n{clause}\n{CASES}"
    )
}

/// A manual's sections, without rules.
pub(crate) const HEAD: &str = r#"
[manual]
name = "bare"
[calendar]
tz = "Asia/Shanghai"
weekly.mon = ["09:00-12:00", "13:00-18:00"]
weekly.tue = ["09:00-12:00", "13:00-18:00"]
weekly.wed = ["09:00-12:00", "13:00-18:00"]
weekly.thu = ["09:00-12:00", "13:00-18:00"]
weekly.fri = ["09:00-12:00", "13:00-18:00"]
holidays_from = ["cn"]
[roles]
engineer = ["工程师"]
manager = []
customer = []
[words]
"call_ended.reason" = ["finished", "consultation"]
"request_classified.level" = [1, 2, 3]
"request_received.kind" = ["fault", "question"]
"triaged.solvable_by" = ["phone", "onsite"]
"ticket_closed.outcome" = ["solved", "withdrawn"]
[testimony]
tolerance = "10 clock minutes"
[corrections]
by = ["manager"]
"#;

const CASES: &str = r#"
kept = ["kb_linked entry=1"]
broken = ["kb_linked"]
[[rule.r.and]]
fact = "kb_linked"
carries = ["entry"]
"#;

/// A story under [`manual`], told by the engineer, opened by a request.
pub(crate) fn story(clause: &str) -> Scenario {
    Scenario::new(&manual(clause)).by("engineer")
}

/// The verdicts of the clause under test.
pub(crate) fn said(scenario: &Scenario) -> Vec<Verdict> {
    let mut verdicts = scenario.verdicts_of("r");
    verdicts.retain(|verdict| verdict.clause == 1 && verdict.kind != VerdictKind::NotApplicable);
    verdicts
}

/// Their kinds.
pub(crate) fn kinds(scenario: &Scenario) -> Vec<&'static str> {
    said(scenario)
        .iter()
        .map(|verdict| verdict.kind.name())
        .collect()
}

/// When the first of them is due, in UTC.
pub(crate) fn due(scenario: &Scenario) -> Option<String> {
    let due = said(scenario).first()?.due?;
    Some(due.to_rfc3339())
}
