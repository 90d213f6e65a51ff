"""What a station is told, in its version's words: a whole profile, or new numbers for a dynamic one."""

from datetime import datetime

import msgspec
import numpy as np

from engine.model.charging_profiles import (
    ChargingProfile,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    ScheduleUpdate,
)
from engine.model.commands import Command
from engine.model.smart_charging import SetChargingProfile, UpdateDynamicSchedule
from smartcharging.wire import profiles
from smartcharging.wire.capabilities import V21, Rung
from smartcharging.wire.choice import Change, is_dynamic
from smartcharging.wire.profiles import Limits
from smartcharging.wire.site_state import SiteState
from smartcharging.wire.stations import PURPOSE_OF_PLACE, Evse, OrderKind, PlaceName, Station
from smartcharging.wire.steps import NOTHING, ROUNDING, STEP_A, Grid, Steps, constant, eroded, moment
from smartcharging.wire.wishes import Wishes
from smartcharging.words import Floats, Target


class Telling(msgspec.Struct, frozen=True, eq=False):
    """A command, and the profile that the station has after it."""

    command: Command
    kind: OrderKind
    profile: ChargingProfile


class Teller:
    """Makes commands of what EVSEs should hold, at one moment.

    Args:
        state: Of the site; nothing is changed there.
        wishes: What each EVSE should hold.
        now: The time.
    """

    def __init__(self, state: SiteState, wishes: Wishes, now: datetime) -> None:
        self._state = state
        self._wishes = wishes
        self._now = now
        self._eroded: dict[bytes, Steps] = {}

    @property
    def leased(self) -> int:
        """How many slots begin before the leases given now end."""
        assert self._state.grid is not None, "the grid is laid before anything is sent"
        return max(1, self._state.grid.until(self._wishes.lease_s))

    def telling(self, change: Change, values: Floats) -> Telling:
        """What to tell so that these are held.

        Args:
            change: Where.
            values: (t,) A per phase, as counted.
        """
        evse, station = change.evse, self._station(change.evse)
        held = evse.places[change.place].held
        profile = profiles.build(
            PURPOSE_OF_PLACE[change.place],
            self._limits(change, values),
            evse.socket,
            station.way.unit,
            station.ability,
            profiles.backdated(self._now, self._state.settings.backdate_s),
        )
        if held is not None and held.profile is not None and self._may_update(change, profile):
            update = numbers(profile)
            command = UpdateDynamicSchedule(profile_id=held.profile.id, update=update)
            return Telling(command, OrderKind.UPDATE, updated(held.profile, update))
        number = _number(change, station)
        return Telling(SetChargingProfile(evse=number, profile=profile), OrderKind.PROFILE, profile)

    def is_dynamic(self, change: Change) -> bool:
        """Whether it is told by a dynamic profile: one value until the lease ends."""
        return change.place is PlaceName.OWN and is_dynamic(self._state, change.evse)

    def _limits(self, change: Change, values: Floats) -> Limits:
        state, evse = self._state, change.evse
        station, grid = self._station(evse), state.grid
        assert grid is not None, "the grid is laid before anything is sent"
        own = change.place is not PlaceName.DEFAULT and bool(self._wishes.active[evse.index])
        target = evse.target if own else None
        values = values / change.blow
        steps = self._steps(grid, values)
        until = None
        if self.is_dynamic(change):
            until = moment(self._wishes.lease_s - state.settings.clock_s)
            steps = constant(float(values[0]))
        give, mode = self._giving(evse, target, station)
        offline_s = state.settings.offline_s if until is not None and station.ability.offline else None
        return Limits(
            steps=steps,
            give=give,
            mode=mode,
            mode_until_s=self._wishes.lease_s - state.settings.clock_s,
            transaction_id=None if target is None or change.place is not PlaceName.OWN else target.transaction_id,
            phases=self._phases(change),
            dynamic_until=until,
            offline_s_max=offline_s,
        )

    def _steps(self, grid: Grid, values: Floats) -> Steps:
        """What is told so that these are kept; many EVSEs get the same."""
        key = values.tobytes()
        if key not in self._eroded:
            self._eroded[key] = eroded(grid, values, self._now.timestamp(), self._state.settings.clock_s)
        return self._eroded[key]

    def _phases(self, change: Change) -> int:
        """Of a limit in W: how many phases it is made for; one, where it is for a car that nobody knows yet."""
        target = change.evse.target
        station = self._station(change.evse)
        own = change.place is not PlaceName.DEFAULT or station.way.rung is Rung.DEFAULT
        if target is None or not own or not self._wishes.active[change.evse.index]:
            return 1
        return max(1, min(3, target.phases))

    def _giving(self, evse: Evse, target: Target | None, station: Station) -> tuple[Steps, OperationMode | None]:
        """How much a car is to give back (2.1), as far as that fits; and in which mode."""
        gives = self._state.gives
        if target is None or target.mode not in profiles.MODES or station.ability.version != V21:
            return NOTHING, None
        if target.mode is OperationMode.CHARGING_ONLY or evse.node in self._state.leashed:
            return NOTHING, None
        if gives is None or target.mode is OperationMode.IDLE:
            return NOTHING, target.mode
        room = float(gives.room(evse.index, own=False)[: self.leased].min())
        amount = min(float(self._wishes.give[evse.index]), room, float(gives.ceiling_a[evse.index]))
        amount = max(0.0, float(np.floor(amount / STEP_A + ROUNDING) * STEP_A))
        end_s = self._wishes.lease_s - self._state.settings.clock_s
        return Steps((0.0, end_s), (amount, 0.0)), target.mode

    def _may_update(self, change: Change, profile: ChargingProfile) -> bool:
        """Whether the station holds this dynamic profile already, but for its numbers, and for long enough yet."""
        place = change.evse.places[change.place]
        held, settings = place.held, self._state.settings
        if profile.kind is not ProfileKind.DYNAMIC or held is None or held.profile is None:
            return False
        if place.stale or len(place.promises) > 1:
            return False
        known = held.profile
        same = msgspec.structs.replace(profile, schedules=known.schedules, valid_to=known.valid_to)
        lasts = held.lease_s - self._now.timestamp() >= settings.renew_s + settings.spread_s
        return lasts and same == known and _shape(profile) == _shape(known)

    def _station(self, evse: Evse) -> Station:
        return self._state.stations[evse.station]


