//! Reading pages, and checking them, because a row that is not as it was written
//! must never pass for the end.
//!
//! Positions and versions are dense, so the client knows which rows there must
//! be: up to the counter of the partition, or up to the head of the stream, as
//! of the same moment. A row that does not come is damage.

use thirdring_store::{
    Conflict, Cursor, Limits, Page, ReadError, RecordId, StoredRecord, StreamId, StreamPage,
};
use tokio_postgres::{Error, Row};

use crate::conn::Conn;
use crate::partition::{PARTITIONS, part, partition_of};
use crate::queries::{BACKWARD, FEED, FIRST, FORWARD, HEAD, SCAN, STREAMS};
use crate::sql_types::{Id, signed, unsigned};

/// Why a page could not be had.
#[derive(Debug)]
pub(crate) enum Failed {
    /// What is stored, or what was asked, is wrong: trying again is no use.
    Read(ReadError),
    Database(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

/// Which way a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Forward,
    Backward,
}

/// The last position of each partition.
pub(crate) async fn lasts(conn: &mut Conn, place: &str) -> Result<Vec<u64>, Failed> {
    let mut lasts = vec![None; PARTITIONS];
    for row in conn.query(FEED, &[]).await? {
        let part: i16 = row.try_get(0)?;
        let last = usize::try_from(part)
            .ok()
            .and_then(|part| lasts.get_mut(part));
        if let Some(last) = last {
            *last = Some(unsigned(row.try_get(1)?));
        }
    }
    let whole: Option<Vec<u64>> = lasts.into_iter().collect();
    whole.ok_or_else(|| damaged(place, 0, "table feed has lost the counter of a partition"))
}

/// The names of the streams after one, by partition and byte by byte.
pub(crate) async fn streams(
    conn: &mut Conn,
    after: Option<&StreamId>,
    limit: usize,
    place: &str,
) -> Result<Vec<StreamId>, Failed> {
    let (part, name) = after.map_or((-1, ""), |stream| {
        (part(partition_of(stream)), stream.as_str())
    });
    let rows = conn
        .query(STREAMS, &[&part, &name, &signed(limit as u64)])
        .await?;
    rows.iter()
        .map(|row| {
            let name: String = row.try_get(0)?;
            StreamId::new(&name)
                .map_err(|error| damaged(place, 0, format!("a stream's name: {error}")))
        })
        .collect()
}

/// The last version of a stream, 0 if it has no records.
pub(crate) async fn head(conn: &mut Conn, stream: &StreamId) -> Result<u64, Failed> {
    let part = part(partition_of(stream));
    let rows = conn.query(HEAD, &[&part, &stream.as_str()]).await?;
    Ok(match rows.first() {
        Some(row) => unsigned(row.try_get(0)?),
        None => 0,
    })
}

/// What is read of one partition.
#[derive(Debug, Clone, Copy)]
struct Range {
    partition: usize,
    /// The last position seen.
    seen: u64,
    /// The last position of this page, if it is not cut short.
    upto: u64,
}

/// Shares a page of `limit` records out to the partitions that have news, the
/// same to each, so that a busy one does not keep a reader from the others. The
/// partition to begin with changes as the cursor moves, for pages so small that
/// not all have a share. The second is whether this is all there is.
fn shares(seen: &[u64], lasts: &[u64], limit: usize) -> (Vec<Range>, bool) {
    let sum = seen.iter().fold(0_u64, |sum, seen| sum.wrapping_add(*seen));
    let first = usize::try_from(sum % (PARTITIONS as u64)).unwrap_or(0);
    let mut news: Vec<Range> = seen
        .iter()
        .zip(lasts)
        .enumerate()
        .filter(|(_, (seen, last))| last > seen)
        .map(|(partition, (&seen, &last))| Range {
            partition,
            seen,
            upto: last,
        })
        .collect();
    let turn =
        |partition: usize| partition.wrapping_add(PARTITIONS).wrapping_sub(first) % PARTITIONS;
    news.sort_by_key(|range| turn(range.partition));
    let share = limit.div_ceil(news.len().max(1)) as u64;
    let mut left = limit as u64;
    let mut all = true;
    for range in &mut news {
        let waiting = range.upto.saturating_sub(range.seen);
        let taken = waiting.min(share).min(left);
        all &= taken == waiting;
        left = left.saturating_sub(taken);
        range.upto = range.seen.saturating_add(taken);
    }
    news.retain(|range| range.upto > range.seen);
    (news, all)
}

/// A page of the whole log.
pub(crate) async fn scan(
    conn: &mut Conn,
    seen: &[u64],
    limit: usize,
    place: &str,
) -> Result<Page, Failed> {
    let lasts = lasts(conn, place).await?;
    for (&cursor, &last) in seen.iter().zip(&lasts) {
        if cursor > last {
            return Err(Failed::Read(ReadError::CursorAhead { cursor, last }));
        }
    }
    let limit = limit.min(Limits::DEFAULT.page_records);
    let (ranges, all) = shares(seen, &lasts, limit);
    let mut next = seen.to_vec();
    if ranges.is_empty() {
        return Ok(Page {
            records: Vec::new(),
            next: Cursor::from_positions(next),
            end: true,
        });
    }
    let parts: Vec<i16> = ranges.iter().map(|range| part(range.partition)).collect();
    let firsts: Vec<i64> = ranges
        .iter()
        .map(|range| signed(range.seen).saturating_add(1))
        .collect();
    let upto: Vec<i64> = ranges.iter().map(|range| signed(range.upto)).collect();
    let bytes = page_bytes();
    let rows = conn.query(SCAN, &[&parts, &firsts, &upto, &bytes]).await?;
    let mut rows = rows.iter();
    let mut records = Vec::with_capacity(rows.len());
    let mut sent = 0_usize;
    for range in &ranges {
        let place = format!("{place}, partition {}", range.partition);
        for due in range.seen.saturating_add(1)..=range.upto {
            if sent >= Limits::DEFAULT.page_bytes {
                return Ok(page(records, next, false));
            }
            let Some(row) = rows.next() else {
                return Err(damaged(&place, due, "the record is missing"));
            };
            let at = (row.try_get::<_, i16>(0)?, unsigned(row.try_get(1)?));
            if at != (part(range.partition), due) {
                return Err(damaged(&place, due, "the record is missing"));
            }
            let record = record(row, &place)?;
            sent = sent.saturating_add(record.content_bytes());
            records.push(record);
            if let Some(position) = next.get_mut(range.partition) {
                *position = due;
            }
        }
    }
    Ok(page(records, next, all))
}

fn page(records: Vec<StoredRecord>, next: Vec<u64>, end: bool) -> Page {
    Page {
        records,
        next: Cursor::from_positions(next),
        end,
    }
}

/// A page of one stream.
pub(crate) async fn read(
    conn: &mut Conn,
    stream: &StreamId,
    from: u64,
    way: Way,
    limit: usize,
    place: &str,
) -> Result<StreamPage, Failed> {
    let limit = limit.min(Limits::DEFAULT.page_records) as u64;
    match way {
        Way::Forward => {
            let from = from.max(1);
            let upto = from.saturating_add(limit.saturating_sub(1));
            Ok(read_up(conn, stream, from, upto, place).await?.1)
        }
        Way::Backward => read_down(conn, stream, from, limit, place).await,
    }
}

/// The first pages of several streams, all in one answer of the server; those of
/// the last are left out once the answer is as large as a page may be.
pub(crate) async fn read_many(
    conn: &mut Conn,
    streams: &[StreamId],
    limit: usize,
    place: &str,
) -> Result<Vec<StreamPage>, Failed> {
    let limit = limit.min(Limits::DEFAULT.page_records) as u64;
    let parts: Vec<i16> = streams
        .iter()
        .map(|stream| part(partition_of(stream)))
        .collect();
    let names: Vec<&str> = streams.iter().map(StreamId::as_str).collect();
    let rows = conn
        .query(FIRST, &[&parts, &names, &signed(limit), &page_bytes()])
        .await?;
    let mut rest = rows.as_slice();
    let mut pages: Vec<StreamPage> = Vec::with_capacity(streams.len());
    let mut bytes = 0_usize;
    for (turn, stream) in (1_i64..).zip(streams) {
        let mut count = 0;
        for row in rest {
            if row.try_get::<_, i64>(8)? != turn {
                break;
            }
            count += 1;
        }
        let (of_stream, later) = rest.split_at(count);
        rest = later;
        let head = head_of(of_stream)?;
        let wanted = limit.min(head);
        let mut taken = Taken::new(stream, place, of_stream);
        for due in (1..=wanted).take(count) {
            if !taken.take(due)? {
                break;
            }
        }
        bytes = bytes.saturating_add(taken.bytes);
        if count == 0 || (taken.records.len() as u64) < wanted {
            // Cut: the first page as it is cut when read alone.
            if bytes < Limits::DEFAULT.page_bytes {
                return Err(taken.missing(taken.records.len() as u64 + 1));
            }
            if !pages.is_empty() {
                break;
            }
        }
        let next = taken.records.len() as u64 + 1;
        pages.push(StreamPage {
            records: taken.records,
            next,
            end: next > head,
        });
    }
    Ok(pages)
}

/// The versions from `from` to `upto`, as far as they are there, with the head
/// of the stream.
async fn read_up(
    conn: &mut Conn,
    stream: &StreamId,
    from: u64,
    upto: u64,
    place: &str,
) -> Result<(u64, StreamPage), Failed> {
    let rows = ask(conn, FORWARD, stream, from, upto).await?;
    let head = head_of(&rows)?;
    let mut taken = Taken::new(stream, place, &rows);
    let last = upto.min(head);
    for due in from..=last {
        if !taken.take(due)? {
            break;
        }
    }
    let next = taken
        .records
        .last()
        .map_or(from, |record| record.version.saturating_add(1));
    Ok((
        head,
        StreamPage {
            records: taken.records,
            next,
            end: next > head,
        },
    ))
}

async fn read_down(
    conn: &mut Conn,
    stream: &StreamId,
    from: u64,
    limit: u64,
    place: &str,
) -> Result<StreamPage, Failed> {
    let rows = ask(conn, BACKWARD, stream, from, limit).await?;
    let first = from.min(head_of(&rows)?);
    let mut taken = Taken::new(stream, place, &rows);
    let last = first.saturating_sub(limit).saturating_add(1);
    for due in (last..=first).rev() {
        if !taken.take(due)? {
            break;
        }
    }
    let next = taken
        .records
        .last()
        .map_or(0, |record| record.version.saturating_sub(1));
    Ok(StreamPage {
        records: taken.records,
        next,
        end: next == 0,
    })
}

async fn ask(
    conn: &mut Conn,
    query: crate::conn::Query,
    stream: &StreamId,
    from: u64,
    bound: u64,
) -> Result<Vec<Row>, Error> {
    let part = part(partition_of(stream));
    let (from, bound) = (signed(from), signed(bound));
    conn.query(
        query,
        &[&part, &stream.as_str(), &from, &bound, &page_bytes()],
    )
    .await
}

fn head_of(rows: &[Row]) -> Result<u64, Error> {
    Ok(match rows.first() {
        Some(row) => unsigned(row.try_get(0)?),
        None => 0,
    })
}

/// Takes the records of a page of a stream one by one.
struct Taken<'r> {
    stream: &'r StreamId,
    place: &'r str,
    rows: std::slice::Iter<'r, Row>,
    records: Vec<StoredRecord>,
    bytes: usize,
}

