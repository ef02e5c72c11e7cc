-- Version 1. All names live in the schema of the log, which is first in the
-- search path when this runs.

-- The counter of each partition: the position of its last record. Whoever
-- appends holds its row until the commit is confirmed, so positions are dense,
-- and in the order of commits. A row a page, so that updates stay in place.
CREATE TABLE feed (
    part smallint PRIMARY KEY CHECK (part BETWEEN 0 AND 63),
    pos  bigint NOT NULL CHECK (pos >= 0)
) WITH (fillfactor = 10);
INSERT INTO feed (part, pos) SELECT n, 0 FROM generate_series(0, 63) AS n;

CREATE TABLE record (
    pos          bigint   NOT NULL,
    version      bigint   NOT NULL,
    id           uuid     NOT NULL,
    part         smallint NOT NULL,
    has_personal boolean  NOT NULL,
    stream       text COLLATE "C" NOT NULL,
    body         bytea    NOT NULL,
    CONSTRAINT record_by_position PRIMARY KEY (part, pos),
    CONSTRAINT record_by_stream UNIQUE (part, stream, version),
    CONSTRAINT record_by_id UNIQUE (id)
);

-- Bytes about persons, apart from the bodies, so that erasing them touches
-- nothing else; has_personal tells "none" from "missing".
CREATE TABLE personal (
    part  smallint NOT NULL,
    pos   bigint   NOT NULL,
    bytes bytea    NOT NULL,
    CONSTRAINT personal_by_position PRIMARY KEY (part, pos)
);

-- Clocks that are running: a projection several desks share.
CREATE TABLE due (
    part   smallint    NOT NULL,
    due_at timestamptz NOT NULL,
    stream text COLLATE "C" NOT NULL,
    what   text COLLATE "C" NOT NULL,
    CONSTRAINT due_by_time PRIMARY KEY (part, due_at, stream, what)
);

-- How far each projection has read each partition. A row is changed in the
-- transaction that changes the projection.
CREATE TABLE checkpoint (
    projection text COLLATE "C" NOT NULL,
    part       smallint NOT NULL,
    pos        bigint   NOT NULL,
    CONSTRAINT checkpoint_by_projection PRIMARY KEY (projection, part)
);
