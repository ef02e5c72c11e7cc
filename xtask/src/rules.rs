//! The page of rules, from the shipped manuals.

use std::sync::Arc;

use thirdring::core::Complaints;
use thirdring::core::rulebook::{Rule, WrittenCase};
use thirdring::{Rulebook, manuals};

use crate::page::Page;

pub(crate) fn document() -> Result<String, Complaints> {
    let books: Vec<Rulebook> = manuals::NAMES
        .iter()
        .map(|name| manuals::shipped(name))
        .collect::<Result<_, _>>()?;
    let mut page = Page::generated("Rules", "the shipped rules and manuals (`crates/manuals`)");
    page.paragraph(
        "Every rule of the shipped manuals: its sentence, the words it comes from, what is checked, what a manual \
         chose where the text is open, and histories that keep or break it. In a history `+10m` lets ten minutes pass \
         and `@+26h` means 26 hours after its beginning.",
    );
    for book in &books {
        index(&mut page, book);
    }
    page.paragraph("## The rules");
    let mut told: Vec<Arc<str>> = Vec::new();
    for book in &books {
        for rule in &book.rules {
            if !told.contains(&rule.id) {
                told.push(Arc::clone(&rule.id));
                describe(&mut page, rule, &books);
            }
        }
    }
    Ok(page.finish())
}

fn index(page: &mut Page, book: &Rulebook) {
    page.paragraph(&format!("## Manual `{}`", book.name));
    page.paragraph(&format!("{}. {} rules.", book.title, book.rules.len()));
    page.table(
        &["rule", "forms", "says"],
        book.rules.iter().map(|rule| {
            vec![
                format!("[{0}](#{0})", rule.id),
                forms(rule),
                rule.says.clone(),
            ]
        }),
    );
}

fn forms(rule: &Rule) -> String {
    let mut kinds: Vec<&str> = rule
        .clauses
        .iter()
        .map(|clause| clause.form.kind())
        .collect();
    let mut seen = Vec::new();
    kinds.retain(|kind| {
        let new = !seen.contains(kind);
        seen.push(*kind);
        new
    });
    kinds.join(", ")
}

fn describe(page: &mut Page, rule: &Rule, books: &[Rulebook]) {
    let taken: Vec<(&Rulebook, &Rule)> = books
        .iter()
        .filter_map(|book| Some((book, book.rule(&rule.id)?)))
        .collect();
    page.paragraph(&format!("### {}", rule.id));
    page.paragraph(&rule.says);
    page.line("");
    for source in &rule.sources {
        let quotes: Vec<String> = source
            .quotes
            .iter()
            .map(|quote| format!("「{quote}」"))
            .collect();
        page.line(&format!(
            "- {} {}: {}",
            source.manual,
            source.section,
            quotes.join(" … ")
        ));
    }
    if let Some(note) = &rule.note {
        page.paragraph(&format!("*How we read it.* {note}"));
    }
    checked(page, &taken);
    let leans = rule.leans_on();
    if !leans.is_empty() {
        let leans: Vec<String> = leans.iter().map(|name| format!("`{name}`")).collect();
        page.paragraph(&format!("*Leans on* {}.", leans.join(", ")));
    }
    for (book, rule) in &taken {
        for choice in &rule.choices {
            page.paragraph(&format!(
                "*`{}` chose* `{} = {}`. {}",
                book.name, choice.name, choice.value, choice.because
            ));
        }
        for change in &rule.changes {
            page.paragraph(&format!(
                "*`{}` departs from the text:* `{}`. {}",
                book.name, change.what, change.because
            ));
        }
    }
    cases(page, &rule.cases, false, "Keeps it:");
    cases(page, &rule.cases, true, "Breaks it:");
}

/// What is checked: once, where the manuals agree; else for each.
fn checked(page: &mut Page, taken: &[(&Rulebook, &Rule)]) {
    let mut readings: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for (book, rule) in taken {
        let clauses: Vec<String> = rule
            .clauses
            .iter()
            .map(|clause| clause.describe())
            .collect();
        match readings.iter_mut().find(|(_, known)| *known == clauses) {
            Some((names, _)) => names.push(&book.name),
            None => readings.push((vec![&book.name], clauses)),
        }
    }
    let alone = readings.len() == 1;
    for (names, clauses) in &readings {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        page.paragraph(&if alone {
            "*Checked:*".to_owned()
        } else {
            format!("*Checked under {}:*", names.join(" and "))
        });
        page.line("");
        for (clause, number) in clauses.iter().zip(1..) {
            page.line(&format!("{number}. {clause}"));
        }
    }
}

fn cases(page: &mut Page, cases: &[WrittenCase], breaks: bool, lead: &str) {
    let wanted: Vec<&WrittenCase> = cases.iter().filter(|case| case.breaks == breaks).collect();
    if wanted.is_empty() {
        return;
    }
    page.paragraph(lead);
    page.paragraph("```text");
    for case in wanted {
        page.line(&case.steps.join(" → "));
    }
    page.line("```");
}
