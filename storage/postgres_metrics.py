"""Metrics of the projection into PostgreSQL."""

from prometheus_client import Counter, Histogram

APPLY_SECONDS = Histogram(
    "narke_projection_apply_seconds",
    "Time to write one batch of journal entries to PostgreSQL, commit included.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
ENTRIES = Counter("narke_projection_entries", "Journal entries written to PostgreSQL.")
ENTRIES_SKIPPED = Counter(
    "narke_projection_entries_skipped", "Journal entries that were handed over again after they had been written."
)
ENTRIES_BAD = Counter(
    "narke_projection_entries_bad", "Journal entries put aside into bad_entries: undecodable, or refused by PostgreSQL."
)
ROWS = Counter("narke_projection_rows", "Rows written to PostgreSQL, by table.", ["table"])
PARTITIONS_DROPPED = Counter("narke_partitions_dropped", "Partitions dropped by retention, by table.", ["table"])
