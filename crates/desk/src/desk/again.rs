//! A proposal that is recorded already gets the answer it got the first time.

use std::sync::Arc;

use thirdring_core::judge::Earlier;
use thirdring_core::vocabulary::{Fact, FieldType, Value};
use thirdring_core::{Actor, Case, Proposal, Record, propose};

use super::{Desk, lock};
use crate::request::{DeskError, Outcome, Receipt, Request};

/// How many streams are remembered as they were before the record that was
/// asked for again last.
const EARLIER_KEPT: usize = if cfg!(test) { 8 } else { 4096 };

impl Desk {
    /// The answer a recorded proposal got the first time: the case is judged as
    /// it was before it. A file that is told again asks in the order of the
    /// records, so where the last question ended the next one goes on.
    pub(super) fn answer_again(
        &self,
        case: &Case,
        request: &Request,
        record: &Record,
    ) -> Result<Outcome, DeskError> {
        if !is_same(record, request) {
            return Err(DeskError::IdTaken(record.id));
        }
        // Nobody else asks about this stream now: its case is held.
        let mut earlier = lock(&self.earlier)
            .remove(case.stream())
            .unwrap_or_else(|| Earlier::of(case));
        let before = earlier.at_version(case, record.version.saturating_sub(1));
        let admission =
            Proposal::observing(record).and_then(|proposal| propose(before, proposal).ok());
        self.keep(case, earlier);
        let (flags, clocks, testimony) = match admission {
            Some(admission) => (admission.flags, admission.clocks, admission.testimony),
            None => (Vec::new(), Vec::new(), false),
        };
        Ok(Outcome::Admitted(Receipt {
            record: Arc::new(record.clone()),
            flags,
            clocks,
            notices: Vec::new(),
            testimony,
            replayed: true,
        }))
    }

    /// Keeps what was worked out for the next question.
    fn keep(&self, case: &Case, earlier: Earlier) {
        let mut kept = lock(&self.earlier);
        // A cache: what is dropped is worked out again when it is asked for. All of
        // it, since most of a file's streams are over when there are so many.
        if kept.len() >= EARLIER_KEPT {
            kept.clear();
        }
        kept.insert(case.stream().clone(), earlier);
    }
}

/// Whether a request says what a record says. Roles are recorded in the manual's
/// own word, so that they are not held against each other.
fn is_same(record: &Record, request: &Request) -> bool {
    fn doer(actor: &Option<Actor>) -> Option<&str> {
        actor.as_ref().map(|actor| &*actor.id)
    }
    record
        .fact()
        .is_some_and(|known| same_fact(known, &request.fact))
        && record.occurred_at.to_utc() == request.occurred_at.to_utc()
        && record.by.id == request.by.id
        && doer(&record.done_by) == doer(&request.done_by)
        && record.stream == request.stream
}

