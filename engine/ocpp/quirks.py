"""Quirks on the wire: what a station's switches change in how it is read and spoken to. `engine.model.quirks`.

Only sessions of stations that have a switch come here. What is changed in a payload is changed before its schema is
asked, so that translators see what a station of the specification would have said.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

from msgspec.structs import replace

from engine.model.quirks import ALL_ACTIONS, EPOCH_MS, EPOCH_S, Oddity, Quirks
from engine.model.transactions import TransactionReported
from engine.ocpp import catalogue, schemas, times
from engine.ocpp.catalogue import NO_TIME, TIME_WITHOUT_ZONE, Understood
from engine.ocpp.errors import ErrorCode, RemoteError
from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version

_MADE_FOR_UNKNOWN = frozenset({ErrorCode.NOT_IMPLEMENTED, ErrorCode.NOT_SUPPORTED})
_EPOCH_OF_FORMAT = {EPOCH_S: 1.0, EPOCH_MS: 1000.0}
_EPOCH_MAX_S = 253_402_300_799
"""The end of the year 9999."""
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?")
_UNIT_OF_START = (("Energy.Reactive", "varh"), ("Energy", "Wh"), ("Power.Reactive", "var"), ("Power", "W"))
"""Start of a measurand -> the unit meant where none is said; of those that stations mistake."""
_METERS = ("meterStart", "meterStop")


class WireQuirks:
    """The switches of one station that are about frames and payloads."""

    __slots__ = ("_quirks", "_times", "_values", "_zone")

    def __init__(self, quirks: Quirks) -> None:
        self._quirks = quirks
        self._zone = timezone(timedelta(minutes=quirks.utc_offset_min))
        self._times = bool(quirks.utc_offset_min or quirks.zulu_is_local or quirks.time_formats)
        self._values = bool(quirks.unit_means or quirks.multiplier_ignored)

    def understand(self, version: Version, action: str, payload: Payload) -> Understood:
        """What a station's CALL or SEND means, with its switches. Raises as `catalogue.understand`."""
        quirks = self._quirks
        if self._times:
            payload = self._with_times(payload, time_fields(version))
        if self._values:
            payload = self._with_values(payload)
        if quirks.meter_factor != 1.0:
            payload = self._with_meters(payload)
        lenient = action in quirks.lenient_actions or ALL_ACTIONS in quirks.lenient_actions
        understood = catalogue.understand(version, action, payload, lenient=lenient)
        if quirks.sequence_ignored and isinstance(understood.report, TransactionReported):
            return understood._replace(report=replace(understood.report, sequence=None))
        return understood

    def refusal(self, error: RemoteError) -> RemoteError | None:
        """What the station is told instead of an error; None: nothing at all."""
        if self._quirks.unknown_actions_silent and error.code in _MADE_FOR_UNKNOWN:
            return None
        if self._quirks.error_code is None:
            return error
        return RemoteError(ErrorCode(self._quirks.error_code), error.description, error.details)

    def answer_delay_s(self, action: str) -> float:
        """How long after a call its answer may leave."""
        delays = self._quirks.answer_delay_ms
        return delays.get(action, delays.get(ALL_ACTIONS, 0)) / 1000

    # Times

    def _with_times(self, value: Any, fields: frozenset[str]) -> Any:
        """The payload with every time as RFC 3339 has it."""
        if isinstance(value, dict):
            return {
                name: self._time(inner) if name in fields else self._with_times(inner, fields)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self._with_times(inner, fields) for inner in value]
        return value

    def _time(self, said: Any) -> Any:
        """One time; as it is where it is none that anybody can read."""
        if isinstance(said, bool) or not isinstance(said, str | int | float):
            return said
        text = str(said).strip()
        at = self._read(text)
        if at is None:
            return said
        if at.tzinfo is None or (self._quirks.zulu_is_local and at.utcoffset() == timedelta(0)):
            at = at.replace(tzinfo=self._zone)
        try:
            return times.format(at.astimezone(UTC))
        except OverflowError:
            return said

    def _read(self, text: str) -> datetime | None:
        for form in self._quirks.time_formats:
            units_per_s = _EPOCH_OF_FORMAT.get(form)
            if units_per_s is not None:
                if _NUMBER.fullmatch(text) and (seconds := float(text) / units_per_s) <= _EPOCH_MAX_S:
                    return datetime.fromtimestamp(seconds, UTC)
                continue
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 (the zone is the caller's)
            except ValueError:
                continue
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None

    # Values

    def _with_values(self, value: Any) -> Any:
        """The payload with the units that its samples mean."""
        if isinstance(value, dict):
            return {
                name: self._samples(inner) if name == "sampledValue" else self._with_values(inner)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self._with_values(inner) for inner in value]
        return value

    def _samples(self, samples: Any) -> Any:
        if isinstance(samples, list):
            return [self._sample(each) if isinstance(each, dict) else each for each in samples]
        return self._sample(samples) if isinstance(samples, dict) else samples

    def _sample(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """1.6 has `unit`, 2.x `unitOfMeasure`; a version's schema does not take the other's."""
        changed = dict(sample)
        measure = sample.get("unitOfMeasure")
        in_v2 = isinstance(measure, dict) or not isinstance(sample.get("value"), str)
        place: dict[str, Any] = dict(measure) if isinstance(measure, dict) else {}
        if self._quirks.multiplier_ignored:
            place.pop("multiplier", None)
        said = place.get("unit") if in_v2 else sample.get("unit")
        meant = self._quirks.unit_means.get(said or _default_unit(sample.get("measurand")))
        if meant is not None:
            (place if in_v2 else changed)["unit"] = meant
        if in_v2 and (place or measure is not None):
            changed["unitOfMeasure"] = place
        return changed

    def _with_meters(self, payload: Payload) -> Payload:
        """1.6 meterStart and meterStop in Wh."""
        changed = dict(payload)
        for name in _METERS:
            said = payload.get(name)
            if isinstance(said, int | float) and not isinstance(said, bool):
                changed[name] = round(said * self._quirks.meter_factor)
        return changed


def _default_unit(measurand: Any) -> str:
    """The unit meant where none is said; a sample without a measurand is of the energy register."""
    if not isinstance(measurand, str):
        return "Wh"
    return next((unit for start, unit in _UNIT_OF_START if measurand.startswith(start)), "")


@cache
def time_fields(version: Version) -> frozenset[str]:
    """The names of the fields of a version's requests that are times, and never anything else."""
    found: set[str] = set()
    others: set[str] = set()
    for action in schemas.schemas_of(version, "request"):
        _collect_times(schemas.schema(version, action, "request").document, found, others)
    return frozenset(found - others)


def _collect_times(rule: Any, found: set[str], others: set[str]) -> None:
    if isinstance(rule, list):
        for inner in rule:
            _collect_times(inner, found, others)
    if not isinstance(rule, dict):
        return
    for name, inner in rule.get("properties", {}).items():
        is_time = isinstance(inner, dict) and inner.get("format") == "date-time"
        (found if is_time else others).add(name)
    for inner in rule.values():
        _collect_times(inner, found, others)


def oddities(repairs: tuple[str, ...]) -> dict[Oddity, str]:
    """What the notes on a message tell of its station, with the first note of each."""
    found: dict[Oddity, str] = {}
    for note in repairs:
        if note == TIME_WITHOUT_ZONE:
            oddity = Oddity.TIME_WITHOUT_ZONE
        elif note.endswith(NO_TIME):
            oddity = Oddity.TIME_UNREADABLE
        elif "is longer than" in note:
            oddity = Oddity.TOO_LONG
        else:
            oddity = Oddity.REPAIRED
        found.setdefault(oddity, note)
    return found
