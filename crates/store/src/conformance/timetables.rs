//! Timetables, of logs that keep them (`Log::timetables` says so).

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use super::Backend;
use super::scene::{append, scan_all, stream};
use crate::cursor::Cursor;
use crate::due_index::Moment;
use crate::log::Log;
use crate::timetable::{Due, MomentKind, StreamMoments, TimetableError, Timetables};

const FIRST: MomentKind = MomentKind(0);
const SECOND: MomentKind = MomentKind(1);

fn cursor(position: u64) -> Cursor {
    Cursor::from_positions(vec![position])
}

fn moments(name: &str, first: Option<i64>, second: Option<i64>) -> StreamMoments {
    let kinds = [(FIRST, first), (SECOND, second)];
    StreamMoments {
        stream: stream(name),
        moments: kinds
            .into_iter()
            .filter_map(|(kind, at)| Some((kind, Moment::from_micros(at?))))
            .collect(),
    }
}

/// What is due, in pages of `limit`.
fn due(
    timetables: &dyn Timetables,
    name: &str,
    kind: MomentKind,
    until: i64,
    limit: usize,
) -> Vec<(i64, String)> {
    let mut all: Vec<Due> = Vec::new();
    loop {
        let page = timetables
            .due(name, kind, Moment::from_micros(until), all.last(), limit)
            .expect("what is due");
        let end = page.len() < limit;
        assert!(page.len() <= limit, "a page is larger than asked for");
        all.extend(page);
        if end {
            break;
        }
    }
    all.into_iter()
        .map(|due| (due.at.micros(), due.stream.as_str().to_owned()))
        .collect()
}

/// Moments and cursor change together, or neither does.
pub fn a_timetable_moves_with_its_cursor(backend: &impl Backend) {
    let log = backend.open();
    let Some(timetables) = log.timetables() else {
        return;
    };
    assert_eq!(timetables.cursor("t").unwrap(), Cursor::start());
    assert_eq!(due(timetables, "t", FIRST, i64::MAX, 10), []);
    timetables
        .replace(
            "t",
            &Cursor::start(),
            &cursor(5),
            &[moments("a", Some(10), Some(3)), moments("b", Some(7), None)],
        )
        .unwrap();
    assert_eq!(timetables.cursor("t").unwrap(), cursor(5));
    // Whoever is not where it stands changes nothing, and is told where it stands.
    for stale in [Cursor::start(), cursor(4), cursor(6)] {
        let late = timetables.replace("t", &stale, &cursor(9), &[moments("a", None, None)]);
        assert!(
            matches!(&late, Err(TimetableError::Moved { found }) if *found == cursor(5)),
            "{late:?}"
        );
    }
    let expected = [(7, "b".to_owned()), (10, "a".to_owned())];
    assert_eq!(due(timetables, "t", FIRST, i64::MAX, 10), expected);
    assert_eq!(
        due(timetables, "t", SECOND, i64::MAX, 10),
        [(3, "a".to_owned())]
    );
    // All moments of a stream are replaced, those of others stay.
    timetables
        .replace("t", &cursor(5), &cursor(6), &[moments("a", None, Some(4))])
        .unwrap();
    assert_eq!(
        due(timetables, "t", FIRST, i64::MAX, 10),
        [(7, "b".to_owned())]
    );
    assert_eq!(
        due(timetables, "t", SECOND, i64::MAX, 10),
        [(4, "a".to_owned())]
    );
}

/// The moment itself is due; at one moment names decide; pages join to the whole.
pub fn what_is_due_comes_soonest_first(backend: &impl Backend) {
    let log = backend.open();
    let Some(timetables) = log.timetables() else {
        return;
    };
    let mut wanted: Vec<(i64, String)> = Vec::new();
    let mut changes = Vec::new();
    for n in 0..200_i64 {
        // Far apart, before 1970 too, and many at one moment.
        let at = (n * 7_919 % 23 - 11) * 3_600_000_000_000;
        let name = format!("s/{n}");
        changes.push(moments(&name, Some(at), None));
        wanted.push((at, name));
    }
    changes.push(moments("soon", Some(i64::MIN), None));
    changes.push(moments("late", Some(i64::MAX), None));
    timetables
        .replace("t", &Cursor::start(), &cursor(1), &changes)
        .unwrap();
    wanted.push((i64::MIN, "soon".to_owned()));
    wanted.push((i64::MAX, "late".to_owned()));
    wanted.sort();
    for limit in [1, 7, 64, 1_000] {
        assert_eq!(due(timetables, "t", FIRST, i64::MAX, limit), wanted);
    }
    for until in [i64::MIN, -1, 0, 3_600_000_000_000 - 1, 3_600_000_000_000] {
        let upto = wanted.iter().filter(|(at, _)| *at <= until).cloned();
        assert_eq!(
            due(timetables, "t", FIRST, until, 50),
            upto.collect::<Vec<_>>()
        );
    }
}

