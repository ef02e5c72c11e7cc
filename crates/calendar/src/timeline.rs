//! The open time of a calendar on the real time axis, summed so that any span costs the same.
//!
//! The axis is cut where something changes: at offset changes of the zone and around dates that
//! depart from the week. Each segment is open, closed, or follows the weekly pattern at one
//! offset; each knows the working seconds before it. Counting is one search and one division,
//! and so is the inverse, however long the span.

use crate::clock_time::DAY;
use crate::day_book::{DayBook, DayNumber, Span};
use crate::week::{WEEK, Week, merged, without};
use crate::zone::{Transition, Zone};

/// How a segment counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Closed,
    Open,
    /// The weekly pattern on a wall clock `offset` seconds ahead of UTC; `delta` is added to
    /// the pattern's own count.
    Weekly {
        offset: i64,
        delta: i64,
    },
}

/// A stretch of the axis, up to where the next one begins.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Working seconds before it.
    worked: i64,
    kind: Kind,
}

/// The open time of one calendar. All instants are Unix seconds.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    week: Week,
    /// Where each segment begins; apart from the segments so that the search stays in few
    /// cache lines.
    starts: Vec<i64>,
    segments: Vec<Segment>,
}

/// Which of several instants with the same count is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// The earliest: a budget used up at a close means the close.
    Earliest,
    /// The latest: a budget used up backward at an opening means the opening.
    Latest,
}

impl Timeline {
    pub(crate) fn new(book: &DayBook, zone: &Zone) -> Self {
        let week = Week::new(book.week());
        let pieces = local_pieces(book);
        let mut builder = Builder {
            timeline: Self {
                week,
                starts: Vec::new(),
                segments: Vec::new(),
            },
        };
        let mut folds = FoldMemo::default();
        let (mut from, mut offset) = (i64::MIN, zone.first_offset());
        for &change in zone.transitions() {
            let around = if change.is_fold() {
                folds.around(book, change)
            } else {
                None
            };
            let repeated = if around.is_some() {
                change.before - change.after
            } else {
                0
            };
            builder.stretch(&pieces, from, change.at - repeated, offset);
            from = change.at;
            offset = change.after;
            if let Some(runs) = around {
                from = change.at + repeated;
                let mut at = change.at - repeated;
                for (open, close) in runs.into_iter().filter(|(open, close)| open < close) {
                    builder.push(at, Kind::Closed);
                    builder.push(change.at + open, Kind::Open);
                    at = change.at + close;
                }
                if at < from {
                    builder.push(at, Kind::Closed);
                }
            }
        }
        builder.stretch(&pieces, from, i64::MAX, offset);
        builder.timeline
    }

    /// Working seconds from the counting origin to `at`.
    pub(crate) fn worked(&self, at: i64) -> i64 {
        let index = self.index_at(at);
        self.worked_in(index, at)
    }

    fn index_at(&self, at: i64) -> usize {
        self.starts
            .partition_point(|&start| start <= at)
            .saturating_sub(1)
    }

    fn worked_in(&self, index: usize, at: i64) -> i64 {
        match (self.segments.get(index), self.starts.get(index)) {
            (Some(segment), Some(&start)) => match segment.kind {
                Kind::Closed => segment.worked,
                Kind::Open => segment.worked + (at - start),
                Kind::Weekly { offset, delta } => self.week.worked(at + offset) + delta,
            },
            _ => 0,
        }
    }

    /// The instant at which the count stands at `worked`; `None` if it never gets there.
    pub(crate) fn instant(&self, worked: i64, edge: Edge) -> Option<i64> {
        let passed = match edge {
            Edge::Earliest => self
                .segments
                .partition_point(|segment| segment.worked < worked),
            Edge::Latest => self
                .segments
                .partition_point(|segment| segment.worked <= worked),
        };
        let index = passed.checked_sub(1)?;
        let (segment, &start) = (self.segments.get(index)?, self.starts.get(index)?);
        match segment.kind {
            // Only the last segment can be meant here, and it never opens.
            Kind::Closed => None,
            Kind::Open => start.checked_add(worked.checked_sub(segment.worked)?),
            Kind::Weekly { offset, delta } => {
                let within = worked.checked_sub(delta)?;
                let local = match edge {
                    Edge::Earliest => self.week.earliest(within),
                    Edge::Latest => self.week.latest(within),
                };
                local?.checked_sub(offset)
            }
        }
    }

