//! What a manual chose where a rule leaves something open, and where it
//! departs from a rule.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::{Change, Choice, Composition};
use crate::source::{Complaint, Data, Key, Node};
use crate::vocabulary::nearest;

/// Sets what `[change.rule-id]` says, in the clause it names (the first by
/// default).
pub(super) fn apply_changes(
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
            // The cases of a changed rule are its new cases, no departure.
            if matches!(key.name.as_str(), "kept" | "broken") {
                continue;
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
pub(super) fn apply_choices(
    id: &str,
    node: &mut Node,
    composition: &Composition,
    changed: bool,
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
    let used = RefCell::new(BTreeSet::new());
    let fill = |name: &str| {
        used.borrow_mut().insert(name.to_owned());
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
    // A change may have taken the place out that a choice would have filled.
    let unused = open
        .iter()
        .find(|(key, _)| !used.borrow().contains(&key.name));
    if let Some((key, _)) = unused.filter(|_| !changed) {
        return Err(key.place.complain(
            Some(id),
            format!("nothing in the rule uses the choice `{}`", key.name),
            format!("write {{{}}} where it belongs, or remove it", key.name),
        ));
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
pub(super) fn check_choice_names(composition: &Composition, complaints: &mut Vec<Complaint>) {
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
