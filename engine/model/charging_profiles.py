"""Charging profiles: the one vocabulary for what a station may draw or must give, and when. OCPP 2.1 block K, 1.6 3.13.

Limits are A per phase or W in all, as the schedule's `unit` says; discharging is negative. None: not said. What a
version cannot say, its translators refuse to say (`NotExpressible`).
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from engine.model.word import Word

PERIODS_MAX = 1024
"""Of one schedule (schema of 2.x)."""
SCHEDULES_MAX = 3
"""Of one profile (schema of 2.x); more than one is for ISO 15118 alone (K01.FR.34)."""


class ProfilePurpose(StrEnum):
    """What a profile is for (2.1 section 3.2). 1.6 knows three: it calls STATION_MAX ChargePointMaxProfile."""

    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    EXTERNAL = "ChargingStationExternalConstraints"
    """Told by stations of what others impose; never ours to set (K01.FR.22)."""
    PRIORITY = "PriorityCharging"
    LOCAL_GENERATION = "LocalGeneration"


class ProfileKind(StrEnum):
    """What the periods' starts are counted from (2.1 section 3.3)."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"
    """2.1: one period that holds from now on and is updated (K28)."""


class Recurrency(StrEnum):
    """How often a recurring schedule begins anew."""

    DAILY = "Daily"
    WEEKLY = "Weekly"


class RateUnit(StrEnum):
    """A: per phase. W: all phases together."""

    A = "A"
    W = "W"


class OperationMode(StrEnum):
    """2.1 section 3.4; none said: CHARGING_ONLY."""

    IDLE = "Idle"
    CHARGING_ONLY = "ChargingOnly"
    CENTRAL_SETPOINT = "CentralSetpoint"
    EXTERNAL_SETPOINT = "ExternalSetpoint"
    EXTERNAL_LIMITS = "ExternalLimits"
    CENTRAL_FREQUENCY = "CentralFrequency"
    LOCAL_FREQUENCY = "LocalFrequency"
    LOCAL_LOAD_BALANCING = "LocalLoadBalancing"


class FrequencyPoint(Word, frozen=True, tag=False):
    """A point of a frequency-watt curve (2.1 Q08)."""

    frequency_hz: float
    power_w: float


class SignalPoint(Word, frozen=True, tag=False):
    """A point of a signal-watt curve, for `AfrrSignal` (2.1 Q08)."""

    signal: int
    power_w: float


class ScheduleUpdate(Word, frozen=True, tag=False):
    """The numbers of a period that a dynamic profile changes without being sent anew (2.1 K28).

    In the unit of the schedule. Without a suffix: of L1, or of all phases where L2 and L3 are not said.
    """

    limit: float | None = None
    limit_l2: float | None = None
    limit_l3: float | None = None
    discharge_limit: float | None = None
    discharge_limit_l2: float | None = None
    discharge_limit_l3: float | None = None
    setpoint: float | None = None
    setpoint_l2: float | None = None
    setpoint_l3: float | None = None
    setpoint_reactive: float | None = None
    setpoint_reactive_l2: float | None = None
    setpoint_reactive_l3: float | None = None


NUMBERS = ScheduleUpdate.__struct_fields__
"""The fields that a period and a `ScheduleUpdate` have in common."""


class SchedulePeriod(ScheduleUpdate, frozen=True, tag=False, kw_only=True):
    """What holds from `start_s` (seconds after the schedule's start) until the next period or the schedule's end.

    `phases` None: 3 on AC (K01.FR.49), never said for DC. `phase_to_use`: 1 to 3, with one phase only (K01.FR.19).
    All but `start_s`, `limit`, `phases` and `phase_to_use` is 2.1.
    """

    start_s: int
    phases: int | None = None
    phase_to_use: int | None = None
    operation_mode: OperationMode | None = None
    preconditioning: bool | None = None
    evse_sleep: bool | None = None
    v2x_baseline_w: float | None = None
    frequency_curve: tuple[FrequencyPoint, ...] = ()
    signal_curve: tuple[SignalPoint, ...] = ()


class LimitAtSoc(Word, frozen=True, tag=False):
    """From this state of charge on, no more than this (2.1 K01.FR.100); in the unit of the schedule."""

    soc_percent: int
    limit: float


class ChargingSchedule(Word, frozen=True, tag=False, kw_only=True):
    """Periods on a time line.

    `id`: 2.x only; None: the profile's own is told. `start_at`: for ABSOLUTE and RECURRING (K01.FR.40); with
    `local_time` the station reads it as its local time, whatever the zone (2.1 K01.FR.90). `duration_s` None: without
    end. `rate_min`: below it charging is inefficient. `randomized_delay_s`: 2.1 K01.FR.92. `sales_tariff` (2.0.1),
    `absolute_prices` and `price_levels` (2.1): for the car (ISO 15118), as OCPP writes them.
    """

    unit: RateUnit
    periods: tuple[SchedulePeriod, ...]
    id: int | None = None
    start_at: datetime | None = None
    duration_s: int | None = None
    rate_min: float | None = None
    local_time: bool | None = None
    randomized_delay_s: int | None = None
    limit_at_soc: LimitAtSoc | None = None
    power_tolerance: float | None = None
    signature_id: int | None = None
    digest: str | None = None
    sales_tariff: dict[str, Any] | None = None
    absolute_prices: dict[str, Any] | None = None
    price_levels: dict[str, Any] | None = None


class ChargingProfile(Word, frozen=True, tag=False, kw_only=True):
    """Schedules, and for what, where and when they count.

    `id`: the same id replaces (K01.FR.05). `stack_level`: of the profiles of one purpose that are valid now the highest
    counts. `transaction_id`: of a TX profile (on 1.6 the number that we gave, as text). 2.1 only: `offline_s_max` (not
    valid while the station is offline for longer), `invalid_after_offline` (nor ever again after that), `dynamic_*`.
    """

    id: int
    stack_level: int
    purpose: ProfilePurpose
    kind: ProfileKind
    schedules: tuple[ChargingSchedule, ...]
    recurrency: Recurrency | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None
    offline_s_max: int | None = None
    invalid_after_offline: bool | None = None
    dynamic_interval_s: int | None = None
    dynamic_at: datetime | None = None
    price_signature: str | None = None
