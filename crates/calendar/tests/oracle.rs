//! The crate against the slow model: random calendars, zones and instants, and (long mode)
//! every offset change of every zone.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail"
)]

mod model;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use model::{Hours, Model, offset_at};
use proptest::prelude::*;
use thirdring_calendar::{Calendar, Direction, Pause};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// What is painted around the instant asked about.
const MARGIN: i64 = 6 * DAY;

fn utc(at: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at, 0).unwrap()
}

/// Offset changes of a zone from 1970 to 2037, by looking at every day.
fn changes(tz: Tz) -> Vec<i64> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < 2_145_916_800 {
        let before = offset_at(tz, at);
        let (mut old, mut new) = (at, at + DAY);
        if offset_at(tz, new) != before {
            while new - old > 1 {
                let middle = (old + new) / 2;
                if offset_at(tz, middle) == before {
                    old = middle
                } else {
                    new = middle
                }
            }
            found.push(new);
        }
        at += DAY;
    }
    found
}

/// Asks the crate and the model everything about one instant.
fn compare(
    model: &Model,
    calendar: &Calendar,
    at: i64,
    seconds: i64,
    pauses: &[(i64, Option<i64>)],
) -> Result<(), TestCaseError> {
    let painting = model.paint(at - MARGIN, usize::try_from(2 * MARGIN).unwrap());
    let start = utc(at);
    let inside = |answer: i64| (at - MARGIN..at + MARGIN).contains(&answer);
    // Where the model runs off its painting, the crate must at least agree that it is outside.
    let same = |what: &str, crate_says: Option<i64>, model_says: Option<i64>| {
        match (crate_says, model_says) {
            (Some(answer), Some(expected)) => prop_assert_eq!(
                answer,
                expected,
                "{} at {}: {:?} not {:?}",
                what,
                start,
                utc(answer),
                utc(expected)
            ),
            (None, Some(expected)) => prop_assert!(false, "{what}: none, not {}", utc(expected)),
            (Some(answer), None) => prop_assert!(!inside(answer), "{what}: {}", utc(answer)),
            (None, None) => {}
        }
        Ok(())
    };
    let second = |answer: DateTime<Utc>| answer.timestamp();
    prop_assert_eq!(calendar.is_open(start), painting.is_open(at), "is_open");
    same(
        "add",
        calendar.add(start, seconds).ok().map(second),
        painting.add(at, seconds),
    )?;
    same(
        "back",
        calendar.add(start, -seconds).ok().map(second),
        painting.add(at, -seconds),
    )?;
    same(
        "next_open",
        calendar.next_open(start).ok().map(second),
        painting.add(at, 0),
    )?;
    let back = calendar
        .add_toward(start, 0, Direction::Backward)
        .ok()
        .map(second);
    same("zero backward", back, painting.add_zero_backward(at))?;
    same(
        "next_close",
        calendar.next_close(start).ok().map(second),
        painting.next_close(at),
    )?;
    let end = at + seconds.min(MARGIN - 1);
    prop_assert_eq!(
        calendar.between(start, utc(end)),
        painting.between(at, end),
        "between"
    );
    prop_assert_eq!(calendar.between(utc(end), start), 0);
    prop_assert_eq!(
        calendar.between_signed(utc(end), start),
        -painting.between(at, end)
    );
    let mut last = i64::MIN;
    let mut total = 0;
    for run in calendar.windows(start, utc(end)) {
        prop_assert!(run.open.timestamp() >= last, "windows overlap");
        last = run.close.timestamp();
        total += run.seconds();
    }
    prop_assert_eq!(total, painting.between(at, end), "windows sum to between");
    let real: Vec<Pause> = pauses
        .iter()
        .map(|&(from, to)| Pause {
            from: utc(from),
            to: to.map(utc),
        })
        .collect();
    match (
        calendar.deadline(start, seconds, &real),
        painting.deadline(at, seconds, pauses),
    ) {
        (Ok(None), Some(expected)) => prop_assert_eq!(expected, None),
        (Ok(Some(due)), Some(expected)) => prop_assert_eq!(Some(due.timestamp()), expected),
        (Ok(Some(due)), None) => prop_assert!(!inside(due.timestamp())),
        (Ok(None) | Err(_), None) => {}
        (Err(error), Some(expected)) => prop_assert!(false, "{error}, not {expected:?}"),
    }
    Ok(())
}

/// Times of day where something tends to go wrong, and any minute.
fn clock() -> impl Strategy<Value = u32> {
    prop_oneof![
        proptest::sample::select(vec![
            0, 900, 1_800, 3_600, 5_400, 7_200, 9_000, 10_800, 43_200, 82_800, 86_340, 86_400,
            88_200, 90_000, 93_600, 108_000, 172_800,
        ]),
        (0..2_880_u32).prop_map(|minute| minute * 60),
        32_400..64_800_u32,
    ]
}

