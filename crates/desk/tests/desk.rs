//! A desk on a log: several threads, several desks on one file, retries, and
//! what other streams prove.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::sync::Arc;

use chrono::{DateTime, FixedOffset, TimeDelta};
use thirdring::core::VerdictKind;
use thirdring::core::judge::Nonsense;
use thirdring::core::record::{Content, Step};
use thirdring::facts::*;
use thirdring::store::{Log, MemoryLog, SqliteLog};
use thirdring::{
    Actor, Desk, DeskError, Fact, Outcome, Receipt, RecordId, Refusal, Request, StreamId, manuals,
    moment,
};

fn actor(id: &str, role: &str) -> Actor {
    Actor::new(id, role).unwrap()
}

fn li() -> Actor {
    actor("li", "hotline_engineer")
}

fn at(minutes: i64) -> DateTime<FixedOffset> {
    moment("2026-03-02T09:00:00+08:00").unwrap() + TimeDelta::minutes(minutes)
}

fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

fn desk(log: impl Log + 'static) -> Desk {
    Desk::open(log, manuals::shipped("unis").unwrap())
}

fn admitted(outcome: Outcome) -> Receipt {
    match outcome {
        Outcome::Admitted(receipt) => receipt,
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn refused_rules(outcome: Outcome) -> Vec<String> {
    match outcome {
        Outcome::Refused(Refusal::Rules(objections)) => objections
            .iter()
            .map(|objection| objection.rule.to_string())
            .collect(),
        other => panic!("not refused by rules: {other:?}"),
    }
}

fn received() -> Fact {
    RequestReceived::new()
        .channel("phone")
        .kind("question")
        .customer("C-1")
        .into()
}

#[test]
fn a_refusal_names_the_rule_and_leaves_no_trace() {
    let desk = Desk::in_memory(manuals::shipped("unis").unwrap());
    let ticket = stream("T-1");
    admitted(desk.propose_at(&ticket, received(), &li(), at(0)).unwrap());
    let refused = desk
        .propose_at(&ticket, VisitDispatched::new("1"), &li(), at(1))
        .unwrap();
    // A visit that was never requested makes no sense under any manual.
    assert!(matches!(
        refused,
        Outcome::Refused(Refusal::Nonsense(Nonsense::UnknownKey { .. }))
    ));
    let rules = refused_rules(
        desk.propose_at(&ticket, BypassDisclosed::new(), &li(), at(1))
            .unwrap(),
    );
    assert_eq!(rules, ["hotline-password-bypass-needs-authorisation"]);
    assert_eq!(desk.history(&ticket).unwrap().len(), 1);
}

#[test]
fn what_is_observed_is_flagged_and_never_refused() {
    let desk = Desk::in_memory(manuals::shipped("unis").unwrap());
    let ticket = stream("T-1");
    let observed = |fact: Fact, minutes| {
        let request = Request::new(&ticket, fact, &li(), at(minutes))
            .told_at(at(minutes).to_utc())
            .observed();
        admitted(desk.submit(request).unwrap())
    };
    observed(received(), 0);
    let bypassed = observed(BypassDisclosed::new().into(), 1);
    assert_eq!(
        &*bypassed.flags[0].rule,
        "hotline-password-bypass-needs-authorisation"
    );
    // What makes no sense under any manual stands in other people's logs too.
    observed(VisitDispatched::new("1").into(), 2);
    assert_eq!(desk.history(&ticket).unwrap().len(), 3);
}

#[test]
fn the_same_id_again_gives_the_first_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let ticket = stream("T-1");
    let id = RecordId::from(77u128);
    let request = |rings| {
        Request::new(&ticket, CallAnswered::new("1").rings(rings), &li(), at(0))
            .told_at(at(0).to_utc())
            .with_id(id)
    };
    let first = {
        let desk = desk(SqliteLog::open(&path).unwrap());
        admitted(desk.submit(request(4)).unwrap())
    };
    // After a restart, on the same file.
    let desk = desk(SqliteLog::open(&path).unwrap());
    let again = admitted(desk.submit(request(4)).unwrap());
    assert!(!first.replayed && again.replayed);
    assert_eq!(again.record, first.record);
    assert_eq!(again.flags, first.flags);
    assert!(!first.flags.is_empty());
    assert_eq!(desk.history(&ticket).unwrap().len(), 1);
    // The id for something else is an error, not an answer; so it is for what
    // somebody else did.
    assert!(matches!(desk.submit(request(2)), Err(DeskError::IdTaken(taken)) if taken == id));
    let another = request(4).done_by(actor("wang", "hotline_engineer"));
    assert!(matches!(desk.submit(another), Err(DeskError::IdTaken(taken)) if taken == id));
    // And for another stream, which does not know it.
    let elsewhere = Request::new(
        &stream("T-2"),
        CallAnswered::new("1").rings(4),
        &li(),
        at(0),
    )
    .told_at(at(0).to_utc())
    .with_id(id);
    let refused = desk.submit(elsewhere);
    assert!(
        matches!(refused, Err(DeskError::IdTaken(taken)) if taken == id),
        "{refused:?}"
    );
}

#[test]
fn eight_threads_on_one_stream_lose_nothing() {
    let desk = desk(MemoryLog::new());
    let ticket = stream("T-1");
    admitted(desk.propose_at(&ticket, received(), &li(), at(0)).unwrap());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (desk, ticket) = (&desk, &ticket);
            scope.spawn(move || {
                for turn in 0..20 {
                    let call = format!("{thread}-{turn}");
                    admitted(
                        desk.propose_at(ticket, CallRang::new(call), &li(), at(1))
                            .unwrap(),
                    );
                }
            });
        }
    });
    let history = desk.history(&ticket).unwrap();
    assert_eq!(history.len(), 161);
    assert!(
        history
            .iter()
            .zip(1..)
            .all(|(record, version)| record.version == version)
    );
}

