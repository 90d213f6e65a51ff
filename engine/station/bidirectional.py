"""Bidirectional power transfer: what transactions may use, and what stations say to signals. OCPP 2.1 block Q."""

from engine.model.bidirectional import (
    AfrrSignalSent,
    AllowEnergyTransfers,
    EnergyTransfersAllowed,
    SendAfrrSignal,
)
from engine.model.commands import CommandRequest, Outcome, Result
from engine.station.context import Context
from engine.station.effects import Effect, Record
from engine.station.state import StationState


def objection(state: StationState, command: AllowEnergyTransfers, _context: Context) -> str | None:
    """Why a transaction must not be told what it may use."""
    if not command.transfers:
        return "No kind of energy transfer is named: name one at least, or stop the transaction."
    if all(known.transaction_id != command.transaction_id for known in state.ledger.open):
        return f"No transaction {command.transaction_id[:50]!r} runs at the station: name one that does."
    return None


def transfers_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The station took note of it (and starts over with the car, Q02.FR.06)."""
    command = request.command
    assert isinstance(command, AllowEnergyTransfers), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    return (Record(EnergyTransfersAllowed(command.transaction_id, command.transfers, context.now)),)


def signal_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What the station said to the signal; without an answer nothing is known."""
    command = request.command
    assert isinstance(command, SendAfrrSignal), command
    if outcome.result not in (Result.ACCEPTED, Result.REFUSED):
        return ()
    accepted = outcome.result is Result.ACCEPTED
    return (Record(AfrrSignalSent(command.signal, command.at, accepted, context.now)),)
