"""Pending changes: what entries do to the tables of blocks, folded so that each row occurs once. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from storage.blocks.registry import RULES
from storage.blocks.table import JSON, Change, Drop, Put, Table
from storage.projection.clean import json_of, text

Key = tuple[Any, ...]


class Pending:
    """Changes of blocks' rows, in order. Removals come before what was put after them."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Table, dict[Key, dict[str, Any]]]] = {}
        """By table: columns by key."""
        self.drops: list[tuple[Table, dict[str, Any], tuple[str, datetime] | None]] = []

    def __bool__(self) -> bool:
        return bool(self.rows or self.drops)

    def take(self, station: str, fact: Any) -> None:
        """Takes a fact in."""
        for rule in RULES.get(type(fact), ()):
            self.change(rule(station, fact))

    def change(self, changes: Iterable[Change]) -> None:
        """Takes changes in."""
        for change in changes:
            if isinstance(change, Put):
                self._put(change)
            else:
                self._drop(change)

    def _put(self, put: Put) -> None:
        kinds = put.table.kinds()
        _, rows = self.rows.setdefault(put.table.name, (put.table, {}))
        key = tuple(cleaned(kinds[name], value) for name, value in zip(put.table.key, put.key, strict=True))
        row = rows.setdefault(key, {})
        row.update({name: cleaned(kinds[name], value) for name, value in put.values.items()})

    def _drop(self, drop: Drop) -> None:
        kinds = drop.table.kinds()
        where = {name: cleaned(kinds[name], value) for name, value in drop.where.items()}
        _, rows = self.rows.get(drop.table.name, (drop.table, {}))
        for key in [key for key, row in rows.items() if matches(drop.table, key, where) and is_older(row, drop.older)]:
            del rows[key]
        self.drops.append((drop.table, where, drop.older))

    def groups(self) -> Iterator[tuple[Table, tuple[str, ...], list[tuple[Any, ...]]]]:
        """What one statement can write each: table, columns after the key, and the rows' values (key first)."""
        for table, rows in self.rows.values():
            grouped: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
            for key, row in rows.items():
                names = tuple(sorted(row))
                grouped.setdefault(names, []).append((*key, *(row[name] for name in names)))
            for names, values in grouped.items():
                yield table, names, values


def matches(table: Table, key: Key, where: Mapping[str, Any]) -> bool:
    """Whether the row of this key is one of those."""
    named = dict(zip(table.key, key, strict=True))
    return all(named[name] == value for name, value in where.items())


def is_older(row: Mapping[str, Any], older: tuple[str, datetime] | None) -> bool:
    """Whether a removal with this `Drop.older` takes the row."""
    if older is None:
        return True
    name, before = older
    at = row.get(name)
    return at is not None and at < before


def cleaned(kind: str, value: Any) -> Any:
    """The value as PostgreSQL takes it; JSON as text."""
    if value is None:
        return None
    if kind == JSON:
        return json_of(value)
    if isinstance(value, str):
        return text(value)
    if kind == "double precision" and not isinstance(value, datetime):
        return float(value)
    return value
