//! What a desk knows of the time to come, kept beside the log: a restart judges
//! only what changed, and nobody can tell from the answers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use thirdring::core::vocabulary::Process;
use thirdring::facts::*;
use thirdring::store::{
    Append, Capabilities, Completion, Cursor, Limits, Log, MemoryLog, Moment, MomentKind, Page,
    ReadError, SqliteLog, StreamId as StoredStreamId, StreamMoments, StreamPage, Timetables, Wake,
};
use thirdring::{
    Actor, Desk, Fact, Outcome, RecordId, Request, Rulebook, StreamId, manuals, moment,
};
use thirdring_testkit::strategies::{facts, told_after, waits};

fn li() -> Actor {
    Actor::new("li", "hotline_engineer").unwrap()
}

fn at(minutes: i64) -> DateTime<FixedOffset> {
    moment("2026-03-02T09:00:00+08:00").unwrap() + TimeDelta::minutes(minutes)
}

fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

fn unis() -> Arc<Rulebook> {
    Arc::new(manuals::shipped("unis").unwrap())
}

/// Clocks that begin by time alone.
const PERIODS: &str = r#"
[rule.shop-tells-every-week]
says = "Whoever waits hears from us every week."
source = [{ manual = "shop", quote = "every week" }]
every = "calendar week"
expect = ["status_told"]
starts_with = "request_received"
ends_with = "ticket_closed"
kept = ["request_received", "+10d status_told"]
broken = ["request_received", "+15d"]

[rule.shop-reports-every-month]
says = "Whoever waits gets a report for every month."
source = [{ manual = "shop", quote = "every month" }]
every = "calendar month"
expect = ["status_told"]
starts_with = "request_received"
ends_with = "ticket_closed"
due = "3rd working day after"
kept = ["request_received", "+62d status_told"]
broken = ["request_received", "+75d"]
"#;

/// A permission that lifts both.
const FREE: &str = r#"
[rule.shop-questions-are-free]
says = "Who only asks gets no reports."
source = [{ manual = "shop", quote = "only asks" }]
fact = "request_received"
if = { kind = "question" }
may = true
lifts = ["shop-tells-every-week", "shop-reports-every-month"]
"#;

fn own(head: &str, more: &str) -> Arc<Rulebook> {
    let text = format!("[manual]\nname = \"shop\"\n{head}\n{PERIODS}{more}");
    Arc::new(manuals::own("shop.toml", &text).unwrap_or_else(|error| panic!("{error}")))
}

/// As `unis`, with another limit, and with periods that a permission lifts.
fn shop() -> Arc<Rulebook> {
    own(
        "extends = \"unis\"\n[change.hotline-callback-within-1h]\n\
         within = \"2 working hours\"\nbecause = \"Agreed.\"",
        FREE,
    )
}

/// Nothing but periods, so that nothing else makes anybody look at a ticket.
const PERIODS_ALONE: &str = "[calendar]\ntz = \"Asia/Shanghai\"\n\
    weekly.mon = [\"09:00-18:00\"]\nweekly.tue = [\"09:00-18:00\"]\n\
    weekly.wed = [\"09:00-18:00\"]\n\
    [roles]\nhotline_engineer = [\"engineer\"]\n\
    [words]\n\"request_received.kind\" = [\"question\"]";

fn admitted(outcome: Outcome) {
    if let Outcome::Refused(refusal) = outcome {
        panic!("refused: {refusal:?}");
    }
}

/// A consultation that runs a clock of an hour from minute `from + 3` on.
fn consultation(desk: &Desk, ticket: &StreamId, from: i64) {
    let facts: [Fact; 4] = [
        CallAnswered::new("1").rings(1).into(),
        RequestReceived::new()
            .channel("phone")
            .kind("question")
            .into(),
        ConsentGiven::new("1").into(),
        CallEnded::new("1").reason("consultation").into(),
    ];
    for (fact, minute) in facts.into_iter().zip(from..) {
        admitted(desk.propose_at(ticket, fact, &li(), at(minute)).unwrap());
    }
}

/// What was read of a log.
#[derive(Debug, Default)]
struct Reads {
    streams: AtomicU64,
    records: AtomicU64,
}

/// A log that counts what is read of it.
struct Counting<L> {
    log: L,
    reads: Arc<Reads>,
    keeps_timetables: bool,
}

impl<L: Log> Counting<L> {
    fn new(log: L) -> (Self, Arc<Reads>) {
        let reads = Arc::new(Reads::default());
        let counting = Self {
            log,
            reads: Arc::clone(&reads),
            keeps_timetables: true,
        };
        (counting, reads)
    }

