//! The ten forms a clause can have, each in its own file.
//!
//! | looks at | verb | file |
//! |---|---|---|
//! | the fact itself | `carries`, `only_by` | [`carries`], [`only_by`] |
//! | the past | `needs`, `never` | [`needs`], `never` |
//! | the future | `within`, `every` | [`within`], [`every`] |
//! | words | `means`, `may`, `computed`, `stated` | [`words`] |

pub(crate) mod reading;

pub mod bound;
pub mod condition;
pub mod limit;
pub mod pattern;
pub mod ruling;
pub mod run;

pub mod carries;
pub mod needs;
pub(crate) mod never;
pub mod only_by;

pub(crate) mod clock;
pub mod escalation;
pub mod every;
pub mod within;

pub mod words;

use crate::scene::Scene;
use crate::source::{Complaint, Node, Table};
use crate::vocabulary::{FactType, Process, nearest};

use condition::Condition;
use pattern::Pattern;
use reading::Reading;
use ruling::Ruling;

/// What a clause says, by its verb.
#[derive(Debug, Clone)]
pub enum Form {
    /// Fields, values, limits, claims of the fact itself.
    Carries(carries::Carries),
    /// Who may do it.
    OnlyBy(only_by::OnlyBy),
    /// Only after other facts.
    Needs(needs::Needs),
    /// Never, if.
    Never,
    /// After one fact, another within a limit.
    Within(Box<within::Within>),
    /// Again and again.
    Every(Box<every::Every>),
    /// What a value means.
    Means(words::Means),
    /// A permission.
    May(words::May),
    /// A figure.
    Computed(words::Computed),
    /// A sentence nothing can break, and why.
    Stated(String),
}

impl Form {
    /// The verb.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Carries(_) => "carries",
            Self::OnlyBy(_) => "only_by",
            Self::Needs(_) => "needs",
            Self::Never => "never",
            Self::Within(_) => "within",
            Self::Every(_) => "every",
            Self::Means(_) => "means",
            Self::May(_) => "may",
            Self::Computed(_) => "computed",
            Self::Stated(_) => "stated",
        }
    }

    /// The form as the field calls it: a claim and a measure are forms of their
    /// own to whoever counts verdicts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Carries(carries) if !carries.attests.is_empty() => "attests",
            Self::Within(within) if within.is_measure() => "measured",
            Self::Every(every) if every.period.is_none() => "measured",
            _ => self.name(),
        }
    }

    /// Whether it looks at one fact when it is proposed.
    pub const fn is_guard(&self) -> bool {
        matches!(
            self,
            Self::Carries(_) | Self::OnlyBy(_) | Self::Needs(_) | Self::Never
        )
    }

    /// Whether it runs while time passes.
    pub const fn is_clock(&self) -> bool {
        matches!(self, Self::Within(_) | Self::Every(_))
    }

    /// Whether anything can break it.
    pub fn can_break(&self) -> bool {
        match self {
            Self::Carries(_) | Self::OnlyBy(_) | Self::Needs(_) | Self::Never => true,
            Self::Within(within) => {
                !within.is_measure() || within.expect.iter().any(|e| e.not_before.is_some())
            }
            Self::Every(every) => every.period.is_some(),
            Self::Means(_) | Self::May(_) | Self::Computed(_) | Self::Stated(_) => false,
        }
    }

    /// Whether a broken guard of this form may refuse an act; a claim never
    /// refuses, since nobody can check it either way.
    pub fn may_refuse(&self) -> bool {
        match self {
            Self::Carries(carries) => carries.attests.is_empty(),
            Self::OnlyBy(_) | Self::Needs(_) | Self::Never => true,
            Self::Within(_)
            | Self::Every(_)
            | Self::Means(_)
            | Self::May(_)
            | Self::Computed(_)
            | Self::Stated(_) => false,
        }
    }
}

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
                condition::TestSource::Derived(_) => true,
                condition::TestSource::Attribute(attribute) => {
                    is_evidence(attribute.fact, attribute.field)
                }
                condition::TestSource::Field => {
                    self.facts.iter().any(|fact| is_evidence(*fact, &test.name))
                }
            })
            .map(|test| test.name.as_str())
            .collect()
    }

    /// Reads a clause from its table; members of the rule as a whole have been
    /// taken from the table already.
    pub(crate) fn read(
        table: &mut Table<'_>,
        number: u16,
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
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
        let verb = match present.as_slice() {
            [verb] => *verb,
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
                return Err(table.place.complain(
                    None,
                    "the clause says nothing",
                    "give it one verb: carries, only_by, needs, never, after … expect, every, means, may, computed or stated",
                ));
            }
            several => {
                return Err(table.place.complain(
                    None,
                    format!("the clause has several verbs: {}", several.join(", ")),
                    "give each its own clause under [[rule.and]]",
                ));
            }
        };
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
        let form = match verb {
            "carries" => Form::Carries(carries::Carries::read(table, &facts, reading)?),
            "only_by" => Form::OnlyBy(only_by::OnlyBy::read(table, &facts, reading)?),
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
        };
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

fn is_evidence(fact: FactType, field: &str) -> bool {
    fact.spec()
        .field(field)
        .is_some_and(|(_, spec)| spec.field_type == crate::vocabulary::FieldType::Evidence)
}
