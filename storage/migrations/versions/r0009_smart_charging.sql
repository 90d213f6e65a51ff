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

-- A DER control that a station has, or had (installed false).
CREATE TABLE der_controls (
    tenant          text COLLATE "C" NOT NULL,
    station         text COLLATE "C" NOT NULL,
    control_id      text COLLATE "C" NOT NULL,
    type            text NOT NULL DEFAULT '',
    is_default      boolean NOT NULL DEFAULT false,
    installed       boolean NOT NULL DEFAULT true,
    superseded      boolean NOT NULL DEFAULT false,
    superseded_by   text COLLATE "C",
    running         boolean NOT NULL DEFAULT false,
    priority        bigint,
    settings        jsonb,
    installed_at    timestamptz,
    reported_at     timestamptz,
    started_at      timestamptz,
    stopped_at      timestamptz,
    removed_at      timestamptz,
    removed_because text,
    PRIMARY KEY (tenant, station, control_id)
);

-- A time in which an inverter deviated from its charging profile because of a DER control.
CREATE TABLE der_alarms (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    raised_at  timestamptz NOT NULL,
    type       text NOT NULL DEFAULT '',
    fault      text,
    info       text,
    active     boolean NOT NULL DEFAULT true,
    station_at timestamptz,
    ended_at   timestamptz,
    flags      jsonb,
    PRIMARY KEY (tenant, station, raised_at)
);
CREATE INDEX der_alarms_newest ON der_alarms (tenant, raised_at DESC, station);

-- What a transaction may use, as its station was told last.
CREATE TABLE allowed_energy_transfers (
    tenant         text COLLATE "C" NOT NULL,
    station        text COLLATE "C" NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    transfers      jsonb,
    told_at        timestamptz,
    PRIMARY KEY (tenant, station, transaction_id)
);

-- A battery swap; request ids may come again, so its beginning (our clock) is part of its name.
CREATE TABLE battery_swaps (
    tenant         text COLLATE "C" NOT NULL,
    station        text COLLATE "C" NOT NULL,
    request_id     bigint NOT NULL,
    began_at       timestamptz NOT NULL,
    state          text NOT NULL DEFAULT '',
    asked          boolean NOT NULL DEFAULT false,
    token          text,
    in_at          timestamptz,
    out_at         timestamptz,
    batteries_in   jsonb,
    batteries_out  jsonb,
    batteries_left jsonb,
    flags          jsonb,
    PRIMARY KEY (tenant, station, request_id, began_at)
);
CREATE INDEX battery_swaps_newest ON battery_swaps (tenant, began_at DESC, station, request_id);

-- The operator's tariffs; one that was removed stays, because old bills name it.
CREATE TABLE tariffs (
    tenant     text COLLATE "C" NOT NULL,
    tariff_id  text COLLATE "C" NOT NULL,
    currency   text NOT NULL DEFAULT '',
    active     boolean NOT NULL DEFAULT true,
    saved_at   timestamptz,
    removed_at timestamptz,
    tariff     jsonb,
    PRIMARY KEY (tenant, tariff_id)
);

-- Whom a tariff is for: token, group, station or default (name '').
CREATE TABLE tariff_assignments (
    tenant      text COLLATE "C" NOT NULL,
    assigned_to text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    tariff_id   text COLLATE "C" NOT NULL DEFAULT '',
    assigned_at timestamptz,
    PRIMARY KEY (tenant, assigned_to, name)
);

-- What a transaction costs so far, or cost (final). station_cost: what a 2.1 station reckoned itself.
CREATE TABLE transaction_costs (
    tenant          text COLLATE "C" NOT NULL,
    station         text COLLATE "C" NOT NULL,
    transaction_id  text COLLATE "C" NOT NULL,
    begun_at        timestamptz,
    tariff_id       text COLLATE "C",
    currency        text,
    total_excl      double precision,
    total_incl      double precision,
    final           boolean NOT NULL DEFAULT false,
    counted_at      timestamptz,
    told_at         timestamptz,
    cost            jsonb,
    station_cost    jsonb,
    station_cost_at timestamptz,
    flags           jsonb,
    PRIMARY KEY (tenant, station, transaction_id)
);

-- A tariff that a 2.1 station holds at an EVSE; 0: as it was set for each.
CREATE TABLE tariffs_held (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    evse       bigint NOT NULL,
    tariff_id  text COLLATE "C" NOT NULL,
    kind       text NOT NULL DEFAULT '',
    valid_from timestamptz,
    tokens     jsonb,
    tariff     jsonb,
    at         timestamptz,
    PRIMARY KEY (tenant, station, evse, tariff_id)
);
