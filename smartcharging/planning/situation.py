"""A site at one moment: its slots, what else draws, what caps it, and what that leaves for cars. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from engine.model.caps import CapDirection
from engine.model.plans import AlertKind, SiteAlertRaised
from smartcharging.caps import CapKeeper
from smartcharging.horizon.slots import slots
from smartcharging.network import Network
from smartcharging.problem import Floats
from smartcharging.words import NodeLoad, Plug

HOUR_S = 3600.0
ROUNDING = 1e-6
AHEAD_S = 55.0
"""So long before limits change they are planned for: the slots of a plan made then begin with the change."""
OVER_SHARE = 0.03
OVER_A_OR_KW = 1.0
"""A limit is said to be exceeded when it is measured so much above, by share and by amount: meters are not exact."""


class Situation(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What holds for everybody.

    `limits`: (m, t) what the rows have left for cars, before EVSEs that nobody plans. `gross`: (m,) now, before
    unmanaged loads, with caps. `exports`: (m, t).
    """

    start: datetime
    slot_s: Floats
    loads: Sequence[NodeLoad]
    limits: Floats
    gross: Floats
    exports: Floats
    caps: Mapping[str, Floats]

    @property
    def unmanaged_kw(self) -> float:
        """What draws now without being asked."""
        return float(sum(load.kw[:, 0].sum() for load in self.loads))

    def changes_at(self) -> datetime | None:
        """When limits are others than now for the first time, as far as one looks; None: never."""
        now = self.limits[:, :1]
        with np.errstate(invalid="ignore"):
            differs = np.abs(self.limits - now) > ROUNDING
        later = np.flatnonzero(differs.any(axis=0))
        if not len(later):
            return None
        return self.start + timedelta(seconds=float(self.slot_s[: int(later[0])].sum()))


def slots_at(now: datetime, horizon_h: float, slots_max: int) -> Floats:
    """(t,) lengths of the slots of a plan made now."""
    return slots(now, horizon_h * HOUR_S, slots_max=slots_max)[1]


def situation_of(
    network: Network, caps: CapKeeper, loads: Sequence[NodeLoad], now: datetime, slot_s: Floats
) -> Situation:
    """The situation of a site.

    Args:
        network: Its rows.
        caps: What caps it.
        loads: What else draws, in these slots.
        now: Begin of slot 0.
        slot_s: (t,) lengths.
    """
    imports = caps.series(CapDirection.IMPORT, now, slot_s)
    exports = caps.series(CapDirection.EXPORT, now, slot_s)
    first = {node: series[:1] for node, series in imports.items()}
    return Situation(
        start=now,
        slot_s=slot_s,
        loads=loads,
        limits=network.limits(now, slot_s, caps=imports, loads=loads),
        gross=network.limits(now, slot_s[:1], caps=first, loads=())[:, 0],
        exports=network.exports(now, slot_s, caps=exports, loads=loads),
        caps=imports,
    )


def overloads(site: str, network: Network, situation: Situation, now: datetime) -> list[SiteAlertRaised]:
    """Where unmanaged load alone is above a limit, and by how much; of a node and unit the worst row."""
    return [
        SiteAlertRaised(
            site=site,
            kind=AlertKind.OVERLOAD,
            node=network.row_nodes[row],
            at=now,
            detail=(
                f"{network.row_names[row]}: what nobody can control draws {situation.gross[row] + over:.1f} of "
                f"{situation.gross[row]:.1f} {network.row_units[row]}; all cars below are paused"
            ),
            over=round(over, 2),
            unit=network.row_units[row],
        )
        for row, over in _worst_of_each_node(network, -situation.limits[:, 0])
    ]


def infeasible(site: str, network: Network, situation: Situation, held: Floats, now: datetime) -> list[SiteAlertRaised]:
    """Where stations that cannot be told anything may draw more than there is. `held`: (m,) what they may."""
    short = np.where(situation.limits[:, 0] >= 0, held - situation.limits[:, 0], -np.inf)
    return [
        SiteAlertRaised(
            site=site,
            kind=AlertKind.INFEASIBLE,
            node=network.row_nodes[row],
            at=now,
            detail=(
                f"{network.row_names[row]}: stations that are offline, in quarantine or not told yet may draw "
                f"{held[row]:.1f} {network.row_units[row]}, and {situation.limits[row, 0]:.1f} are left"
            ),
            over=round(over, 2),
            unit=network.row_units[row],
        )
        for row, over in _worst_of_each_node(network, short)
    ]


def metered_over(
    site: str, network: Network, situation: Situation, measured: Mapping[Plug, float], now: datetime
) -> list[SiteAlertRaised]:
    """Where what cars draw, by their meters, and loads are above a limit. `measured`: A of the highest phase."""
    if not measured:
        return []
    drawn = network.rows(tuple(measured)).matrix @ np.fromiter(measured.values(), np.float64, len(measured))
    margin = np.maximum(OVER_A_OR_KW, OVER_SHARE * np.where(np.isfinite(situation.gross), situation.gross, 0.0))
    over = np.where(situation.limits[:, 0] >= 0, drawn - situation.limits[:, 0], -np.inf)
    over = np.where(over > margin, over, -np.inf)
    return [
        SiteAlertRaised(
            site=site,
            kind=AlertKind.METERED_OVER,
            node=network.row_nodes[row],
            at=now,
            detail=(
                f"{network.row_names[row]} carries {situation.gross[row] + amount:.1f} of {situation.gross[row]:.1f} "
                f"{network.row_units[row]}, by the meters"
            ),
            over=round(amount, 2),
            unit=network.row_units[row],
        )
        for row, amount in _worst_of_each_node(network, over)
    ]


def _worst_of_each_node(network: Network, over: Floats) -> list[tuple[int, float]]:
    """Of each node the row that is exceeded most, and by how much."""
    found: dict[str, tuple[int, float]] = {}
    for row in np.flatnonzero(over > ROUNDING).tolist():
        amount = float(over[row])
        known = found.get(network.row_nodes[row])
        if np.isfinite(amount) and (known is None or amount > known[1]):
            found[network.row_nodes[row]] = (row, amount)
    return list(found.values())
