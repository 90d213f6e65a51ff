"""A house with a site that is planned: what the planner decided is in its tables."""

from datetime import timedelta

import msgspec

from deploy.plots.drawing import PlotFormat, PlotKind, plot
from engine.model.plans import (
    Competitor,
    Layer,
    LimitDecided,
    PlanStep,
    SitePlanned,
    Why,
)
from engine.model.sites import NodeKind, Outlet, Site, SiteNode
from storage.blocks import plans as block
from storage.queries.site_readings import POWER, Measured, OpenCharge
from storage.site_book_memory import MemorySiteBook
from tests.ingress.http.house import NOW, TestHouse

SITE = Site(
    site="garage",
    name="Garage North",
    time_zone="Europe/Berlin",
    nodes=(
        SiteNode(node="grid", kind=NodeKind.GRID, limit_kw=30.0, limit_a=(63.0, 63.0, 63.0)),
        SiteNode(node="board", kind=NodeKind.BOARD, parent="grid", limit_a=(40.0, 40.0, 40.0)),
        SiteNode(node="e1", kind=NodeKind.EVSE, parent="board", outlet=Outlet(station="CP-1", evse=1)),
        SiteNode(node="e2", kind=NodeKind.EVSE, parent="board", outlet=Outlet(station="CP-2", evse=1, rotation="231")),
        SiteNode(node="e3", kind=NodeKind.EVSE, parent="grid", outlet=Outlet(station="CP-2", evse=2)),
    ),
)


class Reads:
    def __init__(self):
        self.charges = []
        self.asked = []

    async def measured(self, stations, since, until, step_s):
        self.asked.append((tuple(stations), since, until, step_s))
        return [Measured("CP-1", 1, POWER, None, 12, 7_000.0)]

    async def open_charges(self, stations):
        return [each for each in self.charges if each.station in stations]


def decided(number, current_a, *, ago_s=0, **more):
    given = {
        "site": "garage", "node": f"e{number}", "station": f"CP-{number}", "evse": 1, "current_a": current_a,
        "at": NOW - timedelta(seconds=ago_s), "why": Why.ROW, "layer": Layer.HORIZON, "allocator": "narke",
        "transaction_id": f"tx-{number}", "power_kw": current_a * 0.69, "binding": "board L1", "binding_limit": 40.0,
        "binding_used": 39.9, "unit": "A", "competitors": (Competitor("e2", 16.0),), "energy_kwh": 12.0,
        "departs_at": NOW + timedelta(hours=4), "need": "12.0 kWh by 16:00", "plan": (PlanStep(NOW, current_a),),
    }  # fmt: skip
    return LimitDecided(**(given | more))


def planned(**more):
    given = {"cars": 2, "paused": 0, "changed": 1, "solve_ms": 3.2, "planned_kw": 18.0, "limit_kw": 30.0}
    return SitePlanned(
        site="garage", at=NOW, layer=Layer.HORIZON, allocator="narke", unmanaged_kw=4.0, **(given | more)
    )


def charge(number, evse=1, transaction=None):
    name = transaction or f"tx-{number}"
    return OpenCharge(f"CP-{number}", evse, name, NOW - timedelta(hours=1), "TAG-1", 5_000.0, "Charging")


def _written(value):
    """As the projector keeps it: JSON as bytes."""
    return msgspec.json.encode(value) if isinstance(value, dict) else value


def _plot(day, kind, form):
    return plot(day, PlotKind(kind), PlotFormat(form))


class PlannedHouse(TestHouse):
    """`sites`, `reads`: what its services are given."""

    def __init__(self, **changes):
        self.reads = Reads()
        super().__init__(site_reads=self.reads, plot=_plot, **changes)
        self.sites = MemorySiteBook(self.store, tenant="default")
        self.services = msgspec.structs.replace(self.services, sites=self.sites)

    async def fill(self):
        await self.sites.save_site(SITE, "tests", NOW)
        self.reads.charges = [charge(1), charge(2)]
        self.tell(decided(1, 20.0, ago_s=60), decided(1, 11.0), decided(2, 16.0), planned())
        return self

    def tell(self, *facts):
        """As the projector does."""
        for fact in facts:
            for change in block.CHANGES[type(fact)]("", fact):
                rows = self.projection.tables.blocks.setdefault(change.table.name, {})
                values = {name: _written(value) for name, value in change.values.items()}
                rows[change.key] = rows.get(change.key, {}) | values
