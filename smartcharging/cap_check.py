"""What a cap must be to make sense: the door through which every cap from outside comes. Pure, needs no arrays.

A cap that is wrong is refused whole and with every complaint at once: a grid operator's client is repaired once, and
half a cap is no cap.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite

from engine.model.caps import HEARTBEAT_S_MIN, STEPS_MAX, CapSource, CapStep
from engine.model.sites import Site

SOURCE_CHARACTERS_MAX = 128
HEARTBEAT_S_MAX = 7 * 86_400.0
KW_MAX = 1e6
"""A gigawatt: what is above is a mistake of units."""
PRIORITY_MAX = 1_000_000
AHEAD = timedelta(days=400)
"""A step that is further ahead is a mistake of dates."""
STATIONS_OWN = "station:"
"""How sources begin that stations tell of themselves (NotifyChargingLimit); nobody else may call himself so."""


def check_cap(cap: CapSource, site: Site, now: datetime) -> tuple[str, ...]:
    """What is wrong with a cap that somebody tells for this site; empty: nothing.

    Steps of the past are fine, the last of them counts now; a cap that is wholly over is not.
    """
    complaints = (*_of_source(cap, site), *_of_steps(cap.steps, now), *_of_times(cap, now))
    return tuple(complaints)


def _of_source(cap: CapSource, site: Site) -> Iterator[str]:
    if cap.site != site.site:
        yield f"site: the cap is for {cap.site!r}, not for {site.site!r}"
    if not cap.source.strip() or len(cap.source) > SOURCE_CHARACTERS_MAX:
        yield f"source: say who caps, in 1 to {SOURCE_CHARACTERS_MAX} characters, e.g. operator or grid:westnetz"
    elif not cap.source.isprintable():
        yield "source: has characters that cannot be printed"
    if cap.source.startswith(STATIONS_OWN):
        yield f"source: {STATIONS_OWN!r} is for what stations tell themselves"
    if cap.node and all(node.node != cap.node for node in site.nodes):
        yield f"node: site {site.site!r} has no node {cap.node!r}; empty: its root"
    if abs(cap.priority) > PRIORITY_MAX:
        yield f"priority: {cap.priority} is not within -{PRIORITY_MAX} and {PRIORITY_MAX}"
    if cap.fallback_kw is not None:
        yield from _of_power("fallback_kw", cap.fallback_kw)


def _of_power(name: str, kw: float) -> Iterator[str]:
    if not isfinite(kw):
        yield f"{name}: {kw} is no number of kW"
    elif kw < 0:
        yield f"{name}: {kw:g} kW is negative; export has a cap of its own direction"
    elif kw > KW_MAX:
        yield f"{name}: {kw:g} kW is more than any site has; kW, not W?"


def _of_steps(steps: tuple[CapStep, ...], now: datetime) -> Iterator[str]:
    if not steps:
        yield "steps: there are none; a source that caps nothing any more is released"
    if len(steps) > STEPS_MAX:
        yield f"steps: {len(steps)} are more than {STEPS_MAX}"
        return
    for number, step in enumerate(steps):
        if step.kw is not None:
            yield from _of_power(f"steps[{number}].kw", step.kw)
        if step.at.tzinfo is None:
            yield f"steps[{number}].at: {step.at.isoformat()} has no time zone"
        elif step.at > now + AHEAD:
            yield f"steps[{number}].at: {step.at.isoformat()} is more than {AHEAD.days} days ahead"
    if all(step.at.tzinfo is not None for step in steps):
        for number, (before, after) in enumerate(pairwise(steps), 1):
            if after.at <= before.at:
                yield f"steps[{number}].at: {after.at.isoformat()} is not after the step before it"


def _of_times(cap: CapSource, now: datetime) -> Iterator[str]:
    until, beat_s = cap.valid_until, cap.heartbeat_s
    if until is not None and until.tzinfo is None:
        yield f"valid_until: {until.isoformat()} has no time zone"
    elif until is not None and until <= now:
        yield f"valid_until: {until.isoformat()} is in the past"
    elif until is not None and all(step.at.tzinfo is not None and step.at >= until for step in cap.steps):
        yield f"valid_until: {until.isoformat()} is before the first step"
    if beat_s is not None and not (isfinite(beat_s) and HEARTBEAT_S_MIN <= beat_s <= HEARTBEAT_S_MAX):
        yield f"heartbeat_s: {beat_s:g} s is not within {HEARTBEAT_S_MIN:g} and {HEARTBEAT_S_MAX:g}"