#[test]
fn two_desks_on_one_file_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let (one, two) = (
        desk(SqliteLog::open(&path).unwrap()),
        desk(SqliteLog::open(&path).unwrap()),
    );
    let ticket = stream("T-1");
    admitted(one.propose_at(&ticket, received(), &li(), at(0)).unwrap());
    assert_eq!(
        refused_rules(
            two.propose_at(&ticket, BypassDisclosed::new(), &li(), at(1))
                .unwrap()
        )
        .len(),
        1
    );
    let paper = BypassAuthorised::new()
        .form("written")
        .representative("Director Wang");
    admitted(one.propose_at(&ticket, paper, &li(), at(2)).unwrap());
    // The second desk's picture is out of date: it must look again before it refuses.
    admitted(
        two.propose_at(&ticket, BypassDisclosed::new(), &li(), at(3))
            .unwrap(),
    );
    // And what the first one appends on an outdated version is judged again.
    admitted(
        one.propose_at(&ticket, StatusTold::new(), &li(), at(4))
            .unwrap(),
    );
    assert_eq!(one.history(&ticket).unwrap(), two.history(&ticket).unwrap());
    assert_eq!(one.history(&ticket).unwrap().len(), 4);
}

fn consultation(desk: &Desk, ticket: &StreamId) {
    admitted(
        desk.propose_at(ticket, CallAnswered::new("1").rings(1), &li(), at(0))
            .unwrap(),
    );
    admitted(desk.propose_at(ticket, received(), &li(), at(1)).unwrap());
    admitted(
        desk.propose_at(ticket, ConsentGiven::new("1"), &li(), at(2))
            .unwrap(),
    );
    let receipt = admitted(
        desk.propose_at(
            ticket,
            CallEnded::new("1").reason("consultation"),
            &li(),
            at(3),
        )
        .unwrap(),
    );
    assert!(receipt.clocks.iter().any(|change| {
        &*change.rule == "hotline-callback-within-1h" && change.due_at == Some(at(63).to_utc())
    }));
}

#[test]
fn lapsing_twice_or_on_two_desks_announces_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let (one, two) = (
        desk(SqliteLog::open(&path).unwrap()),
        desk(SqliteLog::open(&path).unwrap()),
    );
    let ticket = stream("T-1");
    consultation(&one, &ticket);
    // The due moment itself is still in time.
    let missed = |desk: &Desk, minutes| -> Vec<_> {
        desk.lapse(at(minutes).to_utc())
            .unwrap()
            .into_iter()
            .filter(|(_, notice)| notice.step == Step::Missed)
            .map(|(_, notice)| (notice.rule, notice.due_at))
            .collect()
    };
    assert!(missed(&two, 63).is_empty());
    let expected = vec![("hotline-callback-within-1h".to_owned(), at(63).to_utc())];
    assert_eq!(missed(&one, 64), expected);
    assert!(missed(&one, 65).is_empty());
    assert!(missed(&two, 66).is_empty());
    let notices = one
        .history(&ticket)
        .unwrap()
        .iter()
        .filter(|r| matches!(r.content, Content::Notice(_)))
        .count();
    // The warning and the miss, each once.
    assert_eq!(notices, 2);
}

