"""What the wire tells of itself: worst cases, what became of targets, what people should know, what stations can."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
import numpy as np

from engine.model.charging_profiles import RateUnit
from smartcharging.wire.capabilities import Ability, Rung
from smartcharging.wire.choice import TINY_A, own_wanted, window_s
from smartcharging.wire.settlement import GRACE_S
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import Evse, PlaceName, Station
from smartcharging.wire.steps import Grid, moment
from smartcharging.wire.wishes import Wishes
from smartcharging.words import Floats, Told, Worst

OVER_MAX = 32
"""Rows that are told."""


class NoticeKind(StrEnum):
    """What people should know."""

    QUARANTINE = "quarantine"
    OVERDRAWN = "overdrawn"
    """It draws more than it may; it was told again."""
    ASLEEP = "asleep"
    """It may charge again after a pause, and does not."""
    UNSUPPORTED = "unsupported"
    """No kind of profile works at its station."""
    UNREACHABLE = "unreachable"
    """It could not be told to draw less: its station is not connected, or does not do it."""
    FOREIGN = "foreign"
    """Somebody else's profile stands above ours."""


class Notice(msgspec.Struct, frozen=True):
    """What people should know of an EVSE. The same (node, kind) again replaces it; what is not told again is over."""

    node: str
    kind: NoticeKind
    detail: str


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """A row that may be above its limit, and when at the worst. In the row's unit."""

    row: str
    node: str
    unit: str
    at: datetime
    over: float
    limit: float


class AbilityView(msgspec.Struct, frozen=True, kw_only=True):
    """What a station can, for people. `refused`: kinds of profiles that it does not take, as "TxProfile in A"."""

    station: str
    online: bool
    rung: Rung
    unit: RateUnit
    ability: Ability
    refused: tuple[str, ...]


def worst(state: SiteState, start: datetime, slot_s: Floats, nodes: Collection[str] | None = None) -> Worst:
    """By EVSE, (t,) the most in each slot. `nodes` None: of all."""
    edges = start.timestamp() + np.concatenate(([0.0], np.cumsum(slot_s)))
    grid = Grid(start, edges, np.asarray(slot_s, dtype=np.float64))
    clock_s = state.settings.clock_s
    found = {}
    for evse in state.list if nodes is None else [state.evses[node] for node in nodes]:
        most = np.maximum(
            evse.places[PlaceName.DEFAULT].worst.highest(grid, clock_s),
            evse.places[PlaceName.OWN].worst.highest(grid, clock_s),
        )
        for _, steps in evse.foreign.values():
            most = np.maximum(most, steps.highest(grid, clock_s))
        if evse.node in state.leashed:
            most = np.full(len(grid), evse.ceiling_a)
        else:
            most = np.minimum(most, evse.places[PlaceName.TOP].worst.highest(grid, clock_s))
        found[evse.node] = np.minimum(most, evse.ceiling_a)
    return found


def told(state: SiteState, wishes: Wishes | None, waiting: set[str]) -> Mapping[str, Told]:
    """What became of what each EVSE should hold now."""
    found: dict[str, Told] = {}
    own = None if wishes is None or state.grid is None else own_wanted(state, wishes, state.grid)
    for evse in state.list:
        station = state.stations[evse.station]
        if evse.node in state.leashed:
            found[evse.node] = Told.QUARANTINED
        elif not station.supported:
            found[evse.node] = Told.UNSUPPORTED
        elif wishes is not None and own is not None and holds(state, evse, station, wishes, own):
            found[evse.node] = Told.HELD
        elif not station.online:
            found[evse.node] = Told.OFFLINE
        elif evse.order is not None and evse.order.place is not None:
            found[evse.node] = Told.SENT
        elif evse.node in waiting or evse.held_back is not None:
            found[evse.node] = Told.WAITS
        else:
            found[evse.node] = Told.SMALL
    return found


def holds(state: SiteState, evse: Evse, station: Station, wishes: Wishes, own: Floats) -> bool:
    """Whether its station holds what an EVSE should have now. `own`: as counted."""
    index = evse.index
    active = bool(wishes.active[index])
    if state.grid is None:
        return False
    match station.way.rung:
        case Rung.TX if active and evse.places[PlaceName.OWN].promises:
            held, wanted, place = state.promised[PlaceName.OWN][index, 0], own[index, 0], PlaceName.OWN
        case Rung.STATION:
            held, place = state.promised[PlaceName.TOP][index, 0], PlaceName.TOP
            wanted = own[index, 0] if active else wishes.default[index, 0]
        case _:
            held, place = state.promised[PlaceName.DEFAULT][index, 0], PlaceName.DEFAULT
            wanted = own[index, 0] if active else wishes.default[index, 0]
    certain = len(evse.places[place].promises) == 1 and not evse.places[place].unknown
    return certain and evse.places[place].held is not None and bool(abs(held - wanted) <= TINY_A)


