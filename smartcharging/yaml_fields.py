"""Fields of YAML files as people write them: read by what is expected, not by what YAML 1.1 takes them for.

`NO` is a name where a name is expected, `12:30` a time where a time is, 017 no number at all. Every fault is collected
with its line; a fault gives None and reading goes on, so that a file is corrected once. No tag ever makes an object.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, TypeVar

import msgspec
import yaml

from engine.model.sites import DAY_S, Phases
from smartcharging.site_problems import nearest

T = TypeVar("T")
DEPTH_MAX: Final = 120
"""Of nodes in each other."""
NESTING_MAX: Final = 500
"""Of mappings and lists in each other."""
ITEMS_MAX: Final = 1_000_000
"""Of a file with its aliases followed: an alias may stand for much."""
FAULTS_MAX: Final = 200
_SHOWN_MAX: Final = 60
_KNOWN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "map", "seq")
)
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER: Final = re.compile(r"[-+]?(?:0|[1-9]\d*)?(?:\.\d*)?(?:[eE][-+]?\d+)?")
_TIME: Final = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class FileFault(msgspec.Struct, frozen=True):
    """A fault of a file. `line`: from 1; 0: unknown."""

    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.what}; {self.todo}"


class Fields:
    """Reads the fields of one file, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.faults: list[FileFault] = []
        self._items = 0
        self._depth = 0

    def fault(self, node: yaml.Node | None, what: str, todo: str) -> None:
        """Notes a fault."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(FileFault(line_of(node), what, todo))

    def mapping(self, node: yaml.Node, what: str, known: Mapping[str, str]) -> dict[str, yaml.Node]:
        """The fields of a mapping. `known`: names that may stand there, and what each is, for people."""
        if not isinstance(node, yaml.MappingNode) or not self._is_plain(node):
            self.fault(node, f"{what} is {_shape(node)}", f"write its fields, one a line, as {example_of(known)}")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in self._merged(node, what):
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in found:
                first = line_of(found[name])
                self.fault(key, f"{what} has {name!r} twice (also in line {first})", "write it once")
            elif name not in known:
                near = nearest(name, known)
                hint = f"did you mean {near!r}?" if near else f"it may have {', '.join(known)}"
                self.fault(key, f"{what} has no field {_short(name)!r}", hint)
            else:
                found[name] = value
        return found

    def _merged(self, node: yaml.MappingNode, what: str) -> list[tuple[yaml.Node, yaml.Node]]:
        """The pairs of a mapping; what `<<` brings in comes where the mapping itself does not say otherwise."""
        own = [(key, value) for key, value in node.value if key.tag != "tag:yaml.org,2002:merge"]
        names = {key.value for key, _ in own if isinstance(key, yaml.ScalarNode)}
        self.count(len(own), node)
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                continue
            brought = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for other in brought:
                if not isinstance(other, yaml.MappingNode):
                    self.fault(key, f"{what} merges {_shape(other)}", "merge a mapping: `<<: *name`")
                    continue
                for inner, given in self.deeper(other, partial(self._merged, other, what)) or ():
                    if isinstance(inner, yaml.ScalarNode) and inner.value not in names:
                        names.add(inner.value)
                        own.append((inner, given))
        return own

    def deeper(self, node: yaml.Node, read: Callable[[], T]) -> T | None:
        """Reads what is inside; None where it is too deep: an alias may hold itself."""
        if self._depth >= DEPTH_MAX:
            self.fault(node, f"it is more than {DEPTH_MAX} levels deep", "nest less; an alias must not hold itself")
            return None
        self._depth += 1
        try:
            return read()
        finally:
            self._depth -= 1

    def count(self, items: int, node: yaml.Node) -> None:
        """Counts what is read.

        Raises:
            TooMuch: It is more than any file that is meant.
        """
        self._items += items
        if self._items > ITEMS_MAX:
            self.fault(
                node, f"the file has more than {ITEMS_MAX} items", "write less; aliases count where they are used"
            )
            raise TooMuch

    def sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The items of a list."""
        if not isinstance(node, yaml.SequenceNode) or not self._is_plain(node):
            self.fault(node, f"{what} is {_shape(node)}", "write a list: one item a line that begins with '- '")
            return []
        self.count(len(node.value), node)
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str | None:
        """A text, whatever it looks like."""
        if not isinstance(node, yaml.ScalarNode) or not self._is_plain(node):
            self.fault(node, f"{what} is {_shape(node)}", "write a text")
            return None
        if not node.style and node.value in _NULL:  # quoted it would be a text
            self.fault(node, f"{what} is empty", "write a value, or leave the field out")
            return None
        return str(node.value)

    def number(self, node: yaml.Node, what: str) -> float | None:
        """A number."""
        written = self.text(node, what)
        if written is None:
            return None
        if not _NUMBER.fullmatch(written) or not any(map(str.isdigit, written)):
            todo = "write a number with a decimal point and without leading zeros, as 63 or 22.5"
            self.fault(node, f"{what} is {_short(written)!r}, which is no number", todo)
            return None
        return float(written)

    def integer(self, node: yaml.Node, what: str) -> int | None:
        """A whole number."""
        value = self.number(node, what)
        if value is None:
            return None
        if not value.is_integer() or abs(value) > 2**53:
            self.fault(node, f"{what} is {_short(node.value)}", "write a whole number")
            return None
        return int(value)

    def flag(self, node: yaml.Node, what: str) -> bool | None:
        """Yes or no."""
        written = self.text(node, what)
        if written is None:
            return None
        if written.lower() not in _TRUTH:
            self.fault(node, f"{what} is {_short(written)!r}", "write true or false")
            return None
        return _TRUTH[written.lower()]

    def word(self, node: yaml.Node, what: str, known: Mapping[str, T]) -> T | None:
        """One of these words."""
        written = self.text(node, what)
        if written is None:
            return None
        if written not in known:
            near = nearest(written, known)
            todo = f"did you mean {near!r}?" if near else f"write one of {', '.join(known)}"
            self.fault(node, f"{what} is {_short(written)!r}", todo)
            return None
        return known[written]

    def numbers(self, node: yaml.Node, what: str) -> tuple[float, ...] | None:
        """A list of numbers."""
        values = [self.number(item, f"{what}[{place}]") for place, item in enumerate(self.sequence(node, what))]
        return None if any(value is None for value in values) else tuple(value for value in values if value is not None)

    def phases(self, node: yaml.Node, what: str) -> Phases | None:
        """A number for all phases, or one for each."""
        if isinstance(node, yaml.ScalarNode):
            value = self.number(node, what)
            return None if value is None else (value, value, value)
        values = self.numbers(node, what)
        if values is None:
            return None
        if len(values) != 3:
            self.fault(node, f"{what} has {len(values)} numbers", "write one number, or three: [L1, L2, L3]")
            return None
        return (values[0], values[1], values[2])

    def times(self, node: yaml.Node, what: str) -> tuple[int, int] | None:
        """From when to when, seconds after midnight."""
        written = self.text(node, what)
        if written is None:
            return None
        begin, dash, end = (part.strip() for part in written.partition("-"))
        from_s, to_s = _seconds(begin), _seconds(end)
        if not dash or from_s is None or to_s is None or from_s >= DAY_S:
            todo = 'write from when to when in quotes, as "07:00-19:30"; over midnight: "22:00-06:00"'
            self.fault(node, f"{what} is {_short(written)!r}", todo)
            return None
        return from_s, to_s

    def weekdays(self, node: yaml.Node, what: str) -> tuple[int, ...] | None:
        """Days: `mon-fri`, or a list of them; 1 is Monday."""
        if isinstance(node, yaml.ScalarNode):
            return self._days(node, what)
        found = [self._days(item, what) for item in self.sequence(node, what)]
        return None if None in found else tuple(day for days in found if days is not None for day in days)

    def _days(self, node: yaml.Node, what: str) -> tuple[int, ...] | None:
        written = self.text(node, what)
        if written is None:
            return None
        ends = [_day(part) for part in written.split("-")]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or first is None or last is None:
            todo = f"write {', '.join(WEEKDAYS)}, a list of them, or mon-fri"
            self.fault(node, f"{what} is {_short(written)!r}", todo)
            return None
        return tuple((first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1))

    def _is_plain(self, node: yaml.Node) -> bool:
        """Whether its tag is one of plain YAML."""
        if node.tag in _KNOWN_TAGS:
            return True
        self.fault(node, f"there is a tag {_short(node.tag)!r}", "write plain values without tags")
        return False


