//! Holidays from iCalendar (.ics) files.
//!
//! All-day events become days off. Recurring ones are expanded by RFC 5545 within the dates
//! asked for. What would have to be guessed (events with a time of day, changed single
//! occurrences) is refused with the event's name, never left out silently; only events marked
//! `CANCELLED` are left out.

use chrono::{DateTime, Days, NaiveDate, Utc};
use icalendar::parser::{Component, read_calendar, unfold};
use rrule::RRuleSet;

use crate::holiday_list::{HolidayList, ListedDay};

/// The longest single event taken for a holiday.
const LONGEST_EVENT_DAYS: i64 = 366;

/// Why a file gives no list of holidays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IcsError {
    /// It is not iCalendar.
    #[error("the file is not iCalendar: {detail}")]
    NotIcs {
        /// What the parser says, on one line.
        detail: String,
    },
    /// The dates asked for are the wrong way round.
    #[error("the dates {from} to {to} are the wrong way round")]
    BadRange {
        /// The first date asked for.
        from: NaiveDate,
        /// The last.
        to: NaiveDate,
    },
    /// An event that cannot be taken for a whole-day holiday.
    #[error("event `{event}`: {problem}; {remedy}")]
    Event {
        /// Its summary, or its UID, or its place in the file.
        event: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
}

/// The holidays of an iCalendar text from `from` to `to`, both included.
///
/// The list knows exactly those dates: an answer that needs others is flagged.
///
/// # Errors
/// [`IcsError`]: the first event that cannot be read in full.
pub fn read(text: &str, from: NaiveDate, to: NaiveDate) -> Result<HolidayList, IcsError> {
    if to < from {
        return Err(IcsError::BadRange { from, to });
    }
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded).map_err(|detail| IcsError::NotIcs {
        detail: detail.split_whitespace().collect::<Vec<_>>().join(" "),
    })?;
    if !text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_uppercase()
        .starts_with("BEGIN:VCALENDAR")
    {
        return Err(IcsError::NotIcs {
            detail: "it does not begin with BEGIN:VCALENDAR".to_owned(),
        });
    }
    let mut off = Vec::new();
    let mut events = Vec::new();
    gather(&calendar.components, &mut events);
    for (index, event) in events.into_iter().enumerate() {
        let event = Event { event, index };
        if event
            .text("STATUS")
            .is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED"))
        {
            continue;
        }
        let name = event.text("SUMMARY").map(str::to_owned);
        let (first, days) = event.span()?;
        for start in event.occurrences(first, days, from, to)? {
            let run = start.iter_days().take(usize::try_from(days).unwrap_or(0));
            off.extend(
                run.filter(|date| (from..=to).contains(date))
                    .map(|date| ListedDay {
                        date,
                        name: name.clone(),
                        notice: None,
                    }),
            );
        }
    }
    off.sort_by_key(|day| day.date);
    off.dedup_by_key(|day| day.date);
    Ok(HolidayList::new(off, Vec::new(), from, to))
}

fn gather<'a>(components: &'a [Component<'a>], events: &mut Vec<&'a Component<'a>>) {
    for component in components {
        if component.name.as_str().eq_ignore_ascii_case("VEVENT") {
            events.push(component);
        } else {
            gather(&component.components, events);
        }
    }
}

struct Event<'a> {
    event: &'a Component<'a>,
    index: usize,
}

