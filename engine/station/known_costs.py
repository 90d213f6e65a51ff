"""What a station's state remembers of its transactions' costs, and how facts change it. Part of the state; bounded.

Only transactions that have a tariff are in it, while they are open.
"""

from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from engine.model.tariff_and_cost import CostBegun, CostCounted, CostSettled, CostUpdatesUnsupported
from engine.model.usage import Usage

COSTS_MAX = 64
"""The oldest beyond is forgotten: its cost is not known in the end."""


class KnownCost(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How far a transaction's cost is. `told`, `told_at`: the sum that the station was sent last."""

    transaction_id: str
    tariff_id: str
    usage: Usage
    told: Decimal | None = None
    told_at: datetime | None = None


class KnownCosts(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Open transactions with a tariff, oldest first. `muted`: the station knows no CostUpdated."""

    costs: tuple[KnownCost, ...] = ()
    muted: bool = False

    def find(self, transaction_id: str) -> KnownCost | None:
        """By transaction."""
        return next((cost for cost in self.costs if cost.transaction_id == transaction_id), None)

    def after(self, fact: CostBegun | CostCounted | CostSettled | CostUpdatesUnsupported) -> "KnownCosts":
        """With what the fact tells."""
        match fact:
            case CostBegun():
                begun = KnownCost(fact.transaction_id, fact.tariff_id, fact.usage)
                return replace(self, costs=(*self._without(fact.transaction_id), begun)[-COSTS_MAX:])
            case CostCounted():
                return replace(self, costs=tuple(_counted(cost, fact) for cost in self.costs))
            case CostSettled():
                return replace(self, costs=self._without(fact.transaction_id))
            case CostUpdatesUnsupported():
                return replace(self, muted=True)

    def _without(self, transaction_id: str) -> tuple[KnownCost, ...]:
        return tuple(cost for cost in self.costs if cost.transaction_id != transaction_id)


def _counted(cost: KnownCost, fact: CostCounted) -> KnownCost:
    if cost.transaction_id != fact.transaction_id:
        return cost
    if not fact.told:
        return replace(cost, usage=fact.usage)
    return replace(cost, usage=fact.usage, told=fact.cost.total.incl, told_at=fact.at)
