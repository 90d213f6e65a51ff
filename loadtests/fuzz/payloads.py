"""Payloads drawn from a chance: valid by their official schema, otherwise as odd as the schema allows. Quick."""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from loadtests.fuzz import official
from loadtests.fuzz.walk import INTEGER_MAX, made

Draw = Callable[[Random], Any]
"""Makes one value."""

_FIELD_CHANCE = 0.4
"""That an optional field is there."""
_ODD = 0.15
"""That a value is at the edge of what its schema allows."""
_LENGTH_MAX = 40
_COUNT_MAX = 3
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ ."
_STRANGE = "äß€漢字🔌\u202e\u200b\n\t\"\\/\x00\x1b{}[],:'%;<&"
_ODD_TEXTS = ("", " ", "0", "-1", "null", "NaN", "1e999", "true", "{}", "[]", "'; --", "2026-02-30T25:61:61Z", "\x00")
_ODD_TIMES = (
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-12:00",
    "2026-06-30T23:59:60Z",
    "2026-11-21 10:00:00",
    "2026-11-21T10:00:00+03",
    "2026-11-21T10:00:00.123456789123Z",
    "2026-11-21T10:00",
    "20261121T100000Z",
    "2026-W47-6",
    "soon",
    "",
)
_EDGES = (0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**53, 2**53 + 1, INTEGER_MAX, -INTEGER_MAX)
_ODD_NUMBERS = (0, 0.0, -0.0, -1, 1e-300, 1e300, -1e300, 1.7976931348623157e308, 0.1 + 0.2, 2**53 + 1, 5e-324)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_YEAR_S = 365 * 86_400


class Chances:
    """The maker of `walk` whose makers are functions of a `Random`."""

    def text(self, length_min: int, length_max: int | None, form: str | None) -> Draw:
        """Mostly short and plain; now and then of the greatest length, or strange."""
        if form == "date-time":
            return _time
        longest = 5_000 if length_max is None else length_max
        odd = tuple(text for text in _ODD_TEXTS if length_min <= len(text) <= longest)

        def draw(chance: Random) -> str:
            if chance.random() < _ODD:
                if odd and chance.random() < 0.5:
                    return chance.choice(odd)
                length = longest if chance.random() < 0.3 else chance.randint(length_min, min(longest, _LENGTH_MAX))
                return "".join(chance.choices(_STRANGE, k=length))
            return "".join(chance.choices(_PLAIN, k=chance.randint(length_min, min(longest, _LENGTH_MAX))))

        return draw

    def word(self, words: Sequence[str]) -> Draw:
        """Any of them."""
        return lambda chance: chance.choice(words)

    def integer(self, low: int, high: int) -> Draw:
        """Mostly small; now and then at an edge."""
        edges = tuple(edge for edge in (low, high, *_EDGES) if low <= edge <= high)
        start, stop = max(low, -3), min(high, 100)
        if start > stop:
            start, stop = low, high
        return lambda chance: chance.choice(edges) if chance.random() < _ODD else chance.randint(start, stop)

    def number(self, low: float | None, high: float | None, step: float | None) -> Draw:
        """Integers and fractions."""
        least, most = (-1e300 if low is None else low), (1e300 if high is None else high)
        if step is not None:
            return lambda chance: chance.randint(-1000, 1000) / round(1 / step)
        odd = tuple(number for number in _ODD_NUMBERS if least <= number <= most)
        start, stop = max(least, -1000.0), min(most, 100_000.0)

        def draw(chance: Random) -> float:
            if chance.random() < _ODD:
                return chance.choice(odd)
            value = chance.uniform(start, stop)
            return round(value) if chance.random() < 0.4 else round(value, 3)

        return draw

    def boolean(self) -> Draw:
        """Either."""
        return lambda chance: chance.random() < 0.5

    def array(self, item: Draw, count_min: int, count_max: int | None) -> Draw:
        """Mostly a few; now and then the most that may be, 60 at most."""
        few = max(count_min, _COUNT_MAX if count_max is None else min(count_max, _COUNT_MAX))
        most = max(few, 60 if count_max is None else min(count_max, 60))

        def draw(chance: Random) -> list[Any]:
            count = most if chance.random() < 0.01 else chance.randint(count_min, few)
            return [item(chance) for _ in range(count)]

        return draw

    def record(self, required: Mapping[str, Draw], optional: Mapping[str, Draw], *, is_open: bool) -> Draw:
        """What is required, some of the rest, in any order where that is drawn."""

        def draw(chance: Random) -> dict[str, Any]:
            record = {name: part(chance) for name, part in required.items()}
            for name, part in optional.items():
                if chance.random() < (_FIELD_CHANCE if name != "customData" else 0.03):
                    record[name] = part(chance)
            if is_open and chance.random() < 0.5:
                record["x-" + chance.choice(_PLAIN)] = anything(chance)
            return record

        return draw

    def anything(self) -> Draw:
        """Any JSON."""
        return anything


def anything(chance: Random, depth: int = 3) -> Any:
    """Any JSON, of a few levels."""
    kind = chance.randrange(8 if depth else 6)
    match kind:
        case 0:
            return None
        case 1:
            return chance.random() < 0.5
        case 2:
            return chance.choice(_EDGES)
        case 3:
            return chance.choice(_ODD_NUMBERS)
        case 4:
            return chance.choice(_ODD_TEXTS)
        case 5:
            return "".join(chance.choices(_STRANGE, k=chance.randint(0, 20)))
        case 6:
            return [anything(chance, depth - 1) for _ in range(chance.randint(0, 3))]
        case _:
            return {chance.choice(_PLAIN): anything(chance, depth - 1) for _ in range(chance.randint(0, 3))}


def payload(version: str, kind: str, action: str, chance: Random) -> dict[str, Any]:
    """A valid payload.

    Args:
        version: 1.6, 2.0.1 or 2.1.
        kind: `request` or `response`.
        action: OCPP action.
        chance: Where it is drawn from.

    Raises:
        KeyError: There is no such payload.
    """
    drawn: dict[str, Any] = _maker(version, kind, action)(chance)
    return drawn


@functools.cache
def _maker(version: str, kind: str, action: str) -> Draw:
    return made(official.documents(version, kind)[action], Chances())


def _time(chance: Random) -> str:
    """Mostly a time of this decade, as most stations write it."""
    if chance.random() < _ODD:
        return chance.choice(_ODD_TIMES)
    at = _EPOCH + timedelta(seconds=round(chance.uniform(0, _YEAR_S), 3))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
