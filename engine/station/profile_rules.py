"""Rules that a charging profile of ours keeps, whatever the station knows. OCPP 2.1 K01, K28, Q02 to Q10; ocpp.md 63.

`fault_of` says what is wrong, where, and what to do; it needs nothing but the profile. What depends on the station (is
there such a transaction, is the place taken, what can it hold) is `smart_charging`'s.
"""

from collections.abc import Callable, Iterator
from math import isfinite

from engine.model.charging_profiles import (
    NUMBERS,
    PERIODS_MAX,
    SCHEDULES_MAX,
    ChargingProfile,
    ChargingSchedule,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
)

DECIMALS_MAX = 6
"""Of a decimal that is sent to a station of 2.x (part 2 section 3)."""
PHASES = (1, 2, 3)

_LIMITS, _DISCHARGE, _SETPOINTS, _REACTIVE = NUMBERS[0:3], NUMBERS[3:6], NUMBERS[6:9], NUMBERS[9:12]
_CHARGING_ONLY = frozenset({OperationMode.CHARGING_ONLY})
_EXTERNAL = frozenset({OperationMode.CHARGING_ONLY, OperationMode.EXTERNAL_LIMITS})
_MODES_OF_PURPOSE = {
    ProfilePurpose.STATION_MAX: _CHARGING_ONLY,
    ProfilePurpose.PRIORITY: _CHARGING_ONLY,
    ProfilePurpose.LOCAL_GENERATION: _EXTERNAL,
}
"""2.1 part 2 table 95; other purposes may have any mode."""
_SAID_IN_MODE: dict[OperationMode, tuple[str, ...]] = {
    OperationMode.CHARGING_ONLY: _LIMITS,
    OperationMode.CENTRAL_SETPOINT: (*_LIMITS, *_DISCHARGE, *_SETPOINTS, *_REACTIVE),
    OperationMode.CENTRAL_FREQUENCY: (*_LIMITS, *_DISCHARGE, *_SETPOINTS),
    OperationMode.EXTERNAL_SETPOINT: (*_LIMITS, *_DISCHARGE),
    OperationMode.EXTERNAL_LIMITS: (),
    OperationMode.LOCAL_FREQUENCY: (),
    OperationMode.LOCAL_LOAD_BALANCING: (*_LIMITS, *_DISCHARGE),
    OperationMode.IDLE: (),
}
"""Which numbers a period of that mode may say (2.1 part 2 section 3.4, Q02.FR.02, Q08.FR.01, Q09.FR.05, Q10.FR.01)."""
_NEEDED_IN_MODE = {
    OperationMode.CHARGING_ONLY: "limit",
    OperationMode.CENTRAL_SETPOINT: "setpoint",
    OperationMode.CENTRAL_FREQUENCY: "setpoint",
}
_TX_PURPOSES = frozenset({ProfilePurpose.TX, ProfilePurpose.TX_DEFAULT})


def fault_of(profile: ChargingProfile, evse: int) -> str | None:
    """What is wrong with a profile for this EVSE (0: the station); None: nothing."""
    for rule in _RULES:
        fault = rule(profile, evse)
        if fault is not None:
            return fault
    return None


def fault_at_start(profile: ChargingProfile, evse: int | None) -> str | None:
    """What is wrong with a profile that a remote start carries (K05.FR.02, F01.FR.11, 1.6 section 5.16.2)."""
    if profile.purpose is not ProfilePurpose.TX:
        return f"A remote start carries a TxProfile, not a {profile.purpose} (K05.FR.02): set that one by itself."
    if profile.transaction_id is not None:
        return "The profile of a remote start has no transaction yet (F01.FR.11): leave transaction_id out."
    if len(profile.schedules) > 1:
        return "The profile of a remote start has one schedule (K01.FR.34): leave the others out."
    return next((fault for rule in _RULES[1:] if (fault := rule(profile, evse or 1)) is not None), None)


def _transaction(profile: ChargingProfile, _evse: int) -> str | None:
    if profile.purpose is ProfilePurpose.TX and not profile.transaction_id:
        return "A TxProfile is for one transaction (K01.FR.03): name it by transaction_id."
    if profile.purpose is not ProfilePurpose.TX and profile.transaction_id is not None:
        return f"Only a TxProfile names a transaction, a {profile.purpose} does not: leave transaction_id out."
    return None


