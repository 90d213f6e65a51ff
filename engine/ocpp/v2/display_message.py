"""Display messages: to set, get, clear and report them. OCPP 2.1 block O.

Translates; never decides, never remembers.
"""

from engine.model.display_message import (
    ClearDisplayMessage,
    DisplayMessage,
    DisplayMessagesReported,
    DisplayText,
    GetDisplayMessages,
    MessageFormat,
    MessagePriority,
    MessageState,
    SetDisplayMessage,
)
from engine.model.envelopes import Answer
from engine.model.notices import NoticeAnswer
from engine.ocpp import outcomes, times
from engine.ocpp.answers import expected
from engine.ocpp.translation import CommandTranslator, CsmsCall, NotExpressible, Payload, StationCall
from engine.ocpp.v2 import monitoring
from engine.ocpp.versions import Version

BLOCK = "display_message"
_STATES_OF_21 = frozenset({MessageState.SUSPENDED, MessageState.DISCHARGING})


def report_from_notify_display_messages(payload: Payload, _version: Version) -> DisplayMessagesReported:
    """A part of the messages asked for."""
    return DisplayMessagesReported(
        request_id=payload["requestId"],
        messages=tuple(_message(info) for info in payload.get("messageInfo") or ()),
        more=payload.get("tbc") is True,
    )


def notify_display_messages_response(answer: Answer, _version: Version) -> Payload:
    """Nothing to say."""
    expected(NoticeAnswer, answer, "NotifyDisplayMessages")
    return {}


def set_display_message_from_set_display_message(command: SetDisplayMessage, version: Version) -> tuple[str, Payload]:
    """A message.

    Raises:
        NotExpressible: This version does not know its state, its format, or texts in several languages.
    """
    message = command.message
    info: Payload = {
        "id": message.id,
        "priority": message.priority.value,
        "message": _content(message.text, version),
    }
    if message.state is not None:
        info["state"] = _state(message.state, version)
    if message.start_at is not None:
        info["startDateTime"] = times.format(message.start_at)
    if message.end_at is not None:
        info["endDateTime"] = times.format(message.end_at)
    if message.transaction_id is not None:
        info["transactionId"] = message.transaction_id
    if message.display is not None:
        info["display"] = monitoring.component_from_ref(message.display, version)
    if message.others:
        if version is not Version.V21:
            raise NotExpressible(
                f"OCPP {version} holds a message in one language: leave others out, or set a message for each"
            )
        info["messageExtra"] = [_content(text, version) for text in message.others]
    return "SetDisplayMessage", {"message": info}


def get_display_messages_from_get_display_messages(
    command: GetDisplayMessages, version: Version
) -> tuple[str, Payload]:
    """Which messages are there. Raises NotExpressible: this version does not know the state."""
    payload: Payload = {"requestId": command.request_id or 0}
    if command.ids:
        payload["id"] = list(command.ids)
    if command.priority is not None:
        payload["priority"] = command.priority.value
    if command.state is not None:
        payload["state"] = _state(command.state, version)
    return "GetDisplayMessages", payload


def clear_display_message_from_clear_display_message(
    command: ClearDisplayMessage, _version: Version
) -> tuple[str, Payload]:
    """A message to be removed."""
    return "ClearDisplayMessage", {"id": command.message_id}


def _state(state: MessageState, version: Version) -> str:
    """Its word. Raises NotExpressible: not in this version."""
    if state in _STATES_OF_21 and version is not Version.V21:
        raise NotExpressible(f"OCPP {version} has no message state {state}: use Charging, Faulted, Idle or Unavailable")
    return state.value


def _content(text: DisplayText, version: Version) -> Payload:
    """A MessageContentType. Raises NotExpressible: not in this version."""
    if text.format is MessageFormat.QRCODE and version is not Version.V21:
        raise NotExpressible(f"OCPP {version} shows no QR codes: use URI or UTF8")
    content: Payload = {"format": text.format.value, "content": text.content}
    if text.language is not None:
        content["language"] = text.language
    return content


def _message(info: Payload) -> DisplayMessage:
    """A MessageInfoType; empty texts count as not said."""
    display = info.get("display")
    return DisplayMessage(
        id=info["id"],
        text=_text(info["message"]),
        priority=MessagePriority(info["priority"]),
        state=MessageState(info["state"]) if "state" in info else None,
        start_at=times.parse(info.get("startDateTime")),
        end_at=times.parse(info.get("endDateTime")),
        transaction_id=info.get("transactionId") or None,
        display=None if display is None else monitoring.ref_from_names(display, None),
        others=tuple(_text(extra) for extra in info.get("messageExtra") or ()),
    )


def _text(content: Payload) -> DisplayText:
    return DisplayText(
        content=content["content"],
        format=MessageFormat(content["format"]),
        language=content.get("language") or None,
    )


FROM_STATION = (
    StationCall(
        action="NotifyDisplayMessages",
        block=BLOCK,
        report=report_from_notify_display_messages,
        response=notify_display_messages_response,
    ),
)
FROM_CSMS = (
    CsmsCall(action="SetDisplayMessage", block=BLOCK, outcome=outcomes.from_status_field),
    # Unknown answers a question: there are no such messages (O03.FR.06).
    CsmsCall(action="GetDisplayMessages", block=BLOCK, outcome=outcomes.reader_accepting("Unknown")),
    CsmsCall(action="ClearDisplayMessage", block=BLOCK, outcome=outcomes.from_status_field),
)
COMMANDS = (
    CommandTranslator(command=SetDisplayMessage, call=set_display_message_from_set_display_message),
    CommandTranslator(command=GetDisplayMessages, call=get_display_messages_from_get_display_messages),
    CommandTranslator(command=ClearDisplayMessage, call=clear_display_message_from_clear_display_message),
)
