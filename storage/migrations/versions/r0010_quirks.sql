-- Quirks of stations: what was noticed, what operators chose; stations that are connected and say nothing.
--
-- A station has one row per kind of oddity at most (engine.model.quirks.Oddity), so the table is bounded by the fleet.
CREATE TABLE quirk_observations (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    oddity      text COLLATE "C" NOT NULL,
    count       bigint NOT NULL DEFAULT 0,
    noted_at    timestamptz,
    vendor      text,
    model       text,
    firmware    text,
    example     text,
    PRIMARY KEY (tenant, station, oddity)
);

CREATE INDEX quirk_observations_by_make ON quirk_observations (tenant, vendor, model, firmware);

CREATE TABLE station_quirks (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    quirks      jsonb,
    changed_at  timestamptz,
    PRIMARY KEY (tenant, station)
);

CREATE TABLE unresponsive_stations (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    session     text NOT NULL DEFAULT '',
    since_at    timestamptz,
    PRIMARY KEY (tenant, station)
);
