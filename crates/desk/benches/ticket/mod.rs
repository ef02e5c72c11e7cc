//! The ticket the benchmarks work on.
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::sync::Arc;

use thirdring::core::record::{Draft, Sealed, Unchained, chain_origin, seal};
use thirdring::core::{Case, Mode, Proposal, Record, propose};
use thirdring::facts::*;
use thirdring::{Actor, Fact, RecordId, Rulebook, StreamId, manuals, moment};

/// An id by the time of day, as a desk at work gives them: ids that grow are
/// neighbours in an index.
pub(crate) fn id_of_now() -> RecordId {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let now = chrono::DateTime::from_timestamp_millis(now.as_millis() as i64).unwrap();
    thirdring::fresh_id(now).unwrap()
}

/// A question answered on the phone: twelve facts, none of them refused.
pub(crate) fn ticket() -> Vec<(Fact, Actor)> {
    let actor = |id: &str, role: &str| Actor::new(id, role).unwrap();
    let phone = actor("pbx", "telephone_system");
    let li = actor("li", "hotline_engineer");
    vec![
        (CallRang::new("1").into(), phone.clone()),
        (
            CallAnswered::new("1")
                .rings(2)
                .attested(["standard_script"])
                .into(),
            li.clone(),
        ),
        (
            RequestReceived::new()
                .channel("phone")
                .kind("question")
                .customer("C-1")
                .into(),
            li.clone(),
        ),
        (OwnerTaken::new().department("hotline").into(), li.clone()),
        (
            Triaged::new()
                .solvable_by("phone")
                .cause_kind("usage")
                .in_doubt(false)
                .attested(["phone_tried_first"])
                .into(),
            li.clone(),
        ),
        (
            RequestRecorded::new()
                .phenomenon("The report shows last month's figures.")
                .attested(["unambiguous"])
                .into(),
            li.clone(),
        ),
        (
            GuidanceGiven::new()
                .method("phone")
                .guidance("Choose the period first.")
                .into(),
            li.clone(),
        ),
        (
            ProblemSolved::new()
                .method("phone")
                .solution("Period chosen.")
                .into(),
            li.clone(),
        ),
        (
            ResultTold::new()
                .result("Solved.")
                .attested(["accurate"])
                .into(),
            li.clone(),
        ),
        (
            CallEnded::new("1")
                .reason("finished")
                .attested(["calm", "patient"])
                .into(),
            li.clone(),
        ),
        (KbLinked::new().entry("KB-17").into(), li.clone()),
        (TicketClosed::new().outcome("solved").into(), li),
    ]
}

/// A ticket of so many facts, 12 or more: the customer calls again and again
/// before it is closed.
pub(crate) fn ticket_of(facts: usize) -> Vec<(Fact, Actor)> {
    let mut all = ticket();
    let closing = all.pop().unwrap();
    let phone = all.first().unwrap().1.clone();
    let li = closing.1.clone();
    let mut calls = 1;
    while all.len() + 1 < facts {
        calls += 1;
        let call = calls.to_string();
        let again: [(Fact, Actor); 4] = [
            (CallRang::new(&call).into(), phone.clone()),
            (
                CallAnswered::new(&call)
                    .rings(2)
                    .attested(["standard_script"])
                    .into(),
                li.clone(),
            ),
            (
                GuidanceGiven::new()
                    .method("phone")
                    .guidance("Choose the period first.")
                    .into(),
                li.clone(),
            ),
            (
                CallEnded::new(&call)
                    .reason("finished")
                    .attested(["calm", "patient"])
                    .into(),
                li.clone(),
            ),
        ];
        let room = facts - 1 - all.len();
        all.extend(again.into_iter().take(room));
    }
    all.push(closing);
    all
}

pub(crate) fn rulebook() -> Rulebook {
    manuals::shipped("unis").unwrap()
}

/// The ticket's records, proposed one after another in memory.
pub(crate) fn records(rulebook: &Arc<Rulebook>, stream: &StreamId) -> Vec<Arc<Record>> {
    records_of(ticket(), rulebook, stream)
}

