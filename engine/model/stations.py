"""Stations as the operator registers them, before and beside what they report themselves."""

from datetime import datetime

from engine.model.provisioning import Registration
from engine.model.word import Word


class StationRecord(Word, frozen=True):
    """What the operator decided about a station.

    `password_hash`: argon2 of the Basic authentication password; None: none set. `security_profile`: 0 or 1 (2.1 A00).
    `message_log`: True or False for this station, None: as the system's setting says.
    """

    station: str
    registration: Registration = Registration.ACCEPTED
    security_profile: int = 0
    password_hash: str | None = None
    message_log: bool | None = None
    note: str | None = None


class StationRegistered(Word, frozen=True):
    """Fact of the operator's: a station was registered or its record changed."""

    record: StationRecord
    at: datetime
