//! Following a log as it grows.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::Backend;
use super::scene::{PATIENCE, append, numbers, scan_all};
use crate::cursor::Cursor;
use crate::follow::{Follow, Stopped};
use crate::log::Log;
use crate::record::StoredRecord;

/// Follows until `count` records came.
fn gather(follow: &mut Follow<impl Log>, count: usize) -> Vec<StoredRecord> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let page = follow
            .next_page(PATIENCE)
            .unwrap()
            .expect("records that were appended");
        seen.extend(page.records);
    }
    seen
}

/// First what is there, then what comes, each once and in order.
pub fn following_catches_up_and_stays(backend: &impl Backend) {
    let log = Arc::new(backend.open());
    append(&log, "a", &(0..30).collect::<Vec<_>>());
    let seen = thread::scope(|scope| {
        let followers: Vec<_> = [1, 7, 1_000]
            .into_iter()
            .map(|limit| {
                let shared: Arc<dyn Log> = Arc::clone(&log) as Arc<dyn Log>;
                scope.spawn(move || {
                    let follow = Follow::new(shared, Cursor::start());
                    gather(&mut follow.with_page_records(limit), 230)
                })
            })
            .collect();
        for writer in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for round in 0..50 {
                    append(log, "b", &[1_000 + writer * 50 + round]);
                }
            });
        }
        followers
            .into_iter()
            .map(|follower| follower.join().unwrap())
            .collect::<Vec<_>>()
    });
    let all = scan_all(&log, 1_000);
    for seen in seen {
        assert_eq!(seen, all);
    }
}

/// A cursor kept from anywhere, even as text, is where the next one begins.
pub fn following_begins_at_any_cursor(backend: &impl Backend) {
    let log = backend.open();
    append(&log, "a", &(0..10).collect::<Vec<_>>());
    let all = scan_all(&log, 100);
    for skip in 0..=10 {
        let cursor = if skip == 0 {
            Cursor::start()
        } else {
            log.scan(&Cursor::start(), skip).unwrap().next
        };
        let mut follow = Follow::new(&log, cursor.to_string().parse().unwrap());
        assert_eq!(gather(&mut follow, 10 - skip), all[skip..]);
        assert_eq!(*follow.cursor(), log.end().unwrap());
        assert!(follow.next_page(Duration::ZERO).unwrap().is_none());
    }
}

/// Quiet is told from closed, and closed from broken.
pub fn following_says_why_it_stops(backend: &impl Backend) {
    let log = backend.open();
    let mut follow = Follow::new(&log, Cursor::start());
    assert!(
        follow
            .next_page(Duration::from_millis(1))
            .unwrap()
            .is_none()
    );
    append(&log, "a", &[1]);
    log.close();
    // What came before the close is delivered first.
    let page = follow.next_page(PATIENCE).unwrap().unwrap();
    assert_eq!(numbers(&page.records), [1]);
    for _ in 0..2 {
        assert!(matches!(follow.next_page(PATIENCE), Err(Stopped::Closed)));
    }
    let partitions = log.capabilities().partitions;
    let foreign = Cursor::from_positions(vec![1; partitions + 1]);
    let stopped = Follow::new(&log, foreign).next_page(PATIENCE);
    assert!(matches!(stopped, Err(Stopped::Read(_))));
}

/// The writer may be another handle, and so another process.
pub fn following_sees_what_another_handle_appends(backend: &impl Backend) {
    let (reading, writing) = (backend.open(), backend.open());
    thread::scope(|scope| {
        let follower = scope.spawn(|| gather(&mut Follow::new(&reading, Cursor::start()), 20));
        for n in 0..20 {
            append(&writing, "a", &[n]);
        }
        assert_eq!(
            numbers(&follower.join().unwrap()),
            (0..20).collect::<Vec<_>>()
        );
    });
}