impl<'r> Taken<'r> {
    fn new(stream: &'r StreamId, place: &'r str, rows: &'r [Row]) -> Self {
        Self {
            stream,
            place,
            rows: rows.iter(),
            records: Vec::with_capacity(rows.len()),
            bytes: 0,
        }
    }

    /// Takes the record of this version; `false` if the page is full.
    fn take(&mut self, due: u64) -> Result<bool, Failed> {
        if self.bytes >= Limits::DEFAULT.page_bytes {
            return Ok(false);
        }
        let version = match self.rows.next() {
            Some(row) => row
                .try_get::<_, Option<i64>>(2)?
                .map(|version| (row, unsigned(version))),
            None => None,
        };
        let Some((row, version)) = version else {
            return Err(self.missing(due));
        };
        if version != due {
            return Err(self.missing(due));
        }
        let record = record(row, self.place)?;
        self.bytes = self.bytes.saturating_add(record.content_bytes());
        self.records.push(record);
        Ok(true)
    }

    fn missing(&self, due: u64) -> Failed {
        let position = self.records.last().map_or(0, |record| record.position);
        let what = format!("version {due} of stream {} is missing", self.stream);
        damaged(self.place, position, what)
    }
}

/// Reads into each conflict what happened since, up to the version that was
/// judged, so that it fits the judgement whatever was appended meanwhile.
pub(crate) async fn since(
    conn: &mut Conn,
    conflicts: &mut [Conflict],
    place: &str,
) -> Result<(), Failed> {
    for conflict in conflicts {
        let after = conflict.expected.version().unwrap_or(conflict.actual);
        if after >= conflict.actual {
            continue;
        }
        let from = after.saturating_add(1);
        let most = after.saturating_add(Limits::DEFAULT.page_records as u64);
        let upto = conflict.actual.min(most);
        let (_, page) = read_up(conn, &conflict.stream, from, upto, place).await?;
        conflict.complete = page.next > conflict.actual;
        conflict.since = page.records;
    }
    Ok(())
}

