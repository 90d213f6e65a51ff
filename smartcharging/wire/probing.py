"""Asks stations what they can hold, and (2.x) what they hold already: once for each make and firmware.

A profile that others left there may stand above ours; the report makes it known, and `dispatch` clears it.
"""

from datetime import datetime

from engine.model.commands import Command
from engine.model.smart_charging import GetChargingProfiles
from smartcharging.wire.capabilities import V16, Rung, probe_of
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import OpenOrder, OrderKind, PlaceName, Station
from smartcharging.words import Order

REQUEST_ID = 700_000
"""Of the report: one of ours, so that it is told from those that people ask for."""


def probes(state: SiteState, now: datetime, name: str) -> list[Order]:
    """The questions that are due. A station gets its default first.

    Args:
        state: Of the site; what is asked is noted there.
        now: The time.
        name: Begins the orders' ids.
    """
    if not state.settings.probe:
        return []
    found: list[Order] = []
    for number, station in enumerate(state.stations.values()):
        question = _question(state, station, now)
        if question is None:
            continue
        kind, command = question
        order = Order(
            order_id=f"{name}.{number}.{kind}",
            station=station.name,
            command=command,
            deadline_s=state.settings.deadline_s,
        )
        station.probe = OpenOrder(
            order_id=order.order_id,
            station=station.name,
            kind=kind,
            sent_at=now,
            deadline_s=order.deadline_s,
        )
        state.remember(station.probe)
        found.append(order)
    return found


def _question(state: SiteState, station: Station, now: datetime) -> tuple[OrderKind, Command] | None:
    """What is to be asked of a station now; None: nothing."""
    if not _may_ask(state, station, now):
        return None
    if station.probed != station.make and station.ability.wants_probe:
        return OrderKind.PROBE, probe_of(station.told.version)
    if station.told.version != V16 and station.listed != station.make:
        return OrderKind.LISTING, GetChargingProfiles(request_id=REQUEST_ID)
    return None


def _may_ask(state: SiteState, station: Station, now: datetime) -> bool:
    if not station.online or station.make is None or station.told.version is None or station.probe is not None:
        return False
    if station.probe_back is not None and station.probe_back > now:
        return False
    place = PlaceName.TOP if station.way.rung is Rung.STATION else PlaceName.DEFAULT
    safe = all(evse.places[place].held is not None for evse in state.by_station[station.name].values())
    return safe or station.way.rung is Rung.NONE
