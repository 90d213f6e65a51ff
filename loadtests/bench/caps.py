"""The row `cap`: an emergency cap for every site of a fleet that charges -> the last SetChargingProfile at its station.

Each site has `SITE_STATIONS` stations, all charging, and a limit that lets each take all that it can. The cap takes
away three quarters of it, so that every car must be told less. The clock runs from before the first cap is told by REST
until the last station has read a TxProfile that keeps its share of the cap.
"""

import contextlib
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from loadtests.bench.bench import Bench
from loadtests.bench.driving import Failed, Generator
from loadtests.bench.processes import difference
from loadtests.bench.ratios import CHARGING
from loadtests.bench.system import Narke

SITE_STATIONS = 50
PREFIX = "CAP-"
SHARE_A = 32.0
"""What each car has before the cap: all that it can take, whatever the allocator."""
CAPPED_A = 8.0
"""What each has left under the cap."""
KW_PER_A = 0.69
"""Three phases at 230 V."""
ABOVE_A = 12.0
"""A limit at most so high is one under the cap: shares are rounded, and not all cars are alike to a planner."""
PLANNED_S_MAX = 180.0
CAPPED_S_MAX = 60.0
LOOK_S = 0.2


def cap(bench: Bench) -> dict[str, Any]:
    """Measures it."""
    stations, narke = bench.plan.cap_stations, bench.narke
    sites = -(-stations // SITE_STATIONS)
    _save_sites(narke, stations)
    generator = bench.generator(PREFIX)
    grown = time.perf_counter()
    generator.grow(stations, CHARGING)
    planned_s = _wait(generator, stations, grown, ABOVE_A, PLANNED_S_MAX, above=True)["last_at"] - grown
    bench.say(f"{stations} stations of {sites} sites charge by a plan after {planned_s:.1f} s")
    narke.settle()
    before, generator_cpu_s = narke.cpu_s(), generator.mark()["cpu_s"]
    began = time.perf_counter()
    _save_caps(narke, sites)
    saved = time.perf_counter()
    told = _wait(generator, stations, began, ABOVE_A, CAPPED_S_MAX, above=False)
    spent = difference(before, narke.cpu_s())
    generator_cpu_s = generator.mark()["cpu_s"] - generator_cpu_s
    seconds = told["last_at"] - began
    bench.say(f"{seconds:.2f} s from the first cap until the last station had its profile")
    return {
        "stations": stations,
        "sites": sites,
        "seconds": round(seconds, 3),
        "seconds_after_last_cap": round(told["last_at"] - saved, 3),
        "half_s": round(told["half_at"] - began, 3),
        "profiles": told["profiles"],
        "planned_s": round(planned_s, 1),
        "cpu_s": {part: round(value, 2) for part, value in spent.items()},
        "generator_cpu_s": round(generator_cpu_s, 2),
    }


def _save_sites(narke: Narke, stations: int) -> None:
    with contextlib.closing(narke.door()) as door:
        for number, first in enumerate(range(0, stations, SITE_STATIONS)):
            last = min(first + SITE_STATIONS, stations)
            limit = SHARE_A * (last - first)
            outlets = [
                {
                    "node": f"e{station}",
                    "kind": "evse",
                    "parent": "grid",
                    "outlet": {"station": f"{PREFIX}{station:06d}", "evse": 1},
                }
                for station in range(first, last)
            ]
            grid = {"node": "grid", "kind": "grid", "limit_a": [limit, limit, limit]}
            body = {"site": f"bench-{number}", "nodes": [grid, *outlets]}
            status, said = narke.ask(door, "PUT", f"/api/v1/sites/bench-{number}", body)
            if status != HTTPStatus.OK:
                raise Failed(f"a site could not be saved: HTTP {status} {said[:300]!r}")


def _save_caps(narke: Narke, sites: int) -> None:
    begins = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    body = {"steps": [{"at": begins, "kw": CAPPED_A * SITE_STATIONS * KW_PER_A}], "emergency": True}
    with contextlib.closing(narke.door()) as door:
        for number in range(sites):
            status, said = narke.ask(door, "PUT", f"/api/v1/sites/bench-{number}/caps/operator", body)
            if status != HTTPStatus.OK:
                raise Failed(f"a cap could not be saved: HTTP {status} {said[:300]!r}")


def _wait(
    generator: Generator, stations: int, since: float, limit_a: float, seconds: float, *, above: bool
) -> dict[str, Any]:
    """Waits until each station's last TxProfile allows more (or no more) than a limit; what the generator told then."""
    deadline = time.monotonic() + seconds
    while True:
        told = generator.limits(since, limit_a, above=above)
        if told["stations"] >= stations:
            return told
        if time.monotonic() > deadline:
            which = "above" if above else "up to"
            raise Failed(
                f"only {told['stations']} of {stations} stations were told a limit {which} {limit_a:g} A within "
                f"{seconds:.0f} s ({told['profiles']} profiles in all)"
            )
        time.sleep(LOOK_S)
