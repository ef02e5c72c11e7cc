//! Given, when, then.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use thirdring_core::judge::{Admission, Case, ProposeError};
use thirdring_core::{Actor, Fact, Rulebook, StreamId, Verdict, VerdictKind, verdicts};

use crate::bench::{Bench, Telling};
use crate::fact_text::Said;

/// A story about one stream: what was given, what somebody does, and what
/// follows.
///
/// Every method that checks something panics with the whole story of what the
/// rules said if it is not so.
#[derive(Debug, Clone)]
pub struct Scenario {
    bench: Bench,
    by: Actor,
    last: Option<Result<Admission, ProposeError>>,
}

impl Scenario {
    /// A ticket on a Monday morning at nine in the manual's zone.
    #[track_caller]
    pub fn new(rulebook: &Arc<Rulebook>) -> Self {
        let bench = Bench::new(rulebook);
        let role = rulebook.roles.names().next().unwrap_or("nobody").to_owned();
        let by = bench.actor(&role);
        Self {
            bench,
            by,
            last: None,
        }
    }

    /// The same story told of another stream; only at its beginning.
    #[must_use]
    #[track_caller]
    pub fn stream(mut self, name: &str) -> Self {
        match StreamId::new(name) {
            Ok(stream) => {
                self.bench =
                    Bench::starting(self.bench.case().rulebook(), stream, self.bench.now());
                self
            }
            Err(error) => crate::fail(&error.to_string()),
        }
    }

    /// Moves to a moment (RFC 3339); before the first fact the story begins there.
    #[must_use]
    #[track_caller]
    pub fn at(mut self, moment: &str) -> Self {
        let Ok(moment) = moment.parse::<DateTime<Utc>>() else {
            crate::fail(&format!(
                "`{moment}` is no moment, write e.g. 2026-03-02T09:00:00+08:00"
            ));
        };
        if self.bench.case().version() == 0 {
            let case = self.bench.case();
            self.bench = Bench::starting(case.rulebook(), case.stream().clone(), moment);
        } else {
            self.bench.go_to(moment);
        }
        self
    }

    /// From here on somebody in this role does and records things.
    #[must_use]
    #[track_caller]
    pub fn by(mut self, role: &str) -> Self {
        self.by = self.bench.actor(role);
        self
    }

    /// From here on this person does and records things.
    #[must_use]
    pub fn person(mut self, who: Actor) -> Self {
        self.by = who;
        self
    }

    /// Time passes.
    #[must_use]
    pub fn after(mut self, span: TimeDelta) -> Self {
        self.bench.pass(span);
        self
    }

    /// Minutes pass.
    #[must_use]
    pub fn after_minutes(self, minutes: i64) -> Self {
        self.after(TimeDelta::minutes(minutes))
    }

    /// Hours pass.
    #[must_use]
    pub fn after_hours(self, hours: i64) -> Self {
        self.after(TimeDelta::hours(hours))
    }

    /// A fact that is recorded; the story makes no sense if it is refused.
    #[must_use]
    #[track_caller]
    pub fn given(self, said: impl Into<Said>) -> Self {
        self.when(said).then_admitted()
    }

    /// A fact is proposed; a `then_…` says what came of it.
    #[must_use]
    #[track_caller]
    pub fn when(self, said: impl Into<Said>) -> Self {
        self.when_told_after(TimeDelta::zero(), said)
    }

    /// A fact is told so long after it happened.
    #[must_use]
    #[track_caller]
    pub fn when_told_after(mut self, ago: TimeDelta, said: impl Into<Said>) -> Self {
        let (fact, role) = said.into().read(self.bench.start());
        let by = match role {
            Some(role) => self.bench.actor(&role),
            None => self.by.clone(),
        };
        self.last = Some(self.bench.tell(fact, &Telling::now(by).ago(ago)));
        self
    }

    /// The latest recorded fact is declared wrong by `role`.
    #[must_use]
    #[track_caller]
    pub fn when_retracted(mut self, fact_name: &str, role: &str) -> Self {
        let target = self
            .bench
            .case()
            .history()
            .records()
            .filter(|record| {
                record
                    .fact()
                    .is_some_and(|fact| fact.fact_type().name() == fact_name)
            })
            .last()
            .map(|record| record.id);
        let Some(target) = target else {
            crate::fail(&format!("there is no {fact_name} to retract"))
        };
        let fact: Fact = thirdring_core::vocabulary::bookkeeping::FactRetracted::new()
            .record(target.to_string())
            .reason("it was wrong")
            .into();
        let by = self.bench.actor(role);
        self.last = Some(self.bench.tell(fact, &Telling::now(by)));
        self
    }

    /// The latest proposal was admitted, flagged or not.
    #[must_use]
    #[track_caller]
    pub fn then_admitted(self) -> Self {
        match &self.last {
            Some(Ok(_)) => self,
            _ => self.unmet("admitted"),
        }
    }

    /// The latest proposal was admitted, and no rule had anything against it.
    #[must_use]
    #[track_caller]
    pub fn then_clean(self) -> Self {
        match &self.last {
            Some(Ok(admission)) if admission.flags.is_empty() => self,
            _ => self.unmet("admitted without a flag"),
        }
    }

