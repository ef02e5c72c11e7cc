//! Rule and manual files as trees that remember where everything stands, so
//! that every complaint names file, line and column.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::vocabulary::{Scalar, nearest, printable};

/// A text file that was handed in: the core reads no files itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The file's name, as errors show it.
    pub name: String,
    /// Its content.
    pub text: String,
}

impl SourceText {
    /// A file's name and content.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

/// One complaint about a rule or manual file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
    /// The rule or section it is about.
    pub about: Option<String>,
    /// What is wrong.
    pub problem: String,
    /// How to mend it.
    pub remedy: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if let Some(about) = &self.about {
            write!(f, "[{about}] ")?;
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// Everything that is wrong with a manual and the rules it takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Complaints(pub Vec<Complaint>);

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, complaint) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(complaint, f)?;
        }
        Ok(())
    }
}

/// A place in a source text.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    source: Arc<SourceText>,
    span: Range<usize>,
}

impl Place {
    pub(crate) fn complain(
        &self,
        about: Option<&str>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Complaint {
        let before = self.source.text.get(..self.span.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Complaint {
            file: self.source.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            about: about.map(printable),
            problem: printable(&problem.into()),
            remedy: printable(&remedy.into()),
        }
    }
}

/// What a node of the tree is.
#[derive(Debug, Clone)]
pub(crate) enum Data {
    Text(String),
    Int(i64),
    Flag(bool),
    List(Vec<Node>),
    Table(Vec<(Key, Node)>),
    /// Something rule files have no use for: its name.
    Other(&'static str),
}

/// The name of a member of a table.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) data: Data,
    pub(crate) place: Place,
}

/// Parses a TOML text.
pub(crate) fn parse(source: &SourceText) -> Result<Node, Complaint> {
    let source = Arc::new(source.clone());
    let place = |span: Range<usize>| Place {
        source: Arc::clone(&source),
        span,
    };
    match DeTable::parse(&source.text) {
        Ok(table) => {
            let span = table.span();
            let mut members = convert_table(table.get_ref(), &source);
            sort_by_place(&mut members);
            Ok(Node {
                data: Data::Table(members),
                place: place(span),
            })
        }
        Err(error) => Err(place(error.span().unwrap_or(0..0)).complain(
            None,
            format!("this is not TOML: {}", error.message()),
            "mend the syntax here",
        )),
    }
}

fn convert_table(table: &DeTable<'_>, source: &Arc<SourceText>) -> Vec<(Key, Node)> {
    table
        .iter()
        .map(|(name, value)| {
            let key = Key {
                name: name.get_ref().to_string(),
                place: Place {
                    source: Arc::clone(source),
                    span: name.span(),
                },
            };
            (key, convert(value.get_ref(), value.span(), source))
        })
        .collect()
}

/// TOML tables come sorted by name; the order of rules is the order in the file.
fn sort_by_place(members: &mut [(Key, Node)]) {
    members.sort_by_key(|(key, _)| key.place.span.start);
}

fn convert(value: &DeValue<'_>, span: Range<usize>, source: &Arc<SourceText>) -> Node {
    let data = match value {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Data::Int(number),
            Err(_) => Data::Other("number too large"),
        },
        DeValue::Boolean(flag) => Data::Flag(*flag),
        DeValue::Array(items) => Data::List(
            items
                .iter()
                .map(|item| convert(item.get_ref(), item.span(), source))
                .collect(),
        ),
        DeValue::Table(table) => {
            let mut members = convert_table(table, source);
            sort_by_place(&mut members);
            Data::Table(members)
        }
        DeValue::Float(_) => Data::Other("number with a fraction"),
        DeValue::Datetime(_) => Data::Other("date"),
    };
    Node {
        data,
        place: Place {
            source: Arc::clone(source),
            span,
        },
    }
}

impl Node {
    pub(crate) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Text(_) => "text",
            Data::Int(_) => "number",
            Data::Flag(_) => "true or false",
            Data::List(_) => "list",
            Data::Table(_) => "table",
            Data::Other(name) => name,
        }
    }

    fn wrong(&self, wanted: &str, example: &str) -> Complaint {
        self.place.complain(
            None,
            format!("expected {wanted}, got a {}", self.kind()),
            format!("write e.g. {example}"),
        )
    }

    pub(crate) fn text(&self) -> Result<&str, Complaint> {
        match &self.data {
            Data::Text(text) => Ok(text),
            _ => Err(self.wrong("text", "\"call_answered\"")),
        }
    }

    pub(crate) fn flag(&self) -> Result<bool, Complaint> {
        match &self.data {
            Data::Flag(flag) => Ok(*flag),
            _ => Err(self.wrong("true or false", "true")),
        }
    }

    pub(crate) fn int(&self) -> Result<i64, Complaint> {
        match &self.data {
            Data::Int(number) => Ok(*number),
            _ => Err(self.wrong("a whole number", "3")),
        }
    }

    pub(crate) fn scalar(&self) -> Result<Scalar, Complaint> {
        match &self.data {
            Data::Text(text) => Ok(Scalar::Word(text.clone())),
            Data::Int(number) => Ok(Scalar::Int(*number)),
            Data::Flag(flag) => Ok(Scalar::Flag(*flag)),
            _ => Err(self.wrong("a word, a number, true or false", "\"customer\"")),
        }
    }

    /// A list, or a single item standing for a list of one.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// A list, or a single item standing for one, with at least one item.
    pub(crate) fn some_items(&self) -> Result<&[Self], Complaint> {
        match self.items() {
            [] => Err(self
                .place
                .complain(None, "the list is empty", "name at least one")),
            items => Ok(items),
        }
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, Complaint> {
        self.items()
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect()
    }

    pub(crate) fn scalars(&self) -> Result<Vec<Scalar>, Complaint> {
        self.items().iter().map(Self::scalar).collect()
    }

    pub(crate) fn table(&self) -> Result<Table<'_>, Complaint> {
        match &self.data {
            Data::Table(members) => Ok(Table {
                members,
                place: &self.place,
                used: Vec::new(),
            }),
            _ => Err(self.wrong("a table", "{ fact = \"call_answered\" }")),
        }
    }

    /// Replaces `{name}` by what `choose` knows for it: the whole value where
    /// the text is nothing else, its text inside longer text.
    ///
    /// # Errors
    /// Names a placeholder nothing is known for.
    pub(crate) fn fill(&mut self, choose: &dyn Fn(&str) -> Option<Self>) -> Result<(), Complaint> {
        match &mut self.data {
            Data::Text(text) => {
                // What was filled in is not looked at again: a choice may hold braces.
                let mut done = 0;
                while let Some((start, end)) = placeholder(text, done) {
                    let name = text.get(start + 1..end).unwrap_or_default().to_owned();
                    let Some(chosen) = choose(&name) else {
                        return Err(self.place.complain(
                            None,
                            format!("`{{{name}}}` is not among the rule's choices"),
                            format!("declare it: choose.{name} = […]"),
                        ));
                    };
                    if start == 0 && end + 1 == text.len() {
                        self.data = chosen.data;
                        return Ok(());
                    }
                    let plain = match &chosen.data {
                        Data::Text(chosen) => chosen.clone(),
                        Data::Int(number) => number.to_string(),
                        Data::Flag(flag) => flag.to_string(),
                        Data::List(_) | Data::Table(_) | Data::Other(_) => {
                            return Err(chosen.place.complain(
                                None,
                                format!(
                                    "`{name}` stands inside a text, so its choices are plain words"
                                ),
                                "choose a word or a number",
                            ));
                        }
                    };
                    text.replace_range(start..=end, &plain);
                    done = start + plain.len();
                }
                Ok(())
            }
            Data::List(items) => items.iter_mut().try_for_each(|item| item.fill(choose)),
            Data::Table(members) => members
                .iter_mut()
                .try_for_each(|(_, member)| member.fill(choose)),
            Data::Int(_) | Data::Flag(_) | Data::Other(_) => Ok(()),
        }
    }

    /// The node as canonical JSON: what a digest is taken over.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.data {
            Data::Text(text) => Json::from(text.clone()),
            Data::Int(number) => Json::from(*number),
            Data::Flag(flag) => Json::from(*flag),
            Data::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Data::Table(members) => {
                // Sorted here, so that no build option of the JSON crate decides.
                let mut sorted: Vec<&(Key, Self)> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
                Json::Object(
                    sorted
                        .into_iter()
                        .map(|(key, value)| (key.name.clone(), value.to_json()))
                        .collect(),
                )
            }
            Data::Other(name) => Json::from(*name),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match &self.data {
            Data::Table(members) => members
                .iter()
                .find(|(key, _)| key.name == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Sets or adds a member of a table.
    pub(crate) fn put(&mut self, key: Key, value: Self) {
        if let Data::Table(members) = &mut self.data {
            match members.iter_mut().find(|(known, _)| known.name == key.name) {
                Some((_, slot)) => *slot = value,
                None => members.push((key, value)),
            }
        }
    }
}

/// The first `{name}` in a text from a place on: where the braces stand.
fn placeholder(text: &str, from: usize) -> Option<(usize, usize)> {
    text.get(from..)?
        .match_indices('{')
        .find_map(|(offset, _)| {
            let start = from + offset;
            let end = start + text.get(start..)?.find('}')?;
            let name = text.get(start + 1..end)?;
            let plain =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            plain.then_some((start, end))
        })
}

/// A table being read: it knows which members were asked for, and complains of
/// the others.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    members: &'a [(Key, Node)],
    pub(crate) place: &'a Place,
    used: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'a Node> {
        self.used.push(name);
        self.members
            .iter()
            .find(|(key, _)| key.name == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn demand(
        &mut self,
        name: &'static str,
        example: &str,
    ) -> Result<&'a Node, Complaint> {
        let place = self.place;
        self.take(name).ok_or_else(|| {
            place.complain(
                None,
                format!("`{name}` is missing"),
                format!("write e.g. {name} = {example}"),
            )
        })
    }

    /// The one of two members that is there, and whether it is the second: of a
    /// list any one may do, or all are wanted.
    pub(crate) fn any_or_all(
        &mut self,
        (any, all): (&'static str, &'static str),
        problem: &str,
        remedy: &str,
    ) -> Result<(&'a Node, bool), Complaint> {
        match (self.take(any), self.take(all)) {
            (Some(node), None) => Ok((node, false)),
            (None, Some(node)) => Ok((node, true)),
            (Some(node), Some(_)) => Err(node.place.complain(
                None,
                format!("`{any}` and `{all}` stand in one clause"),
                "write two clauses",
            )),
            (None, None) => Err(self.place.complain(None, problem, remedy)),
        }
    }

    pub(crate) fn members(&self) -> &'a [(Key, Node)] {
        self.members
    }

    /// Whether a member of this name was asked for so far.
    pub(crate) fn asked_for(&self, name: &str) -> bool {
        self.used.contains(&name)
    }

    /// Complains of every member nobody asked for.
    pub(crate) fn finish(&self, complaints: &mut Vec<Complaint>) {
        for (key, _) in self.members {
            if !self.used.contains(&key.name.as_str()) {
                let mut known = self.used.clone();
                known.sort_unstable();
                known.dedup();
                let remedy = match nearest(&key.name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                complaints.push(key.place.complain(
                    None,
                    format!("`{}` is not known here", key.name),
                    remedy,
                ));
            }
        }
    }
}
