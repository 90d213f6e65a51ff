"""Allocators by name: those that ship with Narke, and those that others add by the entry point `narke.allocators`.

Each is made where it is first asked for, so nobody pays for the import of a solver that no site uses. A third party's
that cannot be loaded is told by `broken` and by whoever asks for it; the others live.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import msgspec
import numpy as np

from smartcharging.pausing import steps_down
from smartcharging.problem import Allocation, Allocator, Cause, Floats, Problem

GROUP = "narke.allocators"

BUILT_IN: Mapping[str, str] = {
    "narke": "smartcharging.ladder:Narke",
    "horizon": "smartcharging.horizon:Horizon",
    "max-min": "smartcharging.allocators.max_min:MaxMin",
    "edf": "smartcharging.allocators.edf:EarliestDeadlineFirst",
    "llf": "smartcharging.allocators.llf:LeastLaxityFirst",
    "fcfs": "smartcharging.allocators.fcfs:FirstComeFirstServed",
    "equal-share": "smartcharging.allocators.equal_share:EqualShare",
    "uncontrolled": "smartcharging.allocators.uncontrolled:Uncontrolled",
}
"""Where to find ours."""

Entries = Callable[[], tuple[EntryPoint, ...]]


@lru_cache(maxsize=1)
def installed() -> tuple[EntryPoint, ...]:
    """What installed packages offer. Looked up once in a process' life."""
    return tuple(entry_points(group=GROUP))


def names(found: Entries = installed) -> tuple[str, ...]:
    """All that `create` knows by name, ours first."""
    theirs = sorted({entry.name for entry in found()} - BUILT_IN.keys())
    return (*BUILT_IN, *theirs)


def create(name: str, found: Entries = installed) -> Allocator:
    """A new allocator, for one site.

    Args:
        name: One of `names()`.
        found: Where others' come from.

    Raises:
        ValueError: Unknown name (it lists the known ones), or a third party's cannot be loaded.
    """
    target = BUILT_IN.get(name)
    if target is not None:
        module, _, cls = target.partition(":")
        made: Allocator = getattr(import_module(module), cls)()
        return made
    theirs = [entry for entry in found() if entry.name == name]
    if not theirs:
        raise ValueError(f"no allocator is called {name!r}; there are {', '.join(names(found))}")
    loaded = _load(theirs[0])
    if isinstance(loaded, str):
        raise ValueError(f"allocator {name!r} cannot be used: {loaded}")  # noqa: TRY004 (a bad name, not a bad type)
    return loaded


def broken(found: Entries = installed) -> dict[str, str]:
    """Third parties' allocators that cannot be used, with what is wrong, by name."""
    faults: dict[str, str] = {}
    seen: set[str] = set()
    for entry in found():
        if entry.name in BUILT_IN:
            faults[entry.name] = f"{entry.value}: Narke has one of this name; ours is used, choose another name"
        elif entry.name in seen:
            faults[entry.name] = f"{entry.value}: two packages offer this name; the first is used"
        elif isinstance(fault := _load(entry), str):
            faults[entry.name] = fault
        seen.add(entry.name)
    return faults


def clipped(problem: Problem, allocation: Allocation) -> Allocation:
    """An allocation kept within the limits of slot 0 by weighted max-min, each car's own share being its most.

    For allocators that do not keep limits (`uncontrolled`), and for those of others that one does not trust: a NaN
    becomes 0. Discharging is scaled down until it keeps the limits of export alone; it makes no room for others.
    """
    from smartcharging.allocators.max_min import MaxMin  # noqa: PLC0415 (its module is imported by name above)

    wish = np.nan_to_num(allocation.current_a, nan=0.0)
    gives = _given_back(problem, np.clip(wish, -problem.cars.discharge_a, 0.0))
    loaded = np.maximum(problem.rows.matrix @ gives, 0.0)
    everything = np.full(len(wish), np.inf)
    cars = msgspec.structs.replace(
        problem.cars, max_a=np.clip(wish, 0.0, problem.cars.max_a), energy_kwh=everything, starts_s=np.zeros(len(wish))
    )
    limits = problem.limits - loaded[:, None] if loaded.any() else problem.limits
    fit = MaxMin().allocate(msgspec.structs.replace(problem, cars=cars, limits=limits))
    kept = np.where(fit.binding == Cause.OWN_MAX, allocation.binding, fit.binding)
    return msgspec.structs.replace(allocation, current_a=fit.current_a + gives, binding=kept)


def _given_back(problem: Problem, gives: Floats) -> Floats:
    """Discharging, in steps towards 0, all alike less where rows do not take it upwards."""
    if not gives.any():
        return gives
    back = -(problem.rows.matrix @ gives)
    feeds = back > 0
    part = min(1.0, float(np.min(problem.exports[feeds, 0] / back[feeds], initial=1.0)))
    steps: Floats = -steps_down(-gives * part) + 0.0
    return steps


def _load(entry: EntryPoint) -> Allocator | str:
    """An allocator of others, or what is wrong with it."""
    try:
        made = entry.load()()
    except Exception as error:  # noqa: BLE001 (others' code may fail in any way, and must not take a planner with it)
        return f"{entry.value}: {type(error).__name__}: {error}"
    if not callable(getattr(made, "allocate", None)):
        return f"{entry.value}: has no method allocate(problem)"
    allocator: Allocator = made
    return allocator
