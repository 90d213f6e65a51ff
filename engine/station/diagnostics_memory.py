"""What is remembered of diagnostics: uploads of logs, reports about customers, open event streams.

Bounded: the last UPLOADS_MAX uploads and CUSTOMERS_MAX reports, STREAMS_MAX streams. The text of a report about a
customer is personal data: at most a page of it is here, and none once the report has ended.
"""

from typing import Self, assert_never

import msgspec
from msgspec.structs import replace

from engine.model.diagnostics import (
    CustomerInformationAsked,
    CustomerInformationMissing,
    CustomerInformationRecorded,
    EventStream,
    EventStreamAdjusted,
    EventStreamClosed,
    EventStreamOpened,
    EventStreamsListed,
    LogAsked,
    LogEnded,
    LogKind,
    LogStatus,
    LogStatusRecorded,
    StreamValuesRecorded,
)
from engine.station import procedures
from engine.station.procedures import Procedure

UPLOADS_MAX = 4
CUSTOMERS_MAX = 4
STREAMS_MAX = 256
LOG_FAILURES = frozenset(
    {
        LogStatus.UPLOAD_FAILURE,
        LogStatus.BAD_MESSAGE,
        LogStatus.PERMISSION_DENIED,
        LogStatus.NOT_SUPPORTED_OPERATION,
    }
)
LOG_ENDS = LOG_FAILURES | {LogStatus.UPLOADED, LogStatus.ACCEPTED_CANCELED}

DiagnosticsFact = (
    LogAsked
    | LogStatusRecorded
    | LogEnded
    | CustomerInformationAsked
    | CustomerInformationRecorded
    | CustomerInformationMissing
    | EventStreamOpened
    | EventStreamClosed
    | EventStreamAdjusted
    | EventStreamsListed
    | StreamValuesRecorded
)


class Upload(Procedure, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """An upload of a log."""

    kind: LogKind = LogKind.DIAGNOSTICS


class CustomerReport(Procedure, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A report about a customer. `part_next`: the sequence number that should come. `gaps`: a part is missing.

    `page`, `text`: the page that is being written.
    """

    part_next: int = 0
    gaps: bool = False
    page: int = 0
    text: str = ""


class Stream(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An open stream. `pending`: values that waited in the station last. `grown`: messages in a row with more."""

    stream_id: int
    monitor_id: int
    pending: int = 0
    grown: int = 0


class Diagnostics(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Oldest first. `statuses`, `messages`: how many statuses of logs, messages of streams there were, ever."""

    uploads: tuple[Upload, ...] = ()
    customers: tuple[CustomerReport, ...] = ()
    streams: tuple[Stream, ...] = ()
    statuses: int = 0
    messages: int = 0

    def after(self, fact: DiagnosticsFact) -> Self:
        """After something became true."""
        match fact:
            case LogAsked() | LogStatusRecorded() | LogEnded():
                return self._after_log(fact)
            case CustomerInformationAsked() | CustomerInformationRecorded() | CustomerInformationMissing():
                return replace(self, customers=self._after_customer(fact))
            case StreamValuesRecorded():
                return replace(self, messages=fact.number, streams=self._after_values(fact))
            case EventStreamOpened() | EventStreamClosed() | EventStreamAdjusted() | EventStreamsListed():
                return replace(self, streams=self._after_stream(fact))
            case _:
                assert_never(fact)

    def upload(self, request_id: int | None) -> Upload | None:
        """The one of this number; None: the youngest that has not ended."""
        return procedures.find(self.uploads, request_id)

    def customer(self, request_id: int) -> CustomerReport | None:
        """The report of this number."""
        return procedures.find(self.customers, request_id)

    def stream(self, stream_id: int) -> Stream | None:
        """The open one of this number."""
        return next((known for known in self.streams if known.stream_id == stream_id), None)

    def _after_log(self, fact: LogAsked | LogStatusRecorded | LogEnded) -> Self:
        if isinstance(fact, LogEnded):
            how = procedures.silenced if fact.stalled else procedures.cancelled
            return replace(self, uploads=how(self.uploads, fact.request_id))
        known = None if fact.request_id is None else procedures.find(self.uploads, fact.request_id)
        if isinstance(fact, LogAsked):
            ended = fact.accepted is False or (known is not None and known.ended)
            upload = replace(
                known or Upload(fact.request_id, kind=fact.kind),
                ended=ended,
                expected_by=None if ended else fact.expected_by,
            )
            return replace(self, uploads=procedures.put(self.uploads, upload, UPLOADS_MAX))
        counted = replace(self, statuses=fact.number)
        if known is None:
            return counted
        ended = fact.status in LOG_ENDS
        told = replace(known, status=fact.status.value, ended=ended, expected_by=None if ended else fact.expected_by)
        return replace(counted, uploads=procedures.put(self.uploads, told, UPLOADS_MAX))

    def _after_customer(
        self, fact: CustomerInformationAsked | CustomerInformationRecorded | CustomerInformationMissing
    ) -> tuple[CustomerReport, ...]:
        known = self.customer(fact.request_id)
        match fact:
            case CustomerInformationAsked():
                ended = fact.accepted is False or (known is not None and known.ended)
                report = known or CustomerReport(fact.request_id)
                changed = replace(report, ended=ended, expected_by=None if ended else fact.expected_by)
                return procedures.put(self.customers, changed, CUSTOMERS_MAX)
            case CustomerInformationRecorded() if known is not None:
                changed = replace(
                    known,
                    ended=not fact.more,
                    part_next=fact.sequence + 1,
                    gaps=fact.sequence > 0 and (known.gaps or fact.sequence > known.part_next),
                    page=fact.page,
                    text=fact.text if fact.more else "",
                    expected_by=fact.expected_by,
                )
                return procedures.put(self.customers, changed, CUSTOMERS_MAX)
            case CustomerInformationMissing() if known is not None:
                changed = replace(known, expected_by=None, page=known.page + 1, text="")
                return procedures.put(self.customers, changed, CUSTOMERS_MAX)
            case _:
                return self.customers

    def _after_values(self, fact: StreamValuesRecorded) -> tuple[Stream, ...]:
        known = self.stream(fact.stream_id)
        if known is None:
            return self.streams
        grown = known.grown + 1 if fact.pending > known.pending else 0
        changed = replace(known, pending=fact.pending, grown=grown)
        return tuple(changed if each is known else each for each in self.streams)

    def _after_stream(
        self, fact: EventStreamOpened | EventStreamClosed | EventStreamAdjusted | EventStreamsListed
    ) -> tuple[Stream, ...]:
        match fact:
            case EventStreamOpened(stream=opened, accepted=accepted):
                others = tuple(known for known in self.streams if known.stream_id != opened.stream_id)
                return (*others, _remembered(opened))[-STREAMS_MAX:] if accepted else others
            case EventStreamClosed():
                return tuple(known for known in self.streams if known.stream_id != fact.stream_id)
            case EventStreamAdjusted():
                return tuple(
                    replace(known, grown=0) if known.stream_id == fact.stream_id else known for known in self.streams
                )
            case EventStreamsListed():
                return tuple(_remembered(stream) for stream in fact.streams[-STREAMS_MAX:])
            case _:
                assert_never(fact)


def _remembered(stream: EventStream) -> Stream:
    return Stream(stream.stream_id, stream.monitor_id)
