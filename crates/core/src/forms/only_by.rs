//! `only_by`: who may do it.

use crate::forms::condition::Condition;
use crate::forms::pattern::Pattern;
use crate::forms::reading::Reading;
use crate::forms::ruling::{Later, Ruling, Shortfall};
use crate::scene::Scene;
use crate::source::{Complaint, Table};
use crate::vocabulary::FactType;

/// Who may do a thing.
#[derive(Debug, Clone, Default)]
pub struct OnlyBy {
    /// The routes, in order; the first whose condition holds decides.
    pub routes: Vec<Route>,
    /// A fact whose doer must be another person.
    pub other_than: Option<Pattern>,
}

/// Where a condition holds, these roles.
#[derive(Debug, Clone)]
pub struct Route {
    /// When the route is taken.
    pub when: Condition,
    /// The roles it leads to.
    pub roles: Vec<String>,
}

impl OnlyBy {
    /// Judges one fact.
    pub fn judge(&self, scene: &Scene<'_>, same: Option<(&str, Option<&str>)>) -> Ruling {
        if !self.routes.is_empty() {
            let Some(route) = self.routes.iter().find(|route| route.when.holds(scene)) else {
                return Ruling::NotApplicable;
            };
            if !route.roles.iter().any(|role| **role == *scene.doer.role) {
                return Ruling::Broken(Shortfall {
                    missing: format!("`{}` may not do this", scene.doer.role),
                    accepted: format!("{} by {}", scene.fact.fact_type(), route.roles.join(" or ")),
                    later: Later::ByAnother,
                    proof: Vec::new(),
                });
            }
        }
        let Some(first) = &self.other_than else {
            return Ruling::Kept(Vec::new());
        };
        let key = same.and_then(|(name, value)| Some((name, value?)));
        let opening = scene.history.opening(scene.process, key, scene.end);
        let earlier = scene
            .history
            .positions_before(first.fact, scene.end)
            .take_while(|position| *position >= opening)
            .find(|position| {
                scene.history.record(*position).is_some_and(|record| {
                    first.matches(record)
                        && same.is_none_or(|(_, key)| record.fact().is_some_and(|f| f.key() == key))
                })
            });
        match earlier.and_then(|position| scene.history.record(position).map(|r| (position, r))) {
            Some((position, record)) if record.doer().id == scene.doer.id => {
                Ruling::Broken(Shortfall {
                    missing: format!("`{}` also did {}", scene.doer.id, first.describe()),
                    accepted: "a second person".to_owned(),
                    later: Later::ByAnother,
                    proof: vec![position],
                })
            }
            Some((position, _)) => Ruling::Kept(vec![position]),
            None => Ruling::Kept(Vec::new()),
        }
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let routes: Vec<String> = self
            .routes
            .iter()
            .map(|route| {
                let roles = route.roles.join(" or ");
                if route.when.is_empty() {
                    format!("only by {roles}")
                } else {
                    format!("where {}, only by {roles}", route.when.describe())
                }
            })
            .collect();
        let mut text = routes.join("; else ");
        if let Some(first) = &self.other_than {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str("by another person than did ");
            text.push_str(&first.describe());
        }
        text
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        facts: &[FactType],
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let mut only_by = Self::default();
        if let Some(node) = table.take("only_by") {
            only_by.routes.push(Route {
                when: Condition::default(),
                roles: reading.roles(node)?,
            });
        }
        if let Some(node) = table.take("route") {
            for item in node.some_items()? {
                let mut route = item.table()?;
                let when = Condition::read(route.take("if"), route.take("unless"), facts, reading)?;
                let roles = reading.roles(route.demand("to", "[\"service_manager\"]")?)?;
                let mut complaints = Vec::new();
                route.finish(&mut complaints);
                if let Some(complaint) = complaints.pop() {
                    return Err(complaint);
                }
                only_by.routes.push(Route { when, roles });
            }
        }
        if let Some(node) = table.take("other_than") {
            only_by.other_than = Some(Pattern::read(node, reading, &[])?);
        }
        Ok(only_by)
    }
}
