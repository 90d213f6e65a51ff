"""Commands: from request to outcome. One command at a time is with the station; the others wait in its queue.

                       offline (unless it waits), refused, queue full, too late
    CommandRequest -------------------------------------------------------------.
        |  Record(CommandRequested)                                              |
        v                                                                        v
      waiting ---- deadline over (Tick): EXPIRED ---------------------------> settled
        |    |---- taken back (CommandCancel): CANCELLED ------------------->    ^     Record(CommandSettled), Settle
        |    '---- a newer one of its slot: REPLACED ----------------------->    |
        |  the station is free: Record(CommandSent), Send(Dispatch)              |
        v                                                                        |
      sent -------- CommandReplied ----------------------------------------->    |
             |----- no answer in time (Tick): TIMED_OUT -------------------->    |
             '----- its session ended or was superseded: LOST -------------->    |
                                                  a late CommandReplied ---------'   recorded once more

A request that comes twice is the same request: it is sent again while sent (the ingress knows the `command_id`), and
told its outcome once settled. What a command does to a block's own records is the decider's business (`SETTLED`).
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from engine.model.commands import (
    Command,
    CommandCancel,
    CommandReplied,
    CommandRequest,
    CommandRequested,
    CommandSent,
    CommandSettled,
    Outcome,
    Result,
)
from engine.model.envelopes import Dispatch
from engine.model.remote_control import RequestStart
from engine.station.context import Context
from engine.station.effects import Effect, Record, Send, Settle
from engine.station.queue import OpenCommand, Queue
from engine.station.state import Session, StationState, evolve

UNCERTAIN = frozenset({Result.TIMED_OUT, Result.LOST})
"""Results that a late answer makes certain."""
FOLLOW_UP_PRIORITY = 10
FOLLOW_UP_S = 3600.0
CANCEL = "cancel:"
"""What a `Settle` about the taking back of a command is named by, before the command's id."""

_OFFLINE = Outcome(Result.OFFLINE, detail="The station is not connected; nothing was sent.")
_WENT_OFFLINE = Outcome(Result.OFFLINE, detail="The connection ended before it could be sent; nothing was sent.")
_EXPIRED = Outcome(Result.EXPIRED, detail="The deadline was over before it could be sent; nothing was sent.")
_TIMED_OUT = Outcome(Result.TIMED_OUT, detail="The station did not answer in time; it may still have done it.")
_LOST = Outcome(Result.LOST, detail="The connection ended before the station answered; it may have done it.")
_REPLACED = Outcome(Result.REPLACED, detail="A newer command took its place before it could be sent.")
_ALREADY_SENT = Outcome(Result.REFUSED, detail="The command is with the station already; it cannot be taken back.")
_NOT_QUEUED = Outcome(Result.REFUSED, detail="No command of that id waits for this station.")


def requested(
    state: StationState, request: CommandRequest, context: Context, refusal: str | None = None
) -> tuple[Effect, ...]:
    """Sends the command, queues it, or settles it at once; either way it is on record.

    `refusal`: why the station must not be sent this now.
    """
    outcome = state.queue.outcome(request.command_id)
    if outcome is not None:
        return (Settle(request.command_id, outcome),)
    known = state.queue.find(request.command_id)
    if known is not None:
        return _dispatched(state.session, known)
    numbered = _numbered(state.queue, request)
    hindered = _hindrance(state, request, context, refusal)
    if hindered is not None:
        return Record(CommandRequested(numbered)), *_settled(request.command_id, hindered, context.now)
    recorded = Record(CommandRequested(numbered))
    replaced = _replaced(state, numbered, context.now)
    return *replaced, recorded, *_sent_next(_evolved(state, (*replaced, recorded)), context)


def issue(
    state: StationState,
    context: Context,
    command: Command,
    name: str,
    deadline_s: float = FOLLOW_UP_S,
    priority: int = FOLLOW_UP_PRIORITY,
) -> tuple[Effect, ...]:
    """A command that follows from something the station said or answered, with nobody to ask for it. It waits.

    `name`: tells this cause from all others of this station, e.g. `sign:<digest of the CSR>`: the same cause twice is
    the same command. `state`: as of before the event; issue several with `issue_all`.
    """
    request = CommandRequest(
        command_id=f"{name}@{state.station}",
        station=state.station,
        command=command,
        requested_at=context.now,
        deadline_at=context.now + timedelta(seconds=deadline_s),
        by="narke",
        priority=priority,
        waits=True,
    )
    return requested(state, request, context)


def issue_all(state: StationState, context: Context, wanted: tuple[tuple[str, Command], ...]) -> tuple[Effect, ...]:
    """Issues several commands, in this order; each with its name (see `issue`)."""
    effects: tuple[Effect, ...] = ()
    for name, command in wanted:
        more = issue(state, context, command, name)
        state = _evolved(state, more)
        effects = (*effects, *more)
    return effects


def replied(state: StationState, reply: CommandReplied, context: Context) -> tuple[Effect, ...]:
    """Settles the command and sends the next.

    An answer to one that was given up or forgotten is recorded once more, a repeat is not.
    """
    before = state.queue.outcome(reply.command_id)
    if state.queue.find(reply.command_id) is None and before is not None:
        makes_certain = before.result in UNCERTAIN and reply.outcome.result not in UNCERTAIN
        if not makes_certain:
            return ()
    settled = _settled(reply.command_id, reply.outcome, context.now)
    return *settled, *_sent_next(_evolved(state, settled), context)


