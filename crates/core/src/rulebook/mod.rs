//! A rulebook: a manual, with the rules it takes, read and checked.

mod analyse;
mod check;
mod choices;
mod compose;
mod read;
mod sections;

use std::collections::BTreeMap;
use std::sync::Arc;

use thirdring_calendar::{Calendar, CalendarDefinition};

pub(crate) use compose::Composition;
pub use compose::{Library, manual_name};

use crate::digest::Digest;
use crate::forms::Clause;
use crate::manual::{Calendars, Roles, Testimony, Unannounced, WordList};
use crate::source::{Complaint, Complaints, Place};
use crate::vocabulary::{FACT_TYPES, FactType};

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The manual, by name.
    pub manual: String,
    /// The section, as the manual numbers it.
    pub section: String,
    /// The sentences, in the manual's own words.
    pub quotes: Vec<String>,
}

/// What a manual chose where the text is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What was open.
    pub name: String,
    /// What was chosen.
    pub value: String,
    /// Why.
    pub because: String,
}

/// Where a manual departs from the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The member of the clause that differs, and its value.
    pub what: String,
    /// Why.
    pub because: String,
}

/// A rule of a manual.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id.
    pub id: Arc<str>,
    /// Its sentence, in English.
    pub says: String,
    /// Where it comes from.
    pub sources: Vec<Source>,
    /// How the text was read, where that needs saying.
    pub note: Option<String>,
    /// Its clauses.
    pub clauses: Vec<Clause>,
    /// Histories that keep it, and histories that break it.
    pub cases: Vec<WrittenCase>,
    /// What the manual chose.
    pub choices: Vec<Choice>,
    /// Where the manual departs from the text.
    pub changes: Vec<Change>,
    pub(crate) place: Place,
}

/// A one-line history as written in a rule.
#[derive(Debug, Clone)]
pub struct WrittenCase {
    /// Its steps.
    pub steps: Vec<String>,
    /// Whether it breaks the rule.
    pub breaks: bool,
    pub(crate) place: Place,
}

impl Rule {
    /// The quote a refusal cites: of the manual judged by, else the first.
    pub fn quote(&self, manual: &str) -> Option<(&Source, &str)> {
        let source = self
            .sources
            .iter()
            .find(|source| source.manual == manual)
            .or_else(|| self.sources.first())?;
        source.quotes.first().map(|quote| (source, quote.as_str()))
    }

