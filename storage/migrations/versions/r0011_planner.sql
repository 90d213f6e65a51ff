-- The planner: sites, caps from outside, what was decided and why.

-- A site as it is, whole as JSON (document); every revision of it is in site_versions.
CREATE TABLE sites (
    tenant     text COLLATE "C" NOT NULL,
    site       text COLLATE "C" NOT NULL,
    active     boolean NOT NULL DEFAULT true,
    revision   bigint NOT NULL DEFAULT 0,
    name       text,
    time_zone  text NOT NULL DEFAULT '',
    allocator  text NOT NULL DEFAULT '',
    enabled    boolean NOT NULL DEFAULT true,
    nodes      bigint NOT NULL DEFAULT 0,
    stations   bigint NOT NULL DEFAULT 0,
    evses      bigint NOT NULL DEFAULT 0,
    limit_kw   double precision,
    saved_at   timestamptz,
    saved_by   text NOT NULL DEFAULT '',
    removed_at timestamptz,
    removed_by text,
    document   jsonb,
    PRIMARY KEY (tenant, site)
);

CREATE TABLE site_versions (
    tenant   text COLLATE "C" NOT NULL,
    site     text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    saved_by text NOT NULL DEFAULT '',
    nodes    bigint NOT NULL DEFAULT 0,
    stations bigint NOT NULL DEFAULT 0,
    evses    bigint NOT NULL DEFAULT 0,
    document jsonb,
    PRIMARY KEY (tenant, site, revision)
);
CREATE INDEX site_versions_newest ON site_versions (tenant, saved_at DESC, site, revision);

-- Which site a station belongs to, for joins. A station belongs to one site: Redis sees to that.
CREATE TABLE site_stations (
    tenant  text COLLATE "C" NOT NULL,
    site    text COLLATE "C" NOT NULL,
    station text COLLATE "C" NOT NULL,
    node    text COLLATE "C",
    evses   bigint NOT NULL DEFAULT 0,
    nodes   jsonb,
    PRIMARY KEY (tenant, site, station)
);
CREATE INDEX site_stations_station ON site_stations (tenant, station);

-- Prices and CO2 for a time to come, as told last.
CREATE TABLE site_series (
    tenant   text COLLATE "C" NOT NULL,
    site     text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    start_at timestamptz,
    step_s   bigint NOT NULL DEFAULT 0,
    numbers  jsonb,
    saved_at timestamptz,
    saved_by text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, site, kind)
);

-- What drivers asked for.
CREATE TABLE driver_requests (
    tenant        text COLLATE "C" NOT NULL,
    place         text COLLATE "C" NOT NULL,
    asked_at      timestamptz NOT NULL,
    station       text COLLATE "C",
    evse          bigint,
    token         text COLLATE "C",
    energy_kwh    double precision,
    soc_percent   double precision,
    departs_at    timestamptz,
    priority      bigint,
    may_discharge boolean,
    asked_by      text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, place, asked_at)
);
CREATE INDEX driver_requests_newest ON driver_requests (tenant, asked_at DESC, place);

-- The last word of each source of caps; and all that they said.
CREATE TABLE site_caps (
    tenant      text COLLATE "C" NOT NULL,
    site        text COLLATE "C" NOT NULL,
    source      text COLLATE "C" NOT NULL,
    active      boolean NOT NULL DEFAULT true,
    node        text COLLATE "C" NOT NULL DEFAULT '',
    direction   text NOT NULL DEFAULT '',
    priority    bigint NOT NULL DEFAULT 0,
    emergency   boolean NOT NULL DEFAULT false,
    valid_until timestamptz,
    fallback_kw double precision,
    heartbeat_s double precision,
    saved_at    timestamptz,
    saved_by    text NOT NULL DEFAULT '',
    heard_at    timestamptz,
    released_at timestamptz,
    released_by text,
    steps       jsonb,
    PRIMARY KEY (tenant, site, source)
);

