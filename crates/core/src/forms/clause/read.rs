//! How a clause is read from the table of its rule.

use super::Clause;
use crate::forms::condition::Condition;
use crate::forms::form::Form;
use crate::forms::pattern::Pattern;
use crate::forms::reading::Reading;
use crate::forms::{carries, every, needs, only_by, within, words};
use crate::source::{Complaint, Node, Table};
use crate::vocabulary::{FactType, Process, nearest};

/// The verbs, each with the members it is known by.
const VERBS: &[(&str, &[&str])] = &[
    (
        "carries",
        &["carries", "one_of", "at_most", "at_least", "attests"],
    ),
    ("only_by", &["only_by", "route", "other_than"]),
    ("needs", &["needs", "needs_all"]),
    ("never", &["never"]),
    ("within", &["after"]),
    ("every", &["every"]),
    ("means", &["means"]),
    ("may", &["may"]),
    ("computed", &["computed"]),
    ("stated", &["stated"]),
];

impl Clause {
    /// Reads a clause from its table; members of the rule as a whole have been
    /// taken from the table already.
    pub(crate) fn read(
        table: &mut Table<'_>,
        number: u16,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let verb = verb(table)?;
        let wanted = table.take("if");
        let exempt = table.take("unless");
        let same_node = table.take("same");
        let facts_node = table.take("fact");
        let mut after = Vec::new();
        let facts = match (verb, facts_node) {
            ("within", None) => {
                let node = table.demand("after", "\"call_ended\"")?;
                after = Pattern::read_all(node, reading, &[])?;
                after.iter().map(|pattern| pattern.fact).collect()
            }
            ("carries" | "only_by" | "needs" | "never", Some(node)) | ("may", Some(node)) => {
                reading.facts(node)?
            }
            ("carries" | "only_by" | "needs" | "never", None) => {
                return Err(table.place.complain(
                    None,
                    "nothing says which fact is judged",
                    "write fact = \"…\"",
                ));
            }
            ("every" | "means" | "may" | "computed" | "stated", None) => Vec::new(),
            (_, Some(node)) => {
                return Err(node.place.complain(
                    None,
                    format!("`{verb}` judges no single fact"),
                    "leave `fact` out",
                ));
            }
            (_, None) => Vec::new(),
        };
        let form = form(verb, &facts, after, table, reading)?;
        let facts = match &form {
            Form::Every(every) => every
                .starts_with
                .iter()
                .chain(&every.expect)
                .map(|pattern| pattern.fact)
                .collect(),
            _ => facts,
        };
        let when = Condition::read(wanted, exempt, &facts, reading)?;
        if matches!(form, Form::Never) && when.is_empty() {
            return Err(table.place.complain(
                None,
                "a fact that is never done under any condition need not be in the vocabulary",
                "write if = { … } or unless = { … }",
            ));
        }
        let mut clause = Self {
            number,
            facts,
            when,
            same: None,
            form,
        };
        clause.one_process(table)?;
        clause.same = clause.read_same(same_node, table)?;
        Ok(clause)
    }

