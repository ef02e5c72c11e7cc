-- Version 2: what is derived from the log and kept beside it. It may be emptied at
-- any time and is then worked out anew.

-- Replaced by the two tables below; nothing is lost with it.
DROP TABLE due;

-- Timetables: when streams are due, worked out up to a cursor.
CREATE TABLE timetable (
    timetable_no int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text COLLATE "C" NOT NULL,
    cursor       text NOT NULL,
    CONSTRAINT timetable_by_name UNIQUE (name)
);
CREATE TABLE moment (
    at_us        bigint   NOT NULL, -- microseconds since 1970
    timetable_no int      NOT NULL,
    kind         smallint NOT NULL,
    stream       text COLLATE "C" NOT NULL,
    CONSTRAINT moment_by_stream PRIMARY KEY (timetable_no, stream, kind)
);
CREATE INDEX moment_by_time ON moment (timetable_no, kind, at_us, stream);

-- Projections: by which version they are written, and why one stopped, if it did.
-- How far each has come stands in checkpoint. Those that stand there already belong
-- to no version, so they are not here: whichever version is the first begins anew.
CREATE TABLE projection (
    name            text COLLATE "C" PRIMARY KEY,
    version         bigint NOT NULL,
    stopped_part    smallint,
    stopped_pos     bigint,
    stopped_stream  text,
    stopped_version bigint,
    stopped_reason  text
);
