"""Charging profiles as stations are told them, from limits in A; and back, what a profile allows in A.

Every rule of `engine.station.profile_rules` is kept: the first period begins with the schedule, periods ascend, the
last has no end, Absolute schedules name their start, one decimal rounded down, A per phase and W in all, DC without
phases. Ids and stack level are fixed per EVSE and purpose, so that the same id replaces (2.1 K01.FR.05).
"""

from datetime import datetime, timedelta

import msgspec

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
    ScheduleUpdate,
)
from smartcharging.wire.capabilities import Ability
from smartcharging.wire.steps import NOTHING, Steps, constant, merged, rounded_down, simplified
from smartcharging.words import INF

ID_FIRST = 700_000
"""Ids are above what people use by hand; each EVSE has eight."""
IDS_PER_EVSE = 8
PERIODS_MAX = 24
"""Of a station that does not say."""
STACK_LEVEL = 0
DC_V_MAX = 1000.0
"""Of a DC car's battery: so much may one A be, on stations that take A alone."""
DISCHARGING = frozenset(
    {OperationMode.CENTRAL_SETPOINT, OperationMode.EXTERNAL_SETPOINT, OperationMode.LOCAL_LOAD_BALANCING}
)
"""Modes in which we may let a car give back."""
MODES = DISCHARGING | {OperationMode.IDLE, OperationMode.CHARGING_ONLY}
"""Modes that are told; all others have no numbers of ours."""
_PLACE_OF_PURPOSE = {ProfilePurpose.TX_DEFAULT: 0, ProfilePurpose.TX: 1, ProfilePurpose.STATION_MAX: 2}


class Socket(msgspec.Struct, frozen=True, kw_only=True):
    """What of an EVSE matters to a profile. `kw_per_a`: of all its phases; `phase_kw_per_a`: of one alone."""

    evse: int
    phases: int = 3
    dc: bool = False
    kw_per_a: float = 0.69
    phase_kw_per_a: float = 0.23


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile is to allow. `steps`: A per phase of the car, import. `give`: A that it is to give back (V2X).

    `mode`: of the periods before `mode_until_s` (2.1), later ones only charge. `dynamic_until`: it is Dynamic, and not
    valid after that.
    """

    steps: Steps
    give: Steps = NOTHING
    mode: OperationMode | None = None
    mode_until_s: float = INF
    transaction_id: str | None = None
    phases: int = 3
    dynamic_until: datetime | None = None
    offline_s_max: int | None = None


def profile_id(purpose: ProfilePurpose, evse: int, ability: Ability) -> int:
    """The id that our profile for this has, above those that are the station's own (K01.FR.80)."""
    first = max(ID_FIRST, (ability.external_id_max or 0) + 1)
    return first + evse * IDS_PER_EVSE + _PLACE_OF_PURPOSE[purpose]


def is_ours(held_id: int, purpose: ProfilePurpose, evse: int, ability: Ability) -> bool:
    """Whether a profile that a station holds is the one of this place."""
    if purpose not in _PLACE_OF_PURPOSE:
        return False
    return held_id in (
        profile_id(purpose, evse, ability),
        ID_FIRST + evse * IDS_PER_EVSE + _PLACE_OF_PURPOSE[purpose],
    )


def build(
    purpose: ProfilePurpose, limits: Limits, socket: Socket, unit: RateUnit, ability: Ability, now: datetime
) -> ChargingProfile:
    """The profile.

    Args:
        purpose: TX, TX_DEFAULT or STATION_MAX.
        limits: What it allows; times of steps at or before `now` count now.
        socket: Where.
        unit: What its numbers are told in.
        ability: Of the station.
        now: When the schedule begins (already backdated).
    """
    dynamic = limits.dynamic_until is not None
    told_steps = merged(limits.steps, 1 if dynamic else ability.periods_max or PERIODS_MAX, now.timestamp())
    periods = _periods(told_steps, limits, socket, unit, ability, now)
    schedule = ChargingSchedule(unit=unit, periods=periods, start_at=None if dynamic else now)
    return ChargingProfile(
        id=profile_id(purpose, socket.evse, ability),
        stack_level=STACK_LEVEL,
        purpose=purpose,
        kind=ProfileKind.DYNAMIC if dynamic else ProfileKind.ABSOLUTE,
        schedules=(schedule,),
        valid_to=limits.dynamic_until,
        transaction_id=limits.transaction_id if purpose is ProfilePurpose.TX else None,
        offline_s_max=limits.offline_s_max,
        invalid_after_offline=None if limits.offline_s_max is None else True,
    )


def update_of(limits: Limits, socket: Socket, unit: RateUnit) -> ScheduleUpdate:
    """The numbers of a dynamic profile (2.1 K28)."""
    return _numbers(limits.steps.values[0], limits.give.values[0], limits.mode, limits.phases, socket, unit)


def w_per_a(socket: Socket, phases: int) -> float:
    """W in all that one A on each of so many phases is."""
    return 1000 * (socket.kw_per_a if socket.dc or phases >= socket.phases else socket.phase_kw_per_a * phases)


