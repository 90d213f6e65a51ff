"""What is known of a car, as planners see it, and what is learned of it when it has left. Pure."""

from datetime import datetime, timedelta
from math import inf

from engine.model.sites import Site
from engine.model.transactions import TransactionEnded
from smartcharging.cars.needs import need_of
from smartcharging.cars.requests import Asked
from smartcharging.cars.visits import Visit
from smartcharging.forecast import Forecaster, Stay
from smartcharging.words import CarView

PRIORITIZED = 100
"""Of a car whose driver was given priority charging (2.1 K21), beside what tokens and requests say."""
MEASURED_FOR = timedelta(minutes=15)
"""What was measured longer ago says nothing of now."""


def view_of(visit: Visit, asked: Asked | None, forecaster: Forecaster | None, site: Site, now: datetime) -> CarView:
    """The car now."""
    measured = visit.measured
    if measured is not None and now - measured.at > MEASURED_FOR:
        measured = None
    drawn = None if measured is None else measured.drawn
    said, outlet = visit.said, visit.supply.outlet
    current_a_max = min(visit.cable_a_max, inf if said is None else said.current_a_max, visit.taper.limit_a)
    return CarView(
        node=visit.node.node,
        station=outlet.station,
        evse=outlet.evse,
        transaction_id=visit.transaction_id,
        arrived_at=visit.arrived_at,
        token=visit.token,
        phases=visit.conductors,
        phases_known=outlet.dc or visit.phases.known,
        current_a_max=current_a_max,
        measured_a=None if drawn is None else drawn.highest_a,
        per_phase_a=() if drawn is None else drawn.per_phase_a,
        power_kw=None if drawn is None else drawn.power_kw,
        measured_at=None if measured is None else measured.at,
        energy_kwh=visit.energy_kwh,
        soc_percent=visit.soc_percent,
        state=visit.state,
        need=need_of(visit, asked, forecaster, site, now),
        priority=_priority(visit, asked),
        discharge_kw_max=_discharge_kw(visit, asked),
        room_kwh=_room_kwh(visit),
        stored_kwh=_stored_kwh(visit),
        tapering=visit.taper.tapers,
        flags=visit.flags,
    )


def stay_of(visit: Visit, asked: Asked | None, fact: TransactionEnded, site: Site) -> Stay:
    """What is learned of a car that has left."""
    said = visit.said
    told_at, asked_kwh = (None, None) if asked is None else (asked.request.departs_at, asked.request.energy_kwh)
    return Stay(
        station=visit.supply.outlet.station,
        site=site.site,
        arrived_at=visit.arrived_at,
        departed_at=max(min(fact.ended_at, fact.received_at), visit.arrived_at),
        energy_kwh=visit.energy_kwh if fact.energy_wh is None else fact.energy_wh / 1000.0,
        token_key=None if visit.token is None else visit.token.key,
        claimed_departs_at=told_at or (None if said is None else said.departs_at),
        claimed_kwh=asked_kwh or (None if said is None else said.energy_kwh),
        still_taking=visit.takes_until(fact.received_at),
    )


def _priority(visit: Visit, asked: Asked | None) -> int | None:
    """The driver's, with the operator's of the token where he says none; None: nobody says any."""
    said = visit.token_priority if asked is None or asked.request.priority is None else asked.request.priority
    if not visit.prioritized:
        return said
    return PRIORITIZED + (said or 0)


def _discharge_kw(visit: Visit, asked: Asked | None) -> float:
    """What car and driver allow to take out."""
    if visit.said is None or (asked is not None and asked.request.may_discharge is False):
        return 0.0
    return visit.said.discharge_kw_max


def _since_kwh(visit: Visit) -> float:
    return visit.energy_kwh - visit.said_energy_kwh


def _room_kwh(visit: Visit) -> float:
    return inf if visit.said is None else max(visit.said.room_kwh - _since_kwh(visit), 0.0)


def _stored_kwh(visit: Visit) -> float | None:
    if visit.said is None or visit.said.stored_kwh is None:
        return None
    return max(visit.said.stored_kwh + _since_kwh(visit), 0.0)