    /// A log that keeps no timetables.
    fn bare(log: L) -> Self {
        Self {
            keeps_timetables: false,
            ..Self::new(log).0
        }
    }
}

impl<L: Log> Log for Counting<L> {
    fn submit(&self, batch: Vec<Append>) -> Completion {
        self.log.submit(batch)
    }
    fn read(
        &self,
        stream: &StoredStreamId,
        from: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        self.reads.streams.fetch_add(1, Ordering::Relaxed);
        self.log.read(stream, from, limit)
    }
    fn read_backward(
        &self,
        stream: &StoredStreamId,
        from: u64,
        limit: usize,
    ) -> Result<StreamPage, ReadError> {
        self.reads.streams.fetch_add(1, Ordering::Relaxed);
        self.log.read_backward(stream, from, limit)
    }
    fn scan(&self, cursor: &Cursor, limit: usize) -> Result<Page, ReadError> {
        let page = self.log.scan(cursor, limit)?;
        let count = page.records.len() as u64;
        self.reads.records.fetch_add(count, Ordering::Relaxed);
        Ok(page)
    }
    fn streams(
        &self,
        after: Option<&StoredStreamId>,
        limit: usize,
    ) -> Result<Vec<StoredStreamId>, ReadError> {
        self.log.streams(after, limit)
    }
    fn head(&self, stream: &StoredStreamId) -> Result<u64, ReadError> {
        self.log.head(stream)
    }
    fn end(&self) -> Result<Cursor, ReadError> {
        self.log.end()
    }
    fn partition(&self, stream: &StoredStreamId) -> usize {
        self.log.partition(stream)
    }
    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Wake, ReadError> {
        self.log.wait(cursor, timeout)
    }
    fn timetables(&self) -> Option<&dyn Timetables> {
        self.log.timetables().filter(|_| self.keeps_timetables)
    }
    fn capabilities(&self) -> Capabilities {
        self.log.capabilities()
    }
    fn limits(&self) -> Limits {
        self.log.limits()
    }
    fn close(&self) {
        self.log.close();
    }
}

/// More than are looked at one by one.
#[test]
fn many_streams_are_worked_out_together_as_each_alone() {
    let log = MemoryLog::new();
    let writer = Desk::open(log.clone(), unis());
    for n in 0..150 {
        consultation(&writer, &stream(&format!("T-{n}")), n);
    }
    let fresh = Desk::open(log, shop());
    for minute in [60, 400, 2_000] {
        let (until, now) = (at(minute).to_utc(), at(160).to_utc());
        let mut every = fresh.open_clocks(now).unwrap();
        every.retain(|clock| clock.due_at.is_some_and(|due_at| due_at <= until));
        let mut due = fresh.due_at(until, now).unwrap();
        for clocks in [&mut every, &mut due] {
            clocks.sort_by_key(|clock| (clock.due_at, clock.stream.clone(), clock.rule.clone()));
        }
        assert_eq!(due, every, "until minute {minute}");
        assert_eq!(due.is_empty(), minute == 60);
    }
}

