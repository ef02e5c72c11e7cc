//! What changes, for people: what to see first comes first.

use std::collections::{BTreeMap, BTreeSet};

use thirdring::Rulebook;
use thirdring::core::VerdictKind;
use thirdring::core::audit::Flip;

use super::{Changed, Flips, only_in};
use crate::findings;
use crate::moments;
use crate::output::{Out, Style, Table, Text, counted};
use crate::plain;

/// How many flips of a rule people are shown unless they ask for all.
const SHOWN: usize = 6;

/// How many streams are named in a line.
const NAMED: usize = 8;

/// Prints what changes.
pub(super) fn print(changed: &Changed<'_>, all: bool, out: &mut Out<'_>) {
    head(changed, out);
    if changed.comparison.flips.is_empty() {
        return;
    }
    kinds(changed, out);
    for (what, counts) in [("by team", changed.teams()), ("by month", changed.months())] {
        table_of(what, counts, out);
    }
    let both = |id: &str| changed.first.rule(id).is_some() && changed.second.rule(id).is_some();
    let mut hidden = 0;
    for (rule, flips) in by_rule(changed).into_iter().filter(|(rule, _)| both(rule)) {
        hidden += rule_that_differs(changed, rule, &flips, all, out);
    }
    for (one, other) in [
        (changed.first, changed.second),
        (changed.second, changed.first),
    ] {
        hidden += only(changed, one, other, all, out);
    }
    if hidden > 0 {
        out.gap();
        out.line(format!(
            "{} not shown; --all shows them",
            counted(hidden as u64, "verdict")
        ));
    }
}

fn head(changed: &Changed<'_>, out: &mut Out<'_>) {
    let zone = changed.first.calendar.zone();
    out.line(
        Text::new()
            .strong(counted(changed.comparison.streams as u64, "stream"))
            .plain(format!(
                ", judged at {} ({zone}) under two rulebooks",
                moments::people(changed.now, zone)
            )),
    );
    let mut table = Table::new().indented(2);
    let rules = |rulebook: &Rulebook| counted(rulebook.rules.len() as u64, "rule");
    table.row([
        Text::new().dim("before"),
        Text::new().strong(&changed.first.name),
        Text::from(rules(changed.first)),
        Text::new().dim(changed.first.digest.short()),
    ]);
    table.row([
        Text::new().dim("after"),
        Text::new().strong(&changed.second.name),
        Text::from(rules(changed.second)),
        Text::new().dim(changed.second.digest.short()),
    ]);
    table.print(out);
    for setting in changed.settings {
        out.line(format!(
            "         with {}.{} = {}",
            setting.rule, setting.member, setting.value
        ));
    }
    let flips = changed.comparison.flips.len();
    out.line(format!(
        "{} the same, {flips} {}.",
        counted(changed.comparison.same as u64, "verdict"),
        if flips == 1 { "differs" } else { "differ" }
    ));
    if changed.first.digest == changed.second.digest {
        out.line("Both rulebooks are the same: give a second --manual, or --set.");
    }
}

/// All verdicts by kind, before and after.
fn kinds(changed: &Changed<'_>, out: &mut Out<'_>) {
    let counts: Vec<(VerdictKind, usize, usize)> = VerdictKind::ALL
        .iter()
        .map(|kind| {
            let (before, after) = changed.of_kind(*kind);
            (*kind, before, after)
        })
        .filter(|(_, before, after)| before != after)
        .collect();
    if counts.is_empty() {
        return;
    }
    out.gap();
    let mut table = Table::with_head(["verdict", "before", "after", ""]).indented(2);
    for (kind, before, after) in counts {
        let difference = if after > before {
            format!("+{}", after - before)
        } else {
            format!("−{}", before - after)
        };
        table.row([
            Text::new().styled(findings::style_of(kind), findings::words(kind)),
            Text::from(before.to_string()),
            Text::from(after.to_string()),
            Text::new().strong(difference),
        ]);
    }
    table.print(out);
}

fn table_of(what: &str, counts: BTreeMap<String, Flips>, out: &mut Out<'_>) {
    out.gap();
    let mut table =
        Table::with_head([what, "differ", "newly broken", "no longer broken"]).indented(2);
    for (name, flips) in counts {
        let shown = |count: usize, style: Style| {
            if count == 0 {
                Text::new().dim("0")
            } else {
                Text::new().styled(style, count.to_string())
            }
        };
        table.row([
            Text::from(name),
            Text::from(flips.flips.to_string()),
            shown(flips.newly_broken, Style::Bad),
            shown(flips.no_longer_broken, Style::Good),
        ]);
    }
    table.print(out);
}

fn by_rule<'a>(changed: &'a Changed<'_>) -> BTreeMap<&'a str, Vec<&'a Flip>> {
    let mut rules: BTreeMap<&str, Vec<&Flip>> = BTreeMap::new();
    for flip in &changed.comparison.flips {
        rules.entry(&flip.rule).or_default().push(flip);
    }
    for flips in rules.values_mut() {
        // What matters most comes first.
        flips.sort_by_key(|flip| {
            (
                flip.after != Some(VerdictKind::Broken),
                flip.before != Some(VerdictKind::Broken),
            )
        });
    }
    rules
}

