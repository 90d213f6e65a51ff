"""Smart charging in 2.0.1 and 2.1: profiles set, cleared, reported; limits, needs and schedules told. OCPP 2.1 block K.

Translates; never decides, never remembers. The profiles themselves are `charging_profiles`.
"""

from typing import Any

from engine.model.charging_profiles import RateUnit
from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.model.smart_charging import (
    AcNeeds,
    ChargingNoted,
    ClearChargingProfile,
    CompositeSchedule,
    DcNeeds,
    DynamicUpdateAnswer,
    DynamicUpdatePulled,
    EvNeeds,
    EvScheduleAnswer,
    EvScheduleReported,
    GetChargingProfiles,
    GetCompositeSchedule,
    LimitReleaseReported,
    LimitReported,
    NeedsAnswer,
    NeedsReported,
    NeedsVerdict,
    PriorityReported,
    ProfilesReported,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
    V2xNeeds,
)
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import charging_profiles, limits
from engine.ocpp.versions import Version

BLOCK = "smart_charging"

_SOURCES_201 = frozenset({"EMS", "Other", "SO", "CSO"})

_V2X_FIELDS = {
    "charge_w_min": "minChargePower",
    "charge_w_min_l2": "minChargePower_L2",
    "charge_w_min_l3": "minChargePower_L3",
    "charge_w_max": "maxChargePower",
    "charge_w_max_l2": "maxChargePower_L2",
    "charge_w_max_l3": "maxChargePower_L3",
    "discharge_w_min": "minDischargePower",
    "discharge_w_min_l2": "minDischargePower_L2",
    "discharge_w_min_l3": "minDischargePower_L3",
    "discharge_w_max": "maxDischargePower",
    "discharge_w_max_l2": "maxDischargePower_L2",
    "discharge_w_max_l3": "maxDischargePower_L3",
    "charge_a_min": "minChargeCurrent",
    "charge_a_max": "maxChargeCurrent",
    "discharge_a_min": "minDischargeCurrent",
    "discharge_a_max": "maxDischargeCurrent",
    "voltage_v_min": "minVoltage",
    "voltage_v_max": "maxVoltage",
    "energy_target_wh": "evTargetEnergyRequest",
    "energy_wh_min": "evMinEnergyRequest",
    "energy_wh_max": "evMaxEnergyRequest",
    "energy_v2x_wh_min": "evMinV2XEnergyRequest",
    "energy_v2x_wh_max": "evMaxV2XEnergyRequest",
    "soc_target_percent": "targetSoC",
}
"""Field of `V2xNeeds` -> its name on the wire."""
_DC_FIELDS = {
    "current_a_max": "evMaxCurrent",
    "voltage_v_max": "evMaxVoltage",
    "energy_wh": "energyAmount",
    "power_w_max": "evMaxPower",
    "capacity_wh": "evEnergyCapacity",
    "soc_percent": "stateOfCharge",
    "soc_full_percent": "fullSoC",
    "soc_bulk_percent": "bulkSoC",
}
_INTEGERS = frozenset({"soc_percent", "soc_full_percent", "soc_bulk_percent", "soc_target_percent"})

_NEEDS_STATUS = {
    NeedsVerdict.ACCEPTED: "Accepted",
    NeedsVerdict.PROCESSING: "Processing",
    NeedsVerdict.NO_PROFILE: "NoChargingProfile",
    NeedsVerdict.REFUSED: "Rejected",
}


def set_charging_profile_from_command(command: SetChargingProfile, version: Version) -> tuple[str, Payload]:
    """Installs a profile at an EVSE, 0: the station.

    Raises:
        NotExpressible: This version cannot say something of it.
    """
    profile = charging_profiles.payload_from_profile(command.profile, version)
    return "SetChargingProfile", {"evseId": command.evse, "chargingProfile": profile}


