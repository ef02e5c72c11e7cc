//! `never`: what is not done where the condition holds.

use crate::forms::condition::Condition;
use crate::forms::ruling::{Later, Ruling, Shortfall};
use crate::scene::Scene;

/// Judges one fact: broken where the condition holds.
pub(crate) fn judge(scene: &Scene<'_>, when: &Condition) -> Ruling {
    if !when.holds(scene) {
        return Ruling::Kept(Vec::new());
    }
    let missing = if when.is_empty() {
        format!("{} is never done", scene.fact.fact_type())
    } else {
        format!(
            "{} is never done where {}",
            scene.fact.fact_type(),
            when.describe()
        )
    };
    let (accepted, later) = match when.passing() {
        Some(otherwise) => (
            format!("{} once {otherwise}", scene.fact.fact_type()),
            Later::AfterOtherFacts,
        ),
        None => ("nothing: leave it".to_owned(), Later::Never),
    };
    Ruling::Broken(Shortfall {
        missing,
        accepted,
        later,
        proof: Vec::new(),
    })
}
