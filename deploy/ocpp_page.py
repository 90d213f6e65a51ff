"""Writes docs/ocpp.md to stdout, from the catalogue of actions and the translators themselves: `make docs`."""

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import orjson

from engine.model.authorization import ClearCache, Token
from engine.model.availability import ChangeAvailability
from engine.model.commands import Command
from engine.model.data_transfer import SendData
from engine.model.ids import EvseRef
from engine.model.notices import NoticeAnswer
from engine.model.provisioning import (
    GetVariables,
    ResetKind,
    ResetStation,
    SetVariables,
    VariableRef,
    VariableSetting,
)
from engine.model.remote_control import RequestStart, RequestStop, TriggerMessage, UnlockConnector
from engine.ocpp import notices
from engine.ocpp.catalogue import Action, actions, command_call
from engine.ocpp.errors import TEXT_OF_CODE, ErrorCode
from engine.ocpp.frames import MESSAGE_ID_LENGTH_MAX, NESTING_MAX
from engine.ocpp.repairs import LENIENT_ACTIONS
from engine.ocpp.v2 import notices as notices_v2
from engine.ocpp.versions import VERSION_OF_SUBPROTOCOL, Version
from ingress.ocpp.handshake import IDENTITY_LENGTH_MAX
from ingress.ocpp.session import SUPERSEDED
from ingress.settings import OcppSettings

_DEFAULTS = OcppSettings()

_VARIABLE = VariableRef(variable="HeartbeatInterval", component="OCPPCommCtrlr")

_SAMPLES: tuple[tuple[str, Command], ...] = (
    ("start", RequestStart(token=Token(value="T"), remote_start_id=1)),
    ("stop", RequestStop(transaction_id="1")),
    ("reset", ResetStation(kind=ResetKind.ON_IDLE)),
    ("unlock", UnlockConnector(evse=EvseRef(evse=1, connector=1))),
    ("trigger", TriggerMessage(message="Heartbeat")),
    ("availability", ChangeAvailability(evse=EvseRef(evse=0), operative=True)),
    ("clear_cache", ClearCache()),
    ("get_variables", GetVariables(variables=(_VARIABLE,))),
    ("set_variables", SetVariables(settings=(VariableSetting(ref=_VARIABLE, value="1"),))),
    ("send_data", SendData(vendor_id="V")),
)
"""The word of REST for each command, and the least that can be said with it."""

_NAME_OF_BLOCK = {
    "provisioning": "Provisioning",
    "authorization": "Authorization",
    "local_list": "Local authorization list",
    "transactions": "Transactions",
    "remote_control": "Remote control",
    "availability": "Availability",
    "metering": "Metering",
    "reservation": "Reservation",
    "tariff_and_cost": "Tariff and cost",
    "smart_charging": "Smart charging",
    "firmware": "Firmware",
    "security": "Security",
    "certificates": "Certificates",
    "diagnostics": "Diagnostics and monitoring",
    "display_message": "Display messages",
    "data_transfer": "Data transfer",
    "bidirectional": "Bidirectional power transfer",
    "der_control": "DER control",
    "battery_swap": "Battery swap",
}
"""In the order of the page."""


class Row(NamedTuple):
    """A line of the page: what Narke does with one action in one direction, in these versions."""

    action: str
    versions: tuple[Version, ...]
    direction: str
    does: str


def page() -> str:
    """The whole page."""
    tables = (_block(name, title) for name, title in _NAME_OF_BLOCK.items())
    return "".join((_introduction(), *tables, _counts()))


def rows() -> list[tuple[str, Row]]:
    """All rows with their blocks: the versions that agree share one."""
    found: dict[tuple[str, str, str, str], list[Version]] = {}
    for version in Version:
        for action in actions(version).values():
            if action.from_station is not None:
                does = _from_station(action, version)
                found.setdefault((action.block, action.name, "station → Narke", does), []).append(version)
            if action.from_csms is not None:
                does = _from_csms(action, version)
                found.setdefault((action.block, action.name, "Narke → station", does), []).append(version)
    return [
        (block, Row(name, tuple(versions), direction, does))
        for (block, name, direction, does), versions in sorted(found.items())
    ]


def _from_station(action: Action, version: Version) -> str:
    """Understood, or recorded verbatim and answered with what."""
    call = action.from_station
    assert call is not None
    if not _is_notice(call.report):
        return "understood"
    if call.response is None:
        return "recorded verbatim; a SEND has no answer"
    payload = call.response(NoticeAnswer(), version)
    text = orjson.dumps(payload).decode() if payload else "{}"
    if action.name in _ECHOING:
        return f"recorded verbatim; answered with `{_ECHOING[action.name]}`"
    return f"recorded verbatim; answered with `{text}`"


