-- The device model, reports, network profiles, what must follow from commands, availability that the operator wants.
--
-- variables: one row per attribute of a variable; `address` is its one name in lower case
-- (`engine.model.provisioning.VariableRef.address`), 1.6 keys under the variable that means the same.
ALTER TABLE transactions
    ADD COLUMN gaps    text,
    ADD COLUMN details jsonb;

CREATE TABLE variables (
    tenant             text COLLATE "C" NOT NULL,
    station            text COLLATE "C" NOT NULL,
    address            text COLLATE "C" NOT NULL,
    component          text,
    component_instance text,
    evse               bigint,
    connector          bigint,
    variable           text,
    variable_instance  text,
    attribute          text,
    value              text,
    value_next         text,
    mutability         text,
    data_type          text,
    unit               text,
    limit_min          double precision,
    limit_max          double precision,
    elements_max       bigint,
    allowed            text,
    persistent         boolean,
    constant           boolean,
    monitored          boolean,
    source             text,
    told_at            timestamptz,
    PRIMARY KEY (tenant, station, address)
);
CREATE INDEX variables_by_name ON variables (tenant, variable, component);

CREATE TABLE reports (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    request_id bigint NOT NULL,
    kind       text,
    status     text,
    parts      bigint,
    missing    jsonb,
    flags      jsonb,
    began_at   timestamptz,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, station, request_id)
);
CREATE INDEX reports_by_time ON reports (tenant, changed_at DESC);

CREATE TABLE network_profiles (
    tenant             text COLLATE "C" NOT NULL,
    station            text COLLATE "C" NOT NULL,
    configuration_slot bigint NOT NULL,
    url                text,
    security_profile   bigint,
    interface          text,
    status             text,
    answered_at        timestamptz,
    PRIMARY KEY (tenant, station, configuration_slot)
);

CREATE TABLE follow_ups (
    tenant          text COLLATE "C" NOT NULL,
    station         text COLLATE "C" NOT NULL,
    command_id      text COLLATE "C" NOT NULL,
    what            text,
    status          text,
    accepted_at     timestamptz NOT NULL DEFAULT now(),
    due_at          timestamptz,
    over_at         timestamptz,
    token           text,
    evse            bigint,
    remote_start_id bigint,
    transaction_id  text,
    PRIMARY KEY (tenant, station, command_id)
);
CREATE INDEX follow_ups_by_time ON follow_ups (tenant, accepted_at DESC);

CREATE TABLE availability (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    evse       bigint NOT NULL,
    connector  bigint NOT NULL,
    wanted     text,
    answer     text,
    answered_at timestamptz,
    reached_at timestamptz,
    PRIMARY KEY (tenant, station, evse, connector)
);
