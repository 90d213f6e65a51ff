"""Rows of security events. OCPP 2.1 A04."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.security import SecurityEventRecorded
from storage.blocks.table import Change, Put, Table


class SecurityEventRow(msgspec.Struct, frozen=True):
    """Something that happened to a station's security. `occurred_at`: the station's clock; `received_at`: ours.

    `critical`: what the specification says of the type; None: it is a vendor's own.
    """

    station: str
    received_at: datetime
    type: str
    occurred_at: datetime
    critical: bool | None = None
    detail: str | None = None


SECURITY_EVENTS = Table(
    name="security_events",
    row=SecurityEventRow,
    key=("station", "received_at", "type", "occurred_at"),
    newest_first="received_at",
    ages_by="received_at",
    filters=("station", "type", "critical"),
    shown=("received_at", "station", "type", "critical", "detail"),
    about="Security events of stations, newest first.",
    tag="security",
)


def recorded(station: str, fact: SecurityEventRecorded) -> Iterable[Change]:
    """One more."""
    report = fact.report
    key = station, fact.at, report.type, report.at or fact.at
    yield Put(SECURITY_EVENTS, key, {"critical": fact.critical, "detail": report.detail})


TABLES = (SECURITY_EVENTS,)
CHANGES = {SecurityEventRecorded: recorded}
EVENTS = (SecurityEventRecorded,)
