//! A fact that lifts the limit of a `within`.

use crate::forms::pattern::Pattern;
use crate::forms::reading::Reading;
use crate::forms::run::Run;
use crate::record::Record;
use crate::source::{Complaint, Node};
use crate::vocabulary::Value;

/// A fact that lifts the limit.
#[derive(Debug, Clone)]
pub struct Waiver {
    /// The fact.
    pub pattern: Pattern,
    /// It only lifts the limit if this instant field lies after the due moment.
    pub beyond_due: Option<String>,
}

impl Waiver {
    pub(super) fn lifts(&self, record: &Record, run: &Run) -> bool {
        if !self.pattern.matches(record) {
            return false;
        }
        let Some(name) = &self.beyond_due else {
            return true;
        };
        match (record.fact().and_then(|fact| fact.get(name)), run.due) {
            (Some(Value::Instant(at)), Some(due)) => at.to_utc() > due,
            _ => false,
        }
    }

    pub(super) fn describe(&self) -> String {
        match &self.beyond_due {
            Some(name) => format!(
                "{} whose `{name}` is later than the limit",
                self.pattern.describe()
            ),
            None => self.pattern.describe(),
        }
    }

    pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Self, Complaint> {
        let pattern = Pattern::read(node, reading, &["beyond_due"])?;
        let beyond_due = match node.get("beyond_due") {
            None => None,
            Some(field) => {
                let name = field.text()?;
                let remedy = "name a field that holds a moment";
                reading.instant_field(pattern.fact, name, &field.place, remedy)?;
                Some(name.to_owned())
            }
        };
        Ok(Self {
            pattern,
            beyond_due,
        })
    }
}
