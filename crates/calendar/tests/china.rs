//! The shipped holidays of mainland China, 2023 to 2026.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use thirdring_calendar::{
    Calendar, CalendarDefinition, CalendarError, ClosedReason, HolidayList, HoursReason,
};

fn china() -> Calendar {
    let week: String = ["mon", "tue", "wed", "thu", "fri"]
        .iter()
        .map(|day| format!("{day} = [\"09:00-12:00\", \"13:00-18:00\"]\n"))
        .collect();
    let text = format!("tz = \"Asia/Shanghai\"\nholidays_from = [\"cn\"]\n[weekly]\n{week}");
    Calendar::compile(&toml::from_str(&text).unwrap()).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn spring_festival_2026_is_off_and_its_saturdays_are_worked() {
    let china = china();
    for date in on("2026-02-15").iter_days().take(9) {
        assert!(!china.is_working_day(date), "{date}");
        assert!(matches!(
            china.closed_reason(date),
            Some(ClosedReason::Holiday { name: Some(name), notice: Some(notice) })
                if name == "春节" && notice.contains("content_7047091")
        ));
    }
    for date in ["2026-02-14", "2026-02-28"].map(on) {
        assert!(china.is_working_day(date), "{date}");
        assert!(
            china.is_weekend_or_public_holiday(date),
            "a Saturday, though worked"
        );
        assert!(matches!(
            china.hours_reason(date),
            HoursReason::MakeUp { .. }
        ));
    }
    assert_eq!(
        china.between(
            at("2026-02-14T00:00:00+08:00"),
            at("2026-02-25T00:00:00+08:00")
        ),
        2 * 8 * 3_600
    );
}

#[test]
fn sunday_20_september_2026_is_worked() {
    let china = china();
    assert!(china.is_working_day(on("2026-09-20")));
    assert!(china.is_weekend_or_public_holiday(on("2026-09-20")));
    assert_eq!(
        china.next_open(at("2026-09-19T12:00:00+08:00")).unwrap(),
        at("2026-09-20T09:00:00+08:00")
    );
}

#[test]
fn three_working_days_from_the_eve_of_national_day() {
    let answer = china()
        .add_working_days_covered(at("2026-09-30T17:00:00+08:00"), 3)
        .unwrap();
    assert_eq!(
        answer.value,
        at("2026-10-10T17:00:00+08:00"),
        "8, 9 and the worked Saturday 10"
    );
    assert!(answer.coverage.is_complete());
}

#[test]
fn the_year_2027_is_flagged_as_unannounced() {
    let china = china();
    let late = at("2026-12-31T17:00:00+08:00");
    let answer = china.add_covered(late, 2 * 3_600).unwrap();
    assert_eq!(
        answer.value,
        at("2027-01-01T10:00:00+08:00"),
        "computed without its holidays"
    );
    assert_eq!(answer.coverage.unannounced, Some(2027));
    assert_eq!(
        china.add_covered(late, 3_600).unwrap().coverage.unannounced,
        None
    );
    assert_eq!(
        china.unannounced(at("2022-12-31T00:00:00Z"), late),
        Some(2022)
    );
    assert_eq!(
        china
            .between_covered(late, at("2028-01-01T00:00:00Z"))
            .coverage
            .unannounced,
        Some(2027)
    );
    assert_eq!(
        china
            .deadline_covered(late, 9 * 3_600, &[])
            .unwrap()
            .coverage
            .unannounced,
        Some(2027)
    );
}

#[test]
fn every_year_has_the_number_of_working_days_the_notices_give() {
    let china = china();
    for (year, expected) in [(2023, 249), (2024, 251), (2025, 248), (2026, 248)] {
        let days = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().iter_days();
        let days = days.take_while(|date| date.year() == year);
        assert_eq!(
            days.filter(|date| china.is_working_day(*date)).count(),
            expected,
            "{year}"
        );
    }
    let list = HolidayList::named("cn").unwrap();
    assert_eq!((list.off().len(), list.worked().len()), (115, 26));
    assert_eq!(list.known().unwrap().to, on("2026-12-31"));
    assert!(matches!(
        HolidayList::named("us"),
        Err(CalendarError::UnknownHolidayList { known, .. }) if known == "cn"
    ));
}

#[test]
fn the_third_working_day_of_the_next_month() {
    let china = china();
    assert_eq!(
        china.nth_working_day_of_month(2026, 10, 3).unwrap(),
        on("2026-10-10")
    );
    assert_eq!(
        china.nth_working_day_of_month(2026, 2, -1).unwrap(),
        on("2026-02-28")
    );
}

#[test]
fn a_calendar_s_own_days_override_the_list() {
    let text = r#"
        tz = "Asia/Shanghai"
        holidays_from = ["cn"]
        holidays = ["2026-02-14"]
        make_up_days = [{ date = "2026-02-15", like = "tue" }]
        [weekly]
        mon = ["09:00-18:00"]
        tue = ["10:00-12:00"]
    "#;
    let calendar = Calendar::compile(&toml::from_str(text).unwrap()).unwrap();
    assert!(!calendar.is_working_day(on("2026-02-14")));
    assert_eq!(
        calendar.start_of_working_day(on("2026-02-15")),
        Some(at("2026-02-15T10:00:00+08:00"))
    );
    let both = text.replace("2026-02-15", "2026-02-14");
    assert!(matches!(
        Calendar::compile(&toml::from_str(&both).unwrap()),
        Err(CalendarError::Contradiction { .. })
    ));
}

#[test]
fn a_resolved_definition_is_the_same_calendar_without_the_list() {
    let text = r#"
        tz = "Asia/Shanghai"
        holidays_from = ["cn"]
        holidays = ["2026-02-14"]
        make_up_days = [{ date = "2026-02-15", like = "tue", name = "Stocktaking" }]
        [weekly]
        mon = ["09:00-18:00"]
        tue = ["10:00-12:00"]
    "#;
    let definition: CalendarDefinition = toml::from_str(text).unwrap();
    let resolved = definition.resolved().unwrap();
    assert!(resolved.holidays_from.is_empty());
    assert_eq!(resolved.resolved().unwrap(), resolved);
    let written = serde_json::to_string(&resolved).unwrap();
    assert_eq!(
        serde_json::from_str::<CalendarDefinition>(&written).unwrap(),
        resolved
    );
    let (a, b) = (
        Calendar::compile(&definition).unwrap(),
        Calendar::compile(&resolved).unwrap(),
    );
    for date in on("2022-12-25")
        .iter_days()
        .take_while(|date| *date < on("2027-01-05"))
    {
        assert_eq!(a.hours_reason(date), b.hours_reason(date), "{date}");
        assert_eq!(
            a.start_of_working_day(date),
            b.start_of_working_day(date),
            "{date}"
        );
        let noon = date.and_hms_opt(12, 0, 0).unwrap().and_utc();
        assert_eq!(a.coverage(noon, noon), b.coverage(noon, noon));
        assert_eq!(a.next_open(noon), b.next_open(noon));
    }
}
