"""Connectors: 1.6's connectorId and the words' `EvseRef`. n is the one connector of EVSE n, 0 is the station."""

from engine.model.ids import EvseRef
from engine.ocpp.errors import ErrorCode, RemoteError
from engine.ocpp.translation import NotExpressible

_STATION = EvseRef(evse=0)
_REFS = (_STATION, *(EvseRef(evse=n, connector=1) for n in range(1, 9)))
"""Words are frozen, so the usual ones are shared."""


def evse_ref(connector_id: int) -> EvseRef:
    """The place that a connectorId means.

    Raises:
        RemoteError: It is negative (the schema allows that).
    """
    if 0 <= connector_id < len(_REFS):
        return _REFS[connector_id]
    if connector_id < 0:
        text = f"connectorId: must be 0 or greater, not {connector_id}"
        raise RemoteError(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, text)
    return EvseRef(evse=connector_id, connector=1)


def evse_ref_or_none(connector_id: int) -> EvseRef | None:
    """The same for messages that must be answered whatever they say: a negative connectorId says nothing."""
    return evse_ref(connector_id) if connector_id >= 0 else None


def connector_id(evse: EvseRef) -> int:
    """The connectorId of a place.

    Raises:
        NotExpressible: A second connector of an EVSE: 1.6 numbers connectors through and knows no EVSEs.
    """
    if evse.connector not in (None, 1) or (evse.evse == 0 and evse.connector is not None):
        text = f"connector {evse.connector} of EVSE {evse.evse}"
        raise NotExpressible(f"OCPP 1.6 has no {text}: its connectorId n is EVSE n, connector 1")
    return evse.evse


def connector_id_above_zero(evse: EvseRef) -> int:
    """The connectorId of a place that must not be the station itself.

    Raises:
        NotExpressible: It is the station, or a second connector of an EVSE.
    """
    number = connector_id(evse)
    if number <= 0:
        raise NotExpressible("OCPP 1.6 wants a connector here, 1 or higher, not the station itself (0)")
    return number
