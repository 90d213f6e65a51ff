"""Tariffs and costs: the operator's tariffs and whom they are for, what stations hold, what transactions cost."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
import orjson

from engine.model.tariff_and_cost import (
    CostBegun,
    CostCounted,
    CostReported,
    CostSettled,
    DefaultTariffInstalled,
    HeldTariffsCleared,
    HeldTariffsListed,
    TariffAssigned,
    TariffRemoved,
    TariffSaved,
    TransactionTariffChanged,
)
from engine.model.tariffs import CostDetails
from storage.blocks.table import Change, Drop, Json, Put, Table

TAG = "tariffs"


class TariffRow(msgspec.Struct, frozen=True):
    """A tariff of the operator's. `tariff`: whole. `active` false: it was removed; old bills name it."""

    tariff_id: str
    currency: str = ""
    active: bool = True
    saved_at: datetime | None = None
    removed_at: datetime | None = None
    tariff: Json = None


class TariffAssignmentRow(msgspec.Struct, frozen=True):
    """Whom a tariff is for. `assigned_to`: token, group, station or default; of those that fit the first counts."""

    assigned_to: str
    name: str
    tariff_id: str = ""
    assigned_at: datetime | None = None


class TransactionCostRow(msgspec.Struct, frozen=True):
    """What a transaction costs so far, or cost (`final`). `total_incl` NULL: it is not known.

    `cost`: Narke's own sums. `station_cost`: what a 2.1 station reckoned, as OCPP writes it.
    """

    station: str
    transaction_id: str
    begun_at: datetime | None = None
    tariff_id: str | None = None
    currency: str | None = None
    total_excl: float | None = None
    total_incl: float | None = None
    final: bool = False
    counted_at: datetime | None = None
    told_at: datetime | None = None
    cost: Json = None
    station_cost: Json = None
    station_cost_at: datetime | None = None
    flags: Json = None


class HeldTariffRow(msgspec.Struct, frozen=True):
    """A tariff that a 2.1 station holds at an EVSE; 0: at each, as it was set there."""

    station: str
    evse: int
    tariff_id: str
    kind: str = ""
    valid_from: datetime | None = None
    tokens: Json = None
    tariff: Json = None
    at: datetime | None = None


TARIFFS = Table(
    name="tariffs",
    row=TariffRow,
    key=("tariff_id",),
    filters=("active", "currency"),
    shown=("tariff_id", "currency", "active", "saved_at"),
    about="The operator's tariffs.",
    tag=TAG,
)
ASSIGNMENTS = Table(
    name="tariff_assignments",
    row=TariffAssignmentRow,
    key=("assigned_to", "name"),
    filters=("assigned_to", "tariff_id"),
    about="Whom the operator's tariffs are for.",
    tag=TAG,
)
COSTS = Table(
    name="transaction_costs",
    row=TransactionCostRow,
    key=("station", "transaction_id"),
    filters=("station", "transaction_id", "tariff_id", "final"),
    shown=("station", "transaction_id", "tariff_id", "total_incl", "currency", "final", "counted_at", "flags"),
    about="What transactions cost so far or in the end, where a tariff counted.",
    tag=TAG,
)
HELD = Table(
    name="tariffs_held",
    row=HeldTariffRow,
    key=("station", "evse", "tariff_id"),
    filters=("station", "evse", "tariff_id"),
    shown=("station", "evse", "tariff_id", "kind", "valid_from", "at"),
    about="Tariffs that OCPP 2.1 stations hold and reckon with.",
    tag=TAG,
)


def saved(_: str, fact: TariffSaved) -> Iterable[Change]:
    """It is in the book."""
    tariff = fact.tariff
    values = {"currency": tariff.currency, "active": True, "saved_at": fact.at, "removed_at": None, "tariff": tariff}
    yield Put(TARIFFS, (tariff.id,), values)