def depth_fault(events: Iterable[yaml.Event]) -> FileFault | None:
    """What is nested too deep to be read: whoever composes it does so by recursion, in C without any bound."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > NESTING_MAX:
                return FileFault(line_of(event), f"it is more than {NESTING_MAX} levels deep", "nest less")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return None


class TooMuch(Exception):  # noqa: N818 (says what it is)
    """The file is larger than any that is meant; the fault says so."""


def line_of(node: yaml.Node | yaml.Event | None) -> int:
    """Where it begins, from 1; 0: unknown."""
    mark = getattr(node, "start_mark", None)
    return 0 if mark is None else int(mark.line) + 1


def example_of(known: Mapping[str, str]) -> str:
    """What a mapping may look like."""
    return ", ".join(f"{name}: {example}" for name, example in list(known.items())[:2])


def _seconds(text: str) -> int | None:
    """Seconds after midnight of a time, up to 24:00; None: it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)
    return seconds if seconds <= DAY_S else None


def time_of(seconds: int) -> str:
    """A time of the day as it is written."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{left:02}" if left else "")


def _day(text: str) -> int | None:
    word = text.strip().lower()
    if word.isdigit():
        return int(word) if 1 <= int(word) <= 7 else None
    days = {name: number for number, name in enumerate(WEEKDAYS, 1)}
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return days.get(word) or ({name: number for number, name in enumerate(full, 1)}).get(word)


def _shape(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case _:
            return f"{_short(str(node.value))!r}" if node.value else "empty"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
