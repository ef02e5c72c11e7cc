//! Reading a composed manual: sections, choices, changes, and every clause.

use std::collections::BTreeSet;

use thirdring_calendar::{Calendar, CalendarDefinition, HolidayList};

use super::{Change, Choice, Composition, Rule, Rulebook, Source, WrittenCase};
use crate::digest::Digest;
use crate::forms::Clause;
use crate::forms::limit::Limit;
use crate::forms::reading::{Mention, Reading};
use crate::manual::{Roles, Testimony, WordList};
use crate::source::{Complaint, Complaints, Data, Key, Node};
use crate::vocabulary::{FactType, FieldType, nearest};

/// A fact recorded more than this after it happened is testimony, unless the
/// manual says otherwise.
const TOLERANCE_SECONDS: i64 = 300;

const SECTIONS: &[&str] = &[
    "manual",
    "calendar",
    "roles",
    "words",
    "testimony",
    "corrections",
    "choice",
    "change",
    "rule",
];

pub(crate) fn rulebook(composition: Composition) -> Result<Rulebook, Complaints> {
    let mut complaints = Vec::new();
    for manual in &composition.chain {
        check_sections(manual, &mut complaints);
    }
    let roles = read_roles(&composition, &mut complaints);
    let words = read_words(&composition, &mut complaints);
    let (calendar_definition, calendar) = match read_calendar(&composition) {
        Ok(read) => read,
        Err(complaint) => {
            complaints.push(complaint);
            return Err(Complaints(complaints));
        }
    };
    let testimony = read_testimony(&composition, &mut complaints);
    let mut reading = Reading::new(&roles);
    let mut rules = Vec::new();
    let mut canonical = Vec::new();
    for (key, node) in &composition.rules {
        let mut found = Vec::new();
        match read_rule(key, node.clone(), &composition, &mut reading, &mut found) {
            Ok((rule, resolved)) => {
                canonical.push((key.name.clone(), resolved));
                rules.push(rule);
            }
            Err(complaint) => found.push(complaint),
        }
        complaints.extend(found.into_iter().map(|mut complaint| {
            complaint.about.get_or_insert_with(|| key.name.clone());
            complaint
        }));
    }
    check_choice_names(&composition, &mut complaints);
    let corrected_by = match composition
        .section("corrections")
        .and_then(|node| node.get("by"))
    {
        None => Vec::new(),
        Some(node) => reading.roles(node).unwrap_or_else(|complaint| {
            complaints.push(complaint);
            Vec::new()
        }),
    };
    check_mentions(&reading.mentions, &rules, &words, &mut complaints);
    if !complaints.is_empty() {
        return Err(Complaints(complaints));
    }
    let name = composition.names.first().cloned().unwrap_or_default();
    let title = composition
        .section("manual")
        .and_then(|head| head.get("title"))
        .and_then(|title| title.text().ok())
        .unwrap_or(&name)
        .to_owned();
    let digest = digest(&name, &composition, &calendar_definition, &canonical);
    Ok(Rulebook {
        name,
        title,
        digest,
        rules,
        roles,
        words,
        calendar_definition,
        calendar,
        testimony,
        corrected_by,
        warnings: Vec::new(),
        guards: Vec::new(),
        clocks: Vec::new(),
        touched: Vec::new(),
        permissions: Vec::new(),
    })
}

fn check_sections(manual: &Node, complaints: &mut Vec<Complaint>) {
    let Data::Table(members) = &manual.data else {
        return;
    };
    for (key, _) in members {
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
        }
    }
    if let Some(head) = manual.get("manual") {
        match head.table() {
            Ok(mut table) => {
                for name in ["name", "title", "extends", "rules", "but_without", "note"] {
                    table.take(name);
                }
                table.finish(complaints);
            }
            Err(complaint) => complaints.push(complaint),
        }
    }
}

