//! How far a clause reaches into the calendar: the working time it would count
//! if its clock started at a moment.

use chrono::{DateTime, Utc};
use thirdring_calendar::Calendar;

use crate::forms::escalation::{Steps, Warning};
use crate::forms::every::Every;
use crate::forms::form::Form;
use crate::forms::limit::Limit;
use crate::forms::within::Within;
use crate::manual::Calendars;

/// A stretch of time in which a clause counts working time.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    /// What is counted, as a person reads it.
    pub what: String,
    /// The calendar it is counted in.
    pub calendar: &'a Calendar,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

impl Reach<'_> {
    /// The first year of it whose holidays are not announced.
    pub fn unannounced(&self) -> Option<i32> {
        self.calendar.unannounced(self.from, self.until)
    }
}

impl Form {
    /// Everything the clause would count in working time if its clock started at
    /// a moment: limits, earliest moments, due days of a period, warnings and
    /// the steps of its ladder. A limit before a moment to come reaches at least
    /// as far as it is long. What the calendar has no answer for is left out.
    pub fn reach<'a>(&self, start: DateTime<Utc>, calendars: Calendars<'a>) -> Vec<Reach<'a>> {
        match self {
            Self::Within(within) => within_reach(within, start, calendars),
            Self::Every(every) => every_reach(every, start, calendars),
            Self::Carries(_)
            | Self::OnlyBy(_)
            | Self::Needs(_)
            | Self::Never
            | Self::Means(_)
            | Self::May(_)
            | Self::Computed(_)
            | Self::Stated(_) => Vec::new(),
        }
    }
}

fn counted<'a>(
    what: String,
    limit: Limit,
    from: DateTime<Utc>,
    calendar: &'a Calendar,
) -> Option<Reach<'a>> {
    let until = limit.after(from, calendar).ok()?;
    limit.is_working().then_some(Reach {
        what,
        calendar,
        from,
        until,
    })
}

fn within_reach<'a>(
    within: &Within,
    start: DateTime<Utc>,
    calendars: Calendars<'a>,
) -> Vec<Reach<'a>> {
    let own = calendars.get(None);
    let mut reach = Vec::new();
    for expected in &within.expect {
        let earliest = expected.not_before;
        reach.extend(
            earliest.and_then(|limit| counted(format!("not before {limit}"), limit, start, own)),
        );
    }
    // Which calendar a run is counted in a fact may say: then any of them.
    let run_calendars: Vec<&Calendar> = if within.calendar_by.is_some() {
        calendars.all().collect()
    } else {
        vec![own]
    };
    for run_calendar in run_calendars {
        let mut due = None;
        for bound in &within.limits {
            let calendar = match &bound.calendar {
                Some(name) => calendars.get(Some(name)),
                None => run_calendar,
            };
            reach.extend(counted(bound.to_string(), bound.limit, start, calendar));
            let of_bound = bound.limit.after(start, calendar).ok();
            due = due.into_iter().chain(of_bound).min();
        }
        if let Some(due) = due {
            steps_reach(&within.steps, due, own, &mut reach);
        }
    }
    reach
}

/// Warnings and the ladder are counted from the due moment, in the manual's own
/// calendar.
fn steps_reach<'a>(
    steps: &Steps,
    due: DateTime<Utc>,
    own: &'a Calendar,
    reach: &mut Vec<Reach<'a>>,
) {
    for warning in &steps.warn {
        if let Warning::Before(limit) = warning
            && limit.is_working()
            && let Ok(from) = limit.before(due, own)
        {
            reach.push(Reach {
                what: format!("a warning {limit} before"),
                calendar: own,
                from,
                until: due,
            });
        }
    }
    for rung in &steps.escalate {
        let told = rung.after.after(due, own).ok();
        let what = format!("an escalation {} after", rung.after);
        reach.extend(counted(what, rung.after, due, own));
        if let Some((told, again)) = told.zip(rung.again) {
            let what = format!("an escalation again after {again}");
            reach.extend(counted(what, again, told, own));
        }
    }
}

fn every_reach<'a>(
    every: &Every,
    start: DateTime<Utc>,
    calendars: Calendars<'a>,
) -> Vec<Reach<'a>> {
    let own = calendars.get(None);
    let mut reach = Vec::new();
    if every.counts_working_days()
        && let Some(until) = every.due_if_started(start, own)
    {
        reach.push(Reach {
            what: every.describe(),
            calendar: own,
            from: start.min(until),
            until,
        });
    }
    for age in [every.from_age, every.ends_at_age].into_iter().flatten() {
        reach.extend(counted(age.to_string(), age, start, own));
    }
    reach
}
