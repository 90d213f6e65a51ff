"""What facts about stations mean for the wire: connections, boots, transactions, profiles, variables.

News of profiles that we know of already, or that were replaced since, change nothing: facts come by a stream and may be
a moment behind the outcomes of our own orders.
"""

from datetime import datetime, timedelta
from math import isfinite

import msgspec

from engine.model.charging_profiles import ChargingProfile, ProfileKind, ProfilePurpose
from engine.model.device_model import VariablesRecorded
from engine.model.facts import Fact
from engine.model.provisioning import Registration, StationBooted
from engine.model.quirks import Make
from engine.model.sessions import SessionEnded, SessionStarted, StationResponsive, StationUnresponsive
from engine.model.smart_charging import (
    SOURCE_CSMS,
    CompositeScheduleTold,
    DynamicScheduleUpdated,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    RemovalReason,
)
from engine.model.transactions import TransactionEnded
from smartcharging.wire import audit
from smartcharging.wire.capabilities import Ability
from smartcharging.wire.profiles import is_ours, read
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import PLACE_OF_PURPOSE, Evse, PlaceName, Station
from smartcharging.wire.steps import constant
from smartcharging.wire.telling import updated
from smartcharging.words import INF

FOREIGN_MAX = 16
"""Of one EVSE; more are counted as one that allows everything."""


def hear(state: SiteState, name: str, fact: Fact, at: datetime) -> None:  # noqa: C901, PLR0912 (one case a fact)
    """Takes note of a fact about a station; those of stations that are not of this site change nothing."""
    station = state.stations.get(name)
    if station is None:
        return
    match fact:
        case SessionStarted():
            _connected(state, station, fact, at)
        case SessionEnded():
            if station.session in (None, fact.closed.session):
                station.online, station.offline_since = False, at
        case StationUnresponsive():
            if station.session in (None, fact.session):
                station.online, station.offline_since = False, at
        case StationResponsive():
            if not fact.ended and station.session in (None, fact.session):
                station.online = True
        case StationBooted():
            _booted(state, station, fact)
        case VariablesRecorded():
            learned = station.told.learned(fact.entries)
            if learned != station.told:
                station.told = learned
                state.reckon(station)
        case TransactionEnded():
            _ended(state, name, fact.transaction_id)
        case ProfileInstalled():
            _installed(state, station, fact)
        case ProfileRemoved():
            _removed(state, station, fact)
        case ProfileAdopted():
            _adopted(state, station, fact)
        case DynamicScheduleUpdated():
            _updated(state, station, fact)
        case CompositeScheduleTold():
            audit.told(state, name, fact, at)
        case _:
            pass


def install(state: SiteState, station: Station, evse_number: int, profile: ChargingProfile, at: datetime) -> None:
    """A station has a profile: ours, or one of others."""
    for evse in _evses(state, station, evse_number):
        name = PLACE_OF_PURPOSE.get(profile.purpose)
        if name is None or not is_ours(profile.id, profile.purpose, evse.outlet.evse, station.ability):
            _foreign(state, evse, profile, at)
            continue
        place = evse.places[name]
        known = place.knows(profile)
        if known is not None:
            if known in place.promises:
                place.accept(known)
        elif place.was(profile):
            continue
        else:
            place.install(state.promise_of(evse, name, profile, at))
            if name is PlaceName.OWN:
                evse.transaction_id = profile.transaction_id
        state.count(evse, name)


def _connected(state: SiteState, station: Station, fact: SessionStarted, at: datetime) -> None:
    """It is back: what failed meanwhile is tried at once; what did not outlive its absence is told again."""
    opened = fact.opened
    away_s = 0.0 if station.offline_since is None else (at - station.offline_since).total_seconds()
    station.online, station.session, station.offline_since = True, opened.session, None
    if station.told.version is None:
        station.told = msgspec.structs.replace(station.told, version=opened.version)
        state.reckon(station)
    elif opened.version != station.told.version:
        station.told = Ability(version=opened.version)
        station.refused.clear()
        station.refusals.clear()
        station.probed = None
        state.reckon(station)
    station.probe_back = None
    for evse in state.by_station[station.name].values():
        evse.reset_failures()
        held = evse.places[PlaceName.OWN].held
        if held is not None and held.profile is not None and held.profile.offline_s_max is not None:
            evse.places[PlaceName.OWN].stale |= away_s >= held.profile.offline_s_max


