"""Writes pending changes of the blocks' tables."""

from functools import cache
from typing import Any

from psycopg import AsyncConnection, sql

from storage.blocks.table import Table
from storage.projection.pending import Pending
from storage.projection.upserts import Column, Upsert


async def write_pending(connection: AsyncConnection[Any], tenant: str, pending: Pending) -> None:
    """Removes and upserts.

    Raises:
        psycopg.Error: PostgreSQL refuses a row or does not answer: the transaction cannot go on.
    """
    for table, where, older in pending.drops:
        conditions = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in where]
        values = [*where.values()]
        if older is not None:
            conditions.append(sql.SQL("{} < %s").format(sql.Identifier(older[0])))
            values.append(older[1])
        condition = sql.SQL(" AND ").join(conditions)
        statement = sql.SQL("DELETE FROM {} WHERE tenant = %s AND {}").format(sql.Identifier(table.name), condition)
        await connection.execute(statement, [tenant, *values])
    for table, names, rows in pending.groups():
        await _upsert(table, names).write(connection, tenant, rows)


@cache
def _upsert(table: Table, names: tuple[str, ...]) -> Upsert:
    kinds = table.kinds()
    keys = [Column(name, kinds[name]) for name in table.key]
    return Upsert(table.name, keys, [Column(name, kinds[name]) for name in names])
