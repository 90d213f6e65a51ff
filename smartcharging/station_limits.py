"""What stations say that others limit them to, as caps. OCPP 2.1 K11 to K13, NotifyChargingLimit.

A station keeps such a limit by itself; Narke takes it as a cap so as not to plan with what cannot be drawn. A limit in
A per phase becomes kW of all three phases (the node's own, where it is an EVSE): the most that it can come to.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite

import msgspec

from engine.model.caps import STEPS_MAX, CapDirection, CapSource, CapStep
from engine.model.charging_profiles import ChargingSchedule, RateUnit, SchedulePeriod
from engine.model.sites import NodeKind, Site, SiteNode, Wiring
from engine.model.smart_charging import LimitImposed
from smartcharging.cap_check import STATIONS_OWN
from smartcharging.words import INF

PHASES = 3


class StationCap(msgspec.Struct, frozen=True):
    """A cap made of a station's limit. `repaired`: what was odd about it, for people."""

    cap: CapSource
    repaired: tuple[str, ...] = ()


def source_of(station: str, source: str, evse: int) -> str:
    """The name of the source of a cap that a station tells of; EVSE 0: the station."""
    return f"{STATIONS_OWN}{station}:{source}" + (f":{evse}" if evse else "")


def nodes_of(site: Site, station: str, evse: int) -> tuple[SiteNode, ...]:
    """Where a limit of the station counts: its node, or the EVSE's; without a node of its own, at each of its EVSEs."""
    evses = tuple(node for node in site.nodes if node.outlet is not None and node.outlet.station == station)
    if evse:
        return tuple(node for node in evses if node.outlet is not None and node.outlet.evse == evse)
    own = tuple(node for node in site.nodes if node.kind is NodeKind.STATION and node.station == station)
    return own or evses


def caps_of(site: Site, station: str, fact: LimitImposed) -> tuple[StationCap, ...]:
    """The caps that the limit comes to, one for each node and direction; empty: it limits nothing that is planned.

    Nothing is capped by local generation (2.1: it adds to what may be drawn), or where no schedule was told.
    """
    limit = fact.limit
    if limit.local_generation or not limit.schedules:
        return ()
    found = []
    for node in nodes_of(site, station, limit.evse or 0):
        for direction in CapDirection:
            repaired: list[str] = []
            steps = _steps(limit.schedules, fact.at, direction, _kw_per_a(site, node), repaired)
            if all(step.kw is None for step in steps):
                continue
            cap = CapSource(
                site=site.site,
                source=source_of(station, limit.source, limit.evse or 0),
                node=node.node,
                direction=direction,
                steps=steps,
                emergency=bool(limit.grid_critical),
            )
            found.append(StationCap(cap, tuple(dict.fromkeys(repaired))))
    return tuple(found)


def _kw_per_a(site: Site, node: SiteNode) -> float:
    """Power of one A on each phase."""
    phases = PHASES if node.outlet is None or node.outlet.dc else node.outlet.phases
    if site.wiring is Wiring.DELTA:
        return site.voltage_v / 1000.0 * (3**0.5 if phases == PHASES else 1.0)
    return site.voltage_v / 1000.0 * phases


def _steps(
    schedules: Sequence[ChargingSchedule],
    told_at: datetime,
    direction: CapDirection,
    kw_per_a: float,
    repaired: list[str],
) -> tuple[CapStep, ...]:
    """The least of all schedules, as steps."""
    lines = [tuple(_line(schedule, told_at, direction, kw_per_a, repaired)) for schedule in schedules]
    times = sorted({at for line in lines for at, _ in line})
    steps: list[CapStep] = []
    for at in times:
        kw = min(_on(line, at) for line in lines)
        said = None if kw == INF else kw
        if not steps or steps[-1].kw != said:
            steps.append(CapStep(at, said))
    if len(steps) > STEPS_MAX:
        least = min((step.kw for step in steps[STEPS_MAX - 1 :] if step.kw is not None), default=None)
        repaired.append(f"more than {STEPS_MAX} steps: the least of the others counts from there on")
        steps = [*steps[: STEPS_MAX - 1], CapStep(steps[STEPS_MAX - 1].at, least)]
    return tuple(steps)


def _on(line: Sequence[tuple[datetime, float]], at: datetime) -> float:
    return next((kw for begins, kw in reversed(line) if begins <= at), INF)


def _line(
    schedule: ChargingSchedule, told_at: datetime, direction: CapDirection, kw_per_a: float, repaired: list[str]
) -> Iterator[tuple[datetime, float]]:
    """From when on which kW, ascending; inf: nothing is limited any more."""
    start = schedule.start_at or told_at
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    last_s = -1
    for period in schedule.periods:
        if period.start_s <= last_s:
            repaired.append("periods out of order: left out")
            continue
        last_s = period.start_s
        said = _said(period, direction)
        if said is None:
            yield start + timedelta(seconds=last_s), INF
            continue
        if not isfinite(said):
            repaired.append(f"a limit of {said}: taken as 0")
            said = 0.0
        if said < 0:
            repaired.append(f"a limit of {said:g}: taken as 0")
            said = 0.0
        yield start + timedelta(seconds=last_s), said * kw_per_a if schedule.unit is RateUnit.A else said / 1000.0
    if schedule.duration_s is not None and schedule.duration_s > last_s >= 0:
        yield start + timedelta(seconds=schedule.duration_s), INF


def _said(period: SchedulePeriod, direction: CapDirection) -> float | None:
    """The limit of all phases together; discharging is told negative."""
    if direction is CapDirection.EXPORT:
        return None if period.discharge_limit is None else -period.discharge_limit
    return period.limit
