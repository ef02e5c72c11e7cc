//! The offset changes of a time zone, and the mapping between its clock and real time.

use std::sync::{Arc, LazyLock, OnceLock};

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

/// The last year whose offset changes are in the compiled zone database. Afterwards the last
/// offset is taken to hold for ever, and answers that depend on it are flagged.
pub const ZONE_DATA_LAST_YEAR: i32 = 2099;

/// The version of the IANA zone database compiled in, e.g. `2025b`.
#[must_use]
pub fn zone_data_version() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

/// A change of the offset of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    /// The first second of the new offset (Unix time).
    pub(crate) at: i64,
    /// Seconds east of UTC before.
    pub(crate) before: i64,
    /// Seconds east of UTC from `at` on.
    pub(crate) after: i64,
}

impl Transition {
    /// Whether local clocks are set back, so that some times occur twice.
    pub(crate) const fn is_fold(self) -> bool {
        self.after < self.before
    }
}

/// The whole offset history of one zone.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) tz: Tz,
    first_offset: i64,
    transitions: Vec<Transition>,
}

impl Zone {
    /// The history of `tz`. The table of a zone is a pure function of the compiled database, so
    /// it is kept once computed: 100,000 calendars in one zone share one table.
    pub(crate) fn of(tz: Tz) -> Arc<Self> {
        static TABLES: LazyLock<Vec<OnceLock<Arc<Zone>>>> =
            LazyLock::new(|| TZ_VARIANTS.iter().map(|_| OnceLock::new()).collect());
        let place = TZ_VARIANTS.iter().position(|&known| known == tz);
        match place.and_then(|index| TABLES.get(index)) {
            Some(table) => Arc::clone(table.get_or_init(|| Arc::new(Self::scan(tz)))),
            None => Arc::new(Self::scan(tz)),
        }
    }

    /// Finds every offset change. The database crate does not show its list, so the offset is
    /// sampled and each difference bisected. No two changes of any zone are nearer than 6.9
    /// days (a test over the whole database holds this), so a step of three days misses none.
    fn scan(tz: Tz) -> Self {
        const FROM: i64 = -4_102_444_800; // 1840, before the first entry of the database
        const TO: i64 = 4_133_980_800; // 2101, after the last
        const STEP: i64 = 3 * 86_400;
        let first_offset = offset_at(tz, FROM);
        let mut transitions = Vec::new();
        let (mut at, mut before) = (FROM, first_offset);
        while at < TO {
            let next = at + STEP;
            let after = offset_at(tz, next);
            if after != before {
                let (mut old, mut new) = (at, next);
                while new - old > 1 {
                    let middle = old + (new - old) / 2;
                    if offset_at(tz, middle) == before {
                        old = middle
                    } else {
                        new = middle
                    }
                }
                transitions.push(Transition {
                    at: new,
                    before,
                    after,
                });
            }
            (at, before) = (next, after);
        }
        Self {
            tz,
            first_offset,
            transitions,
        }
    }

    /// Seconds east of UTC before the first change.
    pub(crate) const fn first_offset(&self) -> i64 {
        self.first_offset
    }

    /// All changes in order.
    pub(crate) fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// Seconds east of UTC at a Unix time.
    pub(crate) fn offset(&self, utc: i64) -> i64 {
        let passed = self.transitions.partition_point(|change| change.at <= utc);
        match passed
            .checked_sub(1)
            .and_then(|index| self.transitions.get(index))
        {
            Some(change) => change.after,
            None => self.first_offset,
        }
    }

    /// The earlier instant at which clocks show `local`; the moment of the change if none does.
    /// Local times are seconds since 1970-01-01 00:00 on the wall.
    pub(crate) fn first(&self, local: i64) -> i64 {
        // Before change `k` clocks run up to `at + before`; the first span that reaches past
        // `local` is the one, unless it begins after it: then `local` was skipped.
        let index = self
            .transitions
            .partition_point(|change| change.at + change.before <= local);
        match index
            .checked_sub(1)
            .and_then(|index| self.transitions.get(index))
        {
            Some(change) => (local - change.after).max(change.at),
            None => local - self.first_offset,
        }
    }

    /// The later instant at which clocks show `local`; the moment of the change if none does.
    pub(crate) fn second(&self, local: i64) -> i64 {
        let index = self
            .transitions
            .partition_point(|change| change.at + change.after <= local);
        let offset = match index
            .checked_sub(1)
            .and_then(|index| self.transitions.get(index))
        {
            Some(change) => change.after,
            None => self.first_offset,
        };
        let instant = local - offset;
        match self.transitions.get(index) {
            Some(next) => instant.min(next.at),
            None => instant,
        }
    }
}

fn offset_at(tz: Tz, utc: i64) -> i64 {
    DateTime::from_timestamp(utc, 0).map_or(0, |instant| {
        i64::from(
            tz.offset_from_utc_datetime(&instant.naive_utc())
                .fix()
                .local_minus_utc(),
        )
    })
}