def clear_charging_profile_from_command(command: ClearChargingProfile, version: Version) -> tuple[str, Payload]:
    """Removes the profile of an id, or those that fit.

    Raises:
        NotExpressible: It names nothing (K10.FR.02), or a purpose that this version does not have.
    """
    payload: Payload = {}
    if command.profile_id is not None:
        payload["chargingProfileId"] = command.profile_id
    criteria = _criteria(command.purpose, command.stack_level, version)
    if command.evse is not None:
        criteria["evseId"] = command.evse
    if criteria:
        payload["chargingProfileCriteria"] = criteria
    if not payload:
        raise NotExpressible(
            f"OCPP {version} clears what is named (K10.FR.02): name a profile_id, an evse, a purpose or a stack_level"
        )
    return "ClearChargingProfile", payload


def get_charging_profiles_from_command(command: GetChargingProfiles, version: Version) -> tuple[str, Payload]:
    """Asks for a report of what is installed.

    Raises:
        NotExpressible: It has no request id, or a purpose or source that this version does not have.
    """
    if command.request_id is None:
        raise NotExpressible(f"OCPP {version} reports profiles under a requestId: give request_id")
    criteria = _criteria(command.purpose, command.stack_level, version)
    if command.profile_ids:
        criteria["chargingProfileId"] = list(command.profile_ids)
    if command.sources:
        unknown = sorted(set(command.sources) - _SOURCES_201) if version is Version.V201 else []
        if unknown:
            raise NotExpressible(f"OCPP 2.0.1 has no limit source {unknown[0]!r}: use EMS, SO, CSO or Other")
        criteria["chargingLimitSource"] = list(command.sources)
    payload: Payload = {"requestId": command.request_id, "chargingProfile": criteria}
    if command.evse is not None:
        payload["evseId"] = command.evse
    return "GetChargingProfiles", payload


def get_composite_schedule_from_command(command: GetCompositeSchedule, _version: Version) -> tuple[str, Payload]:
    """Asks what all profiles come to."""
    payload: Payload = {"evseId": command.evse, "duration": command.duration_s}
    if command.unit is not None:
        payload["chargingRateUnit"] = command.unit.value
    return "GetCompositeSchedule", payload


def outcome_from_get_composite_schedule_response(payload: Payload, version: Version) -> Outcome:
    """The schedule; a yes without one tells nothing."""
    outcome = outcomes.from_status_field(payload, version)
    schedule = payload.get("schedule")
    if schedule is None:
        return outcome
    told = CompositeSchedule(
        evse=schedule["evseId"],
        unit=RateUnit(schedule["chargingRateUnit"]),
        periods=charging_profiles.periods_from_payload(schedule["chargingSchedulePeriod"]),
        start_at=times.parse(schedule["scheduleStart"]),
        duration_s=schedule["duration"],
    )
    return Outcome(outcome.result, outcome.status, outcome.detail, outcome.payload, found=told)


def update_dynamic_schedule_from_command(command: UpdateDynamicSchedule, version: Version) -> tuple[str, Payload]:
    """New numbers for a dynamic profile.

    Raises:
        NotExpressible: 2.0.1 has no dynamic profiles.
    """
    _require_21(version, "dynamic profiles", "send the whole profile anew with SetChargingProfile")
    update = charging_profiles.payload_from_update(command.update)
    return "UpdateDynamicSchedule", {"chargingProfileId": command.profile_id, "scheduleUpdate": update}


def use_priority_charging_from_command(command: UsePriorityCharging, version: Version) -> tuple[str, Payload]:
    """Priority on or off.

    Raises:
        NotExpressible: 2.0.1 has no priority charging, or the transaction's id is too long.
    """
    _require_21(version, "priority charging", "set a TxProfile of a higher stack level instead")
    length_max = limits.TRANSACTION_ID_LENGTH_MAX
    transaction_id = limits.require_length(command.transaction_id, length_max, "a transactionId", version)
    return "UsePriorityCharging", {"transactionId": transaction_id, "activate": command.activate}


def report_from_report_charging_profiles(payload: Payload, _version: Version) -> ProfilesReported:
    """One part of a report; `tbc` left out means the last (ocpp.md 65)."""
    return ProfilesReported(
        request_id=payload["requestId"],
        evse=payload["evseId"],
        source=payload["chargingLimitSource"],
        profiles=tuple(charging_profiles.profile_from_payload(each) for each in payload["chargingProfile"]),
        more=payload.get("tbc") or False,
    )


