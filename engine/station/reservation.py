"""Reservations: what may be reserved, and what becomes of it. OCPP 2.1 block H, 1.6 sections 5.2 and 5.13.

    ReserveNow            Accepted             Active
                          no                   Faulted, Occupied, Rejected, Unavailable: never was
                          no answer            Uncertain: counts as kept; a late answer makes it certain
    CancelReservation     Accepted             Cancelled
                          Rejected             Removed: the station does not know it (H02.FR.01)
    station's update      Expired, Removed, NoTransaction
    a transaction         Used: it names the reservation, or runs on its token at its place (1.6 station may forget to)
    time                  Expired, a minute after its end if the station says nothing (1.6 never does)

What a station's update says of a reservation that Narke does not know, or that is over, is recorded and flagged; one
that only a transaction names stands with that transaction.
"""

from datetime import datetime

from engine.model.availability import ConnectorStatus
from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.ids import EvseRef
from engine.model.reservation import (
    CancelReservation,
    ReservationEnded,
    ReservationLapsed,
    ReservationMade,
    ReservationRefused,
    ReservationStatus,
    ReservationStatusAnswer,
    ReservationStatusReported,
    ReserveNow,
)
from engine.model.transactions import TransactionOpened, TransactionReported, TransactionUpdated
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.reserved import Reservation
from engine.station.state import StationState

UNCERTAIN = frozenset({Result.TIMED_OUT, Result.LOST})
_NO_OF_STATUS = {
    "Faulted": ReservationStatus.FAULTED,
    "Occupied": ReservationStatus.OCCUPIED,
    "Rejected": ReservationStatus.REJECTED,
    "Unavailable": ReservationStatus.UNAVAILABLE,
}
_NOT_FREE = frozenset(
    {
        ConnectorStatus.OCCUPIED,
        ConnectorStatus.PREPARING,
        ConnectorStatus.CHARGING,
        ConnectorStatus.SUSPENDED_EV,
        ConnectorStatus.SUSPENDED_EVSE,
        ConnectorStatus.FINISHING,
        ConnectorStatus.UNAVAILABLE,
        ConnectorStatus.FAULTED,
    }
)


def objection(state: StationState, command: ReserveNow, context: Context) -> str | None:
    """Why a place cannot be reserved, as far as Narke knows; None: it can."""
    if command.expires_at <= context.now:
        return f"The reservation would end at {command.expires_at.isoformat()}, which is over: give a later time."
    if command.evse is not None and command.evse.evse and command.connector_type is not None:
        return "A reservation is for an EVSE or for a type of connector: name one of them."
    if command.force or command.evse is None or command.evse.evse == 0:
        return None
    place = command.evse
    other = _reservation_at(state, place, command.request_id)
    if other is not None:
        return (
            f"EVSE {place.evse} is reserved until {other.expires_at.isoformat()} (reservation {other.reservation_id}): "
            "cancel that, give its id to replace it, or choose another EVSE."
        )
    if any(known.evse == place.evse and _meets(known.connector, place.connector) for known in state.ledger.open):
        return f"A transaction runs at EVSE {place.evse}: choose another, or say force if it is known to be over."
    taken = [there.status for there in state.connectors if there.evse == place.evse]
    if taken and all(status in _NOT_FREE for status in taken):
        return f"EVSE {place.evse} is {taken[-1].value}: choose another, or say force."
    return None


