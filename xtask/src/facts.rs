//! The page of facts, from their declarations.

use thirdring::core::derived;
use thirdring::core::vocabulary::{FactSpec, FactType, FieldType, KeySpec, Process};

use crate::page::{Page, flowing};

/// The processes, with the records about the record last.
const ORDER: &[Process] = &[
    Process::Ticket,
    Process::Shift,
    Process::Knowledge,
    Process::Any,
];

pub(crate) fn document() -> String {
    let mut page = Page::generated("Facts", "the declarations of the vocabulary");
    page.paragraph(
        "A fact is one thing that happened, recorded once and never changed. An **act** is ours to do: proposed for \
         now, it may be refused. An **event** is the world's: it is recorded whatever the rules say, and flagged. \
         A **key** says which call, which visit a fact belongs to. Every field may be left out; what must be there \
         is for the rules of a manual to say.",
    );
    page.paragraph(
        "Fields marked **personal** (names, phones, addresses, free text) are stored apart from the fact. Fields of \
         the type *evidence* are filled in by the desk from other streams and cannot be claimed.",
    );
    page.paragraph("A fact as a history line writes it:");
    page.paragraph("```json");
    page.line(
        r#"{"at":"2026-03-03T09:04:16+08:00","stream":"T-1","by":{"id":"li","role":"hotline_engineer"},"fact":{"type":"call_answered","call":"1","rings":2}}"#,
    );
    page.line("```");
    page.table(
        &["type", "what it holds", "e.g."],
        TYPES.iter().map(|(field_type, holds)| {
            vec![
                field_type.name().to_owned(),
                (*holds).to_owned(),
                format!("`{}`", field_type.example()),
            ]
        }),
    );
    for process in ORDER {
        describe_process(&mut page, *process);
    }
    page.paragraph("## Derived fields");
    page.paragraph("What a condition may ask that no fact says outright: typed functions of the fact and the past before it.");
    page.table(
        &["name", "meaning", "looks at"],
        derived::ALL.iter().map(|field| {
            vec![
                format!("`{}`", field.name),
                flowing(field.doc),
                names(field.reads),
            ]
        }),
    );
    page.finish()
}

const TYPES: &[(FieldType, &str)] = &[
    (FieldType::Int, "a whole number"),
    (FieldType::Flag, "yes or no"),
    (
        FieldType::Word,
        "one word: a value of a list, a number of a document",
    ),
    (FieldType::Words, "several words"),
    (FieldType::Instant, "a moment, with its offset"),
    (FieldType::Date, "a civil date"),
    (FieldType::Personal, "text that belongs to a person"),
    (FieldType::Evidence, "what the desk found in other streams"),
];

fn describe_process(page: &mut Page, process: Process) {
    let (title, lead) = match process {
        Process::Ticket => (
            "Ticket",
            "A request from the first ring to the archive. Its stream is named freely: `T-1001`.",
        ),
        Process::Shift => (
            "Shift",
            "One person's duty at the desk. Its stream is named `shift/…`.",
        ),
        Process::Knowledge => (
            "Knowledge",
            "The knowledge base. Its stream is named `knowledge/…`.",
        ),
        Process::Any => ("In every stream", "Facts about the record itself."),
    };
    page.paragraph(&format!("## {title}"));
    page.paragraph(lead);
    if !process.opened_by().is_empty() {
        page.paragraph(&format!(
            "A stream begins with {}.",
            any(process.opened_by())
        ));
    }
    if let Some(reopening) = process.reopened_by() {
        page.line(&format!(
            "It is opened again with `{reopening}`; from then on proofs count anew."
        ));
    }
    for opening in process.keys() {
        let strict = if opening.strict {
            "; a fact for one that was never begun makes no sense and is refused"
        } else {
            ""
        };
        page.line(&format!(
            "A `{}` begins with {}{strict}.",
            opening.key,
            any(opening.opened_by)
        ));
    }
    if !process.attributes().is_empty() {
        page.paragraph("Conditions may also ask for the latest value of:");
        page.table(
            &["name", "taken from"],
            process.attributes().iter().map(|attribute| {
                vec![
                    format!("`{}`", attribute.name),
                    format!("`{}.{}`", attribute.fact, attribute.field),
                ]
            }),
        );
    }
    let mut group = "";
    for spec in FactType::all()
        .map(FactType::spec)
        .filter(|spec| spec.process == process)
    {
        if spec.group != group && process == Process::Ticket {
            page.paragraph(&format!("### {}", heading(spec.group)));
        }
        group = spec.group;
        describe_fact(page, spec);
    }
}

fn describe_fact(page: &mut Page, spec: &FactSpec) {
    let key = match spec.key {
        None => String::new(),
        Some(KeySpec {
            name,
            optional: false,
        }) => format!(", key `{name}`"),
        Some(KeySpec {
            name,
            optional: true,
        }) => format!(", key `{name}` (may be left out)"),
    };
    page.paragraph(&format!("#### `{}`", spec.name));
    page.paragraph(&format!(
        "*{}{key}.* {}",
        spec.nature.name(),
        flowing(spec.doc)
    ));
    if spec.fields.is_empty() {
        return;
    }
    page.table(
        &["field", "type", "meaning"],
        spec.fields.iter().map(|field| {
            let kind = match field.field_type {
                FieldType::Personal => "**personal**".to_owned(),
                other => other.name().to_owned(),
            };
            vec![format!("`{}`", field.name), kind, flowing(field.doc)]
        }),
    );
}

fn heading(group: &str) -> String {
    match group {
        "intake" => "Intake",
        "call" => "The call",
        "ownership" => "Who answers for it",
        "handling" => "Finding out and solving",
        "talk" => "What the customer was told",
        "visit" => "The visit",
        "closure" => "Closing",
        other => other,
    }
    .to_owned()
}

fn names(facts: &[FactType]) -> String {
    facts
        .iter()
        .map(|fact| format!("`{fact}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn any(facts: &[FactType]) -> String {
    facts
        .iter()
        .map(|fact| format!("`{fact}`"))
        .collect::<Vec<_>>()
        .join(" or ")
}