    /// The latest proposal was refused, by this rule among others.
    #[must_use]
    #[track_caller]
    pub fn then_refused(self, rule: &str) -> Self {
        if self.refused_by().iter().any(|by| by == rule) {
            self
        } else {
            self.unmet(&format!("refused by {rule}"))
        }
    }

    /// The latest proposal was refused by exactly these rules, in their order.
    #[must_use]
    #[track_caller]
    pub fn then_refused_by(self, rules: &[&str]) -> Self {
        if self.refused_by() == rules {
            self
        } else {
            self.unmet(&format!("refused by {rules:?}"))
        }
    }

    /// The latest proposal was admitted, and flagged by this rule among others.
    #[must_use]
    #[track_caller]
    pub fn then_flagged(self, rule: &str) -> Self {
        match &self.last {
            Some(Ok(admission)) if admission.flags.iter().any(|flag| &*flag.rule == rule) => self,
            _ => self.unmet(&format!("flagged by {rule}")),
        }
    }

    /// The latest proposal makes no sense, and the message says so.
    #[must_use]
    #[track_caller]
    pub fn then_nonsense(self, message: &str) -> Self {
        match &self.last {
            Some(Err(error @ (ProposeError::Nonsense(_) | ProposeError::Invalid(_))))
                if error.to_string().contains(message) =>
            {
                self
            }
            _ => self.unmet(&format!("nonsense: {message}")),
        }
    }

    /// The rule is broken by now.
    #[track_caller]
    pub fn then_broken(self, rule: &str) -> Self {
        self.then_verdict(rule, VerdictKind::Broken)
    }

    /// The rule is kept by now, and broken nowhere.
    #[track_caller]
    pub fn then_kept(self, rule: &str) -> Self {
        if self
            .verdicts_of(rule)
            .iter()
            .any(|verdict| verdict.kind == VerdictKind::Broken)
        {
            self.unmet(&format!("{rule} kept"));
        }
        self.then_verdict(rule, VerdictKind::Kept)
    }

    /// Some clause of the rule has this verdict by now.
    #[track_caller]
    pub fn then_verdict(self, rule: &str, kind: VerdictKind) -> Self {
        if self
            .verdicts_of(rule)
            .iter()
            .any(|verdict| verdict.kind == kind)
        {
            self
        } else {
            self.unmet(&format!("{rule} {}", kind.name()))
        }
    }

    /// A running clock of the rule is due at this moment (RFC 3339).
    #[track_caller]
    pub fn then_due(self, rule: &str, moment: &str) -> Self {
        let due = moment.parse::<DateTime<Utc>>().ok();
        let found = self
            .verdicts_of(rule)
            .iter()
            .any(|verdict| verdict.kind == VerdictKind::Pending && verdict.due == due);
        if found {
            self
        } else {
            self.unmet(&format!("{rule} due at {moment}"))
        }
    }

    /// The case as it stands, for checks of one's own.
    pub const fn case(&self) -> &Case {
        self.bench.case()
    }

    /// The bench the story plays on.
    pub const fn bench(&self) -> &Bench {
        &self.bench
    }

    /// What came of the latest proposal.
    pub const fn last(&self) -> Option<&Result<Admission, ProposeError>> {
        self.last.as_ref()
    }

    /// The rule's verdicts by now.
    pub fn verdicts_of(&self, rule: &str) -> Vec<Verdict> {
        let mut all = verdicts(self.bench.case(), self.bench.now());
        all.retain(|verdict| &*verdict.rule == rule);
        all
    }

    fn refused_by(&self) -> Vec<String> {
        let Some(Err(ProposeError::Refused(objections))) = &self.last else {
            return Vec::new();
        };
        let mut rules: Vec<String> = objections
            .iter()
            .map(|objection| objection.rule.to_string())
            .collect();
        // A rule may refuse by several of its clauses; it is one rule.
        rules.dedup();
        rules
    }

    #[track_caller]
    fn unmet(&self, wanted: &str) -> ! {
        let got = match &self.last {
            None => "nothing was proposed yet".to_owned(),
            Some(Ok(admission)) => {
                let flags: Vec<String> = admission
                    .flags
                    .iter()
                    .map(|flag| format!("  {}: {}", flag.rule, flag.missing))
                    .collect();
                format!(
                    "the latest proposal was admitted, with {} flags\n{}",
                    flags.len(),
                    flags.join("\n")
                )
            }
            Some(Err(ProposeError::Refused(objections))) => {
                let said: Vec<String> = objections
                    .iter()
                    .map(|objection| format!("  {}: {}", objection.rule, objection.missing))
                    .collect();
                format!("the latest proposal was refused\n{}", said.join("\n"))
            }
            Some(Err(error)) => format!("the latest proposal was not possible: {error}"),
        };
        let verdicts: Vec<String> = verdicts(self.bench.case(), self.bench.now())
            .iter()
            .filter(|verdict| verdict.kind != VerdictKind::NotApplicable)
            .map(|verdict| {
                format!(
                    "  {} {}: {}",
                    verdict.rule,
                    verdict.kind.name(),
                    verdict.why
                )
            })
            .collect();
        crate::fail(&format!(
            "expected: {wanted}\n{got}\nverdicts at {}\n{}",
            self.bench.local(self.bench.now()).to_rfc3339(),
            verdicts.join("\n")
        ))
    }
}
