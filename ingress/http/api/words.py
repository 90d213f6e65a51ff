"""Commands by the name of their word: every word of the engine is a command of the API without a line here.

`reserve_now` is `engine.model.reservation.ReserveNow`; its fields are the word's, in JSON.
"""

import re
from collections.abc import Mapping
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
    said: Command = command
    return said


def _invalid(where: str, what: str, what_to_do: str) -> Problem:
    fault = Fault(where=where, what=what, what_to_do=what_to_do)
    return Problem(422, "invalid-request", f"{where}: {what}", what_to_do, errors=(fault,))
