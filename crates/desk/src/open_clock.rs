//! The clocks of a case that are running.

use chrono::{DateTime, Utc};
use thirdring_core::{Case, StreamId, VerdictKind, each_finding};

/// A clock that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenClock {
    /// The stream it runs in.
    pub stream: StreamId,
    /// The rule.
    pub rule: String,
    /// Which clause of it, from 1.
    pub clause: u16,
    /// The key it runs for.
    pub key: Option<String>,
    /// When it is due; `None` while it is paused or where nothing limits it.
    pub due_at: Option<DateTime<Utc>>,
    /// Whether it was due before the moment that was asked about.
    pub overdue: bool,
    /// How it stands, in words.
    pub why: String,
}

/// The clocks of a case that are still running at a moment, soonest first.
pub(crate) fn open_clocks(case: &Case, now: DateTime<Utc>) -> Vec<OpenClock> {
    let mut clocks = Vec::new();
    each_finding(case, now, |finding| {
        // A rule that is broken by time alone still waits.
        if !matches!(finding.kind(), VerdictKind::Pending | VerdictKind::Broken) {
            return;
        }
        let verdict = finding.verdict();
        let overdue = verdict.kind == VerdictKind::Broken;
        if overdue && (verdict.at.is_some() || verdict.due.is_none()) {
            return;
        }
        clocks.push(OpenClock {
            stream: verdict.stream,
            rule: verdict.rule.to_string(),
            clause: verdict.clause,
            key: verdict.key,
            due_at: verdict.due,
            overdue,
            why: verdict.why.into_owned(),
        });
    });
    clocks.sort_by_key(|clock| (clock.due_at.is_none(), clock.due_at));
    clocks
}
