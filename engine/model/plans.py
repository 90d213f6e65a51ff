"""Plans: what the planner decided for a site, and why, as it is kept and told.

Currents are A per phase, powers kW. The planner writes these facts to a stream of its own (`storage.keys.PLANS`): they
tell people what happened; nothing is decided by reading them.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.word import Word

COMPETITORS_MAX = 8
STEPS_MAX = 96


class Layer(StrEnum):
    """Which rung of the ladder made a plan."""

    HORIZON = "horizon"
    SHIFTED = "shifted"
    """The horizon was late: its last plan, moved on."""
    REAL_TIME = "real_time"
    STATIC = "static"
    """The share that stations hold underneath."""
    OTHER = "other"
    """An allocator without layers."""


class Why(StrEnum):
    """What kept a car's limit from being higher."""

    OWN_MAX = "own_max"
    """It has all that car, cable and outlet can take."""
    ROW = "row"
    """A limit of the tree (`binding`)."""
    ENOUGH = "enough"
    """It gets its energy by its departure with this, and others or later hours are better."""
    PAUSED = "paused"
    """Not all could have the least current; others have a higher priority or their turn."""
    QUARANTINED = "quarantined"
    """It does not follow its limits; it is left at its static share."""
    STATIC = "static"
    """Nothing was planned; the station's own default counts."""
    DISCHARGES = "discharges"


class PlanStep(Word, frozen=True, tag=False):
    """From `at` on."""

    at: datetime
    current_a: float


class Competitor(Word, frozen=True, tag=False):
    """Another car below the same limit."""

    node: str
    current_a: float
    priority: int = 0


class LimitDecided(Word, frozen=True, kw_only=True):
    """Fact of the planner's: what an EVSE may draw from now on, and why.

    `binding`: name of the row of the tree, as "board-1 L2" or "grid kW"; `binding_limit`, `binding_used` in `unit`.
    `energy_kwh`, `departs_at`: what was planned for; None: unknown. `need`: where that comes from, for people.
    `sent`: False: the change was too small, or waits for others' decreases.
    """

    site: str
    node: str
    station: str
    evse: int
    at: datetime
    current_a: float
    why: Why
    layer: Layer
    allocator: str
    transaction_id: str | None = None
    before_a: float | None = None
    power_kw: float = 0.0
    phases: int = 3
    binding: str | None = None
    binding_limit: float | None = None
    binding_used: float | None = None
    unit: str | None = None
    competitors: tuple[Competitor, ...] = ()
    energy_kwh: float | None = None
    departs_at: datetime | None = None
    need: str | None = None
    plan: tuple[PlanStep, ...] = ()
    sent: bool = True
    trigger: str = ""
    """What made the planner look: "transaction", "meter", "cap operator", "time", ..."""


class SitePlanned(Word, frozen=True, kw_only=True):
    """Fact of the planner's: a site was planned. `delivered_share`: of the energy wanted, as planned; 0 to 1."""

    site: str
    at: datetime
    layer: Layer
    allocator: str
    cars: int
    paused: int
    changed: int
    solve_ms: float
    planned_kw: float
    limit_kw: float | None
    unmanaged_kw: float = 0.0
    delivered_share: float | None = None
    trigger: str = ""
    note: str | None = None
    battery_kw: tuple[tuple[str, float], ...] = ()
    """By stationary battery, what it should draw now (negative: give)."""


class AlertKind(StrEnum):
    """What needs a person."""

    OVERLOAD = "overload"
    """Unmanaged load alone exceeds a limit: `over` says by how much."""
    METERED_OVER = "metered_over"
    """Measured above a limit."""
    QUARANTINE = "quarantine"
    SILENT_CAP = "silent_cap"
    STALE_METER = "stale_meter"
    INFEASIBLE = "infeasible"
    """Static shares cannot be kept within a limit, e.g. a station that is offline holds more."""
    UNREACHABLE = "unreachable"
    """A decrease could not be told to its station."""
    BAD_INPUT = "bad_input"


class SiteAlertRaised(Word, frozen=True, kw_only=True):
    """Fact of the planner's. The same (site, kind, node) raised again only changes it."""

    site: str
    kind: AlertKind
    node: str
    at: datetime
    detail: str
    over: float | None = None
    unit: str | None = None


class SiteAlertCleared(Word, frozen=True):
    """Fact of the planner's: it is over."""

    site: str
    kind: AlertKind
    node: str
    at: datetime


PlanFact = LimitDecided | SitePlanned | SiteAlertRaised | SiteAlertCleared