fn page_bytes() -> i64 {
    i64::try_from(Limits::DEFAULT.page_bytes).unwrap_or(i64::MAX)
}

fn record(row: &Row, place: &str) -> Result<StoredRecord, Failed> {
    let position = unsigned(row.try_get(1)?);
    let name: &str = row.try_get(5)?;
    let stream = StreamId::new(name)
        .map_err(|error| damaged(place, position, format!("the name of the stream: {error}")))?;
    let personal: Option<Vec<u8>> = row.try_get(7)?;
    let has_personal: bool = row.try_get(4)?;
    if has_personal != personal.is_some() {
        let what = if has_personal {
            "the personal bytes are missing"
        } else {
            "there are personal bytes, though the record has none"
        };
        return Err(damaged(place, position, what));
    }
    let Id(id): Id = row.try_get(3)?;
    let id: RecordId = id;
    Ok(StoredRecord {
        position,
        stream,
        version: unsigned(row.try_get(2)?),
        id,
        body: row.try_get(6)?,
        personal,
    })
}

fn damaged(place: &str, position: u64, what: impl Into<String>) -> Failed {
    Failed::Read(ReadError::Damaged {
        position,
        place: place.to_owned(),
        what: what.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(seen: &[u64], lasts: &[u64], limit: usize) -> (Vec<(usize, u64)>, bool) {
        let (mut a, mut b) = (vec![0; PARTITIONS], vec![0; PARTITIONS]);
        a[..seen.len()].copy_from_slice(seen);
        b[..lasts.len()].copy_from_slice(lasts);
        let (ranges, all) = shares(&a, &b, limit);
        let ranges = ranges
            .iter()
            .map(|range| (range.partition, range.upto - range.seen));
        (ranges.collect(), all)
    }

    #[test]
    fn each_partition_has_its_share() {
        assert_eq!(taken(&[], &[], 10), (vec![], true));
        assert_eq!(taken(&[], &[5], 10), (vec![(0, 5)], true));
        assert_eq!(taken(&[], &[5], 3), (vec![(0, 3)], false));
        assert_eq!(taken(&[], &[100, 0, 2], 10), (vec![(0, 5), (2, 2)], false));
        assert_eq!(taken(&[1, 0, 0], &[100, 0, 2], 1), (vec![(2, 1)], false));
        assert_eq!(taken(&[1, 0, 1], &[100, 0, 2], 1), (vec![(2, 1)], false));
        assert_eq!(taken(&[1, 0, 2], &[100, 0, 2], 1), (vec![(0, 1)], false));
    }
}
