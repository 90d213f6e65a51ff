"""What became true: the union of all facts and the records they rest in."""

from datetime import datetime

from engine.model.authorization import StopDropped, StopPlanned, TokenChecked, TokenRemoved, TokenSaved
from engine.model.availability import AvailabilityReached, AvailabilityWanted, ConnectorStatusChanged
from engine.model.battery_swap import SwapLapsed, SwapMoved, SwapRequested
from engine.model.bidirectional import AfrrSignalSent, EnergyTransfersAllowed
from engine.model.campaigns import CampaignChanged, CampaignStarted
from engine.model.caps import CapHeard, CapReleased, CapSaved
from engine.model.certificates import (
    CertificateDeleted,
    CertificateInstalled,
    CertificateStatusTold,
    ContractCertificateTold,
    InstalledListed,
    SigningDecided,
    SigningRequested,
    SigningSettled,
)
from engine.model.commands import CommandRequested, CommandSent, CommandSettled
from engine.model.data_transfer import DataReceived
from engine.model.der_control import (
    DerAlarmEnded,
    DerAlarmRaised,
    DerControlInstalled,
    DerControlRan,
    DerControlRemoved,
    DerControlsSuperseded,
    DerReportBegun,
    DerReportEnded,
    DerReportHeard,
)
from engine.model.device_model import InventoryAsked, InventoryPlanned, ReportFollowed, VariablesRecorded
from engine.model.diagnostics import (
    CustomerInformationAsked,
    CustomerInformationForgotten,
    CustomerInformationMissing,
    CustomerInformationRecorded,
    EventStreamAdjusted,
    EventStreamClosed,
    EventStreamOpened,
    EventStreamsListed,
    LogAsked,
    LogEnded,
    LogStatusRecorded,
    StreamValuesRecorded,
)
from engine.model.display_message import (
    DisplayMessageGone,
    DisplayMessagesAsked,
    DisplayMessageSet,
    DisplayMessagesRecorded,
    DisplayReportMissing,
)
from engine.model.firmware import (
    FirmwareStatusRecorded,
    FirmwareUnchanged,
    FirmwareUpdateAsked,
    FirmwareUpdateEnded,
    FirmwareUpdateStalled,
    FirmwareVersionSeen,
    PublicationAsked,
    PublicationEnded,
    PublicationStatusRecorded,
)
from engine.model.local_list import (
    LocalListAsked,
    LocalListChecked,
    LocalListDoubted,
    LocalListRefused,
    LocalListUpdated,
)
from engine.model.metering import ReadingsRecorded
from engine.model.monitoring import (
    EventsRecorded,
    MonitoringReportAsked,
    MonitoringReportMissing,
    MonitoringReportPlanned,
    MonitoringSet,
    MonitorsCleared,
    MonitorsRecorded,
    MonitorsSet,
)
from engine.model.notices import NoticeRecorded
from engine.model.payment import SettlementRecorded, VatNumberChecked
from engine.model.plans import LimitDecided, SiteAlertCleared, SiteAlertRaised, SitePlanned
from engine.model.provisioning import (
    NetworkProfileAnswered,
    PasswordChangeAnswered,
    StationBooted,
    StationSeen,
)
from engine.model.quirks import OdditiesCounted
from engine.model.remote_control import FollowUpAwaited, FollowUpCame, FollowUpMissing
from engine.model.reservation import ReservationEnded, ReservationLapsed, ReservationMade, ReservationRefused
from engine.model.security import SecurityEventRecorded
from engine.model.sessions import (
    IdentityContested,
    SessionEnded,
    SessionStarted,
    StationResponsive,
    StationUnresponsive,
    VersionChanged,
)
from engine.model.sites import DriverAsked, SeriesSaved, SiteRemoved, SiteSaved
from engine.model.smart_charging import (
    CompositeScheduleTold,
    DynamicScheduleUpdated,
    EvScheduleRecorded,
    LimitImposed,
    LimitReleased,
    NeedsRecorded,
    PriorityChanged,
    ProfileAdopted,
    ProfileInstalled,
    ProfileRemoved,
    ProfilesReportBegun,
    ProfilesReportEnded,
    ProfilesReportHeard,
)
from engine.model.stations import StationRegistered
from engine.model.tariff_and_cost import (
    CostBegun,
    CostCounted,
    CostReported,
    CostSettled,
    CostUpdatesUnsupported,
    DefaultTariffInstalled,
    HeldTariffsCleared,
    HeldTariffsListed,
    TariffAssigned,
    TariffRemoved,
    TariffSaved,
    TransactionTariffChanged,
)
from engine.model.transactions import (
    TransactionEnded,
    TransactionOpened,
    TransactionStatusTold,
    TransactionUpdated,
)
from engine.model.word import Word