def _place(profile: ChargingProfile, evse: int) -> str | None:
    purpose = profile.purpose
    if purpose is ProfilePurpose.EXTERNAL:
        return "ChargingStationExternalConstraints are others' to set, never ours (K01.FR.22): use another purpose."
    if evse < 0:
        return f"There is no EVSE {evse}: EVSEs count from 1, 0 is the station."
    if purpose is ProfilePurpose.STATION_MAX and evse != 0:
        return f"A ChargingStationMaxProfile is for the whole station: set it at EVSE 0, not at {evse}."
    if purpose is ProfilePurpose.TX and evse == 0:
        return "A TxProfile is for an EVSE, 1 or higher (K01.FR.16): name the transaction's."
    if profile.stack_level < 0:
        return f"A stack level is 0 or more, not {profile.stack_level}."
    return None


def _kind(profile: ChargingProfile, _evse: int) -> str | None:
    kind, recurs = profile.kind, profile.recurrency is not None
    if profile.purpose is ProfilePurpose.STATION_MAX and kind is ProfileKind.RELATIVE:
        return "A ChargingStationMaxProfile has no session to be relative to (K01.FR.38): use Absolute or Recurring."
    if (kind is ProfileKind.RECURRING) != recurs:
        todo = "say Daily or Weekly" if kind is ProfileKind.RECURRING else "leave it out, or use kind Recurring"
        return f"recurrency goes with kind Recurring, this one is {kind}: {todo}."
    if kind is not ProfileKind.DYNAMIC and (profile.dynamic_interval_s is not None or profile.dynamic_at is not None):
        return f"dynamic_interval_s and dynamic_at are for kind Dynamic, not {kind} (K01.FR.122): leave them out."
    return _shape(profile)


def _shape(profile: ChargingProfile) -> str | None:
    count = len(profile.schedules)
    if not 1 <= count <= SCHEDULES_MAX:
        return f"A profile has 1 to {SCHEDULES_MAX} schedules, this one has {count}."
    ids = {schedule.id for schedule in profile.schedules}
    if count > 1 and (None in ids or len(ids) < count):
        return "Several schedules are told apart by their ids: give each its own."
    if profile.kind is ProfileKind.DYNAMIC and (count > 1 or len(profile.schedules[0].periods) != 1):
        return "A Dynamic profile has one schedule with one period (K28.FR.01)."
    if profile.valid_from is not None and profile.valid_to is not None and profile.valid_to <= profile.valid_from:
        return "valid_to is not after valid_from: the profile would never be valid."
    for name in ("offline_s_max", "dynamic_interval_s"):
        value = getattr(profile, name)
        if value is not None and value < 0:
            return f"{name} is a time, {value} s is none."
    return None


def _schedules(profile: ChargingProfile, _evse: int) -> str | None:
    for number, schedule in enumerate(profile.schedules, start=1):
        fault = _schedule(profile, schedule)
        if fault is not None:
            return fault if len(profile.schedules) == 1 else f"Schedule {number}: {fault}"
    return None


def _schedule(profile: ChargingProfile, schedule: ChargingSchedule) -> str | None:
    fault = _start(profile, schedule) or _extras(profile, schedule)
    if fault is not None:
        return fault
    periods = schedule.periods
    if not 1 <= len(periods) <= PERIODS_MAX:
        return f"A schedule has 1 to {PERIODS_MAX} periods, this one has {len(periods)}."
    if periods[0].start_s != 0:
        return f"The first period begins with the schedule (K01.FR.31): start_s 0, not {periods[0].start_s}."
    for number, period in enumerate(periods, start=1):
        if number > 1 and period.start_s <= periods[number - 2].start_s:
            before = periods[number - 2].start_s
            return (
                f"Period {number} begins at {period.start_s} s, not after {before} s (K01.FR.35): order them by time."
            )
        fault = _period(profile, schedule, period)
        if fault is not None:
            return f"Period {number}: {fault}"
    return None


def _start(profile: ChargingProfile, schedule: ChargingSchedule) -> str | None:
    fixed = profile.kind in (ProfileKind.ABSOLUTE, ProfileKind.RECURRING)
    if fixed and schedule.start_at is None:
        return f"A schedule of kind {profile.kind} begins at a time (K01.FR.40): name start_at."
    if not fixed and schedule.start_at is not None:
        reason = "when the session does (K01.FR.41)" if profile.kind is ProfileKind.RELATIVE else "at once (K28.FR.02)"
        return f"A schedule of kind {profile.kind} begins {reason}: leave start_at out."
    if schedule.duration_s is not None and schedule.duration_s <= 0:
        return f"duration_s {schedule.duration_s} is no duration: leave it out for a schedule without end."
    return None


