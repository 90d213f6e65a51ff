"""Makes a site's day of what is known: measured until now, planned from now on, limits, prices. Pure; heavy (numpy)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from engine.model.caps import HeldCap
from engine.model.plans import LimitDecided, SitePlanned
from engine.model.sites import SeriesKind, Site, SiteSeries
from ingress.http.plan_view import lines_of
from ingress.http.site_day import STEP_S, CarCurve, Curve, PhaseCurve, SiteDay
from smartcharging.cap_states import series_of
from smartcharging.network import Network
from smartcharging.planning.aims import prices_of
from smartcharging.problem import Floats
from smartcharging.words import Plug
from storage.queries.site_readings import CURRENT, POWER, Measured

EVSES_OF_SHORT_SLOTS_MAX = 150
LONG_STEP_S = 900
HELD_SLOTS = {STEP_S: 4, LONG_STEP_S: 2}
"""For so many slots a meter's last word counts where it says no more."""
_LINES = ("L1", "L2", "L3")


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a day of a site. `decisions`: the latest of each EVSE where somebody charges."""

    site: Site
    on: date
    now: datetime
    measured: Sequence[Measured] = ()
    decisions: Sequence[LimitDecided] = ()
    planned: Sequence[SitePlanned] = ()
    caps: Sequence[HeldCap] = ()
    series: Mapping[SeriesKind, SiteSeries] = {}


class Span(msgspec.Struct, frozen=True):
    """The slots of a day: from midnight to midnight of the site; 23 or 25 hours where clocks are changed."""

    start: datetime
    end: datetime
    step_s: int

    @property
    def slots(self) -> int:
        """How many there are."""
        return round((self.end - self.start).total_seconds() / self.step_s)

    def slot_of(self, at: datetime) -> int:
        """The slot of a moment; beyond the day, too."""
        return int((at - self.start).total_seconds() // self.step_s)

    @property
    def seconds(self) -> Floats:
        """(slots,) how long each lasts."""
        return np.full(self.slots, float(self.step_s))


def span_of(site: Site, on: date) -> Span:
    """The slots of a day of a site: longer ones where it has many EVSEs."""
    zone = ZoneInfo(site.time_zone)
    start, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (on, on + timedelta(days=1)))
    evses = sum(node.outlet is not None for node in site.nodes)
    return Span(start, end, STEP_S if evses <= EVSES_OF_SHORT_SLOTS_MAX else LONG_STEP_S)


def day_of(day: Day, node: str | None = None) -> SiteDay:
    """The day as curves.

    Args:
        day: What is known.
        node: Whose lines are shown; None: the first with a limit per line.

    Raises:
        ValueError: The site has no such node.
    """
    site, span, network = day.site, span_of(day.site, day.on), Network(day.site)
    now = span.slot_of(day.now)
    drawn = _Drawn(day, span, network)
    curves = {each: drawn.kw(each) for each in drawn.nodes}
    cars = [CarCurve(node=each, label=_label(site, each), kw=_curve(kw)) for each, kw in curves.items() if np.any(kw)]
    others = _others(day, span)
    limits = network.limits(span.start, span.seconds, caps=_caps(day, span), loads=())
    shown = _line_node(site, node)
    return SiteDay(
        site=site.site,
        name=site.name or site.site,
        time_zone=site.time_zone,
        start_at=span.start,
        step_s=span.step_s,
        slots=span.slots,
        now_slot=now if 0 <= now < span.slots else None,
        cars=tuple(cars),
        others_kw=_curve(others),
        limit_kw=_limit_kw(day, span, network, limits),
        phase_node=shown,
        phases=_phases(network, limits, shown, drawn, others) if shown else (),
        currency=site.currency,
        price=_prices(day, span),
        co2=_co2(day, span),
    )


# What cars drew and will draw


class _Meters:
    """What meters said, by EVSE: power, and the current of each conductor; 0 where nothing was said."""

    def __init__(self, day: Day, span: Span, network: Network, until: int) -> None:
        place = {
            (node.outlet.station, node.outlet.evse): name
            for name, node in network.evses.items()
            if node.outlet is not None
        }
        self._span, self._until, self._network = span, until, network
        self._power: dict[str, Floats] = {}
        self._current: dict[str, dict[str | None, Floats]] = defaultdict(dict)
        for said in day.measured:
            node = place.get((said.station, said.evse))
            if node is None or not 0 <= said.slot < until:
                continue
            if said.measurand == POWER and said.phase is None:
                self._power.setdefault(node, self._unknown())[said.slot] = said.value / 1000.0
            elif said.measurand == CURRENT and said.phase in (None, *_LINES):
                self._current[node].setdefault(said.phase, self._unknown())[said.slot] = said.value
        self.nodes = tuple(dict.fromkeys((*self._power, *self._current)))

    def _unknown(self) -> Floats:
        return np.full(self._span.slots, np.nan)

    def kw(self, node: str) -> Floats:
        """Its power; by its currents where its meter does not say."""
        if node in self._power:
            return self._held(self._power[node])
        volts = self._network.neutral_v / 1000.0
        return np.asarray(sum(self.lines(node)) * volts)

    def lines(self, node: str) -> list[Floats]:
        """(3,) of its conductors; one value without a phase stands for all of the outlet."""
        said = self._current.get(node, {})
        whole = said.get(None)
        conductors = self._network.default_plug(node).phases
        found = []
        for number, line in enumerate(_LINES, 1):
            values = said.get(line)
            if values is None and whole is not None and number in conductors:
                values = whole
            found.append(np.zeros(self._span.slots) if values is None else self._held(values))
        return found

    def _held(self, values: Floats) -> Floats:
        """A hole of a few slots is as it was before it, until now; a longer one is nothing."""
        held, known = np.zeros(len(values)), -10_000
        for slot in range(self._until):
            if np.isfinite(values[slot]):
                known = slot
            if slot - known <= HELD_SLOTS[self._span.step_s]:
                held[slot] = values[known]
        return held


class _Drawn:
    """What each EVSE drew until now and is to draw from now on."""

    def __init__(self, day: Day, span: Span, network: Network) -> None:
        now = span.slot_of(day.now)
        self._network = network
        self._meters = _Meters(day, span, network, min(max(now, 0), span.slots))
        known = [each for each in day.decisions if each.node in network.evses]
        self._phases = {each.node: each.phases for each in known}
        self._planned = {each.node: _planned(each, span, max(now, 0)) for each in known}
        self._nothing = np.zeros(span.slots)
        self.nodes = tuple(dict.fromkeys((*self._meters.nodes, *self._planned)))

    def kw(self, node: str) -> Floats:
        """(slots,) power."""
        plug = _fitting(self._network, Plug(node, tuple(range(1, self._phases.get(node, 3) + 1))))
        return self._meters.kw(node) + self._planned.get(node, self._nothing) * self._network.kw_per_a(plug)

    def lines(self, node: str) -> list[Floats]:
        """(3,) of the connector's conductors, A."""
        planned, phases = self._planned.get(node, self._nothing), self._phases.get(node, 3)
        measured = self._meters.lines(node)
        return [each + (planned if number < phases else 0.0) for number, each in enumerate(measured)]


