"""Uploads of logs, what stations keep of customers, event streams and their values.

The text of a report about a customer is personal data: it has a table of its own that no listing shows
(`ingress.http.api.customer_information`), and an operator can have it deleted.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from engine.model.diagnostics import (
    CustomerInformationAsked,
    CustomerInformationForgotten,
    CustomerInformationMissing,
    CustomerInformationRecorded,
    EventStream,
    EventStreamAdjusted,
    EventStreamClosed,
    EventStreamOpened,
    EventStreamsListed,
    LogAsked,
    LogEnded,
    LogStatus,
    LogStatusRecorded,
    StreamValuesRecorded,
)
from engine.redaction import redacted_url
from storage.blocks.table import Age, Change, Drop, Json, Put, Table

UNANSWERED = "Unanswered"
REFUSED = "Refused"
TAG = "diagnostics"


class LogUploadRow(msgspec.Struct, frozen=True):
    """A log that a station was told to upload. Times are ours, but `oldest_at` and `latest_at`, the span asked for.

    `result`: uploaded, failed, refused or cancelled; null: it goes on. `status`: the last that the station told.
    `file_name`: as the station said it will be. `stalled`: nothing was heard for longer than it should take.
    """

    station: str
    request_id: int
    asked_at: datetime
    status: str = ""
    result: str | None = None
    stalled: bool = False
    kind: str | None = None
    file_name: str | None = None
    location: str | None = None
    command_id: str | None = None
    answer: str | None = None
    oldest_at: datetime | None = None
    latest_at: datetime | None = None
    heard_at: datetime | None = None
    uploading_at: datetime | None = None
    ended_at: datetime | None = None
    detail: str | None = None
    flags: Json = None


class LogStatusRow(msgspec.Struct, frozen=True):
    """A status of a log's upload that a station told. `request_id` null: about no upload of ours."""

    station: str
    number: int
    received_at: datetime
    status: str = ""
    request_id: int | None = None
    said_id: int | None = None
    detail: str | None = None
    flags: Json = None


class CustomerInformationRow(msgspec.Struct, frozen=True):
    """A question to a station about a customer. Whom it is about, and what it said, are not shown here.

    `parts`: how many came, `pages`: how many pages of text there are. `complete`: the last came and none is missing.
    `missing`: the rest did not come in time. `unasked`: a station spoke of a request that nobody made.
    """

    station: str
    request_id: int
    asked_at: datetime
    report: bool | None = None
    clear: bool | None = None
    answer: str | None = None
    command_id: str | None = None
    parts: int = 0
    pages: int = 0
    complete: bool = False
    missing: bool = False
    unasked: bool = False
    heard_at: datetime | None = None
    forgotten_at: datetime | None = None
    flags: Json = None


class CustomerTextRow(msgspec.Struct, frozen=True):
    """A page of what a station keeps of a customer. Personal data."""

    station: str
    request_id: int
    page: int
    received_at: datetime
    text: str = ""


class EventStreamRow(msgspec.Struct, frozen=True):
    """A periodic event stream. `open` false: closed, or (`accepted` false) not accepted.

    `behind`: the station had more and more values waiting, message after message. `monitor_id`: see variable-monitors.
    """

    station: str
    stream_id: int
    opened_at: datetime | None = None
    open: bool = False
    accepted: bool = False
    monitor_id: int | None = None
    interval_s: int | None = None
    values: int | None = None
    behind: bool = False
    closed_at: datetime | None = None
    flags: Json = None


class EventStreamValuesRow(msgspec.Struct, frozen=True):
    """Values of an event stream as one message brought them: pairs of seconds after `base_at` and a value.

    `pending`: how many more waited in the station. `monitor_id` null: the stream is not known to Narke.
    """

    station: str
    received_at: datetime
    number: int
    stream_id: int | None = None
    monitor_id: int | None = None
    base_at: datetime | None = None
    pending: int | None = None
    values: Json = None
    flags: Json = None


