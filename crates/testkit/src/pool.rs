//! Which values the fields of a manual's facts can have: what generators draw
//! from, so that what they make is lifelike enough to get past the first check.

use thirdring_core::Rulebook;
use thirdring_core::forms::Form;
use thirdring_core::vocabulary::{FactType, Process, Scalar};

/// The values one field can have under a manual; empty where no list says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// The fact.
    pub fact: FactType,
    /// Its field.
    pub field: &'static str,
    /// The values.
    pub values: Vec<Scalar>,
}

/// The values every field of every fact of a process can have under a manual:
/// from its word lists, its rules' lists, and what its rules compare with.
pub fn pool_of(rulebook: &Rulebook, process: Process) -> Vec<Pool> {
    let mut pools = Vec::new();
    for fact in facts_of(process) {
        for field in fact.spec().fields {
            let mut values: Vec<Scalar> = rulebook
                .words
                .iter()
                .filter(|list| list.fact == fact && list.field == field.name)
                .flat_map(|list| list.values.clone())
                .collect();
            for clause in rulebook.rules.iter().flat_map(|rule| &rule.clauses) {
                if !clause.facts.contains(&fact) {
                    continue;
                }
                if let Form::Carries(carries) = &clause.form {
                    let lists = carries.one_of.iter().filter(|(name, _)| name == field.name);
                    values.extend(lists.flat_map(|(_, list)| list.clone()));
                    let bounds = carries.at_most.iter().chain(&carries.at_least);
                    let bounds = bounds.filter(|(name, _)| name == field.name);
                    values
                        .extend(bounds.flat_map(|(_, n)| {
                            [Scalar::Int(*n), Scalar::Int(n.saturating_add(1))]
                        }));
                    if field.name == "attested" {
                        values.extend(carries.attests.iter().cloned().map(Scalar::Word));
                    }
                }
            }
            values.sort();
            values.dedup();
            pools.push(Pool {
                fact,
                field: field.name,
                values,
            });
        }
    }
    pools
}

/// The facts that may stand in a stream of a process, bookkeeping included.
pub(crate) fn facts_of(process: Process) -> impl Iterator<Item = FactType> {
    FactType::all().filter(move |fact| [process, Process::Any].contains(&fact.spec().process))
}