def notices(state: SiteState, now: datetime) -> tuple[Notice, ...]:
    """All that people should know now."""
    found: list[Notice] = []
    over = state.ledger.over()
    touching = state.ledger.touching(over).max(axis=1) if over.any() else None
    for evse in state.list:
        station, watch = state.stations[evse.station], evse.watch
        if evse.node in state.leashed:
            found.append(Notice(evse.node, NoticeKind.QUARANTINE, state.leashed[evse.node]))
        elif watch.warned_at is not None:
            found.append(Notice(evse.node, NoticeKind.OVERDRAWN, watch.detail))
        if watch.asleep and watch.allowed_at is not None:
            minutes = (now - watch.allowed_at).total_seconds() / 60
            detail = f"may charge again since {minutes:.0f} min, and draws nothing: the car may have to be plugged anew"
            found.append(Notice(evse.node, NoticeKind.ASLEEP, detail))
        if not station.supported:
            detail = f"takes none of {', '.join(_refused(station.ability)) or 'the profiles of OCPP'}"
            found.append(Notice(evse.node, NoticeKind.UNSUPPORTED, detail))
        for profile, steps in evse.foreign.values():
            detail = f"profile {profile.id} ({profile.purpose}), not Narke's, may allow {max(steps.values):.1f} A"
            found.append(Notice(evse.node, NoticeKind.FOREIGN, detail))
        if touching is not None and touching[evse.index] > 0 and _lacks(state, evse, station, now):
            detail = "is not connected" if not station.online else f"did not do it, {evse.failures} times"
            found.append(Notice(evse.node, NoticeKind.UNREACHABLE, f"could not be told to draw less: {detail}"))
    return tuple(found)


def over(state: SiteState) -> tuple[Over, ...]:
    """Rows above their limits, the worst first."""
    grid, above = state.grid, state.ledger.over()
    if grid is None or not above.any():
        return ()
    network, found = state.network, []
    for row in np.flatnonzero(above.any(axis=1)):
        slot = int(above[row].argmax())
        found.append(
            Over(
                row=network.row_names[row],
                node=network.row_nodes[row],
                unit=network.row_units[row],
                at=moment(float(grid.edges_s[slot])),
                over=float(above[row, slot]),
                limit=float(state.ledger.limits[row, slot]),
            )
        )
    return tuple(sorted(found, key=lambda each: -each.over)[:OVER_MAX])


def abilities(state: SiteState) -> Mapping[str, AbilityView]:
    """By station."""
    return {
        name: AbilityView(
            station=name,
            online=station.online,
            rung=station.way.rung,
            unit=station.way.unit,
            ability=station.ability,
            refused=_refused(station.ability),
        )
        for name, station in state.stations.items()
    }


def due(state: SiteState, evse: Evse, now: datetime) -> Iterator[datetime]:
    """When something is to be done about an EVSE, but for what others have to do first."""
    settings = state.settings
    if evse.order is not None:
        yield evse.order.sent_at + timedelta(seconds=evse.order.deadline_s + GRACE_S)
        return
    if not state.stations[evse.station].online:
        return
    if evse.held_back is not None:
        yield evse.held_back
    if evse.audited_at is not None and settings.audit_s is not None:
        yield evse.audited_at + timedelta(seconds=settings.audit_s)
    for name, place in evse.places.items():
        if place.lease_s:
            due_s = place.lease_s - window_s(settings, evse, name) - now.timestamp()
            yield now + timedelta(seconds=max(due_s, settings.interval_s))


def _refused(ability: Ability) -> tuple[str, ...]:
    return tuple(sorted(f"{refusal.purpose} in {refusal.unit}" for refusal in ability.refused))


def _lacks(state: SiteState, evse: Evse, station: Station, now: datetime) -> bool:
    """Whether it could not be told for a while."""
    patience = timedelta(seconds=state.settings.deadline_s + state.settings.retry_s)
    if not station.online:
        return station.offline_since is None or now - station.offline_since > patience
    return evse.failures > 1
