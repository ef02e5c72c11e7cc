//! What a form needs to know while it is read from a rule file.

use std::collections::BTreeMap;

use thirdring_calendar::Calendar;

use crate::manual::Roles;
use crate::source::{Complaint, Key, Node, Place};
use crate::vocabulary::{Attribute, FactType, FieldType, Process, Scalar, nearest};

/// What a form needs to know while it is read, and what it leaves to be checked
/// once the whole manual is known.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// The manual's roles.
    pub(crate) roles: &'a Roles,
    /// The manual's named calendars.
    pub(crate) calendars: &'a BTreeMap<String, Calendar>,
    /// Every value that was compared with a field.
    pub(crate) mentions: Vec<Mention>,
}

/// A value that a rule compares a field with.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    pub(crate) fact: FactType,
    pub(crate) field: String,
    pub(crate) value: Scalar,
    pub(crate) place: Place,
}

impl<'a> Reading<'a> {
    pub(crate) const fn new(roles: &'a Roles, calendars: &'a BTreeMap<String, Calendar>) -> Self {
        Self {
            roles,
            calendars,
            mentions: Vec::new(),
        }
    }

    /// A fact by its name.
    pub(crate) fn fact(&self, node: &Node) -> Result<FactType, Complaint> {
        let name = node.text()?;
        FactType::named(name).ok_or_else(|| {
            let remedy = match nearest(name, FactType::all().map(FactType::name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`thirdring schema` lists all facts".to_owned(),
            };
            node.place
                .complain(None, format!("`{name}` is no fact"), remedy)
        })
    }

    /// One fact or several of one process.
    pub(crate) fn facts(&self, node: &Node) -> Result<Vec<FactType>, Complaint> {
        let facts: Vec<FactType> = node
            .some_items()?
            .iter()
            .map(|item| self.fact(item))
            .collect::<Result<_, _>>()?;
        let mut processes: Vec<Process> = facts
            .iter()
            .map(|fact| fact.spec().process)
            .filter(|process| *process != Process::Any)
            .collect();
        processes.sort_unstable();
        processes.dedup();
        if processes.len() > 1 {
            return Err(node.place.complain(
                None,
                "the facts belong to different processes, which never share a stream",
                "write one clause for each",
            ));
        }
        Ok(facts)
    }

    /// The attributes that clauses on these facts may test.
    pub(crate) fn attributes(&self, facts: &[FactType]) -> &'static [Attribute] {
        facts
            .iter()
            .map(|fact| fact.spec().process)
            .find(|process| *process != Process::Any)
            .unwrap_or(Process::Ticket)
            .attributes()
    }

    /// One role or several, in the manual's canonical words.
    pub(crate) fn roles(&self, node: &Node) -> Result<Vec<String>, Complaint> {
        node.some_items()?
            .iter()
            .map(|item| {
                let name = item.text()?;
                self.roles
                    .canonical(name)
                    .map(str::to_owned)
                    .ok_or_else(|| {
                        let remedy = match nearest(name, self.roles.names()) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => format!(
                                "the manual's [roles] has: {}",
                                self.roles.names().collect::<Vec<_>>().join(", ")
                            ),
                        };
                        item.place.complain(
                            None,
                            format!("`{name}` is no role of the manual"),
                            remedy,
                        )
                    })
            })
            .collect()
    }

    /// A field of a fact, by name.
    pub(crate) fn field(
        &self,
        fact: FactType,
        name: &str,
        place: &Place,
    ) -> Result<FieldType, Complaint> {
        match fact.spec().field(name) {
            Some((_, field)) => Ok(field.field_type),
            None => {
                let known: Vec<&str> = fact.spec().fields.iter().map(|field| field.name).collect();
                let remedy = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => format!("`{fact}` has no fields"),
                    None => format!("`{fact}` has: {}", known.join(", ")),
                };
                Err(place.complain(None, format!("`{fact}` has no field `{name}`"), remedy))
            }
        }
    }

    /// A field of a fact that holds a moment, by name.
    pub(crate) fn instant_field(
        &self,
        fact: FactType,
        name: &str,
        place: &Place,
        remedy: &str,
    ) -> Result<(), Complaint> {
        if self.field(fact, name, place)? == FieldType::Instant {
            return Ok(());
        }
        Err(place.complain(None, format!("`{name}` of `{fact}` is no moment"), remedy))
    }

    /// The values a field is compared with, checked against its type.
    pub(crate) fn field_values(
        &mut self,
        fact: FactType,
        name: &str,
        key: &Key,
        node: &Node,
    ) -> Result<Vec<Scalar>, Complaint> {
        let field_type = self.field(fact, name, &key.place)?;
        node.items()
            .iter()
            .map(|item| {
                let value = item.scalar()?;
                let fits = matches!(
                    (field_type, &value),
                    (FieldType::Int, Scalar::Int(_))
                        | (FieldType::Flag | FieldType::Evidence, Scalar::Flag(_))
                        | (FieldType::Word | FieldType::Words, Scalar::Word(_))
                );
                if !fits {
                    return Err(item.place.complain(
                        None,
                        format!(
                            "`{name}` of `{fact}` holds a {}, so it cannot be compared with `{value}`",
                            field_type.name()
                        ),
                        format!("write e.g. {}", field_type.example()),
                    ));
                }
                self.mentions.push(Mention {
                    fact,
                    field: name.to_owned(),
                    value: value.clone(),
                    place: item.place.clone(),
                });
                Ok(value)
            })
            .collect()
    }
}
