-- Charging profiles, limits, needs, tariffs, costs, DER controls, battery swaps.

-- A profile that a station holds, or held (installed false). profile: whole, in Narke's words.
CREATE TABLE charging_profiles (
    tenant          text COLLATE "C" NOT NULL,
    station         text COLLATE "C" NOT NULL,
    profile_id      bigint NOT NULL,
    evse            bigint NOT NULL DEFAULT 0,
    purpose         text NOT NULL DEFAULT '',
    kind            text NOT NULL DEFAULT '',
    stack_level     bigint NOT NULL DEFAULT 0,
    transaction_id  text COLLATE "C",
    source          text NOT NULL DEFAULT '',
    installed       boolean NOT NULL DEFAULT true,
    installed_at    timestamptz,
    removed_at      timestamptz,
    removed_because text,
    reported_at     timestamptz,
    valid_from      timestamptz,
    valid_to        timestamptz,
    profile         jsonb,
    numbers         jsonb,
    numbers_at      timestamptz,
    PRIMARY KEY (tenant, station, profile_id)
);
CREATE INDEX charging_profiles_transaction ON charging_profiles (tenant, transaction_id) WHERE transaction_id IS NOT NULL;

-- A limit that somebody else imposes on a station (evse 0) or EVSE.
CREATE TABLE charging_limits (
    tenant           text COLLATE "C" NOT NULL,
    station          text COLLATE "C" NOT NULL,
    source           text COLLATE "C" NOT NULL,
    evse             bigint NOT NULL,
    active           boolean NOT NULL DEFAULT true,
    imposed_at       timestamptz,
    released_at      timestamptz,
    grid_critical    boolean,
    local_generation boolean,
    schedules        jsonb,
    flags            jsonb,
    PRIMARY KEY (tenant, station, source, evse)
);

-- What a car said it needs; the newest of an EVSE counts.
CREATE TABLE charging_needs (
    tenant          text COLLATE "C" NOT NULL,
    station         text COLLATE "C" NOT NULL,
    evse            bigint NOT NULL,
    received_at     timestamptz NOT NULL,
    transaction_id  text COLLATE "C",
    verdict         text NOT NULL DEFAULT '',
    energy_transfer text NOT NULL DEFAULT '',
    departure_at    timestamptz,
    energy_wh       double precision,
    periods_max     bigint,
    told_at         timestamptz,
    needs           jsonb,
    flags           jsonb,
    PRIMARY KEY (tenant, station, evse, received_at)
);
CREATE INDEX charging_needs_newest ON charging_needs (tenant, received_at DESC, station, evse);

-- How a car said it would charge.
CREATE TABLE ev_schedules (
    tenant         text COLLATE "C" NOT NULL,
    station        text COLLATE "C" NOT NULL,
    evse           bigint NOT NULL,
    received_at    timestamptz NOT NULL,
    transaction_id text COLLATE "C",
    within         boolean NOT NULL DEFAULT true,
    selected_id    bigint,
    time_base_at   timestamptz,
    schedule       jsonb,
    flags          jsonb,
    PRIMARY KEY (tenant, station, evse, received_at)
);
CREATE INDEX ev_schedules_newest ON ev_schedules (tenant, received_at DESC, station, evse);

-- What a station said last that its profiles come to.
CREATE TABLE composite_schedules (
    tenant           text COLLATE "C" NOT NULL,
    station          text COLLATE "C" NOT NULL,
    evse             bigint NOT NULL,
    unit             text COLLATE "C" NOT NULL,
    received_at      timestamptz,
    start_at         timestamptz,
    duration_s       bigint,
    asked_duration_s bigint NOT NULL DEFAULT 0,
    rate_min         double precision,
    periods          jsonb,
    PRIMARY KEY (tenant, station, evse, unit)
);
