"""Authentication: the HTTP door is closed by default. A bearer key opens `/api/`, its scope says how far.

The key is checked before anything of the request is read or routed; a route's own scope by `require`.
"""

from typing import Annotated

import structlog
from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from ingress.http.keys import PREFIX, ApiKey, ApiKeys, Scope
from ingress.http.problems import Problem

log = structlog.get_logger()

CLOSED_PREFIX = "/api/"
KEY_CHARACTERS_MAX = 200
STATE = "narke.api_key"


class Closed:
    """ASGI: lets nobody into `/api/` without a key."""

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0."""
        if scope["type"] == "http" and scope["path"].startswith(CLOSED_PREFIX):
            scope[STATE] = self._key(scope)
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"authorization"]  # for no log
        await self._app(scope, receive, send)

    def _key(self, scope: AsgiScope) -> ApiKey:
        presented = [value for name, value in scope["headers"] if name == b"authorization"]
        if not presented:
            raise _unauthorized("no API key was sent")
        word, _, key = presented[0].decode("latin-1").partition(" ")
        if len(presented) > 1 or word.lower() != "bearer" or not key.strip():
            raise _unauthorized("the Authorization header holds no bearer key")
        key = key.strip()
        found = self._keys.find(key) if len(key) <= KEY_CHARACTERS_MAX and key.isascii() else None
        if found is None:
            client = (scope.get("client") or ("",))[0]
            log.warning("api key refused", client=client, path=scope["path"])
            raise _unauthorized("this API key is not known", error="invalid_token")
        return found


def _unauthorized(detail: str, error: str | None = None) -> Problem:
    challenge = 'Bearer realm="narke"' + (f', error="{error}"' if error else "")
    todo = f"send the header `Authorization: Bearer {PREFIX}...`; the first key is in the data directory, file api-key"
    return Problem(401, "unauthorized", detail, todo, headers={"WWW-Authenticate": challenge})


def caller(request: Request) -> ApiKey:
    """Whose request this is."""
    key = request.scope[STATE]
    assert isinstance(key, ApiKey)
    return key


Caller = Annotated[ApiKey, Depends(caller)]


class Requires:
    """A dependency of routes: the key must reach `scope`."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, key: Caller) -> None:
        """Refuses a key that does not reach far enough.

        Raises:
            Problem: 403.
        """
        if key.scope.allows(self.scope):
            return
        raise Problem(
            403,
            "forbidden",
            f"the key {key.name!r} has the scope {key.scope}; this needs {self.scope}",
            f"use a key of the scope {self.scope}; `narke keys add NAME --scope {self.scope}` makes one",
            headers={"WWW-Authenticate": f'Bearer realm="narke", error="insufficient_scope", scope="{self.scope}"'},
        )


READ = Depends(Requires(Scope.READ))
OPERATE = Depends(Requires(Scope.OPERATE))
ADMIN = Depends(Requires(Scope.ADMIN))
