"""Words of `engine.model` drawn from a chance by their types alone, so that those of new blocks are drawn, too."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import get_args

import msgspec
from msgspec import inspect

from loadtests.fuzz.payloads import Chances, anything

_NUMBERS = ("request_id", "remote_start_id", "number")
EPOCH = datetime(2026, 6, 1, tzinfo=UTC)
_text = Chances().text(0, 60, None)
_integer = Chances().integer(-(2**31), 2**31 - 1)
_number = Chances().number(None, None, None)


def kinds(union):
    """The words of a union."""
    return get_args(union)


def draw(kind, chance: Random):
    """A value of a type."""
    return _draw(inspect.type_info(kind), chance, 0)


def _draw(info, chance, depth):  # noqa: C901, PLR0912 (a line for each kind of type that words hold)
    match info:
        case inspect.NoneType():
            return None
        case inspect.BoolType():
            return chance.random() < 0.5
        case inspect.IntType():
            return _bounded(_integer(chance), info.ge if info.ge is not None else info.gt, info.le)
        case inspect.FloatType():
            return float(_number(chance))
        case inspect.DecimalType():
            return Decimal(str(_number(chance)))
        case inspect.DateType():
            return (EPOCH + timedelta(days=chance.randrange(999))).date()
        case inspect.StrType():
            return _text(chance)
        case inspect.BytesType():
            return msgspec.json.encode(anything(chance))
        case inspect.DateTimeType():
            return EPOCH + timedelta(seconds=chance.choice((0, 0.001, -1e7, 1e7, -1e9, 1e9)))
        case inspect.TimeDeltaType():
            return timedelta(seconds=chance.choice((0, 1, 1e6)))
        case inspect.EnumType():
            return chance.choice([*info.cls])
        case inspect.LiteralType():
            return chance.choice(info.values)
        case inspect.UnionType():
            return _draw(chance.choice(info.types), chance, depth)
        case inspect.VarTupleType() | inspect.ListType() | inspect.SetType() | inspect.FrozenSetType():
            items = [_draw(info.item_type, chance, depth + 1) for _ in range(chance.choice((0, 1, 1, 2, 5)))]
            if isinstance(info, inspect.VarTupleType):
                return tuple(items)
            return items if isinstance(info, inspect.ListType) else frozenset(items)
        case inspect.TupleType():
            return tuple(_draw(item, chance, depth + 1) for item in info.item_types)
        case inspect.DictType():
            pairs = range(chance.choice((0, 1, 2)))
            return {_draw(info.key_type, chance, depth): _draw(info.value_type, chance, depth + 1) for _ in pairs}
        case inspect.StructType():
            return _struct(info, chance, depth)
        case inspect.AnyType():
            return anything(chance)
        case _:
            raise AssertionError(f"words of this kind are not drawn yet: {info}")


def _struct(info, chance, depth):
    fields = {}
    for field in info.fields:
        if field.required or (depth < 8 and chance.random() < 0.5):
            fields[field.name] = _draw(field.type, chance, depth + 1)
    return info.cls(**fields)


def _bounded(value, low, high):
    if low is not None:
        value = max(value, low)
    return value if high is None else min(value, high)


def numbered(command):
    """The command with the numbers that it is given when it is recorded."""
    missing = [name for name in _NUMBERS if getattr(command, name, 0) is None]
    return msgspec.structs.replace(command, **dict.fromkeys(missing, 7))
