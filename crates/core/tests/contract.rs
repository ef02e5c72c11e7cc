//! The stored contract: names of facts and fields, and the bytes of a record.
//! Shapes may only grow; a line that leaves these snapshots breaks old logs.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use std::fmt::Write as _;

use insta::assert_snapshot;
use thirdring_core::digest::Digest;
use thirdring_core::judge::Mode;
use thirdring_core::record::{BadRecord, Draft, Opener, Sealed, chain_origin, seal};
use thirdring_core::vocabulary::ticket::call::CallAnswered;
use thirdring_core::vocabulary::ticket::intake::RequestRecorded;
use thirdring_core::vocabulary::{FactType, decode_fact};
use thirdring_core::{Fact, Record, StreamId};
use thirdring_testkit::{Bench, Scenario, Telling, shipped};

#[test]
fn stored_names() {
    let mut names = String::new();
    for fact in FactType::all() {
        let spec = fact.spec();
        let key = spec.key.map_or(String::new(), |key| {
            format!(
                " [{}{}]",
                key.name,
                if key.optional { " optional" } else { "" }
            )
        });
        writeln!(
            names,
            "{} {} {}{key}",
            spec.process.name(),
            spec.nature.name(),
            spec.name
        )
        .expect("text");
        for field in spec.fields {
            writeln!(names, "  {}: {}", field.name, field.field_type.name()).expect("text");
        }
    }
    assert_snapshot!(names);
}

#[test]
fn every_name_is_one_of_its_own() {
    let mut names: Vec<&str> = FactType::all().map(FactType::name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for fact in FactType::all() {
        assert_eq!(FactType::named(fact.name()), Some(fact));
        let spec = fact.spec();
        let mut fields: Vec<&str> = spec
            .fields
            .iter()
            .map(|field| field.name)
            .chain(spec.key.map(|key| key.name))
            .collect();
        fields.sort_unstable();
        let count = fields.len();
        fields.dedup();
        assert_eq!(fields.len(), count, "{fact}");
        assert!(
            !fields.contains(&"type") && !fields.contains(&"by"),
            "{fact}"
        );
    }
}

fn draft(fact: Fact) -> Draft {
    let mut bench = Bench::new(&shipped("unis"));
    let by = bench.actor("hotline_engineer");
    let telling = Telling {
        mode: Mode::Observe,
        ..Telling::now(by)
    };
    bench
        .tell(CallAnswered::new("1").into(), &telling)
        .expect("admitted");
    let admission = bench
        .tell(
            fact,
            &Telling {
                done_by: Some(bench.actor("service_engineer")),
                ..telling
            },
        )
        .expect("admitted");
    // The digest of the manual changes with its rules; these bytes do not.
    Draft {
        rulebook: chain_origin(bench.case().stream()),
        ..admission.draft
    }
}

fn sealed(fact: Fact) -> (Record, Sealed) {
    let draft = draft(fact);
    let before = chain_origin(&draft.stream);
    seal(draft, &before, &[0x5a; 16]).expect("it seals")
}

fn open(sealed: &Sealed, stream: &StreamId, before: &Digest) -> Result<Record, BadRecord> {
    Opener::default().open(sealed, stream, before)
}

#[test]
fn stored_bytes() {
    let (_, sealed) = sealed(
        RequestRecorded::new()
            .phenomenon("黑屏")
            .phone("138 0013 8000")
            .product("hr")
            .attested(["unambiguous"])
            .into(),
    );
    assert_snapshot!(format!(
        "{}\n{}",
        String::from_utf8(sealed.body).expect("text"),
        String::from_utf8(sealed.personal.expect("personal bytes")).expect("text")
    ));
}

#[test]
fn every_altered_byte_is_noticed() {
    let (record, sealed) = sealed(RequestRecorded::new().phenomenon("黑屏").into());
    let before = chain_origin(&record.stream);
    assert_eq!(open(&sealed, &record.stream, &before), Ok(record.clone()));
    for at in 0..sealed.body.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered.body[at] ^= 1 << bit;
            assert!(
                open(&altered, &record.stream, &before).is_err(),
                "bit {bit} of byte {at}"
            );
        }
    }
    let personal = sealed.personal.clone().expect("personal bytes");
    for at in 0..personal.len() {
        let mut altered = personal.clone();
        altered[at] ^= 0x20;
        let altered = Sealed {
            personal: Some(altered),
            ..sealed.clone()
        };
        assert_eq!(
            open(&altered, &record.stream, &before),
            Err(BadRecord::PersonalAltered),
            "byte {at}"
        );
    }
    // Personal bytes nobody committed to; a record put behind another.
    let (bare, body) = self::sealed(RequestRecorded::new().product("hr").into());
    assert_eq!(body.personal, None);
    let foreign = Sealed {
        personal: Some(personal),
        ..body.clone()
    };
    assert_eq!(
        open(&foreign, &record.stream, &before),
        Err(BadRecord::PersonalAltered)
    );
    assert_eq!(
        open(&body, &record.stream, &bare.chain),
        Err(BadRecord::ChainBroken)
    );
}

