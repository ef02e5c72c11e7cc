//! Maps: what the columns and activities of somebody else's log mean.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono_tz::Tz;
use serde::Deserialize;
use thirdring::core::audit::Observable;
use thirdring::core::vocabulary::{FactType, FieldType, nearest};
use thirdring::manuals;
use toml::Spanned;

use crate::exit::Exit;
use crate::failure::{Failure, Told};
use crate::output::shorten;

/// A map, read and checked.
#[derive(Debug)]
pub(crate) struct LogMap {
    pub(crate) case: String,
    pub(crate) activity: String,
    pub(crate) time: String,
    pub(crate) time_format: String,
    /// The zone of the times; `None` where each names its own offset.
    pub(crate) zone: Option<Tz>,
    /// The column that names who did it.
    pub(crate) actor: Option<String>,
    pub(crate) role: String,
    pub(crate) delimiter: u8,
    pub(crate) first_event: Option<Yield>,
    pub(crate) ignore: BTreeSet<String>,
    /// Activity → the fact it is.
    pub(crate) facts: BTreeMap<String, Yield>,
    pub(crate) observable: Observable,
}

/// A fact that rows yield.
#[derive(Debug, Clone)]
pub(crate) struct Yield {
    pub(crate) fact: FactType,
    pub(crate) role: Option<String>,
    /// Whether only the last one of a case counts.
    pub(crate) only_last: bool,
    /// Key or field → where its value comes from.
    pub(crate) fields: BTreeMap<String, Origin>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// The same in every row.
    Constant(serde_json::Value),
    /// A column.
    Column(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMap {
    log: RawLog,
    #[serde(default)]
    fact: Vec<RawFact>,
    observable: Option<RawObservable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    format: Spanned<String>,
    case: String,
    activity: String,
    time: String,
    time_format: String,
    zone: Option<Spanned<String>>,
    actor: Option<String>,
    role: String,
    delimiter: Option<Spanned<String>>,
    first_event: Option<Spanned<RawFirst>>,
    #[serde(default)]
    ignore: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawFirst {
    Name(String),
    Fact(RawYield),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawYield {
    fact: String,
    role: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, RawOrigin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFact {
    activity: OneOrMore,
    fact: Spanned<String>,
    role: Option<String>,
    #[serde(default)]
    only_last: bool,
    #[serde(default)]
    fields: BTreeMap<String, RawOrigin>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawOrigin {
    Column(RawColumn),
    Flag(bool),
    Int(i64),
    Text(String),
    Texts(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    column: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawObservable {
    facts: Spanned<Vec<String>>,
    #[serde(default)]
    fields: Vec<Spanned<String>>,
}

impl LogMap {
    /// A shipped map by its name, or one from a file ending in `.toml`.
    ///
    /// # Errors
    /// If there is none, or it is wrong: then where.
    pub(crate) fn open(name: &str) -> Result<Self, Failure> {
        if Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text =
                std::fs::read_to_string(name).map_err(|error| Failure::unreadable(name, &error))?;
            return Self::read(name, &text);
        }
        match manuals::MAPS.iter().find(|(known, _)| *known == name) {
            Some((known, text)) => Self::read(known, text),
            None => {
                let known: Vec<&str> = manuals::MAPS.iter().map(|(known, _)| *known).collect();
                let shown = shorten(name);
                Err(Failure::usage(
                    format!("there is no map `{shown}`"),
                    format!(
                        "shipped: {}; a file of your own ends in .toml",
                        known.join(", ")
                    ),
                ))
            }
        }
    }

    /// Reads a map.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, Failure> {
        let reader = Reader { file, text };
        let raw: RawMap = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            reader.wrong(
                at,
                error.message().to_owned(),
                "see the shipped map `helpdesk` for an example",
            )
        })?;
        reader.map(raw)
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn wrong(&self, at: usize, problem: String, remedy: impl Into<String>) -> Failure {
        let told = Told::new(problem, remedy)
            .file(self.file)
            .at_byte(self.text, at);
        Failure::one(Exit::Input, told)
    }

    fn map(&self, raw: RawMap) -> Result<LogMap, Failure> {
        let log = raw.log;
        if log.format.get_ref() != "csv" {
            return Err(self.wrong(
                log.format.span().start,
                format!(
                    "logs in the format `{}` cannot be read",
                    log.format.get_ref()
                ),
                "write format = \"csv\"",
            ));
        }
        let zone = match &log.zone {
            None => None,
            Some(zone) => Some(zone.get_ref().parse::<Tz>().map_err(|_| {
                self.wrong(
                    zone.span().start,
                    format!("`{}` is no time zone", zone.get_ref()),
                    "write a name such as \"UTC\" or \"Europe/Rome\"",
                )
            })?),
        };
        let delimiter = match &log.delimiter {
            None => b',',
            Some(text) => match text.get_ref().as_bytes() {
                [byte] => *byte,
                _ => {
                    return Err(self.wrong(
                        text.span().start,
                        "a delimiter is one ASCII character".to_owned(),
                        "write e.g. delimiter = \";\"",
                    ));
                }
            },
        };
        let first_event = match log.first_event {
            None => None,
            Some(first) => {
                let at = first.span().start;
                let raw = match first.into_inner() {
                    RawFirst::Name(fact) => RawYield {
                        fact,
                        role: None,
                        fields: BTreeMap::new(),
                    },
                    RawFirst::Fact(raw) => raw,
                };
                Some(self.one(at, &raw.fact, raw.role, raw.fields)?)
            }
        };
        let mut facts = BTreeMap::new();
        for fact in raw.fact {
            let at = fact.fact.span().start;
            let found = self.one(at, fact.fact.get_ref(), fact.role, fact.fields)?;
            let found = Yield {
                only_last: fact.only_last,
                ..found
            };
            let activities = match fact.activity {
                OneOrMore::One(one) => vec![one],
                OneOrMore::More(more) => more,
            };
            for activity in activities {
                let ignored = log.ignore.contains(&activity);
                if ignored || facts.insert(activity.clone(), found.clone()).is_some() {
                    return Err(self.wrong(
                        at,
                        format!("the activity `{activity}` is mapped twice"),
                        "let each activity be one fact, or ignore it",
                    ));
                }
            }
        }
        let observable = match raw.observable {
            Some(observable) => self.observable(observable)?,
            None => yielded(first_event.iter().chain(facts.values())),
        };
        Ok(LogMap {
            case: log.case,
            activity: log.activity,
            time: log.time,
            time_format: log.time_format,
            zone,
            actor: log.actor,
            role: log.role,
            delimiter,
            first_event,
            ignore: log.ignore,
            facts,
            observable,
        })
    }

    fn fact(&self, at: usize, name: &str) -> Result<FactType, Failure> {
        FactType::named(name).ok_or_else(|| {
            let remedy = match nearest(name, FactType::all().map(FactType::name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`thirdring schema` lists all facts".to_owned(),
            };
            self.wrong(at, format!("`{name}` is no fact"), remedy)
        })
    }

    fn one(
        &self,
        at: usize,
        name: &str,
        role: Option<String>,
        raw: BTreeMap<String, RawOrigin>,
    ) -> Result<Yield, Failure> {
        let fact = self.fact(at, name)?;
        let spec = fact.spec();
        let mut fields = BTreeMap::new();
        for (field, origin) in raw {
            let is_key = spec.key.is_some_and(|key| key.name == field);
            let evidence = spec
                .field(&field)
                .is_some_and(|(_, known)| known.field_type == FieldType::Evidence);
            if evidence || (!is_key && spec.field(&field).is_none()) {
                return Err(self.unknown_field(at, fact, &field));
            }
            let origin = match origin {
                RawOrigin::Column(from) => Origin::Column(from.column),
                RawOrigin::Flag(flag) => Origin::Constant(flag.into()),
                RawOrigin::Int(number) => Origin::Constant(number.into()),
                RawOrigin::Text(text) => Origin::Constant(text.into()),
                RawOrigin::Texts(texts) => Origin::Constant(texts.into()),
            };
            fields.insert(field, origin);
        }
        if let Some(key) = spec
            .key
            .filter(|key| !key.optional && !fields.contains_key(key.name))
        {
            return Err(self.wrong(
                at,
                format!(
                    "`{name}` belongs to one {}, which the map does not give",
                    key.name
                ),
                format!("add it to fields, e.g. {} = \"1\"", key.name),
            ));
        }
        Ok(Yield {
            fact,
            role,
            only_last: false,
            fields,
        })
    }

    fn unknown_field(&self, at: usize, fact: FactType, field: &str) -> Failure {
        let spec = fact.spec();
        let known: Vec<&str> = spec
            .key
            .iter()
            .map(|key| key.name)
            .chain(spec.fields.iter().map(|f| f.name))
            .collect();
        let remedy = if known.is_empty() {
            "leave it out".to_owned()
        } else {
            format!("it has: {}", known.join(", "))
        };
        self.wrong(
            at,
            format!("`{fact}` has no field `{field}` that a log could fill"),
            remedy,
        )
    }

    fn observable(&self, raw: RawObservable) -> Result<Observable, Failure> {
        let at = raw.facts.span().start;
        let facts = raw
            .facts
            .get_ref()
            .iter()
            .map(|name| self.fact(at, name))
            .collect::<Result<_, _>>()?;
        let mut fields = BTreeSet::new();
        for named in &raw.fields {
            let at = named.span().start;
            let Some((fact, field)) = named.get_ref().split_once('.') else {
                return Err(self.wrong(
                    at,
                    format!("`{}` does not name a fact and its field", named.get_ref()),
                    "write e.g. \"request_received.customer\"",
                ));
            };
            let fact = self.fact(at, fact)?;
            if fact.spec().field(field).is_none() {
                return Err(self.unknown_field(at, fact, field));
            }
            fields.insert((fact, field.to_owned()));
        }
        Ok(Observable {
            facts: Some(facts),
            fields,
        })
    }
}

/// Where the map does not say what the log shows: what it yields.
fn yielded<'a>(yields: impl Iterator<Item = &'a Yield>) -> Observable {
    let mut facts = BTreeSet::new();
    let mut fields = BTreeSet::new();
    for one in yields {
        facts.insert(one.fact);
        fields.extend(one.fields.keys().map(|field| (one.fact, field.clone())));
    }
    Observable {
        facts: Some(facts),
        fields,
    }
}
