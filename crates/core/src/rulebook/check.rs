//! What the loader checks of a manual as a whole: contradictions, circles,
//! escapes, and permissions that lift nothing.

use std::collections::BTreeSet;

use super::{Rule, Rulebook};
use crate::forms::condition::TestSource;
use crate::forms::{Clause, Form};
use crate::manual::WordList;
use crate::source::Complaint;
use crate::vocabulary::{FactType, Nature};

/// The closed lists of a manual: its own, and those its rules give.
pub(super) fn lists(rules: &[Rule], words: &[WordList]) -> Vec<WordList> {
    let mut lists = words.to_vec();
    for clause in rules.iter().flat_map(|rule| &rule.clauses) {
        match &clause.form {
            Form::Carries(carries) => {
                for fact in &clause.facts {
                    for (field, values) in &carries.one_of {
                        lists.push(WordList {
                            fact: *fact,
                            field: field.clone(),
                            values: values.clone(),
                        });
                    }
                }
            }
            Form::Means(crate::forms::words::Means::Value { .. })
            | Form::Means(crate::forms::words::Means::Document(_))
            | Form::OnlyBy(_)
            | Form::Needs(_)
            | Form::Never
            | Form::Within(_)
            | Form::Every(_)
            | Form::May(_)
            | Form::Computed(_)
            | Form::Stated(_) => {}
        }
    }
    lists
}

/// Errors, and warnings that do not keep the manual from being used.
pub(super) fn check(rulebook: &Rulebook) -> (Vec<Complaint>, Vec<Complaint>) {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    two_lists(rulebook, &mut errors);
    lifted_rules(rulebook, &mut errors);
    excluding_roles(rulebook, &mut errors);
    circles(rulebook, &mut errors);
    escapes(rulebook, &mut warnings);
    undemanded(rulebook, &mut warnings);
    caseless(rulebook, &mut errors);
    (errors, warnings)
}

fn two_lists(rulebook: &Rulebook, errors: &mut Vec<Complaint>) {
    let mut seen: Vec<(FactType, &str, &Rule)> = Vec::new();
    for rule in &rulebook.rules {
        for clause in &rule.clauses {
            let Form::Carries(carries) = &clause.form else {
                continue;
            };
            for (field, _) in &carries.one_of {
                for fact in &clause.facts {
                    let other = seen.iter().find(|(f, n, _)| f == fact && n == field);
                    // Two lists under conditions are two cases, not one conflict.
                    if let Some((_, _, other)) = other.filter(|_| clause.when.is_empty()) {
                        errors.push(rule.complain(
                            format!(
                                "two lists of values for `{fact}.{field}`: here and in `{}`",
                                other.id
                            ),
                            "keep one of them",
                        ));
                    }
                    let manual = rulebook
                        .words
                        .iter()
                        .any(|list| list.fact == *fact && list.field == *field);
                    if manual && clause.when.is_empty() {
                        errors.push(rule.complain(
                            format!("the rule lists the values of `{fact}.{field}`, and so does the manual's [words]"),
                            "remove it from [words]",
                        ));
                    }
                    if clause.when.is_empty() {
                        seen.push((*fact, field, rule));
                    }
                }
            }
        }
    }
}

fn lifted_rules(rulebook: &Rulebook, errors: &mut Vec<Complaint>) {
    for rule in &rulebook.rules {
        for clause in &rule.clauses {
            let Form::May(may) = &clause.form else {
                continue;
            };
            for id in &may.lifts {
                match rulebook.rule(id) {
                    None => errors.push(rule.complain(
                        format!("it lifts `{id}`, which the manual does not have"),
                        "name a rule of this manual",
                    )),
                    Some(lifted) if !lifted.can_break() => errors.push(rule.complain(
                        format!("it lifts `{id}`, which nothing can break"),
                        "name a rule that can be broken",
                    )),
                    Some(_) => {}
                }
            }
        }
    }
}

/// Two role rules on one fact that no role can satisfy.
fn excluding_roles(rulebook: &Rulebook, errors: &mut Vec<Complaint>) {
    let mut seen: Vec<(FactType, &Rule, BTreeSet<&str>)> = Vec::new();
    for rule in &rulebook.rules {
        for clause in &rule.clauses {
            let Form::OnlyBy(only_by) = &clause.form else {
                continue;
            };
            let [route] = only_by.routes.as_slice() else {
                continue;
            };
            if !clause.when.is_empty() || !route.when.is_empty() {
                continue;
            }
            let roles: BTreeSet<&str> = route.roles.iter().map(String::as_str).collect();
            for fact in &clause.facts {
                if let Some((_, other, _)) = seen
                    .iter()
                    .find(|(f, _, known)| f == fact && known.is_disjoint(&roles))
                {
                    errors.push(rule.complain(
                        format!(
                            "nobody may do `{fact}`: `{}` allows other roles only",
                            other.id
                        ),
                        "let the two rules share a role",
                    ));
                }
                seen.push((*fact, rule, roles.clone()));
            }
        }
    }
}

