//! Working-time arithmetic over an hour to ten years, beside two other crates in one run.
//!
//! All three get the same office: Europe/Berlin, Monday to Friday 09:00 to 12:00 and 13:30 to
//! 18:00, ten holidays a year from 2015 to 2040; that they agree is checked before measuring.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may fail")]

use std::hint::black_box;

use chrono::{DateTime, NaiveDate, Utc};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use thirdring_calendar::{Calendar, CalendarDefinition, Holiday};
use ule_hours::jiff::{SignedDuration, Timestamp, civil};
use workclock::{Holidays, Weekdays, WorkDay};

const HOLIDAYS: [(u32, u32); 10] = [
    (1, 1),
    (1, 2),
    (4, 3),
    (4, 6),
    (5, 1),
    (5, 14),
    (5, 25),
    (10, 3),
    (12, 25),
    (12, 26),
];
const START: &str = "2026-03-03T08:30:00Z";
const SPANS: [(&str, &str); 4] = [
    ("hour", "2026-03-03T09:30:00Z"),
    ("day", "2026-03-04T08:30:00Z"),
    ("year", "2027-03-03T08:30:00Z"),
    ("ten years", "2036-03-04T08:30:00Z"),
];

fn definition() -> CalendarDefinition {
    let week: String = ["mon", "tue", "wed", "thu", "fri"]
        .iter()
        .map(|day| format!("{day} = [\"09:00-12:00\", \"13:30-18:00\"]\n"))
        .collect();
    let mut definition: CalendarDefinition =
        toml::from_str(&format!("tz = \"Europe/Berlin\"\n[weekly]\n{week}")).unwrap();
    for year in 2015..=2040 {
        for (month, day) in HOLIDAYS {
            let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            definition.holidays.insert(Holiday::on(date));
        }
    }
    definition
}

fn dates() -> Vec<civil::Date> {
    let of_year = |year| {
        HOLIDAYS.map(|(month, day)| {
            civil::date(year, month.try_into().unwrap(), day.try_into().unwrap())
        })
    };
    (2015..=2040).flat_map(of_year).collect()
}

fn ule() -> ule_hours::Schedule {
    let windows = "09:00-12:00, 13:30-18:00";
    let mut builder = ule_hours::Schedule::builder("Europe/Berlin")
        .unwrap()
        .mon_fri(windows)
        .unwrap();
    for date in dates() {
        builder = builder.closed_on(date);
    }
    // Its default gives up after ten years.
    builder.horizon_days(20 * 366).build()
}

fn clock() -> workclock::Schedule {
    let hours = |open: (i8, i8), close: (i8, i8)| {
        let (open, close) = (
            civil::time(open.0, open.1, 0, 0),
            civil::time(close.0, close.1, 0, 0),
        );
        WorkDay::new(open, close, Weekdays::MON_TO_FRI)
    };
    workclock::Schedule::builder()
        .time_zone("Europe/Berlin")
        .rule(hours((9, 0), (12, 0)))
        .rule(hours((13, 30), (18, 0)))
        .rule(Holidays::new(dates()))
        .build()
        .unwrap()
}

fn spans(c: &mut Criterion) {
    let ours = Calendar::compile(&definition()).unwrap();
    let (ule, clock) = (ule(), clock());
    let start: DateTime<Utc> = START.parse().unwrap();
    let jiff_start: Timestamp = START.parse().unwrap();
    for (name, end) in SPANS {
        let (end, jiff_end): (DateTime<Utc>, Timestamp) =
            (end.parse().unwrap(), end.parse().unwrap());
        let seconds = ours.between(start, end);
        let budget = SignedDuration::from_secs(seconds);
        assert_eq!(ule.between(jiff_start, jiff_end), budget, "{name}");
        assert_eq!(clock.between(jiff_start, jiff_end), budget, "{name}");
        let due = ours.add(start, seconds).unwrap().timestamp();
        assert_eq!(
            ule.add(jiff_start, budget).unwrap().as_second(),
            due,
            "{name}"
        );
        assert_eq!(
            clock.add(jiff_start, budget).unwrap().as_second(),
            due,
            "{name}"
        );

        let mut group = c.benchmark_group("between");
        group.bench_function(BenchmarkId::new("thirdring", name), |b| {
            b.iter(|| ours.between(black_box(start), black_box(end)));
        });
        group.bench_function(BenchmarkId::new("workclock", name), |b| {
            b.iter(|| clock.between(black_box(jiff_start), black_box(jiff_end)));
        });
        group.bench_function(BenchmarkId::new("ule-hours", name), |b| {
            b.iter(|| ule.between(black_box(jiff_start), black_box(jiff_end)));
        });
        group.finish();
        let mut group = c.benchmark_group("add");
        group.bench_function(BenchmarkId::new("thirdring", name), |b| {
            b.iter(|| ours.add(black_box(start), black_box(seconds)));
        });
        group.bench_function(BenchmarkId::new("workclock", name), |b| {
            b.iter(|| clock.add(black_box(jiff_start), black_box(budget)));
        });
        group.bench_function(BenchmarkId::new("ule-hours", name), |b| {
            b.iter(|| ule.add(black_box(jiff_start), black_box(budget)));
        });
        group.finish();
    }
    let definition = definition();
    c.bench_function("compile, 260 holidays", |b| {
        b.iter(|| Calendar::compile(black_box(&definition)));
    });
}

criterion_group!(calendar, spans);
criterion_main!(calendar);
