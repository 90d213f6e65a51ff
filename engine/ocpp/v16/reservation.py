"""Reservations in 1.6: ReserveNow, CancelReservation. Sections 5.2 and 5.13.

Translates; never decides, never remembers. connectorId 0 is whichever connector is free.
"""

from engine.model.reservation import CancelReservation, ReserveNow
from engine.ocpp import outcomes, times
from engine.ocpp.errors import LocalError
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v16.authorization import ID_TAG_LENGTH_MAX, id_tag
from engine.ocpp.v16.connectors import connector_id
from engine.ocpp.versions import Version

BLOCK = "reservation"


def reserve_now_from_reserve_now(command: ReserveNow, _version: Version) -> tuple[str, Payload]:
    """A connector, or 0, for an idTag and its parent.

    Raises:
        NotExpressible: A type of connector is asked for, or a name is too long.
    """
    if command.request_id is None:
        raise LocalError("a ReserveNow has no number: it was not recorded")
    if command.connector_type is not None:
        raise NotExpressible("OCPP 1.6 reserves no type of connector: name the connector, or leave it out for any")
    payload: Payload = {
        "connectorId": 0 if command.evse is None else connector_id(command.evse),
        "expiryDate": times.format(command.expires_at),
        "idTag": id_tag(command.token),
        "reservationId": command.request_id,
    }
    if command.group is not None:
        if len(command.group) > ID_TAG_LENGTH_MAX:
            raise NotExpressible(f"OCPP 1.6 holds {ID_TAG_LENGTH_MAX} characters in a group: use a shorter one")
        payload["parentIdTag"] = command.group
    return "ReserveNow", payload


def cancel_reservation_from_cancel_reservation(command: CancelReservation, _version: Version) -> tuple[str, Payload]:
    """By its number."""
    return "CancelReservation", {"reservationId": command.reservation_id}


FROM_CSMS = (
    CsmsCall(action="ReserveNow", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="CancelReservation", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=ReserveNow, call=reserve_now_from_reserve_now),
    CommandTranslator(command=CancelReservation, call=cancel_reservation_from_cancel_reservation),
)
