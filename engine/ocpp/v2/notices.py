"""Notices: every action that the domain does not interpret (yet), both ways, kept verbatim.

Translates; never decides, never remembers. What stations report is answered with what commits us to least: taken note
of where the answer says nothing, a no where a yes would promise something that nobody here does.
"""

from collections.abc import Callable

import orjson

from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.model.notices import NoticeAnswer, StationNotice
from engine.ocpp import outcomes
from engine.ocpp.answers import expected
from engine.ocpp.notices import noted, report_verbatim
from engine.ocpp.translation import CsmsCall, Payload, StationCall
from engine.ocpp.v2 import entries
from engine.ocpp.versions import Version

_NOTHING: Payload = {}
_NO: Payload = {"status": "Rejected"}
_STALE = "1970-01-01T00:00:00.000Z"
"""A nextUpdate that is long past: a certificate status that we do not know must not be kept."""
_NO_HASH: Payload = {"hashAlgorithm": "SHA256", "issuerNameHash": "", "issuerKeyHash": "", "serialNumber": ""}
_NO_CERTIFICATE: Payload = {"certificateHashData": _NO_HASH, "source": "OCSP"}


def notify_ev_charging_needs_response(_answer: Answer, version: Version) -> Payload:
    """No profile will come (K15).

    2.1 has a word for it. Its Rejected would refuse the energy transfer that the EV asked for and so end the session
    (stoppedReason ReqEnergyTransferRejected); in 2.0.1 Rejected only says that nobody plans here.
    """
    return {"status": "NoChargingProfile" if version is Version.V21 else "Rejected"}


def report_from_vat_number_validation(payload: Payload, _version: Version) -> StationNotice:
    """Verbatim; the answer repeats number and EVSE."""
    asked = {name: payload[name] for name in ("vatNumber", "evseId") if name in payload}
    return StationNotice(action="VatNumberValidation", payload=orjson.dumps(payload), echo=orjson.dumps(asked))


def vat_number_validation_response(answer: Answer, _version: Version) -> Payload:
    """Not validated (2.1 block C)."""
    echo = expected(NoticeAnswer, answer, "VatNumberValidation").echo
    asked: Payload = {"vatNumber": ""} if echo is None else orjson.loads(echo)
    return {**asked, "status": "Rejected"}


def report_from_get_certificate_chain_status(payload: Payload, _version: Version) -> StationNotice:
    """Verbatim; the answer repeats which certificates and where their status should come from."""
    asked = [
        {name: request[name] for name in ("certificateHashData", "source")}
        for request in payload["certificateStatusRequests"]
    ]
    return StationNotice(action="GetCertificateChainStatus", payload=orjson.dumps(payload), echo=orjson.dumps(asked))


def get_certificate_chain_status_response(answer: Answer, _version: Version) -> Payload:
    """No status of any of them from here (2.1 block M)."""
    echo = expected(NoticeAnswer, answer, "GetCertificateChainStatus").echo
    asked: list[Payload] = [_NO_CERTIFICATE] if echo is None else orjson.loads(echo)
    return {"certificateStatus": [{**each, "status": "Failed", "nextUpdate": _STALE} for each in asked]}


def _sent_raw(
    action: str, block: str, outcome: Callable[[Payload, Version], Outcome] = outcomes.from_status_field
) -> CsmsCall:
    """A row of an action that only a raw command says."""
    return CsmsCall(action=action, block=block, outcome=outcome)


FROM_STATION = (
    noted("SecurityEventNotification", "security", _NOTHING),
    noted("SignCertificate", "security", _NO),
    noted("NotifyReport", "provisioning", _NOTHING),
    noted("ReservationStatusUpdate", "reservation", _NOTHING),
    noted("ClearedChargingLimit", "smart_charging", _NOTHING),
    noted("NotifyChargingLimit", "smart_charging", _NOTHING),
    StationCall(
        action="NotifyEVChargingNeeds",
        block="smart_charging",
        report=report_verbatim("NotifyEVChargingNeeds"),
        response=notify_ev_charging_needs_response,
    ),
    # Received; it "does not imply any approval of the charging schedule" (K17, GenericStatusEnumType).
    noted("NotifyEVChargingSchedule", "smart_charging", {"status": "Accepted"}),
    noted("ReportChargingProfiles", "smart_charging", _NOTHING),
    noted("FirmwareStatusNotification", "firmware", _NOTHING),
    noted("PublishFirmwareStatusNotification", "firmware", _NOTHING),
    noted("Get15118EVCertificate", "certificates", {"status": "Failed", "exiResponse": ""}),
    noted("GetCertificateStatus", "certificates", {"status": "Failed"}),
    noted("LogStatusNotification", "diagnostics", _NOTHING),
    noted("NotifyCustomerInformation", "diagnostics", _NOTHING),
    noted("NotifyEvent", "diagnostics", _NOTHING),
    noted("NotifyMonitoringReport", "diagnostics", _NOTHING),
    noted("NotifyDisplayMessages", "display_message", _NOTHING),
)
"""Both versions."""

