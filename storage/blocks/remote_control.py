"""Rows of what must follow from commands that stations accepted. OCPP 2.1 F01 to F03, B11."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.remote_control import FollowUpAwaited, FollowUpCame, FollowUpMissing
from engine.model.transactions import TransactionStatusTold
from storage.blocks.table import Change, Put, Table


class FollowUpRow(msgspec.Struct, frozen=True):
    """What must follow from a command: a transaction (start), its end (stop), a boot (boot).

    `status`: awaited, came or missing. `due_at` None: whenever it comes. `over_at`: when it came or was given up.
    `transaction_id`: what was started, or is to stop.
    """

    station: str
    command_id: str
    accepted_at: datetime
    what: str | None = None
    status: str | None = None
    due_at: datetime | None = None
    over_at: datetime | None = None
    token: str | None = None
    evse: int | None = None
    remote_start_id: int | None = None
    transaction_id: str | None = None


FOLLOW_UPS = Table(
    name="follow_ups",
    row=FollowUpRow,
    key=("station", "command_id"),
    newest_first="accepted_at",
    ages_by="accepted_at",
    filters=("station", "what", "status", "transaction_id"),
    shown=("accepted_at", "station", "what", "status", "due_at", "over_at", "transaction_id", "command_id"),
    about="What must follow from accepted commands, and whether it did.",
    tag="remote control",
)


def awaited(station: str, fact: FollowUpAwaited) -> Iterable[Change]:
    """One more is awaited."""
    values = {
        "what": fact.what.value,
        "status": "awaited",
        "accepted_at": fact.noted_at,
        "due_at": fact.due_at,
        "token": fact.token,
        "evse": None if fact.evse is None else fact.evse.evse,
        "remote_start_id": fact.remote_start_id,
        "transaction_id": fact.transaction_id,
    }
    yield Put(FOLLOW_UPS, (station, fact.command_id), values)


def came(station: str, fact: FollowUpCame) -> Iterable[Change]:
    """It followed."""
    values = {"what": fact.what.value, "status": "came", "over_at": fact.noted_at}
    if fact.transaction_id is not None:
        values["transaction_id"] = fact.transaction_id
    yield Put(FOLLOW_UPS, (station, fact.command_id), values)


def missing(station: str, fact: FollowUpMissing) -> Iterable[Change]:
    """It did not."""
    yield Put(
        FOLLOW_UPS,
        (station, fact.command_id),
        {"what": fact.what.value, "status": "missing", "over_at": fact.noted_at},
    )


TABLES = (FOLLOW_UPS,)
CHANGES = {FollowUpAwaited: awaited, FollowUpCame: came, FollowUpMissing: missing}
EVENTS = (TransactionStatusTold,)
