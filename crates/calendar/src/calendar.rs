//! A compiled calendar and its arithmetic in seconds.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::day_book::{DayBook, DayNumber, day_number};
use crate::definition::CalendarDefinition;
use crate::error::CalendarError;
use crate::timeline::{Edge, Timeline};
use crate::zone::Zone;

/// Which way to move where the amount itself does not say: zero has no sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Toward later instants.
    #[default]
    Forward,
    /// Toward earlier instants.
    Backward,
}

/// A working calendar, compiled for fast questions.
///
/// All instants are UTC; durations are real elapsed seconds, fractions of a second are carried
/// exactly. A chrono leap second (23:59:60) counts as the second that follows it.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(crate) zone: Arc<Zone>,
    pub(crate) book: DayBook,
    pub(crate) timeline: Timeline,
    /// The civil days for which holidays are announced, both included.
    pub(crate) known: Option<(DayNumber, DayNumber)>,
}

/// An instant, or an amount of working time, as whole seconds and the nanoseconds after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Exact {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

const NANOS: u32 = 1_000_000_000;

impl Exact {
    pub(crate) fn of(instant: DateTime<Utc>) -> Self {
        let nanos = instant.timestamp_subsec_nanos();
        Self {
            seconds: instant.timestamp() + i64::from(nanos / NANOS),
            nanos: nanos % NANOS,
        }
    }

    fn instant(self, what: &'static str) -> Result<DateTime<Utc>, CalendarError> {
        DateTime::from_timestamp(self.seconds, self.nanos).ok_or(CalendarError::OutOfRange { what })
    }
}

impl Calendar {
    /// Checks a definition and prepares it for questions.
    ///
    /// # Errors
    /// The first thing wrong in the definition: an unknown zone or holiday list, a window
    /// without length, a range of dates the wrong way round, a date off and worked at once.
    pub fn compile(definition: &CalendarDefinition) -> Result<Self, CalendarError> {
        let tz: Tz = definition
            .tz
            .parse()
            .map_err(|_| CalendarError::UnknownZone {
                zone: definition.tz.clone(),
            })?;
        let lists = definition.lists()?;
        let known = match definition.known(&lists) {
            Some(known) if known.to < known.from && definition.holidays_known.is_some() => {
                return Err(CalendarError::BadRange {
                    field: "holidays_known".to_owned(),
                    from: known.from,
                    to: known.to,
                });
            }
            known => known.map(|known| (day_number(known.from), day_number(known.to))),
        };
        let zone = Zone::of(tz);
        let book = DayBook::new(definition, &lists)?;
        let timeline = Timeline::new(&book, &zone);
        Ok(Self {
            zone,
            book,
            timeline,
            known,
        })
    }

    /// A calendar that is open at every instant; the zone serves its civil days and months.
    ///
    /// # Errors
    /// [`CalendarError::UnknownZone`].
    pub fn always_open(tz: &str) -> Result<Self, CalendarError> {
        Self::compile(&CalendarDefinition {
            tz: tz.to_owned(),
            always_open: true,
            ..CalendarDefinition::default()
        })
    }

