//! `thirdring rules`: the rules of a manual, or one of them in full.

use serde::Serialize;
use thirdring::Rulebook;
use thirdring::core::rulebook::{Choice, Rule, Source};
use thirdring::core::vocabulary::nearest;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Out, Style, Table, Text, counted};
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
    changes: Vec<ChangePart<'a>>,
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

#[derive(Debug, Serialize)]
struct ChangePart<'a> {
    what: &'a str,
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
        changes: rule
            .changes
            .iter()
            .map(|change| ChangePart {
                what: &change.what,
                because: &change.because,
            })
            .collect(),
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
    let mut table = Table::with_head(["rule", "form", "says"]);
    for rule in &rulebook.rules {
        table.row([
            Text::new().strong(&*rule.id),
            Text::new().dim(forms(rule).join(", ")),
            Text::from(&rule.says),
        ]);
    }
    table.print(out);
    out.gap();
    let leaning: Vec<(&Rule, Vec<&str>)> = rulebook
        .rules
        .iter()
        .map(|rule| (rule, rule.leans_on()))
        .filter(|(_, names)| !names.is_empty())
        .collect();
    let all = rulebook.rules.len();
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
        table.row([Text::from(&*rule.id), Text::new().dim(names.join(", "))]);
    }
    table.print(out);
    let choices: usize = rulebook
        .rules
        .iter()
        .filter(|rule| !rule.choices.is_empty())
        .count();
    let changes: Vec<&Rule> = rulebook
        .rules
        .iter()
        .filter(|rule| !rule.changes.is_empty())
        .collect();
    out.line(format!(
        "Where the text is open, the manual chose a reading in {}; it departs from the text in {}.",
        counted(choices as u64, "rule"),
        counted(changes.len() as u64, "rule")
    ));
    for rule in changes {
        for change in &rule.changes {
            out.line(format!(
                "  {}: {}, because {}",
                rule.id, change.what, change.because
            ));
        }
    }
    out.line(Text::new().dim("`thirdring rules ID` shows a rule with its quote and cases."));
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
        let sentence = clause.describe();
        let number = if rule.clauses.len() > 1 {
            format!("{}. ", clause.number)
        } else {
            String::new()
        };
        out.prose(2, Style::Plain, &format!("{number}{sentence}"));
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
            &format!("Leans on: {}.", leans_on.join(", ")),
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
                &format!("{} = {}", choice.name, choice.value),
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
            out.prose(2, Style::Plain, &change.what);
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
        for (place, step) in case.iter().enumerate() {
            let mark = if place == 0 { "• " } else { "  " };
            out.line(Text::new().plain("  ").styled(style, mark).plain(step));
        }
    }
}
