"""Diagnostics: logs, customer information and periodic event streams. OCPP 2.1 block N.

Translates; never decides, never remembers. Event streams are 2.1's: 2.0.1 says what to use instead.
"""

from msgspec.structs import replace

from engine.model.commands import Outcome
from engine.model.diagnostics import (
    AdjustEventStream,
    CustomerInformation,
    CustomerInformationReported,
    EventStream,
    EventStreamAnswer,
    EventStreamGone,
    EventStreamOffered,
    GetEventStreams,
    GetLog,
    LogFile,
    LogKind,
    LogStatus,
    LogStatusReported,
    StreamsFound,
    StreamValue,
    StreamValuesReported,
)
from engine.model.envelopes import Answer
from engine.model.notices import NoticeAnswer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import authorization
from engine.ocpp.versions import Version

BLOCK = "diagnostics"
_NO_STREAMS = "OCPP 2.0.1 has no event streams: set a periodic monitor, whose values come as events"
REASON_LENGTH_MAX = 20
DETAIL_LENGTH_MAX = 1024


def report_from_log_status_notification(payload: Payload, _version: Version) -> LogStatusReported:
    """How far an upload is."""
    return LogStatusReported(
        status=LogStatus(payload["status"]),
        request_id=payload.get("requestId"),
        detail=outcomes.detail_of(payload),
    )


def report_from_notify_customer_information(payload: Payload, _version: Version) -> CustomerInformationReported:
    """A part of what a station keeps of a customer."""
    return CustomerInformationReported(
        request_id=payload["requestId"],
        sequence=payload["seqNo"],
        text=payload["data"],
        more=payload.get("tbc") is True,
    )


def report_from_open_periodic_event_stream(payload: Payload, _version: Version) -> EventStreamOffered:
    """A stream that a station wants to open."""
    return EventStreamOffered(_stream(payload["constantStreamData"]))


def report_from_close_periodic_event_stream(payload: Payload, _version: Version) -> EventStreamGone:
    """A stream that is closed."""
    return EventStreamGone(payload["id"])


def report_from_notify_periodic_event_stream(payload: Payload, _version: Version) -> StreamValuesReported:
    """Values of a stream, as they came."""
    return StreamValuesReported(
        stream_id=payload["id"],
        pending=payload["pending"],
        values=tuple(StreamValue(float(each["t"]), each["v"]) for each in payload["data"]),
        base_at=times.parse(payload["basetime"]),
    )


