//! `thirdring schema`: the JSON Schema of a history line and of every fact.

use serde_json::{Map, Value, json};
use thirdring::core::vocabulary::{FactSpec, FactType, FieldSpec, FieldType, Nature};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::shell::Shell;

/// Runs the command.
pub(crate) fn run(shell: &mut Shell<'_>) -> Result<Exit, Failure> {
    let schema = history_line();
    if shell.is_json() {
        shell.out.json(&schema);
    } else {
        // JSON for people: the same object over several lines.
        let pretty = serde_json::to_string_pretty(&schema).unwrap_or_default();
        for line in pretty.lines() {
            shell.out.json_text(line);
        }
    }
    Ok(Exit::Fine)
}

/// The schema of one line, with every fact under `$defs`.
fn history_line() -> Value {
    let mut definitions = Map::new();
    let mut facts = Vec::new();
    for fact in FactType::all() {
        facts.push(json!({ "$ref": format!("#/$defs/{}", fact.name()) }));
        definitions.insert(fact.name().to_owned(), fact_schema(fact.spec()));
    }
    definitions.insert(
        "actor".to_owned(),
        json!({
            "type": "object",
            "description": "Someone who did or recorded something, in the role they did it in.",
            "properties": {
                "id": { "type": "string", "minLength": 1, "maxLength": 128, "description": "A staff number or account, not a person's name." },
                "role": { "type": "string", "minLength": 1, "maxLength": 128, "description": "A role of the manual." },
            },
            "required": ["id", "role"],
            "additionalProperties": false,
        }),
    );
    let moment =
        |what: &str| json!({ "type": "string", "format": "date-time", "description": what });
    let ulid = |what: &str| json!({ "type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$", "description": what });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a Thirdring history",
        "description": "One fact: what happened, when, in which stream, recorded by whom.",
        "type": "object",
        "properties": {
            "at": moment("When it happened: RFC 3339 with an offset."),
            "recorded_at": moment("When it was told, where that was later."),
            "stream": { "type": "string", "minLength": 1, "maxLength": 128, "description": "The stream: a ticket's name, or e.g. shift/2026-03-02-li." },
            "by": { "$ref": "#/$defs/actor", "description": "Who recorded it." },
            "done_by": { "$ref": "#/$defs/actor", "description": "Who did it, where that was another." },
            "id": ulid("The id it shall have, a ULID, so that a retry is recorded once."),
            "cause": ulid("The record it follows from."),
            "fact": { "oneOf": facts, "description": "What happened." },
        },
        "required": ["at", "stream", "by", "fact"],
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn fact_schema(spec: &FactSpec) -> Value {
    let mut properties = Map::new();
    let mut required = vec![Value::from("type")];
    properties.insert("type".to_owned(), json!({ "const": spec.name }));
    if let Some(key) = spec.key {
        properties.insert(
            key.name.to_owned(),
            json!({ "type": ["string", "integer"], "description": format!("Which {} it belongs to.", key.name) }),
        );
        if !key.optional {
            required.push(Value::from(key.name));
        }
    }
    for field in spec
        .fields
        .iter()
        .filter(|field| field.field_type != FieldType::Evidence)
    {
        properties.insert(field.name.to_owned(), field_schema(field));
    }
    json!({
        "type": "object",
        "description": spec.doc.trim(),
        "x-process": spec.process.name(),
        "x-group": spec.group,
        "x-nature": match spec.nature { Nature::Act => "act", Nature::Event => "event" },
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn field_schema(field: &FieldSpec) -> Value {
    let mut schema = match field.field_type {
        FieldType::Int => json!({ "type": "integer" }),
        FieldType::Flag | FieldType::Evidence => json!({ "type": "boolean" }),
        FieldType::Word => json!({ "type": "string", "maxLength": 256 }),
        FieldType::Words => {
            json!({ "type": "array", "items": { "type": "string", "maxLength": 256 }, "maxItems": 64 })
        }
        FieldType::Instant => json!({ "type": "string", "format": "date-time" }),
        FieldType::Date => json!({ "type": "string", "format": "date" }),
        FieldType::Personal => json!({ "type": "string", "maxLength": 16384, "x-personal": true }),
    };
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), Value::from(field.doc.trim()));
    }
    schema
}