FROM_STATION_21 = (
    noted("NotifySettlement", "authorization", _NOTHING),
    StationCall(
        action="VatNumberValidation",
        block="authorization",
        report=report_from_vat_number_validation,
        response=vat_number_validation_response,
    ),
    noted("NotifyPriorityCharging", "smart_charging", _NOTHING),
    noted("PullDynamicScheduleUpdate", "smart_charging", _NO),
    StationCall(
        action="GetCertificateChainStatus",
        block="certificates",
        report=report_from_get_certificate_chain_status,
        response=get_certificate_chain_status_response,
    ),
    noted("ClosePeriodicEventStream", "diagnostics", _NOTHING),
    noted("NotifyPeriodicEventStream", "diagnostics", None),
    noted("OpenPeriodicEventStream", "diagnostics", _NO),
    noted("NotifyDERAlarm", "der_control", _NOTHING),
    noted("NotifyDERStartStop", "der_control", _NOTHING),
    noted("ReportDERControl", "der_control", _NOTHING),
    noted("BatterySwap", "battery_swap", _NOTHING),
)
"""New in 2.1."""

FROM_CSMS = (
    _sent_raw("CertificateSigned", "security"),
    _sent_raw("GetBaseReport", "provisioning"),
    _sent_raw("GetReport", "provisioning"),
    _sent_raw("SetNetworkProfile", "provisioning"),
    _sent_raw("GetLocalListVersion", "local_list"),
    _sent_raw("SendLocalList", "local_list"),
    _sent_raw("GetTransactionStatus", "transactions"),
    _sent_raw("CancelReservation", "reservation"),
    _sent_raw("ReserveNow", "reservation"),
    _sent_raw("CostUpdated", "tariff_and_cost"),
    _sent_raw("ClearChargingProfile", "smart_charging"),
    _sent_raw("GetChargingProfiles", "smart_charging"),
    _sent_raw("GetCompositeSchedule", "smart_charging"),
    _sent_raw("SetChargingProfile", "smart_charging"),
    _sent_raw("PublishFirmware", "firmware"),
    _sent_raw("UnpublishFirmware", "firmware"),
    _sent_raw("UpdateFirmware", "firmware"),
    _sent_raw("DeleteCertificate", "certificates"),
    _sent_raw("GetInstalledCertificateIds", "certificates", outcomes.reader_accepting("NotFound")),
    _sent_raw("InstallCertificate", "certificates"),
    _sent_raw("ClearVariableMonitoring", "diagnostics", entries.outcome_of_entries("clearMonitoringResult")),
    _sent_raw("CustomerInformation", "diagnostics"),
    _sent_raw("GetLog", "diagnostics"),
    _sent_raw("GetMonitoringReport", "diagnostics"),
    _sent_raw("SetMonitoringBase", "diagnostics"),
    _sent_raw("SetMonitoringLevel", "diagnostics"),
    _sent_raw("SetVariableMonitoring", "diagnostics", entries.outcome_of_entries("setMonitoringResult")),
    _sent_raw("ClearDisplayMessage", "display_message"),
    _sent_raw("GetDisplayMessages", "display_message", outcomes.reader_accepting("Unknown")),
    _sent_raw("SetDisplayMessage", "display_message"),
)
"""Both versions. NotFound and Unknown answer a question here: there are no certificates, no messages."""

FROM_CSMS_21 = (
    _sent_raw("NotifyWebPaymentStarted", "authorization"),
    _sent_raw("ChangeTransactionTariff", "tariff_and_cost"),
    _sent_raw("ClearTariffs", "tariff_and_cost", entries.outcome_of_entries("clearTariffsResult")),
    _sent_raw("GetTariffs", "tariff_and_cost"),
    _sent_raw("SetDefaultTariff", "tariff_and_cost"),
    _sent_raw("UpdateDynamicSchedule", "smart_charging"),
    _sent_raw("UsePriorityCharging", "smart_charging"),
    _sent_raw("AdjustPeriodicEventStream", "diagnostics"),
    _sent_raw("GetPeriodicEventStream", "diagnostics"),
    _sent_raw("AFRRSignal", "bidirectional"),
    _sent_raw("NotifyAllowedEnergyTransfer", "bidirectional"),
    _sent_raw("ClearDERControl", "der_control"),
    _sent_raw("GetDERControl", "der_control", outcomes.reader_accepting("NotFound")),
    _sent_raw("SetDERControl", "der_control"),
    _sent_raw("RequestBatterySwap", "battery_swap"),
)
"""New in 2.1."""
