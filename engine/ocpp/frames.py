"""Frames: the JSON arrays of OCPP-J, decoded with tolerance and encoded strictly. 1.6J and 2.x part 4, section 4.

Accepted though wrong, because real stations send it: numeric message ids (answered with the same number), a null,
missing or empty-list payload for `{}`, CALLERROR of three or four elements, with null, text or list for details, an
unknown error code. Refused: message ids over 36 characters, nesting beyond `NESTING_MAX`, NaN and infinite numbers.
The character NUL, which no database stores, becomes U+FFFD.
"""

from typing import Any

import msgspec
import orjson

from engine.ocpp.errors import BadFrame, ErrorCode, LocalError
from engine.ocpp.versions import Version

CALL = 2
CALL_RESULT = 3
CALL_ERROR = 4
CALL_RESULT_ERROR = 5
SEND = 6

MESSAGE_ID_LENGTH_MAX = 36
MESSAGE_ID_GIVEN_BACK_MAX = 255
"""Characters of a message id that is too long, but still given back in the error that says so (1.6J section 4.2.3)."""
NESTING_MAX = 100
"""Depth of brackets; OCPP itself needs about a dozen."""
UNREADABLE_ID = "-1"
"""The message id of an error about a frame whose id could not be read (2.x part 4 section 4.2.3)."""

_TYPES_OF_VERSION: dict[Version, frozenset[int]] = {
    Version.V16: frozenset({CALL, CALL_RESULT, CALL_ERROR}),
    Version.V201: frozenset({CALL, CALL_RESULT, CALL_ERROR}),
    Version.V21: frozenset({CALL, CALL_RESULT, CALL_ERROR, CALL_RESULT_ERROR, SEND}),
}


class Call(msgspec.Struct, frozen=True, gc=False):
    """`[2, id, action, payload]`. `numeric_id`: the station wrote its id as a number and gets it back as one."""

    message_id: str
    action: str
    payload: dict[str, Any]
    numeric_id: bool = False


class CallResult(msgspec.Struct, frozen=True, gc=False):
    """`[3, id, payload]`."""

    message_id: str
    payload: dict[str, Any]
    numeric_id: bool = False


class CallError(msgspec.Struct, frozen=True, gc=False):
    """`[4, id, code, description, details]`. `code`: as written."""

    message_id: str
    code: str
    description: str = ""
    details: dict[str, Any] = {}
    numeric_id: bool = False


class CallResultError(msgspec.Struct, frozen=True, gc=False):
    """`[5, id, code, description, details]`, 2.1 only: the answer to a CALLRESULT that could not be understood."""

    message_id: str
    code: str
    description: str = ""
    details: dict[str, Any] = {}
    numeric_id: bool = False


class Send(msgspec.Struct, frozen=True, gc=False):
    """`[6, id, action, payload]`, 2.1 only: never answered."""

    message_id: str
    action: str
    payload: dict[str, Any]


Frame = Call | CallResult | CallError | CallResultError | Send


def decode(text: str | bytes, version: Version) -> Frame:
    """Reads one frame.

    Raises:
        BadFrame: It is none; says what is wrong and what could be read of it. A MessageTypeId that the version does not
            know has the code MessageTypeNotSupported and is to be ignored (1.6J section 4.1.3, 2.1 part 4 section 4.4).
    """
    elements = _elements(text)
    message_type = elements[0]
    if type(message_type) is not int or message_type not in _TYPES_OF_VERSION[version]:
        raise BadFrame(ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED, f"MessageTypeId {str(message_type)[:20]} is unknown")
    message_id, numeric = _message_id(elements, message_type)
    match message_type:
        case 2:
            action, payload = _action_and_payload(elements, message_id, numeric=numeric)
            return Call(message_id, action, payload, numeric)
        case 6:
            action, payload = _action_and_payload(elements, message_id, numeric=numeric)
            return Send(message_id, action, payload)
        case 3:
            return CallResult(message_id, _result_payload(elements, message_id), numeric)
        case _:
            return _error(elements, message_id, numeric=numeric)


def encode(frame: Frame) -> str:
    """Writes one frame.

    Raises:
        LocalError: A payload that is no JSON.
    """
    message_id: str | int = frame.message_id
    if not isinstance(frame, Send) and frame.numeric_id:
        message_id = int(frame.message_id)
    elements: tuple[Any, ...]
    match frame:
        case Call():
            elements = (CALL, message_id, frame.action, frame.payload)
        case CallResult():
            elements = (CALL_RESULT, message_id, frame.payload)
        case CallError():
            elements = (CALL_ERROR, message_id, frame.code, frame.description, frame.details)
        case CallResultError():
            elements = (CALL_RESULT_ERROR, message_id, frame.code, frame.description, frame.details)
        case Send():
            elements = (SEND, message_id, frame.action, frame.payload)
    try:
        return orjson.dumps(elements).decode()
    except TypeError as error:
        raise LocalError(f"a frame to be sent is no JSON: {error}") from error


