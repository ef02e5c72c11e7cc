//! The weekly pattern as a circle of seven days: working seconds by arithmetic, for any year.

use crate::clock_time::DAY;
use crate::day_book::Span;

/// Seconds of a week by the clock.
pub(crate) const WEEK: i64 = 7 * DAY;

/// Monday 1970-01-05 00:00 on the wall, where weeks are counted from.
const MONDAY: i64 = 4 * DAY;

/// An open run within the week.
#[derive(Clone, Copy, Debug)]
struct Run {
    open: i64,
    close: i64,
    /// Working seconds of the week before it opens.
    before: i64,
}

/// The open runs of a week, merged and summed. All times are seconds on the wall clock.
#[derive(Clone, Debug)]
pub(crate) struct Week {
    runs: Vec<Run>,
    total: i64,
}

impl Week {
    pub(crate) fn new(days: &[Vec<Span>; 7]) -> Self {
        let mut spans = Vec::new();
        for (spans_of_day, midnight) in days.iter().zip((0..).map(|day| day * DAY)) {
            for span in spans_of_day {
                let (open, close) = (midnight + span.open, midnight + span.close);
                // What runs past Sunday midnight continues at the beginning of the week.
                if open < WEEK {
                    spans.push((open, close.min(WEEK)));
                }
                if close > WEEK {
                    spans.push(((open - WEEK).max(0), close - WEEK));
                }
            }
        }
        let mut total = 0;
        let runs = merged(spans)
            .into_iter()
            .map(|(open, close)| {
                let before = total;
                total += close - open;
                Run {
                    open,
                    close,
                    before,
                }
            })
            .collect();
        Self { runs, total }
    }

    /// Working seconds of a whole week.
    pub(crate) const fn total(&self) -> i64 {
        self.total
    }

    /// Working seconds from the counting origin to `local`, negative before it.
    pub(crate) fn worked(&self, local: i64) -> i64 {
        let (week, within) = split(local);
        let passed = self.runs.partition_point(|run| run.open <= within);
        let part = match passed.checked_sub(1).and_then(|index| self.runs.get(index)) {
            Some(run) => run.before + within.min(run.close) - run.open,
            None => 0,
        };
        week * self.total + part
    }

    /// The earliest time by which `worked` seconds are done. `None` if the week is empty or
    /// the time beyond measure.
    pub(crate) fn earliest(&self, worked: i64) -> Option<i64> {
        if self.total == 0 {
            return None;
        }
        let (mut week, mut rest) = (worked.div_euclid(self.total), worked.rem_euclid(self.total));
        if rest == 0 {
            (week, rest) = (week - 1, self.total);
        }
        let index = self
            .runs
            .partition_point(|run| run.before < rest)
            .checked_sub(1)?;
        let run = self.runs.get(index)?;
        week.checked_mul(WEEK)?
            .checked_add(MONDAY + run.open + rest - run.before)
    }

    /// The latest time up to which no more than `worked` seconds are done: the next opening, if
    /// they are used up at a close.
    pub(crate) fn latest(&self, worked: i64) -> Option<i64> {
        if self.total == 0 {
            return None;
        }
        let (week, rest) = (worked.div_euclid(self.total), worked.rem_euclid(self.total));
        let index = self
            .runs
            .partition_point(|run| run.before <= rest)
            .checked_sub(1)?;
        let run = self.runs.get(index)?;
        week.checked_mul(WEEK)?
            .checked_add(MONDAY + run.open + rest - run.before)
    }

    fn run_at(&self, within: i64) -> Option<Run> {
        let index = self
            .runs
            .partition_point(|run| run.open <= within)
            .checked_sub(1)?;
        self.runs
            .get(index)
            .copied()
            .filter(|run| within < run.close)
    }

    /// Whether the week is open at `local`.
    pub(crate) fn is_open(&self, local: i64) -> bool {
        self.run_at(split(local).1).is_some()
    }

    /// When the run that is open at `local` ends; `None` if it never does. `local` itself if
    /// nothing is open then.
    pub(crate) fn run_end(&self, local: i64) -> Option<i64> {
        let (_, within) = split(local);
        let Some(run) = self.run_at(within) else {
            return Some(local);
        };
        if self.total == WEEK {
            return None;
        }
        let beginning = local - within;
        match self.runs.first() {
            Some(first) if run.close == WEEK && first.open == 0 => {
                Some(beginning + WEEK + first.close)
            }
            _ => Some(beginning + run.close),
        }
    }
}

/// The week `local` falls in and the second within it.
fn split(local: i64) -> (i64, i64) {
    let since = local - MONDAY;
    (since.div_euclid(WEEK), since.rem_euclid(WEEK))
}

/// Sorts intervals and joins those that overlap or touch.
pub(crate) fn merged(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
    for (open, close) in spans {
        match joined.last_mut() {
            Some(last) if open <= last.1 => last.1 = last.1.max(close),
            _ => joined.push((open, close)),
        }
    }
    joined
}

/// `spans` without `holes`; both merged and sorted.
pub(crate) fn without(spans: &[(i64, i64)], holes: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut left = Vec::with_capacity(spans.len());
    for &(mut open, close) in spans {
        for &(from, to) in holes {
            if to <= open || from >= close {
                continue;
            }
            if from > open {
                left.push((open, from));
            }
            open = to;
        }
        if open < close {
            left.push((open, close));
        }
    }
    left
}
