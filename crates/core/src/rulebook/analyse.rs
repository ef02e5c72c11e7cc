//! What a manual's rules do to each other: rules that can never fire, clocks
//! that can never stop, bounds that contradict each other, calendars that fit
//! no place.

use std::collections::BTreeSet;

use super::check::lists;
use super::{Rule, Rulebook};
use crate::forms::condition::{Test, TestSource};
use crate::forms::limit::Limit;
use crate::forms::pattern::Pattern;
use crate::forms::within::Within;
use crate::forms::{Clause, Form};
use crate::source::Complaint;
use crate::vocabulary::{FactType, Scalar};

pub(super) fn analyse(
    rulebook: &Rulebook,
    errors: &mut Vec<Complaint>,
    warnings: &mut Vec<Complaint>,
) {
    for rule in &rulebook.rules {
        for clause in &rule.clauses {
            never_fires(rule, clause, warnings);
            if let Form::Within(within) = &clause.form {
                never_stops(rulebook, rule, within, warnings);
                contradicts_itself(rule, within, errors);
                places_without_calendar(rulebook, rule, clause, within, errors);
            }
        }
    }
    opposite_bounds(rulebook, errors);
    idle_calendars(rulebook, warnings);
}

/// A condition that excludes itself, or the very facts the clause judges.
fn never_fires(rule: &Rule, clause: &Clause, warnings: &mut Vec<Complaint>) {
    let same = |a: &Test, b: &Test| a.name == b.name;
    for test in &clause.when.all {
        let exempt = clause
            .when
            .none
            .iter()
            .filter(|other| same(test, other))
            .any(|other| test.values.iter().all(|value| other.values.contains(value)));
        if exempt || test.values.is_empty() {
            warnings.push(rule.complain(
                format!(
                    "clause {} can never apply: its `if` and `unless` exclude each other on `{}`",
                    clause.number, test.name
                ),
                "correct one of them",
            ));
        }
    }
    let Form::Within(within) = &clause.form else {
        return;
    };
    let dead = !within.after.is_empty()
        && within.after.iter().all(|pattern| {
            clause
                .when
                .all
                .iter()
                .any(|test| matches!(test.source, TestSource::Field) && excludes(pattern, test))
        });
    if dead {
        warnings.push(rule.complain(
            format!(
                "clause {} can never start: what starts it does not fit its own condition",
                clause.number
            ),
            "correct `after` or `if`",
        ));
    }
}

/// Whether a pattern names other values of the tested field.
fn excludes(pattern: &Pattern, test: &Test) -> bool {
    pattern.fields.iter().any(|(field, values)| {
        *field == test.name && !values.iter().any(|value| test.values.contains(value))
    })
}

/// A clock whose every end is by roles that may not do it.
fn never_stops(rulebook: &Rulebook, rule: &Rule, within: &Within, warnings: &mut Vec<Complaint>) {
    let impossible = |pattern: &Pattern| {
        !pattern.by.is_empty()
            && allowed_roles(rulebook, pattern.fact).is_some_and(|allowed| {
                !pattern
                    .by
                    .iter()
                    .any(|role| allowed.contains(role.as_str()))
            })
    };
    let ends = || {
        within
            .expect
            .iter()
            .map(|expected| &expected.pattern)
            .chain(&within.cancelled_by)
    };
    let stuck = if within.all {
        within
            .expect
            .iter()
            .any(|expected| impossible(&expected.pattern))
    } else {
        ends().all(impossible)
    };
    if stuck {
        warnings.push(rule.complain(
            "its clock can never stop: the roles it waits for may not do what it waits for",
            "let the rule on roles and this one share a role",
        ));
    }
}

/// The roles a fact is left to by rules without conditions; `None`: anybody.
fn allowed_roles(rulebook: &Rulebook, fact: FactType) -> Option<BTreeSet<&str>> {
    let mut allowed: Option<BTreeSet<&str>> = None;
    for clause in rulebook.rules.iter().flat_map(|rule| &rule.clauses) {
        let Form::OnlyBy(only_by) = &clause.form else {
            continue;
        };
        let [route] = only_by.routes.as_slice() else {
            continue;
        };
        if !clause.facts.contains(&fact) || !clause.when.is_empty() || !route.when.is_empty() {
            continue;
        }
        let roles: BTreeSet<&str> = route.roles.iter().map(String::as_str).collect();
        allowed = Some(match allowed {
            None => roles,
            Some(known) => known.intersection(&roles).copied().collect(),
        });
    }
    allowed
}

