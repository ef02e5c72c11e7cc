//! The fence: `if` and `unless` know equality and membership, nothing else.

use crate::derived::{self, DerivedField};
use crate::forms::reading::Reading;
use crate::scene::Scene;
use crate::source::{Complaint, Node, Place};
use crate::vocabulary::{Attribute, Fact, FactType, Scalar, Value, nearest};

/// When a clause applies.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// All of these must hold.
    pub all: Vec<Test>,
    /// None of these may hold.
    pub none: Vec<Test>,
}

/// One named value and the values it is compared with.
#[derive(Debug, Clone)]
pub struct Test {
    /// The name, as the rule writes it.
    pub name: String,
    /// Where its value comes from.
    pub source: TestSource,
    /// The values that count as true.
    pub values: Vec<Scalar>,
}

/// Where a tested value comes from.
#[derive(Debug, Clone, Copy)]
pub enum TestSource {
    /// A field of the judged fact.
    Field,
    /// The latest value of a field of another fact.
    Attribute(Attribute),
    /// A typed function.
    Derived(&'static DerivedField),
}

impl Test {
    /// Whether the value is one of those named; `None` where nobody recorded it.
    fn truth(&self, scene: &Scene<'_>) -> Option<bool> {
        match self.source {
            TestSource::Field => {
                let value = scene.fact.get(&self.name)?;
                Some(self.values.iter().any(|wanted| value.matches(wanted)))
            }
            TestSource::Attribute(attribute) => {
                let value = attribute_value(attribute, scene)?;
                Some(self.values.iter().any(|wanted| value.matches(wanted)))
            }
            TestSource::Derived(field) => {
                let value = (field.value)(scene)?;
                Some(self.values.contains(&value))
            }
        }
    }

    /// The value itself; `None` where nobody recorded it, or it is no plain one.
    pub(crate) fn value(&self, scene: &Scene<'_>) -> Option<Scalar> {
        match self.source {
            TestSource::Field => scene.fact.get(&self.name)?.as_scalar(),
            TestSource::Attribute(attribute) => attribute_value(attribute, scene)?.as_scalar(),
            TestSource::Derived(field) => (field.value)(scene),
        }
    }

    /// The types of fact whose arrival may change the value.
    pub(crate) fn reads(&self) -> Vec<FactType> {
        match self.source {
            TestSource::Field => Vec::new(),
            TestSource::Attribute(attribute) => vec![attribute.fact],
            TestSource::Derived(field) => field.reads.to_vec(),
        }
    }

    fn describe(&self) -> String {
        self.described(true)
    }

    /// The test as a sentence: that it holds, or that it does not.
    fn described(&self, holds: bool) -> String {
        if let (TestSource::Derived(field), [Scalar::Flag(wanted)]) =
            (self.source, self.values.as_slice())
        {
            let [yes, no] = field.says;
            return if *wanted == holds { yes } else { no }.to_owned();
        }
        let values: Vec<String> = self.values.iter().map(ToString::to_string).collect();
        let word = if holds { "is" } else { "is not" };
        format!("{} {word} {}", self.name, values.join(" or "))
    }
}

/// The latest value of an attribute; the judged fact itself is the latest.
fn attribute_value<'a>(attribute: Attribute, scene: &Scene<'a>) -> Option<&'a Value> {
    if scene.fact.fact_type() == attribute.fact
        && let Some(own) = scene.fact.get(attribute.field)
    {
        return Some(own);
    }
    scene
        .history
        .latest_value(attribute.fact, attribute.field, scene.key(), scene.end)
        .map(|(value, _)| value)
}

/// `unless` as a person reads it.
fn describe_exempt(test: &Test) -> String {
    test.described(false)
}

impl Condition {
    /// Whether the clause applies. What nobody recorded holds for nobody: an
    /// unknown `if` does not apply, an unknown `unless` does not exempt.
    pub fn holds(&self, scene: &Scene<'_>) -> bool {
        self.all.iter().all(|test| test.truth(scene) == Some(true))
            && !self.none.iter().any(|test| test.truth(scene) == Some(true))
    }

    /// Whether it would hold, or would not, only by what nobody recorded yet.
    pub(crate) fn is_unknown(&self, scene: &Scene<'_>) -> bool {
        let mut unknown = false;
        for test in &self.all {
            match test.truth(scene) {
                Some(true) => {}
                Some(false) => return false,
                None => unknown = true,
            }
        }
        unknown && !self.none.iter().any(|test| test.truth(scene) == Some(true))
    }

