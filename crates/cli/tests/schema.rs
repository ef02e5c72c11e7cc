//! The schema against real lines, by a small check of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what is not as expected ends the test"
)]

mod console;

use console::{Console, LITTLE, TWO_TICKETS};
use serde_json::{Value, json};

/// Checks a value against the part of JSON Schema that ours uses.
fn fits(schema: &Value, value: &Value, root: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        return fits(target, value, root);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices
            .iter()
            .filter(|choice| fits(choice, value, root))
            .count()
            == 1;
    }
    if !schema["const"].is_null() {
        return schema["const"] == *value;
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        _ => panic!("{name}"),
    };
    let typed = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        other => panic!("{other}"),
    };
    let text = value.as_str();
    let dated = match schema["format"].as_str() {
        Some("date-time") => text.is_some_and(|text| thirdring::moment(text).is_ok()),
        _ => true,
    };
    let short = schema["maxLength"]
        .as_u64()
        .is_none_or(|most| text.is_none_or(|text| text.len() as u64 <= most));
    let members = value.as_object().is_none_or(|members| {
        let known = schema["properties"].as_object().unwrap();
        let required = schema["required"].as_array().unwrap();
        members.iter().all(|(name, member)| {
            known
                .get(name)
                .is_some_and(|schema| fits(schema, member, root))
        }) && required
            .iter()
            .all(|name| members.contains_key(name.as_str().unwrap()))
    });
    let items = value
        .as_array()
        .is_none_or(|items| items.iter().all(|item| fits(&schema["items"], item, root)));
    typed && dated && short && members && items
}

fn schema() -> Value {
    Console::new(LITTLE)
        .run(&["schema", "--format", "json"])
        .json()
        .pop()
        .unwrap()
}

#[test]
fn what_the_engine_takes_fits_the_schema_and_what_it_refuses_does_not() {
    let schema = schema();
    let history = std::fs::read_to_string(TWO_TICKETS).unwrap()
        + &std::fs::read_to_string("tests/histories/unbacked-repair.jsonl").unwrap();
    let lines: Vec<Value> = history
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 20);
    for line in &lines {
        assert!(fits(&schema, line, &schema), "{line}");
    }
    let with = |change: &dyn Fn(&mut Value)| {
        let mut line = lines[1].clone();
        change(&mut line);
        line
    };
    let wrong = [
        with(&|line| line["fact"] = json!({ "type": "call_rung", "call": "1" })),
        with(&|line| line["fact"] = json!({ "type": "call_rang" })),
        with(&|line| line["fact"]["rings"] = json!("four")),
        with(&|line| line["fact"]["colour"] = json!("red")),
        with(&|line| line["at"] = json!("2026-03-02T09:00:00")),
        with(&|line| line["by"] = json!({ "id": "li" })),
        with(&|line| line["where"] = json!("here")),
        with(&|line| line["fact"] = json!({ "type": "request_received", "repeat_customer": true })),
    ];
    for line in &wrong {
        assert!(!fits(&schema, line, &schema), "{line}");
        let told = Console::new(LITTLE).run_with(&["run", "-"], line.to_string().as_bytes());
        assert_eq!(told.exit.code(), 3, "{line}");
    }
}

#[test]
fn personal_fields_are_marked_and_every_fact_is_documented() {
    let schema = schema();
    assert_eq!(
        schema["$defs"]["request_recorded"]["properties"]["phone"]["x-personal"],
        true
    );
    assert!(schema["$defs"]["request_recorded"]["properties"]["product"]["x-personal"].is_null());
    for fact in thirdring::core::FactType::all() {
        assert!(
            schema["$defs"][fact.name()]["description"]
                .as_str()
                .is_some_and(|doc| !doc.is_empty())
        );
    }
}