    /// All facts of a clause belong in one stream: what another stream holds it
    /// can never see.
    fn one_process(&self, table: &Table<'_>) -> Result<(), Complaint> {
        let mut first: Option<FactType> = None;
        let patterns = self.patterns();
        let named = self
            .facts
            .iter()
            .copied()
            .chain(patterns.iter().map(|pattern| pattern.fact));
        for fact in named.filter(|fact| fact.spec().process != Process::Any) {
            match first {
                None => first = Some(fact),
                Some(known) if known.spec().process == fact.spec().process => {}
                Some(known) => {
                    return Err(table.place.complain(
                        None,
                        format!(
                            "`{known}` is a fact of a {}, `{fact}` of a {}: they never stand in one stream",
                            known.spec().process.name(),
                            fact.spec().process.name()
                        ),
                        "name facts of one process",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The facts that the clause's key must tie: the judged and the demanded.
    fn tied(&self) -> Vec<FactType> {
        let mut tied = self.facts.clone();
        match &self.form {
            Form::Needs(_) | Form::Within(_) | Form::Every(_) => tied.extend(self.demands()),
            Form::OnlyBy(only_by) => tied.extend(only_by.other_than.iter().map(|p| p.fact)),
            Form::Carries(_)
            | Form::Never
            | Form::Means(_)
            | Form::May(_)
            | Form::Computed(_)
            | Form::Stated(_) => {}
        }
        tied
    }

    fn read_same(
        &self,
        node: Option<&Node>,
        table: &Table<'_>,
    ) -> Result<Option<&'static str>, Complaint> {
        let tied = self.tied();
        let key_of = |fact: FactType| fact.spec().key.map(|key| key.name);
        if let Some(node) = node {
            let name = node.text()?;
            if let Some(without) = tied.iter().find(|fact| key_of(**fact) != Some(name)) {
                return Err(node.place.complain(
                    None,
                    format!("`{without}` is not tied by `{name}`"),
                    match key_of(*without) {
                        Some(key) => format!("it is tied by `{key}`"),
                        None => {
                            "it has no key: leave `same` out, or ask for another fact".to_owned()
                        }
                    },
                ));
            }
            return Ok(tied.first().and_then(|fact| key_of(*fact)));
        }
        // Facts that all belong to a visit but to no matter which would let one
        // visit's backup excuse another's.
        let looks_elsewhere = tied.len() > self.facts.len();
        let shared = tied.first().and_then(|fact| key_of(*fact));
        match shared {
            Some(key) if looks_elsewhere && tied.iter().all(|fact| key_of(*fact) == Some(key)) => {
                Err(table.place.complain(
                    None,
                    format!("all facts of the clause are tied by `{key}`, but it does not say that it must be the same one"),
                    format!("write same = \"{key}\""),
                ))
            }
            Some(_) | None => Ok(None),
        }
    }
}

/// The one verb of a clause.
fn verb(table: &Table<'_>) -> Result<&'static str, Complaint> {
    let present: Vec<&str> = VERBS
        .iter()
        .filter(|(_, marks)| {
            table
                .members()
                .iter()
                .any(|(key, _)| marks.contains(&key.name.as_str()))
        })
        .map(|(verb, _)| *verb)
        .collect();
    match present.as_slice() {
        [verb] => Ok(verb),
        [] => {
            let verbs = || VERBS.iter().flat_map(|(_, marks)| marks.iter().copied());
            let misspelt = table.members().iter().find_map(|(key, _)| {
                let known = table.asked_for(&key.name);
                nearest(&key.name, verbs())
                    .filter(|_| !known)
                    .map(|near| (key, near))
            });
            if let Some((key, near)) = misspelt {
                return Err(key.place.complain(
                    None,
                    format!("`{}` is not known here", key.name),
                    format!("did you mean `{near}`?"),
                ));
            }
            Err(table.place.complain(
                None,
                "the clause says nothing",
                "give it one verb: carries, only_by, needs, never, after … expect, every, means, may, computed or stated",
            ))
        }
        several => Err(table.place.complain(
            None,
            format!("the clause has several verbs: {}", several.join(", ")),
            "give each its own clause under [[rule.and]]",
        )),
    }
}

/// What a clause of a verb says about its facts, or after them.
fn form(
    verb: &str,
    facts: &[FactType],
    after: Vec<Pattern>,
    table: &mut Table<'_>,
    reading: &mut Reading<'_>,
) -> Result<Form, Complaint> {
    Ok(match verb {
        "carries" => Form::Carries(carries::Carries::read(table, facts, reading)?),
        "only_by" => Form::OnlyBy(only_by::OnlyBy::read(table, facts, reading)?),
        "needs" => Form::Needs(needs::Needs::read(table, reading)?),
        "never" => {
            say_yes(table.demand("never", "true")?, "never")?;
            Form::Never
        }
        "within" => Form::Within(Box::new(within::Within::read(table, after, reading)?)),
        "every" => Form::Every(Box::new(every::Every::read(table, reading)?)),
        "means" => Form::Means(words::Means::read(table, reading)?),
        "may" => {
            say_yes(table.demand("may", "true")?, "may")?;
            let node = table.demand("lifts", "[\"rule-id\"]")?;
            node.some_items()?;
            let lifts = node.texts()?;
            Form::May(words::May { lifts })
        }
        "computed" => Form::Computed(words::Computed::read(table)?),
        _ => {
            let node = table.demand("stated", "\"why nothing can break it\"")?;
            let why = node.text()?;
            if why.trim().is_empty() {
                return Err(node.place.complain(
                    None,
                    "no reason is given why nothing can break it",
                    "write the reason, and where the sentence is shown",
                ));
            }
            Form::Stated(why.to_owned())
        }
    })
}

fn say_yes(node: &Node, verb: &str) -> Result<(), Complaint> {
    if node.flag()? {
        Ok(())
    } else {
        Err(node.place.complain(
            None,
            format!("`{verb} = false` says nothing"),
            format!("write {verb} = true"),
        ))
    }
}