    /// A complaint about the rule as a whole.
    pub(crate) fn complain(
        &self,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Complaint {
        self.place.complain(Some(&self.id), problem, remedy)
    }

    /// Whether anything can break it.
    pub fn can_break(&self) -> bool {
        self.clauses.iter().any(|clause| clause.form.can_break())
    }

    /// Names of derived fields and evidence its clauses lean on.
    pub fn leans_on(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.clauses.iter().flat_map(Clause::leans_on).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A clause of a rulebook: which rule, which clause of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClauseRef {
    pub(crate) rule: u16,
    pub(crate) clause: u16,
}

/// A manual, with the rules it takes, read and checked.
#[derive(Debug)]
pub struct Rulebook {
    /// The manual's name.
    pub name: String,
    /// The manual's title.
    pub title: String,
    /// What it is identified by.
    pub digest: Digest,
    /// Its rules, in their order.
    pub rules: Vec<Rule>,
    /// Its roles.
    pub roles: Roles,
    /// Its closed lists.
    pub words: Vec<WordList>,
    /// Its calendar, as written.
    pub calendar_definition: CalendarDefinition,
    /// Its calendar.
    pub calendar: Calendar,
    /// Named calendars for other places, as written and compiled.
    pub named_calendars: BTreeMap<String, Calendar>,
    /// What a due moment is worth that needs holidays nobody has announced.
    pub unannounced: Unannounced,
    /// What counts as told afterwards.
    pub testimony: Testimony,
    /// The roles that may retract a fact.
    pub corrected_by: Vec<String>,
    /// Weak points that do not keep it from being used.
    pub warnings: Vec<Complaint>,
    /// Guards by the fact they judge.
    guards: Vec<Vec<ClauseRef>>,
    /// Clocks, in the rules' order.
    clocks: Vec<ClauseRef>,
    /// Clocks (by place in `clocks`) by the facts that touch them.
    touched: Vec<Vec<u16>>,
    /// Permissions.
    permissions: Vec<ClauseRef>,
}

impl Rulebook {
    /// Reads a manual with the rules it takes.
    ///
    /// The rules' own cases are not tried here; see [`crate::load`].
    ///
    /// # Errors
    /// Everything that is wrong, with file, line and remedy.
    pub fn read(library: &Library, manual: &str) -> Result<Self, Complaints> {
        let composition = Composition::of(library, manual)?;
        let mut rulebook = read::rulebook(composition)?;
        rulebook.index();
        let (mut errors, mut warnings) = check::check(&rulebook);
        analyse::analyse(&rulebook, &mut errors, &mut warnings);
        if errors.is_empty() {
            rulebook.warnings = warnings;
            Ok(rulebook)
        } else {
            Err(Complaints(errors))
        }
    }

    /// Its calendars.
    pub const fn calendars(&self) -> Calendars<'_> {
        Calendars::new(&self.calendar, &self.named_calendars, self.unannounced)
    }

    /// The last civil date for which the holidays of the manual's calendar are
    /// announced; `None` where it lists none. A clock that runs longer than this
    /// has a due moment that may move.
    pub fn holidays_known_until(&self) -> Option<chrono::NaiveDate> {
        let definition = self.calendar_definition.resolved().ok()?;
        definition.holidays_known.map(|known| known.to)
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| &*rule.id == id)
    }

    fn index(&mut self) {
        self.guards = vec![Vec::new(); FACT_TYPES];
        self.touched = vec![Vec::new(); FACT_TYPES];
        for (rule, number) in self.rules.iter().zip(0u16..) {
            for (clause, place) in rule.clauses.iter().zip(0u16..) {
                let reference = ClauseRef {
                    rule: number,
                    clause: place,
                };
                if clause.form.is_guard() {
                    for fact in &clause.facts {
                        if let Some(slot) = self.guards.get_mut(fact.index()) {
                            slot.push(reference);
                        }
                    }
                } else if clause.form.is_clock() {
                    let clock = u16::try_from(self.clocks.len()).unwrap_or(u16::MAX);
                    self.clocks.push(reference);
                    let mut touching = clause.when.reads();
                    match &clause.form {
                        crate::forms::Form::Within(within) => touching.extend(within.reads()),
                        crate::forms::Form::Every(every) => touching.extend(every.reads()),
                        _ => {}
                    }
                    touching.sort_unstable();
                    touching.dedup();
                    for fact in touching {
                        if let Some(slot) = self.touched.get_mut(fact.index()) {
                            slot.push(clock);
                        }
                    }
                } else if matches!(clause.form, crate::forms::Form::May(_)) {
                    self.permissions.push(reference);
                }
            }
        }
    }

    pub(crate) fn at(&self, reference: ClauseRef) -> Option<(&Rule, &Clause)> {
        let rule = self.rules.get(usize::from(reference.rule))?;
        Some((rule, rule.clauses.get(usize::from(reference.clause))?))
    }

    /// The guards that judge a type of fact, in the rules' order.
    pub(crate) fn guards(&self, fact: FactType) -> impl Iterator<Item = (&Rule, &Clause)> {
        self.guards
            .get(fact.index())
            .into_iter()
            .flatten()
            .filter_map(|reference| self.at(*reference))
    }

    /// How many clocks there are.
    pub(crate) const fn clock_count(&self) -> usize {
        self.clocks.len()
    }

    /// The clocks, in the rules' order.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = (&Rule, &Clause)> {
        self.clocks
            .iter()
            .filter_map(|reference| self.at(*reference))
    }

    /// The clocks a type of fact touches: place and clause.
    pub(crate) fn touched(&self, fact: FactType) -> impl Iterator<Item = (usize, &Clause)> {
        self.touched
            .get(fact.index())
            .into_iter()
            .flatten()
            .filter_map(|clock| {
                let place = usize::from(*clock);
                let reference = self.clocks.get(place)?;
                self.at(*reference).map(|(_, clause)| (place, clause))
            })
    }

    /// The permissions that lift a rule.
    pub(crate) fn permissions<'a>(
        &'a self,
        lifted: &'a str,
    ) -> impl Iterator<Item = (&'a Rule, &'a Clause)> {
        self.permissions
            .iter()
            .filter_map(|reference| self.at(*reference))
            .filter(move |(_, clause)| match &clause.form {
                crate::forms::Form::May(may) => may.lifts.iter().any(|id| id == lifted),
                _ => false,
            })
    }

    /// The same manual with other rules left out: for judging one rule alone,
    /// with the permissions that lift it.
    pub(crate) fn alone(&self, id: &str) -> Self {
        let rules = self
            .rules
            .iter()
            .filter(|rule| {
                &*rule.id == id
                    || rule.clauses.iter().any(|clause| match &clause.form {
                        crate::forms::Form::May(may) => may.lifts.iter().any(|lifted| lifted == id),
                        _ => false,
                    })
            })
            .cloned()
            .collect();
        let mut rulebook = Self {
            name: self.name.clone(),
            title: self.title.clone(),
            digest: self.digest,
            rules,
            roles: self.roles.clone(),
            words: self.words.clone(),
            calendar_definition: self.calendar_definition.clone(),
            calendar: self.calendar.clone(),
            named_calendars: self.named_calendars.clone(),
            unannounced: self.unannounced,
            testimony: self.testimony,
            corrected_by: self.corrected_by.clone(),
            warnings: Vec::new(),
            guards: Vec::new(),
            clocks: Vec::new(),
            touched: Vec::new(),
            permissions: Vec::new(),
        };
        rulebook.index();
        rulebook
    }
}
