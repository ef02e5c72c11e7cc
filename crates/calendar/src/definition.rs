//! What a person writes: the hours, holidays and exceptions of a calendar.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::clock_time::Window;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names of the days say it")]
pub enum Day {
    #[serde(alias = "monday")]
    Mon,
    #[serde(alias = "tuesday")]
    Tue,
    #[serde(alias = "wednesday")]
    Wed,
    #[serde(alias = "thursday")]
    Thu,
    #[serde(alias = "friday")]
    Fri,
    #[serde(alias = "saturday")]
    Sat,
    #[serde(alias = "sunday")]
    Sun,
}

impl Day {
    /// Monday to Sunday.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// The name as written in a definition, e.g. `mon`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// A working calendar as written in a manual or a request.
///
/// Which hours hold on a date is decided in this order: `special_days`, then the calendar's own
/// `holidays` and `make_up_days`, then those of the lists in `holidays_from`, then `weekly`
/// (or 24 hours with `always_open`). `breaks` are taken away at the end. Serialising is
/// canonical: equal definitions give equal bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarDefinition {
    /// IANA time zone, e.g. `Asia/Shanghai`.
    pub tz: String,
    /// The windows of each day of the week; a day left out is closed.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique_days"
    )]
    pub weekly: BTreeMap<Day, Vec<Window>>,
    /// Open 24 hours every day instead of `weekly`, which is then not looked at; holidays,
    /// special days and breaks still count where they are given.
    #[serde(default, skip_serializing_if = "is_false")]
    pub always_open: bool,
    /// Days on which nothing opens. What opened the evening before runs to its end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holidays: BTreeSet<Holiday>,
    /// Named lists of holidays and make-up days shipped with this crate, e.g. `cn`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holidays_from: BTreeSet<String>,
    /// Days that are worked although the week or a list says otherwise (调休), with the hours
    /// of a day of the week.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub make_up_days: BTreeSet<MakeUpDay>,
    /// The day of the week whose hours a make-up day takes unless it names one; by default the
    /// first day from Monday on that has hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make_up_like: Option<Day>,
    /// Days with hours of their own, over everything else; an empty list closes the day.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "write_dated",
        deserialize_with = "unique_dates"
    )]
    pub special_days: BTreeMap<NaiveDate, Vec<Window>>,
    /// Time taken out of whatever is open then, counted from the date it stands under.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "write_dated",
        deserialize_with = "unique_dates"
    )]
    pub breaks: BTreeMap<NaiveDate, Vec<Window>>,
    /// The days that count as the weekend where a rule asks for "weekend or public holiday";
    /// by default Saturday and Sunday. It has no bearing on working hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekend: Option<BTreeSet<Day>>,
    /// The civil dates for which holidays are announced; answers that need others are flagged.
    /// Left out, the lists in `holidays_from` decide, and without lists nothing is flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holidays_known: Option<HolidaysKnown>,
    /// Where the holidays are announced: year (or any heading) to reference, for explanations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notices: BTreeMap<String, String>,
}

/// The first and last civil date for which holidays are announced, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolidaysKnown {
    /// The first date known.
    #[serde(serialize_with = "write_date", deserialize_with = "read_date")]
    pub from: NaiveDate,
    /// The last date known.
    #[serde(serialize_with = "write_date", deserialize_with = "read_date")]
    pub to: NaiveDate,
}

/// One holiday, or a run of them.
///
/// Written `"2026-10-01"`, `"2026-10-01/2026-10-07"` (both included), or
/// `{ from = "2026-10-01", to = "2026-10-07", name = "National Day" }`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "HolidayText", into = "HolidayText")]
pub struct Holiday {
    /// The first day off.
    pub from: NaiveDate,
    /// The last day off.
    pub to: NaiveDate,
    /// What it is called.
    pub name: Option<String>,
    /// Where it is announced, if not in [`CalendarDefinition::notices`] of its year.
    pub notice: Option<String>,
}

impl Holiday {
    /// A nameless day off.
    #[must_use]
    pub const fn on(date: NaiveDate) -> Self {
        Self {
            from: date,
            to: date,
            name: None,
            notice: None,
        }
    }
}

/// A day worked in exchange, with the hours of `like` or of the calendar's default day.
///
/// Written `"2026-09-20"` or `{ date = "2026-09-20", like = "fri", name = "National Day" }`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "MakeUpText", into = "MakeUpText")]
pub struct MakeUpDay {
    /// The date worked.
    pub date: NaiveDate,
    /// Whose hours it takes.
    pub like: Option<Day>,
    /// The holiday it makes up for.
    pub name: Option<String>,
    /// Where it is announced, if not in [`CalendarDefinition::notices`] of its year.
    pub notice: Option<String>,
}

impl MakeUpDay {
    /// `date` with the hours of the calendar's default day.
    #[must_use]
    pub const fn on(date: NaiveDate) -> Self {
        Self {
            date,
            like: None,
            name: None,
            notice: None,
        }
    }
}

/// The written forms of [`Holiday`].
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a holiday is \"2026-10-01\", \"2026-10-01/2026-10-07\" or { from, to, name } with dates YYYY-MM-DD"
)]
enum HolidayText {
    Plain(Dates),
    Full(HolidayFields),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayFields {
    #[serde(
        alias = "date",
        serialize_with = "write_date",
        deserialize_with = "read_date"
    )]
    from: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<Dates>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

