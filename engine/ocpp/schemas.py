"""The official JSON schemas, compiled once: what a payload must look like, and which code answers one that does not.

They come with the `ocpp` package. They are read as draft 4 whatever draft they name, because there 1.0 is no integer
(the keywords in use mean the same in both), and integers get the bounds of 64 bits, so whatever passes can be stored.
Formats are not checked: `engine.ocpp.times` reads times, and more kinds of them.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Literal

import jsonschema_rs
import orjson

from engine.ocpp.errors import ErrorCode, LocalError, RemoteError
from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version

Kind = Literal["request", "response"]
Path = tuple[str | int, ...]

_FOLDER_OF_VERSION = {Version.V16: "v16", Version.V201: "v201", Version.V21: "v21"}
_DRAFT = "http://json-schema.org/draft-04/schema#"
_INTEGER_MAX = 2**63 - 1

_CODE_OF_KEYWORD: dict[str, ErrorCode] = {
    "required": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "type": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "maxLength": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "minLength": ErrorCode.TYPE_CONSTRAINT_VIOLATION,
    "enum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "minimum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "maximum": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "multipleOf": ErrorCode.PROPERTY_CONSTRAINT_VIOLATION,
    "minItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "maxItems": ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION,
    "additionalProperties": ErrorCode.FORMAT_VIOLATION,
}
"""Which code tells a violation of a schema keyword. On 1.6 a missing field is a ProtocolError (1.6J table 7)."""


class Fault:
    """One way in which a payload breaks its schema.

    Attributes:
        path: To the value at fault; of a missing or surplus property, to the object.
        keyword: The schema keyword that was broken.
        text: What is wrong, where, and what was expected.
    """

    __slots__ = ("keyword", "path", "text")

    def __init__(self, error: jsonschema_rs.ValidationError) -> None:
        self.path: Path = tuple(error.instance_path)
        self.keyword: str = error.kind.name
        self.text = f"{path_text(self.path)}: {_expectation(self.keyword, error.kind.value)}"

    def error(self, version: Version) -> RemoteError:
        """The error to answer with."""
        code = _CODE_OF_KEYWORD.get(self.keyword, ErrorCode.FORMAT_VIOLATION)
        if self.keyword == "required" and version is Version.V16:
            code = ErrorCode.PROTOCOL_ERROR
        return RemoteError(code, self.text)


class Schema:
    """The schema of one payload, compiled. `document` is the JSON schema itself."""

    __slots__ = ("_validator", "document", "is_valid")

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validator = jsonschema_rs.Draft4Validator(document, validate_formats=False)
        self.is_valid = self._validator.is_valid

    def faults(self, payload: Payload) -> list[Fault]:
        """All that is wrong with a payload; [] if nothing is."""
        return [Fault(error) for error in self._validator.iter_errors(payload)]


Schemas = dict[str, Schema]


@cache
def schemas_of(version: Version, kind: Kind) -> Schemas:
    """All schemas of a version by action. The first call compiles them: 10 to 30 ms per version."""
    folder = files("ocpp") / _FOLDER_OF_VERSION[version] / "schemas"
    schemas: Schemas = {}
    for file in folder.iterdir():
        name = file.name.removesuffix(".json")
        if name != file.name and (name.endswith("Response")) == (kind == "response"):
            schemas[name.removesuffix("Response").removesuffix("Request")] = Schema(_document(file.read_bytes()))
    return schemas


def compile_all() -> None:
    """Compiles every schema now rather than at the first message."""
    for version in Version:
        schemas_of(version, "request")
        schemas_of(version, "response")


def schema(version: Version, action: str, kind: Kind) -> Schema:
    """The schema of an action's request or response.

    Raises:
        LocalError: The version has no such payload.
    """
    found = schemas_of(version, kind).get(action)
    if found is None:
        raise LocalError(f"OCPP {version} has no {kind} of {action}")
    return found


def check(version: Version, action: str, kind: Kind, payload: Payload) -> None:
    """Accepts a payload or says what is wrong with it.

    Raises:
        RemoteError: It breaks its schema: where, what was expected, and the code to answer with.
        LocalError: The version has no such payload.
    """
    found = schema(version, action, kind)
    if not found.is_valid(payload):
        raise found.faults(payload)[0].error(version)


def path_text(path: Path) -> str:
    """A path for people: `meterValue[0].sampledValue`; 'payload' for the whole."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "payload"


def _expectation(keyword: str, value: Any) -> str:
    """What a keyword demands, without repeating what the payload says: that may be long, or a secret."""
    match keyword:
        case "required":
            return f"{value} is missing"
        case "additionalProperties":
            return f"no property of that name is allowed: {', '.join(map(str, value))}"[:200]
        case "type":
            return f"must be of type {' or '.join(value)}"
        case "enum":
            return f"must be one of {', '.join(map(str, value))}"
        case "maxLength":
            return f"is longer than {value} characters"
        case "minimum":
            return f"must be {value} or greater"
        case "maximum":
            return f"must be {value} or less"
        case "minItems":
            return f"needs at least {value} items"
        case "maxItems":
            return f"has more than {value} items"
        case _:
            return f"breaks {keyword} {value}"


def _document(data: bytes) -> dict[str, Any]:
    """The JSON schema of a file, read as this module says."""
    document: dict[str, Any] = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    document["$schema"] = _DRAFT
    document.pop("$id", None)
    _bound_integers(document)
    return document


def _bound_integers(part: Any) -> None:
    """Gives every integer of a schema the bounds of 64 bits, where it has none of its own."""
    if isinstance(part, dict):
        if part.get("type") == "integer":
            part.setdefault("minimum", -_INTEGER_MAX)
            part.setdefault("maximum", _INTEGER_MAX)
        for inner in part.values():
            _bound_integers(inner)
    elif isinstance(part, list):
        for inner in part:
            _bound_integers(inner)