/// Timetables of other names do not see each other, and what is forgotten begins
/// anew.
pub fn timetables_are_told_apart_and_forgotten(backend: &impl Backend) {
    let log = backend.open();
    let Some(timetables) = log.timetables() else {
        return;
    };
    for (name, at) in [("rules 1", 1), ("rules 2", 2)] {
        timetables
            .replace(
                name,
                &Cursor::start(),
                &cursor(3),
                &[moments("a", Some(at), Some(at))],
            )
            .unwrap();
    }
    let list = timetables.list().unwrap();
    let names: Vec<_> = list.iter().map(|state| state.name.as_str()).collect();
    assert_eq!(names, ["rules 1", "rules 2"]);
    assert!(
        list.iter()
            .all(|state| state.moments == 2 && state.cursor == Some(cursor(3)))
    );
    timetables.forget("rules 1").unwrap();
    timetables.forget("never there").unwrap();
    assert_eq!(timetables.cursor("rules 1").unwrap(), Cursor::start());
    assert_eq!(due(timetables, "rules 1", FIRST, i64::MAX, 10), []);
    assert_eq!(
        due(timetables, "rules 2", FIRST, i64::MAX, 10),
        [(2, "a".to_owned())]
    );
    assert_eq!(timetables.list().unwrap().len(), 1);
    timetables
        .replace(
            "rules 1",
            &Cursor::start(),
            &cursor(1),
            &[moments("b", Some(9), None)],
        )
        .unwrap();
    assert_eq!(
        due(timetables, "rules 1", FIRST, i64::MAX, 10),
        [(9, "b".to_owned())]
    );
}

/// A timetable is beside the log: neither changes the other, and what was kept
/// is there after reopening, if records are.
pub fn a_timetable_stands_beside_the_log(backend: &impl Backend) {
    let log = backend.open();
    if log.timetables().is_none() {
        return;
    }
    for round in 1..=3_u64 {
        append(&log, "a", &[round]);
        let (records, end) = (scan_all(&log, 100), log.end().unwrap());
        let timetables = log.timetables().unwrap();
        let from = timetables.cursor("t").unwrap();
        let at = i64::try_from(round).unwrap();
        // Also streams the log knows nothing of.
        timetables
            .replace(
                "t",
                &from,
                &end,
                &[
                    moments("a", Some(at), None),
                    moments("other", None, Some(at)),
                ],
            )
            .unwrap();
        assert_eq!(scan_all(&log, 100), records);
        assert_eq!(log.end().unwrap(), end);
        append(&log, "b", &[100 + round]);
        assert_eq!(timetables.cursor("t").unwrap(), end);
    }
    let end = log.timetables().unwrap().cursor("t").unwrap();
    let persistent = log.capabilities().persistent;
    drop(log);
    let log = backend.open();
    if persistent {
        let timetables = log.timetables().unwrap();
        assert_eq!(timetables.cursor("t").unwrap(), end);
        assert_eq!(
            due(timetables, "t", FIRST, i64::MAX, 10),
            [(3, "a".to_owned())]
        );
        assert_eq!(
            due(timetables, "t", SECOND, i64::MAX, 10),
            [(3, "other".to_owned())]
        );
    }
}

