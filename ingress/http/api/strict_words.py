"""Words of the engine from JSON, strictly: a field that is not known is a fault, not silence."""

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from ingress.http.problems import ERRORS_MAX, Fault, Problem

Word = TypeVar("Word", bound=msgspec.Struct)
_TAG = "is"


def strict_word(body: Any, word: type[Word], see: str) -> Word:
    """The word that a body is. `see`: where its form is told of.

    Raises:
        Problem: 422: it has a field that is not known, or one is not right.
    """
    faults = []
    for fault in _unknown(body, _shape(word), "body"):
        faults.append(fault)
        if len(faults) == ERRORS_MAX:
            break
    if faults:
        raise Problem(
            422, "invalid-request", f"{faults[0].where}: {faults[0].what}", faults[0].what_to_do, errors=tuple(faults)
        )
    try:
        return msgspec.convert(body, word, strict=True)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        where = "body" + place.rstrip("`")
        fault = Fault(where, what[:1].lower() + what[1:], f"see {see}")
        raise Problem(422, "invalid-request", f"{where}: {fault.what}", fault.what_to_do, errors=(fault,)) from None


@cache
def _shape(word: type) -> inspect.Type:
    return inspect.type_info(word)


def _unknown(value: Any, shape: inspect.Type, where: str) -> Iterator[Fault]:
    """Fields that the word does not have, wherever they are."""
    match shape:
        case inspect.StructType() if isinstance(value, dict):
            fields = {field.encode_name: field.type for field in shape.fields}
            for name, inner in value.items():
                if name in fields:
                    yield from _unknown(inner, fields[name], f"{where}.{name}")
                elif name != _TAG:
                    near = get_close_matches(str(name)[:100], fields, n=1)
                    todo = f"did you mean {near[0]!r}?" if near else f"it may have {', '.join(fields)}"
                    yield Fault(f"{where}.{str(name)[:100]}", "there is no such field", todo)
        case inspect.VarTupleType() if isinstance(value, list):
            for place, inner in enumerate(value):
                yield from _unknown(inner, shape.item_type, f"{where}[{place}]")
        case inspect.UnionType():
            for option in shape.types:
                yield from _unknown(value, option, where)
        case _:
            return
