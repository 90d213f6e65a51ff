"""Charging profiles on the wire: ChargingProfileType and all below it, both ways. OCPP 2.1 part 2, block K.

Translates; never decides, never remembers. What 2.0.1 does not have, it is not told: NotExpressible names it.
"""

from typing import Any

from engine.model.charging_profiles import (
    NUMBERS,
    ChargingProfile,
    ChargingSchedule,
    FrequencyPoint,
    LimitAtSoc,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    Recurrency,
    SchedulePeriod,
    ScheduleUpdate,
    SignalPoint,
)
from engine.ocpp import times
from engine.ocpp.translation import NotExpressible, Payload
from engine.ocpp.v2 import limits
from engine.ocpp.versions import Version

_WIRE_NUMBERS = {
    name: {
        "limit": "limit",
        "discharge_limit": "dischargeLimit",
        "setpoint": "setpoint",
        "setpoint_reactive": "setpointReactive",
    }[name.removesuffix("_l2").removesuffix("_l3")]
    + {"_l2": "_L2", "_l3": "_L3"}.get(name[-3:], "")
    for name in NUMBERS
}
"""Number of a period -> its name on the wire, e.g. setpoint_l2 -> setpoint_L2."""

_PURPOSES_201 = frozenset(
    {ProfilePurpose.STATION_MAX, ProfilePurpose.TX_DEFAULT, ProfilePurpose.TX, ProfilePurpose.EXTERNAL}
)
_PROFILE_201 = frozenset(
    {
        "id",
        "stack_level",
        "purpose",
        "kind",
        "schedules",
        "recurrency",
        "valid_from",
        "valid_to",
        "transaction_id",
    }
)
_SCHEDULE_201 = frozenset({"unit", "periods", "id", "start_at", "duration_s", "rate_min", "sales_tariff"})
_PERIOD_201 = frozenset({"start_s", "limit", "phases", "phase_to_use", "operation_mode"})

_SCHEDULE_FIELDS = (
    ("duration_s", "duration"),
    ("rate_min", "minChargingRate"),
    ("power_tolerance", "powerTolerance"),
    ("signature_id", "signatureId"),
    ("digest", "digestValue"),
    ("local_time", "useLocalTime"),
    ("randomized_delay_s", "randomizedDelay"),
    ("sales_tariff", "salesTariff"),
    ("absolute_prices", "absolutePriceSchedule"),
    ("price_levels", "priceLevelSchedule"),
)
"""Fields of a schedule that are written as they are."""
_PERIOD_FIELDS = (
    ("phases", "numberPhases"),
    ("phase_to_use", "phaseToUse"),
    ("preconditioning", "preconditioningRequest"),
    ("evse_sleep", "evseSleep"),
    ("v2x_baseline_w", "v2xBaseline"),
)
_PROFILE_FIELDS = (
    ("offline_s_max", "maxOfflineDuration"),
    ("invalid_after_offline", "invalidAfterOfflineDuration"),
    ("dynamic_interval_s", "dynUpdateInterval"),
    ("price_signature", "priceScheduleSignature"),
)
_PROFILE_TIMES = (("valid_from", "validFrom"), ("valid_to", "validTo"), ("dynamic_at", "dynUpdateTime"))
_FLOATS = frozenset({"rate_min", "power_tolerance", "v2x_baseline_w"})


def payload_from_profile(profile: ChargingProfile, version: Version) -> Payload:
    """A ChargingProfileType. A schedule without an id gets the profile's (the next ones count on).

    Raises:
        NotExpressible: This version cannot say something of it.
    """
    require_purpose(profile.purpose, version)
    if version is Version.V201:
        _refuse_newer(profile, _PROFILE_201, "a profile")
        if profile.kind is ProfileKind.DYNAMIC:
            raise NotExpressible("OCPP 2.0.1 has no Dynamic profiles: use Absolute and send it anew")
    payload: Payload = {
        "id": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": profile.purpose.value,
        "chargingProfileKind": profile.kind.value,
        "chargingSchedule": [
            _payload_from_schedule(schedule, profile.id + index, version)
            for index, schedule in enumerate(profile.schedules)
        ],
    }
    if profile.recurrency is not None:
        payload["recurrencyKind"] = profile.recurrency.value
    if profile.transaction_id is not None:
        length_max = limits.TRANSACTION_ID_LENGTH_MAX
        payload["transactionId"] = limits.require_length(profile.transaction_id, length_max, "a transactionId", version)
    for name, wire in _PROFILE_TIMES:
        at = getattr(profile, name)
        if at is not None:
            payload[wire] = times.format(at)
    return _with_fields(payload, profile, _PROFILE_FIELDS)


def profile_from_payload(payload: Payload) -> ChargingProfile:
    """A ChargingProfileType as a station tells it."""
    recurrency = payload.get("recurrencyKind")
    rest: dict[str, Any] = {name: payload.get(wire) for name, wire in _PROFILE_FIELDS}
    rest |= {name: times.parse(payload.get(wire)) for name, wire in _PROFILE_TIMES}
    return ChargingProfile(
        id=payload["id"],
        stack_level=payload["stackLevel"],
        purpose=ProfilePurpose(payload["chargingProfilePurpose"]),
        kind=ProfileKind(payload["chargingProfileKind"]),
        schedules=tuple(schedule_from_payload(each) for each in payload["chargingSchedule"]),
        recurrency=None if recurrency is None else Recurrency(recurrency),
        transaction_id=payload.get("transactionId") or None,
        **rest,
    )