/// Facts that can never be recorded, since each needs the other first.
fn circles(rulebook: &Rulebook, errors: &mut Vec<Complaint>) {
    let needs: Vec<(&Rule, &Clause, &crate::forms::needs::Needs)> = rulebook
        .rules
        .iter()
        .flat_map(|rule| rule.clauses.iter().map(move |clause| (rule, clause)))
        .filter_map(|(rule, clause)| match &clause.form {
            Form::Needs(needs) if clause.when.is_empty() => Some((rule, clause, needs)),
            _ => None,
        })
        .collect();
    let mut reachable: BTreeSet<FactType> = BTreeSet::new();
    loop {
        let before = reachable.len();
        for fact in FactType::all() {
            let ready = needs
                .iter()
                .filter(|(_, clause, _)| clause.facts.contains(&fact))
                .all(|(_, _, needs)| {
                    let have = |pattern: &crate::forms::pattern::Pattern| {
                        reachable.contains(&pattern.fact)
                    };
                    if needs.all {
                        needs.patterns.iter().all(have)
                    } else {
                        needs.patterns.iter().any(have)
                    }
                });
            // An event happens whatever is missing before it.
            if ready || fact.spec().nature == Nature::Event {
                reachable.insert(fact);
            }
        }
        if reachable.len() == before {
            break;
        }
    }
    for (rule, clause, _) in &needs {
        if let Some(fact) = clause.facts.iter().find(|fact| !reachable.contains(fact)) {
            errors.push(rule.complain(
                format!("`{fact}` can never be done: what it needs needs it, directly or through other rules"),
                "break the circle",
            ));
        }
    }
}

fn demanded(rulebook: &Rulebook) -> BTreeSet<FactType> {
    rulebook
        .rules
        .iter()
        .flat_map(|rule| &rule.clauses)
        .flat_map(Clause::demands)
        .collect()
}

/// Conditions on attributes nobody is obliged to record: whoever stays silent
/// escapes the rule.
fn escapes(rulebook: &Rulebook, warnings: &mut Vec<Complaint>) {
    let demanded = demanded(rulebook);
    for rule in &rulebook.rules {
        for clause in &rule.clauses {
            for test in &clause.when.all {
                let TestSource::Attribute(attribute) = test.source else {
                    continue;
                };
                let opens = attribute
                    .fact
                    .spec()
                    .process
                    .opened_by()
                    .contains(&attribute.fact);
                if !opens && !demanded.contains(&attribute.fact) {
                    warnings.push(rule.complain(
                        format!(
                            "it depends on `{}`, and no rule obliges anybody to record `{}`: silence escapes it",
                            test.name, attribute.fact
                        ),
                        "add a rule that needs the fact, or turn the condition round with `unless`",
                    ));
                }
            }
        }
    }
}

/// Rules about acts that no rule demands: whoever never does the act keeps them.
fn undemanded(rulebook: &Rulebook, warnings: &mut Vec<Complaint>) {
    let demanded = demanded(rulebook);
    for rule in &rulebook.rules {
        let toothless = rule.clauses.iter().all(|clause| match &clause.form {
            Form::Carries(carries) => {
                !carries.present.is_empty()
                    && clause.facts.iter().all(|fact| {
                        fact.spec().nature == Nature::Act
                            && !demanded.contains(fact)
                            && !starts_something(rulebook, *fact)
                    })
            }
            _ => false,
        });
        if toothless {
            warnings.push(rule.complain(
                "it asks for fields of an act that no rule demands: never doing it keeps the rule",
                "add a clause that needs the act",
            ));
        }
    }
}

/// Whether other rules wait for, or follow from, the fact.
fn starts_something(rulebook: &Rulebook, fact: FactType) -> bool {
    rulebook
        .rules
        .iter()
        .flat_map(|rule| &rule.clauses)
        .any(|clause| !matches!(clause.form, Form::Carries(_)) && clause.facts.contains(&fact))
}

/// Rules that could be broken but do not show how.
fn caseless(rulebook: &Rulebook, errors: &mut Vec<Complaint>) {
    for rule in &rulebook.rules {
        if !rule.can_break() || !rule.changes.is_empty() {
            continue;
        }
        for (breaks, name) in [(false, "kept"), (true, "broken")] {
            if !rule.cases.iter().any(|case| case.breaks == breaks) {
                errors.push(rule.complain(
                    format!("the rule can be broken and has no `{name}` case"),
                    format!("add {name} = [\"…\"]: a history in one line a fact"),
                ));
            }
        }
    }
}
