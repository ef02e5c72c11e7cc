//! A fact: one thing that happened.

use super::{FactSpec, FactType, FieldType, Value};

/// One thing that happened: its type, its key, and what was said about it.
///
/// Built by the typed builders of the vocabulary or read from JSON by
/// [`super::decode_fact`]; both only make facts whose fields fit the
/// declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    fact_type: FactType,
    pub(super) key: Option<String>,
    /// Field place and value, by place.
    fields: Vec<(u8, Value)>,
}

impl Fact {
    pub(crate) const fn bare(fact_type: FactType, key: Option<String>) -> Self {
        Self {
            fact_type,
            key,
            fields: Vec::new(),
        }
    }

    /// Sets a declared field; a name the declaration does not know is ignored
    /// (the builders and the decoder only pass names they took from it).
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Some((place, _)) = self.spec().field(name) {
            self.set_at(place, value);
        }
    }

    pub(crate) fn set_at(&mut self, place: u8, value: Value) {
        match self.fields.binary_search_by_key(&place, |(at, _)| *at) {
            Ok(found) => {
                if let Some(slot) = self.fields.get_mut(found) {
                    slot.1 = value;
                }
            }
            Err(gap) => self.fields.insert(gap, (place, value)),
        }
    }

    /// Takes out what only the desk may say, and personal text that says
    /// nothing: erased, it would look as if it had said something.
    pub(crate) fn keep_what_was_said(&mut self) {
        let spec = self.spec();
        self.fields.retain(|(place, value)| {
            let evidence = spec
                .fields
                .get(usize::from(*place))
                .is_some_and(|field| field.field_type == FieldType::Evidence);
            let blank = matches!(value, Value::Personal(_)) && value.is_blank();
            !evidence && !blank
        });
    }

    /// The type of the fact.
    pub const fn fact_type(&self) -> FactType {
        self.fact_type
    }

    /// The declaration of its type.
    pub fn spec(&self) -> &'static FactSpec {
        self.fact_type.spec()
    }

    /// The key it belongs to: which call, which visit.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The value of a field, by its place in the declaration.
    pub fn at(&self, place: u8) -> Option<&Value> {
        self.fields
            .binary_search_by_key(&place, |(at, _)| *at)
            .ok()
            .and_then(|found| self.fields.get(found))
            .map(|(_, value)| value)
    }

    /// The value of a field, by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.spec()
            .field(name)
            .and_then(|(place, _)| self.at(place))
    }

    /// The fields that were given, in the order of the declaration.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let spec = self.spec();
        self.fields.iter().filter_map(|(place, value)| {
            spec.fields
                .get(usize::from(*place))
                .map(|field| (field.name, value))
        })
    }
}
