"""Whether what the CSMS says fits the official JSON schemas, compiled once a process; and the error code that says so.

Which code answers which violation: OCPP-J 1.6 section 4.2.3, part 4 of 2.0.1 and 2.1 table 8.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import jsonschema_rs
import ocpp  # type: ignore[import-untyped]  # it ships no types
import orjson

from loadtests.wording import Payload

_FOLDER = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
_CODE_OF_KEYWORD = {
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    "type": "TypeConstraintViolation",
    "maxLength": "TypeConstraintViolation",
    "additionalProperties": "FormatViolation",
}
_CODE_OTHERWISE = "PropertyConstraintViolation"
_IN_16 = {"OccurrenceConstraintViolation": "OccurenceConstraintViolation", "FormatViolation": "FormationViolation"}
_DESCRIPTION_MAX = 255


class Violation(NamedTuple):
    """What is wrong: the error code to answer with, and what and where in words."""

    code: str
    description: str


def violation(version: str, action: str, kind: str, payload: Payload) -> Violation | None:
    """What is wrong with a payload; None: nothing, or there is no such schema.

    Args:
        version: 1.6, 2.0.1 or 2.1.
        action: As in the frame.
        kind: Request or Response.
        payload: As received.
    """
    validator = _validator(version, action, kind)
    if validator is None or validator.is_valid(payload):
        return None
    error = next(validator.iter_errors(payload))
    keyword = error.kind.name
    where = "/".join(map(str, error.instance_path)) or "the payload"
    return Violation(_code(version, keyword), f"{where}: {error.message}"[:_DESCRIPTION_MAX])


def _code(version: str, keyword: str) -> str:
    if version == "1.6" and keyword == "required":
        return "ProtocolError"
    code = _CODE_OF_KEYWORD.get(keyword, _CODE_OTHERWISE)
    return _IN_16.get(code, code) if version == "1.6" else code


def _validator(version: str, action: str, kind: str) -> jsonschema_rs.Validator | None:
    """An action is a name out of the network: it is looked up among the files, never made a path, nor kept."""
    suffix = "" if (version, kind) == ("1.6", "Request") else kind
    name = f"{action}{suffix}.json"
    return _compiled(version, name) if name in _files(version) else None


@functools.cache
def _compiled(version: str, name: str) -> jsonschema_rs.Validator:
    """Of the `ocpp` package's files; times are not checked, for their schema refuses sound ones."""
    text = (_folder(version) / name).read_text(encoding="utf-8-sig")
    return jsonschema_rs.validator_for(orjson.loads(text), validate_formats=False)


@functools.cache
def _files(version: str) -> frozenset[str]:
    return frozenset(each.name for each in _folder(version).iterdir())


def _folder(version: str) -> Path:
    return Path(ocpp.__file__).parent / _FOLDER[version] / "schemas"