def report_from_notify_charging_limit(payload: Payload, _version: Version) -> LimitReported:
    """A limit from somewhere else."""
    limit = payload["chargingLimit"]
    schedules = payload.get("chargingSchedule") or ()
    return LimitReported(
        source=limit["chargingLimitSource"],
        evse=payload.get("evseId"),
        grid_critical=limit.get("isGridCritical"),
        local_generation=limit.get("isLocalGeneration"),
        schedules=tuple(charging_profiles.schedule_from_payload(each) for each in schedules),
    )


def report_from_cleared_charging_limit(payload: Payload, _version: Version) -> LimitReleaseReported:
    """That limit is gone."""
    return LimitReleaseReported(source=payload["chargingLimitSource"], evse=payload.get("evseId"))


def report_from_notify_ev_charging_needs(payload: Payload, _version: Version) -> NeedsReported:
    """What a car needs."""
    return NeedsReported(
        evse=payload["evseId"],
        needs=_needs(payload["chargingNeeds"]),
        periods_max=payload.get("maxScheduleTuples"),
        at=times.parse(payload.get("timestamp")),
    )


def notify_ev_charging_needs_response(answer: Answer, version: Version) -> Payload:
    """The verdict.

    2.1 has a word for no profile. Its Rejected refuses the energy transfer and so ends the session (stoppedReason
    ReqEnergyTransferRejected); in 2.0.1 Rejected only says that no profile comes.
    """
    verdict = expected(NeedsAnswer, answer, "NotifyEVChargingNeeds").verdict
    if version is Version.V201 and verdict is NeedsVerdict.NO_PROFILE:
        return {"status": "Rejected"}
    return {"status": _NEEDS_STATUS[verdict]}


def report_from_notify_ev_charging_schedule(payload: Payload, _version: Version) -> EvScheduleReported:
    """How the car is going to charge."""
    return EvScheduleReported(
        evse=payload["evseId"],
        time_base_at=times.parse(payload["timeBase"]),
        schedule=charging_profiles.schedule_from_payload(payload["chargingSchedule"]),
        selected_id=payload.get("selectedChargingScheduleId"),
        tolerance_accepted=payload.get("powerToleranceAcceptance"),
    )


def notify_ev_charging_schedule_response(answer: Answer, _version: Version) -> Payload:
    """Whether it stays within its limits (K15.FR.11, 12)."""
    within = expected(EvScheduleAnswer, answer, "NotifyEVChargingSchedule").within
    return {"status": "Accepted" if within else "Rejected"}


def report_from_notify_priority_charging(payload: Payload, _version: Version) -> PriorityReported:
    """Priority went on or off."""
    return PriorityReported(transaction_id=payload["transactionId"], active=payload["activated"])


def report_from_pull_dynamic_schedule_update(payload: Payload, _version: Version) -> DynamicUpdatePulled:
    """The station asks for numbers."""
    return DynamicUpdatePulled(profile_id=payload["chargingProfileId"])


def pull_dynamic_schedule_update_response(answer: Answer, _version: Version) -> Payload:
    """The numbers, or that there are none (K28.FR.07, 12)."""
    update = expected(DynamicUpdateAnswer, answer, "PullDynamicScheduleUpdate").update
    if update is None:
        return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}
    return {"status": "Accepted", "scheduleUpdate": charging_profiles.payload_from_update(update)}


def noted_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(ChargingNoted, answer, "a smart charging message")
    return {}


def _criteria(purpose: Any, stack_level: int | None, version: Version) -> Payload:
    criteria: Payload = {}
    if purpose is not None:
        criteria["chargingProfilePurpose"] = charging_profiles.require_purpose(purpose, version)
    if stack_level is not None:
        criteria["stackLevel"] = stack_level
    return criteria


