-- Certificates: requests of stations, what stations have installed; security events. What was issued and revoked is in
-- the authority's own register (narke ca).

-- What stations tell of attempts on them (OCPP 2.1 A04). occurred_at: the station's clock. critical: what the
-- specification says of the type; null: it is a vendor's own.
CREATE TABLE security_events (
    tenant      text COLLATE "C" NOT NULL,
    station     text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    type        text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    critical    boolean,
    detail      text,
    PRIMARY KEY (tenant, station, received_at, type, occurred_at)
);
CREATE INDEX security_events_received ON security_events (tenant, received_at);

-- Requests for certificates (A02, A03). request: a hash of station, use and CSR, so a repeat is the same row. state:
-- asked, unavailable, refused, signed, sent, accepted, rejected or failed. chain: PEM, leaf first.
CREATE TABLE certificate_requests (
    tenant           text COLLATE "C" NOT NULL,
    station          text COLLATE "C" NOT NULL,
    request          text COLLATE "C" NOT NULL,
    state            text NOT NULL DEFAULT 'asked',
    asked_at         timestamptz NOT NULL DEFAULT now(),
    certificate_type text,
    request_id       bigint,
    csr              text,
    chain            text,
    serial_number    text,
    expires_at       timestamptz,
    detail           text,
    decided_at       timestamptz,
    decided_by       text,
    settled_at       timestamptz,
    status           text,
    PRIMARY KEY (tenant, station, request)
);
CREATE INDEX certificate_requests_asked ON certificate_requests (tenant, asked_at);

-- What stations said they have when they were last asked (M03), spelled as they spelled it. parent: of a sub-CA the
-- serial number of its leaf.
CREATE TABLE installed_certificates (
    tenant           text COLLATE "C" NOT NULL,
    station          text COLLATE "C" NOT NULL,
    use              text COLLATE "C" NOT NULL,
    hash_algorithm   text COLLATE "C" NOT NULL,
    issuer_name_hash text COLLATE "C" NOT NULL,
    issuer_key_hash  text COLLATE "C" NOT NULL,
    serial_number    text COLLATE "C" NOT NULL,
    parent           text,
    listed_at        timestamptz,
    PRIMARY KEY (tenant, station, use, hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number)
);

-- Roots that Narke installed (M05) and that are not deleted, for their dates.
CREATE TABLE installed_roots (
    tenant        text COLLATE "C" NOT NULL,
    station       text COLLATE "C" NOT NULL,
    use           text COLLATE "C" NOT NULL,
    serial_number text COLLATE "C" NOT NULL,
    subject       text NOT NULL DEFAULT '',
    certificate   text NOT NULL DEFAULT '',
    expires_at    timestamptz,
    installed_at  timestamptz,
    PRIMARY KEY (tenant, station, use, serial_number)
);
