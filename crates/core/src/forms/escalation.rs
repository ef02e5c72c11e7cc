//! Warnings before a limit and the ladder after it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use thirdring_calendar::Calendar;

use crate::forms::bound::Bound;
use crate::forms::limit::Limit;
use crate::forms::reading::Reading;
use crate::forms::run::Run;
use crate::record::Step;
use crate::source::{Complaint, Node, Table};

/// What is told before and after a limit passes.
#[derive(Debug, Clone, Default)]
pub struct Steps {
    /// Warnings, in the order of the rule.
    pub warn: Vec<Warning>,
    /// Rungs of the ladder, in the order of the rule.
    pub escalate: Vec<Rung>,
}

/// When to warn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// When so many hundredths of the limit are used up.
    Percent(u32),
    /// So long before the due moment.
    Before(Limit),
}

/// Whom to tell after a limit has passed.
#[derive(Debug, Clone)]
pub struct Rung {
    /// How long after the due moment.
    pub after: Limit,
    /// The role to tell.
    pub to: String,
    /// After how long to tell again, for as long as the run is open.
    pub again: Option<Limit>,
}

/// A step of a run and the moment it becomes true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedStep {
    /// The moment.
    pub at: DateTime<Utc>,
    /// What is to be told.
    pub step: Step,
    /// The role, where one is named.
    pub to: Option<String>,
}

/// The most often a rung is told again; past it somebody is not listening.
const REPEATS_MAX: u32 = 1_000;

impl Steps {
    /// Every step of a run up to and with `now`, or the next one after it where
    /// `now` is `None`-bounded by the caller. A rung that is told again and
    /// again only yields its latest telling, so that a desk that was down for a
    /// week is not flooded.
    pub(crate) fn until(
        &self,
        run: &Run,
        percent: &dyn Fn(u32) -> Option<DateTime<Utc>>,
        calendar: &Calendar,
        now: DateTime<Utc>,
    ) -> Vec<DatedStep> {
        let Some(due) = run.due else {
            return Vec::new();
        };
        let mut steps = Vec::new();
        for (index, at) in self.warnings(due, percent, calendar) {
            // Once the limit has passed a warning helps nobody.
            if at <= now && now <= due {
                steps.push(DatedStep {
                    at,
                    step: Step::Warned(index),
                    to: None,
                });
            }
        }
        if due < now {
            steps.push(DatedStep {
                at: due,
                step: Step::Missed,
                to: None,
            });
        }
        for (rung, number) in self.escalate.iter().zip(1u16..) {
            let mut latest = None;
            let mut at = rung.after.after(due, calendar).ok();
            let mut again = 0;
            while let Some(moment) = at {
                // At the due moment itself nobody is late yet.
                if moment > now || now <= due || again > REPEATS_MAX {
                    break;
                }
                latest = Some((moment, again));
                again += 1;
                at = rung
                    .again
                    .and_then(|limit| limit.after(moment, calendar).ok())
                    .filter(|next| *next > moment);
            }
            if let Some((at, again)) = latest {
                steps.push(DatedStep {
                    at,
                    step: Step::Escalated {
                        rung: number,
                        again,
                    },
                    to: Some(rung.to.clone()),
                });
            }
        }
        steps.sort_by_key(|step| step.at);
        steps
    }

    /// The soonest step that was not announced yet. A limit's own moment is
    /// still in time; what it brings is true just after it. `told` gives the
    /// tellings of a rung so far, by number and moment; tellings that a pause in
    /// looking jumped over are not made up for.
    pub(crate) fn next(
        &self,
        run: &Run,
        percent: &dyn Fn(u32) -> Option<DateTime<Utc>>,
        calendar: &Calendar,
        announced: &dyn Fn(&DatedStep) -> bool,
        told: &dyn Fn(u16) -> BTreeSet<(u32, DateTime<Utc>)>,
    ) -> Option<DatedStep> {
        let due = run.due?;
        let missed = DatedStep {
            at: due,
            step: Step::Missed,
            to: None,
        };
        let over = announced(&missed);
        let warnings = self
            .warnings(due, percent, calendar)
            .into_iter()
            .filter(|_| !over)
            .map(|(number, at)| DatedStep {
                at,
                step: Step::Warned(number),
                to: None,
            });
        let rungs = self
            .escalate
            .iter()
            .zip(1u16..)
            .filter_map(|(rung, number)| {
                let told = told(number);
                let last = told.last().map_or(0, |(again, _)| *again);
                let mut upcoming = None;
                let mut at = rung.after.after(due, calendar).ok();
                let mut again = 0;
                // A telling counts only if it belongs to the due moment as it is now.
                while let Some(moment) = at.filter(|_| again <= REPEATS_MAX) {
                    if told.contains(&(again, moment)) {
                        upcoming = None;
                    } else if upcoming.is_none() {
                        upcoming = Some((moment, again));
                    }
                    if again > last {
                        break;
                    }
                    again += 1;
                    at = rung
                        .again
                        .and_then(|limit| limit.after(moment, calendar).ok())
                        .filter(|next| *next > moment);
                }
                let (at, again) = upcoming?;
                Some(DatedStep {
                    at,
                    step: Step::Escalated {
                        rung: number,
                        again,
                    },
                    to: Some(rung.to.clone()),
                })
            });
        warnings
            .chain(rungs)
            .chain([missed])
            .filter(|step| !announced(step))
            .min_by_key(|step| step.at)
    }

