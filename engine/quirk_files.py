"""Quirk files: profiles of quirks written in TOML, the built-in ones and the operator's.

    disabled = ["wallbox-boot-first"]        # built-in profiles that are not to count

    [[profile]]
    name = "acme-old-firmware"               # letters, digits, '.', '_', '-'
    vendor = "ACME*"                         # glob, or a list of them; any case
    model = ["One*", "Two"]
    firmware = "1.*"
    reason = "Times are local, Berlin's in winter"
    source = "ticket 4711"
    utc_offset_min = 60                      # any switch of `engine.model.quirks.Quirks`

A profile of the operator's with the name of a built-in one takes its place.
"""

import difflib
import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from engine.model.quirks import SWITCHES, QuirkBook, QuirkProfile, UnknownQuirk, checked

BUILT_IN: Final = "built-in"
_TEXTS: Final = ("name", "reason", "source")
_PATTERNS: Final = ("vendor", "model", "firmware")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEADER: Final = re.compile(r"\s*\[\[\s*profile\s*\]\]")
_LINE: Final = re.compile(r"\(?at line (\d+)")


class BadQuirkFile(ValueError):  # noqa: N818 (what it is)
    """A quirk file cannot be used. The message names the file, the line, what is wrong and what to do."""


def load(operators: Path | None = None) -> QuirkBook:
    """The built-in profiles and the operator's.

    Raises:
        BadQuirkFile: The operator's file cannot be read, or something in it is wrong.
    """
    profiles = dict(_built_in())
    if operators is not None:
        disabled, more = parse(_text_of(operators), str(operators))
        for name in disabled:
            if name not in profiles:
                there = ", ".join(sorted(profiles))
                raise BadQuirkFile(f"{operators}: disabled: there is no built-in profile {name!r}: there are {there}")
            del profiles[name]
        for profile in more:
            profiles.pop(profile.name, None)  # the operator's come last
            profiles[profile.name] = profile
    return QuirkBook(profiles.values())


def parse(text: str, origin: str) -> tuple[tuple[str, ...], tuple[QuirkProfile, ...]]:
    """Names of disabled profiles, and the profiles of a file.

    Args:
        text: TOML.
        origin: The file's name, for errors and for people.

    Raises:
        BadQuirkFile: Something in it is wrong.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        place = f"{origin}:{line[1] if line else len(text.splitlines())}"
        raise BadQuirkFile(f"{place}: no TOML: {error}") from None
    reader = _Reader(text, origin)
    disabled = read.pop("disabled", [])
    if not (isinstance(disabled, list) and all(isinstance(name, str) for name in disabled)):
        raise reader.error(None, "disabled", "must be a list of names of built-in profiles")
    tables = read.pop("profile", [])
    if read:
        raise reader.error(None, next(iter(read)), "is not known here: a file has `disabled` and `[[profile]]` tables")
    if not (isinstance(tables, list) and all(isinstance(table, dict) for table in tables)):
        raise reader.error(None, "profile", "must be tables: write [[profile]] above each")
    profiles = tuple(reader.profile(index, table) for index, table in enumerate(tables))
    seen: dict[str, int] = {}
    for index, profile in enumerate(profiles):
        if profile.name in seen:
            before = reader.line_of(seen[profile.name], "name")
            raise reader.error(index, "name", f"{profile.name!r} is taken by the profile in line {before}")
        seen[profile.name] = index
    return tuple(disabled), profiles


class _Reader:
    """Turns tables into profiles and finds the lines that errors are about."""

    def __init__(self, text: str, origin: str) -> None:
        self._lines = text.splitlines()
        self._origin = origin
        self._headers = [number for number, line in enumerate(self._lines) if _HEADER.match(line)]

    def profile(self, index: int, table: dict[str, Any]) -> QuirkProfile:
        """One table."""
        for key in _TEXTS:
            if not (isinstance(table.get(key), str) and table[key].strip()):
                hint = "it tells people why the switch is there" if key != "name" else "it names the profile"
                raise self.error(index, key, f"must be a text: {hint}")
        if not _NAME.fullmatch(table["name"]):
            raise self.error(index, "name", f"{table['name']!r} must have 1 to 64 letters, digits, '.', '_' or '-'")
        switches = {key: value for key, value in table.items() if key not in (*_TEXTS, *_PATTERNS)}
        if not switches:
            raise self.error(
                index, "name", f"{table['name']!r} sets no switch: there are {', '.join(sorted(SWITCHES))}"
            )
        self._check(index, switches)
        vendor, model, firmware = (self._patterns(index, key, table.get(key)) for key in _PATTERNS)
        if firmware and not (vendor or model):
            raise self.error(index, "firmware", "says nothing without `vendor` or `model`")
        return QuirkProfile(
            name=table["name"],
            reason=table["reason"].strip(),
            source=table["source"].strip(),
            switches=switches,
            vendor=vendor,
            model=model,
            firmware=firmware,
            origin=self._origin,
        )

    def _check(self, index: int, switches: dict[str, Any]) -> None:
        for key, value in switches.items():
            if key not in SWITCHES:
                near = difflib.get_close_matches(key, SWITCHES, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(SWITCHES))}"
                raise self.error(index, key, f"is no switch: {hint}")
            try:
                checked({key: value})
            except UnknownQuirk as error:
                raise self.error(index, key, str(error).partition(": ")[2]) from None

    def _patterns(self, index: int, key: str, said: Any) -> tuple[str, ...]:
        if said is None:
            return ()
        patterns = [said] if isinstance(said, str) else said
        if not (isinstance(patterns, list) and patterns and all(isinstance(each, str) and each for each in patterns)):
            raise self.error(index, key, "must be a pattern, or a list of patterns, e.g. 'ACME*'")
        return tuple(patterns)

    def line_of(self, index: int | None, key: str) -> int:
        """The line of a key, in the profile of that index or above all profiles; of the profile where it is not."""
        if index is None or index >= len(self._headers):
            start, end = 0, len(self._lines)
        else:
            start = self._headers[index]
            end = self._headers[index + 1] if index + 1 < len(self._headers) else len(self._lines)
        wanted = re.compile(rf"""\s*\[*\s*(?:profile\.)?["']?{re.escape(key)}["']?\s*[\].=]""")
        return next((at for at in range(start, end) if wanted.match(self._lines[at])), start) + 1

    def error(self, index: int | None, key: str, what: str) -> BadQuirkFile:
        """What is wrong, where."""
        return BadQuirkFile(f"{self._origin}:{self.line_of(index, key)}: {key}: {what}")


@cache
def _built_in() -> tuple[tuple[str, QuirkProfile], ...]:
    text = (files("engine") / "data" / "quirks.toml").read_text(encoding="utf-8")
    return tuple((profile.name, profile) for profile in parse(text, BUILT_IN)[1])


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadQuirkFile(f"{path}: the quirk file cannot be read: {error}") from None
