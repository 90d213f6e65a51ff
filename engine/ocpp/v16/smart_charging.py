"""Smart charging in 1.6: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule. Sections 3.13, 5.5, 5.7, 5.16.

Translates; never decides, never remembers. A schedule of 1.6 is limits in A or W with one decimal, in three purposes;
everything else of a profile is newer.
"""

import math

from engine.model.charging_profiles import (
    ChargingProfile,
    ChargingSchedule,
    OperationMode,
    ProfileKind,
    ProfilePurpose,
    RateUnit,
    SchedulePeriod,
)
from engine.model.commands import Outcome
from engine.model.ids import EvseRef
from engine.model.smart_charging import (
    ClearChargingProfile,
    CompositeSchedule,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.ocpp import outcomes, times
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload
from engine.ocpp.v16.connectors import connector_id
from engine.ocpp.versions import Version

BLOCK = "smart_charging"

_PURPOSES = {
    ProfilePurpose.STATION_MAX: "ChargePointMaxProfile",
    ProfilePurpose.TX_DEFAULT: "TxDefaultProfile",
    ProfilePurpose.TX: "TxProfile",
}
_KINDS = frozenset({ProfileKind.ABSOLUTE, ProfileKind.RECURRING, ProfileKind.RELATIVE})
_PERIOD_FIELDS = frozenset({"start_s", "limit", "phases"})
_SCHEDULE_FIELDS = frozenset({"unit", "periods", "id", "start_at", "duration_s", "rate_min"})
_PROFILE_FIELDS = frozenset(
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


def set_charging_profile_from_command(command: SetChargingProfile, _version: Version) -> tuple[str, Payload]:
    """Installs a profile at a connector, 0: the station.

    Raises:
        NotExpressible: 1.6 cannot say something of it.
    """
    return "SetChargingProfile", {
        "connectorId": connector_id(EvseRef(evse=command.evse)),
        "csChargingProfiles": charging_profile_payload(command.profile),
    }


def charging_profile_payload(profile: ChargingProfile) -> Payload:
    """A ChargingProfile of 1.6 (section 7.8); remote starts carry it, too.

    Raises:
        NotExpressible: 1.6 cannot say something of it.
    """
    _refuse_newer(profile, _PROFILE_FIELDS, "a profile")
    if profile.kind not in _KINDS:
        raise NotExpressible(f"OCPP 1.6 has no profiles of kind {profile.kind}: use Absolute, Recurring or Relative")
    if len(profile.schedules) != 1:
        raise NotExpressible(f"OCPP 1.6 holds one schedule in a profile, this one has {len(profile.schedules)}")
    payload: Payload = {
        "chargingProfileId": profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": _purpose(profile.purpose),
        "chargingProfileKind": profile.kind.value,
        "chargingSchedule": _schedule_payload(profile.schedules[0]),
    }
    if profile.transaction_id is not None:
        payload["transactionId"] = _transaction_number(profile.transaction_id)
    if profile.recurrency is not None:
        payload["recurrencyKind"] = profile.recurrency.value
    if profile.valid_from is not None:
        payload["validFrom"] = times.format(profile.valid_from)
    if profile.valid_to is not None:
        payload["validTo"] = times.format(profile.valid_to)
    return payload


def clear_charging_profile_from_command(command: ClearChargingProfile, _version: Version) -> tuple[str, Payload]:
    """Removes what fits; with nothing said, all (section 5.5).

    Raises:
        NotExpressible: 1.6 does not know the purpose.
    """
    payload: Payload = {}
    if command.profile_id is not None:
        payload["id"] = command.profile_id
    if command.evse is not None:
        payload["connectorId"] = connector_id(EvseRef(evse=command.evse))
    if command.purpose is not None:
        payload["chargingProfilePurpose"] = _purpose(command.purpose)
    if command.stack_level is not None:
        payload["stackLevel"] = command.stack_level
    return "ClearChargingProfile", payload


def get_composite_schedule_from_command(command: GetCompositeSchedule, _version: Version) -> tuple[str, Payload]:
    """Asks what all profiles come to; connector 0: what is drawn from the grid (section 5.7)."""
    payload: Payload = {
        "connectorId": connector_id(EvseRef(evse=command.evse)),
        "duration": command.duration_s,
    }
    if command.unit is not None:
        payload["chargingRateUnit"] = command.unit.value
    return "GetCompositeSchedule", payload


def outcome_from_get_composite_schedule_conf(payload: Payload, version: Version) -> Outcome:
    """The schedule; an answer without one is a yes that tells nothing."""
    outcome = outcomes.from_status_field(payload, version)
    schedule = payload.get("chargingSchedule")
    if schedule is None:
        return outcome
    told = CompositeSchedule(
        evse=payload.get("connectorId"),
        unit=RateUnit(schedule["chargingRateUnit"]),
        periods=tuple(_period(each) for each in schedule["chargingSchedulePeriod"]),
        start_at=times.parse(payload.get("scheduleStart")) or times.parse(schedule.get("startSchedule")),
        duration_s=schedule.get("duration"),
        rate_min=_number(schedule.get("minChargingRate")),
    )
    return Outcome(outcome.result, outcome.status, outcome.detail, outcome.payload, found=told)


def no_report(_command: GetChargingProfiles, _version: Version) -> tuple[str, Payload]:
    """1.6 stations do not report their profiles."""
    raise NotExpressible("OCPP 1.6 does not report profiles: ask for what they come to, with GetCompositeSchedule")


def no_dynamic(_command: UpdateDynamicSchedule, _version: Version) -> tuple[str, Payload]:
    """1.6 has no dynamic profiles."""
    raise NotExpressible("OCPP 1.6 has no dynamic profiles: send the whole profile anew, with SetChargingProfile")


def no_priority(_command: UsePriorityCharging, _version: Version) -> tuple[str, Payload]:
    """1.6 has no priority charging."""
    raise NotExpressible("OCPP 1.6 has no priority charging: set a TxProfile of a higher stack level instead")


def _schedule_payload(schedule: ChargingSchedule) -> Payload:
    _refuse_newer(schedule, _SCHEDULE_FIELDS, "a schedule")
    payload: Payload = {
        "chargingRateUnit": schedule.unit.value,
        "chargingSchedulePeriod": [_period_payload(period) for period in schedule.periods],
    }
    if schedule.duration_s is not None:
        payload["duration"] = schedule.duration_s
    if schedule.start_at is not None:
        payload["startSchedule"] = times.format(schedule.start_at)
    if schedule.rate_min is not None:
        payload["minChargingRate"] = _one_decimal(schedule.rate_min, "a minChargingRate")
    return payload


def _period_payload(period: SchedulePeriod) -> Payload:
    if period.operation_mode not in (None, OperationMode.CHARGING_ONLY):
        raise NotExpressible(f"OCPP 1.6 only charges, it has no operation mode {period.operation_mode}")
    _refuse_newer(period, _PERIOD_FIELDS | {"operation_mode"}, "a period")
    if period.limit is None:
        raise NotExpressible("OCPP 1.6 wants a limit in each period: name it")
    payload: Payload = {"startPeriod": period.start_s, "limit": _one_decimal(period.limit, "a limit")}
    if period.phases is not None:
        payload["numberPhases"] = period.phases
    return payload


def _period(payload: Payload) -> SchedulePeriod:
    return SchedulePeriod(
        start_s=payload["startPeriod"], limit=float(payload["limit"]), phases=payload.get("numberPhases")
    )


def _refuse_newer(word: ChargingProfile | ChargingSchedule | SchedulePeriod, known: frozenset[str], what: str) -> None:
    """Raises NotExpressible."""
    for name in word.__struct_fields__:
        if name not in known and getattr(word, name) not in (None, ()):
            raise NotExpressible(f"OCPP 1.6 cannot say {name} of {what}: leave it out")


def _purpose(purpose: ProfilePurpose) -> str:
    known = _PURPOSES.get(purpose)
    if known is None:
        names = ", ".join(each.value for each in _PURPOSES)
        raise NotExpressible(f"OCPP 1.6 has no profiles for {purpose}: use one of {names}")
    return known


def _transaction_number(transaction_id: str) -> int:
    try:
        return int(transaction_id)
    except ValueError:
        raise NotExpressible(f"OCPP 1.6 names transactions by number; {transaction_id[:50]!r} is none") from None


def _one_decimal(value: float, what: str) -> float:
    """The value itself, when it has one decimal (the schema's multipleOf 0.1). Raises NotExpressible."""
    nearest = round(value, 1)
    if not math.isclose(value, nearest, rel_tol=0, abs_tol=1e-9):
        raise NotExpressible(f"OCPP 1.6 holds one decimal in {what}, {value:g} has more: use {nearest:g}")
    return nearest


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


FROM_CSMS = (
    CsmsCall(action="SetChargingProfile", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="ClearChargingProfile", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetCompositeSchedule", block=BLOCK, outcome=outcome_from_get_composite_schedule_conf),
)
COMMANDS = (
    CommandTranslator(command=SetChargingProfile, call=set_charging_profile_from_command),
    CommandTranslator(command=ClearChargingProfile, call=clear_charging_profile_from_command),
    CommandTranslator(command=GetCompositeSchedule, call=get_composite_schedule_from_command),
    CommandTranslator(command=GetChargingProfiles, call=no_report),
    CommandTranslator(command=UpdateDynamicSchedule, call=no_dynamic),
    CommandTranslator(command=UsePriorityCharging, call=no_priority),
)