/// Of several that work a timetable out at once, one is the first at each place.
pub fn racing_timetables_never_overwrite(backend: &impl Backend) {
    const WORKERS: u64 = 4;
    const STEPS: u64 = 25;
    let logs: Vec<_> = (0..WORKERS).map(|_| backend.open()).collect();
    if logs[0].timetables().is_none() {
        return;
    }
    let barrier = Barrier::new(logs.len());
    let won = AtomicU64::new(0);
    thread::scope(|scope| {
        for log in &logs {
            scope.spawn(|| {
                let timetables = log.timetables().unwrap();
                barrier.wait();
                loop {
                    let from = timetables.cursor("t").unwrap();
                    let step = from.single().unwrap();
                    if step >= STEPS {
                        return;
                    }
                    let at = i64::try_from(step).unwrap();
                    let change = [moments(&format!("s/{step}"), Some(at), Some(-at))];
                    match timetables.replace("t", &from, &cursor(step + 1), &change) {
                        Ok(()) => {
                            won.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(TimetableError::Moved { found }) => {
                            assert!(found.single().unwrap() > step);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(won.into_inner(), STEPS, "two moved from one place");
    let timetables = logs[0].timetables().unwrap();
    let all = due(timetables, "t", FIRST, i64::MAX, 10);
    assert_eq!(all.len() as u64, STEPS);
}

/// What one is at is passed over by the others, where this is declared; and it is
/// free again afterwards.
pub fn what_is_held_is_passed_over(backend: &impl Backend) {
    let (one, two) = (backend.open(), backend.open());
    let (Some(one), Some(two)) = (one.timetables(), two.timetables()) else {
        return;
    };
    let changes: Vec<_> = (0..10)
        .map(|n| moments(&format!("s/{n}"), Some(n), None))
        .collect();
    one.replace("t", &Cursor::start(), &cursor(1), &changes)
        .unwrap();
    let until = Moment::from_micros(8);
    let names = |held: &[Due]| -> Vec<String> {
        held.iter()
            .map(|due| due.stream.as_str().to_owned())
            .collect()
    };
    // All that somebody gets, page by page.
    let hold_all = |timetables: &dyn Timetables| {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            after = timetables
                .hold("t", FIRST, until, after.as_ref(), 4, &mut |held| {
                    all.extend(names(held));
                })
                .unwrap();
            if after.is_none() {
                return all;
            }
        }
    };
    let whole: Vec<String> = (0..=8).map(|n| format!("s/{n}")).collect();
    let mut looked = false;
    let next = one
        .hold("t", FIRST, until, None, 3, &mut |held| {
            looked = true;
            assert_eq!(names(held), whole[..3]);
            let others = hold_all(two);
            if one.shares_out() {
                assert_eq!(others, whole[3..], "what is held is not passed over");
            } else {
                assert_eq!(others, whole);
            }
            // Reading, and going on with what is new, waits for nobody.
            assert_eq!(due(two, "t", FIRST, 8, 5).len(), 9);
            two.replace(
                "t",
                &cursor(1),
                &cursor(2),
                &[moments("s/1", Some(5), None)],
            )
            .unwrap();
        })
        .unwrap();
    assert!(looked);
    assert_eq!(next.map(|due| due.stream), Some(stream("s/2")));
    let mut after = whole;
    let moved = after.remove(1);
    after.insert(4, moved);
    assert_eq!(hold_all(two), after);
}

#[derive(Debug, Clone)]
enum Step {
    /// Replace the moments of some streams.
    Replace(BTreeMap<u8, (Option<i16>, Option<i16>)>),
    /// From a place where it does not stand.
    Stale,
    /// Ask what is due.
    Due(bool, i16, usize),
    Forget,
}

/// Random changes beside a sorted map.
pub fn any_timetable_agrees_with_a_model(backend: &impl Backend) {
    let log = backend.open();
    let Some(timetables) = log.timetables() else {
        return;
    };
    let moment = || proptest::option::of(any::<i16>());
    let step = prop_oneof![
        6 => proptest::collection::btree_map(0..12_u8, (moment(), moment()), 0..6)
            .prop_map(Step::Replace),
        1 => proptest::strategy::Just(Step::Stale),
        5 => (any::<bool>(), any::<i16>(), 1..5_usize).prop_map(|(kind, until, limit)| {
            Step::Due(kind, until, limit)
        }),
        1 => proptest::strategy::Just(Step::Forget),
    ];
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases: 12,
            failure_persistence: None,
            ..Config::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let round = AtomicU64::new(0);
    runner
        .run(&vec(step, 1..25), |steps| {
            let name = format!("t/{}", round.fetch_add(1, Ordering::Relaxed));
            let mut model: BTreeMap<u8, (Option<i16>, Option<i16>)> = BTreeMap::new();
            let mut at = 0;
            for step in steps {
                match step {
                    Step::Replace(changes) => {
                        let streams: Vec<_> = changes
                            .iter()
                            .map(|(n, (first, second))| {
                                let (first, second) = (first.map(i64::from), second.map(i64::from));
                                moments(&format!("s/{n:02}"), first, second)
                            })
                            .collect();
                        timetables
                            .replace(&name, &cursor(at), &cursor(at + 1), &streams)
                            .unwrap();
                        at += 1;
                        model.extend(changes);
                    }
                    Step::Stale => {
                        let refused = timetables.replace(
                            &name,
                            &cursor(at + 7),
                            &cursor(at + 8),
                            &[moments("s/00", None, None)],
                        );
                        let told = matches!(refused, Err(TimetableError::Moved { .. }));
                        prop_assert_eq!(told, true);
                    }
                    Step::Due(first, until, limit) => {
                        let mut expected: Vec<_> = model
                            .iter()
                            .filter_map(|(n, moments)| {
                                let moment = if first { moments.0 } else { moments.1 };
                                Some((i64::from(moment?), format!("s/{n:02}")))
                            })
                            .filter(|(moment, _)| *moment <= i64::from(until))
                            .collect();
                        expected.sort();
                        let kind = if first { FIRST } else { SECOND };
                        let found = due(timetables, &name, kind, i64::from(until), limit);
                        prop_assert_eq!(found, expected);
                    }
                    Step::Forget => {
                        timetables.forget(&name).unwrap();
                        model.clear();
                        at = 0;
                    }
                }
                prop_assert_eq!(timetables.cursor(&name).unwrap(), cursor(at));
            }
            Ok(())
        })
        .unwrap();
}
