"""Notices: every action that the domain does not interpret (yet), both ways, kept verbatim.

Translates; never decides, never remembers. What stations report is answered with what commits us to least: taken note
of where the answer says nothing, a no where a yes would promise something that nobody here does.
"""

from collections.abc import Callable

from engine.model.commands import Outcome
from engine.model.envelopes import Answer
from engine.ocpp import outcomes
from engine.ocpp.notices import noted, report_verbatim
from engine.ocpp.translation import CsmsCall, Payload, StationCall
from engine.ocpp.v2 import entries
from engine.ocpp.versions import Version

_NOTHING: Payload = {}
_NO: Payload = {"status": "Rejected"}


def notify_ev_charging_needs_response(_answer: Answer, version: Version) -> Payload:
    """No profile will come (K15).

    2.1 has a word for it. Its Rejected would refuse the energy transfer that the EV asked for and so end the session
    (stoppedReason ReqEnergyTransferRejected); in 2.0.1 Rejected only says that nobody plans here.
    """
    return {"status": "NoChargingProfile" if version is Version.V21 else "Rejected"}


def _sent_raw(
    action: str, block: str, outcome: Callable[[Payload, Version], Outcome] = outcomes.from_status_field
) -> CsmsCall:
    """A row of an action that only a raw command says."""
    return CsmsCall(action=action, block=block, outcome=outcome)


FROM_STATION = (
    noted("FirmwareStatusNotification", "firmware", _NOTHING),
    noted("PublishFirmwareStatusNotification", "firmware", _NOTHING),
    noted("LogStatusNotification", "diagnostics", _NOTHING),
    noted("NotifyCustomerInformation", "diagnostics", _NOTHING),
    noted("NotifyEvent", "diagnostics", _NOTHING),
    noted("NotifyMonitoringReport", "diagnostics", _NOTHING),
    noted("NotifyDisplayMessages", "display_message", _NOTHING),
)
"""Both versions."""

FROM_STATION_21 = (
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
    _sent_raw("CostUpdated", "tariff_and_cost"),
    _sent_raw("PublishFirmware", "firmware"),
    _sent_raw("UnpublishFirmware", "firmware"),
    _sent_raw("UpdateFirmware", "firmware"),
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
    _sent_raw("ChangeTransactionTariff", "tariff_and_cost"),
    _sent_raw("ClearTariffs", "tariff_and_cost", entries.outcome_of_entries("clearTariffsResult")),
    _sent_raw("GetTariffs", "tariff_and_cost"),
    _sent_raw("SetDefaultTariff", "tariff_and_cost"),
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
