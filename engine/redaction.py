"""Redaction: takes passwords and keys out of JSON (frames, commands) before anybody keeps it. In any version.

Known by their names: `AuthorizationKey` (1.6; write-only, yet some stations return it), `BasicAuthPassword`, any
property or variable whose name speaks of a password, VPN keys and SIM PINs, passwords within URLs
(`ftp://user:secret@host`), and in their queries what lets somebody in (`?X-Amz-Signature=...`). What a station keeps
of a customer (NotifyCustomerInformation), and whom it was asked about, is personal and taken out, too.
"""

import re
from typing import Any

import orjson

REDACTED = "***"
_SUSPICIOUS = ("password", "authorization", "vpn", "simpin", "customer", "://", "\\u")
"""What any frame with a secret has in it, in lower case. An escape can hide any name, so it is suspicious by itself."""
_URL_PASSWORD = re.compile(r"(://[^/\s:@\"]*):[^/\s\"]*@")
_URL_KEY = re.compile(
    r"([?&](?:[^=&?\s\"]{0,60}(?:signature|token|key|password|credential|secret)[^=&?\s\"]{0,60}|sig)=)[^&\s\"#]+",
    re.IGNORECASE,
)
_PERSONAL = {"NotifyCustomerInformation": "data"}
"""Action -> the field that holds what is personal."""
_NESTING_MAX = 30
_VALUES = ("value", "attributeValue")
_SECRET_NAMES = frozenset({"vpnkey", "simpin", "apnsimpin", "customeridentifier"})
_UNREADABLE = "(%d characters withheld: unreadable, and perhaps with a secret)"


def redacted(text: str) -> str:
    """The frame without its secrets; the very same text if it has none."""
    if not _is_suspicious(text):
        return text
    try:
        frame = orjson.loads(text)
    except ValueError:
        return _UNREADABLE % len(text)
    clean = _without_personal(_clean(frame, 0))
    return text if clean == frame else orjson.dumps(clean).decode()


def _without_personal(frame: Any) -> Any:
    """A CALL without what is personal in it."""
    match frame:
        case [kind, name, str(action), dict(payload), *rest] if action in _PERSONAL:
            return [kind, name, action, {**payload, _PERSONAL[action]: REDACTED}, *rest]
        case _:
            return frame


def _is_suspicious(text: str) -> bool:
    """A first look: 1 us, where a regular expression takes 15."""
    lower = text.lower()
    return any([mark in lower for mark in _SUSPICIOUS])  # noqa: C419 (a list is faster for seven marks)


def _clean(value: Any, depth: int) -> Any:
    if depth > _NESTING_MAX:
        return REDACTED
    match value:
        case dict():
            return _clean_object(value, depth)
        case list():
            return [_clean(item, depth + 1) for item in value]
        case str():
            return _clean_text(value, depth)
        case _:
            return value


def _clean_object(value: dict[str, Any], depth: int) -> dict[str, Any]:
    named = _names_secret(value)
    clean: dict[str, Any] = {}
    for key, item in value.items():
        if (_is_secret(key) and not isinstance(item, dict | list)) or (named and key in _VALUES):
            clean[key] = REDACTED
        elif key == "vpn" and isinstance(item, dict) and isinstance(item.get("key"), str):
            clean[key] = {**_clean_object(item, depth + 1), "key": REDACTED}  # VPNType.key, a shared secret
        elif named and key == "variableAttribute" and isinstance(item, list):
            clean[key] = [_without_values(attribute, depth + 1) for attribute in item]
        else:
            clean[key] = _clean(item, depth + 1)
    return clean


def _without_values(attribute: Any, depth: int) -> Any:
    if not isinstance(attribute, dict):
        return _clean(attribute, depth)
    return {key: REDACTED if key in _VALUES else _clean(item, depth + 1) for key, item in attribute.items()}


def _names_secret(value: dict[str, Any]) -> bool:
    """Whether an object carries the value of a secret.

    1.6: `{key, value}`, 2.x: `{variable: {name}, attributeValue}`, our words: `{ref: {variable}, value}`.
    """
    names = [value.get("key"), value.get("variableName")]
    variable, ref = value.get("variable"), value.get("ref")
    if isinstance(variable, dict):
        names.append(variable.get("name"))
    if isinstance(ref, dict):
        names.append(ref.get("variable"))
    component = value.get("component")
    vpn = isinstance(component, dict) and "vpn" in str(component.get("name")).lower()
    return any(isinstance(name, str) and (_is_secret(name) or (vpn and name.lower() == "key")) for name in names)


def redacted_url(url: str) -> str:
    """The address without the password, or the keys in its query, that may stand in it."""
    return _URL_KEY.sub(rf"\1{REDACTED}", _URL_PASSWORD.sub(rf"\1:{REDACTED}@", url))


def is_secret_variable(component: str, variable: str) -> bool:
    """Whether a variable of the device model, or a 1.6 key (component ''), holds a secret: its value is never kept."""
    return _is_secret(variable) or ("vpn" in component.lower() and variable.lower() == "key")


def _is_secret(name: str) -> bool:
    plain = name.lower().replace(" ", "").replace("_", "").replace("-", "")
    return "password" in plain or "authorizationkey" in plain or plain in _SECRET_NAMES


def _clean_text(text: str, depth: int) -> str:
    """A string: JSON within it (DataTransfer) and passwords within URLs."""
    if text[:1] in ("{", "[") and _is_suspicious(text):
        try:
            inner = orjson.loads(text)
        except ValueError:
            return REDACTED
        clean = _clean(inner, depth + 1)
        return text if clean == inner else orjson.dumps(clean).decode()
    return redacted_url(text) if "://" in text else text
