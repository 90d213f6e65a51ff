"""Bounds of the HTTP door: how much a request may carry and how many are worked on at once."""

import asyncio
import contextlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingress.http.metrics import requests_in_progress
from ingress.http.problems import Problem

_DRAIN_FACTOR = 2
_DRAIN_S = 2.0


class Bounded:
    """ASGI: refuses bodies above `body_bytes_max` (413) and requests above `requests_max` at once (503).

    Health and metrics (`/healthz`, `/readyz`, `/metrics`) are always served.
    """

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, requests_max: int) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max
        self._requests_max = requests_max
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._running >= self._requests_max and scope["path"].startswith("/api/"):
            detail = f"{self._running} requests are being worked on, which is the bound"
            raise Problem(503, "too-many-requests-at-once", detail, "ask again", headers={"Retry-After": "1"})
        await self._check_announced(scope, receive)
        self._running += 1
        requests_in_progress.inc()
        try:
            await self._app(scope, self._counted(receive), send)
        finally:
            self._running -= 1
            requests_in_progress.dec()

    async def _check_announced(self, scope: Scope, receive: Receive) -> None:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length) > self._body_bytes_max:
            if b"expect" not in headers:  # who asked first has sent nothing yet
                await self._drain(receive)
            raise self._too_large(f"{int(length)} bytes were announced")

    async def _drain(self, receive: Receive) -> None:
        """Reads on for a while: a caller that is still sending would see a reset connection instead of our answer."""
        left = _DRAIN_FACTOR * self._body_bytes_max
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return

    def _counted(self, receive: Receive) -> Receive:
        received = 0

        async def count() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_bytes_max:
                if message.get("more_body", False):
                    await self._drain(receive)
                raise self._too_large(f"{received} bytes came and no end was in sight")
            return message

        return count

    def _too_large(self, seen: str) -> Problem:
        return Problem(
            413,
            "body-too-large",
            f"the body is larger than {self._body_bytes_max} bytes: {seen}",
            "send less at a time (tokens: up to 10,000 a request), or raise http.body_bytes_max",
            headers={"Connection": "close"},
        )