def _planned(decision: LimitDecided, span: Span, now: int) -> Floats:
    """(slots,) A per phase from now on: the plan's steps, else the limit of now; after its departure nothing."""
    values = np.zeros(span.slots)
    steps = decision.plan or ()
    values[now:] = decision.current_a
    for step in steps:
        begins = max(now, span.slot_of(step.at))
        if begins < span.slots:
            values[begins:] = step.current_a
    if decision.departs_at is not None:
        values[max(now, span.slot_of(decision.departs_at)) :] = 0.0
    elif not steps:
        values[now + 1 :] = 0.0
    return np.maximum(values, 0.0)


def _fitting(network: Network, plug: Plug) -> Plug:
    """No more conductors than the outlet has."""
    most = network.default_plug(plug.node).phases
    return Plug(plug.node, tuple(each for each in plug.phases if each in most) or most)


def _label(site: Site, node: str) -> str:
    """The station, and its EVSE where it has several."""
    outlets = {each.node: each.outlet for each in site.nodes if each.outlet is not None}
    outlet = outlets[node]
    many = sum(each.station == outlet.station for each in outlets.values()) > 1
    return f"{outlet.station} {outlet.evse}" if many else outlet.station


# What may flow


def _caps(day: Day, span: Span) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    names = {node.node for node in day.site.nodes}
    for held in day.caps:
        node = held.cap.node or day.site.root.node
        if held.cap.direction.value == "import" and node in names:
            series = series_of(held, day.now, span.start, span.seconds)
            found[node] = np.minimum(found.get(node, np.inf), series)
    return found


