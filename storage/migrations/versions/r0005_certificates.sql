-- Certificates: requests, what stations have installed, what was revoked; security events.
SELECT 1;
