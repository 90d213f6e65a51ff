"""The first profile of a remote start: no minute without a limit, also at stations that do not heed their default.

It allows what the station's default allows anyway, which the ledger counts already, so no room has to be found before a
driver may start; what the plan gives beyond that follows when the transaction is known. It has the id of the
transaction's profile, which therefore takes its place.
"""

from datetime import datetime

import numpy as np

from engine.model.charging_profiles import ChargingProfile, ProfilePurpose
from engine.station.profile_rules import fault_at_start
from smartcharging.wire import profiles
from smartcharging.wire.capabilities import Rung
from smartcharging.wire.profiles import Limits
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import Evse, PlaceName
from smartcharging.wire.steps import Steps
from smartcharging.words import INF


def built(state: SiteState, evse: Evse, steps: Steps, now: datetime) -> ChargingProfile | None:
    """A TxProfile without transaction that allows those steps; None: the station takes none."""
    station = state.stations[evse.station]
    if station.way.rung is not Rung.TX or not station.online:
        return None
    profile = profiles.build(
        ProfilePurpose.TX,
        Limits(steps=steps, phases=1),
        evse.socket,
        station.way.unit,
        station.ability,
        profiles.backdated(now, state.settings.backdate_s),
    )
    return None if fault_at_start(profile, evse.outlet.evse) else profile


def profile_for_start(state: SiteState, station: str, number: int | None, now: datetime) -> ChargingProfile | None:
    """The profile for a remote start.

    None: the EVSE is not of this site; its default is not known to be held; or the station chooses among several.
    """
    known = state.by_station.get(station, {})
    evse = known.get(number) if number else next(iter(known.values()), None)
    if evse is None or (not number and len(known) > 1):
        return None
    place = evse.places[PlaceName.DEFAULT]
    if place.unknown or place.held is None:
        return None
    steps = place.held.steps
    for promise in place.promises:  # the least of what may count, whatever it is that does
        steps = _lower(steps, promise.steps)
    return built(state, evse, steps, now) if np.isfinite(steps.values).all() else None


def _lower(one: Steps, other: Steps) -> Steps:
    times = sorted({*one.times_s, *other.times_s})
    values = tuple(min(one.at(time_s), other.at(time_s), INF) for time_s in times)
    return Steps(tuple(times), values)
