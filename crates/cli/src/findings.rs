//! Findings, clocks and notices as people read them.

use chrono_tz::Tz;
use thirdring::core::judge::{ClockChange, ClockEvent, Nonsense, Objection};
use thirdring::core::record::{Notice, Step};
use thirdring::core::{Case, Record, Verdict, VerdictKind};
use thirdring::{OpenClock, Rulebook};

use crate::lines::Counts;
use crate::moments;
use crate::output::{Out, Style, Table, Text};
use crate::plain;
use crate::then::Turned;

/// How a verdict looks.
pub(crate) const fn style_of(kind: VerdictKind) -> Style {
    match kind {
        VerdictKind::Broken => Style::Bad,
        VerdictKind::Pending => Style::Warn,
        VerdictKind::Kept => Style::Good,
        VerdictKind::Waived
        | VerdictKind::Lifted
        | VerdictKind::NotApplicable
        | VerdictKind::Unobservable
        | VerdictKind::Attested
        | VerdictKind::Measured => Style::Plain,
    }
}

/// A kind of verdict in words.
pub(crate) fn words(kind: VerdictKind) -> String {
    kind.name().replace('_', " ")
}

/// `1 broken · 2 pending · …`, without the kinds there are none of.
pub(crate) fn counts_text(counts: &Counts) -> Text {
    let mut text = Text::new();
    for (kind, count) in counts.each().filter(|(_, count)| *count > 0) {
        if text.width() > 0 {
            text = text.dim(" · ");
        }
        text = text.styled(style_of(kind), format!("{count} {}", words(kind)));
    }
    text
}

fn quote(source: &str, quote: &str) -> Text {
    if quote.is_empty() {
        Text::new()
    } else {
        Text::new().dim(source).plain(format!(" 「{quote}」"))
    }
}

/// Which call or visit something is about, e.g. `, visit 1`; nothing without a
/// key.
fn keyed(rulebook: &Rulebook, rule: &str, clause: u16, key: Option<&str>) -> Text {
    let Some(key) = key else { return Text::new() };
    let clause = rulebook
        .rule(rule)
        .and_then(|rule| rule.clauses.iter().find(|known| known.number == clause));
    let name = clause.and_then(|clause| {
        let own = clause.facts.iter().find_map(|fact| fact.spec().key);
        clause.same.or(own.map(|key| key.name))
    });
    Text::new()
        .dim(format!(", {} ", name.unwrap_or("key")))
        .plain(key)
}

/// Prints where the manual departs from the words of a rule it is said to break:
/// who is told so shall know that the text says otherwise.
pub(crate) fn changes(out: &mut Out<'_>, label: &str, rulebook: &Rulebook, rule: &str) {
    for change in rulebook.rule(rule).into_iter().flat_map(|r| &r.changes) {
        out.line(Text::new().dim(label).plain(format!(
            "{}: {}",
            plain::set(&change.what),
            change.because
        )));
    }
}

/// Prints the rules a proposal does not keep.
pub(crate) fn objections(
    out: &mut Out<'_>,
    objections: &[Objection],
    refused: bool,
    rulebook: &Rulebook,
) {
    let style = if refused { Style::Bad } else { Style::Warn };
    for objection in objections {
        out.line(
            Text::new()
                .plain("      ")
                .styled(style, &*objection.rule)
                .plain(": ")
                .plain(&objection.says),
        );
        let source = format!("{} {}", objection.manual, objection.section);
        out.line(
            Text::new()
                .plain("        ")
                .then(quote(source.trim(), &objection.quote)),
        );
        changes(out, "        changed:  ", rulebook, &objection.rule);
        out.line(
            Text::new()
                .dim("        missing:  ")
                .plain(&objection.missing),
        );
        if !objection.accepted.is_empty() {
            out.line(
                Text::new()
                    .dim("        accepted: ")
                    .plain(&objection.accepted),
            );
        }
        // What is recorded already is not proposed again.
        if refused {
            out.line(
                Text::new()
                    .dim("        later:    ")
                    .plain(objection.later.sentence()),
            );
        }
    }
}

/// Prints why a proposal makes no sense.
pub(crate) fn nonsense(out: &mut Out<'_>, nonsense: &Nonsense) {
    out.line(
        Text::new()
            .plain("      ")
            .styled(Style::Bad, "no sense under any manual")
            .plain(": ")
            .plain(nonsense.to_string()),
    );
}

/// Prints what a fact did to the clocks.
pub(crate) fn clock_changes(out: &mut Out<'_>, changes: &[ClockChange], rulebook: &Rulebook) {
    let zone = rulebook.calendar.zone();
    for change in changes {
        let style = match change.event {
            ClockEvent::Missed => Style::Bad,
            ClockEvent::Met => Style::Good,
            ClockEvent::Started
            | ClockEvent::Waived
            | ClockEvent::Cancelled
            | ClockEvent::Paused
            | ClockEvent::Moved => Style::Dim,
        };
        let mut line = Text::new()
            .plain("      ")
            .dim("clock ")
            .then(Text::new().styled(style, change.event.name()).padded(9))
            .plain(" ")
            .plain(&*change.rule);
        line = line.then(keyed(
            rulebook,
            &change.rule,
            change.clause,
            change.key.as_deref(),
        ));
        if let Some(due) = change.due_at {
            line = line.dim(", due ").plain(moments::people(due, zone));
        }
        out.line(line);
    }
}

