-- Quirks of stations: what was observed, and what was chosen.
SELECT 1;
