//! Putting a manual together: the manual, what it extends, and the rules it
//! takes, before a single clause is read.

use std::collections::BTreeSet;

use crate::source::{Complaint, Complaints, Data, Key, Node, SourceText, parse};
use crate::vocabulary::nearest;

/// How many manuals may extend each other in a row.
const CHAIN_MAX: usize = 8;

/// The rule and manual files at hand.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// Rule files, in the order of their rules.
    pub rules: Vec<SourceText>,
    /// Manual files.
    pub manuals: Vec<SourceText>,
}

/// A manual and what it extends, nearest first, with the rules it takes.
#[derive(Debug)]
pub(crate) struct Composition {
    /// The manual files, the manual itself first.
    pub(crate) chain: Vec<Node>,
    /// The names along the chain, the manual's own first.
    pub(crate) names: Vec<String>,
    /// Rule id and table, in order.
    pub(crate) rules: Vec<(Key, Node)>,
}

/// The name a manual file gives itself.
///
/// # Errors
/// If the file is not TOML or has no `[manual] name`.
pub fn manual_name(text: &SourceText) -> Result<String, Complaints> {
    let node = parse(text).map_err(|complaint| Complaints(vec![complaint]))?;
    name_of(&node).ok_or_else(|| {
        Complaints(vec![node.place.complain(
            None,
            "the file does not say which manual it is",
            "begin with [manual] and name = \"…\"",
        )])
    })
}

fn name_of(node: &Node) -> Option<String> {
    node.get("manual")?
        .get("name")?
        .text()
        .ok()
        .map(str::to_owned)
}

impl Composition {
    pub(crate) fn of(library: &Library, manual: &str) -> Result<Self, Complaints> {
        let mut complaints = Vec::new();
        let mut parsed = Vec::new();
        for text in &library.manuals {
            match parse(text) {
                Ok(node) => parsed.push((text, node)),
                Err(complaint) => complaints.push(complaint),
            }
        }
        let mut chain: Vec<Node> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut wanted = Some((manual.to_owned(), None::<Node>));
        while let Some((name, asked_by)) = wanted.take() {
            let found = parsed
                .iter()
                .find(|(_, node)| name_of(node).as_deref() == Some(name.as_str()));
            let Some((_, node)) = found else {
                if complaints.is_empty() {
                    let known: Vec<String> = parsed
                        .iter()
                        .filter_map(|(_, node)| name_of(node))
                        .collect();
                    let remedy = match nearest(&name, known.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("known: {}", known.join(", ")),
                    };
                    complaints.push(match asked_by {
                        Some(node) => node.place.complain(
                            None,
                            format!("there is no manual `{name}` to extend"),
                            remedy,
                        ),
                        None => Complaint {
                            file: format!("manual {name}"),
                            line: 1,
                            column: 1,
                            about: None,
                            problem: format!("there is no manual `{name}`"),
                            remedy,
                        },
                    });
                }
                break;
            };
            if names.contains(&name) || chain.len() == CHAIN_MAX {
                complaints.push(node.place.complain(
                    None,
                    format!("`{name}` extends itself, directly or through others"),
                    "break the circle",
                ));
                break;
            }
            names.push(name);
            wanted = node
                .get("manual")
                .and_then(|head| head.get("extends"))
                .and_then(|extends| {
                    extends
                        .text()
                        .ok()
                        .map(|name| (name.to_owned(), Some(extends.clone())))
                });
            chain.push(node.clone());
        }
        let rules = Self::take_rules(library, &chain, &names, &mut complaints);
        if complaints.is_empty() {
            Ok(Self {
                chain,
                names,
                rules,
            })
        } else {
            Err(Complaints(complaints))
        }
    }

    fn take_rules(
        library: &Library,
        chain: &[Node],
        names: &[String],
        complaints: &mut Vec<Complaint>,
    ) -> Vec<(Key, Node)> {
        let mut without: Vec<&Node> = chain
            .iter()
            .filter_map(|node| node.get("manual")?.get("but_without"))
            .flat_map(Node::items)
            .collect();
        let mut rules = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut take = |key: &Key, node: &Node, own: bool, complaints: &mut Vec<Complaint>| {
            known.insert(key.name.clone());
            let Data::Table(_) = node.data else {
                complaints.push(key.place.complain(
                    Some(&key.name),
                    "a rule is a table",
                    "write [rule-id] with its members below",
                ));
                return;
            };
            let cited = own
                || node.get("source").is_some_and(|source| {
                    source.items().iter().any(|item| {
                        item.get("manual")
                            .and_then(|manual| manual.text().ok())
                            .is_some_and(|manual| names.iter().any(|name| name == manual))
                    })
                });
            let left_out = without
                .iter()
                .any(|item| item.text().is_ok_and(|id| id == key.name));
            if !cited || left_out {
                return;
            }
            if !seen.insert(key.name.clone()) {
                complaints.push(key.place.complain(
                    Some(&key.name),
                    "there is another rule with this id",
                    "give one of them another id",
                ));
                return;
            }
            rules.push((key.clone(), node.clone()));
        };
        for text in &library.rules {
            match parse(text) {
                Ok(Node {
                    data: Data::Table(members),
                    ..
                }) => {
                    for (key, node) in &members {
                        take(key, node, false, complaints);
                    }
                }
                Ok(_) => {}
                Err(complaint) => complaints.push(complaint),
            }
        }
        for manual in chain.iter().rev() {
            if let Some(Node {
                data: Data::Table(members),
                ..
            }) = manual.get("rule")
            {
                for (key, node) in members {
                    take(key, node, true, complaints);
                }
            }
        }
        without.retain(|item| !item.text().is_ok_and(|id| known.contains(id)));
        for item in without {
            complaints.push(item.place.complain(
                None,
                "there is no such rule to leave out",
                "correct the id, or remove it from but_without",
            ));
        }
        rules
    }

    /// A section of the nearest manual that has it.
    pub(crate) fn section(&self, name: &str) -> Option<&Node> {
        self.chain.iter().find_map(|manual| manual.get(name))
    }

    /// The members of a section in all manuals that have it, from the farthest
    /// to the nearest, so that the nearest has the last word.
    pub(crate) fn members(&self, section: &str) -> impl Iterator<Item = &(Key, Node)> {
        self.chain
            .iter()
            .rev()
            .filter_map(move |manual| match &manual.get(section)?.data {
                Data::Table(members) => Some(members),
                _ => None,
            })
            .flatten()
    }
}
