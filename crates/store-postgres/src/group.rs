//! A group of batches as parameters of `append_batch`, and its answer.

use std::collections::HashMap;

use thirdring_store::{
    AppendError, Appended, CheckedBatch, Conflict, Place, ReadError, RecordId, StreamId,
};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use crate::conn::{Conn, Query};
use crate::partition::part;
use crate::sql_types::{Id, count, signed, unsigned};

/// Judges and writes a group.
const APPEND: Query = Query {
    sql: "SELECT statuses, heads, states, positions, versions \
          FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    types: &[
        Type::INT2_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::INT4_ARRAY,
        Type::INT4_ARRAY,
        Type::INT4_ARRAY,
        Type::INT8_ARRAY,
        Type::INT4_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::UUID_ARRAY,
        Type::BYTEA_ARRAY,
        Type::BYTEA_ARRAY,
    ],
};

/// The parameters, in the order and with the names of the function.
#[derive(Debug, Default)]
pub(crate) struct Parameters<'g> {
    parts: Vec<i16>,
    stream_names: Vec<&'g str>,
    stream_parts: Vec<i16>,
    stream_slots: Vec<i32>,
    item_pieces: Vec<i32>,
    piece_streams: Vec<i32>,
    piece_expected: Vec<i64>,
    piece_records: Vec<i32>,
    record_streams: Vec<&'g str>,
    record_parts: Vec<i16>,
    ids: Vec<Id>,
    bodies: Vec<&'g [u8]>,
    personals: Option<Vec<Option<&'g [u8]>>>,
}

impl<'g> Parameters<'g> {
    pub(crate) fn new(partitions: &[usize], batches: &'g [(usize, CheckedBatch)]) -> Self {
        let mut all = Self {
            parts: partitions
                .iter()
                .map(|&partition| part(partition))
                .collect(),
            ..Self::default()
        };
        let mut known: HashMap<&StreamId, i32> = HashMap::new();
        let mut slot = 0_usize;
        for (partition, batch) in batches {
            while partitions.get(slot).is_some_and(|other| other < partition) {
                slot = slot.saturating_add(1);
            }
            all.item_pieces.push(count(batch.parts().len()));
            for piece in batch.parts() {
                let number = *known.entry(&piece.stream).or_insert_with(|| {
                    all.stream_names.push(piece.stream.as_str());
                    all.stream_parts.push(part(*partition));
                    all.stream_slots.push(count(slot.saturating_add(1)));
                    count(all.stream_names.len())
                });
                all.piece_streams.push(number);
                all.piece_expected
                    .push(piece.expected.version().map_or(-1, signed));
                all.piece_records.push(count(piece.records.len()));
                for record in &piece.records {
                    all.record_streams.push(piece.stream.as_str());
                    all.record_parts.push(part(*partition));
                    all.ids.push(Id(record.id));
                    all.bodies.push(&record.body);
                }
            }
        }
        let mut records = batches.iter().flat_map(|(_, batch)| batch.records());
        if records.any(|(_, record)| record.personal.is_some()) {
            let records = batches.iter().flat_map(|(_, batch)| batch.records());
            all.personals = Some(
                records
                    .map(|(_, record)| record.personal.as_deref())
                    .collect(),
            );
        }
        all
    }

    /// Runs the function: one round trip, one transaction.
    pub(crate) async fn append(&self, conn: &mut Conn) -> Result<Vec<Row>, Error> {
        let parameters: [&(dyn ToSql + Sync); 13] = [
            &self.parts,
            &self.stream_names,
            &self.stream_parts,
            &self.stream_slots,
            &self.item_pieces,
            &self.piece_streams,
            &self.piece_expected,
            &self.piece_records,
            &self.record_streams,
            &self.record_parts,
            &self.ids,
            &self.bodies,
            &self.personals,
        ];
        conn.query(APPEND, &parameters).await
    }
}

/// The answer of the function, read item by item.
#[derive(Debug)]
pub(crate) struct Verdicts {
    statuses: std::vec::IntoIter<i16>,
    heads: std::vec::IntoIter<i64>,
    records: std::iter::Zip<
        std::iter::Zip<std::vec::IntoIter<i16>, std::vec::IntoIter<i64>>,
        std::vec::IntoIter<i64>,
    >,
}

/// A stream that is not as expected, before what happened since is read.
pub(crate) type Unmet = Vec<Conflict>;

/// What became of one item.
#[derive(Debug)]
pub(crate) enum Verdict {
    Done(Result<Appended, AppendError>),
    /// In conflict: what happened since is still to be read.
    Unmet(Unmet),
}

impl Verdicts {
    pub(crate) fn new(row: &Row) -> Result<Self, Error> {
        let states: Vec<i16> = row.try_get(2)?;
        let positions: Vec<i64> = row.try_get(3)?;
        let versions: Vec<i64> = row.try_get(4)?;
        Ok(Self {
            statuses: row.try_get::<_, Vec<i16>>(0)?.into_iter(),
            heads: row.try_get::<_, Vec<i64>>(1)?.into_iter(),
            records: states.into_iter().zip(positions).zip(versions),
        })
    }

    /// The next item; `None` if the answer is too short to hold it.
    pub(crate) fn next(&mut self, batch: &CheckedBatch, place: &str) -> Option<Verdict> {
        let status = self.statuses.next()?;
        let mut unmet = Unmet::new();
        for piece in batch.parts() {
            let head = unsigned(self.heads.next()?);
            if !piece.expected.admits(head) {
                unmet.push(Conflict {
                    stream: piece.stream.clone(),
                    expected: piece.expected,
                    actual: head,
                    since: Vec::new(),
                    complete: true,
                });
            }
        }
        let mut found = Vec::new();
        for (_, record) in batch.records() {
            let ((state, position), version) = self.records.next()?;
            let place = Place {
                position: unsigned(position),
                version: unsigned(version),
            };
            found.push((record.id, state, place));
        }
        let places = |replayed| {
            let places = found.iter().map(|(_, _, place)| *place).collect();
            Verdict::Done(Ok(Appended { places, replayed }))
        };
        Some(match status {
            1 => places(false),
            2 => places(true),
            3 => Verdict::Done(Err(taken(&found, place)?)),
            4 => Verdict::Done(Err(partly(&found))),
            5 => Verdict::Unmet(unmet),
            _ => return None,
        })
    }
}

/// The first record whose id is used by another.
fn taken(found: &[(RecordId, i16, Place)], place: &str) -> Option<AppendError> {
    let &(id, state, at) = found.iter().find(|(_, state, _)| *state > 2)?;
    let position = at.position;
    let differs = match state {
        3 => "stream",
        4 => "body",
        5 => "personal bytes",
        _ => {
            return Some(AppendError::Read(ReadError::Damaged {
                position,
                place: place.to_owned(),
                what: format!("the personal bytes of record {id} are missing"),
            }));
        }
    };
    Some(AppendError::IdTaken {
        id,
        position,
        differs,
    })
}

fn partly(found: &[(RecordId, i16, Place)]) -> AppendError {
    let (known, unknown): (Vec<_>, Vec<_>) = found.iter().partition(|(_, state, _)| *state > 0);
    AppendError::PartlyKnown {
        known: known
            .into_iter()
            .map(|&(id, _, place)| (id, place))
            .collect(),
        unknown: unknown.into_iter().map(|&(id, _, _)| id).collect(),
    }
}
