//! Deadlines with pauses: working time inside a pause does not count.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Exact};
use crate::error::CalendarError;

/// A stretch of real time in which the clock stands still.
///
/// Pauses may overlap, touch, come in any order, last no time at all, begin before the start or
/// outside working hours; only the working time inside them is left out, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When the clock stops.
    pub from: DateTime<Utc>,
    /// When it runs again; `None` while it is still paused.
    #[serde(default)]
    pub to: Option<DateTime<Utc>>,
}

impl Calendar {
    /// When `seconds` of working time after `start` are used up, pauses not counting. `None` if
    /// an open pause begins first: then there is no such instant yet.
    ///
    /// As with [`Calendar::add`], a budget used up exactly when hours close or a pause begins
    /// is due at that moment. A budget of zero is due at the first open instant that is not
    /// paused.
    ///
    /// # Errors
    /// [`CalendarError::ReversedPause`], [`CalendarError::NegativeBudget`], and those of
    /// [`Calendar::add`].
    pub fn deadline(
        &self,
        start: DateTime<Utc>,
        seconds: i64,
        pauses: &[Pause],
    ) -> Result<Option<DateTime<Utc>>, CalendarError> {
        if seconds < 0 {
            return Err(CalendarError::NegativeBudget { seconds });
        }
        let pauses = joined(pauses)?;
        let mut at = start;
        // What is left, counted in nanoseconds so that no pause costs a part of a second.
        let mut left = i128::from(seconds) * 1_000_000_000;
        for pause in pauses {
            if pause.to.is_some_and(|to| to <= at) {
                continue;
            }
            if pause.from > at {
                if left == 0 {
                    let due = self.next_open(at)?;
                    if due < pause.from {
                        return Ok(Some(due));
                    }
                }
                let run = self.run_between(at, pause.from);
                if left > 0 && run >= left {
                    return self.add_nanos(at, left).map(Some);
                }
                left -= run;
            }
            match pause.to {
                Some(to) => at = to,
                None => return Ok(None),
            }
        }
        self.add_nanos(at, left).map(Some)
    }

    /// The working time from `a` to `b` outside the pauses, in whole seconds; zero if `b` is
    /// earlier. An open pause lasts.
    ///
    /// # Errors
    /// [`CalendarError::ReversedPause`].
    pub fn between_paused(
        &self,
        a: DateTime<Utc>,
        b: DateTime<Utc>,
        pauses: &[Pause],
    ) -> Result<i64, CalendarError> {
        let mut total: i128 = 0;
        let mut at = a;
        for pause in joined(pauses)? {
            let from = pause.from.min(b);
            if from > at {
                total += self.run_between(at, from);
            }
            at = at.max(pause.to.map_or(b, |to| to.min(b)));
        }
        if b > at {
            total += self.run_between(at, b);
        }
        i64::try_from(total / 1_000_000_000).map_err(|_| CalendarError::OutOfRange {
            what: "span of time",
        })
    }

    fn run_between(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> i128 {
        let (a, b) = (self.worked(Exact::of(a)), self.worked(Exact::of(b)));
        let nanos = i128::from(b.nanos) - i128::from(a.nanos);
        i128::from(b.seconds - a.seconds) * 1_000_000_000 + nanos
    }

    fn add_nanos(&self, at: DateTime<Utc>, nanos: i128) -> Result<DateTime<Utc>, CalendarError> {
        const OUT: CalendarError = CalendarError::OutOfRange {
            what: "number of seconds",
        };
        let seconds = i64::try_from(nanos / 1_000_000_000).map_err(|_| OUT)?;
        let part = u32::try_from(nanos % 1_000_000_000).map_err(|_| OUT)?;
        self.add_exact(
            at,
            Exact {
                seconds,
                nanos: part,
            },
        )
    }
}

/// The pauses in order, those that overlap or touch joined, those without length left out.
fn joined(pauses: &[Pause]) -> Result<Vec<Pause>, CalendarError> {
    let mut sorted = Vec::with_capacity(pauses.len());
    for pause in pauses {
        match pause.to {
            Some(to) if to < pause.from => {
                return Err(CalendarError::ReversedPause {
                    from: pause.from,
                    to,
                });
            }
            Some(to) if to == pause.from => {}
            _ => sorted.push(*pause),
        }
    }
    sorted.sort_by_key(|pause| pause.from);
    let mut joined: Vec<Pause> = Vec::with_capacity(sorted.len());
    for pause in sorted {
        match joined.last_mut() {
            Some(last) if last.to.is_none_or(|to| pause.from <= to) => {
                last.to = match (last.to, pause.to) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    _ => None,
                };
            }
            _ => joined.push(pause),
        }
    }
    Ok(joined)
}