#[test]
fn a_newer_shape_is_told_apart_from_damage() {
    let (record, sealed) = sealed(RequestRecorded::new().into());
    let text = String::from_utf8(sealed.body)
        .expect("text")
        .replace("\"v\":1", "\"v\":2,\"new\":true");
    let newer = Sealed {
        body: text.into_bytes(),
        personal: None,
    };
    assert_eq!(
        Opener::default().open_unproved(&newer),
        Err(BadRecord::Newer { found: 2 })
    );
    assert_eq!(
        open(&newer, &record.stream, &chain_origin(&record.stream)),
        Err(BadRecord::ChainBroken)
    );
}

#[test]
fn erased_values_keep_their_names_and_show_nothing() {
    let (record, sealed) = sealed(RequestRecorded::new().phenomenon("黑屏").into());
    let erased = open(
        &Sealed {
            personal: None,
            ..sealed
        },
        &record.stream,
        &chain_origin(&record.stream),
    )
    .expect("it opens");
    let json = serde_json::to_string(erased.fact().expect("a fact")).expect("json");
    assert_eq!(
        json,
        r#"{"type":"request_recorded","phenomenon":"(erased)"}"#
    );
    assert!(!format!("{record:?}").contains("黑屏"));
}

#[test]
fn evidence_is_the_desks_and_no_caller_can_put_it_in() {
    let refused = decode_fact(&mut serde_json::Deserializer::from_str(
        r#"{"type":"request_received","repeat_customer":true}"#,
    ));
    assert_eq!(refused.expect_err("evidence").field, "fact.repeat_customer");
    // Nor through the typed builder, past the desk.
    let mut bench = Bench::new(&shipped("unis"));
    let telling = Telling::now(bench.actor("hotline_engineer"));
    let fact: Fact = thirdring_core::vocabulary::ticket::intake::RequestReceived::new()
        .channel("phone")
        .kind("question")
        .repeat_customer(true)
        .into();
    let mut proposal = bench.proposal(fact, &telling);
    proposal.evidence.clear();
    let admission = thirdring_core::propose(bench.case(), proposal).expect("admitted");
    let thirdring_core::record::Content::Fact(fact) = admission.draft.content else {
        panic!("a fact")
    };
    assert_eq!(fact.get("repeat_customer"), None);
}

#[test]
fn what_a_builder_lets_through_the_proposal_does_not() {
    let unis = shipped("unis");
    let long = "x".repeat(300);
    for (fact, field) in [
        (CallAnswered::new(" ").into(), "fact.call"),
        (CallAnswered::new(long.as_str()).into(), "fact.call"),
        (
            RequestRecorded::new().product("a\u{7}").into(),
            "fact.product",
        ),
        (
            RequestRecorded::new().phenomenon("a\u{1b}[31m").into(),
            "fact.phenomenon",
        ),
        (
            RequestRecorded::new().attested([long.as_str()]).into(),
            "fact.attested",
        ),
    ] as [(Fact, &str); 5]
    {
        let story = Scenario::new(&unis)
            .by("hotline_engineer")
            .given("call_answered call=7")
            .when(fact);
        let _ = story.then_nonsense(field);
    }
}

#[test]
fn an_error_shows_no_control_character() {
    for line in [
        "{\"type\":\"appo\\u001b[2Jintment\"}",
        "{\"type\":\"parked\",\"rea\\u0007son\":1}",
        "{\"type\":\"appointment_moved\",\"visit\":1,\"from\":\"\\u009b31m\"}",
        "\"\\u001b\"",
    ] {
        let problem =
            decode_fact(&mut serde_json::Deserializer::from_str(line)).expect_err("no fact");
        assert!(
            !problem.to_string().chars().any(char::is_control),
            "{problem:?}"
        );
    }
}
