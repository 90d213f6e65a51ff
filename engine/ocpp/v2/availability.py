"""Availability: StatusNotification, ChangeAvailability, and the EVSEs that other blocks name. OCPP 2.1 block G.

Translates; never decides, never remembers.
"""

from engine.model.availability import (
    ChangeAvailability,
    ConnectorStatus,
    ConnectorStatusAnswer,
    ConnectorStatusReported,
)
from engine.model.envelopes import Answer
from engine.model.ids import EvseRef
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.versions import Version

_STATUS_OF = {status.value: status for status in ConnectorStatus}


def evse_ref(evse_id: int, connector_id: int | None) -> EvseRef:
    """A place. Connectors count from 1 (part 1 section 7): a connectorId of 0, as some stations write, names none."""
    return EvseRef(evse=evse_id, connector=connector_id or None)


def evse_ref_from_evse(evse: Payload | None) -> EvseRef | None:
    """An EVSEType; None: the station did not say where."""
    return evse_ref(evse["id"], evse.get("connectorId")) if evse else None


def evse_from_evse_ref(evse: EvseRef | None, version: Version) -> Payload | None:
    """An EVSEType; None: the whole station, which 2.x says by saying nothing.

    Raises:
        NotExpressible: A number is negative, or a connector of the station itself is meant.
    """
    if evse is None or evse == EvseRef(evse=0):
        return None
    if evse.evse < 1 or (evse.connector is not None and evse.connector < 1):
        raise NotExpressible(
            f"OCPP {version} counts EVSEs and connectors from 1, there is no EVSE {evse.evse} with connector "
            f"{evse.connector}: leave the connector out, or use evse 0 alone for the whole station"
        )
    return {"id": evse.evse} if evse.connector is None else {"id": evse.evse, "connectorId": evse.connector}


def report_from_status_notification(payload: Payload, _version: Version) -> ConnectorStatusReported:
    """What a connector does; 2.x has no error codes here (it sends NotifyEvent)."""
    return ConnectorStatusReported(
        evse=evse_ref(payload["evseId"], payload["connectorId"]),
        status=_STATUS_OF[payload["connectorStatus"]],
        at=times.parse(payload["timestamp"]),
    )


def status_notification_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(ConnectorStatusAnswer, answer, "StatusNotification")
    return {}


def change_availability_from_change_availability(command: ChangeAvailability, version: Version) -> tuple[str, Payload]:
    """A connector, a whole EVSE, or (without evse) the station.

    Raises:
        NotExpressible: There is no such place.
    """
    payload: Payload = {"operationalStatus": "Operative" if command.operative else "Inoperative"}
    evse = evse_from_evse_ref(command.evse, version)
    if evse is not None:
        payload["evse"] = evse
    return "ChangeAvailability", payload


FROM_STATION = (
    StationCall(
        action="StatusNotification",
        block="availability",
        report=report_from_status_notification,
        response=status_notification_response,
    ),
)
FROM_CSMS = (CsmsCall(action="ChangeAvailability", block="availability", outcome=outcomes.from_status_field),)
COMMANDS = (CommandTranslator(command=ChangeAvailability, call=change_availability_from_change_availability),)
