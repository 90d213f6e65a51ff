"""Firmware updates and publications, how they went, and every status told of them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from engine.model.firmware import (
    FirmwareResult,
    FirmwareStatus,
    FirmwareStatusRecorded,
    FirmwareUnchanged,
    FirmwareUpdateAsked,
    FirmwareUpdateEnded,
    FirmwareUpdateStalled,
    FirmwareVersionSeen,
    PublicationAsked,
    PublicationEnded,
    PublicationStatus,
    PublicationStatusRecorded,
)
from engine.redaction import redacted_url
from storage.blocks.table import Change, Json, Put, Table

REFUSED = "Refused"
UNANSWERED = "Unanswered"
TAG = "firmware"


class FirmwareUpdateRow(msgspec.Struct, frozen=True):
    """A firmware update that a station was told to make. Times are ours.

    `result`: installed, failed, refused or cancelled; null: it goes on. `status`: the last that the station told, empty
    before the first, or Refused. `answer`: its word, e.g. AcceptedCanceled. `stalled`: nothing was heard for longer
    than it should take. `from_version`, `to_version`: what the station ran before and after, as it said at boot.
    `flags`: what was odd last; all of it is in firmware-statuses. `location`: without a password.
    """

    station: str
    request_id: int
    asked_at: datetime
    status: str = ""
    result: str | None = None
    stalled: bool = False
    command_id: str | None = None
    answer: str | None = None
    location: str | None = None
    signed: bool | None = None
    retrieve_at: datetime | None = None
    install_at: datetime | None = None
    from_version: str | None = None
    to_version: str | None = None
    heard_at: datetime | None = None
    downloading_at: datetime | None = None
    downloaded_at: datetime | None = None
    installing_at: datetime | None = None
    ended_at: datetime | None = None
    detail: str | None = None
    flags: Json = None


class FirmwareStatusRow(msgspec.Struct, frozen=True):
    """A status of firmware that a station told. `request_id` null: about no update, or publication, of ours.

    `said_id`: the requestId in its message. `of`: update or publication. `flags`: what is odd about it.
    """

    station: str
    number: int
    of: str
    received_at: datetime
    status: str = ""
    request_id: int | None = None
    said_id: int | None = None
    detail: str | None = None
    flags: Json = None


class FirmwarePublicationRow(msgspec.Struct, frozen=True):
    """A file that a local controller was told to publish. `locations`: where stations can fetch it.

    `status`: the last that the controller told; Unpublished: it is offered no more.
    """

    station: str
    request_id: int
    asked_at: datetime
    status: str = ""
    stalled: bool = False
    command_id: str | None = None
    answer: str | None = None
    location: str | None = None
    checksum: str | None = None
    locations: Json = None
    heard_at: datetime | None = None
    ended_at: datetime | None = None
    detail: str | None = None
    flags: Json = None


UPDATES = Table(
    name="firmware_updates",
    row=FirmwareUpdateRow,
    key=("station", "request_id"),
    newest_first="asked_at",
    filters=("station", "request_id", "status", "result", "stalled", "command_id"),
    shown=("asked_at", "station", "request_id", "status", "result", "stalled", "from_version", "to_version"),
    ages_by="asked_at",
    about="Firmware updates and how they went.",
    tag=TAG,
)
STATUSES = Table(
    name="firmware_statuses",
    row=FirmwareStatusRow,
    key=("station", "of", "number"),
    newest_first="received_at",
    filters=("station", "of", "request_id", "status"),
    shown=("received_at", "station", "of", "request_id", "status", "detail", "flags"),
    ages_by="received_at",
    about="Every status of firmware that stations told.",
    tag=TAG,
)
PUBLICATIONS = Table(
    name="firmware_publications",
    row=FirmwarePublicationRow,
    key=("station", "request_id"),
    newest_first="asked_at",
    filters=("station", "status", "checksum", "command_id"),
    shown=("asked_at", "station", "request_id", "status", "checksum", "locations"),
    ages_by="asked_at",
    about="Firmware that local controllers publish to their stations.",
    tag=TAG,
)

_TIME_OF_STATUS = {
    FirmwareStatus.DOWNLOADING: "downloading_at",
    FirmwareStatus.DOWNLOADED: "downloaded_at",
    FirmwareStatus.INSTALLING: "installing_at",
}
_PUBLICATION_ENDS = frozenset(
    {
        PublicationStatus.DOWNLOAD_FAILED,
        PublicationStatus.INVALID_CHECKSUM,
        PublicationStatus.PUBLISH_FAILED,
    }
)


def update_asked(station: str, fact: FirmwareUpdateAsked) -> Iterable[Change]:
    """The row of an update; a late answer changes it."""
    values: dict[str, Any] = {
        "asked_at": fact.noted_at,
        "command_id": fact.command_id,
        "location": redacted_url(fact.location),
        "signed": fact.signed,
        "retrieve_at": fact.retrieve_at,
        "install_at": fact.install_at,
        "from_version": fact.from_version,
    }
    yield Put(UPDATES, (station, fact.request_id), values | _answer(fact))
    if fact.accepted is False:
        refused = {"result": FirmwareResult.REFUSED.value, "ended_at": fact.noted_at, "status": REFUSED}
        yield Put(UPDATES, (station, fact.request_id), refused)


def status_told(station: str, fact: FirmwareStatusRecorded) -> Iterable[Change]:
    """A row of the history, and the update's."""
    yield Put(STATUSES, (station, "update", fact.number), _status_values(fact))
    if fact.request_id is None:
        return
    values: dict[str, Any] = {
        "status": fact.status.value,
        "heard_at": fact.at,
        "result": None if fact.result is None else fact.result.value,
        "ended_at": None if fact.result is None else fact.at,
        "stalled": False,
        "detail": fact.detail,
    }
    if fact.status in _TIME_OF_STATUS:
        values[_TIME_OF_STATUS[fact.status]] = fact.at
    if fact.flags:
        values["flags"] = fact.flags
    yield Put(UPDATES, (station, fact.request_id), values)


