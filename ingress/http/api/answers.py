"""Answers in OpenAPI: rows are msgspec structs, so their schemas come from there and cannot drift from what is sent."""

from collections.abc import Sequence
from typing import Any

import msgspec

PROBLEM_MEDIA_TYPE = "application/problem+json"
REF_TEMPLATE = "#/components/schemas/{name}"

_TITLES = {
    401: "No API key, or one that is not known.",
    403: "The API key's scope does not reach this.",
    404: "There is no such thing.",
    409: "The station is not connected; nothing was sent.",
    413: "The body is larger than http.body_bytes_max.",
    422: "The request is not valid, or the station's OCPP version cannot say it; `errors` tells where.",
    500: "A fault of Narke's; its `id` is in the log.",
    503: "A part of Narke does not answer now; ask again.",
    504: "The station did not answer in time, or its connection broke; it may have done it.",
}
_ALWAYS = (401, 403, 422, 500, 503)


class ListingOf:
    """A page of rows of this type."""

    def __init__(self, row: type) -> None:
        self.row = row


def listing_of(row: type) -> ListingOf:
    """A page of `row`s."""
    return ListingOf(row)


def answers(answer: Any, example: Any, *statuses: int, created: bool = False) -> dict[int | str, dict[str, Any]]:
    """What a route may answer, for FastAPI's `responses`.

    Args:
        answer: A struct, a list of one, `listing_of(...)`, or None for 204.
        example: Of `answer`: a struct or plain JSON.
        statuses: Problems beside those that every route has.
        created: 201 has the same body as 200.
    """
    problems: dict[int | str, dict[str, Any]] = {status: _problem(status) for status in (*_ALWAYS, *statuses)}
    if answer is None:
        return {204: {"description": "Done."}, **problems}
    content = {"application/json": {"schema": _schema(answer), "example": _written(example)}}
    found: dict[int | str, dict[str, Any]] = {200: {"description": "As asked.", "content": content}, **problems}
    if created:
        found[201] = {"description": "It is new.", "content": content}
    return found


def struct_schemas(types: Sequence[type]) -> dict[str, Any]:
    """The JSON schemas of structs and of all that they hold, by name."""
    _, components = msgspec.json.schema_components(types, schema_hook=_any_json, ref_template=REF_TEMPLATE)
    return components


def _written(example: Any) -> str:
    """The example as JSON text: FastAPI would strip the nulls from it. `finish_examples` reads it again."""
    return msgspec.json.encode(example).decode()


def finish_examples(responses: dict[str, Any]) -> None:
    """Turns the examples of an operation's answers from JSON text into JSON."""
    for response in responses.values():
        media = response.get("content", {}).get("application/json", {})
        if isinstance(media.get("example"), str):
            media["example"] = msgspec.json.decode(media["example"])


def _schema(answer: Any) -> dict[str, Any]:
    if isinstance(answer, ListingOf):
        cursor = {"anyOf": [{"type": "string"}, {"type": "null"}]}
        return {
            "type": "object",
            "required": ["items", "next", "follow"],
            "properties": {
                "items": {"type": "array", "items": _ref(answer.row)},
                "next": cursor | {"description": "Cursor of the next page; null: this was the last."},
                "follow": cursor | {"description": "Cursor for what comes later, with order=oldest; null: not here."},
            },
        }
    item = getattr(answer, "__args__", (None,))[0]
    if item is not None:
        return {"type": "array", "items": _ref(item)}
    return _ref(answer)


def _ref(struct: type) -> dict[str, str]:
    return {"$ref": REF_TEMPLATE.format(name=struct.__name__)}


def _problem(status: int) -> dict[str, Any]:
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": REF_TEMPLATE.format(name="ProblemBody")}}}
    return {"description": _TITLES[status], "content": content}


def _any_json(_type: type) -> dict[str, Any]:
    """What msgspec asks for because it does not know it: `object` in `storage.queries.rows.Json`, any JSON value."""
    return {"description": "Any JSON value."}
