-- Charging profiles, limits, needs, tariffs, costs, DER controls, battery swaps.
SELECT 1;
