"""The blocks: which function decides which report, and what the blocks add to commands and to the passing of time.

A block adds its lines here and nothing else of the decider changes (docs/contributing-blocks.md).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from engine.model.authorization import TokenPresented
from engine.model.availability import ChangeAvailability, ConnectorStatusReported
from engine.model.battery_swap import BatterySwapReported, RequestBatterySwap
from engine.model.bidirectional import AllowEnergyTransfers, SendAfrrSignal
from engine.model.certificates import (
    CertificateStatusAsked,
    ChainStatusAsked,
    ContractCertificateAsked,
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    SendSignedCertificate,
    SigningAsked,
)
from engine.model.commands import CommandRequest, Outcome
from engine.model.data_transfer import DataReported
from engine.model.der_control import (
    ClearDerControl,
    DerAlarmReported,
    DerControlsReported,
    DerStartStopReported,
    GetDerControl,
    SetDerControl,
)
from engine.model.device_model import GetBaseReport, GetReport, VariablesReported
from engine.model.diagnostics import (
    AdjustEventStream,
    CustomerInformation,
    CustomerInformationReported,
    EventStreamGone,
    EventStreamOffered,
    GetEventStreams,
    GetLog,
    LogStatusReported,
    StreamValuesReported,
)
from engine.model.display_message import (
    ClearDisplayMessage,
    DisplayMessagesReported,
    GetDisplayMessages,
    SetDisplayMessage,
)
from engine.model.firmware import (
    FirmwareStatusReported,
    PublicationReported,
    PublishFirmware,
    UnpublishFirmware,
    UpdateFirmware,
)
from engine.model.local_list import GetLocalListVersion, SendLocalList
from engine.model.metering import ReadingsReported
from engine.model.monitoring import (
    ClearVariableMonitoring,
    EventsReported,
    GetMonitoringReport,
    MonitorsReported,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
)
from engine.model.notices import StationNotice
from engine.model.payment import SettlementReported, VatNumberPresented
from engine.model.provisioning import (
    BootReported,
    ChangePassword,
    GetVariables,
    HeartbeatReported,
    ResetStation,
    SetNetworkProfile,
    SetVariables,
)
from engine.model.quirks import OdditiesReported
from engine.model.remote_control import RequestStart, RequestStop
from engine.model.reservation import CancelReservation, ReservationStatusReported, ReserveNow
from engine.model.security import SecurityEventReported
from engine.model.sessions import SilenceReported, SpeechReported
from engine.model.smart_charging import (
    ClearChargingProfile,
    DynamicUpdatePulled,
    EvScheduleReported,
    GetChargingProfiles,
    GetCompositeSchedule,
    LimitReleaseReported,
    LimitReported,
    NeedsReported,
    PriorityReported,
    ProfilesReported,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.model.tariff_and_cost import (
    ChangeTransactionTariff,
    ClearTariffs,
    GetTariffs,
    SetDefaultTariff,
    UpdateCost,
)
from engine.model.transactions import GetTransactionStatus, TransactionReported
from engine.station import (
    authorization,
    availability,
    battery_swap,
    bidirectional,
    certificates,
    charging_objections,
    data_transfer,
    der_control,
    device_model,
    diagnostics,
    display_message,
    event_streams,
    firmware,
    follow_ups,
    local_list,
    metering,
    monitoring,
    notices,
    payment,
    provisioning,
    quirks,
    reservation,
    security,
    sessions,
    smart_charging,
    tariff_and_cost,
    transactions,
)
from engine.station.context import Context
from engine.station.effects import Effect, Record
from engine.station.state import StationState

Handler = Callable[[StationState, Any, Context], tuple[Effect, ...]]
"""Decides a report. Never empty: records first, then the Reply."""
Consequence = Callable[[StationState, CommandRequest, Outcome, Context], tuple[Effect, ...]]
"""What a command's outcome means for its block: more records, follow-up commands (`commands.issue`).

The state is the one after the settling; the outcome is any, also TIMED_OUT, OFFLINE, CANCELLED, ... A late answer to a
command that was given up has no consequence: the request is not remembered.
"""
Objection = Callable[[StationState, Any, Context], str | None]
"""Why a command must not be sent now; None: it may. For people."""


def _transaction_reported(state: StationState, report: TransactionReported, context: Context) -> tuple[Effect, ...]:
    """A transaction's message, and what it shows of its station."""
    effects = quirks.of_transaction(state, report, transactions.reported(state, report, context), context)
    effects = authorization.of_transaction(state, effects, context)
    effects = reservation.of_transaction(state, report, effects, context)
    effects = smart_charging.with_transactions(state, effects, context)
    return tariff_and_cost.of_transaction(state, report, effects, context)


