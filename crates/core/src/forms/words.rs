//! The forms that nothing can break: `means`, `may`, `computed`, `stated`.

use crate::forms::reading::Reading;
use crate::source::{Complaint, Table};
use crate::vocabulary::{FactType, Scalar};

/// `means`: what a value or a document is.
#[derive(Debug, Clone)]
pub enum Means {
    /// A value of a field.
    Value {
        /// The fact.
        fact: FactType,
        /// Its field.
        field: String,
        /// The value that is defined.
        value: Scalar,
    },
    /// A document.
    Document(String),
}

impl Means {
    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        match self {
            Self::Value { fact, field, value } => {
                format!("says what {fact}.{field} = {value} means")
            }
            Self::Document(name) => format!("says what the document {name} is"),
        }
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let node = table.demand(
            "means",
            "{ field = \"request_classified.level\", value = 1 }",
        )?;
        let mut inner = node.table()?;
        if let Some(document) = inner.take("document") {
            finished(&inner)?;
            return Ok(Self::Document(document.text()?.to_owned()));
        }
        let field_node = inner.demand("field", "\"request_classified.level\"")?;
        let value_node = inner.demand("value", "1")?;
        finished(&inner)?;
        let Some((fact_name, field)) = field_node.text()?.split_once('.') else {
            return Err(field_node.place.complain(
                None,
                "a field is named by its fact",
                "write e.g. \"request_classified.level\"",
            ));
        };
        let Some(fact) = FactType::named(fact_name) else {
            return Err(field_node.place.complain(
                None,
                format!("`{fact_name}` is no fact"),
                "`thirdring schema` lists all facts",
            ));
        };
        let key = crate::source::Key {
            name: field.to_owned(),
            place: field_node.place.clone(),
        };
        let values = reading.field_values(fact, field, &key, value_node)?;
        match values.into_iter().next() {
            Some(value) => Ok(Self::Value {
                fact,
                field: field.to_owned(),
                value,
            }),
            None => Err(value_node.place.complain(
                None,
                "no value is given",
                "name the value that is defined",
            )),
        }
    }
}

/// Complains of the first member nobody asked for.
fn finished(table: &Table<'_>) -> Result<(), Complaint> {
    let mut complaints = Vec::new();
    table.finish(&mut complaints);
    match complaints.into_iter().next() {
        Some(complaint) => Err(complaint),
        None => Ok(()),
    }
}

/// `may`: a permission that lifts other rules of the same manual.
#[derive(Debug, Clone)]
pub struct May {
    /// The ids of the rules it lifts.
    pub lifts: Vec<String>,
}

/// `computed`: a figure that typed code works out from numbers in data.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The figure's name.
    pub figure: String,
    /// Its numbers, as the rule writes them.
    pub numbers: Vec<(String, String)>,
}

/// The figures that exist. None of the manuals shipped so far asks for one.
pub const FIGURES: &[&str] = &[];

impl Computed {
    pub(crate) fn read(table: &mut Table<'_>) -> Result<Self, Complaint> {
        let node = table.demand("computed", "\"figure\"")?;
        let figure = node.text()?.to_owned();
        let mut numbers = Vec::new();
        if let Some(node) = table.take("numbers") {
            for (key, value) in node.table()?.members() {
                numbers.push((key.name.clone(), value.scalar()?.to_string()));
            }
        }
        if !FIGURES.contains(&figure.as_str()) {
            return Err(node.place.complain(
                None,
                format!("`{figure}` is no figure this engine computes"),
                "state the sentence with `stated` until the figure exists",
            ));
        }
        Ok(Self { figure, numbers })
    }
}
