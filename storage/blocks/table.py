"""A table of a block, and changes of its rows. A row is a struct; its fields are the columns, in any order in SQL.

    field's type            column
    str                     text
    int                     bigint
    float                   double precision
    bool                    boolean
    datetime                timestamptz
    Json, or any other      jsonb

The table has the column `tenant` besides, which leads its primary key (tenant, *key). All columns but the key can be
NULL or have a default, because a change may name only some.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

Json = dict[str, object] | list[object] | str | int | float | bool | None
"""Any JSON value, decoded."""

KINDS = {str: "text", int: "bigint", float: "double precision", bool: "boolean", datetime: "timestamptz"}
JSON = "jsonb"


class Age(StrEnum):
    """How long rows that grow old are kept."""

    HISTORY = "history"
    PRIVATE = "private"
    """Personal data."""
    VALUES = "values"
    """Volume: values of event streams and the like."""


class Table(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A table, and how it is listed at `GET /api/v1/<path>` and by `narke records <path>`.

    Attributes:
        name: Of the table.
        row: A frozen msgspec.Struct; its docstring and fields are the API's.
        key: Fields of the primary key after the tenant. Never NULL.
        newest_first: Field (never NULL) by which it is listed, newest first; None: by key, ascending.
        filters: Fields that a caller may demand the value of.
        shown: Fields of the CLI's table; empty: all.
        ages_by: Field (a time) by which rows grow old and go, see `age`; None: rows stay.
        age: Which of `storage.postgres_settings.RetentionSettings` says how old: history, private or stream values.
        about: One line for people.
        tag: The API's tag.
    """

    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    about: str
    newest_first: str | None = None
    filters: tuple[str, ...] = ("station",)
    shown: tuple[str, ...] = ()
    ages_by: str | None = None
    age: Age = Age.HISTORY
    tag: str = "blocks"

    @property
    def path(self) -> str:
        """Its part of the API's path and its name in the CLI."""
        return self.name.replace("_", "-")

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that order its listing; together unique."""
        first = () if self.newest_first is None else (self.newest_first,)
        return (*first, *(name for name in self.key if name not in first))

    def kinds(self) -> dict[str, str]:
        """The columns' SQL types by name."""
        return _kinds(self.row)

    def type_of(self, field: str) -> type:
        """The Python type of a field that is a plain value."""
        return plain_type(get_type_hints(self.row)[field])


class Put(msgspec.Struct, frozen=True):
    """Adds the row, or changes the columns named of the one that is there. `values`: without the key."""

    table: Table
    key: tuple[Any, ...]
    values: Mapping[str, Any]


class Drop(msgspec.Struct, frozen=True):
    """Removes the rows whose columns have these values (`where` names key fields only).

    `older`: of those only rows whose column of that name is before that time. Every `Put` of the table names it.
    """

    table: Table
    where: Mapping[str, Any]
    older: tuple[str, datetime] | None = None


Change = Put | Drop


@cache
def _kinds(row: type[msgspec.Struct]) -> dict[str, str]:
    return {name: kind_of(hint) for name, hint in get_type_hints(row).items()}


def kind_of(hint: Any) -> str:
    """The SQL type of a field."""
    options = [option for option in get_args(hint) if option is not NoneType] if _is_union(hint) else [hint]
    if len(options) == 1 and options[0] in KINDS:
        return KINDS[options[0]]
    return JSON


def plain_type(hint: Any) -> type:
    """The type without None."""
    options = [option for option in get_args(hint) if option is not NoneType] if _is_union(hint) else [hint]
    assert len(options) == 1, hint
    assert options[0] in KINDS, hint
    found: type = options[0]
    return found


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in {Union, UnionType}
