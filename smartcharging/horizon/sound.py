"""Repairs what a problem must not hold, and names it: NaN, negative needs, departures before now.

Whoever makes problems repairs its own input; this is the last net under a solver that would take NaN for an answer.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np

from smartcharging.problem import Floats, Problem

_CARS: dict[str, tuple[float, float]] = {
    "departs_s": (np.inf, 0.0),
    "energy_kwh": (np.inf, 0.0),
    "kw_per_a": (0.0, 0.0),
    "floor_a": (0.0, 0.0),
    "max_a": (0.0, 0.0),
    "weight": (1.0, 0.0),
    "current_a": (0.0, -np.inf),
    "discharge_a": (0.0, 0.0),
    "room_kwh": (np.inf, 0.0),
    "starts_s": (0.0, -np.inf),
}
"""By array of cars: what NaN becomes, and the least that it may be."""
_AIMS: dict[str, float] = {"price": 0.0, "export_price": 0.0, "base_kw": 0.0}
FINITE = ("kw_per_a", "floor_a", "max_a", "weight", "current_a", "discharge_a")


class Sound(NamedTuple):
    """`repairs`: a sentence for each thing that was wrong."""

    problem: Problem
    repairs: tuple[str, ...]


def sound(problem: Problem) -> Sound:
    """The problem, without what a solver cannot take. The same object where nothing is wrong."""
    repairs: list[str] = []
    changes: dict[str, Any] = {}
    cars = {
        name: _mended(f"cars' {name}", getattr(problem.cars, name), *rule, finite=name in FINITE, repairs=repairs)
        for name, rule in _CARS.items()
    }
    aims: dict[str, Any] = {
        name: _mended(name, getattr(problem.aims, name), nan, -np.inf, finite=True, repairs=repairs)
        for name, nan in _AIMS.items()
    }
    limits = _mended("limits", problem.limits, 0.0, -np.inf, finite=False, repairs=repairs)
    exports = _mended("exports", problem.exports, 0.0, 0.0, finite=False, repairs=repairs)
    if not repairs:
        return Sound(problem, ())
    changes["cars"] = msgspec.structs.replace(problem.cars, **cars)
    changes["aims"] = msgspec.structs.replace(problem.aims, **aims)
    return Sound(msgspec.structs.replace(problem, limits=limits, exports=exports, **changes), tuple(repairs))


def _mended(name: str, values: Floats, nan: float, least: float, *, finite: bool, repairs: list[str]) -> Floats:
    bad = np.isnan(values)
    low = values < least
    endless = np.isinf(values) if finite else np.zeros(values.shape, dtype=np.bool_)
    for wrong, said in ((bad, "not a number"), (low, f"below {least:g}"), (endless & ~low, "infinite")):
        if wrong.any():
            repairs.append(f"{int(wrong.sum())} of {name} {said}")
    found: Floats = np.where(bad | endless, nan, np.where(low, least, values))
    return found
