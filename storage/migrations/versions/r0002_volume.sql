-- Volume in fewer, smaller rows. What was one row per sampled value is one per meter value (all that was sampled at one
-- time), and what was one row per frame is one per call with its answer. Two views show them as before: meter_readings
-- (a row per sampled value) and messages (a row per frame). Ids, and so cursors that were given, stay what they were.

-- Old tables and their partitions step aside.
DO $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT child.relname AS name FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent IN ('meter_values'::regclass, 'messages'::regclass)
    LOOP
        EXECUTE 'ALTER TABLE ' || quote_ident(old.name) || ' RENAME TO ' || quote_ident('old_' || old.name);
    END LOOP;
END $$;
ALTER TABLE meter_values RENAME TO old_meter_values;
ALTER TABLE messages RENAME TO old_messages;
ALTER INDEX messages_station RENAME TO old_messages_station;

-- What the readings of a meter value are, place by place: stations send the same again and again, so it is written once.
-- shape: a hash of the rest. Rows never change and never go; there are as many as stations have ways to report.
CREATE TABLE reading_shapes (
    shape      uuid PRIMARY KEY,
    measurands text[] NOT NULL,
    units      text[] NOT NULL,
    contexts   text[] NOT NULL,
    locations  text[] NOT NULL,
    phases     text[] NOT NULL
);

-- What a station sampled at one time; a partition per UTC day of received_at. readings: in the units of the shape, place
-- by place; null where a value was no number. raws, signeds: as written where that differs, and signed values; null where
-- no reading has one. id: of its first reading; the others follow it, so ids go up in steps of 1,000 (more readings
-- than that make several rows). No key: rows are written by the projector alone, exactly once.
ALTER SEQUENCE meter_value_ids INCREMENT BY 1000;
CREATE TABLE meter_values (
    tenant         text COLLATE "C" NOT NULL,
    id             bigint NOT NULL DEFAULT nextval('meter_value_ids'),
    station        text COLLATE "C" NOT NULL,
    received_at    timestamptz NOT NULL,
    sampled_at     timestamptz,
    evse           bigint,
    connector      bigint,
    transaction_id text COLLATE "C",
    shape          uuid NOT NULL,
    readings       double precision[] NOT NULL,
    raws           text[],
    signeds        text[]
) PARTITION BY RANGE (received_at);
CREATE INDEX meter_values_station ON meter_values (tenant, station, received_at);

CREATE VIEW meter_readings AS
SELECT stored.tenant, stored.id + reading.place - 1 AS id, stored.station, stored.received_at, stored.sampled_at,
       stored.evse, stored.connector, stored.transaction_id, reading.value, reading.measurand, reading.unit,
       reading.context, reading.location, reading.phase, reading.raw, reading.signed
  FROM meter_values AS stored
  JOIN reading_shapes AS shape ON shape.shape = stored.shape
 CROSS JOIN LATERAL unnest(
       stored.readings, shape.measurands, shape.units, shape.contexts, shape.locations, shape.phases, stored.raws,
       stored.signeds
     ) WITH ORDINALITY AS reading (value, measurand, unit, context, location, phase, raw, signed, place);

-- A call and its answer as they went over the wire, secrets redacted; or a frame that stands alone (a send, an answer to
-- nothing, an answer that came too late to be put beside its call). A partition per UTC day of at. Listed by id, the order
-- in which they were projected; an answer has the id that follows its call's, so ids go up in steps of 2.
ALTER SEQUENCE message_ids INCREMENT BY 2;
CREATE TABLE exchanges (
    tenant            text COLLATE "C" NOT NULL,
    id                bigint NOT NULL DEFAULT nextval('message_ids'),
    station           text COLLATE "C" NOT NULL,
    session           text NOT NULL,
    direction         text NOT NULL,
    at                timestamptz NOT NULL,
    kind              text NOT NULL,
    message_id        text,
    action            text,
    outcome           text NOT NULL,
    latency_ms        double precision,
    frame             text NOT NULL,
    answered_at       timestamptz,
    answer_kind       text,
    answer_outcome    text,
    answer_latency_ms double precision,
    answer_frame      text
) PARTITION BY RANGE (at);
CREATE INDEX exchanges_id ON exchanges (tenant, id);
CREATE INDEX exchanges_station ON exchanges (tenant, station, id);

