"""Times on the wire: ISO 8601 as stations really write it, and as we write it.

Read: any fraction, any offset (`Z`, `+01:00`, `+0100`, `+03`), a blank for `T`, no zone at all (taken as UTC).
Written: UTC with `Z` and three decimals (2.x part 2 section 3.1, 1.6 section 3.15).
"""

import re
from datetime import UTC, datetime


class _Zoneless:
    """How many times without a zone this process has read. Whoever reads a message can tell whether it had any."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


zoneless = _Zoneless()

_LEAP_SECOND = re.compile(r"(\d\d[T ]\d\d:\d\d):60(?!\d)")
_BLANK_BEFORE_ZONE = re.compile(r"\s+(?=(?:[+-]\d|Z$))")


def parse(text: str | None) -> datetime | None:
    """The moment that a station wrote, aware UTC; None: it wrote nothing or nonsense (`is_nonsense` tells which).

    A leap second counts as the second before it, because datetime knows none.
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _parse_odd(text)
    return _as_utc(at)


def is_nonsense(text: str | None) -> bool:
    """Whether something was written that is no time."""
    return bool(text) and parse(text) is None


def format(at: datetime) -> str:  # noqa: A001 (read as times.format)
    """How a moment is written, e.g. `2026-05-01T10:00:00.000Z`; finer parts are cut off. `at` is aware."""
    if at.tzinfo is not UTC:
        assert at.tzinfo is not None, "a time without a zone cannot be told to a station"
        at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


def _parse_odd(text: str) -> datetime | None:
    """What `fromisoformat` refuses but people can read: blanks, lower case, leap seconds."""
    text = _BLANK_BEFORE_ZONE.sub("", text.strip().upper())
    text = _LEAP_SECOND.sub(r"\1:59", text)
    try:
        return _as_utc(datetime.fromisoformat(text))
    except ValueError:
        return None


def _as_utc(at: datetime) -> datetime | None:
    """The same moment in UTC, no zone meaning UTC; None where the calendar ends."""
    zone = at.tzinfo
    if zone is UTC:
        return at
    if zone is None:
        zoneless.count += 1
        return at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return None
