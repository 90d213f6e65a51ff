"""Values with parameters, made of what a user wrote: checks names and types against a dataclass's fields.

For behaviours, habits and scenarios, in mix files and on the command line: all say the same when something is wrong.
"""

import dataclasses
import functools
import math
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class ParameterError(Exception):
    """A parameter is not right.

    Attributes:
        path: Which one: its names from the outermost to the innermost.
    """

    def __init__(self, path: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


def changed(value: T, given: Mapping[str, object], path: tuple[str, ...] = ()) -> T:
    """The dataclass value with some fields changed; a field that is a dataclass itself is given as a mapping.

    Raises:
        ParameterError: There is no such field, or its value is of a wrong type or out of bounds.
    """
    types_of = _types_of(type(value))
    converted: dict[str, Any] = {}
    for name, raw in given.items():
        here = (*path, name)
        if name not in types_of:
            raise ParameterError(here, f"there is no {name!r}; expected one of {', '.join(types_of) or 'nothing'}")
        current = getattr(value, name)
        if dataclasses.is_dataclass(current) and not isinstance(current, type) and isinstance(raw, Mapping):
            converted[name] = changed(current, raw, here)
        else:
            converted[name] = _converted(raw, types_of[name], here)
    try:
        return dataclasses.replace(value, **converted)
    except ValueError as error:
        raise ParameterError(path, str(error)) from None


def check_bounds(value: "DataclassInstance") -> None:
    """What the names of its fields promise: shares are 0 to 1, times and counts not negative, intervals more than 0.

    Raises:
        ValueError: A field is out of bounds; names it.
    """
    for field in dataclasses.fields(value):
        name, number = field.name, getattr(value, field.name)
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        if name in _SHARES and not 0 <= number <= 1:
            raise ValueError(f"{name} must be 0 to 1, not {number}")
        if name in _INTERVALS and not 0 < number < math.inf:
            raise ValueError(f"{name} must be more than 0, not {number}")
        if name not in _SIGNED and not 0 <= number < math.inf:
            raise ValueError(f"{name} must be 0 or more, not {number}")


_SHARES = {"share", "duty"}
_INTERVALS = {"every_s", "period_s", "day_s", "asks_per_s"}
_SIGNED = {"hours", "utc_offset_h"}


def split(text: str) -> tuple[str, dict[str, object]]:
    """`name:key=value,key=value` as the name and its parameters.

    Raises:
        ParameterError: A parameter has no `=`.
    """
    name, _, rest = text.partition(":")
    given: dict[str, object] = {}
    for word in filter(None, (each.strip() for each in rest.split(","))):
        key, sign, value = word.partition("=")
        if not sign:
            raise ParameterError((key,), f"expected name:key=value, not {word!r}")
        given[key.strip()] = _plain(value.strip())
    return name.strip(), given


def _plain(word: str) -> object:
    """A word of the command line as TOML would read it."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


@functools.cache
def _types_of(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def _converted(raw: object, kind: Any, path: tuple[str, ...]) -> object:
    """As the field's type wants it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        kind = next(each for each in arguments if each is not type(None))
        return _converted(raw, kind, path)
    if origin is tuple and arguments[-1] is not ...:
        return _fixed(raw, arguments, path)
    if origin in (tuple, frozenset):
        if not isinstance(raw, list) or not all(isinstance(each, arguments[0]) for each in raw):
            raise ParameterError(path, f"expected a list, each {_word(arguments[0])}, not {raw!r}")
        return origin(raw)
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if not isinstance(kind, type) or not isinstance(raw, kind) or (isinstance(raw, bool) and kind is not bool):
        raise ParameterError(path, f"expected {_word(kind)}, not {raw!r}")
    return raw


def _fixed(raw: object, kinds: tuple[Any, ...], path: tuple[str, ...]) -> tuple[object, ...]:
    if not isinstance(raw, list) or len(raw) != len(kinds):
        raise ParameterError(path, f"expected a list of {len(kinds)}, not {raw!r}")
    return tuple(_converted(each, kind, path) for each, kind in zip(raw, kinds, strict=True))


def _word(kind: Any) -> str:
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
    return words.get(kind, "a table of values")
