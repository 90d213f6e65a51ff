"""Diagnostics: logs that stations upload, what they know of customers, periodic event streams. OCPP 2.1 block N.

Monitors and their events have their own file, `monitoring`.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import Token
from engine.model.certificates import CertificateHash
from engine.model.word import Word


class LogKind(StrEnum):
    """Which log (2.1 LogEnumType). 2.1 alone knows DATA_COLLECTOR."""

    DIAGNOSTICS = "DiagnosticsLog"
    SECURITY = "SecurityLog"
    DATA_COLLECTOR = "DataCollectorLog"


class LogStatus(StrEnum):
    """How far an upload is (2.1 UploadLogStatusEnumType). 1.6 writes UploadFailed for UPLOAD_FAILURE."""

    IDLE = "Idle"
    UPLOADING = "Uploading"
    UPLOADED = "Uploaded"
    UPLOAD_FAILURE = "UploadFailure"
    BAD_MESSAGE = "BadMessage"
    PERMISSION_DENIED = "PermissionDenied"
    NOT_SUPPORTED_OPERATION = "NotSupportedOperation"
    ACCEPTED_CANCELED = "AcceptedCanceled"


class GetLog(Word, frozen=True):
    """Command: upload a log. `location`: the URL to write to; a password in it is sent, but not shown.

    It should not be the station's OCPP password (N01.FR.17). `oldest_at`, `latest_at`: the span wanted; None: open.
    """

    location: str
    kind: LogKind = LogKind.DIAGNOSTICS
    oldest_at: datetime | None = None
    latest_at: datetime | None = None
    retries: int | None = None
    retry_interval_s: int | None = None
    request_id: int | None = None


class LogFile(Word, frozen=True):
    """Found in an answer: the name of the file that will be uploaded."""

    name: str


class LogStatusReported(Word, frozen=True):
    """Report. `request_id` None: not said (1.6 diagnostics, or triggered with nothing going on)."""

    status: LogStatus
    request_id: int | None = None
    detail: str | None = None


class LogAsked(Word, frozen=True):
    """Fact: a station was told to upload a log. Fields as in `engine.model.firmware.FirmwareUpdateAsked`."""

    request_id: int
    command_id: str
    kind: LogKind
    location: str
    noted_at: datetime
    accepted: bool | None
    answer: str = ""
    file_name: str | None = None
    oldest_at: datetime | None = None
    latest_at: datetime | None = None
    expected_by: datetime | None = None


class LogStatusRecorded(Word, frozen=True):
    """Fact: a station told how far the upload is. Fields as in `engine.model.firmware.FirmwareStatusRecorded`."""

    status: LogStatus
    number: int
    at: datetime
    request_id: int | None = None
    said_id: int | None = None
    expected_by: datetime | None = None
    detail: str | None = None
    flags: tuple[str, ...] = ()


class LogEnded(Word, frozen=True):
    """Fact: a newer request took an upload's place, or (`stalled`) nothing was heard of it for too long."""

    request_id: int
    noted_at: datetime
    stalled: bool = False


class CustomerInformation(Word, frozen=True):
    """Command: tell (`report`), delete (`clear`), or both, what the station keeps of a customer (N09, N10).

    Exactly one of `token`, `certificate` and `customer_identifier` names the customer.
    """

    report: bool
    clear: bool
    token: Token | None = None
    certificate: CertificateHash | None = None
    customer_identifier: str | None = None
    request_id: int | None = None


class CustomerInformationReported(Word, frozen=True):
    """Report: a part of what a station keeps of a customer. Personal data. `more`: another part follows."""

    request_id: int
    sequence: int
    text: str
    more: bool = False


class CustomerInformationAsked(Word, frozen=True):
    """Fact: a station was asked about a customer; about whom is in the command alone. `accepted`: see firmware."""

    request_id: int
    command_id: str
    report: bool
    clear: bool
    noted_at: datetime
    accepted: bool | None
    answer: str = ""
    expected_by: datetime | None = None


