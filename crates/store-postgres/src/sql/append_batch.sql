-- Judges and writes a group of batches ("items") in one statement. An item has
-- pieces, one a stream; a piece has an expectation (-1: any) and records. Each
-- item is written whole or not at all: it is judged before anything of it is
-- written, under the lock of its partition. Volatile on purpose: each statement
-- sees what was committed before it began, so what is read after the lock is
-- held is the truth at READ COMMITTED.
--
-- The rules are kept by the unique constraints too. Only an id that is written
-- into two partitions at once can hit one: then the whole group fails, is
-- repeated by the client, and the id is found.
CREATE FUNCTION append_batch(
    parts          smallint[], -- the partitions, ascending: the order of locking
    stream_names   text[],     -- the streams, each once
    stream_parts   smallint[], -- the partition of each
    stream_slots   int[],      -- where that stands in parts
    item_pieces    int[],      -- pieces of each item
    piece_streams  int[],      -- where its stream stands in stream_names
    piece_expected bigint[],
    piece_records  int[],      -- records of each piece
    record_streams text[],
    record_parts   smallint[],
    ids            uuid[],
    bodies         bytea[],
    personals      bytea[],    -- null if no record has any
    OUT statuses   smallint[], -- of each item: 1 written, 2 stored before,
                               -- 3 id taken, 4 partly known, 5 conflict
    OUT heads      bigint[],   -- of each piece: the version that was found
    OUT states     smallint[], -- of each record: 0 unknown, 1 written, 2 known,
                               -- 3 another stream, 4 another body, 5 other
                               -- personal bytes, 6 personal bytes missing
    OUT positions  bigint[],
    OUT versions   bigint[]
) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_variable
DECLARE
    records   int := cardinality(ids);
    last      bigint[];
    tips      bigint[];
    known     boolean := false;
    new_count int := 0;
    piece     int := 1;
    rec       int := 1;
    piece_end int;
    rec_end   int;
    at        int;
    one       int;
    slot      int;
    found     int;
    strange   boolean;
    fits      boolean;
    tip       bigint;
BEGIN
    SELECT array_agg(f.pos ORDER BY f.part) INTO last FROM (
        SELECT c.part, c.pos FROM feed AS c WHERE c.part = ANY (parts)
        ORDER BY c.part FOR NO KEY UPDATE
    ) AS f;
    IF cardinality(last) IS DISTINCT FROM cardinality(parts) THEN
        RAISE EXCEPTION 'the counter of a partition is missing in table feed'
            USING ERRCODE = 'data_corrupted';
    END IF;

    tips := ARRAY(
        SELECT coalesce((
            SELECT r.version FROM record AS r
            WHERE r.part = s.part AND r.stream = s.name
            ORDER BY r.version DESC LIMIT 1), 0)
        FROM unnest(stream_parts, stream_names) WITH ORDINALITY AS s(part, name, n)
        ORDER BY s.n);
    positions := ARRAY(
        SELECT coalesce((SELECT r.pos FROM record AS r WHERE r.id = k.id), 0)
        FROM unnest(ids) WITH ORDINALITY AS k(id, n)
        ORDER BY k.n);
    known := 0 < ANY (positions);
    IF known THEN
        SELECT array_agg(coalesce(r.version, 0) ORDER BY k.n),
            array_agg((CASE
                WHEN r.id IS NULL THEN 0
                WHEN r.stream <> k.stream THEN 3
                WHEN r.body <> k.body THEN 4
                WHEN r.has_personal AND p.bytes IS NULL THEN 6
                WHEN p.bytes IS DISTINCT FROM k.personal THEN 5
                ELSE 2 END)::smallint ORDER BY k.n)
        INTO versions, states
        FROM unnest(ids, record_streams, bodies, personals)
            WITH ORDINALITY AS k(id, stream, body, personal, n)
        LEFT JOIN record AS r ON r.id = k.id
        LEFT JOIN personal AS p ON p.part = r.part AND p.pos = r.pos;
    ELSE
        states := array_fill(0::smallint, ARRAY[records]);
        versions := positions;
    END IF;
    heads := array_fill(0::bigint, ARRAY[cardinality(piece_streams)]);
    statuses := array_fill(1::smallint, ARRAY[cardinality(item_pieces)]);

    FOR item IN 1 .. cardinality(item_pieces) LOOP
        piece_end := piece + item_pieces[item];
        rec_end := rec;
        fits := true;
        FOR at IN piece .. piece_end - 1 LOOP
            rec_end := rec_end + piece_records[at];
            tip := tips[piece_streams[at]];
            heads[at] := tip;
            IF piece_expected[at] >= 0 AND piece_expected[at] <> tip THEN
                fits := false;
            END IF;
        END LOOP;
        found := 0;
        strange := false;
        IF known THEN
            FOR at IN rec .. rec_end - 1 LOOP
                IF states[at] > 0 THEN
                    found := found + 1;
                    strange := strange OR states[at] > 2;
                END IF;
            END LOOP;
        END IF;
        -- Known ids before expectations: a retry of a stored item expects a
        -- version that its own first try has passed.
        IF strange THEN
            statuses[item] := 3;
        ELSIF found > 0 THEN
            statuses[item] := CASE WHEN found = rec_end - rec THEN 2 ELSE 4 END;
        ELSIF NOT fits THEN
            statuses[item] := 5;
        ELSE
            one := rec;
            FOR at IN piece .. piece_end - 1 LOOP
                slot := stream_slots[piece_streams[at]];
                tip := tips[piece_streams[at]];
                FOR step IN 1 .. piece_records[at] LOOP
                    tip := tip + 1;
                    last[slot] := last[slot] + 1;
                    positions[one] := last[slot];
                    versions[one] := tip;
                    states[one] := 1;
                    one := one + 1;
                END LOOP;
                tips[piece_streams[at]] := tip;
            END LOOP;
            new_count := new_count + rec_end - rec;
        END IF;
        piece := piece_end;
        rec := rec_end;
    END LOOP;

    IF new_count > 0 THEN
        INSERT INTO record (pos, version, id, part, has_personal, stream, body)
        SELECT n.pos, n.version, n.id, n.part, n.personal IS NOT NULL, n.stream, n.body
        FROM unnest(positions, versions, ids, record_parts, personals, record_streams, bodies, states)
            AS n(pos, version, id, part, personal, stream, body, state)
        WHERE n.state = 1;
        IF personals IS NOT NULL THEN
            INSERT INTO personal (part, pos, bytes)
            SELECT n.part, n.pos, n.personal
            FROM unnest(record_parts, positions, personals, states) AS n(part, pos, personal, state)
            WHERE n.state = 1 AND n.personal IS NOT NULL;
        END IF;
    END IF;

    -- Also if nothing is new: then this commit waits for replication as the
    -- first one did, and so does the answer "stored before".
    UPDATE feed AS f SET pos = n.pos
    FROM unnest(parts, last) AS n(part, pos)
    WHERE f.part = n.part;
END
$$;