def schedule_from_payload(payload: Payload) -> ChargingSchedule:
    """A ChargingScheduleType as a station tells it."""
    at_soc = payload.get("limitAtSoC")
    return ChargingSchedule(
        unit=RateUnit(payload["chargingRateUnit"]),
        periods=periods_from_payload(payload["chargingSchedulePeriod"]),
        id=payload["id"],
        start_at=times.parse(payload.get("startSchedule")),
        limit_at_soc=None if at_soc is None else LimitAtSoc(at_soc["soc"], float(at_soc["limit"])),
        **_read_fields(payload, _SCHEDULE_FIELDS),
    )


def periods_from_payload(payloads: list[Payload]) -> tuple[SchedulePeriod, ...]:
    """The periods of a schedule, composite or not, as a station tells them."""
    return tuple(_period_from_payload(each) for each in payloads)


def payload_from_update(update: ScheduleUpdate) -> Payload:
    """A ChargingScheduleUpdateType."""
    return {wire: value for name, wire in _WIRE_NUMBERS.items() if (value := getattr(update, name)) is not None}


def require_purpose(purpose: ProfilePurpose, version: Version) -> str:
    """The purpose's name, when this version has it.

    Raises:
        NotExpressible: It has not.
    """
    if version is Version.V201 and purpose not in _PURPOSES_201:
        raise NotExpressible(f"OCPP 2.0.1 has no profiles for {purpose}: use TxDefaultProfile or TxProfile")
    return purpose.value


def _payload_from_schedule(schedule: ChargingSchedule, default_id: int, version: Version) -> Payload:
    if version is Version.V201:
        _refuse_newer(schedule, _SCHEDULE_201, "a schedule")
    payload: Payload = {
        "id": default_id if schedule.id is None else schedule.id,
        "chargingRateUnit": schedule.unit.value,
        "chargingSchedulePeriod": [_payload_from_period(period, version) for period in schedule.periods],
    }
    if schedule.start_at is not None:
        payload["startSchedule"] = times.format(schedule.start_at)
    if schedule.limit_at_soc is not None:
        payload["limitAtSoC"] = {"soc": schedule.limit_at_soc.soc_percent, "limit": schedule.limit_at_soc.limit}
    return _with_fields(payload, schedule, _SCHEDULE_FIELDS)


def _payload_from_period(period: SchedulePeriod, version: Version) -> Payload:
    mode = period.operation_mode
    if version is Version.V201:
        _refuse_newer(period, _PERIOD_201, "a period")
        if mode not in (None, OperationMode.CHARGING_ONLY):
            raise NotExpressible(f"OCPP 2.0.1 only charges, it has no operation mode {mode}")
        if period.limit is None:
            raise NotExpressible("OCPP 2.0.1 wants a limit in each period: name it")
        mode = None
    payload: Payload = {"startPeriod": period.start_s, **payload_from_update(period)}
    if mode is not None:
        payload["operationMode"] = mode.value
    if period.frequency_curve:
        payload["v2xFreqWattCurve"] = [
            {"frequency": point.frequency_hz, "power": point.power_w} for point in period.frequency_curve
        ]
    if period.signal_curve:
        payload["v2xSignalWattCurve"] = [
            {"signal": point.signal, "power": point.power_w} for point in period.signal_curve
        ]
    return _with_fields(payload, period, _PERIOD_FIELDS)


def _period_from_payload(payload: Payload) -> SchedulePeriod:
    mode = payload.get("operationMode")
    rest = _read_fields(payload, _PERIOD_FIELDS)
    rest |= {name: float(payload[wire]) for name, wire in _WIRE_NUMBERS.items() if wire in payload}
    return SchedulePeriod(
        start_s=payload["startPeriod"],
        operation_mode=None if mode is None else OperationMode(mode),
        frequency_curve=tuple(
            FrequencyPoint(float(point["frequency"]), float(point["power"]))
            for point in payload.get("v2xFreqWattCurve") or ()
        ),
        signal_curve=tuple(
            SignalPoint(point["signal"], float(point["power"])) for point in payload.get("v2xSignalWattCurve") or ()
        ),
        **rest,
    )


def _with_fields(payload: Payload, word: Any, fields: tuple[tuple[str, str], ...]) -> Payload:
    for name, wire in fields:
        value = getattr(word, name)
        if value is not None:
            payload[wire] = value
    return payload


def _read_fields(payload: Payload, fields: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The fields that are there, by the words' names; decimals as floats."""
    found = {name: payload[wire] for name, wire in fields if payload.get(wire) is not None}
    return {name: float(value) if name in _FLOATS else value for name, value in found.items()}


def _refuse_newer(word: ChargingProfile | ChargingSchedule | SchedulePeriod, known: frozenset[str], what: str) -> None:
    """Raises NotExpressible."""
    for name in word.__struct_fields__:
        if name not in known and getattr(word, name) not in (None, ()):
            raise NotExpressible(f"OCPP 2.0.1 cannot say {name} of {what}, 2.1 can: leave it out")
