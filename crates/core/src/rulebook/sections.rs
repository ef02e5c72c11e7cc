//! The sections of a manual beside its rules: calendar, roles, words, testimony.

use std::collections::{BTreeMap, BTreeSet};

use thirdring_calendar::{Calendar, CalendarDefinition};

use super::Composition;
use crate::forms::limit::Limit;
use crate::manual::{Roles, Testimony, Unannounced, WordList};
use crate::source::{Complaint, Data, Key, Node};
use crate::vocabulary::{FactType, FieldType, nearest};

/// A fact recorded more than this after it happened is testimony, unless the
/// manual says otherwise.
const TOLERANCE_SECONDS: i64 = 300;

const SECTIONS: &[&str] = &[
    "manual",
    "calendar",
    "calendars",
    "roles",
    "words",
    "testimony",
    "horizon",
    "corrections",
    "choice",
    "change",
    "rule",
];

pub(super) fn check_sections(manual: &Node, complaints: &mut Vec<Complaint>) {
    let Data::Table(members) = &manual.data else {
        return;
    };
    for (key, node) in members {
        if !SECTIONS.contains(&key.name.as_str()) {
            let remedy = match nearest(&key.name, SECTIONS.iter().copied()) {
                Some(near) => format!("did you mean [{near}]?"),
                None => format!("a manual has: {}", SECTIONS.join(", ")),
            };
            complaints.push(key.place.complain(
                None,
                format!("[{}] is no section of a manual", key.name),
                remedy,
            ));
        } else if !matches!(node.data, Data::Table(_)) {
            complaints.push(key.place.complain(
                None,
                format!("`{}` is a section, not a {}", key.name, node.kind()),
                format!("write [{}] with its members below", key.name),
            ));
        }
    }
    for (section, known) in [
        (
            "manual",
            ["name", "title", "extends", "but_without", "note"].as_slice(),
        ),
        ("testimony", &["tolerance"]),
        ("horizon", &["unannounced"]),
        ("corrections", &["by"]),
    ] {
        if let Some(Ok(mut table)) = manual.get(section).map(Node::table) {
            for name in known {
                table.take(name);
            }
            table.finish(complaints);
        }
    }
    for name in ["title", "extends"] {
        let member = manual.get("manual").and_then(|head| head.get(name));
        if let Some(Err(complaint)) = member.map(Node::text) {
            complaints.push(complaint);
        }
    }
}