#[test]
fn a_restart_does_not_judge_the_world_again() {
    const TICKETS: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let rulebook = unis();
    let open = || {
        let (log, reads) = Counting::new(SqliteLog::open(&path).unwrap());
        (Desk::open(log, Arc::clone(&rulebook)), reads)
    };
    {
        let (desk, _) = open();
        for n in 0..TICKETS {
            let minute = i64::try_from(n).unwrap();
            consultation(&desk, &stream(&format!("T-{n}")), minute);
        }
        assert!(desk.due(at(0).to_utc()).unwrap().is_empty());
    }
    // Nothing happened since, nothing is due: nothing is read.
    let (desk, reads) = open();
    assert!(
        desk.due_at(at(50).to_utc(), at(50).to_utc())
            .unwrap()
            .is_empty()
    );
    assert!(desk.lapse(at(10).to_utc()).unwrap().is_empty());
    assert_eq!(reads.streams.load(Ordering::Relaxed), 0);
    assert_eq!(reads.records.load(Ordering::Relaxed), 0);
    // Three are due by minute 65, and only they are looked at.
    let due = desk.due_at(at(65).to_utc(), at(60).to_utc()).unwrap();
    let streams: Vec<_> = due.iter().map(|clock| clock.stream.as_str()).collect();
    assert_eq!(streams, ["T-0", "T-1", "T-2"]);
    assert_eq!(reads.streams.load(Ordering::Relaxed), 3);
    assert_eq!(reads.records.load(Ordering::Relaxed), 0);
    // Somebody else writes to a fourth: that record is read, and that stream.
    let other = Desk::open(SqliteLog::open(&path).unwrap(), Arc::clone(&rulebook));
    let told = CallRang::new("2");
    admitted(
        other
            .propose_at(&stream("T-40"), told, &li(), at(50))
            .unwrap(),
    );
    let before = other.history(&stream("T-40")).unwrap().len() as u64;
    assert_eq!(before, 5);
    drop((desk, other));
    let (desk, reads) = open();
    assert_eq!(desk.due_at(at(65).to_utc(), at(60).to_utc()).unwrap(), due);
    assert_eq!(reads.streams.load(Ordering::Relaxed), 4);
    assert_eq!(reads.records.load(Ordering::Relaxed), 1);
    // A lapse appends what it announces, and the next start reads just that.
    let announced = desk.lapse(at(66).to_utc()).unwrap().len() as u64;
    assert!(announced > 0);
    drop(desk);
    let (desk, reads) = open();
    assert!(desk.lapse(at(66).to_utc()).unwrap().is_empty());
    assert_eq!(reads.records.load(Ordering::Relaxed), announced);
    assert!(reads.streams.load(Ordering::Relaxed) < 20);
    // The first look under another rulebook judges all, the next one nothing.
    for expected in [TICKETS, 0] {
        let (log, reads) = Counting::new(SqliteLog::open(&path).unwrap());
        let desk = Desk::open(log, shop());
        assert!(desk.due(at(0).to_utc()).unwrap().is_empty());
        assert_eq!(reads.streams.load(Ordering::Relaxed), expected);
    }
}

#[test]
fn a_period_that_begins_by_time_alone_is_due_when_it_has_begun() {
    let desk = Desk::in_memory(own(PERIODS_ALONE, ""));
    let ticket = stream("T-1");
    let received = RequestReceived::new().channel("phone").kind("question");
    admitted(desk.propose_at(&ticket, received, &li(), at(0)).unwrap());
    let days = |days: i64| at(days * 24 * 60).to_utc();
    let weekly = |now: i64, until: i64| {
        let due = desk.due_at(days(until), days(now)).unwrap();
        due.into_iter()
            .filter(|clock| clock.rule == "shop-tells-every-week")
            .count()
    };
    // Looked at in the week it came: the first whole week has not begun.
    assert_eq!(weekly(0, 30), 0);
    // It has begun; nobody wrote anything.
    assert_eq!(weekly(8, 30), 1);
    // Announced, and still the next week comes, beside the one that was missed.
    assert!(!desk.lapse(days(16)).unwrap().is_empty());
    assert_eq!(weekly(16, 30), 2);
    admitted(
        desk.propose_at(&ticket, StatusTold::new(), &li(), at(17 * 24 * 60))
            .unwrap(),
    );
    assert_eq!(weekly(17, 60), 1);
    assert_eq!(weekly(25, 60), 2);
}

#[test]
fn a_period_that_is_lifted_is_due_as_it_is_open() {
    let desk = Desk::in_memory(own(PERIODS_ALONE, FREE));
    let received = RequestReceived::new().channel("phone").kind("question");
    admitted(
        desk.propose_at(&stream("T-1"), received, &li(), at(0))
            .unwrap(),
    );
    let days = |days: i64| at(days * 24 * 60).to_utc();
    // Looked at before the first period begins, and nobody writes anything.
    for now in [0, 8, 20, 32, 45, 64] {
        let mut open = desk.open_clocks(days(now)).unwrap();
        open.retain(|clock| clock.due_at.is_some_and(|due_at| due_at <= days(90)));
        assert_eq!(open.is_empty(), now == 0, "after {now} days");
        let due = desk.due_at(days(90), days(now)).unwrap();
        assert_eq!(due, open, "after {now} days");
        assert_eq!(desk.lapse(days(now)).unwrap(), []);
    }
}

