"""Envelopes: what ingress and station actors say to each other, in batches.

An ingress sends a `Batch` to the actor that hosts its stations and gets a `BatchReply` with one verdict per
delivery, in order. An actor sends `Downlink`s to the ingress that holds a station's session. Both travel as msgpack.
"""

from datetime import datetime
from enum import StrEnum

from engine.model.authorization import TokenAnswer, TokenPresented
from engine.model.availability import ConnectorStatusAnswer, ConnectorStatusReported
from engine.model.battery_swap import BatterySwapAnswer, BatterySwapReported
from engine.model.certificates import (
    CertificateStatusAnswer,
    CertificateStatusAsked,
    ChainStatusAnswer,
    ChainStatusAsked,
    ContractCertificateAnswer,
    ContractCertificateAsked,
    SigningAnswer,
    SigningAsked,
)
from engine.model.commands import Command, CommandReplied
from engine.model.data_transfer import DataAnswer, DataReported
from engine.model.der_control import DerAlarmReported, DerControlsReported, DerNoted, DerStartStopReported
from engine.model.device_model import VariablesAnswer, VariablesReported
from engine.model.diagnostics import (
    CustomerInformationReported,
    EventStreamAnswer,
    EventStreamGone,
    EventStreamOffered,
    LogStatusReported,
    StreamValuesReported,
)
from engine.model.display_message import DisplayMessagesReported
from engine.model.firmware import FirmwareStatusReported, PublicationReported
from engine.model.ids import Unit
from engine.model.metering import ReadingsAnswer, ReadingsReported
from engine.model.monitoring import EventsReported, MonitorsReported
from engine.model.notices import NoticeAnswer, StationNotice
from engine.model.payment import SettlementAnswer, SettlementReported, VatNumberAnswer, VatNumberPresented
from engine.model.provisioning import BootAnswer, BootReported, HeartbeatAnswer, HeartbeatReported
from engine.model.quirks import OdditiesReported
from engine.model.reservation import ReservationStatusAnswer, ReservationStatusReported
from engine.model.security import SecurityEventAnswer, SecurityEventReported
from engine.model.sessions import SessionAnswer, SessionClosed, SessionOpened, SilenceReported, SpeechReported
from engine.model.smart_charging import (
    ChargingNoted,
    DynamicUpdateAnswer,
    DynamicUpdatePulled,
    EvScheduleAnswer,
    EvScheduleReported,
    LimitReleaseReported,
    LimitReported,
    NeedsAnswer,
    NeedsReported,
    PriorityReported,
    ProfilesReported,
)
from engine.model.transactions import TransactionAnswer, TransactionReported
from engine.model.word import Word

Report = (
    BootReported
    | HeartbeatReported
    | ConnectorStatusReported
    | TokenPresented
    | TransactionReported
    | ReadingsReported
    | DataReported
    | ProfilesReported
    | LimitReported
    | LimitReleaseReported
    | NeedsReported
    | EvScheduleReported
    | PriorityReported
    | DynamicUpdatePulled
    | DerControlsReported
    | DerAlarmReported
    | DerStartStopReported
    | BatterySwapReported
    | VariablesReported
    | SecurityEventReported
    | SigningAsked
    | CertificateStatusAsked
    | ChainStatusAsked
    | ContractCertificateAsked
    | ReservationStatusReported
    | SettlementReported
    | VatNumberPresented
    | FirmwareStatusReported
    | PublicationReported
    | LogStatusReported
    | CustomerInformationReported
    | EventStreamOffered
    | EventStreamGone
    | StreamValuesReported
    | MonitorsReported
    | EventsReported
    | DisplayMessagesReported
    | StationNotice
    | OdditiesReported
    | SilenceReported
    | SpeechReported
)
Answer = (
    BootAnswer
    | HeartbeatAnswer
    | ConnectorStatusAnswer
    | TokenAnswer
    | TransactionAnswer
    | ReadingsAnswer
    | DataAnswer
    | ChargingNoted
    | NeedsAnswer
    | EvScheduleAnswer
    | DynamicUpdateAnswer
    | DerNoted
    | BatterySwapAnswer
    | VariablesAnswer
    | SecurityEventAnswer
    | SigningAnswer
    | CertificateStatusAnswer
    | ChainStatusAnswer
    | ContractCertificateAnswer
    | ReservationStatusAnswer
    | SettlementAnswer
    | VatNumberAnswer
    | EventStreamAnswer
    | NoticeAnswer
    | SessionAnswer
)


class Reported(Word, frozen=True):
    """A CALL (or SEND) of a station, understood.

    (`message_id`, `digest`) tells a repeat from a new message: `digest` covers action and payload as received (12
    bytes). `message_id` None: a SEND, which has no answer.
    """

    session: str
    message_id: str | None
    digest: bytes
    report: Report


Event = Reported | SessionOpened | SessionClosed | CommandReplied


class Delivery(Word, frozen=True):
    """One event of one station. `received_at`: the ingress' clock when the frame was complete."""

    station: str
    received_at: datetime
    event: Event


class Batch(Word, frozen=True):
    """Deliveries for one actor, in the order of arrival. `epochs`: by unit, as the sender knows its ownership."""

    ingress: str
    epochs: tuple[tuple[Unit, int], ...]
    deliveries: tuple[Delivery, ...]


class RetryReason(StrEnum):
    """Why nothing was decided about a delivery; deliver it again."""

    MOVED = "moved"
    """The unit has another owner: ask the directory."""
    UNAVAILABLE = "unavailable"
    """The journal does not answer or is full: wait, stop reading from stations."""


class Answered(Word, frozen=True):
    """Recorded; tell the station this."""

    answer: Answer


class Refused(Word, frozen=True):
    """The station may not say this now, e.g. not accepted yet (2.1 B02.FR.09). Told as CALLERROR SecurityError."""

    reason: str


class Failed(Word, frozen=True):
    """A bug of ours: nothing was recorded, and trying again would not help. Told as CALLERROR InternalError."""

    reason: str


class Done(Word, frozen=True):
    """Recorded; nothing to tell."""


class Superseded(Word, frozen=True):
    """The session is not the station's any more: close it."""


class Retry(Word, frozen=True):
    """Nothing was decided."""

    reason: RetryReason


Verdict = Answered | Refused | Failed | Done | Superseded | Retry


class BatchReply(Word, frozen=True):
    """One verdict per delivery, in order."""

    verdicts: tuple[Verdict, ...]


class Dispatch(Word, frozen=True):
    """Send this command over this session; report a `CommandReplied`. The same `command_id` twice is sent once."""

    station: str
    session: str
    command_id: str
    command: Command
    deadline_at: datetime


class CloseSession(Word, frozen=True):
    """This session was superseded by a newer connection of the same identity: close it."""

    station: str
    session: str
    reason: str


Downlink = Dispatch | CloseSession


class Downlinks(Word, frozen=True):
    """What an actor has to say to one ingress."""

    downlinks: tuple[Downlink, ...]
