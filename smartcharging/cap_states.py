"""Where in its life a cap is, and what it says then and later. The table of the state machine; pure.

    what happens                    waiting, live, gap      silent              expired             not held
    CapSaved                        by its steps            by its steps        by its steps        by its steps
    CapHeard                        by its steps            by its steps        expired             nothing
    CapReleased                     not held                not held            not held            nothing
    the time of a step comes        by its steps            silent              expired             -
    heartbeat_s without a word      silent                  -                   expired             -
    valid_until comes               expired                 expired             -                   -

By its steps: waiting before the first, then live with the step's kW, or in a gap where the step has none. Waiting and
a gap cap nothing: the source said so. Silent and expired: the fallback counts, whatever the steps say, even before the
first; without a fallback the source is gone and caps nothing. Nothing here is an event of the clock: a state is what
the times of a cap come to at `now`, so a clock that jumps cannot skip one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np

from engine.model.caps import CapSource, CapStep, HeldCap
from smartcharging.words import INF, Floats

_MOMENT_S = 1e-6
"""A slot of no length is a moment."""


class CapStatus(StrEnum):
    """Where a cap is."""

    WAITING = "waiting"
    """Before its first step."""
    LIVE = "live"
    GAP = "gap"
    """Between two of its caps, by its own word."""
    SILENT = "silent"
    EXPIRED = "expired"


def status_of(held: HeldCap, now: datetime) -> CapStatus:
    """Where the cap is at this moment."""
    cap = held.cap
    if cap.valid_until is not None and now >= cap.valid_until:
        return CapStatus.EXPIRED
    silent_at = silent_from(held)
    if silent_at is not None and now >= silent_at:
        return CapStatus.SILENT
    step = step_at(cap, now)
    if step is None:
        return CapStatus.WAITING
    return CapStatus.GAP if step.kw is None else CapStatus.LIVE


def silent_from(held: HeldCap) -> datetime | None:
    """From when on its source is silent, if no word comes; None: it need not say anything."""
    return None if held.cap.heartbeat_s is None else held.heard_at + timedelta(seconds=held.cap.heartbeat_s)


def step_at(cap: CapSource, now: datetime) -> CapStep | None:
    """The step that counts now; None: before the first."""
    return next((step for step in reversed(cap.steps) if step.at <= now), None)


def kw_at(held: HeldCap, now: datetime) -> float:
    """What the cap allows at this moment, kW; inf: it caps nothing."""
    status = status_of(held, now)
    if status in (CapStatus.SILENT, CapStatus.EXPIRED):
        return _kw(held.cap.fallback_kw)
    step = step_at(held.cap, now)
    return INF if step is None else _kw(step.kw)


def changes_after(held: HeldCap, now: datetime) -> datetime | None:
    """When the cap may come to something else next, if its source says nothing; None: never."""
    cap, status = held.cap, status_of(held, now)
    if status is CapStatus.EXPIRED:
        return None
    if status is CapStatus.SILENT:
        return cap.valid_until
    comes = [step.at for step in cap.steps if step.at > now][:1]
    comes += [at for at in (cap.valid_until, silent_from(held)) if at is not None]
    return min(comes, default=None)


def series_of(held: HeldCap, now: datetime, start: datetime, slot_s: Floats) -> Floats:
    """What the cap allows in each slot: the least that it comes to within the slot.

    A source that lives now is believed to go on living: its silence, when it comes, is a change to plan for then.

    Args:
        held: The cap.
        now: Whether its source is silent is decided by this moment.
        start: When slot 0 begins.
        slot_s: (t,) how long each lasts.

    Returns:
        (t,) kW; inf: not capped.
    """
    ends = np.cumsum(np.maximum(slot_s, _MOMENT_S))
    starts = np.concatenate(([0.0], ends[:-1]))
    least = np.full(len(slot_s), INF)
    for from_s, to_s, kw in _spans(held, now, start):
        first = int(np.searchsorted(ends, from_s, side="right"))
        last = int(np.searchsorted(starts, to_s, side="left"))
        least[first:last] = np.minimum(least[first:last], kw)
    return least


def _spans(held: HeldCap, now: datetime, start: datetime) -> Iterator[tuple[float, float, float]]:
    """From, to (seconds after `start`) and kW of each time at which the cap caps something."""
    cap, status = held.cap, status_of(held, now)
    until_s = INF if cap.valid_until is None else (cap.valid_until - start).total_seconds()
    fallback = _kw(cap.fallback_kw)
    if status in (CapStatus.SILENT, CapStatus.EXPIRED):
        yield -INF, INF, fallback
        return
    times = [(step.at - start).total_seconds() for step in cap.steps]
    for (from_s, to_s), step in zip(pairwise([*times, INF]), cap.steps, strict=True):
        if step.kw is not None and from_s < until_s:
            yield from_s, min(to_s, until_s), step.kw
    yield until_s, INF, fallback


def _kw(said: float | None) -> float:
    return INF if said is None else said
