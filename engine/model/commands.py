"""Commands to stations, their outcomes and the facts about both."""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import ClearCache
from engine.model.availability import ChangeAvailability
from engine.model.battery_swap import RequestBatterySwap
from engine.model.bidirectional import AllowEnergyTransfers, SendAfrrSignal
from engine.model.certificates import (
    DeleteCertificate,
    GetInstalledCertificates,
    InstallCertificate,
    InstalledCertificate,
    SendSignedCertificate,
)
from engine.model.data_transfer import SendData
from engine.model.der_control import ClearDerControl, ControlsSuperseded, GetDerControl, SetDerControl
from engine.model.device_model import GetBaseReport, GetReport
from engine.model.diagnostics import (
    AdjustEventStream,
    CustomerInformation,
    GetEventStreams,
    GetLog,
    LogFile,
    StreamsFound,
)
from engine.model.display_message import ClearDisplayMessage, GetDisplayMessages, SetDisplayMessage
from engine.model.firmware import PublishFirmware, UnpublishFirmware, UpdateFirmware
from engine.model.local_list import GetLocalListVersion, ListVersion, SendLocalList
from engine.model.monitoring import (
    ClearVariableMonitoring,
    GetMonitoringReport,
    MonitorResults,
    MonitorsGone,
    SetMonitoringBase,
    SetMonitoringLevel,
    SetVariableMonitoring,
)
from engine.model.notices import RawCommand
from engine.model.payment import NotifyWebPaymentStarted
from engine.model.provisioning import (
    ChangePassword,
    GetVariables,
    ResetStation,
    SetNetworkProfile,
    SetVariables,
    VariableResult,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.model.reservation import CancelReservation, ReserveNow
from engine.model.smart_charging import (
    ClearChargingProfile,
    CompositeSchedule,
    GetChargingProfiles,
    GetCompositeSchedule,
    SetChargingProfile,
    UpdateDynamicSchedule,
    UsePriorityCharging,
)
from engine.model.tariff_and_cost import (
    ChangeTransactionTariff,
    ClearTariffs,
    GetTariffs,
    SetDefaultTariff,
    TariffsCleared,
    TariffsFound,
    UpdateCost,
)
from engine.model.transactions import GetTransactionStatus
from engine.model.word import Word

Command = (
    GetVariables
    | SetVariables
    | ResetStation
    | ChangeAvailability
    | ClearCache
    | RequestStart
    | RequestStop
    | UnlockConnector
    | TriggerMessage
    | SendData
    | GetBaseReport
    | GetReport
    | ChangePassword
    | SetNetworkProfile
    | GetTransactionStatus
    | SendSignedCertificate
    | InstallCertificate
    | DeleteCertificate
    | GetInstalledCertificates
    | SendLocalList
    | GetLocalListVersion
    | ReserveNow
    | CancelReservation
    | NotifyWebPaymentStarted
    | SetChargingProfile
    | ClearChargingProfile
    | GetChargingProfiles
    | GetCompositeSchedule
    | UpdateDynamicSchedule
    | UsePriorityCharging
    | UpdateCost
    | SetDefaultTariff
    | GetTariffs
    | ClearTariffs
    | ChangeTransactionTariff
    | AllowEnergyTransfers
    | SendAfrrSignal
    | SetDerControl
    | GetDerControl
    | ClearDerControl
    | RequestBatterySwap
    | UpdateFirmware
    | PublishFirmware
    | UnpublishFirmware
    | GetLog
    | CustomerInformation
    | AdjustEventStream
    | GetEventStreams
    | SetVariableMonitoring
    | ClearVariableMonitoring
    | GetMonitoringReport
    | SetMonitoringBase
    | SetMonitoringLevel
    | SetDisplayMessage
    | GetDisplayMessages
    | ClearDisplayMessage
    | RawCommand
)

Found = (
    ListVersion
    | CompositeSchedule
    | ControlsSuperseded
    | TariffsFound
    | TariffsCleared
    | LogFile
    | MonitorResults
    | MonitorsGone
    | StreamsFound
)
"""What answers tell beyond a yes or a no, in words."""


class Result(StrEnum):
    """How a command ended, whatever the version."""

    ACCEPTED = "accepted"
    """The station said yes (Accepted, Scheduled, Unlocked, RebootRequired, ...) or answered a question."""
    REFUSED = "refused"
    """The station said no."""
    FAILED = "failed"
    """The station answered with a CALLERROR or with something unintelligible."""
    TIMED_OUT = "timed_out"
    """No answer in time; the station may still have done it."""
    OFFLINE = "offline"
    """No connection; nothing was sent."""
    LOST = "lost"
    """The connection ended before an answer; the station may have done it."""
    NOT_EXPRESSIBLE = "not_expressible"
    """The station's OCPP version cannot say this; nothing was sent."""
    EXPIRED = "expired"
    """Its deadline was over before it could be sent; nothing was sent."""
    CANCELLED = "cancelled"
    """Somebody took it back while it waited; nothing was sent."""
    REPLACED = "replaced"
    """A newer command of the same slot came while it waited; nothing was sent."""


class Outcome(Word, frozen=True):
    """`status`: the station's own word. `payload`: its answer as JSON, verbatim. `detail`: for people."""

    result: Result
    status: str | None = None
    detail: str | None = None
    payload: bytes | None = None
    variables: tuple[VariableResult, ...] = ()
    certificates: tuple[InstalledCertificate, ...] = ()
    """What a station has installed, where it was asked for that."""
    found: Found | None = None
    """What else the answer tells, where its command has a word for it."""


class CommandRequest(Word, frozen=True):
    """Somebody wants a station to do something until `deadline_at` (our clock). `by`: who asked, for the record.

    `priority`: of those that wait for one station the highest goes first, then the oldest; -100 to 100. `waits`: while
    the station is not connected it waits until the deadline, instead of being settled OFFLINE.
    """

    command_id: str
    station: str
    command: Command
    requested_at: datetime
    deadline_at: datetime
    by: str = ""
    priority: int = 0
    waits: bool = False


class CommandCancel(Word, frozen=True):
    """Somebody takes a command back; possible while it waits. `by`: who, for the record."""

    command_id: str
    station: str
    by: str = ""


class CommandReplied(Word, frozen=True):
    """What came of a command, as its ingress reports it."""

    command_id: str
    outcome: Outcome


class CommandRequested(Word, frozen=True):
    """Fact: the command stands in the station's queue."""

    request: CommandRequest


class CommandSent(Word, frozen=True):
    """Fact: the command went out over this session. `answer_by`: when we give up waiting for the answer."""

    command_id: str
    session: str
    at: datetime
    answer_by: datetime


class CommandSettled(Word, frozen=True):
    """Fact: the command is over. A late answer after a time-out settles it once more."""

    command_id: str
    outcome: Outcome
    at: datetime