/// A rule both have, and how its verdicts differ; how many were not shown.
fn rule_that_differs(
    changed: &Changed<'_>,
    id: &str,
    flips: &[&Flip],
    all: bool,
    out: &mut Out<'_>,
) -> usize {
    out.gap();
    out.line(Text::new().strong(id).plain("  ").then(directions(flips)));
    clauses(changed, id, out);
    let mut counts = Text::new();
    for (_, kind, before, after) in changed.changed_counts().filter(|(rule, ..)| *rule == id) {
        if counts.width() > 0 {
            counts = counts.dim(" · ");
        }
        counts = counts
            .styled(findings::style_of(kind), findings::words(kind))
            .plain(format!(" {before} → {after}"));
    }
    if counts.width() > 0 {
        out.line(Text::new().dim("  in all: ").then(counts));
    }
    let shown = if all { flips.len() } else { SHOWN };
    let mut table = Table::new().indented(2);
    for flip in flips.iter().take(shown) {
        let key = flip
            .key
            .as_ref()
            .map(|key| format!(" ({key})"))
            .unwrap_or_default();
        table.row([
            Text::new().strong(flip.stream.as_str()).plain(key),
            direction(flip.before, flip.after),
            Text::new().dim(&flip.why),
        ]);
    }
    table.print(out);
    flips.len().saturating_sub(shown)
}

/// Where the two rulebooks say different things by one rule: both.
fn clauses(changed: &Changed<'_>, id: &str, out: &mut Out<'_>) {
    let said = |rulebook: &Rulebook| -> Vec<String> {
        let clauses = rulebook.rule(id).map(|rule| rule.clauses.as_slice());
        let said = clauses.unwrap_or_default().iter().map(|clause| {
            let said = plain::clause(clause);
            match said.when {
                Some(when) => format!("where {when}, {}", said.sentence),
                None => said.sentence,
            }
        });
        said.collect()
    };
    let (before, after) = (said(changed.first), said(changed.second));
    for (label, own, other) in [("before: ", &before, &after), ("after:  ", &after, &before)] {
        for sentence in own.iter().filter(|sentence| !other.contains(sentence)) {
            out.item(2, label, sentence);
        }
    }
}

/// Rules only one of the two has; how many verdicts were not shown.
fn only(
    changed: &Changed<'_>,
    one: &Rulebook,
    other: &Rulebook,
    all: bool,
    out: &mut Out<'_>,
) -> usize {
    let rules = by_rule(changed);
    let ids: Vec<&str> = only_in(one, other).collect();
    let judged: Vec<(&str, &Vec<&Flip>)> = ids
        .iter()
        .filter_map(|id| rules.get(id).map(|flips| (*id, flips)))
        .collect();
    if ids.is_empty() {
        return 0;
    }
    out.gap();
    out.line(
        Text::new()
            .strong(format!("Only in `{}`", one.name))
            .plain(format!(
                ": {}, {} of them with something to judge here",
                counted(ids.len() as u64, "rule"),
                judged.len()
            )),
    );
    let own = |flip: &Flip| flip.before.or(flip.after);
    let mut hidden = 0;
    for (id, flips) in judged {
        let mut line = Text::new().plain("  ").plain(id).plain("  ");
        let mut counts = crate::lines::Counts::default();
        for kind in flips.iter().filter_map(|flip| own(flip)) {
            counts.add(kind);
        }
        line = line.then(findings::counts_text(&counts));
        out.line(line);
        if all {
            for flip in flips {
                let kind = own(flip);
                out.line(
                    Text::new()
                        .plain("    ")
                        .strong(flip.stream.as_str())
                        .plain("  ")
                        .then(said(kind))
                        .dim(format!("  {}", flip.why)),
                );
            }
            continue;
        }
        hidden += flips.len();
        let broken: BTreeSet<&str> = flips
            .iter()
            .filter(|flip| own(flip) == Some(VerdictKind::Broken))
            .map(|flip| flip.stream.as_str())
            .collect();
        if !broken.is_empty() {
            let names: Vec<&str> = broken.iter().copied().take(NAMED).collect();
            let more = broken.len().saturating_sub(NAMED);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            out.line(
                Text::new()
                    .dim("    broken in ")
                    .plain(names.join(", "))
                    .plain(more),
            );
        }
    }
    hidden
}

fn said(kind: Option<VerdictKind>) -> Text {
    match kind {
        Some(kind) => Text::new().styled(findings::style_of(kind), findings::words(kind)),
        None => Text::new().dim("nothing"),
    }
}

fn direction(before: Option<VerdictKind>, after: Option<VerdictKind>) -> Text {
    said(before).dim(" → ").then(said(after))
}

/// `3 broken → kept · 1 kept → broken`.
fn directions(flips: &[&Flip]) -> Text {
    let mut text = Text::new();
    let mut told: BTreeSet<(Option<VerdictKind>, Option<VerdictKind>)> = BTreeSet::new();
    for flip in flips {
        let way = (flip.before, flip.after);
        if !told.insert(way) {
            continue;
        }
        let count = flips
            .iter()
            .filter(|other| (other.before, other.after) == way)
            .count();
        if text.width() > 0 {
            text = text.dim(" · ");
        }
        text = text
            .plain(format!("{count} "))
            .then(direction(way.0, way.1));
    }
    text
}
