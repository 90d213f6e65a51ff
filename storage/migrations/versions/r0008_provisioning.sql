-- The device model, reports, network profiles.
SELECT 1;
