"""What a car needs, and who says so: the driver before the car, the car before history, history before defaults.

Departure and energy are decided apart. What drivers and cars say of their departure is an estimate whose bias the
forecast has learned. The energy that they ask for is what they get, less what they have had; but no more is kept ready
for a driver than nearly all who asked for as much have taken in the end.
"""

from datetime import datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

import msgspec

from engine.model.sites import Site
from engine.model.transactions import ChargingState
from smartcharging.cars.requests import Asked
from smartcharging.cars.visits import Visit
from smartcharging.forecast import Forecaster
from smartcharging.words import Floats, Need, NeedSource

FULL_AFTER_S = 600.0
"""A car that may charge and takes nothing for so long is full, or will not."""
FULL_KWH = 0.3
"""What is still kept ready for it."""
SERVED_KWH = 0.05
"""What is still kept ready for a car that has had what was asked for."""
TAKEN_QUANTILE = 0.9
WORDS = {
    NeedSource.DRIVER: "the driver said",
    NeedSource.CAR: "the car said",
    NeedSource.TOKEN: "from stays of this token",
    NeedSource.STATION: "from stays at this station",
    NeedSource.SITE: "from stays at this site",
    NeedSource.DEFAULT: "nothing is known yet: default",
}


class Told(msgspec.Struct, frozen=True):
    """What somebody said of a car. None: nothing."""

    energy_kwh: float | None
    energy_source: NeedSource
    departs_at: datetime | None
    departure_source: NeedSource


def need_of(visit: Visit, asked: Asked | None, forecaster: Forecaster | None, site: Site, now: datetime) -> Need:
    """What the car needs from now on."""
    told = _told(visit, asked)
    if told.energy_kwh is not None and told.energy_source is NeedSource.DRIVER and forecaster is not None:
        told = msgspec.structs.replace(told, energy_kwh=_taken_kwh(visit, told.energy_kwh, forecaster, site))
    need = _forecast(visit, told, forecaster, site, now)
    changes: dict[str, object] = {}
    if told.energy_kwh is not None:
        changes = {"energy_kwh": told.energy_kwh, "energy_source": told.energy_source}
    if told.departs_at is not None:
        changes["departure_source"] = told.departure_source
    need = msgspec.structs.replace(need, **changes)
    idle = _is_idle(visit, now)
    if idle:
        need = msgspec.structs.replace(need, energy_kwh=min(need.energy_kwh, FULL_KWH))
    return msgspec.structs.replace(need, detail=_detail(need, told, asked, site, idle=idle))


def staying_of(
    visit: Visit, asked: Asked | None, forecaster: Forecaster, site: Site, now: datetime, slot_s: Floats
) -> Floats:
    """How likely the car is still there, (t,) on average over each slot; slot 0 begins now."""
    token = visit.token
    curve = forecaster.stay_curve(
        None if token is None else token.key,
        visit.supply.outlet.station,
        site.site,
        visit.arrived_at,
        _told(visit, asked).departs_at,
    )
    return curve.staying(max((now - visit.arrived_at).total_seconds(), 0.0), slot_s)


def _told(visit: Visit, asked: Asked | None) -> Told:
    """The driver's word, else the car's."""
    energy_kwh, departs_at = _asked_kwh(visit, asked), None if asked is None else asked.request.departs_at
    energy_source = departure_source = NeedSource.DRIVER
    said = visit.said
    if energy_kwh is None and said is not None and said.energy_kwh is not None:
        since_kwh = max(visit.energy_kwh - visit.said_energy_kwh, 0.0)
        energy_kwh, energy_source = max(said.energy_kwh - since_kwh, SERVED_KWH), NeedSource.CAR
    if departs_at is None and said is not None and said.departs_at is not None:
        departs_at, departure_source = said.departs_at, NeedSource.CAR
    if energy_kwh is not None and said is not None and said.room_kwh < inf:
        room_kwh = said.room_kwh - max(visit.energy_kwh - visit.said_energy_kwh, 0.0)
        energy_kwh = max(min(energy_kwh, room_kwh), SERVED_KWH)
    return Told(energy_kwh, energy_source, departs_at, departure_source)


