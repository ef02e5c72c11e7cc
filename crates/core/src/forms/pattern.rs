//! A pattern: which facts a clause means.

use crate::forms::reading::Reading;
use crate::record::Record;
use crate::source::{Complaint, Data, Node};
use crate::vocabulary::{Fact, FactType, Scalar};

/// Facts of one type, with certain field values, by certain roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The type of fact.
    pub fact: FactType,
    /// Fields and the values they may have; all fields must fit.
    pub fields: Vec<(String, Vec<Scalar>)>,
    /// The roles of the doer; empty means any.
    pub by: Vec<String>,
}

impl Pattern {
    /// Any fact of a type.
    pub const fn of(fact: FactType) -> Self {
        Self {
            fact,
            fields: Vec::new(),
            by: Vec::new(),
        }
    }

    /// Whether a record is meant.
    pub fn matches(&self, record: &Record) -> bool {
        record
            .fact()
            .is_some_and(|fact| self.matches_fact(fact, &record.doer().role))
    }

    /// Whether a fact done in a role is meant.
    pub fn matches_fact(&self, fact: &Fact, role: &str) -> bool {
        fact.fact_type() == self.fact
            && (self.by.is_empty() || self.by.iter().any(|by| by == role))
            && self.fields.iter().all(|(name, values)| {
                fact.get(name)
                    .is_some_and(|value| values.iter().any(|wanted| value.matches(wanted)))
            })
    }

    /// Whether it ties facts by this key.
    pub fn has_key(&self, key: &str) -> bool {
        self.fact.spec().key.is_some_and(|spec| spec.name == key)
    }

    /// The pattern as a person reads it: `backup_taken by_whom=customer`.
    pub fn describe(&self) -> String {
        let mut text = self.fact.name().to_owned();
        for (name, values) in &self.fields {
            text.push(' ');
            text.push_str(name);
            text.push('=');
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            text.push_str(&values.join("|"));
        }
        if !self.by.is_empty() {
            text.push_str(" by ");
            text.push_str(&self.by.join(" or "));
        }
        text
    }

    /// Reads `"fact"` or `{ fact = "…", field = value, by = "role" }`. Members
    /// named in `apart` belong to somebody else and are left alone.
    pub(crate) fn read(
        node: &Node,
        reading: &mut Reading<'_>,
        apart: &[&str],
    ) -> Result<Self, Complaint> {
        let Data::Table(members) = &node.data else {
            return Ok(Self::of(reading.fact(node)?));
        };
        let fact = node.get("fact").ok_or_else(|| {
            node.place.complain(
                None,
                "the pattern names no fact",
                "write { fact = \"backup_taken\", by_whom = \"customer\" }",
            )
        })?;
        let mut pattern = Self::of(reading.fact(fact)?);
        for (key, value) in members {
            match key.name.as_str() {
                "fact" => {}
                "by" => pattern.by = reading.roles(value)?,
                name if apart.contains(&name) => {}
                name => {
                    let values = reading.field_values(pattern.fact, name, key, value)?;
                    pattern.fields.push((name.to_owned(), values));
                }
            }
        }
        Ok(pattern)
    }

    /// Reads one pattern or a list of them.
    pub(crate) fn read_all(
        node: &Node,
        reading: &mut Reading<'_>,
        apart: &[&str],
    ) -> Result<Vec<Self>, Complaint> {
        node.some_items()?
            .iter()
            .map(|item| Self::read(item, reading, apart))
            .collect()
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn describe_any(patterns: &[Pattern]) -> String {
    join(patterns, "or")
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn describe_all(patterns: &[Pattern]) -> String {
    join(patterns, "and")
}

fn join(patterns: &[Pattern], word: &str) -> String {
    let names: Vec<String> = patterns.iter().map(Pattern::describe).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
    }
}
