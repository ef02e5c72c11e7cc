//! One test for each mistake other systems are known to make.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use chrono::{DateTime, Duration, NaiveDate, TimeDelta, Utc};
use thirdring_calendar::{
    Calendar, CalendarDefinition, CalendarError, ClosedReason, Direction, HoursReason, Pause,
};

const HOUR: i64 = 3_600;

fn calendar(toml: &str) -> Calendar {
    Calendar::compile(&toml::from_str(toml).unwrap()).unwrap()
}

/// Every day of the week with the same windows.
fn daily(tz: &str, windows: &str) -> Calendar {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let week: String = days
        .iter()
        .map(|day| format!("{day} = {windows}\n"))
        .collect();
    calendar(&format!("tz = \"{tz}\"\n[weekly]\n{week}"))
}

/// Monday to Friday 09:00 to 17:00 in UTC, with more lines in front of the week.
fn office(more: &str) -> Calendar {
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let week: String = days
        .iter()
        .map(|day| format!("weekly.{day} = [\"09:00-17:00\"]\n"))
        .collect();
    calendar(&format!("tz = \"UTC\"\n{week}{more}"))
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn seconds_are_not_lost() {
    let office = office("");
    assert_eq!(
        office.between(at("2026-03-02T09:00:29Z"), at("2026-03-02T09:01:31Z")),
        62
    );
    assert_eq!(
        office.add(at("2026-03-02T16:59:31Z"), 60).unwrap(),
        at("2026-03-03T09:00:31Z"),
        "29 seconds on Monday, 31 on Tuesday"
    );
    // Neither are parts of a second, over however many pauses.
    let start = at("2026-03-02T09:00:00.250Z");
    let pauses: Vec<Pause> = (1..=10)
        .map(|minute| {
            let from = start + TimeDelta::minutes(minute) + TimeDelta::milliseconds(333);
            Pause {
                from,
                to: Some(from + TimeDelta::milliseconds(1)),
            }
        })
        .collect();
    assert_eq!(
        office.deadline(start, HOUR, &pauses).unwrap(),
        Some(at("2026-03-02T10:00:00.260Z"))
    );
}

#[test]
fn a_budget_used_up_exactly_at_close_is_due_at_close() {
    let office = office("");
    assert_eq!(
        office.add(at("2026-03-06T09:00:00Z"), 8 * HOUR).unwrap(),
        at("2026-03-06T17:00:00Z")
    );
    assert_eq!(
        office
            .add(at("2026-03-06T09:00:00Z"), 8 * HOUR + 1)
            .unwrap(),
        at("2026-03-09T09:00:01Z")
    );
    // Backward it is the opening, not the close before it.
    assert_eq!(
        office.add(at("2026-03-09T17:00:00Z"), -8 * HOUR).unwrap(),
        at("2026-03-09T09:00:00Z")
    );
    assert_eq!(
        office
            .deadline(at("2026-03-06T09:00:00Z"), 8 * HOUR, &[])
            .unwrap(),
        Some(at("2026-03-06T17:00:00Z"))
    );
}

#[test]
fn touching_windows_are_one_and_do_not_close_between() {
    let touching = daily("UTC", r#"["09:00-12:00", "12:00-18:00"]"#);
    let noon = at("2026-03-02T12:00:00Z");
    assert!(touching.is_open(noon));
    assert_eq!(
        touching.add(at("2026-03-02T09:00:00Z"), 3 * HOUR).unwrap(),
        noon
    );
    assert_eq!(
        touching.next_close(at("2026-03-02T10:00:00Z")).unwrap(),
        at("2026-03-02T18:00:00Z")
    );
    let overlapping = daily("UTC", r#"["09:00-13:00", "10:00-12:00", "12:30-18:00"]"#);
    assert_eq!(
        overlapping.between(at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")),
        9 * HOUR
    );
}

#[test]
fn midnight_is_not_23_59() {
    let day = daily("UTC", r#"["00:00-24:00"]"#);
    assert_eq!(
        day.between(at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")),
        24 * HOUR
    );
    assert!(matches!(
        day.next_close(at("2026-03-02T00:00:00Z")),
        Err(CalendarError::NeverCloses { .. })
    ));
    let short = daily("UTC", r#"["00:00-23:59"]"#);
    assert_eq!(
        short.between(at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")),
        24 * HOUR - 60
    );
    assert_eq!(
        short.next_close(at("2026-03-02T00:00:00Z")).unwrap(),
        at("2026-03-02T23:59:00Z")
    );
    let second = daily("UTC", r#"["00:00-23:59:59"]"#);
    assert_eq!(
        second.between(at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")),
        24 * HOUR - 1
    );
}

#[test]
fn a_pause_outside_hours_costs_nothing() {
    let office = office("");
    let start = at("2026-03-06T16:00:00Z");
    let weekend = Pause {
        from: at("2026-03-06T17:00:00Z"),
        to: Some(at("2026-03-09T09:00:00Z")),
    };
    let due = office.deadline(start, 2 * HOUR, &[weekend]).unwrap();
    assert_eq!(due, Some(office.add(start, 2 * HOUR).unwrap()));
    let longer = Pause {
        to: Some(at("2026-03-09T09:20:00Z")),
        ..weekend
    };
    assert_eq!(
        office.deadline(start, 2 * HOUR, &[longer]).unwrap(),
        Some(at("2026-03-09T10:20:00Z"))
    );
}

#[test]
fn pauses_may_overlap_and_come_in_any_order() {
    let office = office("");
    let pause = |from: &str, to: &str| Pause {
        from: at(from),
        to: Some(at(to)),
    };
    let pauses = [
        pause("2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"),
        pause("2026-03-02T08:00:00Z", "2026-03-02T10:00:00Z"),
        pause("2026-03-02T09:30:00Z", "2026-03-02T10:30:00Z"),
        pause("2026-03-02T10:45:00Z", "2026-03-02T10:45:00Z"),
    ];
    let start = at("2026-03-02T09:00:00Z");
    assert_eq!(
        office.deadline(start, HOUR, &pauses).unwrap(),
        Some(at("2026-03-02T12:30:00Z"))
    );
    assert_eq!(
        office
            .between_paused(start, at("2026-03-02T12:30:00Z"), &pauses)
            .unwrap(),
        HOUR,
        "the time counted is the time given"
    );
    let reversed = pause("2026-03-02T12:00:00Z", "2026-03-02T11:00:00Z");
    assert!(matches!(
        office.deadline(start, HOUR, &[reversed]),
        Err(CalendarError::ReversedPause { .. })
    ));
}

#[test]
fn an_endless_pause_has_no_due_time() {
    let office = office("");
    let start = at("2026-03-02T09:00:00Z");
    let open = Pause {
        from: at("2026-03-02T10:00:00Z"),
        to: None,
    };
    assert_eq!(office.deadline(start, HOUR + 1, &[open]).unwrap(), None);
    // Used up exactly when the pause begins: due then.
    assert_eq!(
        office.deadline(start, HOUR, &[open]).unwrap(),
        Some(open.from)
    );
    assert_eq!(office.deadline(open.from, 1, &[open]).unwrap(), None);
}

#[test]
fn zero_is_an_amount_and_no_sentinel() {
    let office = office("");
    let saturday = at("2026-03-07T12:00:00Z");
    assert_eq!(office.add(saturday, 0).unwrap(), at("2026-03-09T09:00:00Z"));
    assert_eq!(
        office.add_toward(saturday, 0, Direction::Backward).unwrap(),
        at("2026-03-06T17:00:00Z")
    );
    let open = at("2026-03-06T12:00:00Z");
    assert_eq!(office.add(open, 0).unwrap(), open);
    assert_eq!(
        office.add_toward(open, 0, Direction::Backward).unwrap(),
        open
    );
    let opening = at("2026-03-06T09:00:00Z");
    assert_eq!(
        office.add_toward(opening, 0, Direction::Backward).unwrap(),
        opening
    );
    let close = at("2026-03-06T17:00:00Z");
    assert_eq!(office.add(close, 0).unwrap(), at("2026-03-09T09:00:00Z"));
    assert_eq!(
        office.add_toward(close, 0, Direction::Backward).unwrap(),
        close
    );
    assert_eq!(
        office.deadline(saturday, 0, &[]).unwrap(),
        Some(at("2026-03-09T09:00:00Z"))
    );
    let pause = Pause {
        from: saturday,
        to: Some(at("2026-03-09T10:00:00Z")),
    };
    assert_eq!(office.deadline(saturday, 0, &[pause]).unwrap(), pause.to);
    assert_eq!(office.between(open, open), 0);
}

#[test]
fn a_reversed_interval_is_zero_or_signed() {
    let office = office("");
    let (early, late) = (at("2026-03-06T16:00:00Z"), at("2026-03-09T10:00:00Z"));
    assert_eq!(office.between(early, late), 2 * HOUR);
    assert_eq!(office.between(late, early), 0);
    assert_eq!(office.between_signed(late, early), -2 * HOUR);
    assert_eq!(office.windows(late, early).count(), 0);
}

#[test]
fn a_skipped_time_is_the_moment_of_the_change() {
    // Rome, 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC.
    let change = at("2026-03-29T01:00:00Z");
    let opening = daily("Europe/Rome", r#"["02:30-06:00"]"#);
    assert_eq!(
        opening.next_open(at("2026-03-28T23:00:00Z")).unwrap(),
        change
    );
    assert_eq!(
        opening.between(change, at("2026-03-29T12:00:00Z")),
        3 * HOUR
    );
    let closing = daily("Europe/Rome", r#"["00:00-02:30"]"#);
    assert_eq!(
        closing.next_close(at("2026-03-28T23:30:00Z")).unwrap(),
        change
    );
    let inside = daily("Europe/Rome", r#"["02:10-02:50"]"#);
    assert_eq!(
        inside.between(at("2026-03-28T12:00:00Z"), at("2026-03-29T12:00:00Z")),
        0
    );
    assert!(!inside.is_working_day(on("2026-03-29")));
    assert_eq!(
        inside.closed_reason(on("2026-03-29")),
        Some(ClosedReason::NothingLeft)
    );
}

#[test]
fn of_a_doubled_time_the_first_opens_and_the_second_closes() {
    // Rome, 25 October 2026: 03:00 becomes 02:00, at 01:00 UTC.
    let opening = daily("Europe/Rome", r#"["02:30-06:00"]"#);
    assert_eq!(
        opening.next_open(at("2026-10-24T12:00:00Z")).unwrap(),
        at("2026-10-25T00:30:00Z")
    );
    let closing = daily("Europe/Rome", r#"["00:00-02:30"]"#);
    assert_eq!(
        closing.next_close(at("2026-10-24T23:00:00Z")).unwrap(),
        at("2026-10-25T01:30:00Z")
    );
    let both = daily("Europe/Rome", r#"["02:15-02:45"]"#);
    assert_eq!(
        both.between(at("2026-10-24T12:00:00Z"), at("2026-10-25T12:00:00Z")),
        HOUR + 1_800
    );
    // A window that ends where the doubled hour begins closes at the second 02:00.
    let edge = daily("Europe/Rome", r#"["00:00-02:00"]"#);
    assert_eq!(
        edge.next_close(at("2026-10-24T23:00:00Z")).unwrap(),
        at("2026-10-25T01:00:00Z")
    );
}

#[test]
fn half_an_hour_of_daylight_saving() {
    // Lord Howe, 5 October 2025: 02:00 becomes 02:30; 5 April 2026: 02:00 becomes 01:30.
    let night = daily("Australia/Lord_Howe", r#"["01:00-03:00"]"#);
    assert_eq!(
        night.between(at("2025-10-04T12:00:00Z"), at("2025-10-05T12:00:00Z")),
        5_400
    );
    assert_eq!(
        night.between(at("2026-04-04T12:00:00Z"), at("2026-04-05T12:00:00Z")),
        9_000
    );
    assert_eq!(
        night.next_open(at("2025-10-04T12:00:00Z")).unwrap(),
        at("2025-10-04T14:30:00Z")
    );
}

#[test]
fn daylight_saving_at_midnight() {
    // São Paulo, 4 November 2018: 00:00 becomes 01:00; 18 February 2018: 24:00 becomes 23:00.
    let day = daily("America/Sao_Paulo", r#"["00:00-24:00"]"#);
    assert_eq!(
        day.start_of_working_day(on("2018-11-04")).unwrap(),
        at("2018-11-04T03:00:00Z")
    );
    let length = |date: &str| {
        let (from, to) = (
            day.start_of_working_day(on(date)),
            day.end_of_working_day(on(date)),
        );
        (to.unwrap() - from.unwrap()).num_hours()
    };
    assert_eq!((length("2018-11-03"), length("2018-11-04")), (24, 23));
    assert_eq!((length("2018-02-17"), length("2018-02-18")), (25, 24));
    let evening = daily("America/Sao_Paulo", r#"["22:00-24:00"]"#);
    assert_eq!(
        evening.between(at("2018-02-17T15:00:00Z"), at("2018-02-18T15:00:00Z")),
        3 * HOUR,
        "23:00 comes twice and 24:00 once"
    );
    // Cairo, 26 April 2024: 00:00 becomes 01:00.
    let morning = daily("Africa/Cairo", r#"["00:00-06:00"]"#);
    assert_eq!(
        morning.between(at("2024-04-25T12:00:00Z"), at("2024-04-26T12:00:00Z")),
        5 * HOUR
    );
    // Beirut, 26 October 2025: 24:00 becomes 23:00.
    let late = daily("Asia/Beirut", r#"["23:00-24:00"]"#);
    assert_eq!(
        late.between(at("2025-10-25T12:00:00Z"), at("2025-10-26T12:00:00Z")),
        2 * HOUR
    );
}

#[test]
fn a_day_that_was_skipped_has_no_hours() {
    // Apia had no 30 December 2011.
    let office = daily("Pacific/Apia", r#"["09:00-17:00"]"#);
    let (from, to) = (at("2011-12-29T20:00:00Z"), at("2012-01-01T00:00:00Z"));
    assert_eq!(
        office
            .windows(from, to)
            .map(|run| run.date)
            .collect::<Vec<_>>(),
        [on("2011-12-29"), on("2011-12-31"), on("2012-01-01")]
    );
    assert!(!office.is_working_day(on("2011-12-30")));
    assert_eq!(
        office.nth_working_day_after(on("2011-12-29"), 1).unwrap(),
        on("2011-12-31")
    );
}

#[test]
fn a_calendar_day_a_working_day_and_24_hours_are_three_things() {
    let days = ["mon", "tue", "wed", "thu", "fri"];
    let week: String = days
        .iter()
        .map(|day| format!("{day} = [\"09:00-17:00\"]\n"))
        .collect();
    let rome = calendar(&format!("tz = \"Europe/Rome\"\n[weekly]\n{week}"));
    let friday = at("2026-03-27T12:00:00+01:00");
    assert_eq!(
        rome.add_civil_days(friday, 3).unwrap(),
        at("2026-03-30T12:00:00+02:00")
    );
    assert_eq!(
        rome.add_working_days(friday, 3).unwrap(),
        at("2026-04-01T12:00:00+02:00")
    );
    assert_eq!(
        friday + Duration::hours(72),
        at("2026-03-30T13:00:00+02:00")
    );
    assert_eq!(
        rome.add(friday, 24 * HOUR).unwrap(),
        at("2026-04-01T12:00:00+02:00")
    );
    assert_eq!(
        rome.add_working_days(at("2026-03-30T12:00:00+02:00"), -1)
            .unwrap(),
        friday
    );
    assert_eq!(
        rome.add_civil_days(at("2026-03-30T12:00:00+02:00"), -3)
            .unwrap(),
        friday
    );
    // From a Saturday, zero working days is the next working day, one is the same.
    let saturday = at("2026-03-28T12:00:00+01:00");
    assert_eq!(
        rome.add_working_days(saturday, 0).unwrap(),
        rome.add_working_days(saturday, 1).unwrap()
    );
    // A civil day that lands on a skipped time gives the moment of the change.
    assert_eq!(
        rome.add_civil_days(at("2026-03-28T02:30:00+01:00"), 1)
            .unwrap(),
        at("2026-03-29T03:00:00+02:00")
    );
    // Of a doubled time the one nearer the start.
    assert_eq!(
        rome.add_civil_days(at("2026-10-24T02:30:00+02:00"), 1)
            .unwrap(),
        at("2026-10-25T02:30:00+02:00")
    );
    assert_eq!(
        rome.add_civil_days(at("2026-10-26T02:30:00+01:00"), -1)
            .unwrap(),
        at("2026-10-25T02:30:00+01:00")
    );
}

#[test]
fn months_are_clamped_and_counted_by_the_calendar() {
    let office = office("");
    let add = |from: &str, months| office.add_civil_months(at(from), months).unwrap();
    assert_eq!(add("2024-01-31T10:00:00Z", 1), at("2024-02-29T10:00:00Z"));
    assert_eq!(add("2023-01-31T10:00:00Z", 1), at("2023-02-28T10:00:00Z"));
    assert_eq!(add("2024-03-31T10:00:00Z", -1), at("2024-02-29T10:00:00Z"));
    assert_eq!(add("2024-02-29T10:00:00Z", 12), at("2025-02-28T10:00:00Z"));
    assert_eq!(
        office.nth_working_day_of_month(2026, 3, 3).unwrap(),
        on("2026-03-04")
    );
    assert_eq!(
        office.nth_working_day_of_month(2026, 2, -1).unwrap(),
        on("2026-02-27")
    );
    assert!(office.nth_working_day_of_month(2026, 2, 21).is_err());
    assert!(office.nth_working_day_of_month(2026, 2, 0).is_err());
    assert!(office.nth_working_day_of_month(2026, 13, 1).is_err());
    assert_eq!(
        office.end_of_working_day(on("2026-03-04")),
        Some(at("2026-03-04T17:00:00Z"))
    );
    assert_eq!(office.end_of_working_day(on("2026-03-07")), None);
}

#[test]
fn friday_or_the_working_day_before() {
    let office = office("holidays = [\"2026-03-06\"]");
    assert_eq!(
        office.working_day_on_or_before(on("2026-03-06")).unwrap(),
        on("2026-03-05")
    );
    assert_eq!(
        office.working_day_on_or_before(on("2026-03-05")).unwrap(),
        on("2026-03-05")
    );
    assert_eq!(
        office.working_day_on_or_after(on("2026-03-06")).unwrap(),
        on("2026-03-09")
    );
    let rome = Calendar::always_open("Europe/Rome").unwrap();
    let clock = |text: &str| {
        rome.instant_on(on("2026-03-29"), text.parse().unwrap())
            .unwrap()
    };
    assert_eq!(clock("00:00"), at("2026-03-29T00:00:00+01:00"));
    assert_eq!(clock("02:30"), at("2026-03-29T03:00:00+02:00"));
    assert_eq!(clock("24:00"), at("2026-03-30T00:00:00+02:00"));
}

#[test]
fn leap_days_are_days() {
    let office = office("");
    assert_eq!(
        office.between(at("2024-02-28T00:00:00Z"), at("2024-03-02T00:00:00Z")),
        24 * HOUR
    );
    assert_eq!(
        office.add(at("2024-02-28T17:00:00Z"), 1).unwrap(),
        at("2024-02-29T09:00:01Z")
    );
}

#[test]
fn a_night_shift_runs_into_a_holiday_and_does_not_begin_on_it() {
    let mut definition: CalendarDefinition = toml::from_str(
        r#"
        tz = "UTC"
        holidays = ["2026-03-04"]
        [weekly]
        mon = [["22:00", "30:00"]]
        tue = [["22:00", "30:00"]]
        wed = [["22:00", "30:00"]]
        "#,
    )
    .unwrap();
    let nights = Calendar::compile(&definition).unwrap();
    // Tuesday's shift ends on the holiday at 06:00; the holiday's own does not begin.
    assert_eq!(
        nights.between(at("2026-03-03T12:00:00Z"), at("2026-03-05T12:00:00Z")),
        8 * HOUR
    );
    assert!(nights.is_open(at("2026-03-04T05:59:59Z")));
    assert!(!nights.is_open(at("2026-03-04T22:00:00Z")));
    assert_eq!(
        nights.end_of_working_day(on("2026-03-03")),
        Some(at("2026-03-04T06:00:00Z"))
    );
    assert!(!nights.is_working_day(on("2026-03-04")));
    // A break past midnight, written under the day it begins on or the day it falls on.
    for (date, window) in [("2026-03-03", "25:00-26:00"), ("2026-03-04", "01:00-02:00")] {
        definition.breaks = [(
            on(date),
            vec![serde_json::from_str(&format!("\"{window}\"")).unwrap()],
        )]
        .into();
        let with_break = Calendar::compile(&definition).unwrap();
        assert_eq!(
            with_break.between(at("2026-03-03T12:00:00Z"), at("2026-03-05T12:00:00Z")),
            7 * HOUR
        );
    }
}

#[test]
fn special_days_win_over_holidays_and_breaks_over_all() {
    let office = office(
        r#"
        holidays = ["2026-03-04", "2026-03-07/2026-03-08"]
        special_days.2026-03-04 = ["10:00-12:00"]
        special_days.2026-03-05 = []
        special_days.2026-03-07 = ["10:00-14:00"]
        breaks.2026-03-06 = ["08:00-18:00"]
        breaks.2026-03-07 = ["11:00-12:00"]
        "#,
    );
    let hours = |date: &str| {
        let from = on(date).and_hms_opt(0, 0, 0).unwrap().and_utc();
        office.between(from, from + TimeDelta::days(1)) / HOUR
    };
    let week = ["03", "04", "05", "06", "07", "08", "09"];
    assert_eq!(
        week.map(|day| hours(&format!("2026-03-{day}"))),
        [8, 2, 0, 0, 3, 0, 8]
    );
    assert_eq!(
        office.closed_reason(on("2026-03-05")),
        Some(ClosedReason::SpecialDay)
    );
    assert_eq!(
        office.closed_reason(on("2026-03-06")),
        Some(ClosedReason::NothingLeft)
    );
    assert_eq!(
        office.closed_reason(on("2026-03-08")),
        Some(ClosedReason::Holiday {
            name: None,
            notice: None
        })
    );
    assert_eq!(
        office.closed_reason(on("2026-03-14")),
        Some(ClosedReason::Weekend)
    );
    assert!(
        office.is_weekend_or_public_holiday(on("2026-03-04")),
        "worked, but a holiday"
    );
    assert_eq!(
        office.hours_reason(on("2026-03-07")),
        HoursReason::SpecialDay
    );
}

#[test]
fn an_empty_calendar_gives_an_error_and_never_loops() {
    let empty = calendar("tz = \"UTC\"");
    let now = at("2026-03-02T12:00:00Z");
    for seconds in [-1, 0, 1, i64::MAX, i64::MIN] {
        assert!(empty.add(now, seconds).is_err());
    }
    assert!(matches!(
        empty.next_open(now),
        Err(CalendarError::NeverOpens {
            direction: "after",
            ..
        })
    ));
    assert!(empty.next_close(now).is_err());
    assert!(empty.add_working_days(now, 1).is_err());
    assert!(empty.deadline(now, 1, &[]).is_err());
    assert_eq!(empty.between(now, at("2036-03-02T12:00:00Z")), 0);
    assert_eq!(empty.windows(now, at("9000-01-01T00:00:00Z")).count(), 0);
    // One that opens once has an end, and says so.
    let once = calendar("tz = \"UTC\"\nspecial_days.2026-03-04 = [\"09:00-10:00\"]");
    assert_eq!(once.add(now, HOUR).unwrap(), at("2026-03-04T10:00:00Z"));
    assert!(matches!(
        once.add(now, HOUR + 1),
        Err(CalendarError::NeverOpens { .. })
    ));
    assert_eq!(
        once.add(at("2030-01-01T00:00:00Z"), -1).unwrap(),
        at("2026-03-04T09:59:59Z")
    );
    assert!(matches!(
        once.add(now, -1),
        Err(CalendarError::NeverOpens {
            direction: "before",
            ..
        })
    ));
    assert_eq!(
        once.add_working_days(now, 1).unwrap(),
        at("2026-03-04T12:00:00Z")
    );
    assert!(once.add_working_days(now, 2).is_err());
    assert!(once.add_working_days(now, -1).is_err());
}

#[test]
fn the_far_horizon_is_answered_exactly() {
    let yearly = calendar(
        "tz = \"UTC\"\nspecial_days.2026-03-04 = [\"09:00-10:00\"]\nspecial_days.2526-03-04 = [\"09:00-10:00\"]",
    );
    assert_eq!(
        yearly.add(at("2026-03-04T10:00:00Z"), 60).unwrap(),
        at("2526-03-04T09:01:00Z"),
        "five centuries without an opening are no horizon"
    );
    let office = office("");
    // 5,200 weeks of 40 hours.
    let start = at("2026-03-02T09:00:00Z");
    let due = office.add(start, 5_200 * 40 * HOUR).unwrap();
    assert_eq!(
        due,
        start + TimeDelta::weeks(5_199) + TimeDelta::hours(4 * 24 + 8)
    );
    assert_eq!(office.between(start, due), 5_200 * 40 * HOUR);
    assert_eq!(office.add(due, -5_200 * 40 * HOUR).unwrap(), start);
    assert!(matches!(
        office.add(start, i64::MAX),
        Err(CalendarError::OutOfRange { .. })
    ));
    assert!(matches!(
        office.add(start, i64::MIN),
        Err(CalendarError::OutOfRange { .. })
    ));
    assert!(matches!(
        office.add_working_days(start, i64::MAX),
        Err(CalendarError::OutOfRange { .. })
    ));
    assert!(office.add_civil_days(start, i64::MAX).is_err());
    assert!(office.add_civil_months(start, i64::MIN).is_err());
    assert!(office.between(DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC) > 0);
    for edge in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let _ = (
            office.add(edge, 1),
            office.add(edge, -1),
            office.next_close(edge),
        );
        let _ = (
            office.add_civil_days(edge, 1),
            office.add_working_days(edge, 1),
            office.date(edge),
        );
        let _ = (
            office.add_working_days(edge, -1),
            office.coverage(edge, edge),
        );
        let _ = office.windows(edge, edge).count();
    }
    assert!(
        office
            .coverage(start, at("2150-01-01T00:00:00Z"))
            .beyond_zone_data
    );
}

#[test]
fn always_open_counts_every_second() {
    let always = Calendar::always_open("Europe/Rome").unwrap();
    let (from, to) = (at("2026-03-28T10:00:00Z"), at("2026-10-28T10:00:00Z"));
    assert_eq!(always.between(from, to), (to - from).num_seconds());
    assert_eq!(always.add(from, 86_400).unwrap(), from + TimeDelta::days(1));
    assert!(matches!(
        Calendar::always_open("Rome"),
        Err(CalendarError::UnknownZone { .. })
    ));
}

#[test]
fn instants_may_come_with_any_offset() {
    let office = office("");
    assert_eq!(
        office.between(
            at("2026-03-02T14:30:00+05:30"),
            at("2026-03-02T05:00:00-05:00")
        ),
        HOUR
    );
}

#[test]
fn serialising_a_definition_is_canonical() {
    let read = |text: &str| serde_json::from_str::<CalendarDefinition>(text).unwrap();
    let a = read(
        r#"{"tz":"UTC","weekly":{"tue":["09:00-12:00"],"mon":[["9:00","24:00"]]},"holidays":["2026-05-02",{"date":"2026-05-01","name":"Labour Day"},"2026-10-01/2026-10-03"],"make_up_days":["2026-05-09",{"date":"2026-05-10","like":"tue"}]}"#,
    );
    let b = read(
        r#"{"make_up_days":[{"like":"tuesday","date":"2026-05-10"},"2026-05-09"],"holidays":["2026-10-01/2026-10-03",{"name":"Labour Day","from":"2026-05-01"},"2026-05-02"],"weekly":{"monday":["09:00-24:00"],"tue":[["09:00","12:00:00"]]},"tz":"UTC"}"#,
    );
    let text = serde_json::to_string(&a).unwrap();
    assert_eq!(text, serde_json::to_string(&b).unwrap());
    assert_eq!(read(&text), a);
    assert!(
        serde_json::from_str::<CalendarDefinition>(
            r#"{"tz":"UTC","weekly":{"mon":[],"monday":[]}}"#
        )
        .is_err()
    );
    assert!(
        serde_json::from_str::<CalendarDefinition>(r#"{"tz":"UTC","breaks":{"2026-1-1":[]}}"#)
            .is_err()
    );
}

#[test]
fn an_explanation_adds_up_and_names_what_was_skipped() {
    let office = office(
        r#"
        holidays = [{ from = "2026-03-09", name = "Founders' Day" }]
        make_up_days = ["2026-03-14"]
        notices = { 2026 = "circular 12" }
        "#,
    );
    let (from, to) = (at("2026-03-06T16:00:00Z"), at("2026-03-14T10:30:00Z"));
    let runs: Vec<_> = office.windows(from, to).collect();
    let seconds: Vec<i64> = runs.iter().map(|run| run.seconds()).collect();
    assert_eq!(
        seconds,
        [HOUR, 8 * HOUR, 8 * HOUR, 8 * HOUR, 8 * HOUR, HOUR + 1_800]
    );
    assert_eq!(seconds.iter().sum::<i64>(), office.between(from, to));
    assert!(matches!(
        runs.last().unwrap().reason,
        HoursReason::MakeUp { .. }
    ));
    assert_eq!(
        office.closed_reason(on("2026-03-09")),
        Some(ClosedReason::Holiday {
            name: Some("Founders' Day".to_owned()),
            notice: Some("circular 12".to_owned()),
        })
    );
}