def _require_21(version: Version, what: str, instead: str) -> None:
    """Raises NotExpressible."""
    if version is Version.V201:
        raise NotExpressible(f"OCPP 2.0.1 has no {what}, 2.1 has: {instead}")


def _needs(payload: Payload) -> EvNeeds:
    ac, dc, v2x = (payload.get(f"{kind}ChargingParameters") for kind in ("ac", "dc", "v2x"))
    return EvNeeds(
        energy_transfer=payload["requestedEnergyTransfer"],
        energy_transfers=tuple(payload.get("availableEnergyTransfer") or ()),
        departure_at=times.parse(payload.get("departureTime")),
        ac=None if ac is None else _ac_needs(ac),
        dc=None if dc is None else DcNeeds(**_numbers(dc, _DC_FIELDS)),
        v2x=None if v2x is None else V2xNeeds(**_numbers(v2x, _V2X_FIELDS)),
        control_mode=payload.get("controlMode"),
        mobility_needs_mode=payload.get("mobilityNeedsMode"),
        der=payload.get("derChargingParameters"),
        offer=payload.get("evEnergyOffer"),
    )


def _ac_needs(payload: Payload) -> AcNeeds:
    return AcNeeds(
        energy_wh=float(payload["energyAmount"]),
        current_a_min=float(payload["evMinCurrent"]),
        current_a_max=float(payload["evMaxCurrent"]),
        voltage_v_max=float(payload["evMaxVoltage"]),
    )


def _numbers(payload: Payload, fields: dict[str, str]) -> dict[str, Any]:
    """What is said of these fields, by the words' names."""
    found = {name: payload[wire] for name, wire in fields.items() if payload.get(wire) is not None}
    return {name: value if name in _INTEGERS else float(value) for name, value in found.items()}


FROM_STATION = (
    StationCall(
        action="ReportChargingProfiles",
        block=BLOCK,
        report=report_from_report_charging_profiles,
        response=noted_response,
    ),
    StationCall(
        action="NotifyChargingLimit", block=BLOCK, report=report_from_notify_charging_limit, response=noted_response
    ),
    StationCall(
        action="ClearedChargingLimit", block=BLOCK, report=report_from_cleared_charging_limit, response=noted_response
    ),
    StationCall(
        action="NotifyEVChargingNeeds",
        block=BLOCK,
        report=report_from_notify_ev_charging_needs,
        response=notify_ev_charging_needs_response,
    ),
    StationCall(
        action="NotifyEVChargingSchedule",
        block=BLOCK,
        report=report_from_notify_ev_charging_schedule,
        response=notify_ev_charging_schedule_response,
    ),
)
"""Both versions."""
FROM_STATION_21 = (
    StationCall(
        action="NotifyPriorityCharging",
        block=BLOCK,
        report=report_from_notify_priority_charging,
        response=noted_response,
    ),
    StationCall(
        action="PullDynamicScheduleUpdate",
        block=BLOCK,
        report=report_from_pull_dynamic_schedule_update,
        response=pull_dynamic_schedule_update_response,
    ),
)
"""New in 2.1."""
FROM_CSMS = (
    CsmsCall(action="SetChargingProfile", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="ClearChargingProfile", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetChargingProfiles", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="GetCompositeSchedule", block=BLOCK, outcome=outcome_from_get_composite_schedule_response),
)
FROM_CSMS_21 = (
    CsmsCall(action="UpdateDynamicSchedule", block=BLOCK, outcome=outcomes.from_status_field),
    CsmsCall(action="UsePriorityCharging", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=SetChargingProfile, call=set_charging_profile_from_command),
    CommandTranslator(command=ClearChargingProfile, call=clear_charging_profile_from_command),
    CommandTranslator(command=GetChargingProfiles, call=get_charging_profiles_from_command),
    CommandTranslator(command=GetCompositeSchedule, call=get_composite_schedule_from_command),
    CommandTranslator(command=UpdateDynamicSchedule, call=update_dynamic_schedule_from_command),
    CommandTranslator(command=UsePriorityCharging, call=use_priority_charging_from_command),
)
