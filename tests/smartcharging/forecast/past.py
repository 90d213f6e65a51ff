"""Stays to learn from."""

from datetime import UTC, datetime, timedelta

from smartcharging.forecast import Stay

MONDAY = datetime(2026, 5, 4, tzinfo=UTC)


def at(hours, days=0):
    return MONDAY + timedelta(days=days, hours=hours)


def stay(arrives=8.0, hours=8.0, days=0, **more):
    begun = at(arrives, days)
    fields = {
        "station": "CP-1",
        "arrived_at": begun,
        "departed_at": begun + timedelta(hours=hours),
        "energy_kwh": 10.0,
    }
    return Stay(**(fields | more))
