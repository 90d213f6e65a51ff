"""Availability in 1.6: StatusNotification and ChangeAvailability. Sections 4.9 and 5.2."""

from engine.model.availability import (
    ChangeAvailability,
    ConnectorStatus,
    ConnectorStatusReported,
)
from engine.model.envelopes import Answer
from engine.ocpp import outcomes, times
from engine.ocpp.translation import CommandTranslator, CsmsCall, Payload, StationCall
from engine.ocpp.v16.connectors import connector_id, evse_ref
from engine.ocpp.versions import Version

BLOCK = "availability"

_NO_ERROR = "NoError"


def report_from_status_notification(payload: Payload, _version: Version) -> ConnectorStatusReported:
    """What a connector can do now."""
    error_code = payload["errorCode"]
    return ConnectorStatusReported(
        evse=evse_ref(payload["connectorId"]),
        status=ConnectorStatus(payload["status"]),
        at=times.parse(payload.get("timestamp")),
        error_code=None if error_code == _NO_ERROR else error_code,
        info=payload.get("info") or None,
        vendor_id=payload.get("vendorId") or None,
        vendor_error_code=payload.get("vendorErrorCode") or None,
    )


def status_notification_response(_answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    return {}


def change_availability_from_command(command: ChangeAvailability, _version: Version) -> tuple[str, Payload]:
    """A connector, or the station as 0."""
    kind = "Operative" if command.operative else "Inoperative"
    return "ChangeAvailability", {"connectorId": connector_id(command.evse), "type": kind}


FROM_STATION = (
    StationCall(
        action="StatusNotification",
        block=BLOCK,
        report=report_from_status_notification,
        response=status_notification_response,
    ),
)
FROM_CSMS = (CsmsCall(action="ChangeAvailability", block=BLOCK, outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=ChangeAvailability, call=change_availability_from_command),)
