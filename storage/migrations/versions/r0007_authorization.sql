-- Tokens in groups, local lists, reservations.
SELECT 1;
