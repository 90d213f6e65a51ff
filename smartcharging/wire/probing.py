"""Asks stations what they can hold: once for each make and firmware, where it is not known anyway."""

from datetime import datetime

from smartcharging.wire.capabilities import Rung, probe_of
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import OpenOrder, OrderKind, PlaceName, Station
from smartcharging.words import Order


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
        if not _is_due(state, station, now):
            continue
        order = Order(
            order_id=f"{name}.{number}.{OrderKind.PROBE}",
            station=station.name,
            command=probe_of(station.told.version),
            deadline_s=state.settings.deadline_s,
        )
        station.probe = OpenOrder(
            order_id=order.order_id,
            station=station.name,
            kind=OrderKind.PROBE,
            sent_at=now,
            deadline_s=order.deadline_s,
        )
        state.remember(station.probe)
        found.append(order)
    return found


def _is_due(state: SiteState, station: Station, now: datetime) -> bool:
    if not station.online or station.make is None or station.told.version is None or station.probe is not None:
        return False
    if station.probed == station.make or not station.ability.wants_probe:
        return False
    if station.probe_back is not None and station.probe_back > now:
        return False
    place = PlaceName.TOP if station.way.rung is Rung.STATION else PlaceName.DEFAULT
    safe = all(evse.places[place].held is not None for evse in state.by_station[station.name].values())
    return safe or station.way.rung is Rung.NONE
