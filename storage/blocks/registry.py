"""The registry: every table of a block, and what each fact does to them. A block adds one line to `BLOCKS`."""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from storage.blocks import (
    authorization,
    availability,
    battery_swap,
    bidirectional,
    campaigns,
    caps,
    certificates,
    der_control,
    device_model,
    diagnostics,
    display_message,
    firmware,
    local_list,
    monitoring,
    payment,
    plans,
    provisioning,
    quirks,
    remote_control,
    reservation,
    security,
    sites,
    smart_charging,
    tariff_and_cost,
)
from storage.blocks.table import Change, Table

Rule = Callable[[str, Any], Iterable[Change]]
"""What a fact of a station (its identity, cleaned) does; operator's facts come with ''."""

BLOCKS: tuple[ModuleType, ...] = (
    quirks,
    certificates,
    security,
    campaigns,
    authorization,
    local_list,
    payment,
    reservation,
    device_model,
    provisioning,
    remote_control,
    availability,
    smart_charging,
    tariff_and_cost,
    der_control,
    bidirectional,
    battery_swap,
    firmware,
    diagnostics,
    monitoring,
    display_message,
    sites,
    caps,
    plans,
)
"""Modules with `TABLES: tuple[Table, ...]`, `CHANGES: dict[type, Rule]` and `EVENTS: tuple[type, ...]`."""

TABLES: dict[str, Table] = {table.path: table for block in BLOCKS for table in block.TABLES}
"""By path."""
UNLISTED: tuple[Table, ...] = tuple(table for block in BLOCKS for table in getattr(block, "PRIVATE", ()))
"""What no listing shows."""


def _rules() -> dict[type, tuple[Rule, ...]]:
    rules: dict[type, tuple[Rule, ...]] = {}
    for block in BLOCKS:
        for fact, rule in block.CHANGES.items():
            rules[fact] = (*rules.get(fact, ()), rule)
    return rules


EVENTS: frozenset[type] = frozenset(fact for block in BLOCKS for fact in block.EVENTS)
"""Facts (with a time `at`) that stand in a station's history, `narke events`, as they are."""

RULES: dict[type, tuple[Rule, ...]] = _rules()
"""By fact."""
