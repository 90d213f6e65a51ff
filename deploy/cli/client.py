"""A client of REST v1: every command of `narke` but the local ones goes through here."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from deploy.cli.connection import Address
from deploy.cli.errors import CliError, ExitCode

if TYPE_CHECKING:
    import httpx2

Row = dict[str, Any]
Query = Mapping[str, Any]

PAGE_ROWS_MAX = 1000
CONNECT_S = 5.0
READ_S = 60.0
COMMAND_GRACE_S = 15.0
COMMAND_S_MAX = 3600.0
_CHUNK_BYTES = 64 * 1024

_CODE_OF_STATUS = {
    401: ExitCode.REFUSED,
    403: ExitCode.REFUSED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.STATION,
    413: ExitCode.REFUSED,
    422: ExitCode.REFUSED,
    504: ExitCode.STATION,
}
"""Everything else: Narke cannot do it now."""

_CODE_OF_PROBLEM = {"site-conflict": ExitCode.REFUSED}
"""Where the status alone would mislead."""

_TODO_OF_PROBLEM = {
    "unknown-station": "`narke stations` lists all (case matters); `narke station register` makes a new one known",
    "station-not-registered": "register it first: `narke station register STATION`",
    "unknown-token": "`narke tokens list` lists all; `narke tokens add` makes a new one known",
    "unknown-transaction": "`narke transactions --station STATION` lists all of a station",
    "unknown-command": "`narke command list` lists all; a new one takes a moment to appear",
    "unknown-campaign": "`narke campaign list` lists all; a new one takes a moment to appear",
    "unknown-site": "`narke site list` lists all; `narke site import FILE` makes a new one known",
    "unknown-cap": "`narke cap list` lists all",
    "command-not-waiting": "`narke command show ID` tells what came of it",
    "station-offline": "send it again when the station is back; `narke station show STATION` says since when",
    "station-timed-out": "look at `narke messages STATION` and `narke transactions` before you send it again",
    "station-connection-lost": "look at `narke messages STATION` and `narke transactions` before you send it again",
}
"""The way out in the words of this command line, where the API speaks of requests."""


def path(*parts: str) -> str:
    """A path below /api/v1 from names that may hold anything."""
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


class Api:
    """One Narke, spoken to over one connection. Use as a context manager."""

    def __init__(self, address: Address) -> None:
        import httpx2  # noqa: PLC0415 (0.1 s: not for --help)

        self._http = httpx2.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {_header_safe(address.key)}", "Accept": "application/json"},
            timeout=httpx2.Timeout(READ_S, connect=CONNECT_S),
            trust_env=not address.local,
        )
        self._failure = httpx2.HTTPError
        self._timeout = httpx2.Timeout
        self._url = address.url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, where: str, query: Query | None = None) -> Any:
        """The JSON at a path.

        Raises:
            CliError: As Narke tells it, or because it cannot be reached.
        """
        return self._request("GET", where, params=_given(query)).json()

    def send(self, method: str, where: str, body: Any = None) -> Any:
        """Sends JSON; returns the JSON that comes back, None where there is none. Raises CliError."""
        response = self._request(method, where, json=body)
        return response.json() if response.content else None

    def command(self, station: str, kind: str, body: Row) -> Row:
        """Commands a station and waits as long as Narke does. Raises CliError."""
        deadline_s = body.get("deadline_s") or COMMAND_S_MAX
        timeout = self._timeout(deadline_s + COMMAND_GRACE_S, connect=CONNECT_S)
        answer: Row = self._request("POST", path("stations", station, kind), json=body, timeout=timeout).json()
        return answer

    def page(self, where: str, query: Query) -> Row:
        """One page as it is: `items`, `next`, `follow`. Raises CliError."""
        found: Row = self.get(where, query)
        return found

    def rows(self, where: str, query: Query, limit: int) -> Iterator[Row]:
        """The rows of a listing, page by page; `limit` 0: all. Raises CliError."""
        cursor, left = None, limit
        while True:
            size = PAGE_ROWS_MAX if limit == 0 else min(left, PAGE_ROWS_MAX)
            page = self.page(where, {**query, "limit": size, "cursor": cursor})
            yield from page["items"]
            left -= len(page["items"])
            cursor = page["next"]
            if cursor is None or (limit and left <= 0):
                return

    def stream(self, where: str, query: Query, accept: str) -> Iterator[bytes]:
        """What comes, in chunks as they come. Raises CliError, also when it breaks off in the middle."""
        try:
            with self._http.stream("GET", where, params=_given(query), headers={"Accept": accept}) as response:
                if response.status_code >= 400:
                    response.read()
                    raise error_of(response)
                yield from response.iter_bytes(_CHUNK_BYTES)
        except self._failure as error:
            raise self._unreachable(error) from error

    def _request(self, method: str, where: str, **more: Any) -> "httpx2.Response":
        try:
            response = self._http.request(method, where, **more)
        except self._failure as error:
            raise self._unreachable(error) from error
        if response.status_code >= 400:
            raise error_of(response)
        return response

    def _unreachable(self, error: Exception) -> CliError:
        reason = str(error).strip() or type(error).__name__
        todo = "see whether it runs (`narke status`, /healthz), or name another with --url or --data-dir"
        return CliError(f"Narke at {self._url} cannot be reached: {reason}", todo, ExitCode.UNREACHABLE)


def error_of(response: "httpx2.Response") -> CliError:
    """A problem as Narke tells it; anything else is told as no answer of Narke's."""
    code = _CODE_OF_STATUS.get(response.status_code, ExitCode.UNREACHABLE)
    try:
        problem = response.json()
        what, todo = str(problem["detail"]), str(problem["what_to_do"])
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError):
        what = f"{response.request.url} answered {response.status_code}, and not as Narke does"
        return CliError(what, "name Narke's own HTTP address with --url", ExitCode.UNREACHABLE)
    kind = str(problem.get("type", "")).rpartition(":")[2]
    todo, code = _TODO_OF_PROBLEM.get(kind, todo), _CODE_OF_PROBLEM.get(kind, code)
    if response.status_code == 401:
        what, todo = (
            f"Narke at {response.request.url.host} refused the API key: {what}",
            "give the right one with --key",
        )
    faults = problem.get("errors") or ()
    if len(faults) > 1:
        what += "".join(f"\n  {fault['where']}: {fault['what']}" for fault in faults)
    return CliError(what, todo, code)


def _given(query: Query | None) -> dict[str, str | int | float]:
    """Without what is None; truth as JSON writes it."""
    found = {name: value for name, value in (query or {}).items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in found.items()}


def _header_safe(key: str) -> str:
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise CliError(
            "the API key holds characters that no key has", "copy it again; a key begins with narke_", ExitCode.USAGE
        )
    return key
