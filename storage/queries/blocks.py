"""Reads the blocks' tables page by page."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from psycopg_pool import AsyncConnectionPool

from storage.blocks.table import Table
from storage.queries.listing import Condition, Listing, Sort
from storage.queries.paging import Page, Paged, Place


@cache
def listing_of_table(table: Table) -> Listing[Any]:
    """How the table is read page by page."""

    def place(row: Any) -> Place:
        return tuple(getattr(row, name) for name in table.order)

    order = [(name, table.type_of(name)) for name in table.order]
    sort = Sort.NAME if table.newest_first is None else Sort.TIME
    return Listing(table.name, table.row, order, place, sort=sort)


async def read_table(
    pool: AsyncConnectionPool[Any], tenant: str, table: Table, where: Mapping[str, Any], page: Page
) -> Paged[Any]:
    """A page of rows whose columns have these values. `since`, `until` in `where`: by `newest_first`.

    Raises:
        BadCursor: See `storage.queries.paging`.
    """
    condition = Condition(tenant)
    for name, value in where.items():
        if name in {"since", "until"}:
            assert table.newest_first is not None
            comparison = ">=" if name == "since" else "<"
            condition.add(f"{table.newest_first} {comparison} %s", value)
        else:
            assert name in table.filters, name
            condition.add(f"{name} = %s", value)
    return await listing_of_table(table).page(pool, condition, page)


def selected(table: Table, row: Any, where: Mapping[str, Any]) -> bool:
    """Whether the row is among those that `read_table` gives."""
    for name, value in where.items():
        if value is None:
            continue
        if name in {"since", "until"}:
            at: datetime = getattr(row, table.newest_first or "")
            if (at < value) if name == "since" else (at >= value):
                return False
        elif getattr(row, name) != value:
            return False
    return True
