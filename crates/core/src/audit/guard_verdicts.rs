//! What a guard says about the facts it judged.

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

/// What a guard says about each fact of the history that it judges.
pub(super) fn guard_verdicts(case: &Case, rule: &Rule, clause: &Clause, said: &mut Vec<Verdict>) {
    let history = case.history();
    let mut positions: Vec<usize> = clause
        .facts
        .iter()
        .flat_map(|fact| history.positions_before(*fact, history.len()))
        .collect();
    positions.sort_unstable();
    for position in positions {
        let Some(record) = history.record(position) else {
            continue;
        };
        let Some(scene) = scene_at(case, record, position) else {
            continue;
        };
        let (kind, why, proof) = match clause.judge(&scene) {
            Ruling::NotApplicable => continue,
            Ruling::Kept(proof) => {
                let why = match proof.as_slice() {
                    [] => format!("{} as it should be", scene.fact.fact_type()),
                    proof => format!("{} after {}", scene.fact.fact_type(), names(case, proof)),
                };
                (VerdictKind::Kept, Cow::Owned(why), proof)
            }
            Ruling::Attested => (
                VerdictKind::Attested,
                Cow::Borrowed("somebody vouched for it"),
                Vec::new(),
            ),
            Ruling::Broken(shortfall) => match lifting_rule(case, rule, &scene) {
                Some(permission) => (
                    VerdictKind::Lifted,
                    format!("lifted by {}", permission.id).into(),
                    shortfall.proof,
                ),
                None => (
                    VerdictKind::Broken,
                    shortfall.missing.into(),
                    shortfall.proof,
                ),
            },
        };
        let mut facts = vec![record.id];
        facts.extend(
            proof
                .iter()
                .filter_map(|position| history.record(*position))
                .map(|r| r.id),
        );
        let why = if kind == VerdictKind::Broken {
            Cow::Owned(why.into_owned() + &taken_back(case, clause, record, &mut facts))
        } else {
            why
        };
        said.push(Verdict {
            key: scene.key().map(|(_, value)| value.to_owned()),
            at: Some(record.happened_at()),
            facts,
            ..bare(case, rule, clause.number, kind, why)
        });
    }
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
