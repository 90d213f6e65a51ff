"""Audits: what a station says its profiles come to, against what it promised."""

from datetime import datetime, timedelta

from engine.model.charging_profiles import RateUnit
from engine.model.smart_charging import CompositeSchedule, CompositeScheduleTold, GetCompositeSchedule
from smartcharging.wire.profiles import per_a
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import Evse, OpenOrder, OrderKind, PlaceName
from smartcharging.wire.verification import allowed_a
from smartcharging.words import Order

AUDIT_S = 3600
"""How far a station is asked to look."""


def audits(state: SiteState, now: datetime, name: str) -> list[Order]:
    """The questions that are due, one EVSE of a station at a time."""
    every = state.settings.audit_s
    if every is None:
        return []
    found = []
    for evse in state.list:
        station = state.stations[evse.station]
        if not station.online or evse.order is not None or evse.places[PlaceName.DEFAULT].held is None:
            continue
        if evse.audited_at is None:  # the first one at its own time
            evse.audited_at = now - timedelta(seconds=every * (evse.index * 0.6180339887 % 1.0))
        if now - evse.audited_at < timedelta(seconds=every):
            continue
        evse.audited_at = now
        command = GetCompositeSchedule(evse=evse.outlet.evse, duration_s=AUDIT_S, unit=station.way.unit)
        order = Order(
            order_id=f"{name}.{evse.index}.{OrderKind.AUDIT}",
            station=evse.station,
            command=command,
            deadline_s=state.settings.deadline_s,
        )
        evse.order = OpenOrder(
            order_id=order.order_id,
            station=evse.station,
            kind=OrderKind.AUDIT,
            sent_at=now,
            deadline_s=order.deadline_s,
            node=evse.node,
        )
        state.remember(evse.order)
        found.append(order)
    return found


def told(state: SiteState, station: str, fact: CompositeScheduleTold, at: datetime) -> None:
    """A station's answer. More than it promised: it is told again, and until its yes counts as if it had nothing."""
    schedule = fact.schedule
    evse = state.by_station[station].get(schedule.evse or 0)
    if evse is None or not schedule.periods:
        return
    limit = (
        max(state.settings.tolerance_a, state.settings.tolerance_share * (now_a := allowed_a(state, evse, at))) + now_a
    )
    said = says_a(evse, schedule, state.stations[station].way.unit)
    if said is None or said <= limit or now_a >= evse.ceiling_a:
        return
    evse.watch.detail = f"says that it allows {said:.1f} A, promised {now_a:.1f} A"
    for name, place in evse.places.items():
        if place.held is not None:
            place.suspect()
            state.count(evse, name)


def says_a(evse: Evse, schedule: CompositeSchedule, asked: RateUnit) -> float | None:
    """What a composite schedule allows now, A per phase; None: it does not say, or less than nothing."""
    period = min(schedule.periods, key=lambda each: each.start_s)
    if period.limit is None or period.limit < 0:
        return None
    return period.limit / per_a(schedule.unit or asked, evse.socket, period.phases or evse.socket.phases)
