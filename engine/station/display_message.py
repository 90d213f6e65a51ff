"""Display messages: which a station shows, as far as can be known from here. OCPP 2.1 O01 to O06.

A message is there once the station accepted it. It is gone when it was cleared, when its end has come (O01.FR.07),
when its transaction ended (O02.FR.02), when another took its place in front (O01.FR.16), or when a report of all does
not have it.
What the device model says a station cannot show is not sent to it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from engine.model.commands import CommandRequest, Outcome, Result
from engine.model.display_message import (
    ClearDisplayMessage,
    DisplayMessageGone,
    DisplayMessagesAsked,
    DisplayMessageSet,
    DisplayMessagesRecorded,
    DisplayMessagesReported,
    DisplayReportMissing,
    GetDisplayMessages,
    MessagePriority,
    SetDisplayMessage,
)
from engine.model.notices import NoticeAnswer
from engine.station import procedures
from engine.station.clocks import instant
from engine.station.context import Context
from engine.station.display_memory import Shown
from engine.station.effects import Effect, Record, Reply
from engine.station.procedures import Said
from engine.station.state import StationState, evolve

_TAKEN = Reply(NoticeAnswer())
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_GONE_WORDS = {"Accepted": "cleared", "Unknown": "unknown"}


def reported(state: StationState, report: DisplayMessagesReported, context: Context) -> tuple[Effect, ...]:
    """Records a part of a report of messages."""
    early = _asked_early(state, report.request_id, context)
    for effect in early:
        state = evolve(state, effect.fact)
    known = state.display.report(report.request_id)
    if known is None:
        flags: tuple[str, ...] = (procedures.UNKNOWN_REQUEST,)
    else:
        flags = (procedures.AFTER_END,) if known.ended else ()
    following = tuple(message.id for message in report.messages if _is_open(state, message.transaction_id))
    fact = DisplayMessagesRecorded(
        report=report,
        at=context.received_at,
        first=known is not None and known.whole and not known.begun,
        expected_by=_expected_by(context) if report.more else None,
        following=following,
        flags=flags,
    )
    return *early, Record(fact), _TAKEN


def objection(state: StationState, command: SetDisplayMessage, _context: Context) -> str | None:
    """What the device model says against showing this; None: nothing (O01.FR.01 to FR.03, FR.18)."""
    display, message = state.display, command.message
    texts = (message.text, *message.others)
    formats = [text.format.value for text in texts]
    languages = [text.language for text in texts if text.language is not None]
    return (
        _missing("format", "SupportedFormats", formats, display.formats)
        or _missing("priority", "SupportedPriorities", [message.priority.value], display.priorities)
        or _missing("state", "SupportedStates", [message.state.value] if message.state else [], display.states)
        or _missing("language", "Language", languages, display.languages)
    )


def set_settled(state: StationState, request: CommandRequest, outcome: Outcome, context: Context) -> tuple[Effect, ...]:
    """A message is shown, in place of another in front."""
    command = request.command
    assert isinstance(command, SetDisplayMessage)
    if outcome.result is not Result.ACCEPTED:
        return ()
    message = command.message
    front = state.display.front if message.priority is MessagePriority.ALWAYS_FRONT else None
    fact = DisplayMessageSet(
        message=message,
        noted_at=context.now,
        replaces=None if front == message.id else front,
        follows=_is_open(state, message.transaction_id),
    )
    return (Record(fact),)


def clear_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A message is no more, or never was."""
    del state
    command = request.command
    assert isinstance(command, ClearDisplayMessage)
    why = _GONE_WORDS.get(outcome.status or "")
    return () if why is None else (Record(DisplayMessageGone(command.message_id, context.now, why)),)


def report_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """A report was promised, or there are no such messages."""
    del state
    command = request.command
    assert isinstance(command, GetDisplayMessages)
    said = procedures.said(outcome)
    if said is None:
        return ()
    fact = _asked(request, context, said)
    effects: tuple[Effect, ...] = (Record(fact),)
    if fact.empty and command.priority is None and command.state is None:
        gone = (Record(DisplayMessageGone(number, context.now, "unknown")) for number in command.ids)
        effects = (*effects, *gone)
    return effects


def due_at(state: StationState) -> datetime | None:
    """When a message ends, or a part of a report should have come."""
    ends = (_ends_at(state, message) for message in state.display.messages)
    moments = (*ends, procedures.due_at(state.display.reports))
    return min((at for at in moments if at is not None), default=None)


def rung(state: StationState, context: Context) -> tuple[Effect, ...]:
    """Messages that the station has removed by now; reports whose rest did not come."""
    effects: list[Effect] = []
    for message in state.display.messages:
        at = _ends_at(state, message)
        if at is not None and at <= context.now:
            why = "transaction_ended" if at is _LONG_AGO else "expired"
            effects.append(Record(DisplayMessageGone(message.id, context.now, why)))
    late = procedures.overdue(state.display.reports, context.now)
    return *effects, *(Record(DisplayReportMissing(known.request_id, context.now)) for known in late)


def _ends_at(state: StationState, message: Shown) -> datetime | None:
    """When the station removes a message; long ago: its transaction has ended."""
    if message.transaction_id is not None and not _is_open(state, message.transaction_id):
        return _LONG_AGO
    return None if message.end_at is None else instant(message.end_at, message.end_at)


def _is_open(state: StationState, transaction_id: str | None) -> bool:
    return transaction_id is not None and any(known.transaction_id == transaction_id for known in state.ledger.open)


def _missing(what: str, variable: str, wanted: Iterable[str], can: tuple[str, ...] | None) -> str | None:
    """Why something cannot be shown; None: it can, or nothing is known."""
    if not can:
        return None
    known = {word.lower() for word in can}
    for word in wanted:
        if word.lower() not in known:
            return (
                f"The station shows no message of {what} {word}: DisplayMessageCtrlr.{variable} has {', '.join(can)}."
            )
    return None


def _expected_by(context: Context) -> datetime:
    return procedures.expected_by(context.now, context.policy.diagnostics.report_silence_s)


def _asked_early(state: StationState, request_id: int, context: Context) -> tuple[Record, ...]:
    """The report that a part is of which came before the answer to the command."""
    request = procedures.sent_request(state.queue, GetDisplayMessages, request_id)
    if request is None or state.display.report(request_id) is not None:
        return ()
    return (Record(_asked(request, context, Said())),)


def _asked(request: CommandRequest, context: Context, said: Said) -> DisplayMessagesAsked:
    command = request.command
    assert isinstance(command, GetDisplayMessages)
    return DisplayMessagesAsked(
        request_id=command.request_id or 0,
        noted_at=context.now,
        accepted=said.accepted,
        whole=not command.ids and command.priority is None and command.state is None,
        empty=said.answer == "Unknown",
        expected_by=_expected_by(context),
    )