/// A desk trusts what an earlier program kept under the same shape. So if this test
/// fails, because clocks are worked out otherwise or holidays were announced, raise
/// `SHAPE` in `timetable.rs`, and then write down here what is found.
#[test]
fn moments_are_those_of_this_shape() {
    let rulebook = own(
        "[calendar]\ntz = \"Asia/Shanghai\"\nweekly.mon = [\"09:00-18:00\"]\n\
         weekly.tue = [\"09:00-18:00\"]\nweekly.wed = [\"09:00-18:00\"]\n\
         weekly.thu = [\"09:00-18:00\"]\nweekly.fri = [\"09:00-18:00\"]\n\
         holidays_from = [\"cn\"]\n\
         [roles]\nhotline_engineer = [\"engineer\"]\n\
         [rule.shop-records-soon]\nsays = \"Soon.\"\n\
         source = [{ manual = \"shop\", quote = \"soon\" }]\n\
         after = \"request_received\"\nexpect = [\"request_recorded\"]\n\
         within = \"2 working hours\"\nrepeat = \"keep\"\nwarn = [\"30 clock minutes before\"]\n\
         kept = [\"request_received\", \"+1h request_recorded\"]\n\
         broken = [\"request_received\", \"+3h\"]",
        "",
    );
    let log = MemoryLog::new();
    let desk = Desk::open(log.clone(), Arc::clone(&rulebook));
    let tell = |ticket: &str, fact: Fact, at: &str| {
        let at = moment(at).unwrap();
        admitted(desk.propose_at(&stream(ticket), fact, &li(), at).unwrap());
    };
    let received = || -> Fact {
        RequestReceived::new()
            .channel("phone")
            .kind("question")
            .into()
    };
    tell("plain", received(), "2026-03-02T09:00:00+08:00");
    tell("evening", received(), "2026-03-06T17:30:00+08:00");
    // Before the holidays of October, and before a year whose are not announced.
    tell("holiday", received(), "2026-09-30T17:30:00+08:00");
    tell("unknown", received(), "2026-12-31T17:30:00+08:00");
    tell("answered", received(), "2026-03-02T09:00:00+08:00");
    tell(
        "answered",
        RequestRecorded::new().into(),
        "2026-03-02T09:30:00+08:00",
    );
    tell("told", received(), "2026-03-02T09:00:00+08:00");
    tell(
        "told",
        RequestRecorded::new().into(),
        "2026-03-02T09:30:00+08:00",
    );
    tell(
        "told",
        StatusTold::new().into(),
        "2026-03-10T09:30:00+08:00",
    );
    desk.due(at(0).to_utc()).unwrap();
    let name = format!("due/2/{}", rulebook.digest);
    let timetables = log.timetables().unwrap();
    let found: Vec<String> = [0, 1]
        .into_iter()
        .flat_map(|kind| {
            let all = Moment::from_micros(i64::MAX);
            timetables
                .due(&name, MomentKind(kind), all, None, 100)
                .unwrap()
                .into_iter()
                .map(move |due| {
                    let at = DateTime::from_timestamp_micros(due.at.micros()).unwrap();
                    format!("{kind} {} {at:?}", due.stream)
                })
        })
        .collect();
    assert_eq!(
        found,
        [
            "0 plain 2026-03-02T02:30:00Z",
            "0 evening 2026-03-09T02:00:00Z",
            "0 answered 2026-03-15T15:59:59.999999Z",
            "0 told 2026-03-22T15:59:59.999999Z",
            "0 holiday 2026-10-08T02:00:00Z",
            "0 unknown 2027-01-01T02:00:00Z",
            "1 plain 2026-03-02T02:30:00Z",
            "1 evening 2026-03-09T02:00:00Z",
            "1 answered 2026-03-15T15:59:59.999999Z",
            "1 told 2026-03-22T15:59:59.999999Z",
            "1 holiday 2026-10-08T02:00:00Z",
            "1 unknown 2027-01-01T02:00:00Z"
        ],
        "raise SHAPE in timetable.rs, then write down what is found"
    );
}

#[test]
fn timetables_of_others_can_be_forgotten() {
    let log = MemoryLog::new();
    let desk = Desk::open(log.clone(), unis());
    consultation(&desk, &stream("T-1"), 0);
    let timetables = log.timetables().unwrap();
    // What an older program kept for this rulebook goes as soon as there is a new one.
    let older = format!("due/0/{}", desk.rulebook().digest);
    let moments = StreamMoments {
        stream: StoredStreamId::new("T-1").unwrap(),
        moments: vec![(MomentKind(0), Moment::from_micros(0))],
    };
    for name in [older.as_str(), "mine"] {
        let end = log.end().unwrap();
        timetables
            .replace(name, &Cursor::start(), &end, std::slice::from_ref(&moments))
            .unwrap();
    }
    assert!(!desk.due(at(70).to_utc()).unwrap().is_empty());
    let names = || -> Vec<String> {
        let list = timetables.list().unwrap();
        list.into_iter().map(|state| state.name).collect()
    };
    let current = format!("due/2/{}", desk.rulebook().digest);
    assert_eq!(names(), [current.clone(), "mine".to_owned()]);
    let other = Desk::open(log.clone(), shop());
    assert!(!other.due(at(130).to_utc()).unwrap().is_empty());
    assert_eq!(names().len(), 3);
    assert_eq!(desk.forget_other_timetables().unwrap(), 1);
    // Only those of desks.
    assert_eq!(names(), [current, "mine".to_owned()]);
    assert!(!other.due(at(130).to_utc()).unwrap().is_empty());
}