_ECHOING = {
    "VatNumberValidation": '{"vatNumber": as asked, "evseId": as asked, "status":"Rejected"}',
    "GetCertificateChainStatus": '{"certificateStatus": each one asked for, with "status":"Failed"}',
}
"""Answers that repeat what was asked."""


def _is_notice(report: Callable[..., Any]) -> bool:
    """Whether the action's meaning is kept verbatim only: its translator is one of the notices'."""
    return report.__module__ in {notices.__name__, notices_v2.__name__}


def _from_csms(action: Action, version: Version) -> str:
    """By which command words it can be said; always raw."""
    words = [word for word, command in _SAMPLES if command_call(version, command)[0] == action.name]
    return f"command {', '.join(f'`{word}`' for word in words)}; raw" if words else "raw"


def _block(name: str, title: str) -> str:
    lines = [f"| `{row.action}` | {_words(row.versions)} | {row.direction} | {row.does} |" for block, row in rows()
             if block == name]  # fmt: skip
    head = f"\n### {title}\n\n| action | versions | direction | what Narke does |\n|---|---|---|---|\n"
    return head + "\n".join(lines) + "\n" if lines else ""


def _words(versions: tuple[Version, ...]) -> str:
    return ", ".join(versions)


def _counts() -> str:
    """How many there are, so that a change of the catalogue is seen."""
    head = "| version | actions | of them from stations | understood | of them to stations | by a command word |"
    lines = [f"\n## In figures\n\n{head}\n|---|---|---|---|---|---|\n"]
    for version in Version:
        table = actions(version).values()
        heard = [action for action in table if action.from_station is not None]
        understood = [action for action in heard if _from_station(action, version) == "understood"]
        said = [action for action in table if action.from_csms is not None]
        by_word = [action for action in said if _from_csms(action, version) != "raw"]
        lines.append(
            f"| {version} | {len(table)} | {len(heard)} | {len(understood)} | {len(said)} | {len(by_word)} |\n"
        )
    return "".join(lines)


def _error_codes() -> str:
    lines = [
        f"| {TEXT_OF_CODE[Version.V16][code]} | {TEXT_OF_CODE[Version.V201][code]} | {_MEANING_OF_CODE[code]} |"
        for code in ErrorCode
        if code in _MEANING_OF_CODE
    ]
    return "| 1.6 | 2.0.1, 2.1 | when Narke sends it |\n|---|---|---|\n" + "\n".join(lines)


_MEANING_OF_CODE = {
    ErrorCode.NOT_IMPLEMENTED: "the version has no action of that name",
    ErrorCode.NOT_SUPPORTED: "the action exists, but only a CSMS may start it",
    ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION: "a required field is missing (2.x), or a list is too short or too long",
    ErrorCode.PROTOCOL_ERROR: "a required field is missing (1.6), or a CALL came where a SEND belongs (2.1)",
    ErrorCode.TYPE_CONSTRAINT_VIOLATION: "a field has the wrong type",
    ErrorCode.PROPERTY_CONSTRAINT_VIOLATION: "a field has a value that is not allowed",
    ErrorCode.FORMAT_VIOLATION: "a field that the schema does not know, or a CALL of which only the id is readable",
    ErrorCode.RPC_FRAMEWORK_ERROR: "the frame is no JSON array, or its id is unreadable (1.6: no answer)",
    ErrorCode.SECURITY_ERROR: "the registration is Pending or Rejected; or deciding raised an error (log)",
    ErrorCode.INTERNAL_ERROR: "reading the message or wording its answer raised an error in Narke; it is in the log",
}


def _introduction() -> str:
    lenient = ", ".join(f"`{name}`" for name in sorted(LENIENT_ACTIONS))
    protocols = ", ".join(f"`{name}`" for name in VERSION_OF_SUBPROTOCOL)
    return _INTRODUCTION.format(
        identity_max=IDENTITY_LENGTH_MAX,
        protocols=protocols,
        calls_open_max=_DEFAULTS.calls_open_max,
        message_bytes_max=f"{_DEFAULTS.message_bytes_max:,}",
        message_id_max=MESSAGE_ID_LENGTH_MAX,
        nesting_max=NESTING_MAX,
        ping_interval_s=f"{_DEFAULTS.ping_interval_s:g}",
        lenient=lenient,
        superseded=SUPERSEDED,
        codes=_error_codes(),
    )


