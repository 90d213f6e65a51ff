"""Entries of the journal as the projection takes them, and the order of their ids."""

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from engine.model import codec
from engine.model.facts import JournalEntry, OperatorEntry
from engine.model.messages import LoggedMessage

START = "0-0"
"""The position before every entry of a stream."""


@runtime_checkable
class Undecodable(Protocol):
    """An entry that could not be decoded: its bytes, and why. `storage.journal_reader.BadEntry` is one."""

    @property
    def data(self) -> bytes:
        """As it stands in the stream."""

    @property
    def reason(self) -> str:
        """For the person who looks at it."""


Entry = JournalEntry | OperatorEntry | list[LoggedMessage] | Undecodable
StreamEntry = tuple[str, str, Entry]
"""Stream, entry id (`<ms>-<n>`, as Redis gives it), content."""


class PositionMoved(Exception):  # noqa: N818 (says what happened)
    """Somebody else moved this stream's position: two projectors run, and this one must stop or start anew."""


def order_of(entry_id: str) -> tuple[int, int]:
    """The place of an entry in its stream: ids are compared as numbers, not as text.

    Raises:
        ValueError: It is no id of a Redis stream.
    """
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def after(entries: Iterable[StreamEntry], positions: Mapping[str, str]) -> tuple[list[StreamEntry], dict[str, str]]:
    """The entries that lie behind the positions, and the positions when they are done.

    Entries of one stream must be in order; one that stands before its predecessor counts as done.
    """
    reached = {stream: order_of(entry_id) for stream, entry_id in positions.items()}
    moved: dict[str, str] = {}
    fresh = []
    for entry in entries:
        stream, entry_id, _ = entry
        order = order_of(entry_id)
        if order <= reached.get(stream, (0, 0)):
            continue
        reached[stream] = order
        moved[stream] = entry_id
        fresh.append(entry)
    return fresh, moved


def refuse_moved(known: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Compares the positions we left with those we find.

    Raises:
        PositionMoved: A stream is further than we left it (or, after a restore, not as far).
    """
    for stream, entry_id in found.items():
        left_at = known.get(stream, entry_id)
        if order_of(left_at) != order_of(entry_id):
            msg = f"{stream} is at {entry_id}, we left it at {left_at}: another projector is at work"
            raise PositionMoved(msg)


def bytes_of(entry: Entry) -> bytes:
    """What to keep of an entry that is put aside: its bytes in the journal."""
    if isinstance(entry, JournalEntry | OperatorEntry | list):
        return codec.encode(entry)
    return entry.data