Fact = (
    SessionStarted
    | SessionEnded
    | StationBooted
    | StationSeen
    | ConnectorStatusChanged
    | TokenChecked
    | TransactionOpened
    | TransactionUpdated
    | TransactionEnded
    | ReadingsRecorded
    | DataReceived
    | ProfileInstalled
    | ProfileRemoved
    | ProfileAdopted
    | DynamicScheduleUpdated
    | ProfilesReportBegun
    | ProfilesReportHeard
    | ProfilesReportEnded
    | LimitImposed
    | LimitReleased
    | NeedsRecorded
    | EvScheduleRecorded
    | PriorityChanged
    | CompositeScheduleTold
    | CostBegun
    | CostCounted
    | CostSettled
    | CostReported
    | CostUpdatesUnsupported
    | DefaultTariffInstalled
    | HeldTariffsCleared
    | HeldTariffsListed
    | TransactionTariffChanged
    | EnergyTransfersAllowed
    | AfrrSignalSent
    | DerControlInstalled
    | DerControlsSuperseded
    | DerControlRemoved
    | DerControlRan
    | DerReportBegun
    | DerReportHeard
    | DerReportEnded
    | DerAlarmRaised
    | DerAlarmEnded
    | SwapRequested
    | SwapMoved
    | SwapLapsed
    | NoticeRecorded
    | CommandRequested
    | CommandSent
    | CommandSettled
    | VariablesRecorded
    | ReportFollowed
    | InventoryPlanned
    | InventoryAsked
    | FollowUpAwaited
    | FollowUpCame
    | FollowUpMissing
    | AvailabilityWanted
    | AvailabilityReached
    | PasswordChangeAnswered
    | NetworkProfileAnswered
    | TransactionStatusTold
    | SecurityEventRecorded
    | SigningRequested
    | SigningSettled
    | InstalledListed
    | CertificateInstalled
    | CertificateDeleted
    | CertificateStatusTold
    | ContractCertificateTold
    | IdentityContested
    | VersionChanged
    | StationUnresponsive
    | StationResponsive
    | OdditiesCounted
    | LocalListUpdated
    | LocalListRefused
    | LocalListChecked
    | LocalListDoubted
    | LocalListAsked
    | ReservationMade
    | ReservationRefused
    | ReservationEnded
    | ReservationLapsed
    | SettlementRecorded
    | VatNumberChecked
    | StopPlanned
    | StopDropped
    | FirmwareUpdateAsked
    | FirmwareStatusRecorded
    | FirmwareUpdateEnded
    | FirmwareUpdateStalled
    | FirmwareVersionSeen
    | FirmwareUnchanged
    | PublicationAsked
    | PublicationStatusRecorded
    | PublicationEnded
    | LogAsked
    | LogStatusRecorded
    | LogEnded
    | CustomerInformationAsked
    | CustomerInformationRecorded
    | CustomerInformationMissing
    | EventStreamOpened
    | EventStreamClosed
    | EventStreamAdjusted
    | EventStreamsListed
    | StreamValuesRecorded
    | MonitorsSet
    | MonitorsCleared
    | MonitoringReportPlanned
    | MonitoringReportAsked
    | MonitorsRecorded
    | MonitoringReportMissing
    | MonitoringSet
    | EventsRecorded
    | DisplayMessageSet
    | DisplayMessageGone
    | DisplayMessagesAsked
    | DisplayMessagesRecorded
    | DisplayReportMissing
)
"""Facts about one station, in the station's own journal."""

OperatorFact = (
    TokenSaved
    | TokenRemoved
    | TariffSaved
    | TariffRemoved
    | TariffAssigned
    | StationRegistered
    | CampaignStarted
    | CampaignChanged
    | SigningDecided
    | CustomerInformationForgotten
    | SiteSaved
    | SiteRemoved
    | SeriesSaved
    | DriverAsked
    | CapSaved
    | CapHeard
    | CapReleased
    | LimitDecided
    | SitePlanned
    | SiteAlertRaised
    | SiteAlertCleared
)
"""Facts the operator makes, in the operator's journal; those of `engine.model.plans` are the planner's, in its own."""


class StationFacts(Word, frozen=True):
    """Facts about one station in the order in which they became true."""

    station: str
    facts: tuple[Fact, ...]


class JournalEntry(Word, frozen=True):
    """One entry of a shard's stream: all that one commit made true. `recorded_at`: our clock."""

    tenant: str
    recorded_at: datetime
    records: tuple[StationFacts, ...]


class OperatorEntry(Word, frozen=True):
    """One entry of the operator's stream."""

    tenant: str
    recorded_at: datetime
    facts: tuple[OperatorFact, ...]
