"""Compiles a listing to SQL: conditions from a whitelist, keyset order, limit. Values are always parameters.

A listing is ordered by columns that are together unique within the tenant; a page starts after its cursor's place.
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Generic, NamedTuple, TypeVar

from psycopg import sql
from psycopg.rows import AsyncRowFactory, RowMaker
from psycopg_pool import AsyncConnectionPool

from storage.queries.paging import Page, Paged, Place, paged, place_of

Row = TypeVar("Row")

COLUMN_OF_FIELD = {
    "StationRow.has_password": "password_hash IS NOT NULL",
    "StationRow.has_password_next": "password_hash_next IS NOT NULL",
    "MeterValueRow.at": "sampled_at",
    "TokenRow.group": "token_group",
}
"""Where a field of a row is not the column of the same name."""

VALUE_OF_FIELD: dict[str, Callable[[Any], Any]] = {
    "TransactionRow.flags": tuple,
    "TokenRow.places": tuple,
    "TokenRow.hours": tuple,
}
"""Where a field of a row is not the value as psycopg gives it."""


def fields_of(row: type[object]) -> tuple[str, ...]:
    """The fields of a struct or named tuple."""
    return tuple(getattr(row, "__struct_fields__", ()) or getattr(row, "_fields", ()))


def columns_of(row: type[object]) -> sql.Composed:
    """The select list that fills `row` by position."""
    names = [(field, f"{row.__name__}.{field}") for field in fields_of(row)]
    return sql.SQL(", ").join(
        sql.SQL(COLUMN_OF_FIELD[name]) if name in COLUMN_OF_FIELD else sql.Identifier(field) for field, name in names
    )


def reader_of(row: type[Row]) -> AsyncRowFactory[Row]:
    """A psycopg row factory that makes `row` from the columns of `columns_of`."""
    names = [f"{row.__name__}.{field}" for field in fields_of(row)]
    fixes = [(index, VALUE_OF_FIELD[name]) for index, name in enumerate(names) if name in VALUE_OF_FIELD]

    def make(values: Sequence[Any]) -> Row:
        if fixes:
            values = list(values)
            for index, fix in fixes:
                values[index] = fix(values[index])
        return row(*values)

    def factory(_cursor: object) -> RowMaker[Row]:
        return make

    return factory


class Sort(Enum):
    """What a listing is ordered by.

    NAME: ascending always, whatever the page says. ARRIVAL: can be followed, since what comes later stands behind.
    """

    NAME = auto()
    TIME = auto()
    ARRIVAL = auto()


class View(NamedTuple):
    """A view that shows several rows for one of its table.

    `anchor`: an indexed column of the table, which leads the order. `spread`: a shown row's own value in the first
    column of the order is at most so much beyond the anchor, and never before it.
    """

    name: str
    anchor: str
    spread: int = 0


class Condition:
    """Conditions that must all hold, each written by us, with the caller's values as parameters."""

    def __init__(self, tenant: str) -> None:
        self._parts: list[sql.Composable] = [sql.SQL("tenant = %s")]
        self.values: list[object] = [tenant]

    def add(self, text: str, value: object, *more: object) -> None:
        """Adds `text`, SQL of ours with a `%s` for each value; not when `value` is None."""
        if value is None:
            return
        if any(isinstance(one, str) and "\0" in one for one in (value, *more)):
            self._parts.append(sql.SQL("false"))  # PostgreSQL has no such text, so no row has it
            return
        self._parts.append(sql.SQL(text))
        self.values.extend((value, *more))

    def add_plain(self, text: str) -> None:
        """Adds SQL of ours that has no value."""
        self._parts.append(sql.SQL(text))

    def add_search(self, columns: Sequence[str], text: str | None) -> None:
        """One of the columns contains the text, whatever the case."""
        if not text:
            return
        if "\0" in text:
            self._parts.append(sql.SQL("false"))
            return
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        any_of = sql.SQL(" OR ").join(sql.SQL("{} ILIKE %s").format(sql.Identifier(column)) for column in columns)
        self._parts.append(sql.SQL("({})").format(any_of))
        self.values.extend([pattern] * len(columns))

    def add_after(self, columns: Sequence[str], place: Place, *, descending: bool) -> None:
        """Only rows behind `place` in the order of `columns`."""
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        marks = sql.SQL(", ").join([sql.Placeholder()] * len(columns))
        comparison = sql.SQL("<" if descending else ">")
        self._parts.append(sql.SQL("({}) {} ({})").format(names, comparison, marks))
        self.values.extend(place)

    def add_near(self, view: View, start: object, *, descending: bool) -> None:
        """Only rows whose anchor can be behind `start`: what `add_after` says, in words that an index understands."""
        column, slack = sql.Identifier(view.anchor), sql.Literal(view.spread)
        if descending:
            self._parts.append(sql.SQL("{} <= %s").format(column))
        elif view.spread:
            self._parts.append(sql.SQL("{} >= %s - {}").format(column, slack))
        else:
            self._parts.append(sql.SQL("{} >= %s").format(column))
        self.values.append(start)

    @property
    def where(self) -> sql.Composed:
        """All of it."""
        return sql.SQL(" AND ").join(self._parts)


class Listing(Generic[Row]):
    """A table that is read page by page.

    `order`: its columns and their types, unique together within the tenant; `place`: their values of a row.
    `view`: what is read in place of the table.
    """

    def __init__(
        self,
        table: str,
        row: type[Row],
        order: Sequence[tuple[str, type]],
        place: Callable[[Row], Place],
        *,
        sort: Sort = Sort.TIME,
        view: View | None = None,
    ) -> None:
        self.table = table
        self._columns = columns_of(row)
        self._reader = reader_of(row)
        self._order = tuple(name for name, _ in order)
        self.shape = tuple(kind for _, kind in order)
        self.place = place
        self._by_name = sort is Sort.NAME
        self.arrival = sort is Sort.ARRIVAL
        self._view = view

    def is_descending(self, page: Page) -> bool:
        """Whether the page comes in descending order."""
        return not (self._by_name or page.oldest_first)

    async def page(self, pool: AsyncConnectionPool[Any], condition: Condition, page: Page) -> Paged[Row]:
        """Reads one page.

        Raises:
            BadCursor: See `place_of`.
        """
        descending = self.is_descending(page)
        place = place_of(page.cursor, self.table, self.shape) if page.cursor is not None else ()
        if place:
            condition.add_after(self._order, place, descending=descending)
            if self._view is not None:
                condition.add_near(self._view, place[0], descending=descending)
        direction = sql.SQL(" DESC" if descending else "")
        names = self._order if self._view is None else dict.fromkeys((self._view.anchor, *self._order))
        order = sql.SQL(", ").join(sql.SQL("{}{}").format(sql.Identifier(name), direction) for name in names)
        rows = await self.first(pool, condition, order, page.limit + 1)
        return paged(self.table, rows, page, self.place, follow=self.arrival)

    async def first(
        self, pool: AsyncConnectionPool[Any], condition: Condition, order: sql.Composable, limit: int
    ) -> list[Row]:
        """Reads the first `limit` rows in an order of ours."""
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %s").format(
            self._columns,
            sql.Identifier(self._view.name if self._view is not None else self.table),
            condition.where,
            order,
        )
        async with pool.connection() as connection, connection.cursor(row_factory=self._reader) as cursor:
            await cursor.execute(query, [*condition.values, limit])
            rows: list[Row] = await cursor.fetchall()
            return rows
