"""What can be wrong with a site: problems that name the node, what is wrong there, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from math import isfinite
from typing import Final

import msgspec

PROBLEMS_MAX: Final = 1_000
_GUESSES_MAX: Final = 20
_KNOWN_MAX: Final = 2_000
"""Names that one guess looks at."""
NAME_CHARACTERS_MAX: Final = 64
TEXT_CHARACTERS_MAX: Final = 200
IDENTITY_CHARACTERS_MAX: Final = 48
"""OCPP 2.0.1 part 4 section 3.1.1; identities of 1.6 are bounded by their URL alone."""


class Severity(StrEnum):
    """Whether a site can be used all the same."""

    ERROR = "error"
    WARNING = "warning"


class SiteProblem(msgspec.Struct, frozen=True):
    """One fault. `node`: id of the node, load or battery; empty: the site. `field`: where in it; empty: all of it."""

    node: str
    what: str
    todo: str
    severity: Severity = Severity.ERROR
    field: str = ""

    def __str__(self) -> str:
        place = f"{self.node or 'site'}: " if not self.field else f"{self.node or 'site'}, {self.field}: "
        return f"{self.severity.value}: {place}{self.what}; {self.todo}"


def errors_of(problems: Iterable[SiteProblem]) -> tuple[SiteProblem, ...]:
    """Those that keep a site from being saved."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)


class Findings:
    """Problems as they are found, so many at most: a file of nonsense has no million of them."""

    def __init__(self) -> None:
        self._found: list[SiteProblem] = []
        self.left_out = 0
        self._guesses = _GUESSES_MAX

    def error(self, node: str, field: str, what: str, todo: str) -> None:
        """The site cannot be used."""
        self._add(SiteProblem(node, what, todo, Severity.ERROR, field))

    def warning(self, node: str, field: str, what: str, todo: str) -> None:
        """It can, but this is hardly meant."""
        self._add(SiteProblem(node, what, todo, Severity.WARNING, field))

    def _add(self, problem: SiteProblem) -> None:
        if len(self._found) < PROBLEMS_MAX:
            self._found.append(problem)
        else:
            self.left_out += 1

    @property
    def problems(self) -> tuple[SiteProblem, ...]:
        """All, errors first, each kind in the order in which it was found."""
        found = sorted(self._found, key=lambda problem: problem.severity is not Severity.ERROR)
        if self.left_out:
            text = f"{self.left_out} more problems were found"
            found.append(SiteProblem("", text, "correct those that are listed, then check again", Severity.ERROR))
        return tuple(found)

    def meant(self, name: str, known: Iterable[str], otherwise: str) -> str:
        """What to do about a name that is not known. Guesses take time: only the first faults get one."""
        self._guesses -= 1
        found = nearest(name, known) if self._guesses >= 0 else None
        return otherwise if found is None else f"did you mean {found!r}? If not: {otherwise}"

    # -- values: True where it is good, so that nothing is reckoned with nonsense

    def number(self, node: str, field: str, value: float, *, least: float = 0.0, most: float, unit: str = "") -> bool:
        """Finds what is no number within bounds."""
        shown = f"{value:g} {unit}".strip()
        if not isfinite(value):
            self.error(node, field, f"{value} is no number", f"write one of {least:g} to {most:g} {unit}".strip())
        elif value < least and least == 0:
            self.error(node, field, f"{shown} is negative", "write what is drawn or allowed as a positive number")
        elif value < least:
            self.error(node, field, f"{shown} is too little", f"write {least:g} to {most:g} {unit}".strip())
        elif value > most:
            self.error(node, field, f"{shown} is too much", f"write {least:g} to {most:g} {unit}: are the units right?")
        else:
            return True
        return False

    def positive(self, node: str, field: str, value: float, *, most: float, unit: str = "") -> bool:
        """Finds what is no number above 0."""
        if value == 0:
            self.error(node, field, "it is 0", f"write a number above 0, at most {most:g} {unit}".strip())
            return False
        return self.number(node, field, value, most=most, unit=unit)

    def name(self, node: str, field: str, value: str, kind: str) -> bool:
        """Finds what cannot be the name of something."""
        todo = f"name it with 1 to {NAME_CHARACTERS_MAX} printable characters without '/' and spaces around"
        if not value or value != value.strip():
            self.error(node, field, f"{value!r} is no name of a {kind}", todo)
        elif len(value) > NAME_CHARACTERS_MAX or not value.isprintable() or ("/" in value and kind == "site"):
            self.error(node, field, f"{shortened(value)!r} is no name of a {kind}", todo)
        else:
            return True
        return False

    def identity(self, node: str, field: str, value: str) -> bool:
        """Finds what cannot be the identity of a station."""
        todo = (
            f"write the station's OCPP identity: 1 to {IDENTITY_CHARACTERS_MAX} characters, no colon, no space around"
        )
        if not value or value != value.strip() or len(value) > IDENTITY_CHARACTERS_MAX:
            self.error(node, field, f"{shortened(value)!r} is no identity of a station", todo)
        elif ":" in value or not value.isprintable():
            self.error(node, field, f"{value!r} is no identity of a station", todo)
        else:
            return True
        return False


def shortened(text: str) -> str:
    """A text as a message can hold it."""
    return text if len(text) <= NAME_CHARACTERS_MAX else text[:NAME_CHARACTERS_MAX] + "..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that may have been meant."""
    found = get_close_matches(name[:NAME_CHARACTERS_MAX], list(islice(known, _KNOWN_MAX)), n=1, cutoff=0.6)
    return found[0] if found else None