/// Whether two facts say the same, evidence aside: that is the desk's to fill in.
fn same_fact(known: &Fact, given: &Fact) -> bool {
    fn said(fact: &Fact) -> impl Iterator<Item = (&'static str, &Value)> {
        let spec = fact.spec();
        fact.fields().filter(|(name, _)| {
            spec.field(name)
                .is_none_or(|(_, field)| field.field_type != FieldType::Evidence)
        })
    }
    known.fact_type() == given.fact_type()
        && known.key() == given.key()
        && said(known).eq(said(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{CallAnswered, CallEnded, FactRetracted, StatusTold};
    use crate::{RecordId, StreamId, manuals, moment};
    use chrono::TimeDelta;

    /// Many calls in one stream: rings that break a rule, clocks that start and
    /// are met, some told afterwards.
    fn calls(stream: &StreamId, count: u128, late: bool) -> Vec<Request> {
        let li = Actor::new("li", "hotline_engineer").unwrap();
        let start = moment("2026-03-02T09:00:00+08:00").unwrap();
        let mut requests = Vec::new();
        for number in 0..count {
            let call = number.to_string();
            let minutes = i64::try_from(number).unwrap() * 10;
            let rings = i64::try_from(number % 7).unwrap();
            let facts: [(Fact, i64); 3] = [
                (CallAnswered::new(&*call).rings(rings).into(), 0),
                (CallEnded::new(&*call).reason("consultation").into(), 2),
                (StatusTold::new().into(), 5),
            ];
            for (place, (fact, minute)) in facts.into_iter().enumerate() {
                let at = start + TimeDelta::minutes(minutes + minute);
                let afterwards = if late && number % 5 == 2 { 400 } else { 0 };
                let told_at = at + TimeDelta::minutes(afterwards);
                requests.push(
                    Request::new(stream, fact, &li, at)
                        .told_at(told_at.to_utc())
                        .with_id(RecordId::from(1 + number * 3 + place as u128)),
                );
            }
        }
        // As they are told: the present of a stream does not go back.
        requests.sort_by_key(|request| request.told_at);
        requests
    }

    fn receipts(desk: &Desk, requests: &[Request]) -> Vec<Receipt> {
        requests
            .iter()
            .map(|request| match desk.submit(request.clone()).unwrap() {
                Outcome::Admitted(receipt) => receipt,
                Outcome::Refused(refusal) => panic!("{refusal:?}"),
            })
            .collect()
    }

    fn folded(desk: &Desk, stream: &StreamId) -> u64 {
        lock(&desk.earlier)[stream].folded()
    }

    #[test]
    fn a_file_told_again_folds_each_record_once() {
        let desk = Desk::in_memory(manuals::shipped("unis").unwrap());
        let stream = StreamId::new("T-1").unwrap();
        let requests = calls(&stream, 200, false);
        receipts(&desk, &requests);
        receipts(&desk, &requests);
        let records = desk.history(&stream).unwrap().len() as u64;
        assert!(records >= 600);
        // All but the last: before that one there are so many.
        assert_eq!(folded(&desk, &stream), records - 1);
        // The same request again costs nothing at all.
        receipts(&desk, &requests[requests.len() - 1..]);
        assert_eq!(folded(&desk, &stream), records - 1);
    }

    #[test]
    fn streams_that_are_over_do_not_crowd_out_those_that_go_on() {
        let desk = Desk::in_memory(manuals::shipped("unis").unwrap());
        let named = |name: &str| StreamId::new(name).unwrap();
        let mut number = 0;
        let mut ring = |stream: &StreamId| {
            number += 1;
            let phone = Actor::new("pbx", "telephone_system").unwrap();
            let at = moment("2026-03-02T09:00:00+08:00").unwrap() + TimeDelta::minutes(number);
            let call = crate::facts::CallRang::new(number.to_string());
            Request::new(stream, call, &phone, at)
                .told_at(at.to_utc())
                .with_id(RecordId::from(u128::try_from(number).unwrap()))
        };
        let over: Vec<Request> = (0..EARLIER_KEPT)
            .flat_map(|n| [n, n].map(|n| named(&format!("Z-{n}"))))
            .map(|stream| ring(&stream))
            .collect();
        let (one, two) = (named("A-1"), named("A-2"));
        let going_on: Vec<Request> = (0..10).flat_map(|_| [ring(&one), ring(&two)]).collect();
        for _ in 0..2 {
            receipts(&desk, &over);
            receipts(&desk, &going_on);
        }
        assert_eq!((folded(&desk, &one), folded(&desk, &two)), (9, 9));
    }

    #[test]
    fn the_answer_again_is_the_first_one() {
        let desk = Desk::in_memory(manuals::shipped("unis").unwrap());
        let stream = StreamId::new("T-1").unwrap();
        let mut requests = calls(&stream, 40, true);
        let last = requests.last().unwrap().clone();
        let zhao = Actor::new("zhao", "service_manager").unwrap();
        let retracted = FactRetracted::new()
            .record(RecordId::from(4u128).to_string())
            .reason("recorded twice");
        requests.push(
            Request::new(
                &stream,
                retracted,
                &zhao,
                last.occurred_at + TimeDelta::hours(9),
            )
            .told_at(last.told_at.unwrap() + TimeDelta::hours(9))
            .with_id(RecordId::from(9_999u128)),
        );
        let first = receipts(&desk, &requests);
        assert!(first.iter().any(|receipt| !receipt.flags.is_empty()));
        assert!(first.iter().any(|receipt| receipt.testimony));
        assert!(first.iter().any(|receipt| !receipt.clocks.is_empty()));
        let compare = |order: &[usize]| {
            for place in order {
                let again = receipts(&desk, &requests[*place..=*place]).remove(0);
                let first = &first[*place];
                assert!(again.replayed);
                assert_eq!(again.record, first.record);
                assert_eq!(again.flags, first.flags);
                assert_eq!(again.clocks, first.clocks);
                assert_eq!(again.testimony, first.testimony);
            }
        };
        let forward: Vec<usize> = (0..requests.len()).collect();
        let backward: Vec<usize> = forward.iter().rev().copied().collect();
        compare(&forward);
        compare(&backward);
        compare(&[7, 90, 3, 3, 119, 60]);
    }
}