-- exchange_id, exchange_at: of the row that a frame is in. Ask with them too, for they are what is indexed.
CREATE VIEW messages AS
SELECT exchange.tenant, exchange.id + message.place AS id, exchange.station, exchange.session, message.direction,
       message.at, message.kind, exchange.message_id, exchange.action, message.outcome, message.latency_ms,
       message.frame, exchange.id AS exchange_id, exchange.at AS exchange_at
  FROM exchanges AS exchange
 CROSS JOIN LATERAL (
       VALUES (0, exchange.direction, exchange.at, exchange.kind, exchange.outcome, exchange.latency_ms, exchange.frame),
              (1, CASE exchange.direction WHEN 'in' THEN 'out' ELSE 'in' END, exchange.answered_at,
               exchange.answer_kind, exchange.answer_outcome, exchange.answer_latency_ms, exchange.answer_frame)
     ) AS message (place, direction, at, kind, outcome, latency_ms, frame)
 WHERE message.frame IS NOT NULL;

-- Partitions for the rows that there are.
DO $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT child.relname AS name, parent.relname AS parent, pg_get_expr(child.relpartbound, child.oid) AS bounds
          FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid JOIN pg_class parent ON parent.oid = inhparent
         WHERE inhparent IN ('old_meter_values'::regclass, 'old_messages'::regclass)
    LOOP
        EXECUTE 'CREATE TABLE '
            || quote_ident(replace(replace(old.name, 'old_messages_', 'exchanges_'), 'old_', ''))
            || ' PARTITION OF ' || CASE old.parent WHEN 'old_messages' THEN 'exchanges' ELSE 'meter_values' END
            || ' ' || old.bounds
            || ' WITH (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0.5)';
    END LOOP;
END $$;

-- Sampled values of one time whose ids follow each other become one row, with the first of the ids.
CREATE TEMPORARY TABLE collected ON COMMIT DROP AS
SELECT tenant, min(id) AS id, station, received_at, sampled_at, evse, connector, transaction_id,
       array_agg(value ORDER BY id) AS readings, array_agg(measurand ORDER BY id) AS measurands,
       array_agg(unit ORDER BY id) AS units, array_agg(context ORDER BY id) AS contexts,
       array_agg(location ORDER BY id) AS locations, array_agg(phase ORDER BY id) AS phases,
       CASE WHEN count(raw) > 0 THEN array_agg(raw ORDER BY id) END AS raws,
       CASE WHEN count(signed) > 0 THEN array_agg(signed ORDER BY id) END AS signeds
  FROM (
       SELECT *, id - row_number() OVER (
                  PARTITION BY tenant, station, received_at, sampled_at, evse, connector, transaction_id ORDER BY id
              ) AS island
         FROM old_meter_values
     ) AS numbered
 GROUP BY tenant, station, received_at, sampled_at, evse, connector, transaction_id, island;

INSERT INTO reading_shapes
SELECT gen_random_uuid(), measurands, units, contexts, locations, phases
  FROM (SELECT DISTINCT measurands, units, contexts, locations, phases FROM collected) AS distinct_shapes;

INSERT INTO meter_values
SELECT tenant, id, station, received_at, sampled_at, evse, connector, transaction_id, shape, readings, raws, signeds
  FROM collected
  JOIN reading_shapes USING (measurands, units, contexts, locations, phases)
 ORDER BY received_at, id;

INSERT INTO exchanges (tenant, id, station, session, direction, at, kind, message_id, action, outcome, latency_ms, frame)
SELECT tenant, id, station, session, direction, at, kind, message_id, action, outcome, latency_ms, frame
  FROM old_messages ORDER BY id;

DROP TABLE old_meter_values;
DROP TABLE old_messages;
