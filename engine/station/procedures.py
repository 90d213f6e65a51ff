"""Procedures: what a station was asked for and tells the progress of, by status or in parts.

Firmware updates, publications and log uploads are told by statuses (`Steps`), reports of monitors, of customers and of
messages come in parts. All are known by the requestId of their command, and all may come to nothing without a word:
`expected_by` says when something should have been heard.

    asked ---- status or part ----> under way ---- last status or part ----> ended
      |                                 |
      '---- nothing until expected_by --+---> stalled, told once; it may still go on

What a station tells may come before its answer to the command, for messages of both directions overtake each other:
then the command that is with the station tells what was asked (`sent_request`). Stations skip statuses, repeat them,
tell them in odd orders and name numbers that nobody gave them: all of that is recorded, and flagged where it is odd.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from engine.model.commands import Command, CommandRequest, Outcome, Result
from engine.station.queue import Queue

UNKNOWN_REQUEST = "unknown_request"
"""Flag: it names a number that none of ours has (any more)."""
UNSOLICITED = "unsolicited"
"""Flag: it names no number, and nothing of ours is under way."""
OUT_OF_ORDER = "out_of_order"
"""Flag: a later step was told before."""
AFTER_END = "after_end"
"""Flag: it had ended before."""
AFTER_CANCEL = "after_cancel"
"""Flag: a newer one had taken its place."""
IDLE_BEFORE_END = "idle_before_end"
"""Flag: the station says that nothing goes on, but no end was told."""

_TOLD = frozenset({Result.ACCEPTED, Result.REFUSED, Result.FAILED})
_UNTOLD = frozenset({Result.TIMED_OUT, Result.LOST})


class Procedure(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One that was asked for.

    `status`: the last told, '' before the first. `cancelled`: a newer one took its place. `expected_by`: when something
    should have been heard; None: nothing is waited for.
    """

    request_id: int
    status: str = ""
    ended: bool = False
    cancelled: bool = False
    expected_by: datetime | None = None


P = TypeVar("P", bound=Procedure)


class Steps(msgspec.Struct, frozen=True):
    """The statuses of a kind of procedure.

    `rank`: how far each is; those of one rank may follow each other in any order. `ends`: those after which nothing is
    to come, `failures` among them. `again`: those that a new attempt begins with. `patient`: those that may last.
    """

    rank: dict[str, int]
    ends: frozenset[str]
    failures: frozenset[str]
    again: frozenset[str] = frozenset()
    patient: frozenset[str] = frozenset()

    def flags(self, before: Procedure, status: str) -> tuple[str, ...]:
        """What is odd about this status after what was told before."""
        if status not in self.rank:
            return () if before.ended or not before.status else (IDLE_BEFORE_END,)
        if before.cancelled:
            return (AFTER_CANCEL,)
        if status == before.status:
            return ()
        if before.ended:
            return () if status in self.again and before.status in self.failures else (AFTER_END,)
        earlier = self.rank[status] < self.rank.get(before.status, 0)
        return (OUT_OF_ORDER,) if earlier and status not in self.again else ()


def find(procedures: tuple[P, ...], request_id: int | None) -> P | None:
    """The one of this number; without a number the youngest that has not ended."""
    for procedure in reversed(procedures):
        if procedure.request_id == request_id or (request_id is None and not procedure.ended):
            return procedure
    return None


def put(procedures: tuple[P, ...], changed: P, count_max: int) -> tuple[P, ...]:
    """With this one, at its old place or as the youngest; beyond `count_max` the oldest that has ended is forgotten."""
    for index, known in enumerate(procedures):
        if known.request_id == changed.request_id:
            return (*procedures[:index], changed, *procedures[index + 1 :])
    if len(procedures) >= count_max:
        forgotten = next((known for known in procedures if known.ended), procedures[0])
        procedures = tuple(known for known in procedures if known is not forgotten)
    return (*procedures, changed)


def cancelled(procedures: tuple[P, ...], request_id: int) -> tuple[P, ...]:
    """With this one ended, because a newer one took its place."""
    return tuple(
        replace(known, ended=True, cancelled=True, expected_by=None) if known.request_id == request_id else known
        for known in procedures
    )


def silenced(procedures: tuple[P, ...], request_id: int) -> tuple[P, ...]:
    """With nothing more expected of this one: that it is overdue was told."""
    return tuple(replace(known, expected_by=None) if known.request_id == request_id else known for known in procedures)


def others_under_way(procedures: tuple[P, ...], request_id: int) -> tuple[P, ...]:
    """Those besides this one that have not ended."""
    return tuple(known for known in procedures if known.request_id != request_id and not known.ended)


def due_at(procedures: Iterable[Procedure]) -> datetime | None:
    """When the first of them is overdue; None: nothing is expected."""
    return min((known.expected_by for known in procedures if known.expected_by is not None), default=None)


def overdue(procedures: tuple[P, ...], now: datetime) -> tuple[P, ...]:
    """Those of which something should have been heard."""
    return tuple(known for known in procedures if known.expected_by is not None and known.expected_by <= now)


def expected_by(now: datetime, silence_s: float, *not_before: datetime | None) -> datetime:
    """When something should be heard, if nothing is to happen before those times."""
    begins = max((now, *(at for at in not_before if at is not None)))
    return begins + timedelta(seconds=silence_s)


def sent_request(queue: Queue, kind: type[Command], request_id: int | None) -> CommandRequest | None:
    """The command of this kind that is with the station unanswered, if it has this number or none is said."""
    sent = queue.sent
    if sent is None or not isinstance(sent.request.command, kind):
        return None
    given: int | None = getattr(sent.request.command, "request_id", None)
    return sent.request if request_id is None or given == request_id else None


class Said(msgspec.Struct, frozen=True, gc=False):
    """What a station said to a command. `accepted` None: nothing, but it may have begun. `answer`: its word, or ''."""

    accepted: bool | None = None
    answer: str = ""


def said(outcome: Outcome) -> Said | None:
    """What a station said; None: nothing was sent, so there is nothing to follow."""
    if outcome.result in _UNTOLD:
        return Said()
    refused_here = outcome.result is Result.REFUSED and outcome.payload is None and outcome.status is None
    if outcome.result not in _TOLD or refused_here:
        return None
    return Said(outcome.result is Result.ACCEPTED, outcome.status or "")
