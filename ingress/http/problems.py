"""Errors of the HTTP door: RFC 9457 problem+json, each with what is wrong, where, and what to do.

Handlers raise `Problem`; everything else that goes wrong (validation, unknown paths, bugs, silent storage) is turned
into one here, so no caller ever sees another shape.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import orjson
import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:narke:problem:"
ERRORS_MAX = 20
"""Faults of one body that are listed; the rest is counted."""


class Fault(msgspec.Struct, frozen=True):
    """One fault of a request: where it is (`body.tokens[3].expires_at`), what is wrong there, and what to do."""

    where: str
    what: str
    what_to_do: str


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every error looks like (RFC 9457).

    `type` names the kind of error and never changes; `detail` is for people and may. `what_to_do` tells the way out.
    `errors` lists the faults of a request. `id` of an internal error is in Narke's log. The others belong to commands.
    """

    type: str
    title: str
    status: int
    detail: str
    what_to_do: str
    instance: str | None = None
    errors: tuple[Fault, ...] = ()
    errors_left_out: int = 0
    id: str | None = None
    command_id: str | None = None
    result: str | None = None
    station_status: str | None = None
    checks: dict[str, str] | None = None


class Problem(HTTPException):
    """An error to tell the caller. `kind`: its name in `type`. `more`: further fields of `ProblemBody`."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        what_to_do: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.kind = kind
        self.what_to_do = what_to_do
        self.more = more

    def response(self, instance: str) -> Response:
        """As it goes to the caller; `instance`: the path that was asked for."""
        body = ProblemBody(
            type=TYPE_PREFIX + self.kind,
            title=self.kind.replace("-", " ").capitalize(),
            status=self.status_code,
            detail=self.detail,
            what_to_do=self.what_to_do,
            instance=instance,
            **self.more,
        )
        return Response(msgspec.json.encode(body), self.status_code, self.headers, MEDIA_TYPE)


def not_found(what: str, name: str, what_to_do: str) -> Problem:
    """404: `what` is the kind of thing (station, transaction, ...), `name` which one was asked for."""
    return Problem(404, f"unknown-{what}", f"there is no {what} {name!r}", what_to_do)


def invalid(where: str, what: str, what_to_do: str) -> Problem:
    """422 with one fault."""
    fault = Fault(where=where, what=what, what_to_do=what_to_do)
    return Problem(422, "invalid-request", f"{where}: {what}", what_to_do, errors=(fault,))


def storage_unavailable(part: str, error: BaseException) -> Problem:
    """503: Redis or PostgreSQL does not answer."""
    return Problem(
        503,
        "storage-unavailable",
        f"{part} does not answer: {type(error).__name__}: {str(error).strip() or 'no reason given'}",
        "ask again in a few seconds; /readyz and `narke doctor` say which part is down",
        headers={"Retry-After": "5"},
    )


def handle_problems(app: FastAPI) -> None:
    """Makes every error of `app` a problem."""
    app.add_exception_handler(AnyHTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)
    problem = error if isinstance(error, Problem) else _of_framework(request, error)
    return problem.response(request.url.path)


def _of_framework(request: Request, error: AnyHTTPException) -> Problem:
    """What the framework itself refuses."""
    where = f"{request.method} {request.url.path}"
    match error.status_code:
        case 404:
            return Problem(404, "unknown-path", f"{where}: nothing is here", "see /api/v1/openapi.json for all paths")
        case 405:
            allowed = (error.headers or {}).get("Allow", "")
            detail = f"{where}: this path does not know the method {request.method}"
            return Problem(405, "method-not-allowed", detail, f"use one of: {allowed}", headers=error.headers)
        case status:
            kind = HTTPStatus(status).phrase.lower().replace(" ", "-")
            return Problem(status, kind, f"{where}: {error.detail}", "correct the request", headers=error.headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    faults = tuple(fault_of(one, error.body) for one in found[:ERRORS_MAX])
    first = faults[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    problem = Problem(
        422,
        "invalid-request",
        f"{first.where}: {first.what}{more}",
        first.what_to_do,
        errors=faults,
        errors_left_out=max(0, len(found) - ERRORS_MAX),
    )
    return problem.response(request.url.path)


def fault_of(error: Mapping[str, Any], body: Any = None) -> Fault:
    """A fault as pydantic and FastAPI describe it, in our words."""
    kind, context = str(error.get("type", "")), error.get("ctx") or {}
    location = tuple(error.get("loc", ()))
    if kind == "json_invalid":
        place = location[1] if len(location) > 1 else 0
        return Fault(
            where=f"body, character {place}{_excerpt(body, place)}",
            what=f"is no JSON: {context.get('error', 'cannot be read')}",
            what_to_do="send one JSON value with Content-Type: application/json",
        )
    where = _where(location)
    if location == ("body",) and isinstance(error.get("input"), bytes):
        return Fault(where, "is not sent as JSON", "set the header Content-Type: application/json")
    match kind:
        case "missing":
            return Fault(where=where, what="is missing", what_to_do=f"give {where}")
        case "extra_forbidden":
            return Fault(
                where=where, what="is not known here", what_to_do=f"leave it out, or see whether {where} is misspelt"
            )
        case "union_tag_not_found":
            return Fault(where, "names no command", 'give "command" and its fields, or "action" and "payload"')
        case "union_tag_invalid":
            expected = str(context.get("expected_tags", ""))
            return Fault(where, f"{context.get('tag')!r} is no command", f"use one of {expected}")
        case _:
            what = str(error.get("msg", "is not valid")).removeprefix("Value error, ")
            return Fault(where, _lowered(what), f"correct {where}{_got(location, error.get('input'))}")


def _where(location: Sequence[Any]) -> str:
    """('body', 'tokens', 3, 'note') -> body.tokens[3].note."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "request"


def _excerpt(body: Any, place: Any) -> str:
    if not isinstance(body, str) or not isinstance(place, int):
        return ""
    return f" (near {body[max(0, place - 10) : place + 10]!r})"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _got(location: Sequence[Any], value: Any) -> str:
    """What was sent, short; never a password."""
    if "password" in location or value is None or isinstance(value, dict | list | bytes):
        return ""
    text = repr(value)
    return f" (it is {text if len(text) <= 60 else text[:57] + '...'})"


class Guarded:
    """ASGI: the outermost catch. A bug becomes a 500 whose id is in the log; doors further in tell theirs."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], object]) -> None:
        self._app = app
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Problem as problem:
            if started:
                raise
            await problem.response(scope["path"])(scope, receive, send)
        except Exception as error:
            name = str(self._new_id())
            log.exception("http request failed", id=name, method=scope["method"], path=scope["path"])
            if started:
                raise
            await _internal(scope, error, name).response(scope["path"])(scope, receive, send)


def _internal(scope: Scope, error: Exception, name: str) -> Problem:
    detail = f"{scope['method']} {scope['path']} failed in Narke itself ({type(error).__name__})"
    return Problem(500, "internal-error", detail, f"look for id {name} in Narke's log and report it", id=name)


def json_response(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of words, rows or plain values."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def compact(value: Any) -> bytes:
    """Plain JSON values as compact JSON, as commands carry them."""
    return orjson.dumps(value)
