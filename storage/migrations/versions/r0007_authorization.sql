-- Tokens in groups, local lists, reservations.
ALTER TABLE tokens
    ADD COLUMN places         jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN hours          jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN time_zone      text NOT NULL DEFAULT 'UTC',
    ADD COLUMN credit         double precision,
    ADD COLUMN concurrent_max bigint,
    ADD COLUMN in_local_list  boolean,
    ADD COLUMN priority       bigint,
    ADD COLUMN language       text,
    ADD COLUMN language2      text,
    ADD COLUMN message        text;
CREATE INDEX tokens_group ON tokens (tenant, token_group) WHERE token_group IS NOT NULL;

-- Who charges where now (storage.token_uses): few of many rows.
CREATE INDEX tokens_concurrent ON tokens (tenant, token_key) WHERE concurrent_max > 0;
CREATE INDEX transactions_open_token ON transactions (tenant, token_key) WHERE ended_at IS NULL;

CREATE TABLE unknown_tokens (
    tenant    text COLLATE "C" NOT NULL,
    token_key text COLLATE "C" NOT NULL,
    asked_at  timestamptz NOT NULL DEFAULT 'epoch',
    token     text NOT NULL DEFAULT '',
    type      text,
    station   text COLLATE "C" NOT NULL DEFAULT '',
    status    text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, token_key)
);
CREATE INDEX unknown_tokens_asked ON unknown_tokens (tenant, asked_at, token_key);

CREATE TABLE local_lists (
    tenant     text COLLATE "C" NOT NULL,
    station    text COLLATE "C" NOT NULL,
    version    bigint NOT NULL DEFAULT 0,
    state      text NOT NULL DEFAULT '',
    entries    bigint,
    updated_at timestamptz,
    checked_at timestamptz,
    detail     text,
    PRIMARY KEY (tenant, station)
);

CREATE TABLE local_list_entries (
    tenant    text COLLATE "C" NOT NULL,
    station   text COLLATE "C" NOT NULL,
    token_key text COLLATE "C" NOT NULL,
    token     text NOT NULL DEFAULT '',
    type      text,
    status    text,
    verdict   jsonb,
    PRIMARY KEY (tenant, station, token_key)
);
CREATE INDEX local_list_entries_token ON local_list_entries (tenant, token_key);

CREATE TABLE reservations (
    tenant         text COLLATE "C" NOT NULL,
    station        text COLLATE "C" NOT NULL,
    reservation_id bigint NOT NULL,
    changed_at     timestamptz NOT NULL DEFAULT 'epoch',
    status         text NOT NULL DEFAULT '',
    requested_at   timestamptz,
    token          text,
    token_group    text,
    evse           bigint,
    connector      bigint,
    connector_type text,
    expires_at     timestamptz,
    ended_at       timestamptz,
    transaction_id text,
    command_id     text,
    detail         text,
    unknown        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, station, reservation_id)
);
CREATE INDEX reservations_newest ON reservations (tenant, changed_at, station, reservation_id);
CREATE INDEX reservations_command ON reservations (tenant, command_id);

CREATE TABLE settlements (
    tenant              text COLLATE "C" NOT NULL,
    station             text COLLATE "C" NOT NULL,
    reference           text COLLATE "C" NOT NULL,
    received_at         timestamptz NOT NULL DEFAULT 'epoch',
    status              text NOT NULL DEFAULT '',
    amount              double precision,
    settled_at          timestamptz,
    transaction_id      text,
    receipt_id          text,
    receipt_url         text,
    vat_number          text,
    vat_company         jsonb,
    detail              text,
    unknown_transaction boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, station, reference)
);
CREATE INDEX settlements_newest ON settlements (tenant, received_at, station, reference);