#[test]
fn due_lists_what_is_due_and_a_lapse_changes_no_verdict() {
    let desk = desk(MemoryLog::new());
    let ticket = stream("T-1");
    consultation(&desk, &ticket);
    let due = desk.due(at(63).to_utc()).unwrap();
    assert!(
        due.iter()
            .any(|clock| clock.rule == "hotline-callback-within-1h")
    );
    let now = at(90).to_utc();
    let before = desk.verdicts(&ticket, now).unwrap();
    assert!(!desk.lapse(now).unwrap().is_empty());
    assert_eq!(desk.verdicts(&ticket, now).unwrap(), before);
}

#[test]
fn a_proposal_comes_after_what_time_has_made() {
    let desk = desk(MemoryLog::new());
    let ticket = stream("T-1");
    consultation(&desk, &ticket);
    let late = admitted(
        desk.propose_at(&ticket, StatusTold::new(), &li(), at(80))
            .unwrap(),
    );
    assert!(
        late.notices
            .iter()
            .any(|notice| notice.due_at == at(63).to_utc())
    );
    let kinds: Vec<_> = desk
        .verdicts(&ticket, at(80).to_utc())
        .unwrap()
        .into_iter()
        .filter(|verdict| &*verdict.rule == "hotline-callback-within-1h")
        .map(|verdict| (verdict.kind, verdict.why))
        .collect();
    assert_eq!(
        kinds,
        [(VerdictKind::Broken, "status_told came, 17 min late".into())]
    );
}

#[test]
fn evidence_is_found_in_other_streams_and_sealed() {
    let desk = desk(MemoryLog::new());
    let engineer = actor("zhao", "service_engineer");
    let first = stream("T-1");
    let record = admitted(desk.propose_at(&first, received(), &li(), at(0)).unwrap()).record;
    assert!(!record.evidence[0].answer);
    // Told long afterwards: testimony is admitted, whatever it lacks.
    let old = moment("2026-02-02T09:00:00+08:00").unwrap();
    let told = |fact: Fact| Request::new(&first, fact, &engineer, old).told_at(at(1).to_utc());
    admitted(
        desk.submit(told(DispatchRequested::new("1").into()))
            .unwrap(),
    );
    admitted(desk.submit(told(EngineerArrived::new("1").into())).unwrap());
    let second = stream("T-2");
    let record = admitted(desk.propose_at(&second, received(), &li(), at(5)).unwrap()).record;
    assert!(record.evidence[0].answer);
    let seen = record.evidence[0].seen_in.as_ref().unwrap();
    assert_eq!((seen.stream.as_str(), seen.version), ("T-1", 3));
}

#[test]
fn an_altered_byte_is_noticed_and_placed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let ticket = stream("T-1");
    {
        let desk = desk(SqliteLog::open(&path).unwrap());
        for (call, minutes) in [("1", 0), ("2", 5), ("3", 9)] {
            admitted(
                desk.propose_at(&ticket, CallRang::new(call), &li(), at(minutes))
                    .unwrap(),
            );
        }
    }
    let mut bytes = std::fs::read(&path).unwrap();
    let wanted = br#""type":"call_rang","call":"2""#;
    let found: Vec<usize> = bytes
        .windows(wanted.len())
        .enumerate()
        .filter(|(_, window)| *window == wanted)
        .map(|(index, _)| index)
        .collect();
    assert!(!found.is_empty(), "the fact stands in the file");
    for index in found {
        bytes[index + wanted.len() - 2] = b'7';
    }
    std::fs::write(&path, bytes).unwrap();
    let log = SqliteLog::open(&path).unwrap();
    let error = thirdring::read_all(&log, |_, _| {})
        .unwrap_err()
        .to_string();
    assert!(error.contains("stream T-1, version 2"), "{error}");
    let desk = desk(log);
    assert!(
        desk.propose_at(&ticket, CallRang::new("4"), &li(), at(20))
            .is_err()
    );
}

#[test]
fn a_clock_that_goes_back_makes_no_fact_of_the_future() {
    let desk = desk(MemoryLog::new());
    let ticket = stream("T-1");
    admitted(desk.propose_at(&ticket, received(), &li(), at(60)).unwrap());
    let receipt = admitted(
        desk.propose_at(&ticket, StatusTold::new(), &li(), at(0))
            .unwrap(),
    );
    assert_eq!(receipt.record.recorded_at, at(60).to_utc());
    assert!(receipt.testimony);
}