_INTRODUCTION = """\
# OCPP

<!-- Generated by `make docs` from the catalogue of actions; do not edit. -->

Narke speaks OCPP-J: JSON over WebSocket, in the versions 1.6 (with the security whitepaper), 2.0.1 and 2.1.
SOAP and 2.0 are not spoken.
This page says how a station connects, what Narke tolerates, what it answers, and what it does with every action.

## Connecting

**URL.** `ws://<host>:<port>/ocpp/<identity>`, or `ws://<host>:<port>/<identity>`.
The identity is the last part of the path, percent-decoded once; case matters.
It has 1 to {identity_max} characters, none of them `:`, `/` or a control character.
The version is never taken from the URL.

**Subprotocol.** The station offers {protocols} in `Sec-WebSocket-Protocol`.
The first of its list that Narke speaks is taken.
Where none is, the handshake is completed without a subprotocol and the connection closed with code 1002
(2.x part 4 section 3.1.2).

**Security profiles.** 0 (nothing) and 1 (HTTP Basic; the user name is the identity, the password at least 8 characters;
only its argon2id hash is kept).
A station that has a password must present it, whatever its profile.
`ocpp.security_profile_min = 1` demands it of all.
With `ocpp.hex_passwords` the bytes that a hexadecimal password decodes to are right too, because OCPP 1.6 stations send
them. Profiles 2 and 3 (TLS) are not built: put a proxy in front, see [operating](operating.md#security).

**One connection for each station.** A newer connection of the same identity replaces the older one, which is
closed with code {superseded}. Two devices with one identity push each other out; after `ocpp.takeovers_per_min` of
these a minute they are told 503.

**Limits.** A message has at most {message_bytes_max} bytes (`ocpp.message_bytes_max`; above: close code 1009),
a message id at most {message_id_max} characters, brackets nest at most {nesting_max} deep.
A station may have {calls_open_max} calls open (`ocpp.calls_open_max`); above it, and above `ocpp.messages_per_s`,
Narke reads more slowly and drops nothing.
Narke has one call to a station open at a time; further commands wait.
Narke pings every {ping_interval_s} s (`ocpp.ping_interval_s`).

## What is answered, and when

A message that passes its official schema is decided, recorded, and answered, in this order.
If it cannot be recorded (Redis is away) it is not answered, so that the station sends it again.
A repeat, recognised by message id and content, gets the recorded answer.
Answers leave in the order of the calls.

## Leniency

What a station sends is checked against the official JSON schema of its version.
What fails is repaired where the meaning is plain, and checked again:

- null and empty values of optional fields are dropped, and nulls in lists;
- an object where a list belongs becomes a list of one;
- numbers and booleans where a text belongs are written as text; texts where a number or boolean belongs are read;
- fractions where an integer belongs are rounded;
- words of an enumeration in the wrong case are respelled; unknown ones become its `Other`, where it has one;
- meter values without a sample are dropped.

An error to {lenient}
would make a station repeat the message for ever, or lock it out.
In these (and in a station's answers to commands) unknown fields and unknown words of optional fields are dropped
too, and texts may be too long.
Also tolerated: numeric message ids (answered with the same number), a missing payload, incomplete CALLERRORs, the
character NUL (becomes U+FFFD), times in forms other than ISO 8601, or none at all.
Repairs are logged at level `debug`. What Narke itself sends is checked strictly and never repaired.

## Error codes

{codes}

A frame with an unknown MessageTypeId is ignored.
Codes of stations are accepted in every spelling.

## What Narke does with each action

*Understood*: it becomes a fact of Narke's own (a transaction, a status, ...) and is answered by the
rules of its domain.
*Recorded verbatim*: it passes its schema, is kept whole as an event of the station (`narke events`, kind `notice`), and
is answered with the words given here, which commit Narke to least.
*Command*: REST and `narke` have a word for it, the same in all versions;
words and fields are in [the API](api.md#commands).
*Raw*: `narke send STATION ACTION PAYLOAD` and `{{"action": ..., "payload": ...}}` send it; the payload is checked
against the official schema and sent as it is. Every action that a CSMS may start can be sent
raw, also those with a word.

Narke does not act by itself on what it only records: it sends no local lists, tariffs, charging profiles, certificates,
firmware or display messages; it makes no reservations and no monitors. Whoever needs these sends them raw.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