def _status_reported(state: StationState, report: ConnectorStatusReported, context: Context) -> tuple[Effect, ...]:
    """A status, and what it tells of a transaction's cost."""
    return tariff_and_cost.with_costs(state, availability.reported(state, report, context), context)


def _token_presented(state: StationState, report: TokenPresented, context: Context) -> tuple[Effect, ...]:
    """A token, and the driver's own tariff."""
    return tariff_and_cost.presented(report, authorization.presented(state, report, context), context)


def _start_settled(
    state: StationState, request: CommandRequest, outcome: Outcome, context: Context
) -> tuple[Effect, ...]:
    """What follows from a remote start, and the profile that it carried."""
    followed = follow_ups.start_settled(state, request, outcome, context)
    return *followed, *smart_charging.start_settled(state, request, outcome, context)


def _booted(state: StationState, report: BootReported, context: Context) -> tuple[Effect, ...]:
    """A boot, and what may be lost by it."""
    told = (
        *map(Record, local_list.booted(state, context)),
        *firmware.booted(state, report, context),
        *map(Record, monitoring.booted(state, report, context)),
    )
    return *told, *provisioning.booted(state, report, context)


REPORTED: dict[type, Handler] = {
    TransactionReported: _transaction_reported,
    HeartbeatReported: provisioning.beaten,
    ConnectorStatusReported: _status_reported,
    ReadingsReported: metering.reported,
    TokenPresented: _token_presented,
    BootReported: _booted,
    VariablesReported: device_model.reported,
    DataReported: data_transfer.reported,
    ProfilesReported: smart_charging.profiles_reported,
    LimitReported: smart_charging.limit_reported,
    LimitReleaseReported: smart_charging.limit_released,
    NeedsReported: smart_charging.needs_reported,
    EvScheduleReported: smart_charging.ev_schedule_reported,
    PriorityReported: smart_charging.priority_reported,
    DynamicUpdatePulled: smart_charging.dynamic_pulled,
    DerControlsReported: der_control.controls_reported,
    DerAlarmReported: der_control.alarm_reported,
    DerStartStopReported: der_control.start_stop_reported,
    BatterySwapReported: battery_swap.reported,
    ReservationStatusReported: reservation.reported,
    SettlementReported: payment.settled,
    VatNumberPresented: payment.vat_number_presented,
    FirmwareStatusReported: firmware.reported,
    PublicationReported: firmware.published,
    LogStatusReported: diagnostics.log_reported,
    CustomerInformationReported: diagnostics.customer_reported,
    EventStreamOffered: event_streams.offered,
    EventStreamGone: event_streams.gone,
    StreamValuesReported: event_streams.values_reported,
    MonitorsReported: monitoring.reported,
    EventsReported: monitoring.events_reported,
    DisplayMessagesReported: display_message.reported,
    StationNotice: notices.reported,
    SecurityEventReported: security.reported,
    SigningAsked: certificates.signing_asked,
    CertificateStatusAsked: certificates.status_asked,
    ChainStatusAsked: certificates.chain_status_asked,
    ContractCertificateAsked: certificates.contract_asked,
    OdditiesReported: quirks.noticed,
    SilenceReported: sessions.fell_silent,
    SpeechReported: sessions.spoke_again,
}
"""Report -> who decides it."""

