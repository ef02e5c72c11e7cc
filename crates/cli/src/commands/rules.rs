//! `thirdring rules`: the rules of a manual, or one of them in full.

use serde::Serialize;
use thirdring::Rulebook;
use thirdring::core::derived;
use thirdring::core::rulebook::{Choice, Rule, Source};
use thirdring::core::vocabulary::{FactType, FieldType, nearest};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::lines::ChangePart;
use crate::output::{Out, Style, Table, Text, counted};
use crate::plain;
use crate::shell::Shell;

/// List the rules of a manual, or show some of them in full: their sentence,
/// where they come from, what they check, and histories that keep and break
/// them.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The rules to show in full
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RuleLine<'a> {
    id: &'a str,
    form: &'a str,
    forms: Vec<&'a str>,
    manual: &'a str,
    source: Vec<SourcePart<'a>>,
    quote: &'a str,
    says: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    leans_on: Vec<&'a str>,
    exact: bool,
    can_break: bool,
    clauses: Vec<String>,
    choices: Vec<ChoicePart<'a>>,
    changes: Vec<ChangePart>,
    kept: Vec<&'a [String]>,
    broken: Vec<&'a [String]>,
}

#[derive(Debug, Serialize)]
struct SourcePart<'a> {
    manual: &'a str,
    section: &'a str,
    quotes: &'a [String],
}

#[derive(Debug, Serialize)]
struct ChoicePart<'a> {
    name: &'a str,
    value: &'a str,
    because: &'a str,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let rulebook = shell.rulebook()?;
    let shown: Vec<&Rule> = if arguments.ids.is_empty() {
        rulebook.rules.iter().collect()
    } else {
        arguments
            .ids
            .iter()
            .map(|id| known_rule(&rulebook, id))
            .collect::<Result<_, _>>()?
    };
    let json = shell.is_json();
    let out = &mut shell.out;
    if json {
        for rule in shown {
            out.json(&line_of(rule, &rulebook));
        }
    } else if arguments.ids.is_empty() {
        list(out, &rulebook);
    } else {
        for (place, rule) in shown.into_iter().enumerate() {
            if place > 0 {
                out.gap();
                out.gap();
            }
            full(out, rule, &rulebook);
        }
    }
    Ok(Exit::Fine)
}

/// A rule by its id.
///
/// # Errors
/// If the manual has no such rule: then which is near.
pub(crate) fn known_rule<'r>(rulebook: &'r Rulebook, id: &str) -> Result<&'r Rule, Failure> {
    rulebook.rule(id).ok_or_else(|| {
        let remedy = match nearest(id, rulebook.rules.iter().map(|rule| &*rule.id)) {
            Some(near) => format!("did you mean `{near}`? `thirdring rules` lists all"),
            None => "`thirdring rules` lists all; another manual may have it: --manual".to_owned(),
        };
        let shown: String = id.chars().take(80).collect();
        Failure::usage(
            format!("the manual `{}` has no rule `{shown}`", rulebook.name),
            remedy,
        )
    })
}

fn forms(rule: &Rule) -> Vec<&str> {
    let mut forms = Vec::new();
    for clause in &rule.clauses {
        let kind = clause.form.kind();
        if !forms.contains(&kind) {
            forms.push(kind);
        }
    }
    forms
}

fn cases(rule: &Rule, breaks: bool) -> Vec<&[String]> {
    rule.cases
        .iter()
        .filter(|case| case.breaks == breaks)
        .map(|case| case.steps.as_slice())
        .collect()
}

fn line_of<'a>(rule: &'a Rule, rulebook: &'a Rulebook) -> RuleLine<'a> {
    let source = |source: &'a Source| SourcePart {
        manual: &source.manual,
        section: &source.section,
        quotes: &source.quotes,
    };
    let choice = |choice: &'a Choice| ChoicePart {
        name: &choice.name,
        value: &choice.value,
        because: &choice.because,
    };
    let forms = forms(rule);
    let leans_on = rule.leans_on();
    RuleLine {
        id: &rule.id,
        form: forms.first().copied().unwrap_or_default(),
        forms,
        manual: &rulebook.name,
        source: rule.sources.iter().map(source).collect(),
        quote: rule.quote(&rulebook.name).map_or("", |(_, quote)| quote),
        says: &rule.says,
        note: rule.note.as_deref(),
        exact: leans_on.is_empty(),
        leans_on,
        can_break: rule.can_break(),
        clauses: rule
            .clauses
            .iter()
            .map(|clause| clause.describe())
            .collect(),
        choices: rule.choices.iter().map(choice).collect(),
        changes: ChangePart::of(rule),
        kept: cases(rule, false),
        broken: cases(rule, true),
    }
}

fn list(out: &mut Out<'_>, rulebook: &Rulebook) {
    out.line(
        Text::new()
            .strong(&rulebook.name)
            .plain("  ")
            .plain(&rulebook.title)
            .dim(format!("   rulebook {}", rulebook.digest.short())),
    );
    out.gap();
    for rule in &rulebook.rules {
        let place = match rule.quote(&rulebook.name) {
            Some((source, _)) => format!("{} {}", source.manual, source.section),
            None => String::new(),
        };
        out.line(
            Text::new()
                .strong(&*rule.id)
                .dim(format!("  {} · {place}", forms(rule).join(", "))),
        );
        out.prose(2, Style::Plain, &rule.says);
    }
    out.gap();
    let of = |has: fn(&Rule) -> bool| rulebook.rules.iter().filter(|rule| has(rule)).count() as u64;
    out.line(format!(
        "Where the text is open, the manual chose a reading in {}; it departs from the text in {}.",
        counted(of(|rule| !rule.choices.is_empty()), "rule"),
        counted(of(|rule| !rule.changes.is_empty()), "rule")
    ));
    for rule in &rulebook.rules {
        for change in &rule.changes {
            out.line(format!(
                "  {}: {}, because {}",
                rule.id,
                plain::set(&change.what),
                change.because
            ));
        }
    }
    out.line(Text::new().dim(
        "`thirdring rules ID` shows a rule with its quote, its readings and histories that keep and break it.",
    ));
    out.gap();
    exactness(out, rulebook);
}