def _elements(text: str | bytes) -> list[Any]:
    """The JSON array, its depth and its characters checked; never empty."""
    try:
        elements: list[Any] = orjson.loads(text)
    except ValueError as error:
        raise BadFrame(ErrorCode.RPC_FRAMEWORK_ERROR, f"not valid JSON: {error}") from None
    if type(elements) is not list or not elements:
        raise BadFrame(ErrorCode.RPC_FRAMEWORK_ERROR, "not a JSON array of at least one element")
    data = text if isinstance(text, str) else text.decode()
    if data.count("[") + data.count("{") > NESTING_MAX and _is_deeper(elements, NESTING_MAX):
        raise BadFrame(ErrorCode.RPC_FRAMEWORK_ERROR, f"nested deeper than {NESTING_MAX} levels")
    if "\\u0000" in data:
        return [_without_nul(element) for element in elements]
    return elements


def _message_id(elements: list[Any], message_type: int) -> tuple[str, bool]:
    """The message id as text, and whether it was written as a number."""
    raw = elements[1] if len(elements) > 1 else None
    numeric = type(raw) is int
    if not numeric and (type(raw) is not str or not raw):
        raise BadFrame(
            ErrorCode.RPC_FRAMEWORK_ERROR, "the message id is missing or no string", message_type=message_type
        )
    message_id = str(raw)
    if len(message_id) > MESSAGE_ID_LENGTH_MAX:
        text = f"the message id has {len(message_id)} characters, {MESSAGE_ID_LENGTH_MAX} are allowed"
        given_back = message_id if len(message_id) <= MESSAGE_ID_GIVEN_BACK_MAX else None
        raise BadFrame(
            ErrorCode.RPC_FRAMEWORK_ERROR, text, message_type=message_type, message_id=given_back, numeric_id=numeric
        )
    return message_id, numeric


def _action_and_payload(elements: list[Any], message_id: str, *, numeric: bool) -> tuple[str, dict[str, Any]]:
    """Action and payload of a CALL or SEND."""
    count = len(elements)
    if count == 4:
        action, payload = elements[2], elements[3]
        if type(action) is str and action and type(payload) is dict:
            return action, payload
    else:
        action, payload = (elements[2], None) if count == 3 else (None, None)
    if count > 4:
        code, text = ErrorCode.RPC_FRAMEWORK_ERROR, f"{count} elements where 4 belong"
    elif type(action) is not str or not action:
        code, text = ErrorCode.RPC_FRAMEWORK_ERROR, "the action is missing or no string"
    elif payload is None or payload == []:
        return action, {}
    else:
        code, text = ErrorCode.FORMAT_VIOLATION, "the payload is no JSON object"
    raise BadFrame(code, text, message_type=elements[0], message_id=message_id, numeric_id=numeric)


def _result_payload(elements: list[Any], message_id: str) -> dict[str, Any]:
    """Payload of a CALLRESULT; what follows it is ignored."""
    payload = elements[2] if len(elements) > 2 else None
    if type(payload) is dict:
        return payload
    if payload is None or payload == []:
        return {}
    text = "the payload of the CALLRESULT is no JSON object"
    raise BadFrame(ErrorCode.FORMAT_VIOLATION, text, message_type=CALL_RESULT, message_id=message_id)


def _error(elements: list[Any], message_id: str, *, numeric: bool) -> CallError | CallResultError:
    """A CALLERROR or CALLRESULTERROR, however incomplete."""
    code, description, details = [*elements[2:5], None, None, None][:3]
    if not isinstance(details, dict):
        details = {} if details is None or details in ("", []) else {"details": details}
    kind = CallError if elements[0] == CALL_ERROR else CallResultError
    return kind(
        message_id,
        code if isinstance(code, str) and code else ErrorCode.GENERIC_ERROR.value,
        description if isinstance(description, str) else "" if description is None else str(description),
        details,
        numeric,
    )


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether brackets nest deeper than so many levels. Breadth first, so no recursion."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not layer:
            return False
    return True


def _without_nul(value: Any) -> Any:
    """The same value with U+FFFD for NUL, in keys too. The depth is bounded already."""
    match value:
        case str():
            return value.replace("\x00", "\ufffd")
        case list():
            return [_without_nul(inner) for inner in value]
        case dict():
            return {_without_nul(key): _without_nul(inner) for key, inner in value.items()}
        case _:
            return value