impl Event<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.event
            .find_prop(name)
            .map(|property| property.val.as_str())
    }

    fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        let named = move |property: &&icalendar::parser::Property<'_>| {
            property.name.as_str().eq_ignore_ascii_case(name)
        };
        self.event
            .properties
            .iter()
            .filter(named)
            .map(|property| property.val.as_str())
    }

    fn refuse<T>(&self, problem: impl Into<String>, remedy: &'static str) -> Result<T, IcsError> {
        let event = self
            .text("SUMMARY")
            .or_else(|| self.text("UID"))
            .map(str::to_owned);
        Err(IcsError::Event {
            event: event.unwrap_or_else(|| format!("number {}", self.index + 1)),
            problem: problem.into(),
            remedy,
        })
    }

    fn date(&self, name: &str, text: &str) -> Result<NaiveDate, IcsError> {
        let plain = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        match NaiveDate::parse_from_str(text, "%Y%m%d") {
            Ok(date) if plain => Ok(date),
            _ => self.refuse(
                format!("{name} `{text}` is not a whole day"),
                "write it as VALUE=DATE, e.g. 20261001, or put the hours in special_days",
            ),
        }
    }

    /// The first day and how many days it lasts.
    fn span(&self) -> Result<(NaiveDate, i64), IcsError> {
        if self.text("RECURRENCE-ID").is_some() {
            return self.refuse(
                "it changes one occurrence of another event (RECURRENCE-ID)",
                "export the calendar with single events",
            );
        }
        let Some(start) = self.text("DTSTART") else {
            return self.refuse("it has no DTSTART", "give it a first day");
        };
        let first = self.date("DTSTART", start)?;
        let days = match (self.text("DTEND"), self.text("DURATION")) {
            // The end is the first day that is no longer part of it; some programs write the
            // first day again for an event of one day.
            (Some(end), _) => {
                let days = (self.date("DTEND", end)? - first).num_days();
                if days == 0 { 1 } else { days }
            }
            (None, Some(duration)) => {
                let days = |text: &str, letter, length| {
                    let count: i64 = text.strip_suffix(letter)?.parse().ok()?;
                    count.checked_mul(length)
                };
                let text = duration.strip_prefix('P').unwrap_or_default();
                days(text, 'D', 1)
                    .or_else(|| days(text, 'W', 7))
                    .unwrap_or(0)
            }
            (None, None) => 1,
        };
        if (1..=LONGEST_EVENT_DAYS).contains(&days) {
            Ok((first, days))
        } else {
            self.refuse(
                "its end is not 1 to 366 whole days after its beginning",
                "mend DTEND",
            )
        }
    }

    /// The first days of all occurrences that may touch the range.
    fn occurrences(
        &self,
        first: NaiveDate,
        days: i64,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<NaiveDate>, IcsError> {
        const RECURRENCE: [&str; 4] = ["RRULE", "RDATE", "EXDATE", "EXRULE"];
        if RECURRENCE
            .iter()
            .all(|name| self.all(name).next().is_none())
        {
            return Ok(vec![first]);
        }
        if self.all("EXRULE").next().is_some() {
            return self.refuse(
                "EXRULE is obsolete and not supported",
                "list the dates in EXDATE",
            );
        }
        // Whole days are expanded as midnights of UTC, where every day has 24 hours.
        let mut lines = format!("DTSTART:{}", midnight(first));
        if self.all("RRULE").next().is_none() {
            // Without a rule the expansion would leave out the event's own first day.
            lines.push_str(&format!("\nRDATE:{}", midnight(first)));
        }
        for rule in self.all("RRULE") {
            let parts = rule.split(';').map(|part| match part.split_once('=') {
                Some((key, day)) if key.eq_ignore_ascii_case("UNTIL") && day.len() == 8 => {
                    format!("UNTIL={day}T000000Z")
                }
                _ => part.to_owned(),
            });
            lines.push_str(&format!("\nRRULE:{}", parts.collect::<Vec<_>>().join(";")));
        }
        for name in ["RDATE", "EXDATE"] {
            for dates in self.all(name) {
                for date in dates.split(',') {
                    let date = self.date(name, date)?;
                    lines.push_str(&format!("\n{name}:{}", midnight(date)));
                }
            }
        }
        const REMEDY: &str = "mend the rule, or list the days one by one";
        let rules: RRuleSet = match lines.parse() {
            Ok(rules) => rules,
            Err(error) => return self.refuse(format!("its recurrence: {error}"), REMEDY),
        };
        let zoned = |date: NaiveDate| {
            let midnight: DateTime<Utc> = date.and_time(chrono::NaiveTime::MIN).and_utc();
            midnight.with_timezone(&rrule::Tz::UTC)
        };
        let earliest = from
            .checked_sub_days(Days::new(days.unsigned_abs()))
            .unwrap_or(from);
        let found = rules.after(zoned(earliest)).before(zoned(to)).all(u16::MAX);
        if found.limited {
            return self.refuse("its recurrence gives too many days", REMEDY);
        }
        Ok(found
            .dates
            .into_iter()
            .map(|date| date.naive_utc().date())
            .collect())
    }
}

fn midnight(date: NaiveDate) -> String {
    date.format("%Y%m%dT000000Z").to_string()
}
