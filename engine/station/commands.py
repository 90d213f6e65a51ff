"""Commands: from request to outcome.

                       offline, refused, queue full, too late
    CommandRequest ----------------------------------------------.
        |  Record(CommandRequested), Send(Dispatch)               |
        v                                                         v
      open ---- CommandReplied ---------------------------->  settled   Record(CommandSettled), Settle
        |------ deadline over (Tick): TIMED_OUT ------------->    ^
        '------ its session ended or was superseded: LOST --->    |
                                        a late CommandReplied ----'   recorded once more

A request that comes twice is the same request: it is sent again while open (the ingress knows the `command_id`), and
told its outcome once settled.
"""

from datetime import datetime

from engine.model.commands import (
    CommandReplied,
    CommandRequest,
    CommandRequested,
    CommandSettled,
    Outcome,
    Result,
)
from engine.model.envelopes import Dispatch
from engine.station import remote_control
from engine.station.context import Context
from engine.station.effects import Effect, Record, Send, Settle
from engine.station.state import Session, StationState

UNCERTAIN = frozenset({Result.TIMED_OUT, Result.LOST})
"""Results that a late answer makes certain."""

_OFFLINE = Outcome(Result.OFFLINE, detail="The station is not connected; nothing was sent.")
_TOO_LATE = Outcome(Result.TIMED_OUT, detail="The deadline was over before it could be sent; nothing was sent.")
_TIMED_OUT = Outcome(Result.TIMED_OUT, detail="The station did not answer in time; it may still have done it.")
_LOST = Outcome(Result.LOST, detail="The connection ended before the station answered; it may have done it.")


def requested(state: StationState, request: CommandRequest, context: Context) -> tuple[Effect, ...]:
    """Sends the command, or settles it at once; either way it is on record."""
    outcome = state.queue.outcome(request.command_id)
    if outcome is not None:
        return (Settle(request.command_id, outcome),)
    known = state.queue.find(request.command_id)
    if known is not None:
        return _dispatched(state.session, known.request)
    hindered = _hindrance(state, request, context)
    if hindered is not None:
        return Record(CommandRequested(request)), *_settled(request.command_id, hindered, context.now)
    numbered = remote_control.numbered(state, request)
    return Record(CommandRequested(numbered)), *_dispatched(state.session, numbered)


def replied(state: StationState, reply: CommandReplied, context: Context) -> tuple[Effect, ...]:
    """Settles the command. An answer to one that was given up or forgotten is recorded once more, a repeat is not."""
    before = state.queue.outcome(reply.command_id)
    if state.queue.find(reply.command_id) is None and before is not None:
        makes_certain = before.result in UNCERTAIN and reply.outcome.result not in UNCERTAIN
        if not makes_certain:
            return ()
    return _settled(reply.command_id, reply.outcome, context.now)


def expired(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up the commands whose deadline is over."""
    late = (command.request for command in state.queue.open if command.request.deadline_at <= context.now)
    return tuple(effect for request in late for effect in _settled(request.command_id, _TIMED_OUT, context.now))


def lost(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up all that was sent over the session that is over."""
    ids = (command.request.command_id for command in state.queue.open)
    return tuple(effect for command_id in ids for effect in _settled(command_id, _LOST, context.now))


def resend(state: StationState) -> tuple[Effect, ...]:
    """Sends the open commands once more, for an actor that came back and does not know what went out before."""
    return tuple(effect for command in state.queue.open for effect in _dispatched(state.session, command.request))


def next_deadline(state: StationState) -> datetime | None:
    """When the next `Tick` has something to do; None: no command is open."""
    return min((command.request.deadline_at for command in state.queue.open), default=None)


def _hindrance(state: StationState, request: CommandRequest, context: Context) -> Outcome | None:
    """What the command comes to without being sent; None: it can be."""
    if state.session is None:
        return _OFFLINE
    if request.deadline_at <= context.now:
        return _TOO_LATE
    open_max = context.policy.commands_open_max
    if len(state.queue.open) >= open_max:
        detail = f"{open_max} commands already wait for this station's answers. Wait until some are settled."
        return Outcome(Result.REFUSED, detail=detail)
    reason = remote_control.refusal(state, request.command, context)
    return None if reason is None else Outcome(Result.REFUSED, detail=reason)


def _dispatched(session: Session | None, request: CommandRequest) -> tuple[Effect, ...]:
    if session is None:
        return ()
    dispatch = Dispatch(
        station=request.station,
        session=session.session,
        command_id=request.command_id,
        command=request.command,
        deadline_at=request.deadline_at,
    )
    return (Send(session.ingress, dispatch),)


def _settled(command_id: str, outcome: Outcome, now: datetime) -> tuple[Effect, Effect]:
    fact = CommandSettled(command_id=command_id, outcome=outcome, at=now)
    return Record(fact), Settle(command_id, outcome)
