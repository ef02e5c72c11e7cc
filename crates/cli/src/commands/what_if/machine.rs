//! What changes, for machines.

use std::collections::BTreeMap;

use serde::Serialize;
use thirdring::Rulebook;
use thirdring::core::VerdictKind;

use super::{Changed, Flips, month, only_in};
use crate::moments;
use crate::shell::Shell;

#[derive(Debug, Serialize)]
struct FlipLine<'a> {
    stream: &'a str,
    rule: &'a str,
    clause: u16,
    key: Option<&'a str>,
    before: Option<&'static str>,
    after: Option<&'static str>,
    team: Option<&'a str>,
    month: Option<String>,
    facts: Vec<String>,
    why: &'a str,
}

#[derive(Debug, Serialize)]
struct RuleCounts<'a> {
    rule: &'a str,
    verdict: &'static str,
    before: usize,
    after: usize,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    streams: usize,
    same: usize,
    flips: usize,
    newly_broken: usize,
    no_longer_broken: usize,
    before: Side<'a>,
    after: Side<'a>,
    now: String,
    rules: Vec<RuleCounts<'a>>,
    teams: BTreeMap<String, Flips>,
    months: BTreeMap<String, Flips>,
}

/// One of the two rulebooks.
#[derive(Debug, Serialize)]
struct Side<'a> {
    manual: &'a str,
    rulebook: String,
    /// Rules the other has not.
    only: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct SummaryLine<'a> {
    summary: Summary<'a>,
}

/// Prints a line for each flip, and a summary.
pub(super) fn print(changed: &Changed<'_>, shell: &mut Shell<'_>) {
    for flip in &changed.comparison.flips {
        shell.out.json(&FlipLine {
            stream: flip.stream.as_str(),
            rule: &flip.rule,
            clause: flip.clause,
            key: flip.key.as_deref(),
            before: flip.before.map(VerdictKind::name),
            after: flip.after.map(VerdictKind::name),
            team: flip.team.as_deref(),
            month: month(flip),
            facts: flip.facts.iter().map(ToString::to_string).collect(),
            why: &flip.why,
        });
    }
    let side = |one: &'_ Rulebook| one.digest.to_string();
    let mut total = Flips::default();
    for flip in &changed.comparison.flips {
        total.add(flip);
    }
    let rules = changed
        .changed_counts()
        .map(|(rule, kind, before, after)| RuleCounts {
            rule,
            verdict: kind.name(),
            before,
            after,
        });
    shell.out.json(&SummaryLine {
        summary: Summary {
            streams: changed.comparison.streams,
            same: changed.comparison.same,
            flips: total.flips,
            newly_broken: total.newly_broken,
            no_longer_broken: total.no_longer_broken,
            before: Side {
                manual: &changed.first.name,
                rulebook: side(changed.first),
                only: only_in(changed.first, changed.second).collect(),
            },
            after: Side {
                manual: &changed.second.name,
                rulebook: side(changed.second),
                only: only_in(changed.second, changed.first).collect(),
            },
            now: moments::machine(changed.now, changed.first.calendar.zone()),
            rules: rules.collect(),
            teams: changed.teams(),
            months: changed.months(),
        },
    });
}
