//! A line of a history, in whatever bytes: it is a fact or gets an error with
//! field and remedy; a fact survives writing, sealing and reading.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use thirdring_core::judge::Mode;
use thirdring_core::record::{Opener, chain_origin};
use thirdring_core::vocabulary::decode_fact;
use thirdring_core::{Rulebook, verdicts};
use thirdring_testkit::{Bench, Telling, shipped};

static UNIS: LazyLock<Arc<Rulebook>> = LazyLock::new(|| shipped("unis"));

fuzz_target!(|line: &[u8]| {
    let fact = match decode_fact(&mut serde_json::Deserializer::from_slice(line)) {
        Ok(fact) => fact,
        Err(problem) => {
            assert!(problem.field.starts_with("fact") && !problem.remedy.is_empty(), "{problem:?}");
            assert!(!problem.to_string().chars().any(char::is_control), "{problem:?}");
            return;
        }
    };
    let written = serde_json::to_vec(&fact);
    let again = written.ok().map(|json| decode_fact(&mut serde_json::Deserializer::from_slice(&json)));
    assert_eq!(again, Some(Ok(fact.clone())));
    let mut bench = Bench::new(&UNIS);
    let telling = Telling { mode: Mode::Observe, ..Telling::now(bench.actor("hotline_engineer")) };
    assert!(bench.tell(fact, &telling).is_ok());
    assert!(!verdicts(bench.case(), bench.now()).is_empty());
    let stream = bench.case().stream();
    let opened = bench.sealed().first().map(|sealed| Opener::default().open(sealed, stream, &chain_origin(stream)));
    assert_eq!(opened.and_then(Result::ok).as_ref(), bench.case().records().first().map(|record| &**record));
});
