//! How ids and moments stand in stored bodies: read without a detour, since
//! every record that is replayed passes here.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::ids::RecordId;

/// A ULID as its 26 characters. (The crate's own serde support wants its `std`
/// feature, and with it a clock and a source of randomness.)
pub(super) mod record_id {
    use serde::{Deserializer, Serializer};

    use super::{RecordId, RecordIdVisitor};

    pub(in crate::record) fn serialize<S: Serializer>(
        id: &RecordId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(id.array_to_str(&mut [0; ulid::ULID_LEN]))
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<RecordId, D::Error> {
        source.deserialize_str(RecordIdVisitor)
    }
}

/// A ULID that may be missing.
pub(super) mod optional_record_id {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{RecordId, record_id};

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Given(#[serde(deserialize_with = "record_id::deserialize")] RecordId);

    pub(in crate::record) fn serialize<S: Serializer>(
        id: &Option<RecordId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match id {
            Some(id) => record_id::serialize(id, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::record) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<Option<RecordId>, D::Error> {
        Ok(Option::<Given>::deserialize(source)?.map(|given| given.0))
    }
}

struct RecordIdVisitor;

impl serde::de::Visitor<'_> for RecordIdVisitor {
    type Value = RecordId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ULID: 26 characters such as 01KM7Z3N9W0000000000000000")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RecordId, E> {
        RecordId::from_string(text)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// A moment in RFC 3339.
pub(super) mod moment {
    use chrono::{DateTime, FixedOffset};
    use serde::{Deserializer, Serialize, Serializer};

    use super::MomentVisitor;

    pub(in crate::record) fn serialize<Tz: chrono::TimeZone, S: Serializer>(
        moment: &DateTime<Tz>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        moment.serialize(serializer)
    }

    pub(in crate::record) fn deserialize<
        'de,
        T: From<DateTime<FixedOffset>>,
        D: Deserializer<'de>,
    >(
        source: D,
    ) -> Result<T, D::Error> {
        source.deserialize_str(MomentVisitor).map(T::from)
    }
}

struct MomentVisitor;

impl serde::de::Visitor<'_> for MomentVisitor {
    type Value = DateTime<FixedOffset>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a moment such as 2026-03-02T09:00:00+08:00")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        usual(text.as_bytes())
            .or_else(|| DateTime::parse_from_rfc3339(text).ok())
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

/// Reads the usual spelling, whole seconds and an offset of hours and minutes;
/// anything else is left to the general parser.
fn usual(text: &[u8]) -> Option<DateTime<FixedOffset>> {
    let (local, offset) = text.split_at_checked(19)?;
    let &[
        y1,
        y2,
        y3,
        y4,
        b'-',
        mo1,
        mo2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        mi1,
        mi2,
        b':',
        s1,
        s2,
    ] = local
    else {
        return None;
    };
    let year = i32::try_from(two(y1, y2)? * 100 + two(y3, y4)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, two(mo1, mo2)?, two(d1, d2)?)?;
    let time = date.and_hms_opt(two(h1, h2)?, two(mi1, mi2)?, two(s1, s2)?)?;
    let seconds = match *offset {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let seconds = i32::try_from(two(h1, h2)? * 3600 + two(m1, m2)? * 60).ok()?;
            if sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    time.and_local_timezone(FixedOffset::east_opt(seconds)?)
        .single()
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let figure = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(figure(tens)? * 10 + figure(ones)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spelling_is_read_as_the_general_parser_reads_it() {
        for text in [
            "2026-03-02T09:00:00+08:00",
            "2026-12-31T23:59:59Z",
            "1999-02-28T00:00:00-03:30",
            "2024-02-29T12:00:00+00:00",
        ] {
            assert_eq!(
                usual(text.as_bytes()),
                DateTime::parse_from_rfc3339(text).ok(),
                "{text}"
            );
        }
        for text in [
            "2026-03-02T09:00:00.5Z",
            "2026-02-30T09:00:00Z",
            "2026-03-02 09:00:00Z",
            "x",
            "",
        ] {
            assert_eq!(usual(text.as_bytes()), None, "{text}");
        }
    }
}