    fn warnings(
        &self,
        due: DateTime<Utc>,
        percent: &dyn Fn(u32) -> Option<DateTime<Utc>>,
        calendar: &Calendar,
    ) -> Vec<(u16, DateTime<Utc>)> {
        self.warn
            .iter()
            .zip(1u16..)
            .filter_map(|(warning, number)| {
                let at = match warning {
                    Warning::Percent(hundredths) => percent(*hundredths)?,
                    Warning::Before(limit) => limit.before(due, calendar).ok()?,
                };
                Some((number, at))
            })
            .collect()
    }

    pub(crate) fn describe(&self) -> String {
        let mut parts = Vec::new();
        for warning in &self.warn {
            parts.push(match warning {
                Warning::Percent(hundredths) => format!("a warning at {hundredths} %"),
                Warning::Before(limit) => format!("a warning {limit} before"),
            });
        }
        for rung in &self.escalate {
            let again = rung
                .again
                .map(|limit| format!(", again every {limit}"))
                .unwrap_or_default();
            parts.push(format!("{} told {} after{again}", rung.to, rung.after));
        }
        parts.join("; ")
    }

    pub(crate) fn read(
        table: &mut Table<'_>,
        reading: &Reading<'_>,
        limits: &[Bound],
    ) -> Result<Self, Complaint> {
        let mut steps = Self::default();
        if let Some(node) = table.take("warn") {
            for item in node.items() {
                steps.warn.push(read_warning(item, limits)?);
            }
        }
        if let Some(node) = table.take("escalate") {
            for item in node.items() {
                let mut rung = item.table()?;
                let after = Limit::read(rung.demand("after", "\"1 clock hour\"")?)?;
                let role = rung.demand("to", "\"service_manager\"")?;
                let roles = reading.roles(role)?;
                let [to] = roles.as_slice() else {
                    return Err(role.place.complain(
                        None,
                        "a rung tells one role",
                        "write one rung for each role",
                    ));
                };
                let again = rung.take("again").map(Limit::read).transpose()?;
                let mut complaints = Vec::new();
                rung.finish(&mut complaints);
                if let Some(complaint) = complaints.pop() {
                    return Err(complaint);
                }
                steps.escalate.push(Rung {
                    after,
                    to: to.clone(),
                    again,
                });
            }
        }
        if limits.is_empty() && !(steps.warn.is_empty() && steps.escalate.is_empty()) {
            return Err(table.place.complain(
                None,
                "warnings and escalations need a limit",
                "write within = \"…\", or leave them out",
            ));
        }
        Ok(steps)
    }
}

fn read_warning(node: &Node, limits: &[Bound]) -> Result<Warning, Complaint> {
    let text = node.text()?;
    if let Some(hundredths) = text.strip_suffix('%') {
        if limits
            .iter()
            .any(|bound| bound.before || bound.limit.seconds().is_none())
        {
            return Err(node.place.complain(
                None,
                "a limit in whole days or months has no hundredths",
                "warn so long before, e.g. \"1 working day before\"",
            ));
        }
        return match hundredths.trim().parse::<u32>() {
            Ok(hundredths) if (1..100).contains(&hundredths) => Ok(Warning::Percent(hundredths)),
            _ => Err(node.place.complain(
                None,
                format!("`{text}` is no fraction of a limit"),
                "write e.g. \"80 %\"",
            )),
        };
    }
    text.strip_suffix("before")
        .and_then(Limit::parse)
        .map(Warning::Before)
        .ok_or_else(|| {
            node.place.complain(
                None,
                format!("`{text}` is no warning"),
                "write e.g. \"80 %\" or \"30 clock minutes before\"",
            )
        })
}
