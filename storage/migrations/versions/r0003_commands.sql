-- A command's way: queued (requested_at), sent (sent_at), settled (settled_at).
ALTER TABLE commands ADD COLUMN priority bigint NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN sent_at timestamptz;
ALTER TABLE commands ADD COLUMN answer_by_at timestamptz;

-- One command to many stations; how far it is is told by the commands whose ids begin with the campaign's.
CREATE TABLE campaigns (
    tenant      text COLLATE "C" NOT NULL,
    campaign_id text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT 'epoch',
    state       text NOT NULL DEFAULT '',
    kind        text NOT NULL DEFAULT '',
    stations    bigint NOT NULL DEFAULT 0,
    rate_per_s  double precision NOT NULL DEFAULT 0,
    deadline_s  double precision NOT NULL DEFAULT 0,
    priority    bigint NOT NULL DEFAULT 0,
    waits       boolean NOT NULL DEFAULT false,
    command     jsonb,
    created_by  text NOT NULL DEFAULT '',
    changed_at  timestamptz,
    changed_by  text NOT NULL DEFAULT '',
    note        text,
    PRIMARY KEY (tenant, campaign_id)
);
CREATE INDEX campaigns_created ON campaigns (tenant, created_at, campaign_id);
