"""Follow-ups: what must come of a command that a station accepted, and whether it did. OCPP 2.1 F01 to F03, B11.

    command          must follow                                              until
    RequestStart     a transaction with its remoteStartId, or (1.6) token     start_s: nobody plugged in
    RequestStop      the end of that transaction                              stop_s
    ResetStation     a boot (not of a reset of one EVSE)                      reset_s; Scheduled: without end

What follows may come before the answer to the command.
"""

from datetime import datetime, timedelta

from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.provisioning import ResetStation
from engine.model.remote_control import (
    FollowUp,
    FollowUpAwaited,
    FollowUpCame,
    FollowUpMissing,
    RequestStart,
    RequestStop,
)
from engine.model.transactions import Stage, TransactionReported
from engine.station.context import Context
from engine.station.effects import Effect, Record
from engine.station.ledger import KnownTransaction
from engine.station.state import StationState

SCHEDULED = "Scheduled"


def start_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A transaction must follow, unless it is there already."""
    command = request.command
    assert isinstance(command, RequestStart), command
    if outcome.result is not Result.ACCEPTED:
        return ()
    awaited = FollowUpAwaited(
        command_id=request.command_id,
        what=FollowUp.START,
        noted_at=context.now,
        due_at=context.now + timedelta(seconds=context.policy.provisioning.start_s),
        token=command.token.key,
        evse=command.evse,
        remote_start_id=command.remote_start_id,
    )
    for known in state.ledger.open:
        if known.started and known.started_at >= request.requested_at and _is_of(awaited, known):
            return Record(awaited), Record(_came(awaited, context, known.transaction_id))
    return (Record(awaited),)


def stop_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The end of the transaction must follow, unless it is over already."""
    command = request.command
    assert isinstance(command, RequestStop), command
    known = state.ledger.find(command.transaction_id)
    if outcome.result is not Result.ACCEPTED or known is None or known.ended_at is not None:
        return ()
    awaited = FollowUpAwaited(
        command_id=request.command_id,
        what=FollowUp.STOP,
        noted_at=context.now,
        due_at=context.now + timedelta(seconds=context.policy.provisioning.stop_s),
        transaction_id=command.transaction_id,
    )
    return (Record(awaited),)


def reset_settled(
    _state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A boot must follow; a station that waits for the end of its transactions has all the time."""
    command = request.command
    assert isinstance(command, ResetStation), command
    if outcome.result is not Result.ACCEPTED or command.evse:
        return ()
    waits = outcome.status == SCHEDULED
    due_at = None if waits else context.now + timedelta(seconds=context.policy.provisioning.reset_s)
    awaited = FollowUpAwaited(command_id=request.command_id, what=FollowUp.BOOT, noted_at=context.now, due_at=due_at)
    return (Record(awaited),)


def booted(state: StationState, context: Context) -> tuple[Effect, ...]:
    """The station has booted: resets have taken effect."""
    return tuple(Record(_came(item, context)) for item in state.awaited.of(FollowUp.BOOT))


def said(state: StationState, report: TransactionReported, transaction_id: str, context: Context) -> tuple[Effect, ...]:
    """What a message about a transaction brings of what is awaited. Call it only when something is."""
    return tuple(
        Record(_came(item, context, transaction_id))
        for item in state.awaited.items
        if (item.what is FollowUp.START and _starts(item, report))
        or (item.what is FollowUp.STOP and report.stage is Stage.ENDED and item.transaction_id == transaction_id)
    )


def due_at(state: StationState) -> datetime | None:
    """When the next follow-up is given up."""
    return state.awaited.due_at


def ring(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up what did not follow in time."""
    return tuple(
        Record(FollowUpMissing(command_id=item.command_id, what=item.what, noted_at=context.now))
        for item in state.awaited.items
        if item.due_at is not None and item.due_at <= context.now
    )


def _came(item: FollowUpAwaited, context: Context, transaction_id: str | None = None) -> FollowUpCame:
    return FollowUpCame(command_id=item.command_id, what=item.what, noted_at=context.now, transaction_id=transaction_id)


def _starts(item: FollowUpAwaited, report: TransactionReported) -> bool:
    """Whether the message is of the transaction that the remote start asked for."""
    if report.remote_start_id is not None:
        return report.remote_start_id == item.remote_start_id
    if report.stage is not Stage.STARTED or report.token is None or report.token.key != item.token:
        return False
    return item.evse is None or report.evse is None or item.evse.evse == report.evse.evse


def _is_of(item: FollowUpAwaited, known: KnownTransaction) -> bool:
    if known.token_key != item.token:
        return False
    return item.evse is None or known.evse is None or item.evse.evse == known.evse
