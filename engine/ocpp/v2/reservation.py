"""Reservations: ReserveNow, CancelReservation, ReservationStatusUpdate. OCPP 2.1 block H.

Translates; never decides, never remembers.
"""

from engine.model.envelopes import Answer
from engine.model.reservation import (
    CancelReservation,
    ReservationStatus,
    ReservationStatusAnswer,
    ReservationStatusReported,
    ReserveNow,
)
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.errors import LocalError
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import authorization, limits
from engine.ocpp.versions import Version

BLOCK = "reservation"

CONNECTOR_TYPE_LENGTH_MAX = 20
CONNECTOR_TYPES_201 = frozenset(
    {
        "cCCS1",
        "cCCS2",
        "cG105",
        "cTesla",
        "cType1",
        "cType2",
        "s309-1P-16A",
        "s309-1P-32A",
        "s309-3P-16A",
        "s309-3P-32A",
        "sBS1361",
        "sCEE-7-7",
        "sType2",
        "sType3",
        "Other1PhMax16A",
        "Other1PhOver16A",
        "Other3Ph",
        "Pan",
        "wInductive",
        "wResonant",
        "Undetermined",
        "Unknown",
    }
)
"""2.0.1 ConnectorEnumType; in 2.1 any text."""


def reserve_now_from_reserve_now(command: ReserveNow, version: Version) -> tuple[str, Payload]:
    """An EVSE, a type of connector or whatever is free, for a token and its group.

    A connector of an EVSE means the EVSE: all its connectors are reserved with it (H01.FR.23).

    Raises:
        NotExpressible: A token does not fit, or this version has no such type of connector.
    """
    if command.request_id is None:
        raise LocalError("a ReserveNow has no number: it was not recorded")
    payload: Payload = {
        "id": command.request_id,
        "expiryDateTime": times.format(command.expires_at),
        "idToken": authorization.id_token_from_token(command.token, version),
    }
    if command.evse is not None and command.evse.evse:
        payload["evseId"] = command.evse.evse
    if command.connector_type is not None:
        payload["connectorType"] = _connector_type(command.connector_type, version)
    if command.group is not None:
        length_max = limits.LIMITS_OF[version].token_length_max
        limits.require_length(command.group, length_max, "a group", version)
        payload["groupIdToken"] = {"idToken": command.group, "type": authorization.GROUP_TYPE}
    return "ReserveNow", payload


def _connector_type(name: str, version: Version) -> str:
    if version is Version.V201 and name not in CONNECTOR_TYPES_201:
        known = ", ".join(sorted(CONNECTOR_TYPES_201))
        raise NotExpressible(f"OCPP {version} has no connector type {name!r}: use one of {known}")
    return limits.require_length(name, CONNECTOR_TYPE_LENGTH_MAX, "a connector type", version)


def cancel_reservation_from_cancel_reservation(command: CancelReservation, version: Version) -> tuple[str, Payload]:
    """By its id.

    Raises:
        NotExpressible: The id is negative.
    """
    if command.reservation_id < 0:
        raise NotExpressible(f"OCPP {version} has no reservation {command.reservation_id}: ids are 0 or more")
    return "CancelReservation", {"reservationId": command.reservation_id}


def report_from_reservation_status_update(payload: Payload, _version: Version) -> ReservationStatusReported:
    """What became of one."""
    return ReservationStatusReported(
        reservation_id=payload["reservationId"], status=ReservationStatus(payload["reservationUpdateStatus"])
    )


def reservation_status_update_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(ReservationStatusAnswer, answer, "ReservationStatusUpdate")
    return {}


FROM_STATION = (
    StationCall(
        action="ReservationStatusUpdate",
        block=BLOCK,
        report=report_from_reservation_status_update,
        response=reservation_status_update_response,
    ),
)
FROM_CSMS = (
    CsmsCall(action="ReserveNow", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="CancelReservation", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=ReserveNow, call=reserve_now_from_reserve_now),
    CommandTranslator(command=CancelReservation, call=cancel_reservation_from_cancel_reservation),
)
