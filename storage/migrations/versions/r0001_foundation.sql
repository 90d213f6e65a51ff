-- The projection of the journal, for PostgreSQL 15 to 18.
--
-- Everything here can be made anew from the journal, except what is older than the journal: back it up.
-- The tenant is on every row and leads every key. Times: started_at, ended_at, status_at and sampled_at are the
-- station's clock, all others are ours. Energy is in Wh. Names are in collation "C": their order is that of their bytes
-- on every machine and after every upgrade of its C library.

-- A station: what the operator decided (up to recorded_at) and what it reported. The two halves are written by different
-- streams of the journal and never touch each other.
CREATE TABLE stations (
    tenant               text COLLATE "C" NOT NULL,
    station              text COLLATE "C" NOT NULL,
    registered           boolean NOT NULL DEFAULT false,
    registration         text,
    security_profile     integer,
    password_hash        text,
    message_log          boolean,
    note                 text,
    recorded_at          timestamptz,
    vendor               text,
    model                text,
    serial_number        text,
    firmware_version     text,
    iccid                text,
    imsi                 text,
    meter_type           text,
    meter_serial_number  text,
    booted_at            timestamptz,
    boot_reason          text,
    boot_registration    text,
    heartbeat_interval_s bigint,
    version              text,
    session              text,
    ingress              text,
    address              text,
    connected            boolean NOT NULL DEFAULT false,
    connected_at         timestamptz,
    disconnected_at      timestamptz,
    close_code           bigint,
    close_reason         text,
    seen_at              timestamptz,
    PRIMARY KEY (tenant, station)
) WITH (fillfactor = 70);
CREATE INDEX stations_connected ON stations (tenant, station) WHERE connected;

-- connector 0: the whole EVSE; evse 0: the station itself.
CREATE TABLE connectors (
    tenant            text COLLATE "C" NOT NULL,
    station           text COLLATE "C" NOT NULL,
    evse              bigint NOT NULL,
    connector         bigint NOT NULL,
    status            text NOT NULL,
    received_at       timestamptz NOT NULL,
    status_at         timestamptz,
    error_code        text,
    info              text,
    vendor_id         text,
    vendor_error_code text,
    PRIMARY KEY (tenant, station, evse, connector)
) WITH (fillfactor = 70);

-- token_key: the token in lower case, by which it is looked up. updated_at: the latest fact or reading, our clock; with
-- start_received_at it bounds the partitions in which the meter values are. It has no index, so that updates stay HOT.
CREATE TABLE transactions (
    tenant            text COLLATE "C" NOT NULL,
    station           text COLLATE "C" NOT NULL,
    transaction_id    text COLLATE "C" NOT NULL,
    started_at        timestamptz NOT NULL,
    start_received_at timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    number            bigint,
    evse              bigint,
    connector         bigint,
    token             text,
    token_key         text COLLATE "C",
    token_type        text,
    token_group       text,
    token_status      text,
    meter_start_wh    double precision,
    meter_last_wh     double precision,
    meter_stop_wh     double precision,
    energy_wh         double precision,
    ended_at          timestamptz,
    end_received_at   timestamptz,
    stop_reason       text,
    stop_token        text,
    stop_token_status text,
    charging_state    text,
    last_sequence     bigint,
    remote_start_id   bigint,
    reservation_id    bigint,
    phases_used       bigint,
    cable_a_max       double precision,
    offline           boolean NOT NULL DEFAULT false,
    flags             text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, station, transaction_id)
) WITH (fillfactor = 80);
CREATE INDEX transactions_started ON transactions (tenant, started_at, station, transaction_id);
CREATE INDEX transactions_station ON transactions (tenant, station, started_at, transaction_id);
CREATE INDEX transactions_token ON transactions (tenant, token_key, started_at) WHERE token_key IS NOT NULL;
CREATE INDEX transactions_open ON transactions (tenant, started_at, station, transaction_id) WHERE ended_at IS NULL;
CREATE INDEX transactions_ended ON transactions (tenant, end_received_at) WHERE end_received_at IS NOT NULL;

