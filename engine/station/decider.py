"""The decider: what must be looked up, and what must be done, for each thing that happens to a station.

Total: no item in any state raises (but `JournalUnavailable` from `Ids`). It changes nothing: the caller writes the
records down and lets the state `evolve` by them, in order, before the next item. No effects at all means: done, nothing
to tell.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import assert_never

from engine.model.authorization import TokenPresented
from engine.model.commands import CommandCancel, CommandReplied, CommandRequest, CommandRequested, CommandSettled
from engine.model.envelopes import Event, Reported
from engine.model.facts import Fact
from engine.model.provisioning import BootReported, Registration, StationSeen
from engine.model.sessions import SessionClosed, SessionOpened
from engine.model.transactions import TransactionReported
from engine.model.word import Word
from engine.station import authorization, commands, provisioning, remote_control, sessions
from engine.station.blocks import ALARMS, OBJECTED, REPORTED, SETTLED, TIMED_PARTS
from engine.station.commands import resend
from engine.station.context import Context, Questions
from engine.station.effects import Deny, Effect, Record, Reply, Supersede
from engine.station.policy import Policy
from engine.station.state import StationState, evolve, fresh

__all__ = ["Item", "Tick", "decide", "next_deadline", "questions", "resend"]


class Tick(Word, frozen=True):
    """Time passed. Worth saying only when `next_deadline` is over."""


Item = Event | CommandRequest | CommandCancel | Tick

_timed = attrgetter(*TIMED_PARTS)
_UNTIMED = _timed(fresh(""))

_NO_QUESTIONS = Questions()
_RECORD_ONLY = Questions(record=True)


def questions(state: StationState, item: Item) -> Questions:
    """What must be looked up before deciding."""
    if not isinstance(item, Reported):
        accepted = state.registration is Registration.ACCEPTED or not isinstance(item, CommandRequest)
        return _NO_QUESTIONS if accepted else _RECORD_ONLY
    report = item.report
    record = state.registration is not Registration.ACCEPTED or isinstance(report, BootReported)
    token = report.token if isinstance(report, TokenPresented | TransactionReported) else None
    if token is not None and authorization.needs_lookup(token):
        return Questions((token.key,), record)
    return _RECORD_ONLY if record else _NO_QUESTIONS


def decide(state: StationState, item: Item, context: Context) -> tuple[Effect, ...]:
    """What must be done, in this order; records come before the reply that promises them."""
    match item:
        case Reported():
            return _reported(state, item, context)
        case SessionOpened():
            return _with_consequences(state, sessions.opened(state, item, context), context)
        case SessionClosed():
            return _with_consequences(state, sessions.closed(state, item, context), context)
        case CommandRequest():
            return _with_consequences(state, _requested(state, item, context), context)
        case CommandReplied():
            return _with_consequences(state, commands.replied(state, item, context), context)
        case CommandCancel():
            return _with_consequences(state, commands.cancelled(state, item, context), context)
        case Tick():
            return _with_consequences(state, _time_passed(state, context), context)
        case _:
            assert_never(item)


def next_deadline(state: StationState, policy: Policy) -> datetime | None:
    """When the next `Tick` has something to do; None: nothing is waited for."""
    due = commands.next_deadline(state, policy.connect_pause_s)
    if _timed(state) == _UNTIMED:  # nearly all stations, asked every second: the alarms cost forty times as much
        return due
    for alarm in ALARMS:
        at = alarm.due_at(state)
        if at is not None and (due is None or at < due):
            due = at
    return due


def _requested(state: StationState, request: CommandRequest, context: Context) -> tuple[Effect, ...]:
    reason = remote_control.refusal(state, request.command, context)
    objection = OBJECTED.get(type(request.command))
    if reason is None and objection is not None:
        reason = objection(state, request.command, context)
    return commands.requested(state, request, context, reason)


def _time_passed(state: StationState, context: Context) -> tuple[Effect, ...]:
    """What is due, one after the other: each sees what came before, so that a station gets one command at a time."""
    effects = commands.expired(state, context)
    state = _after(state, effects)
    for alarm in ALARMS:
        at = alarm.due_at(state)
        if at is not None and at <= context.now:
            rung = alarm.ring(state, context)
            state = _after(state, rung)
            effects = (*effects, *rung)
    return effects


def _with_consequences(state: StationState, effects: tuple[Effect, ...], context: Context) -> tuple[Effect, ...]:
    """The effects, and what the settled commands among them mean for their blocks."""
    settled = [fact for fact in _facts(effects) if isinstance(fact, CommandSettled)]
    if not settled:
        return effects
    asked = {fact.request.command_id: fact.request for fact in _facts(effects) if isinstance(fact, CommandRequested)}
    after = _after(state, effects)
    for fact in settled:
        known = state.queue.find(fact.command_id)
        request = asked.get(fact.command_id) if known is None else known.request
        consequence = None if request is None else SETTLED.get(type(request.command))
        if request is not None and consequence is not None:
            more = consequence(after, request, fact.outcome, context)
            after = _after(after, more)
            effects = (*effects, *more)
    return effects


def _after(state: StationState, effects: Iterable[Effect]) -> StationState:
    """The state after the facts among the effects."""
    for fact in _facts(effects):
        state = evolve(state, fact)
    return state


def _facts(effects: Iterable[Effect]) -> list[Fact]:
    return [effect.fact for effect in effects if isinstance(effect, Record)]


def _reported(state: StationState, item: Reported, context: Context) -> tuple[Effect, ...]:
    if sessions.stale(state, item):
        return (Supersede(),)
    reason = provisioning.refusal(state, item.report, context)
    if reason is not None:
        return (Deny(reason),)
    effects = REPORTED[type(item.report)](state, item.report, context)
    if not isinstance(effects[0], Record) and _unseen(state, context):
        effects = Record(StationSeen(at=context.received_at)), *effects
    if item.message_id is None:
        return tuple(effect for effect in effects if not isinstance(effect, Reply))
    return effects


def _unseen(state: StationState, context: Context) -> bool:
    """Whether it is time to write down that the station lives, although it said nothing else worth recording."""
    if state.seen_at is None:
        return True
    return (context.received_at - state.seen_at).total_seconds() >= context.policy.seen_interval_s
