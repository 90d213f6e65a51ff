"""Local lists: which version each station has, and what is in it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from engine.model.local_list import (
    ListEntry,
    LocalListChecked,
    LocalListRefused,
    LocalListUpdated,
)
from storage.blocks.table import Change, Drop, Json, Put, Table


class LocalListRow(msgspec.Struct, frozen=True):
    """The local list of a station.

    `state`: in_sync (it has what was last sent), syncing (more is to be sent), stale (it must be sent anew),
    unsupported. `entries` null: what is in it is not known. `detail`: what went wrong last.
    """

    station: str
    version: int = 0
    state: str = ""
    entries: int | None = None
    updated_at: datetime | None = None
    checked_at: datetime | None = None
    detail: str | None = None


LOCAL_LISTS = Table(
    name="local_lists",
    row=LocalListRow,
    key=("station",),
    filters=("station", "state"),
    about="The local authorization list of each station: version and state.",
    tag="local lists",
)


class LocalListEntryRow(msgspec.Struct, frozen=True):
    """A token in the local list of a station, as it was sent. `verdict`: all that the station was told of it."""

    station: str
    token_key: str
    token: str = ""
    type: str | None = None
    status: str | None = None
    verdict: Json = None


LOCAL_LIST_ENTRIES = Table(
    name="local_list_entries",
    row=LocalListEntryRow,
    key=("station", "token_key"),
    filters=("station", "token_key", "status"),
    shown=("station", "token", "type", "status"),
    about="What is in the local lists of stations, as Narke sent it.",
    tag="local lists",
)


def updated(station: str, fact: LocalListUpdated) -> Iterable[Change]:
    """The station took a change in."""
    if fact.full:
        yield Drop(LOCAL_LIST_ENTRIES, {"station": station})
    for entry in fact.entries:
        yield _entry(station, entry)
    values: dict[str, object] = {
        "version": fact.version,
        "state": fact.state.value,
        "entries": len(fact.entries) if fact.full else fact.total,
        "updated_at": fact.noted_at,
        "detail": None,
    }
    yield Put(LOCAL_LISTS, (station,), values)


def _entry(station: str, entry: ListEntry) -> Change:
    key = (station, entry.token.key)
    if entry.verdict is None:
        return Drop(LOCAL_LIST_ENTRIES, {"station": station, "token_key": entry.token.key})
    values = {
        "token": entry.token.value,
        "type": entry.token.type,
        "status": entry.verdict.status.value,
        "verdict": entry.verdict,
    }
    return Put(LOCAL_LIST_ENTRIES, key, values)


def refused(station: str, fact: LocalListRefused) -> Iterable[Change]:
    """It did not."""
    said = f"version {fact.version}: {fact.status}" + (f" ({fact.detail})" if fact.detail else "")
    yield Put(LOCAL_LISTS, (station,), {"state": fact.state.value, "detail": said})


def checked(station: str, fact: LocalListChecked) -> Iterable[Change]:
    """It told its version; what is in another one is not known."""
    values: dict[str, object] = {"version": fact.version, "state": fact.state.value, "checked_at": fact.noted_at}
    if not fact.known:
        yield Drop(LOCAL_LIST_ENTRIES, {"station": station})
        values |= {"entries": None, "detail": f"the station has version {fact.version}, which Narke did not send last"}
    yield Put(LOCAL_LISTS, (station,), values)


TABLES = (LOCAL_LISTS, LOCAL_LIST_ENTRIES)
CHANGES = {LocalListUpdated: updated, LocalListRefused: refused, LocalListChecked: checked}
EVENTS = ()