def update_ended(station: str, fact: FirmwareUpdateEnded) -> Iterable[Change]:
    """It ended without a status that says so."""
    values: dict[str, Any] = {"result": fact.result.value, "ended_at": fact.noted_at, "stalled": False}
    if fact.version is not None:
        values["to_version"] = fact.version
    yield Put(UPDATES, (station, fact.request_id), values)


def update_stalled(station: str, fact: FirmwareUpdateStalled) -> Iterable[Change]:
    """Nothing was heard of it."""
    yield Put(UPDATES, (station, fact.request_id), {"stalled": True})


def version_seen(station: str, fact: FirmwareVersionSeen) -> Iterable[Change]:
    """The firmware that an update brought."""
    if fact.request_id is not None:
        yield Put(UPDATES, (station, fact.request_id), {"to_version": fact.version})


def unchanged(station: str, fact: FirmwareUnchanged) -> Iterable[Change]:
    """The station booted, and runs what it ran before."""
    values = {"to_version": fact.version, "flags": ("unchanged_after_boot",)}
    yield Put(UPDATES, (station, fact.request_id), values)


def publication_asked(station: str, fact: PublicationAsked) -> Iterable[Change]:
    """The row of a publication; a late answer changes it."""
    values: dict[str, Any] = {
        "asked_at": fact.noted_at,
        "command_id": fact.command_id,
        "location": redacted_url(fact.location),
        "checksum": fact.checksum,
    }
    yield Put(PUBLICATIONS, (station, fact.request_id), values | _answer(fact))
    if fact.accepted is False:
        yield Put(PUBLICATIONS, (station, fact.request_id), {"status": REFUSED, "ended_at": fact.noted_at})


def publication_told(station: str, fact: PublicationStatusRecorded) -> Iterable[Change]:
    """A row of the history, and the publication's."""
    yield Put(STATUSES, (station, "publication", fact.number), _status_values(fact))
    if fact.request_id is None:
        return
    values: dict[str, Any] = {
        "status": fact.status.value,
        "heard_at": fact.at,
        "ended_at": fact.at if fact.status in _PUBLICATION_ENDS else None,
        "stalled": False,
        "detail": fact.detail,
    }
    if fact.locations:
        values["locations"] = [redacted_url(location) for location in fact.locations]
    if fact.flags:
        values["flags"] = fact.flags
    yield Put(PUBLICATIONS, (station, fact.request_id), values)


def publication_ended(station: str, fact: PublicationEnded) -> Iterable[Change]:
    """It is offered no more, or nothing was heard of it."""
    if fact.stalled:
        yield Put(PUBLICATIONS, (station, fact.request_id), {"stalled": True})
    else:
        values = {"status": PublicationStatus.UNPUBLISHED.value, "ended_at": fact.noted_at}
        yield Put(PUBLICATIONS, (station, fact.request_id), values)


def _answer(fact: FirmwareUpdateAsked | PublicationAsked) -> dict[str, Any]:
    return {"answer": fact.answer or (UNANSWERED if fact.accepted is None else None)}


def _status_values(fact: FirmwareStatusRecorded | PublicationStatusRecorded) -> dict[str, Any]:
    return {
        "received_at": fact.at,
        "status": fact.status.value,
        "request_id": fact.request_id,
        "said_id": fact.said_id,
        "detail": fact.detail,
        "flags": fact.flags or None,
    }


TABLES = (UPDATES, STATUSES, PUBLICATIONS)
CHANGES = {
    FirmwareUpdateAsked: update_asked,
    FirmwareStatusRecorded: status_told,
    FirmwareUpdateEnded: update_ended,
    FirmwareUpdateStalled: update_stalled,
    FirmwareVersionSeen: version_seen,
    FirmwareUnchanged: unchanged,
    PublicationAsked: publication_asked,
    PublicationStatusRecorded: publication_told,
    PublicationEnded: publication_ended,
}
EVENTS = (FirmwareStatusRecorded, PublicationStatusRecorded, FirmwareVersionSeen, FirmwareUnchanged)
