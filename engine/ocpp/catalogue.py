"""The catalogue: THE table of actions by version, and the five things that an ingress does with it.

Its rows come from the dialects (`v16.dialect`, `v2.dialect`); an action belongs to a version if the version's official
schemas have it. Payloads are checked by their schema on the way in (with repairs) and on the way out (without).
"""

from typing import NamedTuple

import msgspec
import orjson

from engine.model.commands import Command, Outcome, Result
from engine.model.envelopes import Answer, Report
from engine.model.metering import ReadingsReported
from engine.model.notices import RawCommand
from engine.model.transactions import TransactionReported
from engine.ocpp import repairs, schemas, times
from engine.ocpp.errors import ErrorCode, LocalError, RemoteError
from engine.ocpp.translation import CsmsCall, Dialect, NotExpressible, Payload, StationCall
from engine.ocpp.v2.dialect import DIALECT_21, DIALECT_201
from engine.ocpp.v16.dialect import DIALECT as DIALECT_V16
from engine.ocpp.versions import Version

DIALECT_OF_VERSION: dict[Version, Dialect] = {
    Version.V16: DIALECT_V16,
    Version.V201: DIALECT_201,
    Version.V21: DIALECT_21,
}


TIME_WITHOUT_ZONE = "a time without a zone, taken as UTC"
"""A note on a message."""
NO_TIME = "is no time, ignored"
"""How the note ends on a time that cannot be read."""


class Action(msgspec.Struct, frozen=True):
    """A row of the table.

    Attributes:
        name: As on the wire.
        block: Functional block, by its file name.
        from_station: How it is understood when the station says it; None: stations do not.
        from_csms: How its answer is read when we say it; None: we do not.
    """

    name: str
    block: str
    from_station: StationCall | None
    from_csms: CsmsCall | None

    @property
    def direction(self) -> str:
        """Who starts it: `station`, `csms` or `both`."""
        if self.from_station is None:
            return "csms"
        return "station" if self.from_csms is None else "both"

    @property
    def is_send(self) -> bool:
        """It is a SEND of 2.1, which has no answer."""
        return self.from_station is not None and self.from_station.response is None


class Understood(NamedTuple):
    """A report, and what had to be repaired, tolerated or ignored to understand it; for the log."""

    report: Report
    repairs: tuple[str, ...]


def _table(version: Version) -> dict[str, Action]:
    """The actions of one version, by name, in alphabetical order."""
    dialect = DIALECT_OF_VERSION[version]
    table: dict[str, Action] = {}
    for name in sorted(schemas.schemas_of(version, "request")):
        station_call, csms_call = dialect.from_station.get(name), dialect.from_csms.get(name)
        call = station_call or csms_call
        assert call is not None, f"OCPP {version} has {name}, but its dialect has not"
        table[name] = Action(name, call.block, station_call, csms_call)
    return table


_TABLES: dict[Version, dict[str, Action]] = {}


def actions(version: Version) -> dict[str, Action]:
    """All actions of a version, by name. The first call compiles the version's schemas."""
    table = _TABLES.get(version)
    if table is None:
        table = _TABLES[version] = _table(version)
    return table


def understand(version: Version, action: str, payload: Payload, *, lenient: bool = False) -> Understood:
    """What a station's CALL or SEND means. `lenient`: read it as the lenient actions are (`repairs.accept`).

    Raises:
        RemoteError: NotImplemented for an action that the version does not have, NotSupported for one that only we may
            start, or what the schema (after repairs) or the translator finds.
    """
    row = actions(version).get(action)
    if row is None:
        raise RemoteError(ErrorCode.NOT_IMPLEMENTED, f"OCPP {version} has no action {action[:50]}")
    if row.from_station is None:
        raise RemoteError(ErrorCode.NOT_SUPPORTED, f"{action} is sent by the CSMS, not by a station")
    accepted, repaired = repairs.accept(version, action, "request", payload, lenient=lenient)
    zoneless = times.zoneless.count
    report = row.from_station.report(accepted, version)
    if times.zoneless.count != zoneless:
        repaired = (*repaired, TIME_WITHOUT_ZONE)
    if (nonsense := _times_ignored(report, accepted)) is not None:
        repaired = (*repaired, nonsense)
    return Understood(report, repaired)


def answer_payload(version: Version, action: str, answer: Answer) -> Payload:
    """The payload that tells a station our answer.

    Raises:
        LocalError: The answer is not one to that action, or the schema refuses it.
    """
    row = actions(version).get(action)
    if row is None or row.from_station is None or row.from_station.response is None:
        raise LocalError(f"OCPP {version} has no {action} that a station sends and we answer")
    payload = row.from_station.response(answer, version)
    try:
        schemas.check(version, action, "response", payload)
    except RemoteError as error:
        raise LocalError(f"our answer to {action} breaks its schema: {error.description}") from error
    return payload


def command_call(version: Version, command: Command) -> tuple[str, Payload]:
    """Action and payload that say a command.

    Raises:
        NotExpressible: The version cannot say it; the message tells what and, if it is the payload, where.
    """
    if isinstance(command, RawCommand):
        action, payload = _raw_call(version, command)
    else:
        translator = DIALECT_OF_VERSION[version].commands.get(type(command))
        if translator is None:
            raise NotExpressible(f"OCPP {version} cannot say {type(command).__name__}")
        action, payload = translator.call(command, version)
    try:
        schemas.check(version, action, "request", payload)
    except RemoteError as error:
        raise NotExpressible(f"OCPP {version} {action} cannot say this: {error.description}") from error
    return action, payload


def outcome_of(version: Version, action: str, payload: Payload) -> Outcome:
    """What the station's answer to one of our calls means.

    Raises:
        RemoteError: The answer breaks its schema beyond repair.
        LocalError: It is no action of ours.
    """
    row = actions(version).get(action)
    if row is None or row.from_csms is None:
        raise LocalError(f"OCPP {version} has no {action} that we send")
    accepted, _ = repairs.accept(version, action, "response", payload)
    return row.from_csms.outcome(accepted, version)


def outcome_of_error(code: str, description: str, details: Payload) -> Outcome:
    """What a CALLERROR to one of our calls means: it failed. `status` is the station's code, as it spells it."""
    return Outcome(
        result=Result.FAILED,
        status=code,
        detail=description or None,
        payload=orjson.dumps(details) if details else None,
    )


def _raw_call(version: Version, command: RawCommand) -> tuple[str, Payload]:
    """A command in OCPP's own words."""
    row = actions(version).get(command.action)
    if row is None:
        raise NotExpressible(f"OCPP {version} has no action {command.action[:50]!r} (names are case-sensitive)")
    if row.from_csms is None:
        raise NotExpressible(f"{command.action} is sent by stations; a CSMS cannot send it")
    try:
        payload = orjson.loads(command.payload or b"{}")
    except ValueError as error:
        raise NotExpressible(f"the payload of {command.action} is no JSON: {error}") from None
    if not isinstance(payload, dict):
        raise NotExpressible(f"the payload of {command.action} is no JSON object")
    return command.action, payload


def _times_ignored(report: Report, payload: Payload) -> str | None:
    """A note if the station wrote a time that is none."""
    if isinstance(report, ReadingsReported | TransactionReported):
        for reading in report.readings:
            if reading.at is None:
                return f"a meter value's timestamp {NO_TIME}"
    text = payload.get("timestamp")
    if isinstance(text, str) and getattr(report, "at", None) is None and times.is_nonsense(text):
        return f"timestamp: {text[:40]!r} {NO_TIME}"
    return None