/// A fact that may not come before the limit has passed.
fn contradicts_itself(rule: &Rule, within: &Within, errors: &mut Vec<Complaint>) {
    for expected in &within.expect {
        let Some(earliest) = expected.not_before else {
            continue;
        };
        let beyond = within
            .limits
            .iter()
            .filter(|bound| !bound.before)
            .find(|bound| longer(earliest, bound.limit));
        if let Some(bound) = beyond {
            errors.push(rule.complain(
                format!(
                    "`{}` may not come before {earliest} and not after {bound}",
                    expected.pattern.describe()
                ),
                "let the window be open: not_before is the shorter of the two",
            ));
        }
    }
}

/// Whether one limit is longer than another of the same kind.
const fn longer(a: Limit, b: Limit) -> bool {
    match (a, b) {
        (Limit::Clock(a), Limit::Clock(b)) | (Limit::Working(a), Limit::Working(b)) => a > b,
        (Limit::WorkingDays(a), Limit::WorkingDays(b))
        | (Limit::CivilDays(a), Limit::CivilDays(b))
        | (Limit::CivilMonths(a), Limit::CivilMonths(b)) => a > b,
        _ => false,
    }
}

/// Two rules that bound one number from opposite sides, with nothing between.
fn opposite_bounds(rulebook: &Rulebook, errors: &mut Vec<Complaint>) {
    let bounds = |least: bool| {
        rulebook.rules.iter().flat_map(move |rule| {
            rule.clauses
                .iter()
                .filter(|clause| clause.when.is_empty())
                .flat_map(move |clause| {
                    let Form::Carries(carries) = &clause.form else {
                        return Vec::new();
                    };
                    let bounds = if least {
                        &carries.at_least
                    } else {
                        &carries.at_most
                    };
                    clause
                        .facts
                        .iter()
                        .flat_map(|fact| {
                            bounds
                                .iter()
                                .map(move |(field, n)| (rule, *fact, field, *n))
                        })
                        .collect::<Vec<_>>()
                })
        })
    };
    for (rule, fact, field, most) in bounds(false) {
        let against = bounds(true).find(|(_, other_fact, other_field, least)| {
            *other_fact == fact && *other_field == field && *least > most
        });
        if let Some((other, _, _, least)) = against {
            errors.push(rule.complain(
                format!(
                    "`{fact}.{field}` is at most {most} here and at least {least} in `{}`",
                    other.id
                ),
                "no value satisfies both: correct one of them",
            ));
        }
    }
}

/// Words that name a place for which the manual has no calendar.
fn places_without_calendar(
    rulebook: &Rulebook,
    rule: &Rule,
    clause: &Clause,
    within: &Within,
    errors: &mut Vec<Complaint>,
) {
    let Some(test) = &within.calendar_by else {
        return;
    };
    let asked: Vec<(FactType, &str)> = match test.source {
        TestSource::Field => clause
            .facts
            .iter()
            .map(|fact| (*fact, test.name.as_str()))
            .collect(),
        TestSource::Attribute(attribute) => vec![(attribute.fact, attribute.field)],
        TestSource::Derived(_) => return,
    };
    let known = lists(&rulebook.rules, &rulebook.words);
    for (fact, field) in asked {
        let Some(list) = known
            .iter()
            .find(|list| list.fact == fact && list.field == field)
        else {
            errors.push(rule.complain(
                format!(
                    "`{fact}.{field}` names the calendar, but no list says which words it can have"
                ),
                format!("add to [words]: \"{fact}.{field}\" = [the names under [calendars.…]]"),
            ));
            continue;
        };
        for value in &list.values {
            let has =
                matches!(value, Scalar::Word(name) if rulebook.named_calendars.contains_key(name));
            if !has {
                errors.push(rule.complain(
                    format!("`{fact}.{field}` can be `{value}`, and the manual has no calendar of that name"),
                    format!("add [calendars.{value}]"),
                ));
            }
        }
    }
}

/// Named calendars nothing is counted in.
fn idle_calendars(rulebook: &Rulebook, warnings: &mut Vec<Complaint>) {
    let clauses = || rulebook.rules.iter().flat_map(|rule| &rule.clauses);
    let withins = || {
        clauses().filter_map(|clause| match &clause.form {
            Form::Within(within) => Some(within),
            _ => None,
        })
    };
    if withins().any(|within| within.calendar_by.is_some()) {
        return;
    }
    for name in rulebook.named_calendars.keys() {
        let used = withins()
            .flat_map(|within| &within.limits)
            .any(|bound| bound.calendar.as_deref() == Some(name));
        if !used && let Some(rule) = rulebook.rules.first() {
            warnings.push(rule.place.complain(
                None,
                format!("nothing is counted in the calendar `{name}`"),
                "count a limit in it (\"8 working hours in …\"), or remove it",
            ));
        }
    }
}
