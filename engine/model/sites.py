"""Sites: the electrical tree that stations hang in, its limits, and what else draws or feeds there.

Currents are A per phase (RMS), powers kW, energies kWh, times of day seconds after midnight in the site's time zone.
None: not said. Draws are positive, feeding in is negative. What a site must be to make sense is checked by
`smartcharging.site_check`; a `Site` in the book has passed it.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word

Phases = tuple[float, float, float]
"""A number for each of the grid's phases L1, L2, L3."""

DAY_S = 86_400


class NodeKind(StrEnum):
    """What a node of the tree is. Only EVSEs have an outlet, and they have no children."""

    GRID = "grid"
    """The connection to the grid: the root, one per site."""
    TRANSFORMER = "transformer"
    FEEDER = "feeder"
    BOARD = "board"
    STATION = "station"
    EVSE = "evse"


class Wiring(StrEnum):
    """How cars are connected: to neutral (230/400 V), or between phases (208 V, North America)."""

    WYE = "wye"
    DELTA = "delta"


class Goal(StrEnum):
    """What a site's horizon is planned for, beside the energy that every car needs, which always comes first."""

    EARLY = "early"
    """Nothing else: as early as it fits."""
    COST = "cost"
    CO2 = "co2"


class TimedLimit(Word, frozen=True, tag=False, kw_only=True):
    """A limit at certain times of the day, beside the node's own: the least counts.

    `to_s` at or before `from_s`: over midnight. `weekdays`: 1 Monday to 7 Sunday, of the day it begins; empty: all.
    """

    from_s: int = 0
    to_s: int = DAY_S
    weekdays: tuple[int, ...] = ()
    limit_a: Phases | None = None
    limit_kw: float | None = None


class TimedPrice(Word, frozen=True, tag=False, kw_only=True):
    """A price at certain times of the day (as `TimedLimit`): time of use. `price`: per kWh, in the site's currency."""

    price: float
    from_s: int = 0
    to_s: int = DAY_S
    weekdays: tuple[int, ...] = ()


class Outlet(Word, frozen=True, tag=False, kw_only=True):
    """How an EVSE hangs in the tree, and what it can.

    `phases`: conductors it has, 1 to 3; DC draws from three. `rotation`: the grid phase of the connector's L1, L2, L3
    in order, as digits: "123" straight, "231" rotated; one phase: its grid phase first; in DELTA with one phase: the
    two phases that it lies between, first two digits. `current_a_max`: per phase, AC. `current_a_min`: below it a car
    stops (IEC 61851: 6 A). `power_kw_max`: DC alone. `discharge_kw_max`: what it can give back (2.1); 0: nothing.
    `weight`: share beside others. `priority`: higher ones are paused last.
    """

    station: str
    evse: int
    phases: int = 3
    rotation: str = "123"
    current_a_max: float = 32.0
    current_a_min: float = 6.0
    dc: bool = False
    power_kw_max: float | None = None
    discharge_kw_max: float = 0.0
    weight: float = 1.0
    priority: int = 0


class SiteNode(Word, frozen=True, tag=False, kw_only=True):
    """A node of the tree. `parent` None: the root. `export_kw`: how much may flow up through it; None: as its parent.

    `station`: of a STATION its identity (its EVSEs' outlets name it, too).
    `wiring`: of what hangs below; None: as its parent, the root: the site's.
    """

    node: str
    kind: NodeKind
    parent: str | None = None
    limit_a: Phases | None = None
    limit_kw: float | None = None
    export_kw: float | None = None
    timed: tuple[TimedLimit, ...] = ()
    station: str | None = None
    outlet: Outlet | None = None
    wiring: Wiring | None = None
    name: str | None = None


class LoadKind(StrEnum):
    """How one knows what an unmanaged load draws."""

    CONSTANT = "constant"
    PROFILE = "profile"
    """`profile_kw`: as many equal parts of the day as it has values."""
    METERED = "metered"
    """By the main meter (EVSE 0) or an EVSE of a station; without news for `stale_s`: `kw`."""


class Load(Word, frozen=True, tag=False, kw_only=True):
    """What draws at a node without being asked: a building, or (negative) a PV plant.

    `kw`: of CONSTANT, and of METERED where the meter is silent (the worst case). `share`: how it is spread over L1, L2,
    L3 where the meter does not say; sums to 1. `reserve_kw`: kept free beyond what is measured or expected.
    `generation`: it feeds: its `kw` and `profile_kw` are what it gives, written positive; only what is metered, or
    `kw_certain`, makes room for cars.
    """

    load: str
    node: str
    kind: LoadKind = LoadKind.CONSTANT
    kw: float = 0.0
    profile_kw: tuple[float, ...] = ()
    station: str | None = None
    evse: int = 0
    stale_s: float = 300.0
    share: Phases = (1 / 3, 1 / 3, 1 / 3)
    reserve_kw: float = 0.0
    generation: bool = False
    kw_certain: float = 0.0