#[test]
fn a_timetable_that_is_damaged_or_of_another_log_is_worked_out_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let desk = || Desk::open(SqliteLog::open(&path).unwrap(), unis());
    consultation(&desk(), &stream("T-1"), 0);
    let due = || desk().due_at(at(70).to_utc(), at(60).to_utc()).unwrap();
    let right = due();
    assert!(!right.is_empty());
    for wrong in ["c1-9000", "c1-1-1", "nonsense", ""] {
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute("DELETE FROM moments", []).unwrap();
        file.execute("UPDATE timetables SET cursor = ?1", [wrong])
            .unwrap();
        drop(file);
        assert_eq!(due(), right, "{wrong:?}");
    }
    // Names of streams that are none, of the log or of a desk.
    for wrong in ["", "a\nb", "nobody/knows"] {
        damage(&path, "UPDATE moments SET stream = ?1", wrong);
        assert_eq!(due(), right, "{wrong:?}");
    }
    damage(&path, "UPDATE moments SET stream = ?1", "");
    assert!(!desk().lapse(at(70).to_utc()).unwrap().is_empty());
    damage(&path, "UPDATE moments SET stream = ?1", "nobody/knows");
    assert_eq!(desk().lapse(at(70).to_utc()).unwrap(), []);
}

fn damage(path: &Path, sql: &str, wrong: &str) {
    let file = rusqlite::Connection::open(path).unwrap();
    assert!(file.execute(sql, [wrong]).unwrap() > 0);
}

/// A timetable that nobody works by any more must not stand in anybody's way.
#[test]
fn a_damaged_timetable_of_another_rulebook_can_be_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let open = |rulebook| Desk::open(SqliteLog::open(&path).unwrap(), rulebook);
    let desk = open(unis());
    consultation(&desk, &stream("T-1"), 0);
    open(shop()).due(at(0).to_utc()).unwrap();
    damage(&path, "UPDATE timetables SET cursor = ?1", "nonsense");
    desk.due(at(0).to_utc()).unwrap();
    let log = SqliteLog::open(&path).unwrap();
    let damaged = || {
        let list = log.timetables().unwrap().list().unwrap();
        let cursors: Vec<bool> = list.iter().map(|state| state.cursor.is_none()).collect();
        cursors
    };
    assert_eq!(damaged().len(), 2);
    assert!(damaged().contains(&true));
    assert_eq!(desk.forget_other_timetables().unwrap(), 1);
    assert_eq!(damaged(), [false]);
}

