"""Display messages: texts that stations show beside their own. OCPP 2.1 block O, 2.x only."""

from datetime import datetime
from enum import StrEnum

from engine.model.provisioning import VariableRef
from engine.model.word import Word


class MessagePriority(StrEnum):
    """How a message is shown among others (2.1 MessagePriorityEnumType)."""

    ALWAYS_FRONT = "AlwaysFront"
    """Alone; a station has one of them: a new one takes its place (O01.FR.16)."""
    IN_FRONT = "InFront"
    NORMAL_CYCLE = "NormalCycle"


class MessageState(StrEnum):
    """In which state of the station a message is shown. 2.1 alone knows the last two."""

    CHARGING = "Charging"
    FAULTED = "Faulted"
    IDLE = "Idle"
    UNAVAILABLE = "Unavailable"
    SUSPENDED = "Suspended"
    DISCHARGING = "Discharging"


class MessageFormat(StrEnum):
    """2.1 MessageFormatEnumType. 2.1 alone knows QRCODE."""

    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"
    QRCODE = "QRCODE"


class DisplayText(Word, frozen=True):
    """A text in one language (an RFC 5646 tag, e.g. en-US; None: not said)."""

    content: str
    format: MessageFormat = MessageFormat.UTF8
    language: str | None = None


class DisplayMessage(Word, frozen=True):
    """A message. `id`: given by whoever sets it; one that exists is replaced (O06).

    `state` None: in every state. `start_at`, `end_at` None: at once, for ever. `transaction_id`: during this one only.
    `display`: the component of one display; None: the main one. `others`: the text in other languages (2.1, up to 4).
    """

    id: int
    text: DisplayText
    priority: MessagePriority = MessagePriority.NORMAL_CYCLE
    state: MessageState | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    transaction_id: str | None = None
    display: VariableRef | None = None
    others: tuple[DisplayText, ...] = ()


class SetDisplayMessage(Word, frozen=True):
    """Command: show a message."""

    message: DisplayMessage


class GetDisplayMessages(Word, frozen=True):
    """Command: report the messages with these ids, priority and state; none named: all."""

    ids: tuple[int, ...] = ()
    priority: MessagePriority | None = None
    state: MessageState | None = None
    request_id: int | None = None


class ClearDisplayMessage(Word, frozen=True):
    """Command: remove a message."""

    message_id: int


class DisplayMessagesReported(Word, frozen=True):
    """Report: a part of the messages asked for. `more`: another part follows."""

    request_id: int
    messages: tuple[DisplayMessage, ...] = ()
    more: bool = False


class DisplayMessageSet(Word, frozen=True):
    """Fact: a station shows this message. `replaces`: another that it shows no more.

    `follows`: its transaction is open here, so its end will be seen.
    """

    message: DisplayMessage
    noted_at: datetime
    replaces: int | None = None
    follows: bool = False


class DisplayMessageGone(Word, frozen=True):
    """Fact: a station does not show this message any more. `why`: cleared, unknown, expired or transaction_ended."""

    message_id: int
    noted_at: datetime
    why: str


class DisplayMessagesAsked(Word, frozen=True):
    """Fact: a report of messages was asked for. `whole`: it will tell of all. `empty`: there are none at all."""

    request_id: int
    noted_at: datetime
    accepted: bool | None
    whole: bool = False
    empty: bool = False
    expected_by: datetime | None = None


class DisplayMessagesRecorded(Word, frozen=True):
    """Fact: a part of a report came. `first`: of a whole report: what was known before is out of date.

    `flags`: what is odd about it. `following`: of which messages the transaction is open here.
    """

    report: DisplayMessagesReported
    at: datetime
    first: bool = False
    expected_by: datetime | None = None
    following: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


class DisplayReportMissing(Word, frozen=True):
    """Fact: the rest of a report did not come in time."""

    request_id: int
    noted_at: datetime
