//! A sequence of proposals and ticks of time, whatever they are: nothing panics,
//! what was lived is what is replayed, and the laws of lapsing hold.

#![no_main]

use std::sync::{Arc, LazyLock};

use arbitrary::Unstructured;
use chrono::TimeDelta;
use libfuzzer_sys::fuzz_target;
use thirdring_core::judge::Case;
use thirdring_core::vocabulary::Process;
use thirdring_core::{Rulebook, lapse, next_deadline, verdicts};
use thirdring_fuzz::Maker;
use thirdring_testkit::{Bench, shipped};

static UNIS: LazyLock<Arc<Rulebook>> = LazyLock::new(|| shipped("unis"));
static MAKER: LazyLock<Maker> = LazyLock::new(|| Maker::new(&UNIS, Process::Ticket));

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Unstructured::new(bytes);
    let mut bench = Bench::new(&UNIS);
    while !bytes.is_empty() && bench.case().version() < 100 {
        if MAKER.step(&mut bench, &mut bytes).is_err() {
            break;
        }
    }
    let live = bench.case();
    let records = live.records().iter().cloned();
    let replayed = Case::replay(live.stream().clone(), Arc::clone(&UNIS), records);
    for hours in [0, 1, 30, 1000] {
        let now = bench.now() + TimeDelta::hours(hours);
        assert_eq!(verdicts(live, now), verdicts(&replayed, now));
        assert_eq!(lapse(live, now), lapse(&replayed, now));
    }
    assert_eq!(next_deadline(live), next_deadline(&replayed));
    assert_eq!(live.status(), replayed.status());
    bench.lapse();
    assert_eq!(bench.lapse(), []);
    if let Some(deadline) = next_deadline(bench.case()) {
        assert!(deadline.at >= bench.now());
        bench.go_to(deadline.at);
        bench.pass(TimeDelta::nanoseconds(1));
        assert!(!bench.lapse().is_empty(), "nothing lapsed at {deadline:?}");
    }
});
