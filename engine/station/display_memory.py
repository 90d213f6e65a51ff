"""What is remembered of a station's display: what it can show, and the messages on it that end by themselves.

A message that neither has an end, nor is bound to a transaction, nor is the one in front is not here: no decision needs
it. Bounded: MESSAGES_MAX messages, REPORTS_MAX reports.
"""

from datetime import datetime
from typing import Self, assert_never

import msgspec
from msgspec.structs import replace

from engine.model.device_model import VariableEntry, VariablesRecorded
from engine.model.display_message import (
    DisplayMessage,
    DisplayMessageGone,
    DisplayMessagesAsked,
    DisplayMessageSet,
    DisplayMessagesRecorded,
    DisplayReportMissing,
    MessagePriority,
)
from engine.station import procedures
from engine.station.procedures import Procedure

MESSAGES_MAX = 64
REPORTS_MAX = 4
COMPONENT = "displaymessagectrlr"
_FIELD_OF_VARIABLE = {
    "supportedformats": "formats",
    "supportedpriorities": "priorities",
    "supportedstates": "states",
}

DisplayFact = (
    DisplayMessageSet | DisplayMessageGone | DisplayMessagesAsked | DisplayMessagesRecorded | DisplayReportMissing
)


class Shown(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A message on the display. `transaction_id`: None also where that transaction is not known here."""

    id: int
    end_at: datetime | None = None
    transaction_id: str | None = None
    front: bool = False


class DisplayReport(Procedure, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A report of messages. `whole`: of all. `begun`: a part of it came."""

    whole: bool = False
    begun: bool = False


class Display(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`formats`, `priorities`, `states`, `languages`: what the device model says can be shown; None: not known."""

    messages: tuple[Shown, ...] = ()
    reports: tuple[DisplayReport, ...] = ()
    formats: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None

    def after(self, fact: DisplayFact | VariablesRecorded) -> Self:
        """After something became true."""
        match fact:
            case VariablesRecorded():
                return self._learned(fact.entries)
            case DisplayMessageSet():
                others = tuple(known for known in self.messages if known.id not in (fact.message.id, fact.replaces))
                return replace(self, messages=_with(others, fact.message, follows=fact.follows))
            case DisplayMessageGone():
                return replace(self, messages=tuple(each for each in self.messages if each.id != fact.message_id))
            case DisplayMessagesAsked():
                return self._asked(fact)
            case DisplayMessagesRecorded():
                return self._told(fact)
            case DisplayReportMissing():
                return replace(self, reports=procedures.silenced(self.reports, fact.request_id))
            case _:
                assert_never(fact)

    def report(self, request_id: int) -> DisplayReport | None:
        """The one of this number."""
        return procedures.find(self.reports, request_id)

    @property
    def front(self) -> int | None:
        """The id of the message that is always in front; None: there is none."""
        return next((known.id for known in self.messages if known.front), None)

    def _learned(self, entries: tuple[VariableEntry, ...]) -> Self:
        learned: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            if entry.ref.component.lower() != COMPONENT:
                continue
            name = entry.ref.variable.lower()
            field = _FIELD_OF_VARIABLE.get(name)
            if field is not None and entry.value is not None:
                learned[field] = _words(entry.value)
            elif name == "language" and entry.values is not None:
                learned["languages"] = _words(entry.values)
        return replace(self, **learned) if learned else self

    def _asked(self, fact: DisplayMessagesAsked) -> Self:
        known = self.report(fact.request_id)
        ended = fact.accepted is False or fact.empty or (known is not None and known.ended)
        report = replace(
            known or DisplayReport(fact.request_id, whole=fact.whole),
            ended=ended,
            expected_by=None if ended else fact.expected_by,
        )
        messages = () if fact.empty and fact.whole else self.messages
        return replace(self, messages=messages, reports=procedures.put(self.reports, report, REPORTS_MAX))

    def _told(self, fact: DisplayMessagesRecorded) -> Self:
        messages = () if fact.first else self.messages
        for message in fact.report.messages:
            others = tuple(known for known in messages if known.id != message.id)
            messages = _with(others, message, follows=message.id in fact.following)
        changed = replace(self, messages=messages)
        report = self.report(fact.report.request_id)
        if report is None:
            return changed
        told = replace(report, begun=True, ended=not fact.report.more, expected_by=fact.expected_by)
        return replace(changed, reports=procedures.put(self.reports, told, REPORTS_MAX))


def _with(others: tuple[Shown, ...], message: DisplayMessage, *, follows: bool) -> tuple[Shown, ...]:
    """With this message, if it has to be remembered."""
    transaction_id = message.transaction_id if follows else None
    front = message.priority is MessagePriority.ALWAYS_FRONT
    if message.end_at is None and transaction_id is None and not front:
        return others
    return (*others, Shown(message.id, message.end_at, transaction_id, front))[-MESSAGES_MAX:]


def _words(written: str) -> tuple[str, ...]:
    """The members of a list as 2.x writes it, separated by commas."""
    return tuple(word for word in (part.strip() for part in written.split(",")) if word)