def numbers(profile: ChargingProfile) -> ScheduleUpdate:
    """Of a dynamic profile."""
    period = profile.schedules[0].periods[0]
    return ScheduleUpdate(limit=period.limit, discharge_limit=period.discharge_limit, setpoint=period.setpoint)


def updated(profile: ChargingProfile, update: ScheduleUpdate) -> ChargingProfile:
    """A dynamic profile with new numbers; those that the update does not say stay."""
    schedule = profile.schedules[0]
    said = {name: value for name in update.__struct_fields__ if (value := getattr(update, name)) is not None}
    period = msgspec.structs.replace(schedule.periods[0], **said)
    changed = msgspec.structs.replace(schedule, periods=(period, *schedule.periods[1:]))
    return msgspec.structs.replace(profile, schedules=(changed, *profile.schedules[1:]))


def _number(change: Change, station: Station) -> int:
    """The EVSE that a profile is set at; 0: the station."""
    if change.place is PlaceName.TOP:
        return 0
    at_station = station.ability.at_station and station.alone and change.place is PlaceName.DEFAULT
    return 0 if at_station else change.evse.outlet.evse


def _shape(profile: ChargingProfile) -> tuple[RateUnit, int | None, OperationMode | None, ProfilePurpose]:
    schedule = profile.schedules[0]
    return schedule.unit, schedule.periods[0].phases, schedule.periods[0].operation_mode, profile.purpose
