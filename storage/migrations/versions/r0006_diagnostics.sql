-- Firmware, logs, monitoring, events, customer information, event streams, display messages.
--
-- Rows are written by the rules of storage/blocks; what their columns mean is said there. Times are ours unless said.

CREATE TABLE firmware_updates (
    tenant         text COLLATE "C" NOT NULL,
    station        text COLLATE "C" NOT NULL,
    request_id     bigint NOT NULL,
    asked_at       timestamptz NOT NULL DEFAULT now(),
    status         text NOT NULL DEFAULT '',
    result         text,
    stalled        boolean NOT NULL DEFAULT false,
    command_id     text,
    answer         text,
    location       text,
    signed         boolean,
    retrieve_at    timestamptz,
    install_at     timestamptz,
    from_version   text,
    to_version     text,
    heard_at       timestamptz,
    downloading_at timestamptz,
    downloaded_at  timestamptz,
    installing_at  timestamptz,
    ended_at       timestamptz,
    detail         text,
    flags          jsonb,
    PRIMARY KEY (tenant, station, request_id)
);
CREATE INDEX firmware_updates_asked ON firmware_updates (tenant, asked_at);
-- What an operator of a wave of updates looks at: those that go on.
CREATE INDEX firmware_updates_open ON firmware_updates (tenant, asked_at) WHERE result IS NULL;

CREATE TABLE firmware_statuses (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    of          text COLLATE "C" NOT NULL,
    number      bigint NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    status      text NOT NULL DEFAULT '',
    request_id  bigint,
    said_id     bigint,
    detail      text,
    flags       jsonb,
    PRIMARY KEY (tenant, station, of, number)
);
CREATE INDEX firmware_statuses_received ON firmware_statuses (tenant, received_at);

CREATE TABLE firmware_publications (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    request_id bigint NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    status     text NOT NULL DEFAULT '',
    stalled    boolean NOT NULL DEFAULT false,
    command_id text,
    answer     text,
    location   text,
    checksum   text,
    locations  jsonb,
    heard_at   timestamptz,
    ended_at   timestamptz,
    detail     text,
    flags      jsonb,
    PRIMARY KEY (tenant, station, request_id)
);
CREATE INDEX firmware_publications_asked ON firmware_publications (tenant, asked_at);

CREATE TABLE log_uploads (
    tenant       text COLLATE "C" NOT NULL,
    station      text COLLATE "C" NOT NULL,
    request_id   bigint NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    status       text NOT NULL DEFAULT '',
    result       text,
    stalled      boolean NOT NULL DEFAULT false,
    kind         text,
    file_name    text,
    location     text,
    command_id   text,
    answer       text,
    oldest_at    timestamptz,
    latest_at    timestamptz,
    heard_at     timestamptz,
    uploading_at timestamptz,
    ended_at     timestamptz,
    detail       text,
    flags        jsonb,
    PRIMARY KEY (tenant, station, request_id)
);
CREATE INDEX log_uploads_asked ON log_uploads (tenant, asked_at);

CREATE TABLE log_statuses (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    number      bigint NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    status      text NOT NULL DEFAULT '',
    request_id  bigint,
    said_id     bigint,
    detail      text,
    flags       jsonb,
    PRIMARY KEY (tenant, station, number)
);
CREATE INDEX log_statuses_received ON log_statuses (tenant, received_at);

-- Questions about customers; what came of them is personal data and stands apart, to be deleted on request and soon.
CREATE TABLE customer_information (
    tenant       text COLLATE "C" NOT NULL,
    station      text COLLATE "C" NOT NULL,
    request_id   bigint NOT NULL,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    report       boolean,
    clear        boolean,
    answer       text,
    command_id   text,
    parts        bigint NOT NULL DEFAULT 0,
    pages        bigint NOT NULL DEFAULT 0,
    complete     boolean NOT NULL DEFAULT false,
    missing      boolean NOT NULL DEFAULT false,
    unasked      boolean NOT NULL DEFAULT false,
    heard_at     timestamptz,
    forgotten_at timestamptz,
    flags        jsonb,
    PRIMARY KEY (tenant, station, request_id)
);
CREATE INDEX customer_information_asked ON customer_information (tenant, asked_at);

