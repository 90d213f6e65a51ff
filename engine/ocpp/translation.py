"""What a translator is: the rows of the catalogue, filled by `v16` and `v2`, a file per block.

Translators translate: they never decide, remember or invent. What a version does not say stays None.
Payloads are JSON objects as `orjson` gives them, already accepted by the official schema.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from engine.model.commands import Outcome
from engine.model.envelopes import Answer, Report
from engine.ocpp.versions import Version

Payload = dict[str, Any]


class NotExpressible(Exception):  # noqa: N818 (a fact about versions, not a fault)
    """This version of OCPP cannot say this command; the message says what it cannot and what to use instead."""


class StationCall(msgspec.Struct, frozen=True, kw_only=True):
    """An action that stations start.

    `report` turns a payload into a word; `response` turns the answer to it into the payload of the CALLRESULT.
    `response` None: the action is a SEND, which has no answer.
    """

    action: str
    block: str
    report: Callable[[Payload, Version], Report]
    response: Callable[[Answer, Version], Payload] | None


class CsmsCall(msgspec.Struct, frozen=True, kw_only=True):
    """An action that we start. `outcome` reads the payload of the station's CALLRESULT."""

    action: str
    block: str
    outcome: Callable[[Payload, Version], Outcome]


class CommandTranslator(msgspec.Struct, frozen=True, kw_only=True):
    """How a command is said: `call` gives action and payload. Raises NotExpressible."""

    command: type
    call: Callable[[Any, Version], tuple[str, Payload]]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """All that one family of versions can say, by name: `from_station`, `from_csms` (actions), `commands` (types)."""

    from_station: dict[str, StationCall]
    from_csms: dict[str, CsmsCall]
    commands: dict[type, CommandTranslator]
