"""Writes docs/ocpp-support.md to stdout, from the catalogue of actions and its translators: `make docs`."""

import re
import sys
from collections.abc import Callable
from typing import Any, Final, NamedTuple, get_args, get_type_hints

import orjson

from engine.model.envelopes import Report
from engine.model.notices import NoticeAnswer, StationNotice
from engine.ocpp.catalogue import DIALECT_OF_VERSION, Action, actions
from engine.ocpp.versions import Version
from ingress.http.api.words import name_of

FROM_STATION: Final = "station → Narke"
FROM_CSMS: Final = "Narke → station"
TEST_OF_DIRECTION: Final = {FROM_STATION: "test_narke_understands", FROM_CSMS: "test_narke_commands"}
"""In tests/conformance/test_every_action.py."""

ALSO_SAYS: Final[dict[tuple[str, Version], tuple[str, ...]]] = {
    ("trigger_message", Version.V16): ("ExtendedTriggerMessage",),
    ("get_log", Version.V16): ("GetDiagnostics",),
    ("update_firmware", Version.V16): ("SignedUpdateFirmware",),
}
"""(word, version) -> actions that it says beside the one that its translator is named after."""

NAME_OF_BLOCK: Final = {
    "security": "Security",
    "provisioning": "Provisioning",
    "authorization": "Authorization",
    "local_list": "Local authorization list",
    "transactions": "Transactions",
    "remote_control": "Remote control",
    "availability": "Availability",
    "reservation": "Reservation",
    "tariff_and_cost": "Tariff and cost",
    "metering": "Metering",
    "smart_charging": "Smart charging",
    "firmware": "Firmware",
    "certificates": "Certificates",
    "diagnostics": "Diagnostics and monitoring",
    "display_message": "Display messages",
    "data_transfer": "Data transfer",
    "bidirectional": "Bidirectional power transfer",
    "der_control": "DER control",
    "battery_swap": "Battery swap",
}
"""In the order of OCPP's functional blocks, which is that of the page."""

_REPORTS = frozenset(get_args(Report)) - {StationNotice}


class Row(NamedTuple):
    """A line of the page: what Narke does with one action in one direction, in these versions."""

    action: str
    versions: tuple[Version, ...]
    direction: str
    does: str

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests that show it, by id."""
        return tuple(f"{TEST_OF_DIRECTION[self.direction]}[{version}-{self.action}]" for version in self.versions)


def page() -> str:
    """The whole page."""
    return "".join((_INTRODUCTION, _counts(), *(_block(name, title) for name, title in NAME_OF_BLOCK.items())))


def rows() -> list[tuple[str, Row]]:
    """All rows with their blocks: the versions that agree share one."""
    found: dict[tuple[str, str, str, str], list[Version]] = {}
    for version in Version:
        for action in actions(version).values():
            if action.from_station is not None:
                does = _from_station(action, version)
                found.setdefault((action.block, action.name, FROM_STATION, does), []).append(version)
            if action.from_csms is not None:
                does = _from_csms(action, version)
                found.setdefault((action.block, action.name, FROM_CSMS, does), []).append(version)
    return [
        (block, Row(name, tuple(versions), direction, does))
        for (block, name, direction, does), versions in sorted(found.items())
    ]


def words_of(action: str, version: Version) -> list[str]:
    """The words of REST that say an action, by the names of their translators: `<action>_from_<command>`."""
    named = _snake(action)
    return sorted(
        name_of(word)
        for word, translator in DIALECT_OF_VERSION[version].commands.items()
        if _function_name(translator.call).split("_from_")[0] == named
        or action in ALSO_SAYS.get((name_of(word), version), ())
    )


def _from_station(action: Action, version: Version) -> str:
    """By which word it is understood, or recorded verbatim and answered with what."""
    call = action.from_station
    assert call is not None, "only what stations say is asked for"
    reported = _words_reported(call.report)
    if reported:
        return f"understood: {', '.join(f'`{name}`' for name in reported)}"
    if call.response is None:
        return "recorded verbatim; a SEND has no answer"
    return f"recorded verbatim; answered with `{orjson.dumps(call.response(NoticeAnswer(), version)).decode()}`"


def _words_reported(report: Callable[..., Any]) -> list[str]:
    """The words that a translator makes of a payload, as its annotation says; none: it keeps the payload verbatim."""
    returned = get_type_hints(report).get("return")
    kinds = set(get_args(returned)) or {returned}
    return sorted(kind.__name__ for kind in kinds & _REPORTS) if kinds != set(get_args(Report)) else []


def _from_csms(action: Action, version: Version) -> str:
    """By which command words it can be said; always raw."""
    words = words_of(action.name, version)
    return f"command {', '.join(f'`{word}`' for word in words)}; raw" if words else "raw"


def _function_name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "")


def _snake(action: str) -> str:
    """`GetBaseReport` -> get_base_report, as functions are named; `NotifyDERAlarm` -> notify_der_alarm."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[0-9]+", action)
    return "_".join(word.lower() for word in words)


