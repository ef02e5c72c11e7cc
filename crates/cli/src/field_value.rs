//! The value of a fact's field out of plain text: of the command line, or of a
//! cell in somebody else's log.

use serde_json::Value;
use thirdring::core::vocabulary::{FactType, FieldType};

/// The text as the field's type has it, ready for the decoder. What does not
/// fit stays text, and the decoder says so. `flag` knows the words for yes and
/// no.
pub(crate) fn field_value(
    fact: FactType,
    field: &str,
    text: &str,
    flag: impl Fn(&str) -> Option<bool>,
) -> Value {
    let declared = fact.spec().field(field).map(|(_, known)| known.field_type);
    match declared {
        Some(FieldType::Int) => text
            .parse::<i64>()
            .map_or_else(|_| Value::from(text), Value::from),
        Some(FieldType::Flag) => flag(text).map_or_else(|| Value::from(text), Value::from),
        Some(FieldType::Words) => text.split(',').map(str::trim).map(Value::from).collect(),
        Some(
            FieldType::Word
            | FieldType::Instant
            | FieldType::Date
            | FieldType::Personal
            | FieldType::Evidence,
        )
        | None => Value::from(text),
    }
}
