"""Upserts: one statement for any number of rows, sent as an array per column.

A row that exists gets the columns that the upsert names; its other columns stay.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection, sql


class Column(NamedTuple):
    """A column and its SQL type. `kind` text[] travels as text whose parts are separated by commas."""

    name: str
    kind: str = "text"


class Upsert:
    """INSERT ... ON CONFLICT DO UPDATE of a table with a tenant.

    `keys`: the rest of the primary key. `fixed`: columns that get the same SQL in every row. `placeholders`: columns
    that only a row that did not exist gets, as SQL.
    """

    def __init__(
        self,
        table: str,
        keys: Sequence[Column],
        columns: Sequence[Column],
        *,
        fixed: Sequence[tuple[str, str]] = (),
        placeholders: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.table = table
        self._sent = (*keys, *columns)
        self._floats = {index for index, column in enumerate(self._sent) if column.kind == "double precision"}
        self._statement = _statement(table, keys, columns, [*fixed], [*placeholders])

    async def write(self, connection: AsyncConnection[Any], tenant: str, rows: Sequence[Sequence[object]]) -> None:
        """Writes rows, given as values of keys and columns; each key once."""
        if not rows:
            return
        arrays: list[list[object]] = [list(column) for column in zip(*rows, strict=True)]
        for index in self._floats:  # an array is of one type: no whole numbers among the others
            arrays[index] = [None if value is None else float(value) for value in arrays[index]]  # type: ignore[arg-type] # numbers
        await connection.execute(self._statement, [tenant, *arrays])


def _statement(
    table: str,
    keys: Sequence[Column],
    columns: Sequence[Column],
    fixed: list[tuple[str, str]],
    placeholders: list[tuple[str, str]],
) -> sql.Composed:
    sent = (*keys, *columns)
    names = [column.name for column in sent] + [name for name, _ in fixed] + [name for name, _ in placeholders]
    values = [_value(column) for column in sent] + [sql.SQL(value) for _, value in (*fixed, *placeholders)]
    updated = [column.name for column in columns] + [name for name, _ in fixed]
    return sql.SQL(
        "INSERT INTO {table} (tenant, {names}) SELECT %s, {values} FROM unnest({arrays}) AS sent({aliases})"
        " ON CONFLICT (tenant, {keys}) DO UPDATE SET {updates}"
    ).format(
        table=sql.Identifier(table),
        names=_list(names),
        values=sql.SQL(", ").join(values),
        arrays=sql.SQL(", ").join(sql.SQL("%s::{}[]").format(sql.SQL(_sent_kind(column))) for column in sent),
        aliases=_list([column.name for column in sent]),
        keys=_list([column.name for column in keys]),
        updates=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in updated),
    )


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _sent_kind(column: Column) -> str:
    return "text" if column.kind == "text[]" else column.kind


def _value(column: Column) -> sql.Composed:
    form = "string_to_array(sent.{}, ',')" if column.kind == "text[]" else "sent.{}"
    return sql.SQL(form).format(sql.Identifier(column.name))