UPLOADS = Table(
    name="log_uploads",
    row=LogUploadRow,
    key=("station", "request_id"),
    newest_first="asked_at",
    filters=("station", "request_id", "status", "result", "stalled", "kind", "command_id"),
    shown=("asked_at", "station", "request_id", "kind", "status", "result", "stalled", "file_name"),
    ages_by="asked_at",
    about="Logs that stations were told to upload, and how that went.",
    tag=TAG,
)
LOG_STATUSES = Table(
    name="log_statuses",
    row=LogStatusRow,
    key=("station", "number"),
    newest_first="received_at",
    filters=("station", "request_id", "status"),
    ages_by="received_at",
    about="Every status of log uploads that stations told.",
    tag=TAG,
)
CUSTOMERS = Table(
    name="customer_information",
    row=CustomerInformationRow,
    key=("station", "request_id"),
    newest_first="asked_at",
    filters=("station", "request_id", "complete", "command_id"),
    shown=("asked_at", "station", "request_id", "report", "clear", "answer", "parts", "complete", "forgotten_at"),
    ages_by="asked_at",
    about="Questions to stations about customers.",
    tag=TAG,
)
CUSTOMER_TEXTS = Table(
    name="customer_information_texts",
    row=CustomerTextRow,
    key=("station", "request_id", "page"),
    filters=("station", "request_id"),
    ages_by="received_at",
    age=Age.PRIVATE,
    about="What stations keep of customers. Not listed.",
    tag=TAG,
)
STREAMS = Table(
    name="event_streams",
    row=EventStreamRow,
    key=("station", "stream_id"),
    filters=("station", "open", "behind", "monitor_id"),
    shown=("station", "stream_id", "monitor_id", "open", "interval_s", "values", "behind", "opened_at"),
    about="Periodic event streams of stations.",
    tag=TAG,
)
STREAM_VALUES = Table(
    name="event_stream_values",
    row=EventStreamValuesRow,
    key=("station", "received_at", "number"),
    newest_first="received_at",
    filters=("station", "stream_id", "monitor_id"),
    shown=("received_at", "station", "stream_id", "base_at", "pending", "values"),
    ages_by="received_at",
    age=Age.VALUES,
    about="Values of periodic event streams, a row for each message.",
    tag=TAG,
)

_RESULT_OF_STATUS = {
    LogStatus.UPLOADED: "uploaded",
    LogStatus.UPLOAD_FAILURE: "failed",
    LogStatus.BAD_MESSAGE: "failed",
    LogStatus.PERMISSION_DENIED: "failed",
    LogStatus.NOT_SUPPORTED_OPERATION: "failed",
    LogStatus.ACCEPTED_CANCELED: "cancelled",
}


def log_asked(station: str, fact: LogAsked) -> Iterable[Change]:
    """The row of an upload; a late answer changes it."""
    values: dict[str, Any] = {
        "asked_at": fact.noted_at,
        "kind": fact.kind.value,
        "location": redacted_url(fact.location),
        "command_id": fact.command_id,
        "answer": fact.answer or (UNANSWERED if fact.accepted is None else None),
        "file_name": fact.file_name,
        "oldest_at": fact.oldest_at,
        "latest_at": fact.latest_at,
    }
    if fact.accepted is False:
        values |= {"status": REFUSED, "result": "refused", "ended_at": fact.noted_at}
    yield Put(UPLOADS, (station, fact.request_id), values)


def log_told(station: str, fact: LogStatusRecorded) -> Iterable[Change]:
    """A row of the history, and the upload's."""
    told = {"received_at": fact.at, "status": fact.status.value, "request_id": fact.request_id}
    more = {"said_id": fact.said_id, "detail": fact.detail, "flags": fact.flags or None}
    yield Put(LOG_STATUSES, (station, fact.number), told | more)
    if fact.request_id is None:
        return
    result = _RESULT_OF_STATUS.get(fact.status)
    values: dict[str, Any] = {
        "status": fact.status.value,
        "result": result,
        "heard_at": fact.at,
        "ended_at": None if result is None else fact.at,
        "stalled": False,
        "detail": fact.detail,
    }
    if fact.status is LogStatus.UPLOADING:
        values["uploading_at"] = fact.at
    if fact.flags:
        values["flags"] = fact.flags
    yield Put(UPLOADS, (station, fact.request_id), values)


def log_ended(station: str, fact: LogEnded) -> Iterable[Change]:
    """A newer one took its place, or nothing was heard of it."""
    cancelled = {"result": "cancelled", "ended_at": fact.noted_at, "stalled": False}
    yield Put(UPLOADS, (station, fact.request_id), {"stalled": True} if fact.stalled else cancelled)


def customer_asked(station: str, fact: CustomerInformationAsked) -> Iterable[Change]:
    """The row of a question."""
    values = {
        "asked_at": fact.noted_at,
        "report": fact.report,
        "clear": fact.clear,
        "command_id": fact.command_id,
        "answer": fact.answer or (UNANSWERED if fact.accepted is None else None),
    }
    yield Put(CUSTOMERS, (station, fact.request_id), values)