fn read_roles(composition: &Composition, complaints: &mut Vec<Complaint>) -> Roles {
    let mut roles = Roles::default();
    // From the farthest to the nearest, so that the nearest has the last word.
    for manual in composition.chain.iter().rev() {
        let Some(Node {
            data: Data::Table(members),
            ..
        }) = manual.get("roles")
        else {
            continue;
        };
        for (key, node) in members {
            match node.texts() {
                Ok(aliases) => {
                    roles.aliases.insert(key.name.clone(), aliases);
                }
                Err(complaint) => complaints.push(complaint),
            }
        }
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
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

fn read_words(composition: &Composition, complaints: &mut Vec<Complaint>) -> Vec<WordList> {
    let mut lists: Vec<WordList> = Vec::new();
    for manual in composition.chain.iter().rev() {
        let Some(Node {
            data: Data::Table(members),
            ..
        }) = manual.get("words")
        else {
            continue;
        };
        for (key, node) in members {
            match read_list(key, node) {
                Ok(list) => {
                    lists.retain(|known| known.fact != list.fact || known.field != list.field);
                    lists.push(list);
                }
                Err(complaint) => complaints.push(complaint),
            }
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

fn read_calendar(composition: &Composition) -> Result<(CalendarDefinition, Calendar), Complaint> {
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
    let wrong = |problem: String| {
        node.place
            .complain(Some("calendar"), problem, "correct the calendar")
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

fn read_testimony(composition: &Composition, complaints: &mut Vec<Complaint>) -> Testimony {
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

fn read_rule(
    key: &Key,
    mut node: Node,
    composition: &Composition,
    reading: &mut Reading<'_>,
    complaints: &mut Vec<Complaint>,
) -> Result<(Rule, Node), Complaint> {
    let changes = apply_changes(&key.name, &mut node, composition)?;
    let choices = apply_choices(&key.name, &mut node, composition)?;
    let mut table = node.table()?;
    let says = table
        .demand("says", "\"One English sentence.\"")?
        .text()?
        .to_owned();
    let sources = read_sources(table.demand(
        "source",
        "[{ manual = \"unis\", section = \"5.5\", quote = \"…\" }]",
    )?)?;
    let note = table
        .take("note")
        .map(Node::text)
        .transpose()?
        .map(str::to_owned);
    table.take("choose");
    let mut cases = Vec::new();
    for (name, breaks) in [("kept", false), ("broken", true)] {
        if let Some(written) = table.take(name) {
            cases.extend(read_cases(written, breaks)?);
        }
    }
    let more = table.take("and");
    let mut clauses = Vec::new();
    let read = Clause::read(&mut table, 1, reading);
    table.finish(complaints);
    clauses.push(read?);
    for (node, number) in more.iter().flat_map(|node| node.items()).zip(2u16..) {
        let mut table = node.table()?;
        let read = Clause::read(&mut table, number, reading);
        table.finish(complaints);
        clauses.push(read?);
    }
    let rule = Rule {
        id: key.name.as_str().into(),
        says,
        sources,
        note,
        clauses,
        cases,
        choices,
        changes,
        place: key.place.clone(),
    };
    Ok((rule, node))
}

fn read_sources(node: &Node) -> Result<Vec<Source>, Complaint> {
    node.items()
        .iter()
        .map(|item| {
            let mut table = item.table()?;
            let manual = table.demand("manual", "\"unis\"")?.text()?.to_owned();
            let section = table
                .take("section")
                .map(Node::text)
                .transpose()?
                .unwrap_or_default()
                .to_owned();
            let quote = table.take("quote").or_else(|| table.take("quotes"));
            table.take("quotes");
            let quotes = match quote {
                Some(node) => node.texts()?,
                None => Vec::new(),
            };
            if quotes.iter().all(|quote| quote.trim().is_empty()) {
                return Err(item.place.complain(
                    None,
                    "the source quotes nothing",
                    "add quote = \"…\" in the manual's own words",
                ));
            }
            let mut complaints = Vec::new();
            table.finish(&mut complaints);
            match complaints.pop() {
                Some(complaint) => Err(complaint),
                None => Ok(Source {
                    manual,
                    section,
                    quotes,
                }),
            }
        })
        .collect()
}

fn read_cases(node: &Node, breaks: bool) -> Result<Vec<WrittenCase>, Complaint> {
    let nested = node
        .items()
        .iter()
        .any(|item| matches!(item.data, Data::List(_)));
    let histories: &[Node] = if nested {
        node.items()
    } else {
        std::slice::from_ref(node)
    };
    histories
        .iter()
        .map(|history| {
            Ok(WrittenCase {
                steps: history.texts()?,
                breaks,
                place: history.place.clone(),
            })
        })
        .collect()
}

/// Sets what `[change.rule-id]` says, in the clause it names (the first by
/// default).
fn apply_changes(
    id: &str,
    node: &mut Node,
    composition: &Composition,
) -> Result<Vec<Change>, Complaint> {
    let mut changes = Vec::new();
    for manual in composition.chain.iter().rev() {
        let Some(change) = manual.get("change").and_then(|all| all.get(id)) else {
            continue;
        };
        let Data::Table(members) = &change.data else {
            return Err(change.place.complain(
                Some(id),
                "a change is a table",
                "write [change.rule-id]",
            ));
        };
        let because = demand_because(change, id)?;
        let clause = match change.get("clause") {
            None => 1,
            Some(node) => node.int()?,
        };
        for (key, value) in members {
            if key.name == "because" || key.name == "clause" {
                continue;
            }
            if matches!(key.name.as_str(), "says" | "source" | "choose" | "and") {
                return Err(key.place.complain(
                    Some(id),
                    format!("`{}` is the text's own and cannot be changed", key.name),
                    "change the clause's members, or write a rule of your own under [rule.…]",
                ));
            }
            changes.push(Change {
                what: format!("{} = {}", key.name, value.to_json()),
                because: because.clone(),
            });
            let target = if clause == 1 {
                Some(&mut *node)
            } else {
                further_clause(node, clause)
            };
            match target {
                Some(target) => target.put(key.clone(), value.clone()),
                None => {
                    return Err(key.place.complain(
                        Some(id),
                        format!("the rule has no clause {clause}"),
                        "count its clauses from 1",
                    ));
                }
            }
        }
    }
    if !changes.is_empty() {
        // The cases show the text; a departure is not held against them.
        if let Data::Table(members) = &mut node.data {
            members.retain(|(key, _)| key.name != "kept" && key.name != "broken");
        }
        for manual in &composition.chain {
            if let Some(Node {
                data: Data::Table(members),
                ..
            }) = manual.get("change").and_then(|all| all.get(id))
            {
                for (key, value) in members {
                    if key.name == "kept" || key.name == "broken" {
                        node.put(key.clone(), value.clone());
                    }
                }
            }
        }
    }
    Ok(changes)
}

fn further_clause(node: &mut Node, number: i64) -> Option<&mut Node> {
    let Data::Table(members) = &mut node.data else {
        return None;
    };
    let (_, more) = members.iter_mut().find(|(key, _)| key.name == "and")?;
    let Data::List(items) = &mut more.data else {
        return None;
    };
    items.get_mut(usize::try_from(number).ok()?.checked_sub(2)?)
}

fn demand_because(node: &Node, id: &str) -> Result<String, Complaint> {
    match node.get("because") {
        Some(because) if !because.text()?.trim().is_empty() => Ok(because.text()?.to_owned()),
        Some(_) | None => {
            Err(node
                .place
                .complain(Some(id), "no reason is given", "add because = \"…\""))
        }
    }
}

/// Fills the rule's open places with what the manual chose.
fn apply_choices(
    id: &str,
    node: &mut Node,
    composition: &Composition,
) -> Result<Vec<Choice>, Complaint> {
    let choose = node.get("choose").cloned();
    let chosen = |name: &str| -> Option<(&Node, &Node)> {
        composition.chain.iter().find_map(|manual| {
            let choice = manual.get("choice")?.get(id)?;
            Some((choice, choice.get(name)?))
        })
    };
    let mut choices = Vec::new();
    let open: Vec<(Key, Node)> = match choose {
        None => Vec::new(),
        Some(Node {
            data: Data::Table(members),
            ..
        }) => members,
        Some(node) => {
            return Err(node.place.complain(
                Some(id),
                "`choose` names what is open",
                "write choose.time = [\"clock\", \"working\"]",
            ));
        }
    };
    for (key, options) in &open {
        let Some((choice, value)) = chosen(&key.name) else {
            let manual = composition.names.first().map_or("", String::as_str);
            return Err(key.place.complain(
                Some(id),
                format!(
                    "the text leaves `{}` open, and the manual `{manual}` has not chosen",
                    key.name
                ),
                format!(
                    "add to the manual: [choice.{id}] {} = one of {}, because = \"…\"",
                    key.name,
                    options.to_json()
                ),
            ));
        };
        if !options
            .items()
            .iter()
            .any(|option| option.to_json() == value.to_json())
        {
            return Err(value.place.complain(
                Some(id),
                format!(
                    "{} is not among what the rule leaves open for `{}`",
                    value.to_json(),
                    key.name
                ),
                format!("choose one of {}", options.to_json()),
            ));
        }
        choices.push(Choice {
            name: key.name.clone(),
            value: plain(value),
            because: demand_because(choice, id)?,
        });
    }
    for manual in &composition.chain {
        if let Some(Node {
            data: Data::Table(members),
            ..
        }) = manual.get("choice").and_then(|all| all.get(id))
        {
            for (key, _) in members {
                if key.name != "because" && !open.iter().any(|(known, _)| known.name == key.name) {
                    return Err(key.place.complain(
                        Some(id),
                        format!("the rule leaves no `{}` open", key.name),
                        "remove the choice, or put it under [change.…] with a reason",
                    ));
                }
            }
        }
    }
    let fill = |name: &str| {
        open.iter()
            .find(|(key, _)| key.name == name)
            .and_then(|_| chosen(name))
            .map(|(_, value)| value.clone())
    };
    if let Data::Table(members) = &mut node.data {
        for (key, member) in members {
            if !matches!(
                key.name.as_str(),
                "says" | "source" | "note" | "kept" | "broken" | "choose"
            ) {
                member.fill(&fill)?;
            }
        }
    }
    Ok(choices)
}

fn plain(node: &Node) -> String {
    match node.text() {
        Ok(text) => text.to_owned(),
        Err(_) => node.to_json().to_string(),
    }
}

/// Choices and changes for rules the manual does not have.
fn check_choice_names(composition: &Composition, complaints: &mut Vec<Complaint>) {
    for manual in &composition.chain {
        for section in ["choice", "change"] {
            let Some(Node {
                data: Data::Table(members),
                ..
            }) = manual.get(section)
            else {
                continue;
            };
            for (key, _) in members {
                if !composition
                    .rules
                    .iter()
                    .any(|(rule, _)| rule.name == key.name)
                {
                    let ids = composition.rules.iter().map(|(rule, _)| rule.name.as_str());
                    let remedy = match nearest(&key.name, ids) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "`thirdring rules` lists the manual's rules".to_owned(),
                    };
                    complaints.push(key.place.complain(
                        None,
                        format!("[{section}.{}]: the manual has no such rule", key.name),
                        remedy,
                    ));
                }
            }
        }
    }
}

/// Every value a rule compares with must be one the field can have.
fn check_mentions(
    mentions: &[Mention],
    rules: &[Rule],
    words: &[WordList],
    complaints: &mut Vec<Complaint>,
) {
    let lists = super::check::lists(rules, words);
    for mention in mentions {
        if matches!(mention.value, crate::vocabulary::Scalar::Flag(_)) {
            continue;
        }
        let list = lists
            .iter()
            .find(|list| list.fact == mention.fact && list.field == mention.field);
        let name = format!("{}.{}", mention.fact, mention.field);
        match list {
            Some(list) if list.values.contains(&mention.value) => {}
            Some(list) => {
                let known: Vec<String> = list.values.iter().map(ToString::to_string).collect();
                complaints.push(mention.place.complain(
                    None,
                    format!(
                        "`{}` is no value of `{name}` under this manual",
                        mention.value
                    ),
                    format!("known: {}", known.join(", ")),
                ));
            }
            None => complaints.push(mention.place.complain(
                None,
                format!(
                    "a rule compares `{name}` with `{}`, but no list says which values it can have",
                    mention.value
                ),
                format!(
                    "add to the manual's [words]: \"{name}\" = [\"{}\", …]",
                    mention.value
                ),
            )),
        }
    }
}

/// The digest of everything that can change a verdict.
fn digest(
    name: &str,
    composition: &Composition,
    calendar: &CalendarDefinition,
    rules: &[(String, Node)],
) -> Digest {
    let rules: Vec<serde_json::Value> = rules
        .iter()
        .map(|(id, node)| {
            let mut law = node.clone();
            if let Data::Table(members) = &mut law.data {
                members.retain(|(key, _)| {
                    !matches!(key.name.as_str(), "kept" | "broken" | "note" | "choose")
                });
            }
            serde_json::json!([id, law.to_json()])
        })
        .collect();
    let section = |name: &str| -> Vec<serde_json::Value> {
        composition
            .chain
            .iter()
            .filter_map(|manual| manual.get(name))
            .map(Node::to_json)
            .collect()
    };
    let lists: Vec<String> = calendar
        .holidays_from
        .iter()
        .filter_map(|list| HolidayList::named(list).ok())
        .flat_map(|list| {
            let off = list.off().iter().map(|day| format!("off {}", day.date));
            let worked = list
                .worked()
                .iter()
                .map(|day| format!("worked {}", day.date));
            off.chain(worked).collect::<Vec<_>>()
        })
        .collect();
    // Lists, not objects: their order is ours and no build option can change it.
    let content = serde_json::json!([
        name,
        serde_json::to_string(calendar).unwrap_or_default(),
        lists,
        thirdring_calendar::zone_data_version(),
        section("roles"),
        section("words"),
        section("testimony"),
        section("corrections"),
        rules,
    ]);
    Digest::of("rulebook/1", &[content.to_string().as_bytes()])
}
