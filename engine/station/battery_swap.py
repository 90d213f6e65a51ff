"""Battery swap: batteries go in and out, and belong together by the request id. OCPP 2.1 block S.

                  BatteryIn             BatteryOut, BatteryOutTimeout
    (asked) -----------------> in -----------------------------------> over
       |                        ^                 a BatteryIn after it begins a new swap of the same id
       |   none within IN_S     '--- begun at the station (S01): nobody asked
       '--> lapsed (Alarm)

Every event is recorded; what is out of order is flagged.
"""

from datetime import datetime, timedelta

from engine.model.battery_swap import (
    BatterySwapAnswer,
    BatterySwapReported,
    RequestBatterySwap,
    SwapEvent,
    SwapFlag,
    SwapLapsed,
    SwapMoved,
    SwapRequested,
)
from engine.model.commands import CommandRequest, Outcome, Result
from engine.station.context import Context
from engine.station.effects import Effect, Record, Reply
from engine.station.known_swaps import IN_S, KnownSwap
from engine.station.state import StationState


def swap_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """The station lets the driver swap. A battery may have come in before this answer."""
    command = request.command
    assert isinstance(command, RequestBatterySwap), command
    request_id = command.request_id or 0
    known = state.swaps.find(request_id)
    if outcome.result is not Result.ACCEPTED or (known is not None and known.began_at >= request.requested_at):
        return ()
    return (Record(SwapRequested(request_id, command.token, began_at=context.now, at=context.now)),)


def reported(state: StationState, report: BatterySwapReported, context: Context) -> tuple[Effect, ...]:
    """Records what went in or out, with the swap it belongs to."""
    known = state.swaps.find(report.request_id)
    begins_anew = known is not None and known.over and report.event is SwapEvent.IN
    flags: tuple[SwapFlag, ...]
    if known is None or begins_anew:
        flags = () if report.event is SwapEvent.IN else (SwapFlag.OUT_WITHOUT_IN,)
        began_at = context.received_at
    else:
        flags = _oddities(known, report)
        began_at = known.began_at
    moved = SwapMoved(began_at=began_at, report=report, at=context.received_at, flags=flags)
    return Record(moved), Reply(BatterySwapAnswer())


def due_at(state: StationState) -> datetime | None:
    """When a swap that we asked for is given up."""
    return state.swaps.due_at


def ring(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up swaps into which no battery came."""
    return tuple(
        Record(SwapLapsed(swap.request_id, swap.began_at, context.now))
        for swap in state.swaps.swaps
        if swap.asked and swap.began_at + timedelta(seconds=IN_S) <= context.now
    )


def _oddities(known: KnownSwap, report: BatterySwapReported) -> tuple[SwapFlag, ...]:
    flags: list[SwapFlag] = []
    if report.event in known.events:
        flags.append(SwapFlag.REPEATED)
    elif known.over:
        flags.append(SwapFlag.AFTER_END)
    elif report.event is not SwapEvent.IN and SwapEvent.IN not in known.events:
        flags.append(SwapFlag.OUT_WITHOUT_IN)
    if report.token.key != known.token_key:
        flags.append(SwapFlag.OTHER_TOKEN)
    return tuple(flags)