def _meets(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


def _reservation_at(state: StationState, place: EvseRef, reservation_id: int | None) -> Reservation | None:
    for kept in state.reserved.reservations:
        if kept.evse == place.evse and _meets(kept.connector, place.connector):
            return None if kept.reservation_id == reservation_id else kept
    return None


def reserved(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What became of a ReserveNow."""
    command = request.command
    assert isinstance(command, ReserveNow)
    assert command.request_id is not None, "a recorded command has its number"
    if outcome.result is Result.ACCEPTED or outcome.result in UNCERTAIN:
        made = ReservationMade(
            reservation_id=command.request_id,
            token=command.token,
            expires_at=command.expires_at,
            command_id=request.command_id,
            noted_at=context.now,
            evse=command.evse,
            connector_type=command.connector_type,
            group=command.group,
            certain=outcome.result is Result.ACCEPTED,
        )
        return (Record(made),)
    refused = ReservationRefused(
        reservation_id=command.request_id,
        token=command.token,
        expires_at=command.expires_at,
        command_id=request.command_id,
        status=_NO_OF_STATUS.get(outcome.status or "", ReservationStatus.FAILED),
        noted_at=context.now,
        evse=command.evse,
        connector_type=command.connector_type,
        detail=outcome.detail,
    )
    kept = state.reserved.find(command.request_id)
    if kept is not None and _same(kept, command):  # an answer after all to what was uncertain
        status = refused.status
        return Record(ReservationEnded(command.request_id, status, context.now)), Record(refused)
    return (Record(refused),) if kept is None else ()


def _same(kept: Reservation, command: ReserveNow) -> bool:
    return kept.token_key == command.token.key and kept.expires_at == command.expires_at


def cancelled(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """What became of a CancelReservation."""
    command = request.command
    assert isinstance(command, CancelReservation)
    answered = outcome.result is Result.ACCEPTED or outcome.status == "Rejected"
    if not answered or state.reserved.find(command.reservation_id) is None:
        return ()
    accepted = outcome.result is Result.ACCEPTED
    status = ReservationStatus.CANCELLED if accepted else ReservationStatus.REMOVED
    return (Record(ReservationEnded(command.reservation_id, status, context.now)),)


def reported(state: StationState, report: ReservationStatusReported, context: Context) -> tuple[Effect, ...]:
    """The station says what became of one (2.1 H01.FR.16, H01.FR.17, H04.FR.01)."""
    known = state.reserved.find(report.reservation_id) is not None
    ended = ReservationEnded(report.reservation_id, report.status, context.received_at, unknown=not known)
    return Record(ended), Reply(ReservationStatusAnswer())


def of_transaction(
    state: StationState, report: TransactionReported, effects: tuple[Effect, ...], context: Context
) -> tuple[Effect, ...]:
    """The effects of a transaction's message, and the reservation that it uses up."""
    if not state.reserved.reservations:
        return effects
    for effect in effects:
        fact = effect.fact if isinstance(effect, Record) else None
        if isinstance(fact, TransactionOpened | TransactionUpdated):
            group = None if fact.verdict is None else fact.verdict.group
            more = used(state, report, fact.transaction_id, group, context)
            return *map(Record, more), *effects
    return effects


def used(
    state: StationState, report: TransactionReported, transaction_id: str, group: str | None, context: Context
) -> tuple[ReservationEnded, ...]:
    """The reservation that a message of a transaction uses up (2.1 H01.FR.15, H03.FR.09).

    The one that it names; else the one at its place for its token or group, for some stations do not name it.
    """
    if report.reservation_id is not None:
        known = state.reserved.find(report.reservation_id)
        if known is not None:
            return (_used(known, transaction_id, context),)
        # One that nobody knows stands with its transaction; many stations say 0 or -1 where there is none.
    if report.token is None or not state.reserved.reservations:
        return ()
    for kept in state.reserved.reservations:
        mine = kept.token_key == report.token.key or (kept.group is not None and kept.group == group)
        there = kept.evse in (None, 0) or (report.evse is not None and kept.evse == report.evse.evse)
        if mine and there:
            return (_used(kept, transaction_id, context),)
    return ()


def _used(kept: Reservation, transaction_id: str, context: Context) -> ReservationEnded:
    return ReservationEnded(kept.reservation_id, ReservationStatus.USED, context.received_at, transaction_id)


def due_at(state: StationState) -> datetime | None:
    """When the next reservation lapses."""
    return state.reserved.due_at


def lapsed(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Reservations whose time is over."""
    over = [kept for kept in state.reserved.reservations if kept.lapses_at <= context.now]
    return tuple(Record(ReservationLapsed(kept.reservation_id, context.now)) for kept in over)
