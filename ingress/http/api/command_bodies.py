"""Bodies of command requests: what callers write, and the engine's word for it.

Names are those of `engine.model`: versions are the translators' business, so nothing here knows one.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, JsonValue, Tag

from engine.model.authorization import ClearCache, Token
from engine.model.availability import ChangeAvailability
from engine.model.charging_profiles import ChargingProfile
from engine.model.commands import Command
from engine.model.data_transfer import SendData
from engine.model.ids import EvseRef
from engine.model.notices import RawCommand
from engine.model.provisioning import (
    GetVariables,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.model.smart_charging import SetChargingProfile
from ingress.http.api.texts import INTEGER_MAX, Name, Place, Short
from ingress.http.api.words import word_of
from ingress.http.problems import compact

VARIABLES_MAX = 1_000
RAW = "raw"
WORD = "word"
NAMED = frozenset(
    {
        "request_start",
        "request_stop",
        "reset",
        "unlock_connector",
        "trigger_message",
        "change_availability",
        "clear_cache",
        "get_variables",
        "set_variables",
        "send_data",
    }
)
"""Commands with a body of their own here."""

Deadline = Annotated[
    float | None,
    Field(gt=0, le=604_800, description="Seconds until it must be sent and answered; left out: as the settings say."),
]
Evse = Annotated[Place | None, Field(description="EVSE, from 1; on OCPP 1.6 the connectorId. 0: the station itself.")]
Connector = Annotated[Place | None, Field(description="Connector of the EVSE, from 1; left out: the whole EVSE.")]


class CommandBody(BaseModel, extra="forbid"):
    """What all commands share."""

    deadline_s: Deadline = None
    priority: Annotated[
        int, Field(ge=-100, le=100, description="Of the commands that wait for a station the highest goes first.")
    ] = 0
    when_offline: Annotated[
        Literal["fail", "wait"],
        Field(description="fail: settled at once; wait: it is sent when the station is back, until the deadline."),
    ] = "fail"
    answer: Annotated[
        Literal["outcome", "recorded"],
        Field(description="outcome: wait for what comes of it; recorded: 202 as soon as it is on record."),
    ] = "outcome"

    def word(self, number: int) -> Command:
        """The command in the engine's words. `number`: 31 bits that nobody else has, where a command needs a name."""
        raise NotImplementedError


class StartBody(CommandBody):
    """Start a transaction from here (OCPP RemoteStartTransaction, RequestStartTransaction)."""

    token: Annotated[Name, Field(description="Whose transaction it is: the idTag or idToken.")]
    token_type: Annotated[Short | None, Field(description="2.x idToken type; left out: Central.")] = None
    evse: Evse = None
    connector: Connector = None
    remote_start_id: Annotated[int | None, Field(ge=0, le=INTEGER_MAX, description="Left out: Narke gives one.")] = None
    group: Annotated[
        Name | None, Field(description="The token's group, whose other tokens may stop it; OCPP 2.x only.")
    ] = None
    profile: Annotated[
        dict[str, JsonValue] | None,
        Field(description="A TxProfile for the transaction to come, without transaction_id; see ChargingProfile."),
    ] = None

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        return RequestStart(
            token=Token(value=self.token, type=self.token_type),
            evse=place_of(self.evse, self.connector),
            remote_start_id=number if self.remote_start_id is None else self.remote_start_id,
            group=None if self.group is None else Token(value=self.group),
            profile=None if self.profile is None else _profile_of(self.profile),
        )


class StopBody(CommandBody):
    """Stop a transaction from here (OCPP RemoteStopTransaction, RequestStopTransaction)."""

    transaction_id: Annotated[Name, Field(description="As GET /transactions shows it; on OCPP 1.6 a number, as text.")]

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return RequestStop(transaction_id=self.transaction_id)


class ResetBody(CommandBody):
    """Restart the station (OCPP Reset). Immediate is a hard reset on 1.6, OnIdle a soft one."""

    kind: ResetKind = ResetKind.ON_IDLE
    evse: Annotated[int | None, Field(ge=1, le=INTEGER_MAX, description="Only this EVSE (2.x); left out: all.")] = None

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return ResetStation(kind=self.kind, evse=self.evse)


class UnlockBody(CommandBody):
    """Unlock a connector (OCPP UnlockConnector)."""

    evse: Annotated[int, Field(ge=1, le=INTEGER_MAX, description="EVSE, from 1; on OCPP 1.6 the connectorId.")]
    connector: Annotated[int, Field(ge=1, le=INTEGER_MAX, description="Connector of the EVSE.")] = 1

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return UnlockConnector(evse=EvseRef(evse=self.evse, connector=self.connector))


class TriggerBody(CommandBody):
    """Ask the station for a message (OCPP TriggerMessage)."""

    message: Annotated[Short, Field(description="OCPP's name of the message, e.g. StatusNotification.")]
    evse: Evse = None
    connector: Connector = None
    custom: Annotated[
        Short | None, Field(description="OCPP 2.1: the vendor's name of it, with message CustomTrigger.")
    ] = None

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return TriggerMessage(message=self.message, evse=place_of(self.evse, self.connector), custom=self.custom)


class AvailabilityBody(CommandBody):
    """Take a place in or out of service; it survives reboots (OCPP ChangeAvailability)."""

    operative: bool
    evse: Annotated[Place, Field(description="EVSE, from 1; 0: the whole station.")] = 0
    connector: Connector = None

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return ChangeAvailability(evse=place_of(self.evse, self.connector) or EvseRef(evse=0), operative=self.operative)


class RequestStartCommand(StartBody):
    """Start a transaction."""

    command: Literal["request_start"]


