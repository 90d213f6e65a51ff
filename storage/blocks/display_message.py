"""Messages that stations show, as far as can be known from here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from engine.model.display_message import (
    DisplayMessage,
    DisplayMessageGone,
    DisplayMessagesAsked,
    DisplayMessageSet,
    DisplayMessagesRecorded,
)
from storage.blocks.table import Change, Drop, Json, Put, Table


class DisplayMessageRow(msgspec.Struct, frozen=True):
    """A message that a station shows. Gone with its end, its transaction, or another one in front.

    `priority`: AlwaysFront, InFront or NormalCycle. `state`: of the station in which it is shown; null: any.
    `others`: the same in other languages. `display`: of one display only. `noted_at`: when it was set or last reported.
    """

    station: str
    message_id: int
    priority: str | None = None
    state: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    transaction_id: str | None = None
    content: str | None = None
    format: str | None = None
    language: str | None = None
    others: Json = None
    display: Json = None
    noted_at: datetime | None = None


MESSAGES = Table(
    name="display_messages",
    row=DisplayMessageRow,
    key=("station", "message_id"),
    filters=("station", "priority", "state", "transaction_id"),
    shown=("station", "message_id", "priority", "state", "start_at", "end_at", "transaction_id", "content"),
    about="Messages that stations show beside their own.",
    tag="display-messages",
)


def message_set(station: str, fact: DisplayMessageSet) -> Iterable[Change]:
    """A message is shown, in place of another in front."""
    if fact.replaces is not None:
        yield Drop(MESSAGES, {"station": station, "message_id": fact.replaces})
    yield Put(MESSAGES, (station, fact.message.id), _message(fact.message, fact.noted_at))


def message_gone(station: str, fact: DisplayMessageGone) -> Iterable[Change]:
    """It is not shown any more."""
    yield Drop(MESSAGES, {"station": station, "message_id": fact.message_id})


def messages_asked(station: str, fact: DisplayMessagesAsked) -> Iterable[Change]:
    """There may be none at all."""
    if fact.whole and fact.empty:
        yield Drop(MESSAGES, {"station": station})


def messages_told(station: str, fact: DisplayMessagesRecorded) -> Iterable[Change]:
    """The messages of a part."""
    if fact.first:
        yield Drop(MESSAGES, {"station": station})
    for message in fact.report.messages:
        yield Put(MESSAGES, (station, message.id), _message(message, fact.at))


def _message(message: DisplayMessage, at: datetime) -> dict[str, Any]:
    others = [{"content": text.content, "format": text.format, "language": text.language} for text in message.others]
    display = message.display
    shown_by = None if display is None else {"component": display.component, "instance": display.component_instance}
    if shown_by is not None and display is not None and display.evse is not None:
        shown_by = shown_by | {"evse": str(display.evse.evse)}
    return {
        "priority": message.priority.value,
        "state": None if message.state is None else message.state.value,
        "start_at": message.start_at,
        "end_at": message.end_at,
        "transaction_id": message.transaction_id,
        "content": message.text.content,
        "format": message.text.format.value,
        "language": message.text.language,
        "others": others or None,
        "display": shown_by,
        "noted_at": at,
    }


TABLES = (MESSAGES,)
CHANGES = {
    DisplayMessageSet: message_set,
    DisplayMessageGone: message_gone,
    DisplayMessagesAsked: messages_asked,
    DisplayMessagesRecorded: messages_told,
}
EVENTS: tuple[type, ...] = ()
