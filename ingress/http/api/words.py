"""Commands by the name of their word: every word of the engine is a command of the API without a line here.

`reserve_now` is `engine.model.reservation.ReserveNow`; its fields are the word's, in JSON.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

import msgspec

from engine.model.commands import Command
from engine.model.notices import RawCommand
from ingress.http.problems import Fault, Problem

_NEW_WORD = re.compile("(?<!^)(?=[A-Z])")
_WHERE = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<where>.*)`$")


def name_of(word: type) -> str:
    """The name of a word in the API."""
    return _NEW_WORD.sub("_", word.__name__).lower()


WORDS: dict[str, type[msgspec.Struct]] = {name_of(word): word for word in get_args(Command) if word is not RawCommand}
"""By name."""


def word_of(name: str, fields: Mapping[str, Any]) -> Command:
    """The command.

    Raises:
        Problem: 422: there is no such command, or its fields are not right.
    """
    word = WORDS.get(name)
    if word is None:
        raise _invalid("body.command", f"there is no command {name!r}", f"use one of {', '.join(sorted(WORDS))}")
    allowed = word.__struct_fields__
    for field in fields:
        if field not in allowed:
            raise _invalid(f"body.{field}", f"{name} has no field {field!r}", f"it has {', '.join(allowed) or 'none'}")
    try:
        command: Any = msgspec.convert(dict(fields), word, strict=True)
    except msgspec.ValidationError as error:
        found = _WHERE.match(str(error))
        where = f"body.{found['where']}" if found else "body"
        what = found["what"] if found else str(error)
        raise _invalid(where, what, f"see schema {word.__name__} in /api/v1/openapi.json") from None
    zoneless = _zoneless(command)
    if zoneless is not None:
        todo = "write it with an offset, e.g. 2026-05-01T10:00:00Z"
        raise _invalid(f"body.{zoneless}", "is a time without a zone, which means another moment to each reader", todo)
    said: Command = command
    return said


def _zoneless(value: Any) -> str | None:
    """Where a time without a zone stands in a word; None: nowhere."""
    parts: list[tuple[str, Any]] = []
    if isinstance(value, msgspec.Struct):
        parts = [(name, getattr(value, name)) for name in value.__struct_fields__]
    elif isinstance(value, tuple | list):
        parts = [(str(place), part) for place, part in enumerate(value)]
    for name, part in parts:
        if isinstance(part, datetime) and part.tzinfo is None:
            return name
        inner = _zoneless(part)
        if inner is not None:
            return f"{name}.{inner}"
    return None


def _invalid(where: str, what: str, what_to_do: str) -> Problem:
    fault = Fault(where=where, what=what, what_to_do=what_to_do)
    return Problem(422, "invalid-request", f"{where}: {what}", what_to_do, errors=(fault,))