/// What happens to the desks of a log.
#[derive(Debug, Clone)]
enum Step {
    /// A fact is proposed on one of the desks.
    Propose {
        desk: usize,
        ticket: u8,
        fact: Fact,
        role: String,
        told_after_seconds: i64,
    },
    /// Time passes.
    Wait(i64),
    /// Somebody asks what is due: so long from now, perhaps in the past.
    Due(usize, i64),
    /// Time lapses.
    Lapse(usize),
    /// A desk ends and starts again.
    Reopen(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let rulebook = unis();
    let roles: Vec<String> = rulebook.roles.names().map(str::to_owned).collect();
    let told = (
        0..DESKS,
        0..3_u8,
        prop_oneof![
            4 => facts(&rulebook, Process::Ticket),
            1 => Just(RequestReceived::new().channel("phone").kind("question").into()),
            1 => Just(RequestReceived::new().channel("phone").kind("fault").into()),
            1 => Just(StatusTold::new().into()),
        ],
        proptest::sample::select(roles),
        told_after(),
    );
    let step = prop_oneof![
        8 => told.prop_map(|(desk, ticket, fact, role, told_after_seconds)| Step::Propose {
            desk, ticket, fact, role, told_after_seconds,
        }),
        3 => waits().prop_map(Step::Wait),
        3 => (0..DESKS, -100_000..2_000_000_i64).prop_map(|(desk, ahead)| Step::Due(desk, ahead)),
        2 => (0..DESKS).prop_map(Step::Lapse),
        2 => (0..DESKS).prop_map(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..60)
}

/// Two desks of one rulebook, and one of another.
const DESKS: usize = 3;

struct World {
    path: PathBuf,
    rulebooks: [Arc<Rulebook>; DESKS],
    desks: Vec<Desk>,
    /// The same facts in memory, judged as a whole each time.
    plain: MemoryLog,
}

impl World {
    fn new(folder: &Path, rulebooks: [Arc<Rulebook>; DESKS]) -> Self {
        let path = folder.join("desk.db");
        let desks = rulebooks
            .iter()
            .map(|rulebook| Self::open(&path, rulebook))
            .collect();
        Self {
            path,
            rulebooks,
            desks,
            plain: MemoryLog::new(),
        }
    }

    fn open(path: &Path, rulebook: &Arc<Rulebook>) -> Desk {
        Desk::open(SqliteLog::open(path).unwrap(), Arc::clone(rulebook))
    }

    /// A desk that knows nothing yet.
    fn fresh(&self, desk: usize) -> Desk {
        Desk::open(
            Counting::bare(self.plain.clone()),
            Arc::clone(&self.rulebooks[desk]),
        )
    }

    fn due(
        &self,
        desk: usize,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), TestCaseError> {
        let sorted = |mut clocks: Vec<thirdring::OpenClock>| {
            clocks.sort_by_key(|clock| format!("{clock:?}"));
            clocks
        };
        let told = sorted(self.desks[desk].due_at(until, now).unwrap());
        let mut world = self.fresh(desk).open_clocks(now).unwrap();
        world.retain(|clock| clock.due_at.is_some_and(|due| due <= until));
        let world = sorted(world);
        prop_assert_eq!(&told, &world);
        // The same where the log keeps nothing.
        let memory = sorted(self.fresh(desk).due_at(until, now).unwrap());
        prop_assert_eq!(&memory, &world);
        Ok(())
    }

    fn lapse(&self, desk: usize, now: DateTime<Utc>) -> Result<(), TestCaseError> {
        let fresh = self.fresh(desk);
        let mut world = Vec::new();
        for stream in fresh.streams().unwrap() {
            let notices = fresh.lapse_stream(&stream, now).unwrap();
            world.extend(notices.into_iter().map(|notice| (stream.clone(), notice)));
        }
        let mut told = self.desks[desk].lapse(now).unwrap();
        world.sort();
        told.sort();
        prop_assert_eq!(told, world);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restarted_desk_answers_as_one_that_judges_the_world(steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let unis = unis();
        let mut world = World::new(dir.path(), [Arc::clone(&unis), unis, shop()]);
        let mut now = at(0);
        for (step, number) in steps.into_iter().zip(1_u128..) {
            match step {
                Step::Wait(seconds) => now += TimeDelta::seconds(seconds),
                Step::Reopen(desk) => {
                    world.desks[desk] = World::open(&world.path, &world.rulebooks[desk]);
                }
                Step::Due(desk, ahead) => {
                    let until = now + TimeDelta::seconds(ahead);
                    world.due(desk, until.to_utc(), now.to_utc())?;
                }
                Step::Lapse(desk) => world.lapse(desk, now.to_utc())?,
                Step::Propose { desk, ticket, fact, role, told_after_seconds } => {
                    let happened = now - TimeDelta::seconds(told_after_seconds);
                    let by = Actor::new("somebody", role.as_str()).unwrap();
                    let request = Request::new(&stream(&format!("T-{ticket}")), fact, &by, happened)
                        .told_at(now.to_utc())
                        .with_id(RecordId::from(number));
                    let one = world.desks[desk].submit(request.clone());
                    let other = world.fresh(desk).submit(request);
                    let admitted = |outcome: &Result<Outcome, _>| matches!(outcome, Ok(Outcome::Admitted(_)));
                    prop_assert_eq!(admitted(&one), admitted(&other), "{:?} {:?}", one, other);
                }
            }
        }
        for desk in 0..DESKS {
            world.due(desk, (now + TimeDelta::days(60)).to_utc(), now.to_utc())?;
            world.due(desk, (now + TimeDelta::days(60)).to_utc(), (now + TimeDelta::days(45)).to_utc())?;
            // Asked as of a moment before what was recorded last.
            world.due(desk, now.to_utc(), (now - TimeDelta::days(9)).to_utc())?;
        }
    }
}