class Battery(Word, frozen=True, tag=False, kw_only=True):
    """A stationary battery. Narke plans it and tells the plan; it does not steer it, so no limit relies on it.

    `soc_percent`: at the start of a plan where nothing else is known.
    """

    battery: str
    node: str
    capacity_kwh: float
    charge_kw_max: float
    discharge_kw_max: float
    soc_percent: float = 50.0
    soc_percent_min: float = 10.0
    soc_percent_max: float = 95.0
    efficiency: float = 0.92


class Goals(Word, frozen=True, tag=False, kw_only=True):
    """What is planned for. Money in the site's currency.

    `unserved_price`: what a kWh that is missing at departure is worth: far above any price of energy.
    `demand_price`: per kW of the highest quarter of an hour of the billing period (month); 0: no demand charge.
    `change_price`: per A by which a limit changes now (fewer messages). `departure_quantile`: of the forecast that is
    planned for; small: cautious. `export_price`: of a kWh fed in.
    """

    goal: Goal = Goal.EARLY
    prices: tuple[TimedPrice, ...] = ()
    export_price: float = 0.0
    demand_price: float = 0.0
    co2_price_per_kg: float = 0.0
    unserved_price: float = 10.0
    change_price: float | None = None
    departure_quantile: float = 0.3


class Site(Word, frozen=True, kw_only=True):
    """A site. `voltage_v`: phase to neutral (WYE) or between phases (DELTA).

    `allocator`: by name, of those registered (`smartcharging.allocators`). `idle_a`: what an EVSE without a
    transaction may draw before it is planned; None: 6 A where that reserve costs little, else 0. `energy_kwh_default`,
    `stay_s_default`: of cars of which nothing is known.
    """

    site: str
    nodes: tuple[SiteNode, ...]
    name: str | None = None
    time_zone: str = "UTC"
    currency: str = "EUR"
    wiring: Wiring = Wiring.WYE
    voltage_v: float = 230.0
    loads: tuple[Load, ...] = ()
    batteries: tuple[Battery, ...] = ()
    goals: Goals = Goals()
    allocator: str = "narke"
    idle_a: float | None = None
    energy_kwh_default: float | None = None
    stay_s_default: float | None = None
    enabled: bool = True
    """False: it is kept, but nothing is sent to its stations."""

    @property
    def root(self) -> SiteNode:
        """The grid connection."""
        return next(node for node in self.nodes if node.parent is None)

    @property
    def stations(self) -> tuple[str, ...]:
        """Identities of the stations that hang in it, each once, in the order of the nodes; without mere meters."""
        named = (node.station or (node.outlet and node.outlet.station) for node in self.nodes)
        return tuple(dict.fromkeys(station for station in named if station))


class HeldSite(Word, frozen=True, tag=False):
    """A site as the book holds it. `revision`: 1, 2, ...; it goes on where a site comes back that was removed."""

    site: Site
    revision: int
    saved_by: str
    saved_at: datetime


class SeriesKind(StrEnum):
    """What a `SiteSeries` tells."""

    PRICE = "price"
    """Per kWh, in the site's currency: day-ahead."""
    EXPORT_PRICE = "export_price"
    CO2 = "co2"
    """Grams per kWh."""


class SiteSeries(Word, frozen=True, kw_only=True):
    """Values for a time to come: `values[k]` from `start_at + k * step_s` on. Where none is: the site's `Goals`."""

    site: str
    kind: SeriesKind
    start_at: datetime
    step_s: int
    values: tuple[float, ...]


class DriverRequest(Word, frozen=True, kw_only=True):
    """What a driver asked for (an app, a kiosk, the operator). None: not said.

    `station` and `evse`, or `token`: whose next or running transaction it is for; it ends with that transaction.
    """

    station: str | None = None
    evse: int | None = None
    token: str | None = None
    energy_kwh: float | None = None
    soc_percent: float | None = None
    departs_at: datetime | None = None
    priority: int | None = None
    may_discharge: bool | None = None


class SiteSaved(Word, frozen=True):
    """Fact of the operator's: a site was added or changed. `revision`: 1, 2, ... of that site."""

    site: Site
    revision: int
    by: str
    at: datetime


class SiteRemoved(Word, frozen=True):
    """Fact of the operator's: a site is not planned any more. Its history stays."""

    site: str
    by: str
    at: datetime


class SeriesSaved(Word, frozen=True):
    """Fact of the operator's: prices or CO2 for a time to come."""

    series: SiteSeries
    by: str
    at: datetime


class DriverAsked(Word, frozen=True):
    """Fact of the operator's: a driver's request."""

    request: DriverRequest
    by: str
    at: datetime