class RequestStopCommand(StopBody):
    """Stop a transaction."""

    command: Literal["request_stop"]


class ResetCommand(ResetBody):
    """Restart the station or an EVSE."""

    command: Literal["reset"]


class UnlockCommand(UnlockBody):
    """Unlock a connector."""

    command: Literal["unlock_connector"]


class TriggerCommand(TriggerBody):
    """Ask for a message."""

    command: Literal["trigger_message"]


class AvailabilityCommand(AvailabilityBody):
    """Take a place in or out of service."""

    command: Literal["change_availability"]


class ClearCacheCommand(CommandBody):
    """Empty the station's authorization cache."""

    command: Literal["clear_cache"]

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return ClearCache()


class VariableBody(BaseModel, extra="forbid"):
    """A variable of the 2.x device model. A configuration key of OCPP 1.6 is a variable without component."""

    variable: Name
    component: Annotated[str, Field(max_length=50)] = ""
    component_instance: Short | None = None
    variable_instance: Short | None = None
    evse: Evse = None
    connector: Connector = None
    attribute: Literal["Actual", "Target", "MinSet", "MaxSet"] | None = None

    def ref(self) -> VariableRef:
        """In the engine's words."""
        return VariableRef(
            variable=self.variable,
            component=self.component,
            component_instance=self.component_instance,
            variable_instance=self.variable_instance,
            evse=place_of(self.evse, self.connector),
            attribute=self.attribute,
        )


class VariableSettingBody(VariableBody):
    """A variable and its new value."""

    value: Annotated[str, Field(max_length=2500)]


class GetVariablesCommand(CommandBody):
    """Read variables (1.6: configuration keys; none named: all of them)."""

    command: Literal["get_variables"]
    variables: Annotated[list[VariableBody], Field(max_length=VARIABLES_MAX)] = []

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return GetVariables(variables=tuple(variable.ref() for variable in self.variables))


class SetVariablesCommand(CommandBody):
    """Write variables (1.6: one configuration key at a time)."""

    command: Literal["set_variables"]
    settings: Annotated[list[VariableSettingBody], Field(min_length=1, max_length=VARIABLES_MAX)]

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return SetVariables(settings=tuple(VariableSetting(ref=one.ref(), value=one.value) for one in self.settings))


class SendDataCommand(CommandBody):
    """Send a vendor's own message (OCPP DataTransfer)."""

    command: Literal["send_data"]
    vendor_id: Name
    message_id: Short | None = None
    data: Annotated[JsonValue, Field(description="Any JSON; OCPP 1.6 takes text only. null: none.")] = None

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        data = None if self.data is None else compact(self.data)
        return SendData(vendor_id=self.vendor_id, message_id=self.message_id, data=data)


class RawBody(CommandBody):
    """Any CSMS-initiated action with a payload that its official schema accepts; sent as it is."""

    action: Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9]+$", description="OCPP action.")]
    payload: Annotated[dict[str, JsonValue], Field(description="The payload of the CALL.")] = {}

    def word(self, number: int) -> Command:
        """See `CommandBody.word`."""
        del number
        return RawCommand(action=self.action, payload=compact(self.payload))


class WordCommand(CommandBody, extra="allow"):
    """Any other command of the engine's words, by its name; its fields are those of the word (schema `<Word>`)."""

    command: Annotated[
        str,
        Field(min_length=1, max_length=64, pattern="^[a-z0-9_]+$", json_schema_extra={"not": {"enum": sorted(NAMED)}}),
    ]

    def word(self, number: int) -> Command:
        """See `CommandBody.word`. Raises Problem: 422: no such command, or fields that are not its own."""
        del number
        return word_of(self.command, self.model_extra or {})


def _kind_of(body: Any) -> str | None:
    """Which body it is; pydantic asks with what came in, and with a model when it writes one."""
    if isinstance(body, RawBody):
        return RAW
    if isinstance(body, WordCommand):
        return WORD
    if isinstance(body, CommandBody):
        return str(getattr(body, "command", None))
    if not isinstance(body, dict):
        return None
    if "command" in body:
        command = body["command"]
        return (command if command in NAMED else WORD) if isinstance(command, str) else None
    return RAW if "action" in body else None


AnyCommand = Annotated[
    Annotated[RequestStartCommand, Tag("request_start")]
    | Annotated[RequestStopCommand, Tag("request_stop")]
    | Annotated[ResetCommand, Tag("reset")]
    | Annotated[UnlockCommand, Tag("unlock_connector")]
    | Annotated[TriggerCommand, Tag("trigger_message")]
    | Annotated[AvailabilityCommand, Tag("change_availability")]
    | Annotated[ClearCacheCommand, Tag("clear_cache")]
    | Annotated[GetVariablesCommand, Tag("get_variables")]
    | Annotated[SetVariablesCommand, Tag("set_variables")]
    | Annotated[SendDataCommand, Tag("send_data")]
    | Annotated[WordCommand, Tag(WORD)]
    | Annotated[RawBody, Tag(RAW)],
    Discriminator(_kind_of),
]


def _profile_of(profile: dict[str, JsonValue]) -> ChargingProfile:
    """In the engine's words. Raises Problem: 422."""
    command = word_of("set_charging_profile", {"evse": 0, "profile": profile})
    assert isinstance(command, SetChargingProfile)
    return command.profile


def place_of(evse: int | None, connector: int | None) -> EvseRef | None:
    """A place in the engine's words; None: none was named. A connector alone is of EVSE 1."""
    if evse is None and connector is None:
        return None
    return EvseRef(evse=1 if evse is None else evse, connector=connector)
