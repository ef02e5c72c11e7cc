//! `needs`: a fact only after others, for the same key, since a moment.

use crate::forms::pattern::{Pattern, describe_all, describe_any};
use crate::forms::reading::Reading;
use crate::forms::ruling::{Later, Ruling, Shortfall};
use crate::scene::Scene;
use crate::source::{Complaint, Table};

/// What must have happened before.
#[derive(Debug, Clone)]
pub struct Needs {
    /// The facts.
    pub patterns: Vec<Pattern>,
    /// Whether all of them are needed, or any one.
    pub all: bool,
    /// From when on they count.
    pub since: Since,
}

/// From when on a proof counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// Since the stream or key was opened or opened again.
    Opening,
    /// Since the latest such fact; where there was none, since the opening.
    Fact(Pattern),
    /// Whenever it was.
    Ever,
}

impl Needs {
    /// Judges one fact.
    pub fn judge(&self, scene: &Scene<'_>, same: Option<(&str, Option<&str>)>) -> Ruling {
        let start = self.start(scene, same);
        let find = |pattern: &Pattern| {
            scene
                .history
                .positions_before(pattern.fact, scene.end)
                .take_while(|position| *position >= start)
                .find(|position| self.counts(scene, pattern, *position, same))
        };
        if self.all {
            let mut proof = Vec::new();
            let mut missing = Vec::new();
            for pattern in &self.patterns {
                match find(pattern) {
                    Some(position) => proof.push(position),
                    None => missing.push(pattern.clone()),
                }
            }
            if missing.is_empty() {
                return Ruling::Kept(proof);
            }
            return self.broken(scene, same, &describe_all(&missing));
        }
        match self.patterns.iter().filter_map(find).max() {
            Some(position) => Ruling::Kept(vec![position]),
            None => self.broken(scene, same, &describe_any(&self.patterns)),
        }
    }

    fn counts(
        &self,
        scene: &Scene<'_>,
        pattern: &Pattern,
        position: usize,
        same: Option<(&str, Option<&str>)>,
    ) -> bool {
        scene.history.record(position).is_some_and(|record| {
            let key_fits = match same {
                Some((name, value)) if pattern.has_key(name) => {
                    record.fact().is_some_and(|fact| fact.key() == value)
                }
                Some(_) | None => true,
            };
            key_fits && pattern.matches(record)
        })
    }

    fn start(&self, scene: &Scene<'_>, same: Option<(&str, Option<&str>)>) -> usize {
        let key = same.and_then(|(name, value)| Some((name, value?)));
        let opening = || scene.history.opening(scene.process, key, scene.end);
        match &self.since {
            Since::Ever => 0,
            Since::Opening => opening(),
            Since::Fact(pattern) => scene
                .history
                .positions_before(pattern.fact, scene.end)
                .find(|position| self.counts(scene, pattern, *position, same))
                // The proof comes after that fact, not with it.
                .map_or_else(opening, |position| (position + 1).max(opening())),
        }
    }

    fn broken(&self, scene: &Scene<'_>, same: Option<(&str, Option<&str>)>, what: &str) -> Ruling {
        let of = match same {
            Some((name, Some(value))) => format!(" for {name} {value}"),
            Some((_, None)) | None => String::new(),
        };
        Ruling::Broken(Shortfall {
            missing: format!("no {what}{of} {}", self.describe_since()),
            accepted: format!("{what}{of} first, then {}", scene.fact.fact_type()),
            later: Later::AfterOtherFacts,
            proof: Vec::new(),
        })
    }

    fn describe_since(&self) -> String {
        match &self.since {
            Since::Opening => "since it was opened".to_owned(),
            Since::Fact(pattern) => format!("since {}", pattern.describe()),
            Since::Ever => "so far".to_owned(),
        }
    }

    /// The clause as a person reads it.
    pub fn describe(&self) -> String {
        let what = if self.all {
            describe_all(&self.patterns)
        } else {
            describe_any(&self.patterns)
        };
        match &self.since {
            Since::Opening => format!("only after {what}"),
            Since::Fact(_) | Since::Ever => {
                format!("only after {what} ({})", self.describe_since())
            }
        }
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let (node, all) = table.any_or_all(
            ("needs", "needs_all"),
            "nothing is needed",
            "write needs = [\"…\"]",
        )?;
        let patterns = Pattern::read_all(node, reading, &[])?;
        let since = match table.take("since") {
            None => Since::Opening,
            Some(node) if node.text().is_ok_and(|text| text == "ever") => Since::Ever,
            Some(node) => Since::Fact(Pattern::read(node, reading, &[])?),
        };
        Ok(Self {
            patterns,
            all,
            since,
        })
    }
}