def customer_told(station: str, fact: CustomerInformationRecorded) -> Iterable[Change]:
    """A page of the text, and the question's row."""
    key = (station, fact.request_id)
    if fact.sequence == 0 and fact.flags:
        yield Drop(CUSTOMER_TEXTS, {"station": station, "request_id": fact.request_id})
    yield Put(CUSTOMER_TEXTS, (*key, fact.page), {"text": fact.text, "received_at": fact.at})
    values: dict[str, Any] = {
        "heard_at": fact.at,
        "parts": fact.sequence + 1,
        "pages": fact.page + 1,
        "complete": fact.complete,
        "missing": False,
    }
    if fact.flags:
        values["flags"] = fact.flags
    if "unknown_request" in fact.flags:
        values |= {"unasked": True, "asked_at": fact.at}
    yield Put(CUSTOMERS, key, values)


def customer_missing(station: str, fact: CustomerInformationMissing) -> Iterable[Change]:
    """The rest did not come."""
    yield Put(CUSTOMERS, (station, fact.request_id), {"missing": True})


def customer_forgotten(_station: str, fact: CustomerInformationForgotten) -> Iterable[Change]:
    """An operator had the text deleted."""
    yield Drop(CUSTOMER_TEXTS, {"station": fact.station, "request_id": fact.request_id})
    yield Put(CUSTOMERS, (fact.station, fact.request_id), {"forgotten_at": fact.at, "pages": 0})


def stream_opened(station: str, fact: EventStreamOpened) -> Iterable[Change]:
    """The row of a stream."""
    more = {"accepted": fact.accepted, "open": fact.accepted, "flags": fact.flags or None}
    yield Put(STREAMS, (station, fact.stream.stream_id), _stream(fact.stream) | {"opened_at": fact.at} | more)


def stream_closed(station: str, fact: EventStreamClosed) -> Iterable[Change]:
    """It is closed."""
    values: dict[str, Any] = {"open": False, "closed_at": fact.at, "behind": False}
    if fact.flags:
        values["flags"] = fact.flags
    yield Put(STREAMS, (station, fact.stream_id), values)


def stream_adjusted(station: str, fact: EventStreamAdjusted) -> Iterable[Change]:
    """It comes at another rate."""
    values = {"interval_s": fact.interval_s, "values": fact.values, "behind": False}
    yield Put(STREAMS, (station, fact.stream_id), values)


def streams_listed(station: str, fact: EventStreamsListed) -> Iterable[Change]:
    """These are open and no others."""
    yield Drop(STREAMS, {"station": station})
    for stream in fact.streams:
        more = {"opened_at": fact.noted_at, "accepted": True, "open": True}
        yield Put(STREAMS, (station, stream.stream_id), _stream(stream) | more)


def values_told(station: str, fact: StreamValuesRecorded) -> Iterable[Change]:
    """A row for each message: the values of a minute are one row, not sixty."""
    values = {
        "stream_id": fact.stream_id,
        "monitor_id": fact.monitor_id,
        "base_at": fact.base_at,
        "pending": fact.pending,
        "values": fact.values,
        "flags": fact.flags or None,
    }
    yield Put(STREAM_VALUES, (station, fact.at, fact.number), values)
    if fact.behind:
        yield Put(STREAMS, (station, fact.stream_id), {"behind": True})


def _stream(stream: EventStream) -> dict[str, Any]:
    return {
        "monitor_id": stream.monitor_id,
        "interval_s": stream.interval_s,
        "values": stream.values,
        "behind": False,
        "closed_at": None,
    }


TABLES = (UPLOADS, LOG_STATUSES, CUSTOMERS, STREAMS, STREAM_VALUES)
PRIVATE = (CUSTOMER_TEXTS,)
"""Not listed."""
CHANGES = {
    LogAsked: log_asked,
    LogStatusRecorded: log_told,
    LogEnded: log_ended,
    CustomerInformationAsked: customer_asked,
    CustomerInformationRecorded: customer_told,
    CustomerInformationMissing: customer_missing,
    CustomerInformationForgotten: customer_forgotten,
    EventStreamOpened: stream_opened,
    EventStreamClosed: stream_closed,
    EventStreamAdjusted: stream_adjusted,
    EventStreamsListed: streams_listed,
    StreamValuesRecorded: values_told,
}
EVENTS = (LogStatusRecorded, EventStreamOpened, EventStreamClosed)
