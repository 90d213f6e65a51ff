"""Why a smart charging command must not be sent now: the rules of OCPP 2.1 block K that look at the station.

Against each command is held:

    SetChargingProfile      profile_rules; the open transactions; what else stands at its place, purpose and level; what
                            the car told; what the device model says the station can hold
    ClearChargingProfile    purposes that are not ours to clear (K10.FR.06)
    GetCompositeSchedule    a duration
    UpdateDynamicSchedule   that the profile is known, and dynamic (K28.FR.11)
    UsePriorityCharging     the open transactions (K21.FR.02)
    RequestStart            the profile that it carries (K05, F01.FR.11)
"""

from math import isfinite

from engine.model.charging_profiles import NUMBERS, ChargingProfile, ProfilePurpose
from engine.model.remote_control import RequestStart
from engine.model.smart_charging import (
    ClearChargingProfile,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.station.charging_memory import Capabilities
from engine.station.context import Context
from engine.station.ledger import KnownTransaction
from engine.station.profile_rules import fault_at_start, fault_of
from engine.station.state import StationState

LEVEL_REPLACES = frozenset({"1.6"})
"""Versions in which a profile replaces that of its place, purpose and level whatever its id (1.6 section 3.13.2)."""
NOT_CLEARED = frozenset({ProfilePurpose.EXTERNAL, ProfilePurpose.LOCAL_GENERATION})
"""What a station does not clear at our word (K10.FR.06, 08, 09)."""
IDS_MAX = 64


def to_set(state: StationState, command: SetChargingProfile, _context: Context) -> str | None:
    """Why a profile must not be set."""
    profile, evse = command.profile, command.evse
    return (
        fault_of(profile, evse)
        or _beyond(state.charging.capabilities, profile)
        or _of_transaction(state, profile, evse)
        or _of_car(state, profile, evse)
        or _taken(state, profile, evse)
    )


def to_start(state: StationState, command: RequestStart, _context: Context) -> str | None:
    """Why a remote start must not carry its profile."""
    profile = command.profile
    if profile is None:
        return None
    evse = None if command.evse is None else command.evse.evse
    return fault_at_start(profile, evse) or _beyond(state.charging.capabilities, profile)


def to_clear(_state: StationState, command: ClearChargingProfile, _context: Context) -> str | None:
    """Why profiles must not be cleared."""
    if command.purpose in NOT_CLEARED:
        return f"{command.purpose} is not ours to clear (K10.FR.06): whoever imposed it takes it back."
    return None


def to_report(_state: StationState, command: GetChargingProfiles, _context: Context) -> str | None:
    """Why profiles must not be asked for."""
    if len(command.profile_ids) > IDS_MAX:
        return f"{len(command.profile_ids)} ids are too many for one request: ask for {IDS_MAX} at most, or for all."
    return None


def to_composite(_state: StationState, command: GetCompositeSchedule, _context: Context) -> str | None:
    """Why a composite schedule must not be asked for."""
    if command.duration_s <= 0:
        return f"duration_s {command.duration_s} is no duration: ask for 1 s or more."
    if command.evse < 0:
        return f"There is no EVSE {command.evse}: EVSEs count from 1, 0 is the station."
    return None


def to_update(state: StationState, command: UpdateDynamicSchedule, _context: Context) -> str | None:
    """Why numbers must not be sent."""
    said = [value for name in NUMBERS if (value := getattr(command.update, name)) is not None]
    if not said:
        return "The update says nothing: name a limit, a discharge_limit or a setpoint."
    if not all(isfinite(value) and round(value, 6) == value for value in said):
        return "A number of the update is none, or has more than 6 decimals: round it."
    held = state.charging.find(command.profile_id)
    if held is not None and held.dynamic is None:
        return f"Profile {command.profile_id} is not Dynamic (K28.FR.11): set it anew with SetChargingProfile."
    return None


def to_prioritize(state: StationState, command: UsePriorityCharging, _context: Context) -> str | None:
    """Why priority must not be asked for."""
    return None if _open(state, command.transaction_id) else _not_open(command.transaction_id)


def replaces_by_level(state: StationState) -> bool:
    """Whether a new profile takes the place of the one of its purpose and level there, whatever its id."""
    session = state.session or state.session_ended
    return session is not None and session.version in LEVEL_REPLACES


def _of_transaction(state: StationState, profile: ChargingProfile, evse: int) -> str | None:
    """K01.FR.09, 33; 1.6 section 3.13.1."""
    if profile.purpose is not ProfilePurpose.TX or profile.transaction_id is None:
        return None
    known = _open(state, profile.transaction_id)
    if known is None:
        return _not_open(profile.transaction_id)
    if known.evse is not None and known.evse != evse:
        return f"Transaction {profile.transaction_id[:50]!r} is at EVSE {known.evse}, not at {evse}: set it there."
    return None


def _of_car(state: StationState, profile: ChargingProfile, evse: int) -> str | None:
    """K01.FR.34, K15.FR.07: several schedules, and how many periods, are the car's to say."""
    needs = state.charging.needs_at(evse)
    if needs is not None and needs.transaction_id != profile.transaction_id:
        needs = None
    if len(profile.schedules) > 1 and needs is None:
        return (
            "Several schedules are for a car that told its needs (ISO 15118), and none did in this transaction "
            "(K01.FR.34): use one."
        )
    periods_max = None if needs is None else needs.periods_max
    longest = max(len(schedule.periods) for schedule in profile.schedules)
    if profile.purpose is ProfilePurpose.TX and periods_max and longest > periods_max:
        return f"The car takes {periods_max} periods of a schedule, this one has {longest} (K15.FR.07): join some."
    return None


def _taken(state: StationState, profile: ChargingProfile, evse: int) -> str | None:
    """K01.FR.05, 06, 39, 52, 53."""
    clear = "clear that one first, or use its id"
    for held in state.charging.profiles:
        if held.id == profile.id:
            if held.purpose is ProfilePurpose.EXTERNAL:
                return f"Id {profile.id} is that of an external constraint, which stays (K01.FR.05): use another."
            continue
        same = held.purpose is profile.purpose and held.stack_level == profile.stack_level
        if not same or replaces_by_level(state) or not held.overlaps(profile):
            continue
        here = f"Profile {held.id} is a {held.purpose} of stack level {held.stack_level}"
        if profile.purpose is ProfilePurpose.TX:
            if held.transaction_id == profile.transaction_id:
                return f"{here} of this transaction already (K01.FR.39): {clear}."
        elif held.evse == evse:
            return f"{here} at EVSE {evse} already (K01.FR.06): {clear}."
        elif profile.purpose is ProfilePurpose.TX_DEFAULT and 0 in (held.evse, evse):
            rule = "K01.FR.52" if evse == 0 else "K01.FR.53"
            return f"{here} at EVSE {held.evse}, which excludes one at EVSE {evse} ({rule}): {clear}, or another level."
    return None


def _beyond(capabilities: Capabilities, profile: ChargingProfile) -> str | None:
    """What the station can hold, as far as its device model is known."""
    if capabilities.stack_level_max is not None and profile.stack_level > capabilities.stack_level_max:
        return f"The station knows stack levels 0 to {capabilities.stack_level_max}, not {profile.stack_level}."
    if capabilities.external_id_max is not None and profile.id <= capabilities.external_id_max:
        return f"Ids up to {capabilities.external_id_max} are the station's own (K01.FR.80): use a higher one."
    for schedule in profile.schedules:
        if capabilities.periods_max is not None and len(schedule.periods) > capabilities.periods_max:
            return f"The station holds {capabilities.periods_max} periods of a schedule, not {len(schedule.periods)}."
        if capabilities.units is not None and schedule.unit not in capabilities.units:
            return f"The station takes limits in {' or '.join(capabilities.units)} (K01.FR.26), not in {schedule.unit}."
    return None


def _open(state: StationState, transaction_id: str) -> KnownTransaction | None:
    return next((known for known in state.ledger.open if known.transaction_id == transaction_id), None)


def _not_open(transaction_id: str) -> str:
    return f"No transaction {transaction_id[:50]!r} runs at the station (K01.FR.33): name one that does."
