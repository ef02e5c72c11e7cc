//! The shortest way through the SQLite log.
use std::time::Duration;
use thirdring_store::*;
#[test]
fn smoke() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let stream = StreamId::new("ticket/1").unwrap();
    let rec = |n: u8| NewRecord {
        id: RecordId([n; 16]),
        body: vec![n; 10],
        personal: (n % 2 == 0).then(|| vec![n]),
    };
    let part = |e, ns: &[u8]| {
        vec![Append {
            stream: stream.clone(),
            expected: e,
            records: ns.iter().map(|n| rec(*n)).collect(),
        }]
    };
    {
        let log = SqliteLog::open(&path).unwrap();
        println!("{:?}", log.settings());
        let a = log.append(&part(Expected::NoStream, &[1, 2])).unwrap();
        assert_eq!(
            a.places[1],
            Place {
                position: 2,
                version: 2
            }
        );
        let e = log.append(&part(Expected::NoStream, &[3])).unwrap_err();
        println!("{e}\n{e:?}");
        let c = log.submit(part(Expected::Exactly(2), &[3]));
        assert_eq!(c.wait().unwrap().places[0].position, 3);
    }
    let log = SqliteLog::open(&path).unwrap();
    assert!(
        log.append(&part(Expected::NoStream, &[1, 2]))
            .unwrap()
            .replayed
    );
    println!("{}", log.append(&part(Expected::Any, &[1, 9])).unwrap_err());
    let mut follow = Follow::new(&log, Cursor::start());
    let page = follow.next_page(Duration::ZERO).unwrap().unwrap();
    assert_eq!(page.records.len(), 3);
    assert!(page.end);
    assert_eq!(log.read_backward(&stream, u64::MAX, 2).unwrap().next, 1);
    assert!(
        follow
            .next_page(Duration::from_millis(50))
            .unwrap()
            .is_none()
    );
    log.close();
    assert!(matches!(
        follow.next_page(Duration::from_secs(5)),
        Err(Stopped::Closed)
    ));
}