class CustomerInformationRecorded(Word, frozen=True):
    """Fact: a part came. `page`, `text`: the page of the whole that this part is on, and all that stands on it so far.

    `complete`: it was the last part and none is missing. `flags`: what is odd about it.
    """

    request_id: int
    sequence: int
    page: int
    text: str
    at: datetime
    more: bool = False
    complete: bool = False
    expected_by: datetime | None = None
    flags: tuple[str, ...] = ()


class CustomerInformationMissing(Word, frozen=True):
    """Fact: the rest of a report did not come in time."""

    request_id: int
    noted_at: datetime


class CustomerInformationForgotten(Word, frozen=True):
    """Fact of the operator's: what a station told of a customer is deleted here. `by`: who wanted it."""

    station: str
    request_id: int
    at: datetime
    by: str = ""


class EventStream(Word, frozen=True):
    """A periodic event stream: values of one monitor, sent every `interval_s` or as soon as there are `values` of them.

    None: not so.
    """

    stream_id: int
    monitor_id: int
    interval_s: int | None = None
    values: int | None = None


class EventStreamOffered(Word, frozen=True):
    """Report: a station wants to open a stream (N11)."""

    stream: EventStream


class EventStreamAnswer(Word, frozen=True):
    """Whether it may (N11.FR.05, N11.FR.06). `reason`: OCPP's reason code of a no, `detail`: for people."""

    accepted: bool
    reason: str | None = None
    detail: str | None = None


class EventStreamGone(Word, frozen=True):
    """Report: a station closed a stream (N13)."""

    stream_id: int


class StreamValue(Word, frozen=True, array_like=True, tag=False):
    """A value, and how many seconds after the message's base time it was taken."""

    offset_s: float
    value: str


class StreamValuesReported(Word, frozen=True):
    """Report without an answer (SEND): values of a stream. `pending`: how many more wait in the station.

    `base_at`: the station's clock; None: it wrote no time.
    """

    stream_id: int
    pending: int
    values: tuple[StreamValue, ...]
    base_at: datetime | None = None


class EventStreamOpened(Word, frozen=True):
    """Fact: a stream was offered. `accepted` False: we said no, the station sends NotifyEvent instead (N11.FR.07)."""

    stream: EventStream
    accepted: bool
    at: datetime
    flags: tuple[str, ...] = ()


class EventStreamClosed(Word, frozen=True):
    """Fact: a stream is closed. `flags`: it was not known to be open."""

    stream_id: int
    at: datetime
    flags: tuple[str, ...] = ()


class StreamValuesRecorded(Word, frozen=True):
    """Fact: values came. `number`: counts the messages of a station. `monitor_id` None: of a stream not known to us.

    `behind`: the station has had more and more values waiting for several messages in a row (N15.FR.05).
    """

    stream_id: int
    number: int
    pending: int
    values: tuple[StreamValue, ...]
    base_at: datetime
    at: datetime
    monitor_id: int | None = None
    behind: bool = False
    flags: tuple[str, ...] = ()


class AdjustEventStream(Word, frozen=True):
    """Command: send a stream's values at another rate. At least one of `interval_s` and `values`."""

    stream_id: int
    interval_s: int | None = None
    values: int | None = None


class GetEventStreams(Word, frozen=True):
    """Command: which streams are open."""


class StreamsFound(Word, frozen=True):
    """Found in an answer: all open streams."""

    streams: tuple[EventStream, ...] = ()


class EventStreamAdjusted(Word, frozen=True):
    """Fact: a station took another rate for a stream."""

    stream_id: int
    noted_at: datetime
    interval_s: int | None = None
    values: int | None = None


class EventStreamsListed(Word, frozen=True):
    """Fact: these streams are open, and no others."""

    streams: tuple[EventStream, ...]
    noted_at: datetime