fn hours() -> impl Strategy<Value = Hours> {
    proptest::collection::vec((clock(), clock()), 0..4).prop_map(|pairs| {
        let ordered = pairs.into_iter().map(|(a, b)| (a.min(b), a.max(b)));
        ordered.filter(|(open, close)| open < close).collect()
    })
}

fn near(date: NaiveDate) -> impl Strategy<Value = NaiveDate> {
    (-5..=5_i64).prop_map(move |days| date + TimeDelta::days(days))
}

/// A zone, an instant (often near an offset change) and a calendar with exceptions around it.
fn scene() -> impl Strategy<Value = (Model, i64)> {
    let place = (
        proptest::sample::select(TZ_VARIANTS.to_vec()),
        0..2_145_916_800_i64,
    );
    let place = (
        place,
        any::<prop::sample::Index>(),
        -3 * DAY..3 * DAY,
        0..4_u8,
    )
        .prop_map(|((tz, anywhen), index, shift, kind)| {
            let changes = changes(tz);
            if kind == 0 || changes.is_empty() {
                return (tz, anywhen);
            }
            let change = changes[index.index(changes.len())];
            (
                tz,
                change
                    + if kind == 1 {
                        shift / 60 * 60
                    } else {
                        shift / 10
                    },
            )
        });
    place.prop_flat_map(|(tz, at)| {
        let date = utc(at).date_naive();
        let exceptions = (
            proptest::collection::btree_set(near(date), 0..3),
            proptest::collection::btree_map(near(date), hours(), 0..3),
            proptest::collection::btree_map(near(date), 0..7_usize, 0..2),
            proptest::collection::btree_map(near(date), hours(), 0..3),
        );
        (proptest::array::uniform7(hours()), exceptions).prop_map(
            move |(weekly, (holidays, special, mut make_up, breaks))| {
                make_up.retain(|date, _| !holidays.contains(date));
                (
                    Model {
                        tz,
                        weekly,
                        holidays,
                        special,
                        make_up,
                        breaks,
                    },
                    at,
                )
            },
        )
    })
}

fn pauses() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
    let pause = (-DAY..3 * DAY, 0..DAY, 0..6_u8);
    proptest::collection::vec(pause, 0..4).prop_map(|pauses| {
        pauses
            .into_iter()
            .map(|(from, length, kind)| (from, (kind > 0).then_some(from + length)))
            .collect()
    })
}

proptest! {
    #[test]
    fn agrees_with_the_slow_model(
        (model, at) in scene(),
        seconds in prop_oneof![0..DAY, (0..48_i64).prop_map(|hours| hours * HOUR)],
        pauses in pauses(),
    ) {
        let calendar = Calendar::compile(&model.definition()).unwrap();
        let pauses: Vec<_> =
            pauses.into_iter().map(|(from, to)| (at + from, to.map(|to| at + to))).collect();
        compare(&model, &calendar, at, seconds, &pauses)?;
    }

    #[test]
    fn add_and_between_are_inverse(
        (model, at) in scene(),
        seconds in -400_000_000..400_000_000_i64,
        nanos in 0..1_000_000_000_u32,
    ) {
        let calendar = Calendar::compile(&model.definition()).unwrap();
        let start = DateTime::from_timestamp(at, nanos).unwrap();
        if let Ok(end) = calendar.add(start, seconds) {
            prop_assert_eq!(calendar.between_exact(start, end), TimeDelta::seconds(seconds));
            prop_assert_eq!(calendar.between_signed(start, end), seconds);
            // Nothing nearer the start would do.
            let nearer = end - TimeDelta::nanoseconds(seconds.signum());
            if seconds != 0 {
                let part = calendar.between_exact(start, nearer);
                prop_assert_eq!(part, TimeDelta::seconds(seconds) - TimeDelta::nanoseconds(seconds.signum()));
            }
        }
    }
}

/// Hours that meet a change at its most awkward, whatever its size and hour.
fn awkward(tz: Tz, change: i64) -> Vec<Model> {
    let (before, after) = (offset_at(tz, change - 1), offset_at(tz, change));
    let low = (change + before.min(after)).rem_euclid(DAY);
    let length = (before - after).abs();
    let clock = |seconds: i64| u32::try_from(seconds.clamp(0, 2 * DAY)).unwrap();
    let pair = |open: i64, close: i64| vec![(clock(open), clock(close))];
    let all = |hours: Hours| std::array::from_fn(|_| hours.clone());
    let mut hours: Vec<Hours> = vec![
        vec![(0, 86_400)],
        pair(low - HOUR, low),
        pair(low, low + length),
        pair(low + length / 4, low + length * 3 / 4),
        [
            pair(low - HOUR, low + length / 4),
            pair(low + length / 2, low + length + HOUR),
        ]
        .concat(),
        pair(low + length, low + length + HOUR),
        pair(low - HOUR, low + length / 2),
        pair(low + length / 2, low + length + HOUR),
        vec![(0, clock(low + length / 2)), (79_200, 108_000)],
        vec![(28_800, 64_800)],
    ];
    hours.retain(|hours| hours.iter().all(|(open, close)| open < close));
    let bare = |hours: Hours| Model {
        tz,
        weekly: all(hours),
        holidays: Default::default(),
        special: Default::default(),
        make_up: Default::default(),
        breaks: Default::default(),
    };
    let mut models: Vec<Model> = hours.iter().cloned().map(bare).collect();
    let date = utc(change + before).date_naive();
    for shift in [-1, 0, 1] {
        let mut broken = bare(vec![(0, 86_400)]);
        let part = pair(low + length / 4, low + length * 3 / 4);
        broken.breaks.insert(date + TimeDelta::days(shift), part);
        broken.special.insert(date, vec![(0, 93_600)]);
        models.push(broken);
        let mut off = bare(vec![(72_000, 129_600)]);
        off.holidays.insert(date + TimeDelta::days(shift));
        models.push(off);
    }
    models.retain(|model| {
        model
            .breaks
            .values()
            .flatten()
            .all(|(open, close)| open < close)
    });
    models
}