    /// Whether the fields of the starting fact, which never change, leave it
    /// open that the condition holds now or some day.
    pub(crate) fn left_open_by(&self, fact: &Fact) -> bool {
        let says = |test: &Test| {
            fact.get(&test.name)
                .is_some_and(|value| test.values.iter().any(|wanted| value.matches(wanted)))
        };
        let of_field = |test: &&Test| matches!(test.source, TestSource::Field);
        self.all.iter().filter(of_field).all(says) && !self.none.iter().filter(of_field).any(says)
    }

    /// What would have to be so for the condition not to hold, where later facts
    /// can bring that about.
    pub(crate) fn passing(&self) -> Option<String> {
        self.all.iter().find_map(|test| match test.source {
            TestSource::Derived(field) if field.passes => Some(test.described(false)),
            TestSource::Derived(_) | TestSource::Attribute(_) | TestSource::Field => None,
        })
    }

    /// Whether there is nothing to test.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.none.is_empty()
    }

    /// The types of fact whose arrival may change the answer.
    pub fn reads(&self) -> Vec<FactType> {
        let mut types: Vec<FactType> = self
            .all
            .iter()
            .chain(&self.none)
            .flat_map(Test::reads)
            .collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    /// The condition as a person reads it, or nothing.
    pub fn describe(&self) -> String {
        let mut parts: Vec<String> = self.all.iter().map(Test::describe).collect();
        parts.extend(self.none.iter().map(describe_exempt));
        parts.join(" and ")
    }

    pub(crate) fn read(
        wanted: Option<&Node>,
        exempt: Option<&Node>,
        facts: &[FactType],
        reading: &mut Reading<'_>,
    ) -> Result<Self, Complaint> {
        let mut read = |node: Option<&Node>| match node {
            Some(node) => read_tests(node, facts, reading),
            None => Ok(Vec::new()),
        };
        let all = read(wanted)?;
        // `unless = { level = [] }`: a choice may exempt nothing.
        let none = read(exempt)?
            .into_iter()
            .filter(|test| !test.values.is_empty())
            .collect();
        Ok(Self { all, none })
    }
}

fn read_tests(
    node: &Node,
    facts: &[FactType],
    reading: &mut Reading<'_>,
) -> Result<Vec<Test>, Complaint> {
    let table = node.table()?;
    table
        .members()
        .iter()
        .map(|(key, value)| {
            let source = source_named(&key.name, &key.place, facts, reading)?;
            let values = match source {
                TestSource::Field => {
                    let mut values = Vec::new();
                    for fact in facts {
                        values = reading.field_values(*fact, &key.name, key, value)?;
                    }
                    values
                }
                TestSource::Attribute(attribute) => {
                    reading.field_values(attribute.fact, attribute.field, key, value)?
                }
                TestSource::Derived(_) => value.scalars()?,
            };
            Ok(Test {
                name: key.name.clone(),
                source,
                values,
            })
        })
        .collect()
}

/// Reads the name of a value that is asked for but compared with nothing.
pub(crate) fn read_name(
    node: &Node,
    facts: &[FactType],
    reading: &Reading<'_>,
) -> Result<Test, Complaint> {
    let name = node.text()?;
    Ok(Test {
        name: name.to_owned(),
        source: source_named(name, &node.place, facts, reading)?,
        values: Vec::new(),
    })
}

/// Where a name takes its value from: a field all the facts have, else an
/// attribute of their process, else a derived field.
fn source_named(
    name: &str,
    place: &Place,
    facts: &[FactType],
    reading: &Reading<'_>,
) -> Result<TestSource, Complaint> {
    if !facts.is_empty() && facts.iter().all(|fact| fact.spec().field(name).is_some()) {
        return Ok(TestSource::Field);
    }
    let attributes = reading.attributes(facts);
    if let Some(attribute) = attributes.iter().find(|known| known.name == name) {
        return Ok(TestSource::Attribute(*attribute));
    }
    if let Some(field) = derived::named(name) {
        return Ok(TestSource::Derived(field));
    }
    let mut known: Vec<&str> = facts
        .iter()
        .flat_map(|fact| fact.spec().fields)
        .map(|field| field.name)
        .chain(attributes.iter().map(|attribute| attribute.name))
        .chain(derived::ALL.iter().map(|field| field.name))
        .collect();
    known.sort_unstable();
    known.dedup();
    let remedy = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    };
    Err(place.complain(
        None,
        format!("`{name}` is no field, attribute or derived field that can be tested here"),
        remedy,
    ))
}
