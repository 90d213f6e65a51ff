"""Availability: connectors' statuses, and what they tell of charging. OCPP 1.6 section 4.9, 2.1 G01.

A status is no evidence that a transaction began or ended: it may overtake the queue of transaction messages (1.6
section 3.7). Only 1.6 has statuses that tell a charging state; they are tied to the open transaction on the connector.

What the operator wants of a place (in service or not) is kept beside what its connectors report: a change is accepted,
or scheduled for the end of a transaction (2.1 G03.FR.05), and reached when a connector of the place shows it.
"""

from engine.model.availability import (
    AvailabilityReached,
    AvailabilityWanted,
    ChangeAvailability,
    ConnectorStatus,
    ConnectorStatusAnswer,
    ConnectorStatusChanged,
    ConnectorStatusReported,
)
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.transactions import ChargingState, TransactionUpdated
from engine.station.awaited import Place
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

ACCEPTED = "Accepted"

_TAKEN = Reply(ConnectorStatusAnswer())


def reported(state: StationState, report: ConnectorStatusReported, context: Context) -> tuple[Effect, ...]:
    """Records the status and, where it tells one, the charging state of the transaction there."""
    changed = Record(ConnectorStatusChanged(report=report, received_at=context.received_at))
    reached = _reached(state, report, context) if state.service.changing else ()
    charging_state = CHARGING_STATE_OF_STATUS.get(report.status)
    known = None if charging_state is None else _transaction_at(state, report.evse)
    at = instant(report.at, context.received_at)
    if known is None or known.charging_state is charging_state or at < known.started_at:
        return changed, *reached, _TAKEN
    updated = TransactionUpdated(
        transaction_id=known.transaction_id,
        at=at,
        received_at=context.received_at,
        charging_state=charging_state,
    )
    return changed, Record(updated), *reached, _TAKEN


def change_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What a station said to a change of availability; a place may be there already."""
    command = request.command
    assert isinstance(command, ChangeAvailability), command
    if outcome.result not in (Result.ACCEPTED, Result.REFUSED) or outcome.status is None:
        return ()
    wanted = AvailabilityWanted(evse=command.evse, operative=command.operative, status=outcome.status, at=context.now)
    place = Place(command.evse.evse, command.evse.connector, command.operative)
    shown = any(
        _shows(place, EvseRef(connector.evse, connector.connector), connector.status) for connector in state.connectors
    )
    if outcome.result is Result.ACCEPTED and outcome.status == ACCEPTED and shown:
        reached = AvailabilityReached(evse=command.evse, operative=command.operative, noted_at=context.now)
        return Record(wanted), Record(reached)
    return (Record(wanted),)


def _reached(state: StationState, report: ConnectorStatusReported, context: Context) -> tuple[Effect, ...]:
    """The changes of availability that this status shows to have taken effect."""
    return tuple(
        Record(
            AvailabilityReached(
                evse=EvseRef(place.evse, place.connector), operative=place.operative, noted_at=context.now
            )
        )
        for place in state.service.changing
        if _shows(place, report.evse, report.status)
    )


def _shows(place: Place, at: EvseRef, status: ConnectorStatus) -> bool:
    """Whether a status shows that the place is in or out of service; a fault shows neither."""
    if status is ConnectorStatus.FAULTED or not place.holds(at):
        return False
    return place.operative is (status is not ConnectorStatus.UNAVAILABLE)


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
