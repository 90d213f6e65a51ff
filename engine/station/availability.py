"""Availability: connectors' statuses, and what they tell of charging. OCPP 1.6 section 4.9, 2.1 G01.

A status is no evidence that a transaction began or ended: it may overtake the queue of transaction messages (1.6
section 3.7). Only 1.6 has statuses that tell a charging state; they are tied to the open transaction on the connector.
"""

from engine.model.availability import (
    ConnectorStatus,
    ConnectorStatusAnswer,
    ConnectorStatusChanged,
    ConnectorStatusReported,
)
from engine.model.ids import EvseRef
from engine.model.transactions import ChargingState, TransactionUpdated
from engine.station.clocks import instant
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.ledger import KnownTransaction
from engine.station.state import Connector, StationState

CHARGING_STATE_OF_STATUS = {
    ConnectorStatus.CHARGING: ChargingState.CHARGING,
    ConnectorStatus.SUSPENDED_EV: ChargingState.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE: ChargingState.SUSPENDED_EVSE,
}

_TAKEN = Reply(ConnectorStatusAnswer())


def reported(state: StationState, report: ConnectorStatusReported, context: Context) -> tuple[Effect, ...]:
    """Records the status and, where it tells one, the charging state of the transaction there."""
    changed = Record(ConnectorStatusChanged(report=report, received_at=context.received_at))
    charging_state = CHARGING_STATE_OF_STATUS.get(report.status)
    known = None if charging_state is None else _transaction_at(state, report.evse)
    at = instant(report.at, context.received_at)
    if known is None or known.charging_state is charging_state or at < known.started_at:
        return changed, _TAKEN
    updated = TransactionUpdated(
        transaction_id=known.transaction_id,
        at=at,
        received_at=context.received_at,
        charging_state=charging_state,
    )
    return changed, Record(updated), _TAKEN


def connector_at(state: StationState, place: EvseRef | None) -> Connector | None:
    """The last status of this very connector; None: never heard."""
    if place is None:
        return None
    for connector in state.connectors:
        if connector.evse == place.evse and connector.connector == place.connector:
            return connector
    return None


def _transaction_at(state: StationState, place: EvseRef) -> KnownTransaction | None:
    """The open transaction on this connector, the youngest if an older one was never stopped."""
    for known in reversed(state.ledger.open):
        if known.evse == place.evse and known.connector == place.connector:
            return known
    return None