pub(super) fn read_roles(composition: &Composition, complaints: &mut Vec<Complaint>) -> Roles {
    let mut roles = Roles::default();
    for (key, node) in composition.members("roles") {
        match node.texts() {
            Ok(aliases) => {
                roles.aliases.insert(key.name.clone(), aliases);
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
    // A canonical word is a word too.
    let mut seen: BTreeSet<&str> = roles.aliases.keys().map(String::as_str).collect();
    for word in roles.aliases.values().flatten() {
        if !seen.insert(word)
            && let Some(node) = composition.section("roles")
        {
            complaints.push(node.place.complain(
                None,
                format!("two roles go by the word `{word}`"),
                "let each word mean one role",
            ));
        }
    }
    roles
}

pub(super) fn read_words(
    composition: &Composition,
    complaints: &mut Vec<Complaint>,
) -> Vec<WordList> {
    let mut lists: Vec<WordList> = Vec::new();
    for (key, node) in composition.members("words") {
        match read_list(key, node) {
            Ok(list) => {
                lists.retain(|known| known.fact != list.fact || known.field != list.field);
                lists.push(list);
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
    lists
}

fn read_list(key: &Key, node: &Node) -> Result<WordList, Complaint> {
    let unknown = |problem: String| {
        key.place.complain(
            None,
            problem,
            "write e.g. \"request_received.kind\" = [\"fault\", \"inquiry\"]",
        )
    };
    let (fact, field) = key
        .name
        .split_once('.')
        .ok_or_else(|| unknown(format!("`{}` names no field", key.name)))?;
    let fact_type = FactType::named(fact).ok_or_else(|| unknown(format!("`{fact}` is no fact")))?;
    match fact_type.spec().field(field) {
        Some((_, spec))
            if matches!(
                spec.field_type,
                FieldType::Int | FieldType::Word | FieldType::Words
            ) =>
        {
            Ok(WordList {
                fact: fact_type,
                field: field.to_owned(),
                values: node.scalars()?,
            })
        }
        Some((_, spec)) => Err(unknown(format!(
            "`{}` holds a {}, which needs no list",
            key.name,
            spec.field_type.name()
        ))),
        None => Err(unknown(format!("`{fact}` has no field `{field}`"))),
    }
}

pub(super) fn read_calendar(
    composition: &Composition,
) -> Result<(CalendarDefinition, Calendar), Complaint> {
    let Some(node) = composition.section("calendar") else {
        let place = composition.chain.first().map(|node| node.place.clone());
        return Err(match place {
            Some(place) => place.complain(
                None,
                "the manual has no calendar",
                "add [calendar] with tz, weekly hours and holidays",
            ),
            None => unreachable_complaint(),
        });
    };
    read_definition("calendar", node)
}

/// The calendars under `[calendars.name]`; the nearest manual has the last word.
pub(super) fn read_named_calendars(
    composition: &Composition,
    complaints: &mut Vec<Complaint>,
) -> BTreeMap<String, (CalendarDefinition, Calendar)> {
    let mut calendars = BTreeMap::new();
    for (key, node) in composition.members("calendars") {
        match read_definition(&format!("calendars.{}", key.name), node) {
            Ok(read) => {
                calendars.insert(key.name.clone(), read);
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
    calendars
}

fn read_definition(
    section: &str,
    node: &Node,
) -> Result<(CalendarDefinition, Calendar), Complaint> {
    let wrong = |problem: String| {
        node.place
            .complain(Some(section), problem, "correct the calendar")
    };
    let definition: CalendarDefinition =
        serde_json::from_value(node.to_json()).map_err(|error| wrong(error.to_string()))?;
    let calendar = Calendar::compile(&definition).map_err(|error| wrong(error.to_string()))?;
    Ok((definition, calendar))
}

fn unreachable_complaint() -> Complaint {
    Complaint {
        file: String::new(),
        line: 0,
        column: 0,
        about: None,
        problem: "there is no manual".to_owned(),
        remedy: "name one".to_owned(),
    }
}

/// What a due moment is worth that needs holidays nobody has announced.
pub(super) fn read_horizon(
    composition: &Composition,
    complaints: &mut Vec<Complaint>,
) -> Unannounced {
    let Some(node) = composition
        .section("horizon")
        .and_then(|node| node.get("unannounced"))
    else {
        return Unannounced::default();
    };
    match node.text() {
        Ok("flag") => Unannounced::Flag,
        Ok("refuse") => Unannounced::Refuse,
        Ok(other) => {
            complaints.push(node.place.complain(
                Some("horizon"),
                format!("`{other}` is no way to treat a year without announced holidays"),
                "write flag (the moment is given and marked) or refuse (none is given)",
            ));
            Unannounced::default()
        }
        Err(complaint) => {
            complaints.push(complaint);
            Unannounced::default()
        }
    }
}

pub(super) fn read_testimony(
    composition: &Composition,
    complaints: &mut Vec<Complaint>,
) -> Testimony {
    let mut testimony = Testimony {
        tolerance_seconds: TOLERANCE_SECONDS,
    };
    if let Some(node) = composition
        .section("testimony")
        .and_then(|node| node.get("tolerance"))
    {
        match Limit::read(node) {
            Ok(Limit::Clock(seconds)) => testimony.tolerance_seconds = seconds,
            Ok(_) => complaints.push(node.place.complain(
                Some("testimony"),
                "the tolerance is clock time",
                "write e.g. \"10 clock minutes\"",
            )),
            Err(complaint) => complaints.push(complaint),
        }
    }
    testimony
}
