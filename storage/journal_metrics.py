"""Metrics of the journal, its reader and the message log."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

COMMIT_SECONDS: Final = Histogram(
    "narke_journal_commit_seconds",
    "Time of one commit: a round trip to Redis with its write to disk, for all units of a batch.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)

COMMIT_STATIONS: Final = Histogram(
    "narke_journal_commit_stations",
    "Stations whose state one commit wrote.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)

_UNITS: Final = Counter("narke_journal_units_total", "Units in commits, by what became of them.", ["verdict"])

RECORDED_UNITS: Final = _UNITS.labels("recorded")
FENCED_UNITS: Final = _UNITS.labels("fenced")
UNAVAILABLE_UNITS: Final = _UNITS.labels("unavailable")

STREAM_ENTRIES: Final = Gauge(
    "narke_journal_stream_entries",
    "Entries of a stream that wait for PostgreSQL.",
    ["stream"],
    multiprocess_mode="livemostrecent",
)

BAD_ENTRIES: Final = Counter(
    "narke_journal_bad_entries_total", "Stream entries that could not be decoded; the projector keeps them aside."
)

MESSAGES_WRITTEN: Final = Counter("narke_message_log_messages_total", "Raw messages handed over to Redis.")

_DROPPED: Final = Counter("narke_message_log_dropped_total", "Raw messages that were dropped, by reason.", ["reason"])

DROPPED_AT_BOUND: Final = _DROPPED.labels("buffer_full")
DROPPED_UNSPEAKABLE: Final = _DROPPED.labels("not_unicode")
DROPPED_AT_STOP: Final = _DROPPED.labels("stopped")

MESSAGES_BUFFERED: Final = Gauge(
    "narke_message_log_buffered", "Raw messages that wait in processes for Redis.", multiprocess_mode="livesum"
)

PLAN_ENTRIES_DROPPED: Final = Counter(
    "narke_plan_entries_dropped_total",
    "Entries of the planner's decisions that were dropped because too many waited for PostgreSQL.",
)