def cancelled(state: StationState, cancel: CommandCancel, context: Context) -> tuple[Effect, ...]:
    """Takes back a command that waits; says what came of the attempt under `CANCEL` + id."""
    asked = CANCEL + cancel.command_id
    known = state.queue.find(cancel.command_id)
    if known is None:
        return (Settle(asked, state.queue.outcome(cancel.command_id) or _NOT_QUEUED),)
    if known.session is not None:
        return (Settle(asked, _ALREADY_SENT),)
    outcome = Outcome(Result.CANCELLED, detail=f"Taken back by {cancel.by or 'somebody'} before it was sent.")
    return *_settled(cancel.command_id, outcome, context.now), Settle(asked, outcome)


def expired(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up the commands whose time is over, and sends the next where the station is free."""
    effects: list[Effect] = []
    for command in state.queue.open:
        if command.due_at <= context.now:
            outcome = _EXPIRED if command.session is None else _TIMED_OUT
            effects += _settled(command.request.command_id, outcome, context.now)
    after = _evolved(state, tuple(effects))
    return *effects, *(_sent_next(after, context) if _may_send(after, context) else ())


def lost(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Gives up what was sent over the session that is over, and what does not wait for another."""
    effects: list[Effect] = []
    for command in state.queue.open:
        if command.session is not None or not command.request.waits:
            outcome = _WENT_OFFLINE if command.session is None else _LOST
            effects += _settled(command.request.command_id, outcome, context.now)
    return tuple(effects)


def resend(state: StationState) -> tuple[Effect, ...]:
    """Sends the open command once more, for an actor that came back and does not know what went out before."""
    return tuple(effect for command in state.queue.open for effect in _dispatched(state.session, command))


def next_deadline(state: StationState, connect_pause_s: float) -> datetime | None:
    """When the next `Tick` has something to do; None: no command is open."""
    queue = state.queue
    if not queue.open:
        return None
    due = min(command.due_at for command in queue.open)
    if state.session is None or queue.sent is not None:
        return due
    return min(due, state.session.at + timedelta(seconds=connect_pause_s))


def _hindrance(state: StationState, request: CommandRequest, context: Context, refusal: str | None) -> Outcome | None:
    """What the command comes to without being sent; None: it can be, now or later."""
    if state.session is None and not request.waits:
        return _OFFLINE
    if request.deadline_at <= context.now:
        return _EXPIRED
    open_max = context.policy.commands_open_max
    if len(state.queue.open) >= open_max:
        detail = f"{open_max} commands already wait for this station. Wait until some are settled, or cancel them."
        return Outcome(Result.REFUSED, detail=detail)
    return None if refusal is None else Outcome(Result.REFUSED, detail=refusal)


def _numbered(queue: Queue, request: CommandRequest) -> CommandRequest:
    """The request, its command with the remoteStartId or requestId that ties later messages to it (2.1 F02, B07)."""
    command = request.command
    if isinstance(command, RequestStart) and command.remote_start_id is None:
        return replace(request, command=replace(command, remote_start_id=queue.remote_start_next))
    if getattr(command, "request_id", 0) is None:
        return replace(request, command=replace(command, request_id=queue.request_next))
    return request


def _replaced(state: StationState, request: CommandRequest, now: datetime) -> tuple[Effect, ...]:
    """Settles what waits in the same slot: only the last counts."""
    slot = slot_of(request.command)
    if slot is None:
        return ()
    same = [command for command in state.queue.waiting if slot_of(command.request.command) == slot]
    return tuple(effect for command in same for effect in _settled(command.request.command_id, _REPLACED, now))


def slot_of(command: Command) -> str | None:
    """Of commands in the same slot only the last counts; None: each counts. A word tells it by a property `slot`."""
    slot: str | None = getattr(command, "slot", None)
    return slot


def _may_send(state: StationState, context: Context) -> bool:
    """Whether the station had the time to say first what it says first after connecting."""
    if state.session is None:
        return False
    return context.now >= state.session.at + timedelta(seconds=context.policy.connect_pause_s)


def _sent_next(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Sends the next command, if the station is connected and free."""
    command = state.queue.next
    if command is None or state.session is None:
        return ()
    answer_by = min(command.request.deadline_at, context.now + timedelta(seconds=context.policy.answer_s))
    fact = CommandSent(command.request.command_id, state.session.session, context.now, answer_by)
    sent = replace(command, session=fact.session, answer_by=answer_by)
    return Record(fact), *_dispatched(state.session, sent)


def _dispatched(session: Session | None, command: OpenCommand) -> tuple[Effect, ...]:
    if session is None or command.session is None:
        return ()
    dispatch = Dispatch(
        station=command.request.station,
        session=session.session,
        command_id=command.request.command_id,
        command=command.request.command,
        deadline_at=command.due_at,
    )
    return (Send(session.ingress, dispatch),)


def _settled(command_id: str, outcome: Outcome, now: datetime) -> tuple[Effect, Effect]:
    fact = CommandSettled(command_id=command_id, outcome=outcome, at=now)
    return Record(fact), Settle(command_id, outcome)


def _evolved(state: StationState, effects: tuple[Effect, ...]) -> StationState:
    """The state after the facts among the effects."""
    for effect in effects:
        if isinstance(effect, Record):
            state = evolve(state, effect.fact)
    return state
