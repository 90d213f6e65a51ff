"""The official JSON schemas, as the `ocpp` package ships them: which payloads there are and how each must look."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ocpp  # type: ignore[import-untyped]  # it ships no types
import orjson

Document = dict[str, Any]
"""A JSON schema as it was read."""

FOLDER_OF_VERSION = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
REQUEST, RESPONSE = "request", "response"


@functools.cache
def documents(version: str, kind: str) -> Mapping[str, Document]:
    """All schemas of a version by action, in alphabetical order.

    Args:
        version: 1.6, 2.0.1 or 2.1.
        kind: `request` (of a CALL or SEND) or `response`.
    """
    folder = Path(ocpp.__file__).parent / FOLDER_OF_VERSION[version] / "schemas"
    found: dict[str, Document] = {}
    for file in sorted(folder.glob("*.json")):
        name = file.name.removesuffix(".json")
        if name.endswith("Response") == (kind == RESPONSE):
            document = orjson.loads(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
            found[name.removesuffix("Response").removesuffix("Request")] = document
    return found