/// One date or two with a slash between them.
#[derive(Clone, Copy)]
struct Dates {
    from: NaiveDate,
    to: NaiveDate,
}

impl Serialize for Dates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.from == self.to {
            serializer.collect_str(&self.from)
        } else {
            serializer.collect_str(&format_args!("{}/{}", self.from, self.to))
        }
    }
}

impl<'de> Deserialize<'de> for Dates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Dates;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date such as \"2026-10-01\" or a range \"2026-10-01/2026-10-07\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dates, E> {
                let (from, to) = text.split_once('/').unwrap_or((text, text));
                Ok(Dates {
                    from: parse_date(from)?,
                    to: parse_date(to)?,
                })
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl From<HolidayText> for Holiday {
    fn from(text: HolidayText) -> Self {
        match text {
            HolidayText::Plain(Dates { from, to }) => Self {
                from,
                to,
                name: None,
                notice: None,
            },
            HolidayText::Full(HolidayFields {
                from,
                to,
                name,
                notice,
            }) => Self {
                from,
                to: to.map_or(from, |to| to.to),
                name,
                notice,
            },
        }
    }
}

impl From<Holiday> for HolidayText {
    fn from(
        Holiday {
            from,
            to,
            name,
            notice,
        }: Holiday,
    ) -> Self {
        if name.is_none() && notice.is_none() {
            return Self::Plain(Dates { from, to });
        }
        let to = (to != from).then_some(Dates { from: to, to });
        Self::Full(HolidayFields {
            from,
            to,
            name,
            notice,
        })
    }
}

/// The written forms of [`MakeUpDay`].
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a make-up day is \"2026-09-20\" or { date = \"2026-09-20\", like = \"fri\" }"
)]
enum MakeUpText {
    Plain(#[serde(serialize_with = "write_date", deserialize_with = "read_date")] NaiveDate),
    Full(MakeUpFields),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MakeUpFields {
    #[serde(serialize_with = "write_date", deserialize_with = "read_date")]
    date: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    like: Option<Day>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
}

impl From<MakeUpText> for MakeUpDay {
    fn from(text: MakeUpText) -> Self {
        match text {
            MakeUpText::Plain(date) => Self::on(date),
            MakeUpText::Full(MakeUpFields {
                date,
                like,
                name,
                notice,
            }) => Self {
                date,
                like,
                name,
                notice,
            },
        }
    }
}

impl From<MakeUpDay> for MakeUpText {
    fn from(
        MakeUpDay {
            date,
            like,
            name,
            notice,
        }: MakeUpDay,
    ) -> Self {
        if like.is_none() && name.is_none() && notice.is_none() {
            return Self::Plain(date);
        }
        Self::Full(MakeUpFields {
            date,
            like,
            name,
            notice,
        })
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn parse_date<E: de::Error>(text: &str) -> Result<NaiveDate, E> {
    // Only the ten-character form: anything looser would give one date several spellings.
    let strict = (text.len() == 10)
        .then(|| text.parse::<NaiveDate>().ok())
        .flatten();
    strict.ok_or_else(|| {
        E::custom(format_args!(
            "`{text}` is not a date that exists; write YYYY-MM-DD"
        ))
    })
}

fn read_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = NaiveDate;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a date such as \"2026-10-01\"")
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<NaiveDate, E> {
            parse_date(text)
        }
    }
    deserializer.deserialize_str(Text)
}

fn write_date<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

fn write_dated<S: Serializer>(
    map: &BTreeMap<NaiveDate, Vec<Window>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(
        map.iter()
            .map(|(date, windows)| (date.to_string(), windows)),
    )
}

/// A date as the key of a table.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct DateKey(NaiveDate);

impl<'de> Deserialize<'de> for DateKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_date(deserializer).map(Self)
    }
}

/// Reads a table whose keys must differ; a parser would keep the last of two silently.
fn unique<'de, K, D>(deserializer: D) -> Result<BTreeMap<K, Vec<Window>>, D::Error>
where
    K: Deserialize<'de> + Ord,
    D: Deserializer<'de>,
{
    struct Table<K>(std::marker::PhantomData<K>);
    impl<'de, K: Deserialize<'de> + Ord> Visitor<'de> for Table<K> {
        type Value = BTreeMap<K, Vec<Window>>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table of days, each with a list of windows")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut table = BTreeMap::new();
            while let Some(key) = map.next_key::<K>()? {
                if table.insert(key, map.next_value()?).is_some() {
                    return Err(de::Error::custom(
                        "the same day stands twice in one table; keep one",
                    ));
                }
            }
            Ok(table)
        }
    }
    deserializer.deserialize_map(Table(std::marker::PhantomData))
}

fn unique_days<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<Day, Vec<Window>>, D::Error> {
    unique(d)
}

fn unique_dates<'de, D: Deserializer<'de>>(
    d: D,
) -> Result<BTreeMap<NaiveDate, Vec<Window>>, D::Error> {
    Ok(unique::<DateKey, D>(d)?
        .into_iter()
        .map(|(DateKey(date), windows)| (date, windows))
        .collect())
}
