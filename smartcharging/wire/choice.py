"""Which EVSEs must be told something now: what they may hold against what they should, as arrays.

A difference matters when it is
    unknown, stale   the station never said what it holds, or may have lost it
    demanded         a row may be above its limit, and this would load it less
    soon             it is significant within the next minute or so
    lease            the lease ends before long, and then the difference would be significant
    lasting          what it would fall to for ever is another now, and it was not told for as long as a lease lasts
Everything else waits for the next message, which carries the whole function anyway.

All is compared as it is counted: what one phase may carry at the worst. A plan for three phases that is told in W may
all flow on one, as long as nobody knows better; so it counts three times (`blow`).
"""

from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np

from engine.model.charging_profiles import OperationMode, RateUnit
from smartcharging.wire.capabilities import V21, Rung
from smartcharging.wire.profiles import MODES, per_a
from smartcharging.wire.settings import WireSettings
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import Evse, PlaceName
from smartcharging.wire.steps import QUARTER_S, Grid
from smartcharging.wire.wishes import Wishes
from smartcharging.words import Floats

SOON_S = 75.0
TINY_A = 0.05
"""Less is rounding."""
_ORDINAL = {Rung.NONE: 0, Rung.TX: 1, Rung.DEFAULT: 2, Rung.STATION: 3}
Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


