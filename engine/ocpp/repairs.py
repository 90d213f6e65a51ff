"""Leniency: what real stations send wrong is mended where its meaning is plain, and every repair is told.

Runs only after the strict check failed; then the schema is asked again. Mended anywhere:

- null, "", [] and {} for optional fields are dropped, nulls in lists too (part 4 section 4.1.5 read backwards);
- an object where a list belongs becomes a list of one (Huawei's meterValue, lbbrhzn 1144);
- numbers and booleans where a text belongs are written out (configuration values, lbbrhzn 1499; 1.6 meter values),
  objects become their JSON (Growatt's DataTransfer.data, mobilityhouse 101);
- texts where a number or boolean belongs are read, fractions where an integer belongs are rounded (meterStart);
- words of an enumeration in the wrong case get the right one; unknown words get the enumeration's own "other"
  (Legrand's errorCode Error, lbbrhzn 1248);
- meter values without a single sample are dropped (lbbrhzn 466).

An error to a message of a transaction makes a station send it for ever and block its queue, an error to a boot locks
it out. So those (and answers to us) also lose fields that the schema does not know and unknown words of optional
fields, and their texts may be too long. Tolerated as they are, anywhere: empty lists of meter values, measurands and
units nobody knows.
"""

import math
import re
from typing import Any

import orjson

from engine.ocpp.schemas import Fault, Kind, Path, path_text, schema
from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version

LENIENT_ACTIONS = frozenset(
    {"BootNotification", "MeterValues", "StartTransaction", "StopTransaction", "TransactionEvent"}
)
"""Where an error does more harm than a lenient reading."""

TOLERATED = "tolerated"
"""How the note ends on a fault that was left as it is."""
_NOTES_MAX = 20
"""Repairs told per message; a message may hold thousands of the same."""
_METER_LISTS = frozenset({"meterValue", "sampledValue", "transactionData"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})

_OTHER_OF_FIELD: dict[tuple[str, str], str] = {
    ("StatusNotification", "errorCode"): "OtherError",
    ("StopTransaction", "reason"): "Other",
    ("TransactionEvent", "transactionInfo.stoppedReason"): "Other",
    ("BootNotification", "reason"): "Unknown",
}
"""(action, path) -> the word that its enumeration has for everything else."""

_NUMBER = re.compile(r"\s*[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?\s*", re.ASCII)


def accept(
    version: Version, action: str, kind: Kind, payload: Payload, *, lenient: bool = False
) -> tuple[Payload, tuple[str, ...]]:
    """Accepts a payload as it is or repaired.

    Args:
        version: Of OCPP.
        action: Whose payload it is.
        kind: Request or response.
        payload: As received.
        lenient: Read it leniently although its action is not of `LENIENT_ACTIONS` (a quirk of the station).

    Returns:
        The payload that the schema accepts (but for what is tolerated) and what was repaired or tolerated, for people.

    Raises:
        RemoteError: It cannot be repaired; tells the first fault of what remains.
        LocalError: The version has no such payload.
    """
    found = schema(version, action, kind)
    if found.is_valid(payload):
        return payload, ()
    lenient = lenient or action in LENIENT_ACTIONS or kind == "response"
    mender = _Mender(found.document, action, lenient=lenient)
    mended = mender.mend_object(found.document, payload, ())
    for fault in found.faults(mended):
        if not _tolerable(fault, lenient=lenient):
            raise fault.error(version)
        mender.note(fault.path, f"{fault.text.split(': ', 1)[-1]}; {TOLERATED}")
    return mended, tuple(mender.notes)


def _tolerable(fault: Fault, *, lenient: bool) -> bool:
    """Whether a fault does no harm: the words can hold such a value."""
    match fault.keyword:
        case "minItems":
            return bool(fault.path) and fault.path[-1] in _METER_LISTS
        case "enum":
            return "sampledValue" in fault.path
        case "maxLength":
            return lenient
        case _:
            return False


