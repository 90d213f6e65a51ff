"""Rows of network profiles. OCPP 2.1 B09. Without their secrets."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.provisioning import NetworkProfileAnswered, PasswordChangeAnswered
from storage.blocks.table import Change, Put, Table


class NetworkProfileRow(msgspec.Struct, frozen=True):
    """A network profile that a station was told, and its answer (Accepted, Rejected, Failed)."""

    station: str
    configuration_slot: int
    url: str | None = None
    security_profile: int | None = None
    interface: str | None = None
    status: str | None = None
    answered_at: datetime | None = None


NETWORK_PROFILES = Table(
    name="network_profiles",
    row=NetworkProfileRow,
    key=("station", "configuration_slot"),
    filters=("station", "status"),
    shown=("station", "configuration_slot", "url", "security_profile", "interface", "status", "answered_at"),
    about="Network profiles that stations were told.",
    tag="provisioning",
)


def answered(station: str, fact: NetworkProfileAnswered) -> Iterable[Change]:
    """The last answer of the slot."""
    values = {
        "url": fact.url,
        "security_profile": fact.security_profile,
        "interface": fact.interface,
        "status": fact.status,
        "answered_at": fact.at,
    }
    yield Put(NETWORK_PROFILES, (station, fact.configuration_slot), values)


TABLES = (NETWORK_PROFILES,)
CHANGES = {NetworkProfileAnswered: answered}
EVENTS = (NetworkProfileAnswered, PasswordChangeAnswered)
