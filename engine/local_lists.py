"""What is sent to a station so that its local list becomes the one it should have. Pure.

    what the station has is not known, or the version is refused     the whole list
    fewer entries change than the whole list has                     the difference
    nothing changes                                                  nothing

A change is cut into messages of so many entries as the station takes: the first of a whole list replaces, all others
add; each has the next version (2.1 D01.FR.03, D01.FR.11, D01.FR.19). A change that breaks off leaves a list that is
known, entry by entry, so the next difference goes on where it broke off.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from engine.model.authorization import Token, TokenRecord, TokenStatus, TokenVerdict
from engine.model.local_list import VERSION_EMPTY, ListEntry, SendLocalList
from engine.model.token_limits import allowed_evses
from engine.ocpp.v2.limits import LIMITS_OF
from engine.ocpp.v16.authorization import ID_TAG_LENGTH_MAX
from engine.ocpp.versions import Version

ENTRIES_PER_MESSAGE = 100
"""Where a station does not say how many it takes (1.6 SendLocalListMaxLength, 2.x ItemsPerMessageSendLocalList)."""


class Bounds(NamedTuple):
    """What lists of a version can hold. `token_types` None: any text. `evses`: whether they can name EVSEs."""

    token_length_max: int
    token_types: frozenset[str] | None
    evses: bool


BOUNDS_OF_VERSION = {
    Version.V16.value: Bounds(ID_TAG_LENGTH_MAX, None, evses=False),
    **{
        version.value: Bounds(limits.token_length_max, limits.token_types, evses=True)
        for version, limits in LIMITS_OF.items()
    },
}
"""By the name of the version."""

List = Mapping[str, ListEntry]
"""A list by `Token.key`."""


def entry_of(record: TokenRecord, station: str) -> ListEntry | None:
    """How a token stands in the list of a station; None: it must be decided by Narke each time, or not here.

    A list knows no hours, no credit and no concurrency: tokens that are bound to them are not in it (2.1 C17.FR.01).
    Where the token may not charge, it is not in it either: a station that does not know it asks.
    """
    evses = allowed_evses(record.places, station)
    if record.hours or record.credit is not None or record.concurrent_max or evses is None:
        return None
    status = TokenStatus.BLOCKED if record.blocked else TokenStatus.ACCEPTED
    verdict = TokenVerdict(
        status=status,
        expires_at=record.expires_at,
        group=record.group,
        evses=evses,
        priority=record.priority,
        language=record.language,
        language2=record.language2,
        message=record.message,
    )
    return ListEntry(Token(record.token.value, record.token.type), verdict)


def wanted_list(
    records: Iterable[TokenRecord], station: str, now: datetime, bounds: Bounds, *, all_tokens: bool
) -> dict[str, ListEntry]:
    """The list that a station should have. `all_tokens`: also tokens of which the operator did not say.

    Tokens that have expired are left out, they would be refused as well without standing there; so is what the
    version cannot say.
    """
    found: dict[str, ListEntry] = {}
    for record in records:
        listed = all_tokens if record.in_local_list is None else record.in_local_list
        expired = record.expires_at is not None and record.expires_at <= now
        entry = entry_of(record, station) if listed and not expired else None
        if entry is not None and _fits(entry, bounds):
            found[entry.token.key] = entry
    return found


def _fits(entry: ListEntry, bounds: Bounds) -> bool:
    """Whether the version can say it; a station that lacks an entry asks."""
    token, verdict = entry.token, entry.verdict
    assert verdict is not None, "an entry of a list has a verdict"
    known = bounds.token_types is None or token.type is None or token.type in bounds.token_types
    return 0 < len(token.value) <= bounds.token_length_max and known and (bounds.evses or not verdict.evses)


def difference(has: List, wanted: List) -> tuple[ListEntry, ...]:
    """What must be said so that `has` becomes `wanted`: entries taken out first, in the order of their keys."""
    gone = [ListEntry(has[key].token) for key in sorted(has) if key not in wanted]
    new = [wanted[key] for key in sorted(wanted) if has.get(key) != wanted[key]]
    return (*gone, *new)


def applied(has: List, command: SendLocalList) -> dict[str, ListEntry]:
    """The list after a station took a message in (2.1 D01.FR.04, FR.15 to FR.17)."""
    after = {} if command.full else dict(has)
    for entry in command.entries:
        if entry.verdict is None:
            after.pop(entry.token.key, None)
        else:
            after[entry.token.key] = entry
    return after


def messages(
    has: List | None, wanted: List, version: int, entries_max: int = ENTRIES_PER_MESSAGE
) -> tuple[SendLocalList, ...]:
    """The messages that make the list of a station the wanted one; none: it is.

    Args:
        has: What it has; None: not known, so the whole list is sent, also an empty one.
        wanted: What it should have.
        version: The highest version that it, or Narke for it, ever had; -1 and 0: none.
        entries_max: Entries of one message, 1 or more.
    """
    entries_max = max(1, entries_max)
    changes = () if has is None else difference(has, wanted)
    full = has is None or (bool(changes) and len(changes) > len(wanted))
    if full:
        changes = tuple(wanted[key] for key in sorted(wanted))
    elif not changes:
        return ()
    parts = [changes[start : start + entries_max] for start in range(0, len(changes), entries_max)] or [()]
    now: dict[str, ListEntry] = {} if full or has is None else dict(has)
    sent = []
    for index, part in enumerate(parts):
        number = max(version, VERSION_EMPTY) + 1 + index
        more = index + 1 < len(parts)
        message = SendLocalList(version=number, entries=part, full=full and index == 0, more=more)
        now = applied(now, message)
        sent.append(SendLocalList(number, part, message.full, len(now), more))
    return tuple(sent)