-- One row per sampled value; a partition per UTC day of received_at (storage.retention makes and drops them).
CREATE SEQUENCE meter_value_ids;
CREATE TABLE meter_values (
    tenant         text COLLATE "C" NOT NULL,
    id             bigint NOT NULL DEFAULT nextval('meter_value_ids'),
    station        text COLLATE "C" NOT NULL,
    received_at    timestamptz NOT NULL,
    sampled_at     timestamptz,
    evse           bigint,
    connector      bigint,
    transaction_id text COLLATE "C",
    value          double precision,
    measurand      text NOT NULL,
    unit           text NOT NULL,
    context        text NOT NULL,
    location       text NOT NULL,
    phase          text,
    raw            text,
    signed         text,
    PRIMARY KEY (tenant, station, received_at, id)
) PARTITION BY RANGE (received_at);

-- Raw frames, secrets redacted; a partition per UTC day of at. Listed by id, the order in which they were projected.
CREATE SEQUENCE message_ids;
CREATE TABLE messages (
    tenant     text COLLATE "C" NOT NULL,
    id         bigint NOT NULL DEFAULT nextval('message_ids'),
    station    text COLLATE "C" NOT NULL,
    session    text NOT NULL,
    direction  text NOT NULL,
    at         timestamptz NOT NULL,
    kind       text NOT NULL,
    message_id text,
    action     text,
    outcome    text NOT NULL,
    latency_ms double precision,
    frame      text NOT NULL,
    PRIMARY KEY (tenant, id, at)
) PARTITION BY RANGE (at);
CREATE INDEX messages_station ON messages (tenant, station, id);

-- What happened to stations; a partition per UTC month of at. Listed by id, as messages.
CREATE SEQUENCE station_event_ids;
CREATE TABLE station_events (
    tenant  text COLLATE "C" NOT NULL,
    id      bigint NOT NULL DEFAULT nextval('station_event_ids'),
    station text COLLATE "C" NOT NULL,
    at      timestamptz NOT NULL,
    kind    text NOT NULL,
    action  text,
    data    jsonb,
    PRIMARY KEY (tenant, id, at)
) PARTITION BY RANGE (at);
CREATE INDEX station_events_station ON station_events (tenant, station, id);

CREATE TABLE commands (
    tenant       text COLLATE "C" NOT NULL,
    command_id   text COLLATE "C" NOT NULL,
    station      text COLLATE "C" NOT NULL,
    kind         text NOT NULL,
    requested_at timestamptz NOT NULL,
    action       text,
    command      jsonb,
    requested_by text NOT NULL DEFAULT '',
    deadline_at  timestamptz,
    settled_at   timestamptz,
    result       text,
    status       text,
    detail       text,
    payload      jsonb,
    variables    jsonb,
    PRIMARY KEY (tenant, command_id)
);
CREATE INDEX commands_requested ON commands (tenant, requested_at, command_id);
CREATE INDEX commands_station ON commands (tenant, station, requested_at, command_id);
CREATE INDEX commands_open ON commands (tenant, requested_at, command_id) WHERE settled_at IS NULL;

-- token_key: the token in lower case; station and operator may write it otherwise.
CREATE TABLE tokens (
    tenant      text COLLATE "C" NOT NULL,
    token_key   text COLLATE "C" NOT NULL,
    token       text NOT NULL,
    type        text,
    blocked     boolean NOT NULL DEFAULT false,
    expires_at  timestamptz,
    token_group text,
    note        text,
    saved_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, token_key)
);

-- How far each stream of the journal is in these tables: written in the same transaction as the rows.
CREATE TABLE journal_positions (
    tenant     text COLLATE "C" NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    last_id    text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, stream)
) WITH (fillfactor = 50);

-- Entries of the journal that could not be decoded or that PostgreSQL refused, with the reason, for a person to look at.
CREATE TABLE bad_entries (
    tenant   text COLLATE "C" NOT NULL,
    stream   text COLLATE "C" NOT NULL,
    entry_id text COLLATE "C" NOT NULL,
    reason   text NOT NULL,
    data     bytea NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, stream, entry_id)
);
