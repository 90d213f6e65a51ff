-- A command's way: queued (requested_at), sent (sent_at), settled (settled_at).
ALTER TABLE commands ADD COLUMN priority bigint NOT NULL DEFAULT 0;
ALTER TABLE commands ADD COLUMN sent_at timestamptz;
ALTER TABLE commands ADD COLUMN answer_by_at timestamptz;
