"""What draws or feeds at a site without being asked: constant, by the time of day, or metered.

    kind       draws now and later                                 feeds (generation)
    constant   `kw`                                                `kw_certain`
    profile    the highest part of the day that a slot touches     the least of those, `kw_certain` at most
    metered    what the meter said last; once that is stale by     what it said last until that is stale, then
               its profile, where it has one                       `kw_certain`
    metered, without news for `stale_s`: the worst case: `kw`      `kw_certain`; and an alert

The reserve comes on top of what draws, and off what feeds. What is metered is the load itself, without the cars.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from math import isfinite, nan
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.model.metering import Reading
from engine.model.plans import AlertKind, SiteAlertRaised
from engine.model.sites import DAY_S, Load, LoadKind, Phases, Site
from smartcharging.cars.meters import PHASES, Sample, samples_of
from smartcharging.cars.registers import Register
from smartcharging.words import Floats, NodeLoad

Flags = NDArray[np.bool_]

KW_MAX = 1e5
"""By register: what no load exceeds."""


class Metered(msgspec.Struct, frozen=True):
    """What a meter said last: kW by grid phase; `at`: our clock."""

    kw: Phases
    at: datetime


class LoadKeeper:
    """The unmanaged loads of one site and what their meters say."""

    def __init__(self, site: Site) -> None:
        """No meter has said anything yet."""
        self._site = site
        self._zone = ZoneInfo(site.time_zone)
        self._metered: dict[str, Metered] = {}
        self._registers = {load.load: Register(KW_MAX) for load in site.loads if load.kind is LoadKind.METERED}
        self._by_meter: dict[tuple[str, int], list[Load]] = {}
        for load in site.loads:
            if load.kind is LoadKind.METERED and load.station is not None:
                self._by_meter.setdefault((load.station, load.evse), []).append(load)

    def hear(self, station: str, evse: int, readings: tuple[Reading, ...], at: datetime) -> frozenset[str]:
        """Takes a meter's readings; returns the nodes of the loads that it told something of."""
        heard: set[str] = set()
        for load in self._by_meter.get((station, evse), ()):
            for sample in samples_of(readings):
                kw = self._told(load, sample, at)
                if kw is not None:
                    self._metered[load.load] = Metered(kw, at)
                    heard.add(load.node)
        return frozenset(heard)

    def loads(self, start: datetime, slot_s: Floats, now: datetime) -> tuple[NodeLoad, ...]:
        """What each load draws in each slot (t,), by grid phase; slot 0 begins at `start`."""
        return tuple(NodeLoad(load.node, self._drawn(load, start, slot_s, now)) for load in self._site.loads)

    def alerts(self, now: datetime) -> Iterator[SiteAlertRaised]:
        """Meters without news; several of a node are one alert."""
        silent: dict[str, list[str]] = {}
        for load in self._site.loads:
            if load.kind is LoadKind.METERED and self._fresh(load, now) is None:
                known = self._metered.get(load.load)
                since = "has said nothing" if known is None else f"is silent since {known.at:%Y-%m-%d %H:%M:%S} UTC"
                counts = f"only {load.kw_certain:g} kW" if load.generation else f"its worst case of {load.kw:g} kW"
                silent.setdefault(load.node, []).append(
                    f"the meter of {load.load} ({load.station}, EVSE {load.evse}) {since}: {counts} counts"
                )
        for node, lines in sorted(silent.items()):
            yield SiteAlertRaised(
                site=self._site.site, kind=AlertKind.STALE_METER, node=node, at=now, detail="; ".join(lines)
            )

    def metered(self) -> dict[str, Metered]:
        """What each meter said last, by load; for people."""
        return dict(self._metered)

    def _fresh(self, load: Load, now: datetime) -> Metered | None:
        """What its meter said, if that is not too long ago. A word from the future is one of now."""
        known = self._metered.get(load.load)
        return known if known is not None and (now - known.at).total_seconds() <= load.stale_s else None

    def _drawn(self, load: Load, start: datetime, slot_s: Floats, now: datetime) -> Floats:
        """(3, t) kW by grid phase; negative where it feeds."""
        share = np.array(load.share).reshape(PHASES, 1)
        reserve = load.reserve_kw * share
        if not load.generation:
            expected: Floats = self._expected(load, start, slot_s, share)
            fresh = self._fresh(load, now) if load.kind is LoadKind.METERED else None
            if fresh is not None:
                expected = self._first(fresh, load, start, slot_s, expected)
            return expected + reserve
        certain: Floats = self._certain(load, start, slot_s) * share
        fresh = self._fresh(load, now) if load.kind is LoadKind.METERED else None
        if fresh is None:
            return -np.maximum(certain - reserve, 0.0)
        measured = -np.array(fresh.kw).reshape(PHASES, 1)
        given = np.where(self._soon(fresh, load, start, slot_s), measured, certain)
        return -np.where(given > 0, np.maximum(given - reserve, 0.0), given)

    def _first(self, fresh: Metered, load: Load, start: datetime, slot_s: Floats, expected: Floats) -> Floats:
        """What is measured, for as long as nothing better is known of later."""
        measured = np.repeat(np.array(fresh.kw).reshape(PHASES, 1), len(slot_s), axis=1)
        return np.where(self._soon(fresh, load, start, slot_s), measured, expected) if load.profile_kw else measured

    @staticmethod
    def _soon(fresh: Metered, load: Load, start: datetime, slot_s: Floats) -> Flags:
        """(t,) which slots begin while what was measured is still fresh."""
        begins_s = np.cumsum(slot_s) - slot_s + (start - fresh.at).total_seconds()
        return begins_s <= load.stale_s

    def _expected(self, load: Load, start: datetime, slot_s: Floats, share: Floats) -> Floats:
        if load.profile_kw:
            return self._of_day(load.profile_kw, start, slot_s, highest=True) * share
        return np.full(len(slot_s), load.kw) * share

    def _certain(self, load: Load, start: datetime, slot_s: Floats) -> Floats:
        """(t,) what a generator surely gives."""
        certain = np.full(len(slot_s), max(load.kw_certain, 0.0))
        if load.kind is LoadKind.PROFILE and load.profile_kw:
            certain = np.minimum(certain, self._of_day(load.profile_kw, start, slot_s, highest=False))
        return certain

    def _of_day(self, profile_kw: tuple[float, ...], start: datetime, slot_s: Floats, *, highest: bool) -> Floats:
        """(t,) the highest or least part of the day that each slot touches."""
        values, part_s = np.array(profile_kw), DAY_S / len(profile_kw)
        ends = np.cumsum(slot_s)
        chosen = np.empty(len(slot_s))
        for number, (begins_s, ends_s) in enumerate(zip(ends - slot_s, ends, strict=True)):
            first_s = _second_of_day(start + timedelta(seconds=float(begins_s)), self._zone)
            last_s = _second_of_day(start + timedelta(seconds=max(float(ends_s) - 1e-3, float(begins_s))), self._zone)
            first, last = int(first_s // part_s), int(last_s // part_s)
            if ends_s - begins_s >= DAY_S:
                touched = values
            elif last >= first:
                touched = values[first : last + 1]
            else:  # over midnight
                touched = np.concatenate((values[first:], values[: last + 1]))
            chosen[number] = touched.max() if highest else touched.min()
        return chosen

    def _told(self, load: Load, sample: Sample, at: datetime) -> Phases | None:
        """By grid phase, kW; None: the sample says nothing of it."""
        register_kw = nan
        if isfinite(sample.register_wh):
            register = self._registers[load.load]
            register.tell(sample.register_wh, sample.at or at)
            register_kw = register.power_kw
        by_phase = [value / 1000.0 for value in sample.phase_w]
        if not all(map(isfinite, by_phase)) and not isfinite(sample.power_w):
            volts = [value if isfinite(value) else self._site.voltage_v for value in sample.volt]
            by_phase = [amps * volt / 1000.0 for amps, volt in zip(sample.current_a, volts, strict=True)]
        if all(map(isfinite, by_phase)):
            return (by_phase[0], by_phase[1], by_phase[2])
        total_kw = sample.power_w / 1000.0 if isfinite(sample.power_w) else register_kw
        if not isfinite(total_kw):
            return None
        return (total_kw * load.share[0], total_kw * load.share[1], total_kw * load.share[2])


def _second_of_day(at: datetime, zone: ZoneInfo) -> float:
    local = at.astimezone(zone)
    midnight = datetime.combine(local.date(), time())
    return (local.replace(tzinfo=None) - midnight).total_seconds()