class _Mender:
    """One repair of one payload: walks it along its schema and notes what it changes. The payload stays untouched."""

    def __init__(self, document: dict[str, Any], action: str, *, lenient: bool) -> None:
        self.notes: list[str] = []
        self._definitions: dict[str, Any] = document.get("definitions", {})
        self._action = action
        self._lenient = lenient

    def note(self, path: Path, text: str) -> None:
        """Tells of one repair."""
        if len(self.notes) < _NOTES_MAX:
            self.notes.append(f"{path_text(path)}: {text}")

    def mend_object(self, rule: dict[str, Any], value: dict[str, Any], path: Path) -> dict[str, Any]:
        """An object without what it must not have, its fields mended."""
        properties: dict[str, Any] = rule.get("properties", {})
        required = rule.get("required", ())
        closed = rule.get("additionalProperties", True) is False
        mended: dict[str, Any] = {}
        for name, inner in value.items():
            where = (*path, name)
            if name not in required and inner in _EMPTY:
                self.note(where, "empty, dropped")
            elif name in properties:
                mended_inner = self._mend(properties[name], inner, where)
                if self._unknown_word(properties[name], mended_inner, where) and name not in required:
                    self.note(where, "no word of this version, dropped")
                else:
                    mended[name] = mended_inner
            elif closed and self._lenient:
                self.note(where, "no field of this version, dropped")
            else:
                mended[name] = inner
        return mended

    def _mend(self, rule: dict[str, Any], value: Any, path: Path) -> Any:
        """A value as near to its schema as its meaning allows."""
        rule = self._resolved(rule)
        match rule.get("type"):
            case "object" if isinstance(value, dict):
                return self.mend_object(rule, value, path)
            case "array":
                return self._mend_array(rule, value, path)
            case "string":
                return self._mend_string(rule, value, path)
            case "integer" | "number" as kind:
                return self._mend_number(kind, value, path)
            case "boolean":
                return self._mend_boolean(value, path)
            case _:
                return value

    def _mend_array(self, rule: dict[str, Any], value: Any, path: Path) -> Any:
        """A list of mended items, without those that say nothing."""
        if isinstance(value, dict):
            self.note(path, "an object, made a list of one")
            value = [value]
        if not isinstance(value, list):
            return value
        item_rule = rule.get("items", {})
        mended: list[Any] = []
        for index, item in enumerate(value):
            where = (*path, index)
            if item is None:
                self.note(where, "null, dropped")
                continue
            mended_item = self._mend(item_rule, item, where)
            if isinstance(mended_item, dict) and mended_item.get("sampledValue") == []:
                self.note(where, "without a sampled value, dropped")
                continue
            mended.append(mended_item)
        return mended

    def _mend_string(self, rule: dict[str, Any], value: Any, path: Path) -> Any:
        """A text; words of an enumeration in its own spelling."""
        words: list[str] | None = rule.get("enum")
        if not isinstance(value, str):
            if value is None or words is not None:
                return value
            self.note(path, "no text, written as one")
            return orjson.dumps(value).decode()
        if words is None or value in words:
            return value
        for word in words:
            if word.lower() == value.lower():
                self.note(path, f"spelled wrong, read as {word}")
                return word
        other = _OTHER_OF_FIELD.get((self._action, path_text(path)))
        if other is not None:
            self.note(path, f"no word of this version ({value[:50]}), read as {other}")
            return other
        return value

    def _mend_number(self, kind: str, value: Any, path: Path) -> Any:
        """A number, read from a text or rounded where that is needed."""
        number = value
        if isinstance(value, str):
            if _NUMBER.fullmatch(value) is None:
                return value
            number = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
            if not math.isfinite(number):
                return value
            self.note(path, "a number written as text")
        if kind == "integer" and isinstance(number, float):
            if number != (rounded := round(number)):
                self.note(path, f"a fraction ({number}), rounded")
            return rounded
        return number

    def _mend_boolean(self, value: Any, path: Path) -> Any:
        """True or false, read from a text or a number."""
        meaning = {"true": True, "false": False, "1": True, "0": False}
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).lower() in meaning:
            self.note(path, "a boolean written otherwise")
            return meaning[str(value).lower()]
        return value

    def _unknown_word(self, rule: dict[str, Any], value: Any, path: Path) -> bool:
        """Whether a lenient reading may drop the field for its unknown word. Samples keep theirs: units matter."""
        if not self._lenient or "sampledValue" in path:
            return False
        words = self._resolved(rule).get("enum")
        return words is not None and isinstance(value, str) and value not in words

    def _resolved(self, rule: dict[str, Any]) -> dict[str, Any]:
        """The schema that a reference means."""
        while (reference := rule.get("$ref")) is not None:
            rule = self._definitions.get(reference.rsplit("/", 1)[-1], {})
        return rule