CREATE TABLE site_cap_history (
    tenant    text COLLATE "C" NOT NULL,
    site      text COLLATE "C" NOT NULL,
    source    text COLLATE "C" NOT NULL,
    at        timestamptz NOT NULL,
    event     text NOT NULL DEFAULT '',
    by        text NOT NULL DEFAULT '',
    node      text COLLATE "C" NOT NULL DEFAULT '',
    direction text NOT NULL DEFAULT '',
    emergency boolean NOT NULL DEFAULT false,
    cap       jsonb,
    PRIMARY KEY (tenant, site, source, at)
);
CREATE INDEX site_cap_history_newest ON site_cap_history (tenant, at DESC, site, source);

-- What the planner decided: by far the most rows of these; they go after values_days.
CREATE TABLE limit_decisions (
    tenant         text COLLATE "C" NOT NULL,
    site           text COLLATE "C" NOT NULL,
    node           text COLLATE "C" NOT NULL,
    at             timestamptz NOT NULL,
    station        text COLLATE "C" NOT NULL DEFAULT '',
    evse           bigint NOT NULL DEFAULT 0,
    transaction_id text COLLATE "C",
    current_a      double precision NOT NULL DEFAULT 0,
    before_a       double precision,
    why            text NOT NULL DEFAULT '',
    binding        text,
    binding_limit  double precision,
    binding_used   double precision,
    unit           text,
    layer          text NOT NULL DEFAULT '',
    allocator      text NOT NULL DEFAULT '',
    sent           boolean NOT NULL DEFAULT true,
    trigger        text NOT NULL DEFAULT '',
    details        jsonb,
    PRIMARY KEY (tenant, site, node, at)
);
CREATE INDEX limit_decisions_newest ON limit_decisions (tenant, at DESC, site, node);
CREATE INDEX limit_decisions_station ON limit_decisions (tenant, station, at DESC);
CREATE INDEX limit_decisions_site ON limit_decisions (tenant, site, at DESC);

CREATE TABLE site_plans (
    tenant          text COLLATE "C" NOT NULL,
    site            text COLLATE "C" NOT NULL,
    at              timestamptz NOT NULL,
    layer           text NOT NULL DEFAULT '',
    allocator       text NOT NULL DEFAULT '',
    cars            bigint NOT NULL DEFAULT 0,
    paused          bigint NOT NULL DEFAULT 0,
    changed         bigint NOT NULL DEFAULT 0,
    solve_ms        double precision NOT NULL DEFAULT 0,
    planned_kw      double precision NOT NULL DEFAULT 0,
    limit_kw        double precision,
    unmanaged_kw    double precision NOT NULL DEFAULT 0,
    delivered_share double precision,
    trigger         text NOT NULL DEFAULT '',
    note            text,
    battery_kw      jsonb,
    PRIMARY KEY (tenant, site, at)
);
CREATE INDEX site_plans_newest ON site_plans (tenant, at DESC, site);

-- What needs a person now (or needed one); and how it came and went.
CREATE TABLE site_alerts (
    tenant     text COLLATE "C" NOT NULL,
    site       text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    node       text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    active     boolean NOT NULL DEFAULT true,
    detail     text NOT NULL DEFAULT '',
    over       double precision,
    unit       text,
    cleared_at timestamptz,
    PRIMARY KEY (tenant, site, kind, node)
);
CREATE INDEX site_alerts_newest ON site_alerts (tenant, at DESC, site, kind, node);

CREATE TABLE site_alert_history (
    tenant text COLLATE "C" NOT NULL,
    site   text COLLATE "C" NOT NULL,
    kind   text COLLATE "C" NOT NULL,
    node   text COLLATE "C" NOT NULL,
    at     timestamptz NOT NULL,
    event  text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    over   double precision,
    unit   text,
    PRIMARY KEY (tenant, site, kind, node, at)
);
CREATE INDEX site_alert_history_newest ON site_alert_history (tenant, at DESC, site, kind, node);
