//! The queries that read the log.
//!
//! `earlier` is the number of bytes of the records before a record in its page:
//! what begins beyond the limit of a page is not sent.

use tokio_postgres::types::Type;

use crate::conn::Query;

/// The counters of all partitions.
pub(crate) const FEED: Query = Query {
    sql: "SELECT part, pos FROM feed",
    types: &[],
};

/// The streams after one: its partition and name.
pub(crate) const STREAMS: Query = Query {
    sql: "SELECT stream FROM record WHERE version = 1 AND (part, stream) > ($1, $2) \
          ORDER BY part, stream LIMIT $3",
    types: &[Type::INT2, Type::TEXT, Type::INT8],
};

/// The last version of a stream.
pub(crate) const HEAD: Query = Query {
    sql: "SELECT coalesce((SELECT version FROM record WHERE part = $1 AND stream = $2 \
          ORDER BY version DESC LIMIT 1), 0)",
    types: &[Type::INT2, Type::TEXT],
};

/// Ranges of positions: partitions, first and last positions, bytes of a page.
pub(crate) const SCAN: Query = Query {
    sql: "
SELECT page.part, page.pos, page.version, page.id, page.has_personal, page.stream, page.body,
    page.bytes
FROM (
    SELECT n.turn, r.*, p.bytes,
        sum(octet_length(r.body) + coalesce(octet_length(p.bytes), 0))
            OVER (ORDER BY n.turn, r.pos ROWS UNBOUNDED PRECEDING)
        - octet_length(r.body) - coalesce(octet_length(p.bytes), 0) AS earlier
    FROM unnest($1, $2, $3) WITH ORDINALITY AS n(part, first, last, turn)
    JOIN record AS r ON r.part = n.part AND r.pos BETWEEN n.first AND n.last
    LEFT JOIN personal AS p ON p.part = r.part AND p.pos = r.pos
) AS page
WHERE page.earlier < $4
ORDER BY page.turn, page.pos",
    types: &[
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8,
    ],
};

const STREAM_TYPES: &[Type] = &[Type::INT2, Type::TEXT, Type::INT8, Type::INT8, Type::INT8];

/// Versions of a stream from the first to the last that is wanted, and its head,
/// which comes even if there are no records.
pub(crate) const FORWARD: Query = Query {
    sql: "
WITH h AS (
    SELECT coalesce((SELECT version FROM record WHERE part = $1 AND stream = $2
        ORDER BY version DESC LIMIT 1), 0) AS head
)
SELECT h.head, page.pos, page.version, page.id, page.has_personal, page.stream, page.body,
    page.bytes
FROM h LEFT JOIN LATERAL (
    SELECT r.*, p.bytes,
        sum(octet_length(r.body) + coalesce(octet_length(p.bytes), 0))
            OVER (ORDER BY r.version ROWS UNBOUNDED PRECEDING)
        - octet_length(r.body) - coalesce(octet_length(p.bytes), 0) AS earlier
    FROM record AS r
    LEFT JOIN personal AS p ON p.part = r.part AND p.pos = r.pos
    WHERE r.part = $1 AND r.stream = $2 AND r.version BETWEEN $3 AND least($4, h.head)
) AS page ON page.earlier < $5
ORDER BY page.version",
    types: STREAM_TYPES,
};

/// The first versions of several streams, so many of each, in the order of the
/// streams; and the head of each, which comes even if there are no records. What
/// begins beyond the bytes of one page is not sent.
pub(crate) const FIRST: Query = Query {
    sql: "
SELECT page.head, page.pos, page.version, page.id, page.has_personal, page.stream, page.body,
    page.bytes, page.turn
FROM (
    SELECT n.turn, h.head, r.*, p.bytes,
        sum(coalesce(octet_length(r.body), 0) + coalesce(octet_length(p.bytes), 0))
            OVER (ORDER BY n.turn, r.version ROWS UNBOUNDED PRECEDING)
        - coalesce(octet_length(r.body), 0) - coalesce(octet_length(p.bytes), 0) AS earlier
    FROM unnest($1, $2) WITH ORDINALITY AS n(part, name, turn)
    CROSS JOIN LATERAL (
        SELECT coalesce((SELECT version FROM record WHERE part = n.part AND stream = n.name
            ORDER BY version DESC LIMIT 1), 0) AS head
    ) AS h
    LEFT JOIN record AS r ON r.part = n.part AND r.stream = n.name
        AND r.version BETWEEN 1 AND least($3, h.head)
    LEFT JOIN personal AS p ON p.part = r.part AND p.pos = r.pos
) AS page
WHERE page.earlier < $4
ORDER BY page.turn, page.version",
    types: &[Type::INT2_ARRAY, Type::TEXT_ARRAY, Type::INT8, Type::INT8],
};

/// As [`FORWARD`], downwards: from the version that is wanted, so many records.
pub(crate) const BACKWARD: Query = Query {
    sql: "
WITH h AS (
    SELECT coalesce((SELECT version FROM record WHERE part = $1 AND stream = $2
        ORDER BY version DESC LIMIT 1), 0) AS head
)
SELECT h.head, page.pos, page.version, page.id, page.has_personal, page.stream, page.body,
    page.bytes
FROM h LEFT JOIN LATERAL (
    SELECT r.*, p.bytes,
        sum(octet_length(r.body) + coalesce(octet_length(p.bytes), 0))
            OVER (ORDER BY r.version DESC ROWS UNBOUNDED PRECEDING)
        - octet_length(r.body) - coalesce(octet_length(p.bytes), 0) AS earlier
    FROM record AS r
    LEFT JOIN personal AS p ON p.part = r.part AND p.pos = r.pos
    WHERE r.part = $1 AND r.stream = $2
        AND r.version BETWEEN least($3, h.head) - $4 + 1 AND least($3, h.head)
) AS page ON page.earlier < $5
ORDER BY page.version DESC",
    types: STREAM_TYPES,
};