#[test]
fn another_rulebook_is_adopted_by_a_fact() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let ticket = stream("T-1");
    let unis = desk(SqliteLog::open(&path).unwrap());
    admitted(unis.propose_at(&ticket, received(), &li(), at(0)).unwrap());
    let shop = manuals::own(
        "shop.toml",
        "[manual]\nname = \"shop\"\nextends = \"unis\"\n\
         [change.hotline-callback-within-1h]\nwithin = \"2 working hours\"\nbecause = \"Agreed.\"\n",
    )
    .unwrap();
    let digest = shop.digest;
    let shop = Desk::open(SqliteLog::open(&path).unwrap(), shop);
    // A refusal leaves no trace, not even of who would have judged.
    refused_rules(
        shop.propose_at(&ticket, BypassDisclosed::new(), &li(), at(1))
            .unwrap(),
    );
    assert_eq!(shop.history(&ticket).unwrap().len(), 1);
    admitted(
        shop.propose_at(&ticket, StatusTold::new(), &li(), at(2))
            .unwrap(),
    );
    admitted(
        shop.propose_at(&ticket, StatusTold::new(), &li(), at(3))
            .unwrap(),
    );
    let history = shop.history(&ticket).unwrap();
    let names: Vec<_> = history
        .iter()
        .map(|record| record.fact().unwrap().fact_type().name())
        .collect();
    assert_eq!(
        names,
        [
            "request_received",
            "rulebook_adopted",
            "status_told",
            "status_told"
        ]
    );
    assert!(
        history
            .iter()
            .skip(1)
            .all(|record| record.rulebook == digest)
    );
}

#[test]
fn a_holiday_list_that_changes_under_a_running_ticket_rewrites_nothing_in_silence() {
    let manual = |name: &str, holidays: &str| {
        let text = format!(
            "[manual]\nname = \"{name}\"\nextends = \"unis\"\n[calendar]\ntz = \"Asia/Shanghai\"\n\
             weekly.mon = [\"09:00-18:00\"]\nweekly.tue = [\"09:00-18:00\"]\nholidays = [{holidays}]\n"
        );
        manuals::own(&format!("{name}.toml"), &text).unwrap()
    };
    let due = |desk: &Desk, ticket: &StreamId| {
        desk.verdicts(ticket, at(8 * 60 + 31).to_utc())
            .unwrap()
            .into_iter()
            .find(|verdict| &*verdict.rule == "hotline-callback-within-1h")
            .and_then(|verdict| verdict.due)
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let ticket = stream("T-1");
    let before = Desk::open(SqliteLog::open(&path).unwrap(), manual("shop", ""));
    admitted(
        before
            .propose_at(&ticket, CallAnswered::new("1").rings(1), &li(), at(0))
            .unwrap(),
    );
    admitted(
        before
            .propose_at(&ticket, received(), &li(), at(1))
            .unwrap(),
    );
    admitted(
        before
            .propose_at(&ticket, ConsentGiven::new("1"), &li(), at(2))
            .unwrap(),
    );
    // Half past five on Monday: half an hour is left for Tuesday.
    let ended = CallEnded::new("1").reason("consultation");
    admitted(
        before
            .propose_at(&ticket, ended, &li(), at(8 * 60 + 30))
            .unwrap(),
    );
    let tuesday = at(24 * 60 + 30).to_utc();
    assert_eq!(due(&before, &ticket), Some(tuesday));
    // Tuesday becomes a holiday: another rulebook, and another digest.
    let after = Desk::open(
        SqliteLog::open(&path).unwrap(),
        manual("shop", "\"2026-03-03\""),
    );
    assert_ne!(after.rulebook().digest, before.rulebook().digest);
    assert_eq!(due(&after, &ticket), Some(at(7 * 24 * 60 + 30).to_utc()));
    // Whoever records under it says so first, and the old verdict can still be had.
    admitted(
        after
            .propose_at(&ticket, CallRang::new("2"), &li(), at(9 * 60))
            .unwrap(),
    );
    let history = after.history(&ticket).unwrap();
    assert!(history.iter().any(|record| {
        record
            .fact()
            .is_some_and(|fact| fact.fact_type() == RulebookAdopted::TYPE)
    }));
    assert!(
        history
            .iter()
            .take(4)
            .all(|record| record.rulebook == before.rulebook().digest)
    );
    assert_eq!(due(&before, &ticket), Some(tuesday));
}

#[test]
fn desks_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let desk = Arc::new(desk(MemoryLog::new()));
    shared(&desk);
}
