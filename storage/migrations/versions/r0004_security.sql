-- Security profiles 0 to 3 of stations.
SELECT 1;
