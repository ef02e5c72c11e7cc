//! `carries`: the fact itself has what the rule asks: fields present, values
//! out of a list, limits, or claims somebody vouches for.

use crate::forms::reading::Reading;
use crate::forms::ruling::{Later, Ruling, Shortfall};
use crate::scene::Scene;
use crate::source::{Complaint, Node, Table};
use crate::vocabulary::{Fact, FactType, FieldType, Scalar, Value};

/// The field claims are made in.
const CLAIMS: &str = "attested";

/// What a fact must carry.
#[derive(Debug, Clone, Default)]
pub struct Carries {
    /// Fields that must be there and not blank.
    pub present: Vec<String>,
    /// Fields whose value, if given, must be one of a list.
    pub one_of: Vec<(String, Vec<Scalar>)>,
    /// Fields whose number, if given, is at most this.
    pub at_most: Vec<(String, i64)>,
    /// Fields whose number, if given, is at least this.
    pub at_least: Vec<(String, i64)>,
    /// Claims somebody must vouch for.
    pub attests: Vec<String>,
}

impl Carries {
    /// Judges one fact.
    pub fn judge(&self, scene: &Scene<'_>) -> Ruling {
        if self.attests.is_empty() {
            self.judge_fields(scene.fact)
        } else {
            self.judge_claims(scene.fact)
        }
    }

    fn judge_fields(&self, fact: &Fact) -> Ruling {
        let mut missing = Vec::new();
        let mut accepted = Vec::new();
        for name in &self.present {
            if fact.get(name).is_none_or(Value::is_blank) {
                missing.push(format!("`{name}` is not given"));
                accepted.push(format!("{} with `{name}`", fact.fact_type()));
            }
        }
        for (name, values) in &self.one_of {
            let wrong = fact
                .get(name)
                .is_some_and(|value| !values.iter().any(|wanted| value.matches(wanted)));
            if wrong {
                missing.push(format!("`{name}` is not one of the values the rule allows"));
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                accepted.push(format!("`{name}` one of {}", values.join(", ")));
            }
        }
        for (name, most) in &self.at_most {
            if let Some(Value::Int(given)) = fact.get(name)
                && given > most
            {
                missing.push(format!("`{name}` is {given}"));
                accepted.push(format!("`{name}` at most {most}"));
            }
        }
        for (name, least) in &self.at_least {
            if let Some(Value::Int(given)) = fact.get(name)
                && given < least
            {
                missing.push(format!("`{name}` is {given}"));
                accepted.push(format!("`{name}` at least {least}"));
            }
        }
        if missing.is_empty() {
            Ruling::Kept(Vec::new())
        } else {
            Ruling::Broken(Shortfall {
                missing: missing.join("; "),
                accepted: accepted.join("; "),
                later: Later::WhenCorrected,
                proof: Vec::new(),
            })
        }
    }

    fn judge_claims(&self, fact: &Fact) -> Ruling {
        let made: &[String] = match fact.get(CLAIMS) {
            Some(Value::Words(words)) => words,
            _ => &[],
        };
        let missing: Vec<&str> = self
            .attests
            .iter()
            .map(String::as_str)
            .filter(|claim| !made.iter().any(|m| m == claim))
            .collect();
        if missing.is_empty() {
            Ruling::Attested
        } else {
            Ruling::Broken(Shortfall {
                missing: format!("nobody vouches for {}", missing.join(", ")),
                accepted: format!(
                    "{} with attested: {}",
                    fact.fact_type(),
                    self.attests.join(", ")
                ),
                later: Later::WhenCorrected,
                proof: Vec::new(),
            })
        }
    }

    /// The fields it looks at.
    pub fn reads_fields(&self) -> impl Iterator<Item = &str> {
        self.present
            .iter()
            .chain(self.one_of.iter().map(|(name, _)| name))
            .chain(self.at_most.iter().map(|(name, _)| name))
            .chain(self.at_least.iter().map(|(name, _)| name))
            .map(String::as_str)
            .chain((!self.attests.is_empty()).then_some(CLAIMS))
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        if !self.present.is_empty() {
            parts.push(format!("carries {}", self.present.join(", ")));
        }
        for (name, values) in &self.one_of {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            parts.push(match values.as_slice() {
                [only] => format!("{name} is {only}"),
                several => format!("{name} is one of {}", several.join(", ")),
            });
        }
        parts.extend(
            self.at_most
                .iter()
                .map(|(name, most)| format!("{name} is at most {most}")),
        );
        parts.extend(
            self.at_least
                .iter()
                .map(|(name, least)| format!("{name} is at least {least}")),
        );
        if !self.attests.is_empty() {
            parts.push(format!("somebody vouches for {}", self.attests.join(", ")));
        }
        parts.join(" and ")
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        facts: &[FactType],
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let mut carries = Self::default();
        if let Some(node) = table.take("carries") {
            for item in node.some_items()? {
                let name = item.text()?;
                for fact in facts {
                    reading.field(*fact, name, &item.place)?;
                }
                carries.present.push(name.to_owned());
            }
        }
        if let Some(node) = table.take("one_of") {
            for (key, value) in node.table()?.members() {
                let mut values = Vec::new();
                value.some_items()?;
                for fact in facts {
                    values = reading.field_values(*fact, &key.name, key, value)?;
                }
                carries.one_of.push((key.name.clone(), values));
            }
        }
        if let Some(node) = table.take("at_most") {
            carries.at_most = read_bounds(node, facts, reading)?;
        }
        if let Some(node) = table.take("at_least") {
            carries.at_least = read_bounds(node, facts, reading)?;
        }
        for (name, most) in &carries.at_most {
            if carries
                .at_least
                .iter()
                .any(|(other, least)| other == name && least > most)
            {
                return Err(table.place.complain(
                    None,
                    format!("`{name}` cannot be at most {most} and at least more"),
                    "correct one of the bounds",
                ));
            }
        }
        if let Some(node) = table.take("attests") {
            node.some_items()?;
            carries.attests = node.texts()?;
            let others = !carries.present.is_empty()
                || !carries.one_of.is_empty()
                || !carries.at_most.is_empty()
                || !carries.at_least.is_empty();
            if others {
                return Err(node.place.complain(
                    None,
                    "a clause of claims cannot also ask for fields: claims are vouched for, fields are checked",
                    "write two clauses",
                ));
            }
            for fact in facts {
                if reading.field(*fact, CLAIMS, &node.place)? != FieldType::Words {
                    return Err(node.place.complain(
                        None,
                        format!("`{fact}` has no list of claims"),
                        "ask for the claims on another fact",
                    ));
                }
            }
        }
        Ok(carries)
    }
}

fn read_bounds(
    node: &Node,
    facts: &[FactType],
    reading: &Reading<'_>,
) -> Result<Vec<(String, i64)>, Complaint> {
    node.table()?
        .members()
        .iter()
        .map(|(key, value)| {
            for fact in facts {
                if reading.field(*fact, &key.name, &key.place)? != FieldType::Int {
                    return Err(key.place.complain(
                        None,
                        format!("`{}` of `{fact}` is no number", key.name),
                        "bounds are for whole numbers",
                    ));
                }
            }
            Ok((key.name.clone(), value.int()?))
        })
        .collect()
}
