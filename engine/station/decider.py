"""The decider: what must be looked up, and what must be done, for each thing that happens to a station.

Total: no item in any state raises (but `JournalUnavailable` from `Ids`). It changes nothing: the caller writes the
records down and lets the state `evolve` by them, in order, before the next item. No effects at all means: done, nothing
to tell.
"""

from typing import assert_never

from engine.model.authorization import TokenPresented
from engine.model.availability import ConnectorStatusReported
from engine.model.commands import CommandReplied, CommandRequest
from engine.model.data_transfer import DataReported
from engine.model.envelopes import Event, Report, Reported
from engine.model.metering import ReadingsReported
from engine.model.notices import StationNotice
from engine.model.provisioning import BootReported, HeartbeatReported, Registration, StationSeen
from engine.model.sessions import SessionClosed, SessionOpened
from engine.model.transactions import TransactionReported
from engine.model.word import Word
from engine.station import (
    authorization,
    availability,
    commands,
    data_transfer,
    metering,
    notices,
    provisioning,
    sessions,
    transactions,
)
from engine.station.commands import next_deadline, resend
from engine.station.context import Context, Questions
from engine.station.effects import Deny, Effect, Record, Reply, Supersede
from engine.station.state import StationState

__all__ = ["Item", "Tick", "decide", "next_deadline", "questions", "resend"]


class Tick(Word, frozen=True):
    """Time passed. Worth saying only when `next_deadline` is over."""


Item = Event | CommandRequest | Tick

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
            return sessions.opened(state, item, context)
        case SessionClosed():
            return sessions.closed(state, item, context)
        case CommandRequest():
            return commands.requested(state, item, context)
        case CommandReplied():
            return commands.replied(state, item, context)
        case Tick():
            return commands.expired(state, context)
        case _:
            assert_never(item)


def _reported(state: StationState, item: Reported, context: Context) -> tuple[Effect, ...]:
    if sessions.stale(state, item):
        return (Supersede(),)
    reason = provisioning.refusal(state, item.report, context)
    if reason is not None:
        return (Deny(reason),)
    effects = _decided(state, item.report, context)
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


def _decided(state: StationState, report: Report, context: Context) -> tuple[Effect, ...]:
    """By block. Never empty: every report has an answer."""
    match report:
        case TransactionReported():
            return transactions.reported(state, report, context)
        case HeartbeatReported():
            return provisioning.beaten(context)
        case ConnectorStatusReported():
            return availability.reported(state, report, context)
        case ReadingsReported():
            return metering.reported(report, context)
        case TokenPresented():
            return authorization.presented(report, context)
        case BootReported():
            return provisioning.booted(report, context)
        case DataReported():
            return data_transfer.reported(report, context)
        case StationNotice():
            return notices.reported(report, context)
        case _:
            assert_never(report)