    /// Whether `at` lies in an open run (its close excluded).
    pub(crate) fn is_open(&self, at: i64) -> bool {
        match self
            .segments
            .get(self.index_at(at))
            .map(|segment| segment.kind)
        {
            Some(Kind::Open) => true,
            Some(Kind::Weekly { offset, .. }) => self.week.is_open(at + offset),
            Some(Kind::Closed) | None => false,
        }
    }

    /// When the run that is open at `at` closes; `None` if never. `at` itself if closed.
    pub(crate) fn run_end(&self, at: i64) -> Option<i64> {
        let mut at = at;
        let mut index = self.index_at(at);
        loop {
            let next = self.starts.get(index + 1).copied();
            match self.segments.get(index)?.kind {
                Kind::Closed => return Some(at),
                Kind::Open => at = next?,
                Kind::Weekly { offset, .. } => {
                    let end = self.week.run_end(at + offset).map(|end| end - offset);
                    match (end, next) {
                        (Some(end), Some(next)) if end >= next => at = next,
                        (Some(end), _) => return Some(end),
                        (None, next) => at = next?,
                    }
                }
            }
            index += 1;
        }
    }
}

/// Local pieces of the axis, before offsets: where each begins on the wall clock, and how it
/// counts (`None`: by the week).
type Piece = (i64, Option<bool>);

/// Cuts the wall-clock axis into weekly stretches and explicit runs around irregular days.
fn local_pieces(book: &DayBook) -> Vec<Piece> {
    let mut pieces = vec![(i64::MIN, None)];
    for (from, to) in book.irregular_stretches() {
        let mut at = from * DAY;
        for (open, close) in open_runs(book, from, to) {
            if open > at {
                pieces.push((at, Some(false)));
            }
            pieces.push((open, Some(true)));
            at = close;
        }
        if at < to * DAY {
            pieces.push((at, Some(false)));
        }
        pieces.push((to * DAY, None));
    }
    pieces
}

/// The open runs on the wall clock between two midnights, breaks taken away.
fn open_runs(book: &DayBook, from: DayNumber, to: DayNumber) -> Vec<(i64, i64)> {
    // A window reaches at most 48 hours, so only the day before can run into `from`.
    let (low, high) = (from * DAY, to * DAY);
    let collect = |of: &dyn Fn(DayNumber) -> Vec<Span>| {
        let mut spans = Vec::new();
        for day in from - 1..to {
            for span in of(day) {
                let (open, close) = (day * DAY + span.open, day * DAY + span.close);
                if close > low && open < high {
                    spans.push((open.max(low), close.min(high)));
                }
            }
        }
        merged(spans)
    };
    let windows = collect(&|day| book.windows(day).to_vec());
    let holes = collect(&|day| book.breaks(day).to_vec());
    without(&windows, &holes)
}

/// Two runs around the moment clocks are set back, relative to it; a run may be empty.
type Runs = [(i64, i64); 2];

/// Remembers the last fold computed: most folds of a zone fall on the same hour of the week.
#[derive(Default)]
struct FoldMemo {
    last: Option<(i64, i64, Option<Runs>)>,
}

