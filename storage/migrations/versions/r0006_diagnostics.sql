-- Firmware, logs, monitoring, events, display messages, customer information.
SELECT 1;