def _asked_kwh(visit: Visit, asked: Asked | None) -> float | None:
    """What the driver still wants: of the whole transaction, or up to a state of charge of a battery that is known."""
    if asked is None:
        return None
    request, said = asked.request, visit.said
    if request.energy_kwh is not None:
        return max(request.energy_kwh - visit.energy_kwh, SERVED_KWH)
    if request.soc_percent is None or said is None or said.full_kwh is None:
        return None
    if visit.soc_percent is not None:
        missing = request.soc_percent - visit.soc_percent
        return max(missing / 100.0 * said.full_kwh, SERVED_KWH)
    if said.soc_percent is None:
        return None
    since_kwh = max(visit.energy_kwh - visit.said_energy_kwh, 0.0)
    return max((request.soc_percent - said.soc_percent) / 100.0 * said.full_kwh - since_kwh, SERVED_KWH)


def _taken_kwh(visit: Visit, wanted_kwh: float, forecaster: Forecaster, site: Site) -> float:
    """What a driver who wants so much more will take of it."""
    had_kwh, token = visit.energy_kwh, visit.token
    curve = forecaster.energy_curve(
        None if token is None else token.key,
        visit.supply.outlet.station,
        site.site,
        visit.arrived_at,
        round(wanted_kwh + had_kwh, 3),
    )
    return max(min(wanted_kwh, curve.quantile(TAKEN_QUANTILE, had_kwh) - had_kwh), SERVED_KWH)


def _forecast(visit: Visit, told: Told, forecaster: Forecaster | None, site: Site, now: datetime) -> Need:
    if forecaster is not None:
        return forecaster.need(
            None if visit.token is None else visit.token.key,
            visit.supply.outlet.station,
            site.site,
            visit.arrived_at,
            now,
            visit.energy_kwh,
            claimed_departs_at=told.departs_at,
        )
    departs_at = told.departs_at
    if departs_at is None and site.stay_s_default is not None:
        departs_at = visit.arrived_at + timedelta(seconds=site.stay_s_default)
    if departs_at is not None and departs_at <= now:
        departs_at = None
    wanted_kwh = inf if site.energy_kwh_default is None else site.energy_kwh_default
    return Need(
        energy_kwh=max(wanted_kwh - visit.energy_kwh, SERVED_KWH), departs_at=departs_at, departs_at_median=departs_at
    )


def _is_idle(visit: Visit, now: datetime) -> bool:
    """Whether the car may charge and takes nothing, for a good while."""
    if visit.idle_since is None or visit.state is ChargingState.SUSPENDED_EVSE:
        return False
    return (now - visit.idle_since).total_seconds() >= FULL_AFTER_S


def _detail(need: Need, told: Told, asked: Asked | None, site: Site, *, idle: bool) -> str:
    """One sentence for people, with times as they are read at the site."""
    zone = ZoneInfo(site.time_zone)
    energy = "energy unknown" if need.energy_kwh == inf else f"{need.energy_kwh:.1f} kWh more"
    parts = [f"{energy} ({WORDS[need.energy_source]})"]
    if need.departs_at is None:
        parts.append("departure unknown")
    else:
        leaves = f"planned to leave at {need.departs_at.astimezone(zone):%H:%M}"
        if told.departs_at is not None:
            leaves += f" ({WORDS[need.departure_source]} {told.departs_at.astimezone(zone):%H:%M})"
        else:
            leaves += f" ({WORDS[need.departure_source]})"
        if need.departs_at_median is not None and need.departs_at_median != need.departs_at:
            leaves += f", likeliest {need.departs_at_median.astimezone(zone):%H:%M}"
        parts.append(leaves)
    if idle:
        parts.append("it takes nothing although it may")
    if asked is not None and asked.repaired:
        parts.append("left out of the request: " + ", ".join(asked.repaired))
    return "; ".join(parts)
