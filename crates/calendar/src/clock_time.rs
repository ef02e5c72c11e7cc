//! A wall-clock time of a working day, 00:00 to 48:00, and the window between two of them.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::ser::{SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

/// Seconds of a civil day of 24 hours.
pub(crate) const DAY: i64 = 86_400;

/// A time on the clock, counted from the midnight at which its day begins.
///
/// "24:00" is the end of the day and not the same as "23:59"; up to "48:00" reaches into the
/// next day ("30:00" is its 06:00). Written `HH:MM` or `HH:MM:SS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockTime {
    seconds: u32,
}

impl ClockTime {
    /// The latest time that can be written: the end of the following day.
    const LATEST: u32 = 48 * 3_600;

    /// A time `seconds` after the beginning of its day; `None` above 48 hours.
    #[must_use]
    pub const fn from_seconds(seconds: u32) -> Option<Self> {
        if seconds <= Self::LATEST {
            Some(Self { seconds })
        } else {
            None
        }
    }

    /// Seconds since the beginning of the day, 0 to 172,800, by the clock on the wall.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

/// A text that is not a time on the clock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a clock time; write HH:MM or HH:MM:SS between 00:00 and 48:00 (24:00 is the end of the day, 30:00 is 06:00 of the next; there is no second 60)"
)]
pub struct ParseClockTimeError {
    text: String,
}

impl FromStr for ClockTime {
    type Err = ParseClockTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseClockTimeError {
            text: text.to_owned(),
        };
        let number = |part: &str| -> Option<u32> {
            let plain = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if plain { part.parse().ok() } else { None }
        };
        let mut parts = text.split(':');
        let hours = parts.next().and_then(number).ok_or_else(error)?;
        let minutes = parts
            .next()
            .filter(|part| part.len() == 2)
            .and_then(number)
            .ok_or_else(error)?;
        let seconds = match parts.next() {
            Some(part) if part.len() == 2 => number(part).ok_or_else(error)?,
            Some(_) => return Err(error()),
            None => 0,
        };
        if parts.next().is_some() || minutes > 59 || seconds > 59 {
            return Err(error());
        }
        Self::from_seconds(hours * 3_600 + minutes * 60 + seconds).ok_or_else(error)
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (
            self.seconds / 3_600,
            self.seconds / 60 % 60,
            self.seconds % 60,
        );
        write!(f, "{hours:02}:{minutes:02}")?;
        if seconds > 0 {
            write!(f, ":{seconds:02}")
        } else {
            Ok(())
        }
    }
}

impl Serialize for ClockTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClockTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ClockTime;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a clock time such as \"09:00\" or \"24:00\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ClockTime, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Working time (or a break) from `open` to `close` by the clock, the close itself excluded.
///
/// Written as a pair, `["09:00", "12:00"]`, or as one text, `"09:00-12:00"`. A window that runs
/// past midnight belongs to the day it opens on and ends after 24:00: `["22:00", "30:00"]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// When it opens.
    pub open: ClockTime,
    /// When it closes; must be later than `open`, which [`crate::Calendar::compile`] checks.
    pub close: ClockTime,
}

impl Window {
    /// The window from `open` to `close`.
    #[must_use]
    pub const fn new(open: ClockTime, close: ClockTime) -> Self {
        Self { open, close }
    }

    /// The whole civil day, 00:00 to 24:00.
    #[must_use]
    pub const fn whole_day() -> Self {
        Self {
            open: ClockTime { seconds: 0 },
            close: ClockTime { seconds: 86_400 },
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.open, self.close)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.open)?;
        pair.serialize_element(&self.close)?;
        pair.end()
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairOrText;
        impl<'de> Visitor<'de> for PairOrText {
            type Value = Window;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a window such as [\"09:00\", \"12:00\"] or \"09:00-12:00\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Window, E> {
                let (open, close) = text.split_once('-').ok_or_else(|| {
                    E::custom(format_args!(
                        "`{text}` is not a window; write \"09:00-12:00\""
                    ))
                })?;
                let part = |part: &str| part.trim().parse().map_err(E::custom);
                Ok(Window {
                    open: part(open)?,
                    close: part(close)?,
                })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Window, A::Error> {
                let open = pair
                    .next_element()?
                    .ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let close = pair
                    .next_element()?
                    .ok_or_else(|| de::Error::invalid_length(1, &self))?;
                if pair.next_element::<de::IgnoredAny>()?.is_some() {
                    return Err(de::Error::invalid_length(3, &self));
                }
                Ok(Window { open, close })
            }
        }
        deserializer.deserialize_any(PairOrText)
    }
}