def taken_note_of(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(NoticeAnswer, answer, "a message of diagnostics")
    return {}


def open_periodic_event_stream_response(answer: Answer, _version: Version) -> Payload:
    """Yes or no, and why not."""
    given = expected(EventStreamAnswer, answer, "OpenPeriodicEventStream")
    payload: Payload = {"status": "Accepted" if given.accepted else "Rejected"}
    if given.reason is not None:
        info = {"reasonCode": given.reason[:REASON_LENGTH_MAX]}
        if given.detail is not None:
            info["additionalInfo"] = given.detail[:DETAIL_LENGTH_MAX]
        payload["statusInfo"] = info
    return payload


def get_log_from_get_log(command: GetLog, version: Version) -> tuple[str, Payload]:
    """A log of a span of time.

    Raises:
        NotExpressible: The data collector's log in 2.0.1.
    """
    if command.kind is LogKind.DATA_COLLECTOR and version is not Version.V21:
        raise NotExpressible(f"OCPP {version} has no log of a data collector: ask for DiagnosticsLog or SecurityLog")
    log: Payload = {"remoteLocation": command.location}
    if command.oldest_at is not None:
        log["oldestTimestamp"] = times.format(command.oldest_at)
    if command.latest_at is not None:
        log["latestTimestamp"] = times.format(command.latest_at)
    payload: Payload = {"log": log, "logType": command.kind.value, "requestId": command.request_id or 0}
    if command.retries is not None:
        payload["retries"] = command.retries
    if command.retry_interval_s is not None:
        payload["retryInterval"] = command.retry_interval_s
    return "GetLog", payload


def outcome_from_get_log_response(payload: Payload, version: Version) -> Outcome:
    """The status, and the file's name where the station gives one."""
    outcome = outcomes.from_status_field(payload, version)
    name = payload.get("filename")
    return replace(outcome, found=LogFile(name)) if name else outcome


def customer_information_from_customer_information(
    command: CustomerInformation, version: Version
) -> tuple[str, Payload]:
    """Report or clear, of one customer.

    Raises:
        NotExpressible: Neither is asked for, or the customer is named in no way or in several (N09.FR.04, N09.FR.09).
    """
    named = [each for each in (command.token, command.certificate, command.customer_identifier) if each is not None]
    if len(named) != 1:
        raise NotExpressible(
            f"OCPP {version} wants the customer named in exactly one way (N09.FR.09), not in {len(named)}: by token, "
            "certificate or customer_identifier"
        )
    if not command.report and not command.clear:
        raise NotExpressible("neither report nor clear is wanted, which stations refuse (N09.FR.07): set one of them")
    payload: Payload = {
        "requestId": command.request_id or 0,
        "report": command.report,
        "clear": command.clear,
    }
    if command.token is not None:
        payload["idToken"] = authorization.id_token_from_token(command.token, version)
    if command.customer_identifier is not None:
        payload["customerIdentifier"] = command.customer_identifier
    if command.certificate is not None:
        payload["customerCertificate"] = {
            "hashAlgorithm": command.certificate.algorithm.value,
            "issuerNameHash": command.certificate.issuer_name_hash,
            "issuerKeyHash": command.certificate.issuer_key_hash,
            "serialNumber": command.certificate.serial_number,
        }
    return "CustomerInformation", payload


def adjust_periodic_event_stream_from_adjust_event_stream(
    command: AdjustEventStream, version: Version
) -> tuple[str, Payload]:
    """Another rate.

    Raises:
        NotExpressible: In 2.0.1, or without interval and values (N14.FR.01).
    """
    _require_streams(version)
    params = stream_parameters(command.interval_s, command.values)
    return "AdjustPeriodicEventStream", {"id": command.stream_id, "params": params}


def get_periodic_event_stream_from_get_event_streams(
    _command: GetEventStreams, version: Version
) -> tuple[str, Payload]:
    """Which are open. Raises NotExpressible: in 2.0.1."""
    _require_streams(version)
    return "GetPeriodicEventStream", {}


def outcome_from_get_periodic_event_stream_response(payload: Payload, _version: Version) -> Outcome:
    """All open streams; none where the list is left out (N12.FR.01)."""
    found = StreamsFound(tuple(_stream(each) for each in payload.get("constantStreamData") or ()))
    return replace(outcomes.from_status(None, payload), found=found)


def stream_parameters(interval_s: int | None, values: int | None) -> Payload:
    """PeriodicEventStreamParamsType.

    Raises:
        NotExpressible: Neither is given (N11.FR.09).
    """
    params = {name: value for name, value in (("interval", interval_s), ("values", values)) if value is not None}
    if not params:
        raise NotExpressible("a stream needs interval_s or values or both (N11.FR.09): how else would it be flushed")
    return params


def _stream(data: Payload) -> EventStream:
    """A ConstantStreamDataType."""
    params = data["params"]
    return EventStream(
        stream_id=data["id"],
        monitor_id=data["variableMonitoringId"],
        interval_s=params.get("interval"),
        values=params.get("values"),
    )


def _require_streams(version: Version) -> None:
    if version is not Version.V21:
        raise NotExpressible(_NO_STREAMS)


FROM_STATION = (
    StationCall(
        action="LogStatusNotification",
        block=BLOCK,
        report=report_from_log_status_notification,
        response=taken_note_of,
    ),
    StationCall(
        action="NotifyCustomerInformation",
        block=BLOCK,
        report=report_from_notify_customer_information,
        response=taken_note_of,
    ),
)
FROM_STATION_21 = (
    StationCall(
        action="OpenPeriodicEventStream",
        block=BLOCK,
        report=report_from_open_periodic_event_stream,
        response=open_periodic_event_stream_response,
    ),
    StationCall(
        action="ClosePeriodicEventStream",
        block=BLOCK,
        report=report_from_close_periodic_event_stream,
        response=taken_note_of,
    ),
    StationCall(
        action="NotifyPeriodicEventStream",
        block=BLOCK,
        report=report_from_notify_periodic_event_stream,
        response=None,
    ),
)
FROM_CSMS = (
    CsmsCall(action="GetLog", block=BLOCK, outcome=outcome_from_get_log_response),
    CsmsCall(action="CustomerInformation", block=BLOCK, outcome=outcomes.from_status_field),
)
FROM_CSMS_21 = (
    CsmsCall(action="AdjustPeriodicEventStream", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetPeriodicEventStream", block=BLOCK, outcome=outcome_from_get_periodic_event_stream_response),
)
COMMANDS = (
    CommandTranslator(command=GetLog, call=get_log_from_get_log),
    CommandTranslator(command=CustomerInformation, call=customer_information_from_customer_information),
    CommandTranslator(command=AdjustEventStream, call=adjust_periodic_event_stream_from_adjust_event_stream),
    CommandTranslator(command=GetEventStreams, call=get_periodic_event_stream_from_get_event_streams),
)