def _limit_kw(day: Day, span: Span, network: Network, limits: Floats) -> Curve:
    """Of the grid connection: kW, or its lines' A as kW; in the past not more than the planner saw then."""
    root = day.site.root.node
    found = np.full(span.slots, np.inf)
    lines: dict[str, Floats] = {}
    for row, (name, node, unit) in enumerate(zip(network.row_names, network.row_nodes, network.row_units, strict=True)):
        if node == root and unit == "kW":
            found = np.minimum(found, limits[row])
        elif node == root:
            lines[name] = np.minimum(lines.get(name, np.inf), limits[row])
    if lines:
        found = np.minimum(found, np.sum(list(lines.values()), axis=0) * network.neutral_v / 1000.0)
    now = span.slot_of(day.now)
    for slot, planned in _by_slot(day.planned, span).items():
        if planned.limit_kw is not None and slot < now:
            found[slot] = min(found[slot], planned.limit_kw)
    return _curve(np.where(np.isfinite(found), found, np.nan)) if np.isfinite(found).any() else ()


def _others(day: Day, span: Span) -> Floats:
    """(slots,) kW that drew unasked, as the planner saw it; what it saw last goes on."""
    values = np.full(span.slots, np.nan)
    for slot, planned in _by_slot(day.planned, span).items():
        values[slot] = planned.unmanaged_kw
    known, held = 0.0, np.zeros(span.slots)
    for slot in range(span.slots):
        known = float(values[slot]) if np.isfinite(values[slot]) else known
        held[slot] = known
    return held


def _by_slot(planned: Sequence[SitePlanned], span: Span) -> dict[int, SitePlanned]:
    """The last of each slot."""
    found: dict[int, SitePlanned] = {}
    for each in sorted(planned, key=lambda each: each.at):
        slot = span.slot_of(each.at)
        if 0 <= slot < span.slots:
            found[slot] = each
    return found


# Lines


def _line_node(site: Site, node: str | None) -> str:
    """Whose lines are shown; empty: no node has a limit per line."""
    if node is not None:
        if all(each.node != node for each in site.nodes):
            raise ValueError(f"site {site.site} has no node {node}")
        return node
    with_limit = (
        each.node for each in site.nodes if each.limit_a or any(timed.limit_a is not None for timed in each.timed)
    )
    return next(with_limit, "")


def _phases(network: Network, limits: Floats, shown: str, drawn: _Drawn, others_kw: Floats) -> tuple[PhaseCurve, ...]:
    """The lines of a node: cars by the outlet's rotation; others evenly, for what is known of them is their power."""
    slots = len(others_kw)
    cars_a = np.zeros((3, slots))
    for each in drawn.nodes:
        if shown in network.path(each):
            cars_a += lines_of(network, each, drawn.lines(each))
    is_root = network.site.root.node == shown
    others_a = others_kw / 3.0 / (network.neutral_v / 1000.0) if is_root else np.zeros(slots)
    return tuple(
        PhaseCurve(
            line=line,
            cars_a=_curve(cars_a[number]),
            others_a=_curve(others_a),
            limit_a=_curve(_limit_a(network, limits, shown, line)),
        )
        for number, line in enumerate(_LINES)
    )


def _limit_a(network: Network, limits: Floats, shown: str, line: str) -> Floats:
    """(slots,) of a line of a node; NaN: none."""
    found = np.full(limits.shape[1], np.inf)
    for row, (name, node) in enumerate(zip(network.row_names, network.row_nodes, strict=True)):
        if node == shown and network.row_units[row] == "A" and name.rpartition(" ")[2] == line:
            found = np.minimum(found, limits[row])
    return np.where(np.isfinite(found), found, np.nan)


# Prices


def _prices(day: Day, span: Span) -> Curve:
    told = day.series.get(SeriesKind.PRICE)
    if told is None and not day.site.goals.prices:
        return ()
    zone = ZoneInfo(day.site.time_zone)
    return _curve(prices_of(day.site.goals, told, zone, span.start, span.seconds))


def _co2(day: Day, span: Span) -> Curve:
    told = day.series.get(SeriesKind.CO2)
    if told is None:
        return ()
    values = np.full(span.slots, np.nan)
    for slot in range(span.slots):
        at = span.start + timedelta(seconds=(slot + 0.5) * span.step_s)
        place = int((at - told.start_at).total_seconds() // told.step_s)
        if 0 <= place < len(told.values):
            values[slot] = told.values[place]
    return _curve(values)


def _curve(values: Floats) -> Curve:
    return tuple(np.round(values, 3).tolist())
