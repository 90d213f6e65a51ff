"""The official schemas as judges, and payloads made from them."""

from functools import cache
from importlib.resources import files

import jsonschema_rs
import orjson
import pytest

from engine.ocpp.versions import Version

_FOLDER_OF_VERSION = {Version.V201: "v201", Version.V21: "v21"}


@cache
def _document(version, action, kind):
    folder = files("ocpp") / _FOLDER_OF_VERSION[version] / "schemas"
    names = (f"{action}{kind}.json", f"{action}.json") if kind == "Request" else (f"{action}{kind}.json",)
    file = next(folder / name for name in names if (folder / name).is_file())
    return orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))


@cache
def _validator(version, action, kind):
    return jsonschema_rs.validator_for(_document(version, action, kind), validate_formats=False)


def _sample(part, definitions, whole):
    """The least that a schema accepts or, with `whole`, something in every field but customData."""
    if "$ref" in part:
        part = definitions[part["$ref"].rsplit("/", 1)[-1]]
    if "enum" in part:
        return part["enum"][0]
    match part.get("type"):
        case "object":
            names = part.get("properties", {}) if whole else part.get("required", [])
            return {
                name: _sample(part["properties"][name], definitions, whole) for name in names if name != "customData"
            }
        case "array":
            return [_sample(part["items"], definitions, whole)] * max(part.get("minItems", 0), 1)
        case "string":
            return "2026-05-01T10:00:00.000Z" if part.get("format") == "date-time" else "x"
        case "integer" | "number":
            return int(min(1, part.get("maximum", 1)))
        case "boolean":
            return True
        case _:
            return {"any": ["thing", 1, None]}


@pytest.fixture
def definitions():
    """The definitions of an official schema: definitions(version, action)."""
    return lambda version, action: _document(version, action, "Request")["definitions"]


@pytest.fixture
def sample():
    """Makes a payload: sample(version, action, 'Request' or 'Response', whole=...)."""

    def make(version, action, kind, *, whole):
        document = _document(version, action, kind)
        return _sample(document, document.get("definitions", {}), whole)

    return make


@pytest.fixture
def judge():
    """Fails unless the official schema accepts: judge(version, action, 'Request' or 'Response', payload)."""

    def accept(version, action, kind, payload):
        travelled = orjson.loads(orjson.dumps(payload))
        errors = [str(error) for error in _validator(version, action, kind).iter_errors(travelled)]
        assert errors == [], f"{version} {action}{kind}: {errors}"

    return accept


@pytest.fixture
def actions():
    """All actions of which a version has a schema: actions(version)."""

    def names(version):
        folder = files("ocpp") / _FOLDER_OF_VERSION[version] / "schemas"
        stems = {file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json")}
        return {stem.removesuffix("Request").removesuffix("Response") for stem in stems}

    return names