def _periods(
    steps: Steps, limits: Limits, socket: Socket, unit: RateUnit, ability: Ability, now: datetime
) -> tuple[SchedulePeriod, ...]:
    begin_s = now.timestamp()
    said = None if socket.dc or not ability.phases_said else socket.phases
    periods: dict[int, SchedulePeriod] = {}
    for time_s, value in zip(steps.times_s, steps.values, strict=True):
        start_s = max(0, round(time_s - begin_s)) if periods else 0
        mode = limits.mode if time_s < limits.mode_until_s else None
        numbers = _numbers(value, limits.give.at(time_s), mode, limits.phases, socket, unit)
        period = SchedulePeriod(start_s=start_s, phases=said, operation_mode=mode)
        fields = {name: getattr(numbers, name) for name in ("limit", "discharge_limit", "setpoint")}
        periods[start_s] = msgspec.structs.replace(period, **fields)
    kept: list[SchedulePeriod] = []
    for start_s in sorted(periods):
        period = periods[start_s]
        if not kept or msgspec.structs.replace(period, start_s=kept[-1].start_s) != kept[-1]:
            kept.append(period)
    return tuple(kept)


def _numbers(
    value: float, give: float, mode: OperationMode | None, phases: int, socket: Socket, unit: RateUnit
) -> ScheduleUpdate:
    """What a period of that mode may say (`profile_rules`)."""
    if mode is OperationMode.IDLE:
        return ScheduleUpdate()
    limit = _told(value, phases, socket, unit)
    if mode not in DISCHARGING:
        return ScheduleUpdate(limit=limit)
    discharge = _told(give, phases, socket, unit)
    if mode is not OperationMode.CENTRAL_SETPOINT:
        return ScheduleUpdate(limit=limit, discharge_limit=-discharge)
    setpoint = -discharge if discharge > 0 else limit
    return ScheduleUpdate(limit=limit, discharge_limit=-discharge, setpoint=setpoint)


def _told(value_a: float, phases: int, socket: Socket, unit: RateUnit) -> float:
    """In the profile's unit, rounded down: to 0.1 A, to 1 W."""
    if unit is RateUnit.W:
        return max(0.0, float(int(value_a * w_per_a(socket, phases) + 1e-6)))
    value = value_a * socket.kw_per_a * 1000 / DC_V_MAX if socket.dc else value_a
    return max(0.0, round(rounded_down(value), 1))


def read(profile: ChargingProfile, socket: Socket, phases: int | None, received: datetime | None = None) -> Steps:
    """What a profile allows at most, A per phase that the outlet could draw.

    After its end a profile of a transaction counts for nothing (the default does), any other is no limit.

    Args:
        profile: As a station holds it.
        socket: Where.
        phases: How many the car uses for certain; None: not known: W may all flow on one.
        received: When the station got it, for one that begins then.
    """
    schedule = profile.schedules[0]
    factor = per_a(schedule.unit, socket, phases)
    values = [_import_of(period) / factor for period in schedule.periods]
    start_at = schedule.start_at or received
    if start_at is None or profile.kind not in (ProfileKind.ABSOLUTE, ProfileKind.DYNAMIC):
        pairs = [(0.0, max(values))]
        start_at = start_at or profile.valid_from
    else:
        begin = start_at.timestamp()
        pairs = [(begin + period.start_s, value) for period, value in zip(schedule.periods, values, strict=True)]
    ends = [] if profile.valid_to is None else [profile.valid_to.timestamp()]
    if schedule.duration_s is not None and start_at is not None:
        ends.append(start_at.timestamp() + schedule.duration_s)
    if ends:
        after = 0.0 if profile.purpose is ProfilePurpose.TX else INF
        pairs = [*(pair for pair in pairs if pair[0] < min(ends)), (min(ends), after)]
    return simplified(pairs)


def gives(profile: ChargingProfile, socket: Socket, phases: int | None) -> Steps:
    """What a profile lets a car give back at most, A per phase."""
    schedule = profile.schedules[0]
    factor = per_a(schedule.unit, socket, phases)
    lowest = min(min(0.0, period.discharge_limit or 0.0, period.setpoint or 0.0) for period in schedule.periods)
    return constant(-lowest / factor)


def per_a(unit: RateUnit, socket: Socket, phases: int | None) -> float:
    """How much of the unit is one A per phase of the outlet, at the worst."""
    if socket.dc:
        return socket.kw_per_a * 1000 / (DC_V_MAX if unit is RateUnit.A else 1.0)
    if unit is RateUnit.A:
        return 1.0
    return w_per_a(socket, phases or 1)


def _import_of(period: SchedulePeriod) -> float:
    """What a period lets a car draw: its limit, a setpoint above it not; without any, whatever."""
    if period.operation_mode is OperationMode.IDLE:
        return 0.0
    numbers = [value for value in (period.limit, period.limit_l2, period.limit_l3) if value is not None]
    if numbers:
        return max(0.0, *numbers)
    return INF if period.setpoint is None else max(0.0, period.setpoint)


def backdated(now: datetime, by_s: float) -> datetime:
    """When a schedule begins that is to count now: a full second, a while ago."""
    return now.replace(microsecond=0) - timedelta(seconds=by_s)