/// How many rules are exact data, and what the others lean on.
fn exactness(out: &mut Out<'_>, rulebook: &Rulebook) {
    let all = rulebook.rules.len();
    let can_break = rulebook
        .rules
        .iter()
        .filter(|rule| rule.can_break())
        .count();
    let others = if can_break < all {
        "; the others say what a word means, permit, measure or state"
    } else {
        ""
    };
    out.line(format!(
        "{can_break} of {} can be broken by what is recorded{others}.",
        counted(all as u64, "rule")
    ));
    let leaning: Vec<(&Rule, Vec<&str>)> = rulebook
        .rules
        .iter()
        .map(|rule| (rule, rule.leans_on()))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    out.line(
        Text::new()
            .strong(counted(all as u64, "rule"))
            .plain(format!(
                ": {} are exact data; {} lean on a derived field or on evidence{}",
                all - leaning.len(),
                leaning.len(),
                if leaning.is_empty() { "." } else { ":" }
            )),
    );
    let mut table = Table::new().indented(2);
    for (rule, names) in &leaning {
        for name in names {
            table.row([
                Text::from(&*rule.id),
                Text::from(*name),
                Text::new().dim(meaning(name)),
            ]);
        }
    }
    table.print(out);
}

/// What a derived field, or a field filled in by the desk, means.
fn meaning(name: &str) -> &'static str {
    if let Some(field) = derived::named(name) {
        return field.doc.trim();
    }
    FactType::all()
        .filter_map(|fact| fact.spec().field(name))
        .find(|(_, field)| field.field_type == FieldType::Evidence)
        .map_or("", |(_, field)| field.doc.trim())
}

fn full(out: &mut Out<'_>, rule: &Rule, rulebook: &Rulebook) {
    out.line(Text::new().strong(&*rule.id));
    out.prose(2, Style::Plain, &rule.says);
    out.gap();
    out.line(Text::new().dim("From the manual"));
    for source in &rule.sources {
        for quote in &source.quotes {
            out.prose(2, Style::Plain, &format!("「{quote}」"));
        }
        out.line(Text::new().dim(format!("  {} {}", source.manual, source.section)));
    }
    if let Some(note) = &rule.note {
        heading(out, "How we read it");
        out.prose(2, Style::Plain, note);
    }
    heading(out, "What is checked");
    for clause in &rule.clauses {
        let said = plain::clause(clause);
        let number = if rule.clauses.len() > 1 {
            format!("{}. ", clause.number)
        } else {
            String::new()
        };
        let sentence = match &said.when {
            Some(when) => format!("where {when}, {}", said.sentence),
            None => said.sentence,
        };
        out.item(2, &number, &sentence);
        for besides in &said.besides {
            out.item(2, "· ", besides);
        }
    }
    if !rule.can_break() {
        out.prose(2, Style::Dim, "Nothing that is recorded can break it.");
    }
    let leans_on = rule.leans_on();
    if leans_on.is_empty() {
        out.prose(
            2,
            Style::Dim,
            "Exact data: decided by the recorded facts alone.",
        );
    } else {
        out.prose(
            2,
            Style::Dim,
            &format!(
                "Leans on what no fact says outright: {}.",
                leans_on
                    .iter()
                    .map(|name| format!("{name} ({})", meaning(name).trim_end_matches('.')))
                    .collect::<Vec<_>>()
                    .join("; ")
            ),
        );
    }
    if !rule.choices.is_empty() {
        heading(
            out,
            &format!(
                "What the manual `{}` chose where the text is open",
                rulebook.name
            ),
        );
        for choice in &rule.choices {
            out.prose(
                2,
                Style::Plain,
                &format!(
                    "{}: {}",
                    plain::spaced(&choice.name),
                    plain::chosen(&choice.value)
                ),
            );
            out.prose(4, Style::Dim, &choice.because);
        }
    }
    if !rule.changes.is_empty() {
        heading(
            out,
            &format!("Where the manual `{}` departs from the text", rulebook.name),
        );
        for change in &rule.changes {
            out.prose(2, Style::Plain, &plain::set(&change.what));
            out.prose(4, Style::Dim, &change.because);
        }
    }
    print_cases(
        out,
        "Histories that keep it",
        Style::Good,
        &cases(rule, false),
    );
    print_cases(
        out,
        "Histories that break it",
        Style::Bad,
        &cases(rule, true),
    );
}

fn heading(out: &mut Out<'_>, text: &str) {
    out.gap();
    out.line(Text::new().dim(text));
}

fn print_cases(out: &mut Out<'_>, title: &str, style: Style, cases: &[&[String]]) {
    if cases.is_empty() {
        return;
    }
    heading(out, title);
    for case in cases {
        let steps = plain::story(case);
        let width = steps
            .iter()
            .map(|(when, _)| Text::from(when).width())
            .max()
            .unwrap_or(0);
        for (place, (when, what)) in steps.iter().enumerate() {
            let mark = if place == 0 { "• " } else { "  " };
            out.line(
                Text::new()
                    .plain("  ")
                    .styled(style, mark)
                    .then(Text::new().dim(when).padded(width))
                    .plain("  ")
                    .plain(what),
            );
        }
    }
}
