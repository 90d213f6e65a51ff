-- The queue of commands kept durably, and campaigns of commands to many stations.
SELECT 1;