    /// The time zone.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone.tz
    }

    /// The working time from a fixed origin to an instant.
    pub(crate) fn worked(&self, at: Exact) -> Exact {
        let seconds = self.timeline.worked(at.seconds);
        let open = at.nanos > 0 && self.timeline.is_open(at.seconds);
        Exact {
            seconds,
            nanos: if open { at.nanos } else { 0 },
        }
    }

    /// The inverse of [`Self::worked`]: `None` where the count is never reached.
    pub(crate) fn reached(&self, worked: Exact, edge: Edge) -> Option<Exact> {
        // A part of a second lies inside the open second that begins after the whole ones.
        let edge = if worked.nanos > 0 { Edge::Latest } else { edge };
        let seconds = self.timeline.instant(worked.seconds, edge)?;
        Some(Exact {
            seconds,
            nanos: worked.nanos,
        })
    }

    /// The instant reached after `seconds` of working time; negative counts backward. Zero
    /// moves to the nearest open instant forward: from inside a window nowhere, else to the
    /// next opening.
    ///
    /// The instant nearest the start wins: a budget used up exactly at a close gives that close
    /// and not the next opening, and backward an opening, not the close before it.
    ///
    /// # Errors
    /// [`CalendarError::NeverOpens`] if there is too little working time that way, ever;
    /// [`CalendarError::OutOfRange`] for an answer no date can express.
    pub fn add(
        &self,
        instant: DateTime<Utc>,
        seconds: i64,
    ) -> Result<DateTime<Utc>, CalendarError> {
        self.add_toward(instant, seconds, Direction::Forward)
    }

    /// As [`Self::add`], with the direction in which zero moves: backward it gives the previous
    /// close, unless the instant is open.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_toward(
        &self,
        instant: DateTime<Utc>,
        seconds: i64,
        zero: Direction,
    ) -> Result<DateTime<Utc>, CalendarError> {
        const WHAT: &str = "number of seconds";
        let start = Exact::of(instant);
        if seconds == 0 && self.timeline.is_open(start.seconds) {
            return Ok(instant);
        }
        let worked = self.worked(start);
        let target = worked
            .seconds
            .checked_add(seconds)
            .ok_or(CalendarError::OutOfRange { what: WHAT })?;
        let target = Exact {
            seconds: target,
            nanos: worked.nanos,
        };
        let (edge, direction) = match (seconds, zero) {
            (1.., _) => (Edge::Earliest, "after"),
            (0, Direction::Forward) => (Edge::Latest, "after"),
            (0, Direction::Backward) => (Edge::Earliest, "before"),
            _ => (Edge::Latest, "before"),
        };
        self.reached_from(instant, target, edge, direction)
    }

    /// As [`Self::add`] forward, by an amount with a part of a second.
    pub(crate) fn add_exact(
        &self,
        instant: DateTime<Utc>,
        amount: Exact,
    ) -> Result<DateTime<Utc>, CalendarError> {
        if amount.nanos == 0 {
            return self.add(instant, amount.seconds);
        }
        let worked = self.worked(Exact::of(instant));
        let nanos = worked.nanos + amount.nanos;
        let seconds = worked
            .seconds
            .checked_add(amount.seconds)
            .and_then(|seconds| seconds.checked_add(i64::from(nanos / NANOS)))
            .ok_or(CalendarError::OutOfRange {
                what: "number of seconds",
            })?;
        let target = Exact {
            seconds,
            nanos: nanos % NANOS,
        };
        self.reached_from(instant, target, Edge::Earliest, "after")
    }

    fn reached_from(
        &self,
        instant: DateTime<Utc>,
        target: Exact,
        edge: Edge,
        direction: &'static str,
    ) -> Result<DateTime<Utc>, CalendarError> {
        const WHAT: &str = "number of seconds";
        match self.reached(target, edge) {
            Some(reached) => reached.instant(WHAT),
            // With weekly hours every count is reached, so only its size can be the reason.
            None if self.book.opens_weekly() => Err(CalendarError::OutOfRange { what: WHAT }),
            None => Err(CalendarError::NeverOpens { instant, direction }),
        }
    }

    /// The working time from `a` to `b` in whole seconds; zero if `b` is earlier. A part of a
    /// second is dropped; [`Self::between_exact`] keeps it.
    #[must_use]
    pub fn between(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> i64 {
        self.between_signed(a, b).max(0)
    }

    /// As [`Self::between`], negative if `b` is earlier than `a`; rounded toward zero.
    #[must_use]
    pub fn between_signed(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> i64 {
        let (a, b) = (self.worked(Exact::of(a)), self.worked(Exact::of(b)));
        let seconds = b.seconds - a.seconds;
        if seconds > 0 && b.nanos < a.nanos {
            seconds - 1
        } else if seconds < 0 && b.nanos > a.nanos {
            seconds + 1
        } else {
            seconds
        }
    }

    /// The working time from `a` to `b` to the nanosecond, negative if `b` is earlier.
    #[must_use]
    pub fn between_exact(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> TimeDelta {
        let (a, b) = (self.worked(Exact::of(a)), self.worked(Exact::of(b)));
        TimeDelta::seconds(b.seconds - a.seconds)
            + TimeDelta::nanoseconds(i64::from(b.nanos) - i64::from(a.nanos))
    }

    /// Whether working time runs at this instant. An opening is open, a close is not.
    #[must_use]
    pub fn is_open(&self, instant: DateTime<Utc>) -> bool {
        self.timeline.is_open(Exact::of(instant).seconds)
    }

    /// The instant itself if it is open, else the next opening.
    ///
    /// # Errors
    /// [`CalendarError::NeverOpens`] if nothing opens any more.
    pub fn next_open(&self, instant: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
        self.add_toward(instant, 0, Direction::Forward)
    }

    /// The instant itself if it is open or a close, else the close before it.
    ///
    /// # Errors
    /// [`CalendarError::NeverOpens`] if nothing was open before.
    pub fn previous_close(&self, instant: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
        self.add_toward(instant, 0, Direction::Backward)
    }

    /// The first close after the instant. Windows that touch or overlap, in one day or across
    /// midnight, are one: where one ends and the other goes on nothing closes.
    ///
    /// # Errors
    /// [`CalendarError::NeverOpens`] if nothing opens any more, [`CalendarError::NeverCloses`]
    /// if it is open without end.
    pub fn next_close(&self, instant: DateTime<Utc>) -> Result<DateTime<Utc>, CalendarError> {
        let open = Exact::of(self.next_open(instant)?);
        let end = self
            .timeline
            .run_end(open.seconds)
            .ok_or(CalendarError::NeverCloses { instant })?;
        Exact {
            seconds: end,
            nanos: 0,
        }
        .instant("instant")
    }
}