SETTLED: dict[type, Consequence] = {
    GetBaseReport: device_model.report_settled,
    GetReport: device_model.report_settled,
    GetVariables: device_model.read_settled,
    SetVariables: device_model.written_settled,
    ChangePassword: provisioning.password_settled,
    SetNetworkProfile: provisioning.network_profile_settled,
    ResetStation: follow_ups.reset_settled,
    RequestStart: _start_settled,
    RequestStop: follow_ups.stop_settled,
    ChangeAvailability: availability.change_settled,
    GetTransactionStatus: transactions.status_settled,
    SendSignedCertificate: certificates.signed_settled,
    InstallCertificate: certificates.install_settled,
    DeleteCertificate: certificates.delete_settled,
    GetInstalledCertificates: certificates.listed,
    SendLocalList: local_list.sent,
    GetLocalListVersion: local_list.told,
    ReserveNow: reservation.reserved,
    SetChargingProfile: smart_charging.set_settled,
    ClearChargingProfile: smart_charging.clear_settled,
    GetChargingProfiles: smart_charging.report_settled,
    GetCompositeSchedule: smart_charging.composite_settled,
    UpdateDynamicSchedule: smart_charging.update_settled,
    UpdateCost: tariff_and_cost.update_settled,
    SetDefaultTariff: tariff_and_cost.default_settled,
    GetTariffs: tariff_and_cost.listed,
    ClearTariffs: tariff_and_cost.cleared,
    ChangeTransactionTariff: tariff_and_cost.change_settled,
    AllowEnergyTransfers: bidirectional.transfers_settled,
    SendAfrrSignal: bidirectional.signal_settled,
    SetDerControl: der_control.set_settled,
    GetDerControl: der_control.report_settled,
    ClearDerControl: der_control.clear_settled,
    RequestBatterySwap: battery_swap.swap_settled,
    CancelReservation: reservation.cancelled,
    UpdateFirmware: firmware.update_settled,
    PublishFirmware: firmware.publication_settled,
    UnpublishFirmware: firmware.unpublished,
    GetLog: diagnostics.log_settled,
    CustomerInformation: diagnostics.customer_settled,
    AdjustEventStream: event_streams.adjusted,
    GetEventStreams: event_streams.listed,
    SetVariableMonitoring: monitoring.set_settled,
    ClearVariableMonitoring: monitoring.clear_settled,
    GetMonitoringReport: monitoring.report_settled,
    SetMonitoringBase: monitoring.base_settled,
    SetMonitoringLevel: monitoring.level_settled,
    SetDisplayMessage: display_message.set_settled,
    GetDisplayMessages: display_message.report_settled,
    ClearDisplayMessage: display_message.clear_settled,
}
"""Command -> what its outcome means for its block."""

OBJECTED: dict[type, Objection] = {
    InstallCertificate: certificates.objection_to_install,
    ReserveNow: reservation.objection,
    RequestStart: charging_objections.to_start,
    SetChargingProfile: charging_objections.to_set,
    ClearChargingProfile: charging_objections.to_clear,
    GetChargingProfiles: charging_objections.to_report,
    GetCompositeSchedule: charging_objections.to_composite,
    UpdateDynamicSchedule: charging_objections.to_update,
    UsePriorityCharging: charging_objections.to_prioritize,
    UpdateCost: tariff_and_cost.objection_to_update,
    SetDefaultTariff: tariff_and_cost.objection_to_default,
    ChangeTransactionTariff: tariff_and_cost.objection_to_change,
    AllowEnergyTransfers: bidirectional.objection,
    SetDerControl: der_control.objection_to_set,
    SendLocalList: local_list.objection,
    SetDisplayMessage: display_message.objection,
}
"""Command -> what its block has against it."""


class Alarm:
    """Something of a block's that happens when time has passed. `due_at` None: nothing to wait for."""

    def __init__(
        self,
        due_at: Callable[[StationState], datetime | None],
        ring: Callable[[StationState, Context], tuple[Effect, ...]],
    ) -> None:
        self.due_at = due_at
        self.ring = ring


ALARMS: tuple[Alarm, ...] = (
    Alarm(authorization.stop_due_at, authorization.stop_due),
    Alarm(device_model.due_at, device_model.ring),
    Alarm(follow_ups.due_at, follow_ups.ring),
    Alarm(firmware.due_at, firmware.rung),
    Alarm(diagnostics.due_at, diagnostics.rung),
    Alarm(monitoring.due_at, monitoring.rung),
    Alarm(display_message.due_at, display_message.rung),
    Alarm(local_list.ask_at, local_list.ask),
    Alarm(reservation.due_at, reservation.lapsed),
    Alarm(smart_charging.due_at, smart_charging.ring),
    Alarm(der_control.due_at, der_control.ring),
    Alarm(battery_swap.due_at, battery_swap.ring),
)
"""What the blocks wait for. `ring` is called when `due_at` is over; its facts must move `due_at`."""
TIMED_PARTS: tuple[str, ...] = (
    "inventory",
    "awaited",
    "planned_stops",
    "known_list",
    "reserved",
    "charging",
    "der",
    "swaps",
    "firmware",
    "diagnostics",
    "monitoring",
    "display",
)
"""Fields of `StationState` without which (at their default) no alarm is due: a quick look before the slow ones."""
