"""The wire after a restart: what the store says that stations hold, and which commands are open or in doubt."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from engine.model.charging_profiles import ChargingProfile, ScheduleUpdate
from engine.model.commands import Command
from engine.model.device_model import VariableEntry
from engine.model.quirks import Make
from engine.model.smart_charging import ClearChargingProfile, SetChargingProfile, UpdateDynamicSchedule
from smartcharging.wire.capabilities import Refusal
from smartcharging.wire.hearing import install
from smartcharging.wire.profiles import is_ours
from smartcharging.wire.promises import Standing
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import PLACE_OF_PURPOSE, Evse, OpenOrder, OrderKind, PlaceName, Station
from smartcharging.wire.telling import updated
from smartcharging.wire.verification import quarantine


class KnownProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that a station holds (table `charging_profiles`). `numbers`: of a dynamic one, as updated."""

    evse: int
    profile: ChargingProfile
    installed_at: datetime
    numbers: ScheduleUpdate | None = None


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A command of ours whose end is not known.

    It is still open; or it was settled TIMED_OUT, LOST or FAILED since the profile at its place was installed: `open`
    False, it is in doubt. `order_id`: as the wire named it.
    """

    order_id: str
    command: Command
    sent_at: datetime
    open: bool = True


class KnownStation(msgspec.Struct, frozen=True, kw_only=True):
    """All that the store knows of a station that matters here."""

    station: str
    online: bool = False
    session: str | None = None
    version: str | None = None
    make: Make | None = None
    profiles: tuple[KnownProfile, ...] = ()
    orders: tuple[KnownOrder, ...] = ()
    """The oldest first."""
    variables: tuple[VariableEntry, ...] = ()
    refused: tuple[Refusal, ...] = ()
    booted_at: datetime | None = None
    """Its last boot: profiles installed before may be gone."""


def restore(state: SiteState, stations: Sequence[KnownStation], quarantined: dict[str, str], now: datetime) -> None:
    """Takes up what is known; of stations of other sites nothing. What was in quarantine stays there."""
    for known in stations:
        station = state.stations.get(known.station)
        if station is None:
            continue
        _of_station(state, station, known, now)
    for node, reason in quarantined.items():
        if node in state.evses:
            quarantine(state, state.evses[node], reason)


def _of_station(state: SiteState, station: Station, known: KnownStation, now: datetime) -> None:
    station.online, station.session, station.make = known.online, known.session, known.make
    station.offline_since = None if known.online else now
    station.told = msgspec.structs.replace(station.told.learned(known.variables), version=known.version)
    station.refused |= set(known.refused)
    state.reckon(station)
    for held in known.profiles:
        profile = held.profile if held.numbers is None else updated(held.profile, held.numbers)
        install(state, station, held.evse, profile, held.installed_at)
        _lost_at_boot(state, station, held, known.booted_at)
    for order in known.orders:
        _reopen(state, station, order, now)


def take_up(state: SiteState, name: str, order: KnownOrder, now: datetime) -> None:
    """A command of a forerunner turns up on its way: it counts as one of ours. A known one changes nothing."""
    station = state.stations.get(name)
    if station is not None and order.order_id not in state.orders:
        _reopen(state, station, order, now)


def _lost_at_boot(state: SiteState, station: Station, held: KnownProfile, booted_at: datetime | None) -> None:
    """What was there before the last boot may be gone."""
    name = PLACE_OF_PURPOSE.get(held.profile.purpose)
    if booted_at is None or held.installed_at >= booted_at or name is None:
        return
    for evse in _those(state, station, held.evse):
        place = evse.places[name]
        if place.knows(held.profile) is None:
            continue
        if name is PlaceName.OWN or station.ability.keeps_profiles:
            place.stale = True
        else:
            place.suspect()
        state.count(evse, name)


def _reopen(state: SiteState, station: Station, order: KnownOrder, now: datetime) -> None:
    """A command on its way counts beside what is held, as it did before."""
    command = order.command
    match command:
        case SetChargingProfile():
            for evse in _those(state, station, command.evse):
                name = PLACE_OF_PURPOSE.get(command.profile.purpose)
                if name is None or not is_ours(
                    command.profile.id, command.profile.purpose, evse.outlet.evse, station.ability
                ):
                    continue
                _reopened(state, evse, name, command.profile, order, now)
        case UpdateDynamicSchedule():
            for evse in _those(state, station, 0):
                held = evse.places[PlaceName.OWN].held
                if held is not None and held.profile is not None and held.profile.id == command.profile_id:
                    changed = updated(held.profile, command.update)
                    _reopened(state, evse, PlaceName.OWN, changed, order, now)
        case ClearChargingProfile() if order.open:
            state.remember(
                OpenOrder(
                    order_id=order.order_id,
                    station=station.name,
                    kind=OrderKind.CLEAR,
                    sent_at=order.sent_at,
                    deadline_s=state.settings.deadline_s,
                )
            )
        case _:
            pass


def _reopened(
    state: SiteState, evse: Evse, name: PlaceName, profile: ChargingProfile, order: KnownOrder, now: datetime
) -> None:
    place = evse.places[name]
    promise = state.promise_of(evse, name, profile, order.sent_at)
    promise.order_id = order.order_id
    place.send(promise)
    if name is PlaceName.OWN:
        evse.transaction_id = profile.transaction_id
    opened = OpenOrder(
        order_id=order.order_id,
        station=evse.station,
        kind=OrderKind.PROFILE,
        sent_at=max(order.sent_at, now - timedelta(seconds=state.settings.deadline_s)),
        deadline_s=state.settings.deadline_s,
        node=evse.node,
        place=name,
        unit=profile.schedules[0].unit,
        transaction_id=profile.transaction_id,
        settled=not order.open,
    )
    state.remember(opened)
    if order.open:
        promise.standing = Standing.SENT
        evse.order = opened
    else:
        place.doubt(promise)
    state.count(evse, name)


def _those(state: SiteState, station: Station, number: int) -> tuple[Evse, ...]:
    known = state.by_station[station.name]
    if number == 0:
        return tuple(known.values())
    return (known[number],) if number in known else ()
