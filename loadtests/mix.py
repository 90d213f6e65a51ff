"""Mix files: what a fleet is made of, as shares of versions, behaviours and habits, and the scenario it plays.

TOML. All parts may be left out; shares are weights, they need not add up to anything.

    [versions]
    "1.6" = 7
    "2.0.1" = 3

    [behaviours]
    good = 95
    flapping = { share = 5, period_s = 20 }

    [[habits]]
    share = 8
    connectors = 2

    [scenario]
    name = "blackout"
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from loadtests.behaviour import GOOD, Behaviour
from loadtests.behaviours import BEHAVIOURS
from loadtests.parameters import ParameterError, changed
from loadtests.scenario import Scenario
from loadtests.scenarios import SCENARIOS
from loadtests.station import Habits
from loadtests.wording import WORDING_OF_VERSION

PARTS = ("description", "versions", "behaviours", "habits", "scenario")
HABIT_GROUPS_MAX = 100
T = TypeVar("T")


class MixError(Exception):
    """A mix cannot be used; the message says where and what was expected."""


@dataclass(frozen=True)
class Mix:
    """What a fleet is made of.

    Attributes:
        versions: Weight of each; empty: as the fleet's options say.
        behaviours: Weight, name and value of each.
        habits: Weight and what each group changes of the fleet's habits, by field.
        scenario: What happens; None: as the options say.
    """

    versions: tuple[tuple[float, str], ...] = ()
    behaviours: tuple[tuple[float, tuple[str, Behaviour]], ...] = ((1.0, ("good", GOOD)),)
    habits: tuple[tuple[float, Mapping[str, object]], ...] = ((1.0, {}),)
    scenario: Scenario | None = None
    description: str = ""


def load_mix(path: Path) -> Mix:
    """Reads a mix file.

    Raises:
        MixError: It cannot be read, is not TOML, or has something in it that is not right.
    """
    try:
        text = path.read_text(encoding="utf-8")
        given = tomllib.loads(text)
    except OSError as error:
        raise MixError(f"the mix {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MixError(f"the mix {path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise MixError(f"{path}: not TOML: {error}") from error
    try:
        return mix_of(given)
    except ParameterError as error:
        line = _line_of(text, error.path)
        raise MixError(f"{path}, line {line}: {'.'.join(error.path)}: {error}") from error


def mix_of(given: Mapping[str, Any]) -> Mix:
    """The mix that a file says.

    Raises:
        ParameterError: Something in it is not right.
    """
    for part in given:
        if part not in PARTS:
            raise ParameterError((part,), f"there is no {part!r}; expected some of {', '.join(PARTS)}")
    default = Mix()
    description = given.get("description", "")
    if not isinstance(description, str):
        raise ParameterError(("description",), "expected a text")
    return Mix(
        versions=tuple(_versions(_table(given, "versions"))),
        behaviours=tuple(_behaviours(_table(given, "behaviours"))) or default.behaviours,
        habits=tuple(_habits(given["habits"])) if "habits" in given else default.habits,
        scenario=scenario_of(_table(given, "scenario"), ("scenario",)) if "scenario" in given else None,
        description=description,
    )


def scenario_of(given: Mapping[str, object], path: tuple[str, ...] = ()) -> Scenario:
    """The scenario of a `name` and its parameters.

    Raises:
        ParameterError: There is no such scenario, or a parameter of it is not right.
    """
    name = given.get("name")
    if not isinstance(name, str) or name not in SCENARIOS:
        raise ParameterError((*path, "name"), f"there is no scenario {name!r}; expected one of {', '.join(SCENARIOS)}")
    rest = {key: value for key, value in given.items() if key != "name"}
    return changed(SCENARIOS[name](), rest, path)


def dealt(shares: Sequence[tuple[float, T]], count: int, chance: Random) -> list[T]:
    """The things shared out over so many places, as exactly as whole numbers allow, in an order of chance."""
    total = sum(weight for weight, _ in shares)
    exact = [count * weight / total for weight, _ in shares]
    counts = [int(each) for each in exact]
    by_rest = sorted(range(len(shares)), key=lambda number: counts[number] - exact[number])
    for number in by_rest[: count - sum(counts)]:
        counts[number] += 1
    things = [thing for (_, thing), times in zip(shares, counts, strict=True) for _ in range(times)]
    chance.shuffle(things)
    return things


def _table(given: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    table = given.get(part, {})
    if not isinstance(table, Mapping):
        raise ParameterError((part,), f"expected a table: [{part}]")
    return table


def _versions(table: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    for version, share in table.items():
        path = ("versions", version)
        if version not in WORDING_OF_VERSION:
            known = ", ".join(f'"{each}"' for each in WORDING_OF_VERSION)
            raise ParameterError(path, f"unknown OCPP version; expected one of {known} (in quotes: a key with points)")
        yield _weight(share, path), version


def _behaviours(table: Mapping[str, Any]) -> Iterator[tuple[float, tuple[str, Behaviour]]]:
    for name, value in table.items():
        path = ("behaviours", name)
        if name not in BEHAVIOURS:
            raise ParameterError(path, f"there is no such behaviour; expected one of {', '.join(BEHAVIOURS)}")
        if not isinstance(value, Mapping):
            yield _weight(value, path), (name, BEHAVIOURS[name]())
            continue
        rest = {key: each for key, each in value.items() if key != "share"}
        yield _share(value, path), (name, changed(BEHAVIOURS[name](), rest, path))


def _habits(given: object) -> Iterator[tuple[float, Mapping[str, object]]]:
    """One table for all, or a list of tables with a share each."""
    groups = given if isinstance(given, list) else [given]
    if len(groups) > HABIT_GROUPS_MAX or not all(isinstance(each, Mapping) for each in groups) or not groups:
        raise ParameterError(("habits",), f"expected a table, or 1 to {HABIT_GROUPS_MAX} tables: [[habits]]")
    for number, group in enumerate(groups):
        path = ("habits", str(number + 1)) if isinstance(given, list) else ("habits",)
        rest = {key: value for key, value in group.items() if key != "share"}
        changed(Habits(), rest, path)  # only to see that it is right
        yield (_share(group, path) if isinstance(given, list) else 1.0), rest


def _share(table: Mapping[str, Any], path: tuple[str, ...]) -> float:
    if "share" not in table:
        raise ParameterError(path, "expected a share among its values")
    return _weight(table["share"], (*path, "share"))


def _weight(value: object, path: tuple[str, ...]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ParameterError(path, f"expected a share, a number more than 0, not {value!r}")
    return float(value)


_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"""^\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*=""")


def _line_of(text: str, path: tuple[str, ...]) -> int:
    """The line that says what is wrong, as near as it can be told: the deepest part of the path that has one."""
    best, found = 0, 1
    tables: dict[str, int] = {}
    here: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        words = here
        if header is not None:
            name = header[1].strip("\"'")
            tables[name] = tables.get(name, 0) + 1
            here = (name, str(tables[name])) if line.lstrip().startswith("[[") else tuple(name.split("."))
            words = here
        elif key is not None:
            words = (*here, next(each for each in key.groups() if each is not None))
        depth = len(words) if words == path[: len(words)] else 0
        if (header is not None or key is not None) and depth > best:
            best, found = depth, number
    return found