fn records_of(
    facts: Vec<(Fact, Actor)>,
    rulebook: &Arc<Rulebook>,
    stream: &StreamId,
) -> Vec<Arc<Record>> {
    let mut case = Case::new(stream.clone(), Arc::clone(rulebook));
    let start = moment("2026-03-02T09:00:00+08:00").unwrap();
    // A long ticket must not last longer than its clocks.
    let apart = if facts.len() > 12 {
        chrono::TimeDelta::seconds(1)
    } else {
        chrono::TimeDelta::minutes(1)
    };
    for (index, (fact, by)) in facts.into_iter().enumerate() {
        let at = start + apart * index as i32;
        let proposal = Proposal {
            id: RecordId::from(index as u128 + 1),
            fact,
            by,
            done_by: None,
            occurred_at: at,
            now: at.to_utc(),
            evidence: Vec::new(),
            cause: None,
            mode: Mode::Enforce,
        };
        let admission = propose(&case, proposal).unwrap();
        let draft: Draft = admission.draft;
        let (record, _) = seal(draft, case.chain(), &[7; 16]).unwrap();
        case.apply(Arc::new(record));
    }
    case.records().to_vec()
}

/// A ticket's records as bytes, with ids of its own.
pub(crate) fn sealed(number: usize) -> Vec<(RecordId, Sealed)> {
    static PROTOTYPE: std::sync::OnceLock<Vec<Arc<Record>>> = std::sync::OnceLock::new();
    let prototype =
        PROTOTYPE.get_or_init(|| records(&Arc::new(rulebook()), &StreamId::new("T-0").unwrap()));
    seal_again(prototype, number)
}

/// The records of a ticket of so many facts, to be sealed for other streams.
pub(crate) fn prototype(facts: usize) -> Vec<Arc<Record>> {
    let stream = StreamId::new("T-0").unwrap();
    records_of(ticket_of(facts), &Arc::new(rulebook()), &stream)
}

/// A ticket's records under another number, as bytes, with ids of its own.
pub(crate) fn seal_again(prototype: &[Arc<Record>], number: usize) -> Vec<(RecordId, Sealed)> {
    let stream = StreamId::new(&format!("T-{number}")).unwrap();
    let mut chain = chain_origin(&stream);
    prototype
        .iter()
        .map(|record| {
            let id = RecordId::from((number as u128) << 32 | u128::from(record.version));
            let draft = Draft {
                id,
                stream: stream.clone(),
                version: record.version,
                occurred_at: record.occurred_at,
                recorded_at: record.recorded_at,
                by: record.by.clone(),
                done_by: None,
                rulebook: record.rulebook,
                evidence: Vec::new(),
                cause: None,
                content: record.content.clone(),
                chain: Unchained,
            };
            let (record, sealed) = seal(draft, &chain, &[7; 16]).unwrap();
            chain = record.chain;
            (id, sealed)
        })
        .collect()
}

/// How many tickets are open at a time where a log is filled.
const OPEN: usize = 200;

/// The records of so many tickets of so many facts in the order a desk records
/// them: some tickets are open at a time, and their facts come in turns. Handed
/// over step by step: the version, and for each open ticket its number, the id and
/// the bytes.
pub(crate) fn in_turns(
    tickets: usize,
    facts: usize,
    mut step: impl FnMut(u64, Vec<(usize, RecordId, Sealed)>),
) {
    let prototype = prototype(facts);
    for first in (0..tickets).step_by(OPEN) {
        let mut open: Vec<_> = (first..(first + OPEN).min(tickets))
            .map(|number| (number, seal_again(&prototype, number).into_iter()))
            .collect();
        for version in 1..=facts as u64 {
            let records = open.iter_mut().map(|(number, records)| {
                let (id, sealed) = records.next().unwrap();
                (*number, id, sealed)
            });
            step(version, records.collect());
        }
    }
}