CREATE TABLE customer_information_texts (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    request_id  bigint NOT NULL,
    page        bigint NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    text        text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, station, request_id, page)
);
CREATE INDEX customer_information_texts_received ON customer_information_texts (received_at);

CREATE TABLE event_streams (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    stream_id  bigint NOT NULL,
    opened_at  timestamptz,
    open       boolean NOT NULL DEFAULT false,
    accepted   boolean NOT NULL DEFAULT false,
    monitor_id bigint,
    interval_s bigint,
    values     bigint,
    behind     boolean NOT NULL DEFAULT false,
    closed_at  timestamptz,
    flags      jsonb,
    PRIMARY KEY (tenant, station, stream_id)
);

-- Rows are only added. The time is in the key, so that the table can be partitioned by it as it is.
CREATE TABLE event_stream_values (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    number      bigint NOT NULL,
    stream_id   bigint,
    monitor_id  bigint,
    base_at     timestamptz,
    pending     bigint,
    values      jsonb,
    flags       jsonb,
    PRIMARY KEY (tenant, station, received_at, number)
);
CREATE INDEX event_stream_values_received ON event_stream_values (tenant, received_at);

CREATE TABLE variable_monitors (
    tenant             text COLLATE "C" NOT NULL,
    station            text COLLATE "C" NOT NULL,
    monitor_id         bigint NOT NULL,
    component          text,
    component_instance text,
    variable           text,
    variable_instance  text,
    evse               bigint,
    connector          bigint,
    type               text,
    value              double precision,
    severity           bigint,
    transaction        boolean,
    kind               text,
    stream_interval_s  bigint,
    stream_values      bigint,
    noted_at           timestamptz,
    PRIMARY KEY (tenant, station, monitor_id)
);

-- What stations noticed. occurred_at: the station's clock. message: counts the messages with events of a station.
CREATE TABLE monitoring_events (
    tenant             text COLLATE "C" NOT NULL,
    station            text COLLATE "C" NOT NULL,
    received_at        timestamptz NOT NULL,
    message            bigint NOT NULL,
    place              bigint NOT NULL,
    event_id           bigint,
    occurred_at        timestamptz,
    trigger            text,
    component          text,
    component_instance text,
    variable           text,
    variable_instance  text,
    evse               bigint,
    connector          bigint,
    value              text,
    severity           bigint,
    cleared            boolean,
    kind               text,
    monitor_id         bigint,
    cause              bigint,
    transaction_id     text,
    tech_code          text,
    tech_info          text,
    sequence           bigint,
    PRIMARY KEY (tenant, station, received_at, message, place)
);
CREATE INDEX monitoring_events_received ON monitoring_events (tenant, received_at);

CREATE TABLE monitoring_reports (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    request_id bigint NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    whole      boolean,
    answer     text,
    command_id text,
    parts      bigint NOT NULL DEFAULT 0,
    complete   boolean NOT NULL DEFAULT false,
    missing    boolean NOT NULL DEFAULT false,
    unasked    boolean NOT NULL DEFAULT false,
    heard_at   timestamptz,
    flags      jsonb,
    PRIMARY KEY (tenant, station, request_id)
);
CREATE INDEX monitoring_reports_asked ON monitoring_reports (tenant, asked_at);

CREATE TABLE monitoring_settings (
    tenant       text COLLATE "C" NOT NULL,
    station      text COLLATE "C" NOT NULL,
    base         text,
    level        bigint,
    base_set_at  timestamptz,
    level_set_at timestamptz,
    PRIMARY KEY (tenant, station)
);

CREATE TABLE display_messages (
    tenant         text COLLATE "C" NOT NULL,
    station        text COLLATE "C" NOT NULL,
    message_id     bigint NOT NULL,
    priority       text,
    state          text,
    start_at       timestamptz,
    end_at         timestamptz,
    transaction_id text,
    content        text,
    format         text,
    language       text,
    others         jsonb,
    display        jsonb,
    noted_at       timestamptz,
    PRIMARY KEY (tenant, station, message_id)
);
