"""Where and when a token may charge: the texts an operator writes, and what they mean. Pure.

A place is `STATION` or `STATION:EVSE`; `*` in STATION stands for any text. Hours are `[DAYS] HH:MM-HH:MM`, e.g.
`Mo-Fr 08:00-18:00`, `Sa,Su 22:00-06:00` (past midnight: they belong to the day they begin on), `00:00-24:00`.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

PLACES_MAX = 100
HOURS_MAX = 28
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_MINUTES = 24 * 60
_HOURS = re.compile(r"(?:(?P<days>[A-Za-z,-]+) )?(?P<from>\d{2}:\d{2})-(?P<until>\d{2}:\d{2})", re.ASCII)
_PLACE = re.compile(r"(?P<station>[^:]{1,48})(?::(?P<evse>[1-9]\d{0,8}))?", re.ASCII)


class Place(NamedTuple):
    """`station`: an identity or a pattern. `evse` None: all of them."""

    station: str
    evse: int | None


class Hours(NamedTuple):
    """`days`: 0 is Monday. `start`, `end`: minutes of the day; an end up to the start is of the next day."""

    days: frozenset[int]
    start: int
    end: int


@lru_cache(maxsize=4096)
def place_of(text: str) -> Place:
    """The place that a text names.

    Raises:
        ValueError: It is none; says what one is.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no place: write STATION or STATION:EVSE, e.g. CP-1, CP-1:2 or SITE-A-*")
    return Place(found["station"], int(found["evse"]) if found["evse"] else None)


@lru_cache(maxsize=1024)
def hours_of(text: str) -> Hours:
    """The hours that a text names.

    Raises:
        ValueError: It names none; says what they look like.
    """
    found = _HOURS.fullmatch(text)
    wrong = ValueError(f"{text!r} are no hours: write e.g. Mo-Fr 08:00-18:00, Sa,Su 22:00-06:00 or 06:00-24:00")
    if found is None:
        raise wrong
    try:
        return Hours(_days_of(found["days"]), _minutes_of(found["from"]), _minutes_of(found["until"]))
    except ValueError:
        raise wrong from None


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        ValueError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        raise ValueError(f"{name!r} is no time zone: write an IANA name, e.g. UTC or Europe/Berlin") from None
    except KeyError:  # ZoneInfoNotFoundError
        raise ValueError(f"{name!r} is no known time zone: write an IANA name, e.g. UTC or Europe/Berlin") from None


def is_open(hours: Iterable[str], time_zone: str, at: datetime) -> bool:
    """Whether a moment is within one of them; no hours at all: always. What cannot be read is not open."""
    texts = tuple(hours)
    if not texts:
        return True
    try:
        local = at.astimezone(zone_of(time_zone))
        return any(_within(hours_of(text), local) for text in texts)
    except (ValueError, OverflowError):
        return False


def allowed_evses(places: Iterable[str], station: str) -> tuple[int, ...] | None:
    """The EVSEs of a station that the places name; (): all of them, None: not this station."""
    found: list[int] = []
    somewhere = False
    for text in places:
        somewhere = True
        try:
            place = place_of(text)
        except ValueError:
            continue
        if not (place.station == station or fnmatchcase(station, _literal_but_star(place.station))):
            continue
        if place.evse is None:
            return ()
        found.append(place.evse)
    if not somewhere:
        return ()
    return tuple(sorted(set(found))) or None


def _literal_but_star(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _within(hours: Hours, local: datetime) -> bool:
    minute = local.hour * 60 + local.minute
    day, yesterday = local.weekday(), (local - timedelta(days=1)).weekday()
    if hours.start < hours.end:
        return day in hours.days and hours.start <= minute < hours.end
    return (day in hours.days and minute >= hours.start) or (yesterday in hours.days and minute < hours.end)


def _minutes_of(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if minute > 59 or hour * 60 + minute > _DAY_MINUTES:
        raise ValueError
    return hour * 60 + minute


def _days_of(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = DAYS.index(first)
        end = DAYS.index(last) if dash else start
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)
