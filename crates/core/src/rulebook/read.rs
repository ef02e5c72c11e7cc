//! Reading a composed manual: every rule and clause, and what it is identified by.

use std::collections::BTreeSet;

use thirdring_calendar::CalendarDefinition;

use super::choices::{apply_changes, apply_choices, check_choice_names};
use super::sections::{
    check_sections, read_calendar, read_horizon, read_named_calendars, read_roles, read_testimony,
    read_words,
};
use super::{Composition, Rule, Rulebook, Source, WrittenCase};
use crate::digest::Digest;
use crate::forms::Clause;
use crate::forms::reading::{Mention, Reading};
use crate::manual::WordList;
use crate::source::{Complaint, Complaints, Data, Key, Node};
use crate::vocabulary::Scalar;

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
    let unannounced = read_horizon(&composition, &mut complaints);
    let named = read_named_calendars(&composition, &mut complaints);
    let calendars = named
        .iter()
        .map(|(name, (_, calendar))| (name.clone(), calendar.clone()))
        .collect();
    let mut reading = Reading::new(&roles, &calendars);
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
    let mut definitions = vec![("", &calendar_definition)];
    definitions.extend(
        named
            .iter()
            .map(|(name, (definition, _))| (name.as_str(), definition)),
    );
    let digest = digest(&name, &composition, &definitions, &canonical);
    Ok(Rulebook {
        name,
        title,
        digest,
        rules,
        roles,
        words,
        calendar_definition,
        calendar,
        named_calendars: calendars,
        unannounced,
        testimony,
        corrected_by,
        warnings: Vec::new(),
        guards: Vec::new(),
        clocks: Vec::new(),
        touched: Vec::new(),
        permissions: Vec::new(),
    })
}

fn read_rule(
    key: &Key,
    mut node: Node,
    composition: &Composition,
    reading: &mut Reading<'_>,
    complaints: &mut Vec<Complaint>,
) -> Result<(Rule, Node), Complaint> {
    let changes = apply_changes(&key.name, &mut node, composition)?;
    let choices = apply_choices(&key.name, &mut node, composition, !changes.is_empty())?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if key.name.is_empty() || !key.name.chars().all(plain) {
        return Err(key.place.complain(
            None,
            format!("`{}` is no id for a rule", key.name),
            "write small letters, figures and hyphens, e.g. onsite-level1-within-24h",
        ));
    }
    let mut table = node.table()?;
    let sentence = table.demand("says", "\"One English sentence.\"")?;
    let says = sentence.text()?.to_owned();
    if says.trim().is_empty() {
        return Err(sentence.place.complain(
            None,
            "the rule says nothing",
            "write one English sentence",
        ));
    }
    let cited = table.demand(
        "source",
        "[{ manual = \"unis\", section = \"5.5\", quote = \"…\" }]",
    )?;
    let sources = read_sources(cited)?;
    if sources.is_empty() {
        return Err(cited.place.complain(
            None,
            "the rule comes from nowhere",
            "name the manual and quote its sentence",
        ));
    }
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
    clauses.push(Clause::read(&mut table, 1, reading)?);
    // Only a clause that was read to its end has asked for all it knows.
    table.finish(complaints);
    for (node, number) in more.iter().flat_map(|node| node.items()).zip(2u16..) {
        let mut table = node.table()?;
        clauses.push(Clause::read(&mut table, number, reading)?);
        table.finish(complaints);
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

/// Every value a rule compares with must be one the field can have.
fn check_mentions(
    mentions: &[Mention],
    rules: &[Rule],
    words: &[WordList],
    complaints: &mut Vec<Complaint>,
) {
    let lists = super::check::lists(rules, words);
    for mention in mentions {
        if matches!(mention.value, Scalar::Flag(_)) {
            continue;
        }
        // Rules may list other values under other conditions: all are known.
        let values: Vec<&[Scalar]> = lists
            .iter()
            .filter(|list| list.fact == mention.fact && list.field == mention.field)
            .map(|list| list.values.as_slice())
            .collect();
        let name = format!("{}.{}", mention.fact, mention.field);
        match values.as_slice() {
            known if known.iter().any(|values| values.contains(&mention.value)) => {}
            [_, ..] => {
                let known: BTreeSet<String> = values
                    .iter()
                    .flat_map(|values| values.iter())
                    .map(ToString::to_string)
                    .collect();
                let known: Vec<String> = known.into_iter().collect();
                complaints.push(mention.place.complain(
                    None,
                    format!(
                        "`{}` is no value of `{name}` under this manual",
                        mention.value
                    ),
                    format!("known: {}", known.join(", ")),
                ));
            }
            [] => complaints.push(mention.place.complain(
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
    calendars: &[(&str, &CalendarDefinition)],
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
    // With the holidays of named lists written out: a list that grows makes
    // another rulebook.
    let calendars: Vec<(&str, String)> = calendars
        .iter()
        .map(|(name, calendar)| {
            let resolved = calendar.resolved().unwrap_or_else(|_| (*calendar).clone());
            (*name, serde_json::to_string(&resolved).unwrap_or_default())
        })
        .collect();
    // Lists, not objects: their order is ours and no build option can change it.
    let content = serde_json::json!([
        name,
        calendars,
        thirdring_calendar::zone_data_version(),
        section("roles"),
        section("words"),
        section("testimony"),
        section("horizon"),
        section("corrections"),
        rules,
    ]);
    Digest::of("rulebook/1", &[content.to_string().as_bytes()])
}