def _booted(state: SiteState, station: Station, fact: StationBooted) -> None:
    """Its profiles may be gone, unless its make is known to keep them; what it can may have changed."""
    boot = fact.boot
    make = Make(boot.vendor, boot.model, boot.firmware_version or "")
    if station.make is not None and make != station.make:
        station.told = Ability(version=station.told.version)
        station.refused.clear()
        station.refusals.clear()
    station.make = make
    state.reckon(station)
    if fact.registration is not Registration.ACCEPTED:
        return
    for evse in state.by_station[station.name].values():
        for name, place in evse.places.items():
            if name is PlaceName.OWN:
                place.stale = bool(place.promises)
            elif station.ability.keeps_profiles:
                place.stale = True
            else:
                place.suspect()
            state.count(evse, name)


def _ended(state: SiteState, name: str, transaction_id: str) -> None:
    for evse in state.by_station[name].values():
        if evse.transaction_id == transaction_id:
            forget_own(state, evse)
        gone = [key for key, (profile, _) in evse.foreign.items() if profile.transaction_id == transaction_id]
        for key in gone:
            del evse.foreign[key]
        if gone:
            state.count(evse, PlaceName.OWN)


def forget_own(state: SiteState, evse: Evse) -> None:
    """The transaction that its own profile was for is over."""
    evse.transaction_id = None
    evse.places[PlaceName.OWN].lose(known=True)
    evse.places[PlaceName.OWN].stale = False
    evse.watch.ended()
    state.count(evse, PlaceName.OWN)


def _installed(state: SiteState, station: Station, fact: ProfileInstalled) -> None:
    if fact.source == SOURCE_CSMS or fact.profile.purpose is not ProfilePurpose.EXTERNAL:
        install(state, station, fact.evse, fact.profile, fact.at)


def _removed(state: SiteState, station: Station, fact: ProfileRemoved) -> None:
    for evse in _evses(state, station, fact.evse):
        if evse.foreign.pop(fact.profile_id, None) is not None:
            state.count(evse, PlaceName.OWN)
        for name, place in evse.places.items():
            held = [each for each in place.promises if each.profile and each.profile.id == fact.profile_id]
            if not held or fact.reason is RemovalReason.TRANSACTION_ENDED:
                continue
            place.lose(known=name is PlaceName.OWN)
            place.stale = True
            state.count(evse, name)


def _adopted(state: SiteState, station: Station, fact: ProfileAdopted) -> None:
    """The profile of a remote start has its transaction."""
    for evse in _evses(state, station, fact.evse):
        own = evse.places[PlaceName.OWN]
        if any(each.profile and each.profile.id == fact.profile_id for each in own.promises):
            evse.transaction_id = fact.transaction_id


def _updated(state: SiteState, station: Station, fact: DynamicScheduleUpdated) -> None:
    """Others changed the numbers of our dynamic profile, or we did and hear of it."""
    for evse in state.by_station[station.name].values():
        place = evse.places[PlaceName.OWN]
        held = place.held
        if held is None or held.profile is None or held.profile.id != fact.profile_id:
            continue
        changed = updated(held.profile, fact.update)
        if held.profile.kind is ProfileKind.DYNAMIC and not place.knows(changed) and not place.was(changed):
            place.install(state.promise_of(evse, PlaceName.OWN, changed, fact.at))
            state.count(evse, PlaceName.OWN)


def _foreign(state: SiteState, evse: Evse, profile: ChargingProfile, at: datetime) -> None:
    """A profile of others may stand above ours: counted at its most for as long as it is there."""
    if profile.purpose not in (ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT, ProfilePurpose.PRIORITY):
        return
    values = [value for value in read(profile, evse.socket, None, at - timedelta(days=1)).values if isfinite(value)]
    steps = constant(max(values, default=INF))  # after its end ours counts again
    if len(evse.foreign) >= FOREIGN_MAX:
        dropped = evse.foreign.pop(next(iter(evse.foreign)))[1]
        steps = constant(max(*dropped.values, *steps.values))
    evse.foreign[profile.id] = (profile, steps)
    state.count(evse, PlaceName.OWN)


def _evses(state: SiteState, station: Station, number: int) -> tuple[Evse, ...]:
    """The EVSE of that number; of 0: all of the station."""
    known = state.by_station[station.name]
    if number == 0:
        return tuple(known.values())
    return (known[number],) if number in known else ()
