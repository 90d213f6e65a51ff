-- Security profiles 0 to 3 of stations.
--
-- What a station is being told stands beside what it uses, until it has shown that it uses it (`engine.model.stations`).
ALTER TABLE stations
    ADD COLUMN password_hash_next    text,
    ADD COLUMN security_profile_next integer,
    ADD COLUMN downgrade_allowed     boolean NOT NULL DEFAULT false,
    ADD COLUMN certificate_name      text,
    ADD COLUMN assume_ocpp16         boolean NOT NULL DEFAULT false,
    ADD COLUMN lenient_upgrade       boolean NOT NULL DEFAULT false;
