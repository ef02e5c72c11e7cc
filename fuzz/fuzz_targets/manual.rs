//! A manual of whatever text: it is a rulebook or gets errors with file, line
//! and remedy; and a rulebook bears a history.

#![no_main]

use std::sync::Arc;

use chrono::TimeDelta;
use libfuzzer_sys::fuzz_target;
use thirdring_core::judge::Mode;
use thirdring_core::written::Step;
use thirdring_core::{Library, SourceText, explain, load, next_deadline, verdicts};
use thirdring_testkit::{Bench, Telling};

const HEAD: &str = r#"
[manual]
name = "bare"
[calendar]
tz = "Asia/Shanghai"
weekly.mon = ["09:00-12:00", "13:00-18:00"]
weekly.fri = ["09:00-12:00", "13:00-18:00"]
[roles]
engineer = []
manager = []
[words]
"call_ended.reason" = ["finished", "consultation"]
"request_classified.level" = [1, 2, 3]
[rule.r]
says = "A rule."
source = [{ manual = "bare", quote = "…" }]
"#;

const STORY: &[&str] = &[
    "call_answered call=1 rings=2",
    "request_received channel=phone kind=fault",
    "request_classified level=1",
    "call_ended call=1 reason=consultation",
    "dispatch_requested visit=1",
    "appointment_agreed visit=1 from=@+4h to=@+6h",
    "parked",
    "customer_recontacted outcome=failed",
    "status_told",
    "engineer_arrived visit=1",
    "problem_solved",
    "ticket_closed outcome=solved",
];

fuzz_target!(|text: &str| {
    // Some texts are a manual of their own, the others the rest of one.
    let text = if text.contains("[manual]") { text.to_owned() } else { format!("{HEAD}{text}") };
    let manuals = vec![SourceText::new("manual.toml", text)];
    let rulebook = match load(&Library { rules: Vec::new(), manuals }, "bare") {
        Ok(rulebook) => Arc::new(rulebook),
        Err(complaints) => {
            assert!(!complaints.0.is_empty());
            for complaint in &complaints.0 {
                assert!(!complaint.problem.is_empty() && !complaint.remedy.is_empty(), "{complaint}");
            }
            return;
        }
    };
    let mut bench = Bench::new(&rulebook);
    for line in STORY {
        bench.pass(TimeDelta::minutes(50));
        let Ok(Step { fact: Some(fact), .. }) = Step::parse(line, bench.start()) else { return };
        let telling = Telling { mode: Mode::Observe, ..Telling::now(bench.actor("engineer")) };
        assert!(bench.tell(fact, &telling).is_ok());
    }
    for _ in 0..4 {
        let Some(deadline) = next_deadline(bench.case()) else { break };
        bench.go_to(deadline.at);
        bench.pass(TimeDelta::nanoseconds(1));
        bench.lapse();
    }
    verdicts(bench.case(), bench.now());
    for rule in &rulebook.rules {
        assert!(explain(bench.case(), &rule.id, bench.now()).is_some());
    }
});