def _block(name: str, title: str) -> str:
    lines = [
        f"| `{row.action}` | {', '.join(row.versions)} | {row.direction} | {row.does} | {_tests(row)} |"
        for block, row in rows()
        if block == name
    ]
    head = "| action | versions | direction | what Narke does | shown by |\n|---|---|---|---|---|\n"
    return f"\n## {title}\n\n{head}" + "\n".join(lines) + "\n" if lines else ""


def _tests(row: Row) -> str:
    """As `understands[1.6-Heartbeat]`: the long beginnings stand once, above the tables."""
    return " ".join(f"`{test.removeprefix('test_narke_')}`" for test in row.tests)


def _counts() -> str:
    """How many there are, so that a change of the catalogue is seen."""
    head = "| version | actions | of them from stations | understood | of them to stations | by a command word |"
    lines = [f"\n## In figures\n\n{head}\n|---|---|---|---|---|---|\n"]
    for version in Version:
        table = actions(version).values()
        heard = [action for action in table if action.from_station is not None]
        understood = [action for action in heard if _from_station(action, version).startswith("understood")]
        said = [action for action in table if action.from_csms is not None]
        by_word = [action for action in said if words_of(action.name, version)]
        lines.append(
            f"| {version} | {len(table)} | {len(heard)} | {len(understood)} | {len(said)} | {len(by_word)} |\n"
        )
    return "".join(lines)


_INTRODUCTION = """\
# OCPP: every action

<!-- Generated by `make docs` from the catalogue of actions; do not edit. -->

What Narke does with every action of OCPP 1.6 (with the security whitepaper), 2.0.1 and 2.1, in each direction, and the
test that shows it. How a station connects, what is tolerated and what is answered to bad input: [OCPP](ocpp.md).
Which requirements and certification cases have tests: [conformance](conformance.md).

*Understood*: it becomes a report of Narke's own (the word named here, in `engine/model/`), a fact of the domain (a
transaction, a status, ...), and is answered by the rules of its block.
*Recorded verbatim*: it passes its schema, is kept whole as an event of the station (`narke events`, kind `notice`), and
is answered with the words given here, which commit Narke to least.
*Command*: `POST /api/v1/stations/{station}/commands` with `{"command": "<word>", ...}` and `narke send STATION <word>`;
the same word in all versions that can say it. Words and fields are in [the API](api.md#commands).
*Raw*: `narke send STATION ACTION PAYLOAD` and `{"action": ..., "payload": ...}`; the payload is checked against the
official schema and sent as it is. Every action that a CSMS may start can be sent raw, also those with a word.

Each row is shown end to end, through a real socket of a whole Narke, by tests of
[test_every_action.py](../tests/conformance/test_every_action.py); `understands[1.6-Authorize]` is
`test_narke_understands[1.6-Authorize]`.
"""


if __name__ == "__main__":
    sys.stdout.write(page())