def _extras(profile: ChargingProfile, schedule: ChargingSchedule) -> str | None:
    purpose = profile.purpose
    if purpose is ProfilePurpose.PRIORITY and schedule.duration_s is not None:
        return "A PriorityCharging profile lasts as long as the transaction (K01.FR.70): leave duration_s out."
    delay_s = schedule.randomized_delay_s
    if delay_s is not None and delay_s < 0:
        return f"randomized_delay_s is a time, {delay_s} s is none."
    if delay_s and purpose not in _TX_PURPOSES:
        return f"A randomized delay is for TxProfile and TxDefaultProfile, not for {purpose} (K01.FR.95): leave it out."
    for name in ("rate_min", "power_tolerance"):
        fault = _decimal(name, getattr(schedule, name))
        if fault is not None:
            return fault
    if schedule.rate_min is not None and schedule.rate_min < 0:
        return f"rate_min {schedule.rate_min:g} is negative."
    at_soc = schedule.limit_at_soc
    if at_soc is None:
        return None
    if not 0 <= at_soc.soc_percent <= 100:
        return f"limit_at_soc: a state of charge is 0 to 100 %, not {at_soc.soc_percent}."
    return _decimal("limit_at_soc", at_soc.limit)


def _period(profile: ChargingProfile, schedule: ChargingSchedule, period: SchedulePeriod) -> str | None:
    for name in (*NUMBERS, "v2x_baseline_w"):
        fault = _decimal(name, getattr(period, name)) or _sign(name, getattr(period, name))
        if fault is not None:
            return fault
    if period.phases is not None and period.phases not in PHASES:
        return f"phases {period.phases}: there are 1, 2 or 3."
    if period.phase_to_use is not None and (period.phases != 1 or period.phase_to_use not in PHASES):
        return "phase_to_use is 1, 2 or 3 and goes with phases 1 alone (K01.FR.19): leave it out, or say phases 1."
    return _mode(profile.purpose, schedule.unit, period)


def _mode(purpose: ProfilePurpose, unit: RateUnit, period: SchedulePeriod) -> str | None:
    mode = period.operation_mode or OperationMode.CHARGING_ONLY
    allowed = _MODES_OF_PURPOSE.get(purpose)
    if allowed is not None and mode not in allowed:
        return f"a {purpose} profile has no operation mode {mode}: use {' or '.join(sorted(allowed))}."
    said = [name for name in NUMBERS if getattr(period, name) is not None]
    for name in said:
        if name not in _SAID_IN_MODE[mode]:
            return f"{name} has no meaning in operation mode {mode}: leave it out."
    needed = _NEEDED_IN_MODE.get(mode)
    if needed is not None and needed not in said:
        return f"operation mode {mode} needs a {needed}."
    if mode is not OperationMode.LOCAL_FREQUENCY:
        return None
    if unit is not RateUnit.W:
        return "LocalFrequency is about power (Q08.FR.05): use a schedule in W."
    if len(period.frequency_curve) < 2 or period.v2x_baseline_w is None:
        return "LocalFrequency needs v2x_baseline_w and a frequency_curve of two points at least (Q08.FR.02)."
    return None


def _decimal(name: str, value: float | None) -> str | None:
    if value is None:
        return None
    if not isfinite(value):
        return f"{name} is no number."
    if round(value, DECIMALS_MAX) != value:
        return f"{name} {value!r} has more than {DECIMALS_MAX} decimals: round it."
    return None


def _sign(name: str, value: float | None) -> str | None:
    if value is None:
        return None
    if name in _LIMITS and value < 0:
        return f"{name} {value:g} is negative: a limit is 0 or more; discharging is discharge_limit or setpoint."
    if name in _DISCHARGE and value > 0:
        return f"{name} {value:g} is positive: discharging is negative."
    return None


_RULES: tuple[Callable[[ChargingProfile, int], str | None], ...] = (_transaction, _place, _kind, _schedules)


def periods_of(profile: ChargingProfile) -> Iterator[SchedulePeriod]:
    """All periods of all schedules."""
    for schedule in profile.schedules:
        yield from schedule.periods
