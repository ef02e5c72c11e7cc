//! When a run of a `within` is due.

use chrono::{DateTime, Utc};
use thirdring_calendar::CalendarError;

use super::Within;
use crate::forms::bound::Bound;
use crate::forms::limit::Limit;
use crate::forms::run::Run;
use crate::manual::{Calendars, Unannounced};

impl Within {
    /// Works out the due moment anew from start, pauses and bounds.
    pub(super) fn compute_due(&self, run: &mut Run, calendars: Calendars<'_>) {
        run.due = None;
        run.trouble = None;
        run.unannounced = None;
        if run.is_paused() {
            return;
        }
        for bound in &self.limits {
            match self.due_of(bound, run, calendars) {
                Ok(due) if run.due.is_none_or(|sooner| due < sooner) => {
                    run.due = Some(due);
                    run.unannounced = bound.unannounced(run, due, calendars);
                }
                Ok(_) => {}
                Err(error) => run.trouble = Some(error.to_string()),
            }
        }
        if let Some(year) = run.unannounced
            && calendars.unannounced == Unannounced::Refuse
        {
            run.due = None;
            run.trouble = Some(format!(
                "the holidays of {year} are not announced, and the manual gives no moment that rests on a guess"
            ));
        }
    }

    /// The due moment one bound of the clause gives a run.
    pub(crate) fn due_of(
        &self,
        bound: &Bound,
        run: &Run,
        calendars: Calendars<'_>,
    ) -> Result<DateTime<Utc>, CalendarError> {
        let calendar = bound.calendar_of(run, calendars);
        Limit::Clock(self.grace_seconds).after(bound.due(run, calendars)?, calendar)
    }
}