def removed(_: str, fact: TariffRemoved) -> Iterable[Change]:
    """It is not, and nobody has it."""
    yield Put(TARIFFS, (fact.tariff_id,), {"active": False, "removed_at": fact.at})


def assigned(_: str, fact: TariffAssigned) -> Iterable[Change]:
    """Whom it is for."""
    if fact.tariff_id is None:
        yield Drop(ASSIGNMENTS, {"assigned_to": fact.to.value, "name": fact.name})
    else:
        values = {"tariff_id": fact.tariff_id, "assigned_at": fact.at}
        yield Put(ASSIGNMENTS, (fact.to.value, fact.name), values)


def begun(station: str, fact: CostBegun) -> Iterable[Change]:
    """A tariff counts."""
    values = {"begun_at": fact.usage.begun_at, "tariff_id": fact.tariff_id, "flags": fact.flags}
    yield Put(COSTS, (station, fact.transaction_id), values)


def counted(station: str, fact: CostCounted) -> Iterable[Change]:
    """The sum so far."""
    values = _sums(fact.cost) | {"counted_at": fact.at}
    yield Put(COSTS, (station, fact.transaction_id), values | ({"told_at": fact.at} if fact.told else {}))


def settled(station: str, fact: CostSettled) -> Iterable[Change]:
    """The sum in the end."""
    values = _sums(fact.cost) | {"counted_at": fact.at, "final": True}
    yield Put(COSTS, (station, fact.transaction_id), values | ({"flags": fact.flags} if fact.flags else {}))


def reported(station: str, fact: CostReported) -> Iterable[Change]:
    """The station's own sum."""
    values = {"station_cost": orjson.loads(fact.cost), "station_cost_at": fact.at}
    yield Put(COSTS, (station, fact.transaction_id), values)


def installed(station: str, fact: DefaultTariffInstalled) -> Iterable[Change]:
    """The station holds it."""
    values = {
        "kind": "DefaultTariff",
        "valid_from": fact.tariff.valid_from,
        "tariff": fact.tariff,
        "at": fact.at,
    }
    yield Put(HELD, (station, fact.evse, fact.tariff.id), values)


def cleared(station: str, fact: HeldTariffsCleared) -> Iterable[Change]:
    """The station holds them no more."""
    where: dict[str, object] = {"station": station} | ({"evse": fact.evse} if fact.evse else {})
    if not fact.tariff_ids:
        yield Drop(HELD, where)
    for tariff_id in fact.tariff_ids:
        yield Drop(HELD, {**where, "tariff_id": tariff_id})


def listed(station: str, fact: HeldTariffsListed) -> Iterable[Change]:
    """The station holds these and no others."""
    yield Drop(HELD, {"station": station} | ({"evse": fact.evse} if fact.evse else {}))
    for held in fact.tariffs:
        values = {"kind": held.kind, "valid_from": held.valid_from, "tokens": held.tokens, "at": fact.at}
        for evse in held.evses or (fact.evse,):
            yield Put(HELD, (station, evse, held.tariff_id), values)


def _sums(cost: CostDetails) -> dict[str, object]:
    known = cost.failure is None
    return {
        "tariff_id": cost.tariff_id,
        "currency": cost.currency if known else None,
        "total_excl": float(cost.total.excl) if known else None,
        "total_incl": float(cost.total.incl) if known else None,
        "cost": cost,
    }


TABLES = (TARIFFS, ASSIGNMENTS, COSTS, HELD)
CHANGES = {
    TariffSaved: saved,
    TariffRemoved: removed,
    TariffAssigned: assigned,
    CostBegun: begun,
    CostCounted: counted,
    CostSettled: settled,
    CostReported: reported,
    DefaultTariffInstalled: installed,
    HeldTariffsCleared: cleared,
    HeldTariffsListed: listed,
}
EVENTS = (CostSettled, DefaultTariffInstalled, HeldTariffsCleared, TransactionTariffChanged)
