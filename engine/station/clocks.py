"""Clocks: what a station's time is worth beside ours.

Stations say times without a zone, in 1970, or hours late (ocpp.md 36): every time a station says comes in through
`instant`, and nothing is ordered by it alone.
"""

from datetime import UTC, datetime


def instant(said: datetime | None, received_at: datetime) -> datetime:
    """The station's time as an aware one; ours where it said nothing; UTC where it named no zone."""
    if said is None:
        return received_at
    return said if said.tzinfo is not None else said.replace(tzinfo=UTC)


def skewed(at: datetime, received_at: datetime, skew_s_max: float) -> bool:
    """Whether the station's time and ours are further apart than this, in either direction."""
    return abs((at - received_at).total_seconds()) > skew_s_max
