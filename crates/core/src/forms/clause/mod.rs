//! A clause: one constraint of a rule, with its condition and its key.

mod read;

use crate::forms::condition::{Condition, TestSource};
use crate::forms::form::Form;
use crate::forms::pattern::Pattern;
use crate::forms::ruling::Ruling;
use crate::forms::{needs, never};
use crate::scene::Scene;
use crate::vocabulary::{FactType, FieldType};

/// One constraint of a rule.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Its number in the rule, from 1.
    pub number: u16,
    /// The facts it judges; for a clock, the facts that start it.
    pub facts: Vec<FactType>,
    /// When it applies.
    pub when: Condition,
    /// The key that ties its facts.
    pub same: Option<&'static str>,
    /// What it says.
    pub form: Form,
}

impl Clause {
    /// Judges one fact, if the clause is a guard for it.
    pub fn judge(&self, scene: &Scene<'_>) -> Ruling {
        if let Form::Never = self.form {
            return never::judge(scene, &self.when);
        }
        if !self.when.holds(scene) {
            return Ruling::NotApplicable;
        }
        // A fact that may stand without its key and does is proved by such facts
        // only, never by those of some visit.
        let same = self.same.map(|name| (name, scene.fact.key()));
        match &self.form {
            Form::Carries(carries) => carries.judge(scene),
            Form::OnlyBy(only_by) => only_by.judge(scene, same),
            Form::Needs(needs) => needs.judge(scene, same),
            Form::Never
            | Form::Within(_)
            | Form::Every(_)
            | Form::Means(_)
            | Form::May(_)
            | Form::Computed(_)
            | Form::Stated(_) => Ruling::NotApplicable,
        }
    }

    /// Every fact pattern the clause names beside the facts it judges.
    pub fn patterns(&self) -> Vec<&Pattern> {
        match &self.form {
            Form::OnlyBy(only_by) => only_by.other_than.iter().collect(),
            Form::Needs(needs) => {
                let mut patterns: Vec<&Pattern> = needs.patterns.iter().collect();
                if let needs::Since::Fact(since) = &needs.since {
                    patterns.push(since);
                }
                patterns
            }
            Form::Within(within) => within
                .after
                .iter()
                .chain(within.expect.iter().map(|e| &e.pattern))
                .chain(within.waived_by.iter().map(|w| &w.pattern))
                .chain(&within.cancelled_by)
                .chain(&within.pause)
                .chain(&within.resume)
                .collect(),
            Form::Every(every) => every
                .expect
                .iter()
                .chain(&every.starts_with)
                .chain(&every.ends_with)
                .collect(),
            Form::Carries(_)
            | Form::Never
            | Form::Means(_)
            | Form::May(_)
            | Form::Computed(_)
            | Form::Stated(_) => Vec::new(),
        }
    }

    /// The facts without which the clause can never come out: the ones it
    /// judges, and the ones it demands.
    pub fn demands(&self) -> Vec<FactType> {
        let mut types: Vec<FactType> = match &self.form {
            Form::Needs(needs) => needs.patterns.iter().map(|p| p.fact).collect(),
            Form::Within(within) => within.expect.iter().map(|e| e.pattern.fact).collect(),
            Form::Every(every) => every.expect.iter().map(|p| p.fact).collect(),
            Form::Carries(_)
            | Form::OnlyBy(_)
            | Form::Never
            | Form::Means(_)
            | Form::May(_)
            | Form::Computed(_)
            | Form::Stated(_) => Vec::new(),
        };
        types.sort_unstable();
        types.dedup();
        types
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let facts: Vec<&str> = self.facts.iter().map(|fact| fact.name()).collect();
        let facts = facts.join(" or ");
        let text = match &self.form {
            Form::Carries(carries) => format!("{facts} {}", carries.describe()),
            Form::OnlyBy(only_by) => format!("{facts} {}", only_by.describe()),
            Form::Needs(needs) => format!("{facts} {}", needs.describe()),
            Form::Never => format!("never {facts}"),
            Form::Within(within) => within.describe(),
            Form::Every(every) => every.describe(),
            Form::Means(means) => means.describe(),
            Form::May(may) => format!("lifts {}", may.lifts.join(", ")),
            Form::Computed(computed) => format!("computes {}", computed.figure),
            Form::Stated(why) => why.clone(),
        };
        let mut tail = String::new();
        if let Some(key) = self.same {
            tail.push_str(&format!(", for the same {key}"));
        }
        if !self.when.is_empty() {
            tail.push_str(&format!(", where {}", self.when.describe()));
        }
        if let Form::Within(within) = &self.form {
            tail.push_str(&within.describe_rest());
        }
        format!("{text}{tail}")
    }

    /// Whether the clause leans on more than exact data, and on what: the names
    /// of derived fields and evidence in its conditions.
    pub fn leans_on(&self) -> Vec<&str> {
        self.when
            .all
            .iter()
            .chain(&self.when.none)
            .filter(|test| match test.source {
                TestSource::Derived(_) => true,
                TestSource::Attribute(attribute) => is_evidence(attribute.fact, attribute.field),
                TestSource::Field => self.facts.iter().any(|fact| is_evidence(*fact, &test.name)),
            })
            .map(|test| test.name.as_str())
            .collect()
    }
}

fn is_evidence(fact: FactType, field: &str) -> bool {
    fact.spec()
        .field(field)
        .is_some_and(|(_, spec)| spec.field_type == FieldType::Evidence)
}
