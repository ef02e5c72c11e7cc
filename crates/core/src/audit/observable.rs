//! What a log can show, and what of a rule it leaves in the dark.

use std::collections::BTreeSet;

use crate::forms::{Clause, Form};
use crate::vocabulary::FactType;

/// What a log can show. One's own log shows everything; a foreign log shows the
/// facts and fields its map yields.
#[derive(Debug, Clone, Default)]
pub struct Observable {
    /// The facts; `None` means all.
    pub facts: Option<BTreeSet<FactType>>,
    /// Fact and field; only looked at where `facts` is given.
    pub fields: BTreeSet<(FactType, String)>,
}

impl Observable {
    /// Why a clause cannot be seen in the log, if it cannot.
    pub(super) fn blind_spot(&self, clause: &Clause) -> Option<String> {
        let facts = self.facts.as_ref()?;
        let unseen = |fact: &&FactType| !facts.contains(*fact);
        if let Some(fact) = clause.facts.iter().find(unseen) {
            return Some(format!("the log does not show {fact}"));
        }
        let demanded = clause.demands();
        if !demanded.is_empty() && demanded.iter().all(|fact| unseen(&fact)) {
            let names: Vec<&str> = demanded.iter().map(|fact| fact.name()).collect();
            return Some(format!("the log does not show {}", names.join(" or ")));
        }
        let Form::Carries(carries) = &clause.form else {
            return None;
        };
        carries.reads_fields().find_map(|field| {
            clause
                .facts
                .iter()
                .find(|fact| !self.fields.contains(&(**fact, field.to_owned())))
                .map(|fact| format!("the log does not show `{field}` of {fact}"))
        })
    }
}