/// Prints what time alone made of a stream.
pub(crate) fn notice(out: &mut Out<'_>, stream: &str, notice: &Notice, rulebook: &Rulebook) {
    let zone = rulebook.calendar.zone();
    let (what, style) = match notice.step {
        Step::Warned(step) => (format!("warning {step}"), Style::Warn),
        Step::Missed => ("missed".to_owned(), Style::Bad),
        Step::Escalated { rung, again: 0 } => (format!("escalation {rung}"), Style::Bad),
        Step::Escalated { rung, again } => {
            (format!("escalation {rung}, again {again}"), Style::Bad)
        }
    };
    let mut line = Text::new()
        .plain("      ")
        .plain(moments::column(notice.due_at, zone))
        .plain("  ")
        .styled(style, what)
        .plain("  ")
        .plain(stream)
        .plain("  ")
        .plain(&notice.rule);
    line = line.then(keyed(
        rulebook,
        &notice.rule,
        notice.clause,
        notice.key.as_deref(),
    ));
    if let Some(to) = &notice.to {
        line = line.dim(", to be told: ").plain(to);
    }
    out.line(line);
}

/// A record in one line.
pub(crate) fn record_text(record: &Record, zone: Tz) -> Text {
    let what = record
        .fact()
        .map_or("notice", |fact| fact.fact_type().name());
    let mut text = Text::new().plain(what);
    if let Some(key) = record.fact().and_then(|fact| fact.key()) {
        text = text.plain(format!(" {key}"));
    }
    text.dim(" by ")
        .plain(record.doer().to_string())
        .dim(", ")
        .plain(moments::people(record.happened_at(), zone))
        .dim(format!(", record {}", record.id))
}

/// Prints a verdict with the facts that prove it.
pub(crate) fn verdict(out: &mut Out<'_>, case: &Case, found: &Verdict, turned: Option<&Turned>) {
    let rulebook = case.rulebook();
    let zone = rulebook.calendar.zone();
    let mut head = Text::new()
        .plain("  ")
        .then(
            Text::new()
                .styled(style_of(found.kind), words(found.kind))
                .padded(8),
        )
        .plain(" ")
        .strong(&*found.rule);
    head = head.then(keyed(
        rulebook,
        &found.rule,
        found.clause,
        found.key.as_deref(),
    ));
    out.line(head);
    if let Some(rule) = rulebook.rule(&found.rule) {
        out.prose(4, Style::Plain, &rule.says);
        if let Some((source, words)) = rule.quote(&rulebook.name) {
            let source = format!("{} {}", source.manual, source.section);
            out.line(Text::new().plain("    ").then(quote(&source, words)));
        }
    }
    changes(out, "    changed: ", rulebook, &found.rule);
    out.line(Text::new().dim("    why:   ").plain(&found.why));
    if let Some(due) = found.due {
        out.line(
            Text::new()
                .dim("    due:   ")
                .plain(moments::people(due, zone)),
        );
    }
    for (place, id) in found.facts.iter().enumerate() {
        let label = if place == 0 {
            "    facts: "
        } else {
            "           "
        };
        if let Some(record) = case.record(*id) {
            out.line(Text::new().dim(label).then(record_text(record, zone)));
        }
    }
    if let Some(Turned { by, then }) = turned {
        out.line(
            Text::new()
                .dim("    then:  ")
                .plain(words(*then))
                .plain(", as far as was known; turned by ")
                .then(record_text(by, zone))
                .dim(", recorded ")
                .plain(moments::people(by.recorded_at, zone)),
        );
    }
}

/// Prints a verdict in two lines: what was found, and the manual's words.
pub(crate) fn brief(out: &mut Out<'_>, case: &Case, found: &Verdict, turned: Option<&Turned>) {
    let rulebook = case.rulebook();
    out.line(
        Text::new()
            .plain("  ")
            .then(
                Text::new()
                    .styled(style_of(found.kind), words(found.kind))
                    .padded(8),
            )
            .plain(" ")
            .strong(&*found.rule)
            .then(keyed(
                rulebook,
                &found.rule,
                found.clause,
                found.key.as_deref(),
            ))
            .plain(": ")
            .plain(&found.why),
    );
    if let Some((source, words)) = rulebook
        .rule(&found.rule)
        .and_then(|rule| rule.quote(&rulebook.name))
    {
        let source = format!("{} {}", source.manual, source.section);
        out.line(Text::new().plain("           ").then(quote(&source, words)));
    }
    changes(out, "           changed: ", rulebook, &found.rule);
    if let Some(Turned { by, then }) = turned {
        let by = record_text(by, rulebook.calendar.zone());
        out.line(
            Text::new()
                .plain("           ")
                .plain(format!("{} as known then; turned by ", words(*then)))
                .then(by),
        );
    }
}

/// Prints running clocks, soonest first.
pub(crate) fn open_clocks(out: &mut Out<'_>, clocks: &[OpenClock], rulebook: &Rulebook) {
    let zone = rulebook.calendar.zone();
    let mut table = Table::with_head(["stream", "due", "", "rule", "state"]).indented(2);
    for clock in clocks {
        let due = match clock.due_at {
            Some(due) => Text::from(moments::people(due, zone)),
            None => Text::new().dim("no due moment"),
        };
        let mark = if clock.overdue {
            Text::new().styled(Style::Bad, "overdue")
        } else {
            Text::new()
        };
        table.row([
            Text::from(clock.stream.as_str()),
            due,
            mark,
            Text::from(&clock.rule).then(keyed(
                rulebook,
                &clock.rule,
                clock.clause,
                clock.key.as_deref(),
            )),
            Text::new().dim(&clock.why),
        ]);
    }
    table.print(out);
}

/// The stream's status and that of its visits, in words.
pub(crate) fn status_text(case: &Case) -> Text {
    let status = case.status();
    let mut text = Text::new().strong(status.stream);
    for (visit, label) in &status.visits {
        text = text.dim(" · visit ").plain(visit).plain(" ").plain(*label);
    }
    text
}