fn check_changes_of(tz: Tz, every: usize) {
    for change in changes(tz).into_iter().step_by(every) {
        for model in awkward(tz, change) {
            let calendar = Calendar::compile(&model.definition()).unwrap();
            let painting = model.paint(change - 3 * DAY, usize::try_from(6 * DAY).unwrap());
            let mut step = -30 * HOUR;
            while step <= 30 * HOUR {
                let at = change + step;
                let start = utc(at);
                let context = format!("{tz} {change} {step} {model:?}");
                assert_eq!(
                    calendar.is_open(start),
                    painting.is_open(at),
                    "is_open {context}"
                );
                for seconds in [-5 * HOUR, -900, -1, 1, HOUR, 7 * HOUR] {
                    if let Some(expected) = painting.add(at, seconds) {
                        let answer = calendar.add(start, seconds).unwrap().timestamp();
                        assert_eq!(answer, expected, "add {seconds} {context}");
                    }
                }
                if let Some(expected) = painting.add(at, 0) {
                    assert_eq!(
                        calendar.next_open(start).unwrap(),
                        utc(expected),
                        "open {context}"
                    );
                }
                if let Some(expected) = painting.next_close(at) {
                    assert_eq!(
                        calendar.next_close(start).unwrap(),
                        utc(expected),
                        "close {context}"
                    );
                }
                let end = change + 30 * HOUR;
                assert_eq!(
                    calendar.between(start, utc(end)),
                    painting.between(at, end),
                    "between {context}"
                );
                let windows = calendar.windows(start, utc(end)).map(|run| run.seconds());
                assert_eq!(
                    windows.sum::<i64>(),
                    painting.between(at, end),
                    "windows {context}"
                );
                step += if step.abs() <= 2 * HOUR {
                    900
                } else {
                    5 * HOUR
                };
            }
        }
    }
}

/// Zones whose changes are unusual: half an hour, at midnight, a whole day, seconds.
#[test]
fn agrees_around_unusual_changes() {
    for (tz, every) in [
        (Tz::Australia__Lord_Howe, 9),
        (Tz::America__Sao_Paulo, 9),
        (Tz::Asia__Beirut, 19),
        (Tz::Africa__Cairo, 19),
        (Tz::America__Havana, 19),
        (Tz::Pacific__Apia, 3),
        (Tz::Pacific__Kwajalein, 1),
        (Tz::Africa__Monrovia, 1),
        (Tz::Antarctica__Troll, 25),
        (Tz::Asia__Shanghai, 3),
    ] {
        check_changes_of(tz, every);
    }
}

/// Every offset change of every zone, 1970 to 2037, with hours built to meet it awkwardly.
#[test]
#[ignore = "takes about ten minutes: cargo test --release -p thirdring-calendar --test oracle -- --ignored"]
fn agrees_around_every_change_of_every_zone() {
    let half = TZ_VARIANTS.len() / 2;
    let (first, second) = TZ_VARIANTS.split_at(half);
    std::thread::scope(|scope| {
        for zones in [first, second] {
            scope.spawn(move || zones.iter().for_each(|&tz| check_changes_of(tz, 1)));
        }
    });
}

/// The table of changes the crate builds by sampling misses none: it agrees with the database
/// at every third hour from 1845 to 2100, and changes keep the distance it relies on.
#[test]
#[ignore = "takes minutes: cargo test --release -p thirdring-calendar --test oracle -- --ignored"]
fn no_two_changes_are_nearer_than_the_sampling_step() {
    for tz in TZ_VARIANTS {
        let (mut at, mut last) = (-3_950_000_000_i64, i64::MIN / 2);
        let mut before = offset_at(tz, at);
        while at < 4_133_980_800 {
            at += 3 * HOUR;
            let after = offset_at(tz, at);
            if after != before {
                assert!(
                    at - last > 6 * DAY,
                    "{tz} changes twice within {} s",
                    at - last
                );
                last = at;
                before = after;
            }
        }
    }
}