class Change(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What one place of an EVSE should hold, and what it may hold now, as counted.

    `blow`: by how much more than it is told a phase may carry. `matters`: (t,) slots that make it matter.
    """

    evse: Evse
    place: PlaceName
    wanted: Floats
    held: Floats
    forced: bool
    """Unknown or stale: it is told, whatever it holds."""
    demanded: bool
    urgent: bool
    threshold_a: float
    matters: Flags
    blow: float = 1.0

    @property
    def rises(self) -> bool:
        """It allows more at some time."""
        return bool((self.wanted > self.held + TINY_A).any())

    @property
    def falls(self) -> bool:
        """It allows less at some time that matters."""
        return bool(((self.wanted < self.held - TINY_A) & self.matters).any())

    def is_worth(self, values: Floats) -> bool:
        """Whether to tell these instead of what is held is worth a message."""
        return bool((np.abs(values - self.held)[self.matters] >= self.threshold_a - TINY_A).any())


def changes(state: SiteState, wishes: Wishes, now: datetime) -> list[Change]:
    """All that matters now; the same EVSE may be there twice (default and own)."""
    ledger, grid = state.ledger, state.grid
    assert grid is not None, "the grid is laid before anything is chosen"
    rungs = np.fromiter((_ORDINAL[state.stations[each.station].way.rung] for each in state.list), np.int64)
    over = ledger.over()
    touching = ledger.touching(over) > 0 if over.any() else None
    blown = blows(state, wishes)
    plan = counted_plan(wishes, grid, blown)
    whole = np.where(wishes.active[:, None], plan, wishes.default)
    default = np.where((rungs == _ORDINAL[Rung.DEFAULT])[:, None], whole, wishes.default)
    promised = state.promised
    below = np.minimum(promised[PlaceName.DEFAULT], ledger.ceiling_a[:, None])
    without = np.fromiter((not each.places[PlaceName.OWN].promises for each in state.list), np.bool_)
    own = np.where(without[:, None], below, promised[PlaceName.OWN])
    sides = (
        _Side(PlaceName.DEFAULT, (rungs == 1) | (rungs == 2), default, promised[PlaceName.DEFAULT]),
        _Side(PlaceName.OWN, (rungs == 1) & wishes.active, own_wanted(state, wishes, grid), own),
        _Side(PlaceName.TOP, rungs == 3, whole, promised[PlaceName.TOP]),
    )
    giving = _gives_otherwise(state, wishes, now)
    return [
        msgspec.structs.replace(change, blow=float(blown[change.evse.index]))
        for side in sides
        for change in _of_side(state, side, Reasons(touching, giving), now)
    ]


def blows(state: SiteState, wishes: Wishes) -> Floats:
    """(n,) by how much more than its plan a phase of a car may carry."""
    found = np.ones(len(state.list))
    for evse in state.list:
        target, unit = evse.target, state.stations[evse.station].way.unit
        if unit is not RateUnit.W or evse.socket.dc or target is None or not wishes.active[evse.index]:
            continue
        told = per_a(unit, evse.socket, target.phases)
        found[evse.index] = told / per_a(unit, evse.socket, state.phases_for_certain(evse, PlaceName.OWN))
    return found


def counted_plan(wishes: Wishes, grid: Grid, blown: Floats) -> Floats:
    """The plan as it is counted; what follows it, the share, is the most that a phase may carry anyway."""
    if (blown == 1.0).all():
        return wishes.plan
    plan = wishes.plan.copy()
    plan[:, : grid.until(wishes.lease_s)] *= blown[:, None]
    return plan


def own_wanted(state: SiteState, wishes: Wishes, grid: Grid) -> Floats:
    """What transactions should have of their own, as counted. A dynamic profile is one value until its lease ends."""
    plan = counted_plan(wishes, grid, blows(state, wishes))
    dynamic = [each.index for each in state.list if is_dynamic(state, each)]
    if not dynamic:
        return plan
    leased = grid.until(wishes.lease_s)
    wanted = plan.copy()
    wanted[dynamic, :leased] = wanted[dynamic, :leased].min(axis=1, keepdims=True)
    wanted[dynamic, leased:] = 0.0
    return wanted


def is_dynamic(state: SiteState, evse: Evse) -> bool:
    """Whether an EVSE's transactions get dynamic profiles."""
    ability = state.stations[evse.station].ability
    return state.settings.dynamic and ability.dynamic and ability.version == V21


def significance_a(settings: WireSettings, evse: Evse, percent: float | None) -> float:
    """A by which a limit must change to be told."""
    return max(settings.significance_a, (percent or 0.0) / 100 * evse.ceiling_a)


def window_s(settings: WireSettings, evse: Evse, place: PlaceName) -> float:
    """How long before its end a lease is renewed: defaults earlier, each EVSE at its own time."""
    spread = (evse.index * 0.6180339887 % 1.0) * settings.spread_s
    return settings.renew_s + spread + (settings.spread_s if place is PlaceName.DEFAULT else 0.0)


class _Side(NamedTuple):
    """One place of all EVSEs. `used`: (n,) whether it counts there; (n, t) what should be held, what may be held."""

    name: PlaceName
    used: Flags
    wanted: Floats
    held: Floats


class Reasons(NamedTuple):
    """Why something must be told beside its limit. `touching`: (n, t) it loads a row that may be over; None: none is.

    `giving`: (n,) it should give back more, less, or in another mode.
    """

    touching: Flags | None
    giving: Flags


def _gives_otherwise(state: SiteState, wishes: Wishes, now: datetime) -> Flags:
    """(n,) whether a car should give back otherwise than its station holds."""
    found = np.zeros(len(state.list), dtype=bool)
    if state.gives is None:
        return found
    room = state.gives.ceiling_a
    for evse in state.list:
        place = evse.places[PlaceName.OWN]
        if evse.target is None or not wishes.active[evse.index]:
            continue
        if state.stations[evse.station].ability.version != V21 or evse.node in state.leashed:
            continue
        gap = abs(min(wishes.give[evse.index], room[evse.index]) - place.worst_gives.at(now.timestamp()))
        held = place.held
        mode = None if held is None or held.profile is None else held.profile.schedules[0].periods[0].operation_mode
        told = evse.target.mode if evse.target.mode in MODES else None
        other = (mode or OperationMode.CHARGING_ONLY) is not (told or OperationMode.CHARGING_ONLY)
        found[evse.index] = gap >= state.settings.significance_a or (other and held is not None)
    return found


def _of_side(state: SiteState, side: _Side, reasons: Reasons, now: datetime) -> list[Change]:
    name, used, wanted, held = side
    touching = reasons.touching
    grid, settings = state.grid, state.settings
    assert grid is not None, "the grid is laid before anything is chosen"
    now_s = now.timestamp()
    starts = grid.edges_s[:-1]
    with np.errstate(invalid="ignore"):
        gap = np.abs(wanted - held)
    gap[np.isnan(gap)] = 0.0
    places = [each.places[name] for each in state.list]
    lease_s = np.fromiter((place.lease_s for place in places), np.float64)
    windows = np.fromiter((window_s(settings, each, name) for each in state.list), np.float64)
    limits = np.fromiter(
        (significance_a(settings, each, state.stations[each.station].ability.significance_percent)
         for each in state.list), np.float64,
    )  # fmt: skip
    matters = np.zeros(gap.shape, dtype=bool)
    matters[:, : max(1, grid.until(now_s + SOON_S))] = True
    ends = (lease_s > 0) & (lease_s - now_s < windows)
    matters |= ends[:, None] & (starts[None, :] < lease_s[:, None] + QUARTER_S)
    sent_s = np.fromiter((place.sent_s for place in places), np.float64)
    lasting = (gap[:, -1] >= limits - TINY_A) & (np.abs(now_s - sent_s) > settings.lease_s + windows)
    matters |= lasting[:, None]
    worth = ((gap >= limits[:, None] - TINY_A) & matters).any(axis=1)
    if name is PlaceName.OWN:
        worth |= reasons.giving
    demanded = np.zeros(len(used), dtype=bool)
    if touching is not None:
        less = np.logical_and(touching, wanted < held - TINY_A)
        demanded = np.asarray(less.any(axis=1))
        matters |= less
    forced = np.fromiter((place.stale or place.unknown for place in places), np.bool_)
    return [
        Change(
            evse=state.list[index],
            place=name,
            wanted=wanted[index],
            held=held[index],
            forced=bool(forced[index]),
            demanded=bool(demanded[index]),
            urgent=_urgent(state.list[index]),
            threshold_a=float(limits[index]),
            matters=matters[index],
        )
        for index in np.flatnonzero(used & (worth | demanded | forced))
    ]


def _urgent(evse: Evse) -> bool:
    return evse.target is not None and evse.target.urgent
