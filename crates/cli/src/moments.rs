//! Moments as people and machines write and read them.

use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

use crate::failure::Failure;
use crate::output::shorten;

/// Reads a moment from the command line: RFC 3339, or a date and time in the
/// manual's zone. A time that occurs twice means the first, one that does not
/// occur the moment of the change.
///
/// # Errors
/// If it is neither.
pub(crate) fn read(text: &str, zone: Tz) -> Result<DateTime<Utc>, Failure> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let local = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    .or_else(|| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    });
    local.and_then(|local| resolve(local, zone)).ok_or_else(|| {
        Failure::usage(
            format!("`{}` is no moment", shorten(text)),
            format!(
                "write RFC 3339, e.g. 2026-03-02T09:00:00+08:00, or a date and time in {zone}, e.g. \"2026-03-02 09:00\""
            ),
        )
    })
}

/// A civil date and time in a zone.
pub(crate) fn resolve(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
        // The clock jumps over it: what it read just before, and the time that
        // is missing, give the moment of the jump.
        LocalResult::None => (1..=4 * 24).find_map(|quarters| {
            let before = local.checked_sub_signed(chrono::TimeDelta::minutes(15 * quarters))?;
            let before = zone.from_local_datetime(&before).latest()?;
            let mut moment = before.to_utc();
            let offset = before.naive_local() - before.naive_utc();
            while zone.from_utc_datetime(&moment.naive_utc()).naive_local() - moment.naive_utc()
                == offset
            {
                moment += chrono::TimeDelta::minutes(1);
            }
            Some(moment)
        }),
    }
}

/// A moment for machines: RFC 3339 in a zone.
pub(crate) fn machine(moment: DateTime<Utc>, zone: Tz) -> String {
    moment
        .with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// A moment for people, in a zone; parts of a second only where there are any.
pub(crate) fn people(moment: DateTime<Utc>, zone: Tz) -> String {
    let format = if moment.timestamp_subsec_millis() == 0 {
        "%a %Y-%m-%d %H:%M:%S"
    } else {
        "%a %Y-%m-%d %H:%M:%S%.3f"
    };
    moment.with_timezone(&zone).format(format).to_string()
}

/// A moment without parts of a second, such as the present that a person is told.
pub(crate) fn whole_second(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.with_nanosecond(0).unwrap_or(moment)
}

/// A moment in a column of moments, in a zone.
pub(crate) fn column(moment: DateTime<Utc>, zone: Tz) -> String {
    moment
        .with_timezone(&zone)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_read_in_the_zone_unless_it_names_its_own() {
        let rome = Tz::Europe__Rome;
        assert_eq!(
            read("2026-03-02T09:00:00+08:00", rome).unwrap(),
            utc("2026-03-02T01:00:00Z")
        );
        assert_eq!(
            read("2026-03-02 09:00", rome).unwrap(),
            utc("2026-03-02T08:00:00Z")
        );
        assert_eq!(
            read("2026-03-02", rome).unwrap(),
            utc("2026-03-01T23:00:00Z")
        );
        assert!(read("noon", rome).is_err());
    }

    #[test]
    fn what_the_clock_jumps_over_means_the_jump() {
        let rome = Tz::Europe__Rome;
        assert_eq!(
            read("2026-03-29 02:30", rome).unwrap(),
            utc("2026-03-29T01:00:00Z")
        );
        assert_eq!(
            read("2026-10-25 02:30", rome).unwrap(),
            utc("2026-10-25T00:30:00Z")
        );
    }
}