impl FoldMemo {
    /// What is open while clocks show times twice, where this is not simply "what the clock
    /// shows": an opening then means the first of two, a close the second, so the hours between
    /// are open although the clock has passed the close, or not reached the opening again.
    fn around(&mut self, book: &DayBook, change: Transition) -> Option<Runs> {
        let begin = change.at + change.after;
        let end = change.at + change.before;
        // A 48-hour window of the day before yesterday closes at `begin` at the earliest.
        let days = begin.div_euclid(DAY) - 2..=end.div_euclid(DAY);
        let regular = days.clone().all(|day| book.is_regular(day));
        let key = (begin.rem_euclid(WEEK), end - begin);
        if let (true, Some((hour, length, runs))) = (regular, self.last)
            && (hour, length) == key
        {
            return runs;
        }
        let touching = |of: &dyn Fn(DayNumber) -> Vec<Span>| {
            let mut found: Option<(i64, i64, bool)> = None;
            for day in days.clone() {
                for span in of(day) {
                    let (open, close) = (day * DAY + span.open, day * DAY + span.close);
                    if open < end && close >= begin {
                        let edge = (open > begin) || (close < end);
                        let (low, high, had_edge) = found.unwrap_or((open, close, edge));
                        found = Some((low.min(open), high.max(close), had_edge || edge));
                    }
                }
            }
            // All of them join into one run through the moment of the change.
            found.map(|(open, close, edge)| {
                let length = end - begin;
                let from = if open <= begin { -length } else { open - end };
                let to = if close >= end { length } else { close - begin };
                (from, to, edge)
            })
        };
        let windows = touching(&|day| book.windows(day).to_vec());
        let breaks = touching(&|day| book.breaks(day).to_vec());
        let runs = match (windows, breaks) {
            (None, _) => None,
            (Some((_, _, false)), None) => None,
            (Some((open, close, _)), None) => Some([(open, close), (close, close)]),
            (Some((open, close, _)), Some((from, to, _))) => Some([(open, from), (to, close)]),
        };
        if regular {
            self.last = Some((key.0, key.1, runs));
        }
        runs
    }
}

struct Builder {
    timeline: Timeline,
}

impl Builder {
    /// Lays the local pieces over the real time from `from` to `to` at one offset.
    fn stretch(&mut self, pieces: &[Piece], from: i64, to: i64, offset: i64) {
        let local_from = from.saturating_add(offset);
        let local_to = if to == i64::MAX { to } else { to + offset };
        let first = pieces
            .partition_point(|(start, _)| *start <= local_from)
            .saturating_sub(1);
        for (start, open) in pieces.iter().skip(first) {
            if *start >= local_to {
                break;
            }
            let at = if *start <= local_from {
                from
            } else {
                start - offset
            };
            self.push(
                at,
                match open {
                    None => Kind::Weekly { offset, delta: 0 },
                    Some(true) => Kind::Open,
                    Some(false) => Kind::Closed,
                },
            );
        }
    }

    /// Begins a segment at `at`, unless it only continues the one before.
    fn push(&mut self, at: i64, kind: Kind) {
        let line = &mut self.timeline;
        let kind = match kind {
            Kind::Weekly { .. } if line.week.total() == 0 => Kind::Closed,
            kind => kind,
        };
        let Some(last) = line.segments.len().checked_sub(1) else {
            // Nothing is before the first segment; with weekly hours the count has no beginning.
            let worked = if kind == Kind::Closed { 0 } else { i64::MIN };
            line.starts.push(i64::MIN);
            line.segments.push(Segment { worked, kind });
            return;
        };
        // An empty segment gives way to the one that begins at the same moment.
        if line.starts.get(last).is_some_and(|&start| start == at) && last > 0 {
            line.starts.pop();
            line.segments.pop();
            self.push(at, kind);
            return;
        }
        let worked = line.worked_in(last, at);
        let kind = match kind {
            Kind::Weekly { offset, .. } => Kind::Weekly {
                offset,
                delta: worked - line.week.worked(at + offset),
            },
            kind => kind,
        };
        if line
            .segments
            .get(last)
            .is_some_and(|segment| segment.kind == kind)
        {
            return;
        }
        line.starts.push(at);
        line.segments.push(Segment { worked, kind });
    }
}
