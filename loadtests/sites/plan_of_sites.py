"""Sites to try a planner on: trees drawn from a seed, as plain JSON, tight enough that not all cars can have their all.

What they promise, so that limits can be kept at all: the least current of all cars fits; what a building may change
before anybody can react is kept free as its load's reserve; where its meter is silent its worst case counts.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.car import CURRENT_A_MIN, NOMINAL_V

Json = dict[str, Any]

SITE_STATIONS_MAX = 16
BOARD_STATIONS = 4
RESERVE_KW = 3.0
"""Of a building: it moves by less until a planner that died is back."""
BUILDING_KW_MAX = 8.0
STALE_S = 60.0
SHARE_MIN, SHARE_MAX = 0.35, 0.6
"""Of what all cars could draw, the limit of a node."""


@dataclass(frozen=True)
class SitePlan:
    """A site to be made.

    Attributes:
        site: As JSON, what `narke site import` takes.
        stations: Its charging stations, each with one EVSE.
        building: Identity of the station that meters its building; None: it has none.
    """

    site: Json
    stations: tuple[str, ...]
    building: str | None = None

    @property
    def name(self) -> str:
        """Its id."""
        return str(self.site["site"])


def plans_of(stations: Sequence[str], seed: int, *, name: str = "loop") -> list[SitePlan]:
    """Sites for these stations: 4 to 16 each, every other one with a building that is metered.

    Raises:
        ValueError: There are no stations.
    """
    if not stations:
        raise ValueError("a site has at least one station")
    chance = random.Random(seed)
    plans = []
    count = max(1, round(len(stations) / 8)) if len(stations) > SITE_STATIONS_MAX // 2 else 1
    for number in range(count):
        own = tuple(stations[number::count])
        plans.append(plan_of(f"{name}-{number + 1}", own, chance, building=number % 2 == 0))
    return plans


def plan_of(site: str, stations: Sequence[str], chance: random.Random, *, building: bool) -> SitePlan:
    """One site: the grid connection, boards of up to four stations, an EVSE of up to 32 A each."""
    nodes: list[Json] = []
    boards = [stations[begin : begin + BOARD_STATIONS] for begin in range(0, len(stations), BOARD_STATIONS)]
    for number, those in enumerate(boards, 1):
        board = f"{site}-board-{number}"
        nodes.append({"node": board, "kind": "board", "parent": f"{site}-grid", "limit_a": _limit_a(those, chance)})
        for station in those:
            nodes += _station(station, board, chance)
    cars_a = _limit_a(stations, chance)
    extra_kw = BUILDING_KW_MAX + RESERVE_KW if building else 0.0
    limit_a = [each + round(extra_kw * 1000.0 / 3.0 / NOMINAL_V, 1) for each in cars_a]
    limit_kw = round(max(least_kw(len(stations)), 3.0 * kw_of(min(cars_a)) * chance.uniform(0.85, 1.1)) + extra_kw, 1)
    root = {"node": f"{site}-grid", "kind": "grid", "limit_a": limit_a, "limit_kw": limit_kw}
    plan: Json = {
        "site": site,
        "name": f"Site {site}",
        "time_zone": chance.choice(("Europe/Berlin", "UTC", "Asia/Kolkata")),
        "nodes": [root, *nodes],
    }
    meter = f"{site}-meter"
    if building:
        plan["loads"] = [
            {
                "load": f"{site}-building",
                "node": root["node"],
                "kind": "metered",
                "station": meter,
                "evse": 0,
                "kw": BUILDING_KW_MAX,
                "stale_s": STALE_S,
                "reserve_kw": RESERVE_KW,
            }
        ]
    return SitePlan(plan, tuple(stations), meter if building else None)


def kw_of(current_a: float) -> float:
    """Of one phase."""
    return current_a * NOMINAL_V / 1000.0


def least_kw(stations: int) -> float:
    """What so many cars need at least together, on three phases each, and a little."""
    return 3.0 * kw_of(stations * CURRENT_A_MIN) * 1.05


def cap_of(plan: SitePlan, share: float) -> float:
    """A cap in kW that is hard and can be kept: this share of the limit, but never less than the least of all."""
    extra_kw = BUILDING_KW_MAX + RESERVE_KW if plan.building is not None else 0.0
    limit_kw: float = plan.site["nodes"][0]["limit_kw"]
    return round(extra_kw + max(least_kw(len(plan.stations)), share * (limit_kw - extra_kw)), 1)


def _station(station: str, board: str, chance: random.Random) -> list[Json]:
    """A station and its EVSE: three phases in one of three rotations, or one."""
    outlet: Json = {"station": station, "evse": 1, "phases": 3, "rotation": chance.choice(("123", "231", "312"))}
    if chance.random() < 0.2:
        outlet["phases"] = 1
    outlet |= {"current_a_max": chance.choice((16.0, 32.0, 32.0)), "priority": int(chance.random() < 0.2)}
    return [
        {"node": f"{station}-station", "kind": "station", "parent": board, "station": station},
        {"node": f"{station}-1", "kind": "evse", "parent": f"{station}-station", "outlet": outlet},
    ]


def _limit_a(stations: Sequence[str], chance: random.Random) -> list[float]:
    """Of a node, by phase: a good third to a good half of 32 A each, never less than 6 A each and a little."""
    least = len(stations) * CURRENT_A_MIN + 2.0
    return [round(max(least, len(stations) * 32.0 * chance.uniform(SHARE_MIN, SHARE_MAX)), 1) for _ in range(3)]
