//! What a guard says about a fact it judged.

use std::borrow::Cow;

use crate::audit::verdict::{Verdict, VerdictKind, bare};
use crate::forms::Clause;
use crate::forms::ruling::Ruling;
use crate::history::retraction_target;
use crate::ids::RecordId;
use crate::judge::{Case, lifting_rule};
use crate::record::Record;
use crate::rulebook::Rule;
use crate::scene::Scene;
use crate::vocabulary::Fact;
use crate::vocabulary::bookkeeping::FactRetracted;

/// Judges a fact of the history, and says what kind of verdict that makes;
/// nothing where the clause does not apply.
pub(super) fn judged<'a>(
    case: &'a Case,
    rule: &Rule,
    clause: &Clause,
    position: usize,
) -> Option<(&'a Record, VerdictKind, Ruling)> {
    let record = case.history().record(position)?;
    let scene = scene_at(case, record, position)?;
    let ruling = clause.judge(&scene);
    let kind = match &ruling {
        Ruling::NotApplicable => return None,
        Ruling::Kept(_) => VerdictKind::Kept,
        Ruling::Attested => VerdictKind::Attested,
        Ruling::Broken(_) if lifting_rule(case, rule, &scene).is_some() => VerdictKind::Lifted,
        Ruling::Broken(_) => VerdictKind::Broken,
    };
    Some((record, kind, ruling))
}

/// A ruling in words.
pub(super) fn worded(
    case: &Case,
    rule: &Rule,
    clause: &Clause,
    record: &Record,
    kind: VerdictKind,
    ruling: &Ruling,
) -> Verdict {
    let fact_type = record
        .fact()
        .map_or("a notice", |fact| fact.fact_type().name());
    let (why, proof): (Cow<'static, str>, &[usize]) = match ruling {
        Ruling::Kept(proof) if proof.is_empty() => {
            (format!("{fact_type} as it should be").into(), proof)
        }
        Ruling::Kept(proof) => (
            format!("{fact_type} after {}", names(case, proof)).into(),
            proof,
        ),
        Ruling::Broken(shortfall) => {
            let why = match lifted_by(case, rule, record).filter(|_| kind == VerdictKind::Lifted) {
                Some(permission) => format!("lifted by {}", permission.id),
                None => shortfall.missing.clone(),
            };
            (why.into(), &shortfall.proof)
        }
        Ruling::Attested | Ruling::NotApplicable => ("somebody vouched for it".into(), &[]),
    };
    let mut facts = vec![record.id];
    facts.extend(
        proof
            .iter()
            .filter_map(|position| case.history().record(*position))
            .map(|r| r.id),
    );
    let why = if kind == VerdictKind::Broken {
        Cow::Owned(why.into_owned() + &taken_back(case, clause, record, &mut facts))
    } else {
        why
    };
    Verdict {
        key: record.fact().and_then(Fact::key).map(str::to_owned),
        at: Some(record.happened_at()),
        facts,
        ..bare(case, rule, clause.number, kind, why)
    }
}

/// The permission that lifts a rule for a fact of the history.
fn lifted_by<'a>(case: &'a Case, rule: &'a Rule, record: &'a Record) -> Option<&'a Rule> {
    let position = case.history().position_of(record)?;
    lifting_rule(case, rule, &scene_at(case, record, position)?)
}

/// Facts that would have proved it had nobody taken them back: the audit names
/// the retractions that broke what was kept.
fn taken_back(case: &Case, clause: &Clause, judged: &Record, proof: &mut Vec<RecordId>) -> String {
    let history = case.history();
    let demanded = clause.demands();
    let mut text = String::new();
    for position in history.positions_before(FactRetracted::TYPE, history.len()) {
        let Some(retraction) = history.record(position) else {
            continue;
        };
        let target = retraction
            .fact()
            .and_then(retraction_target)
            .and_then(|id| case.record(id));
        let Some((target, fact)) = target.and_then(|target| Some((target, target.fact()?))) else {
            continue;
        };
        let key_fits = clause.same.is_none()
            || fact.spec().key.is_none()
            || fact.key() == judged.fact().and_then(Fact::key);
        if demanded.contains(&fact.fact_type())
            && key_fits
            && target.happened_at() <= judged.happened_at()
        {
            text.push_str(&format!(
                "; {} ({}) was retracted by {}",
                fact.fact_type(),
                target.id,
                retraction.id
            ));
            proof.push(retraction.id);
        }
    }
    text
}

fn names(case: &Case, positions: &[usize]) -> String {
    let names: Vec<&str> = positions
        .iter()
        .filter_map(|position| case.history().fact(*position))
        .map(|fact| fact.fact_type().name())
        .collect();
    names.join(" and ")
}

/// The scene of a fact of the history.
fn scene_at<'a>(case: &'a Case, record: &'a Record, position: usize) -> Option<Scene<'a>> {
    Some(Scene {
        history: case.history(),
        end: position,
        fact: record.fact()?,
        doer: record.doer(),
        happened_at: record.happened_at(),
        process: case.stream().process(),
        calendar: &case.rulebook().calendar,
    })
}
