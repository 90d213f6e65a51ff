"""What the HTTP door counts, by route template, and how the node's metrics are put together for Prometheus.

Labels are route templates (`/api/v1/stations/{station}`), never paths: a scanner cannot make new series.
"""

import time
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

requests = Counter("narke_http_requests", "HTTP requests answered", ["method", "route", "status"])
request_seconds = Histogram(
    "narke_http_request_seconds",
    "Time from the head of an HTTP request to the end of its answer",
    ["method", "route"],
    buckets=_SECONDS,
)
requests_in_progress = Gauge(
    "narke_http_requests_in_progress", "HTTP requests being worked on", multiprocess_mode="livesum"
)


class Measured:
    """ASGI: counts and times every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 499  # the caller left before there was an answer

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began_s = time.perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = route_of(scope)
            request_seconds.labels(method, route).observe(time.perf_counter() - began_s)
            requests.labels(method, route, str(status)).inc()


def route_of(scope: Scope) -> str:
    """The template of the route that served a request.

    Since FastAPI 0.137 `app.routes` is a tree and `scope["route"]` has the path within its branch only: the whole path
    is in the effective route context.
    """
    context: Any = scope.get("fastapi", {}).get("effective_route_context")
    route: Any = context if context is not None else scope.get("route")
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else "unmatched"


def exposition(directory: Path | None, accept: str) -> tuple[bytes, str]:
    """All metrics of the processes that share `directory` (None: of this process) and their content type.

    Reads files: call it in a thread.
    """
    registry = REGISTRY
    if directory is not None:
        forget_dead(directory)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]  # untyped there
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def forget_dead(directory: Path) -> None:
    """Removes the live gauges of processes that ended, whoever started them; what they counted stays."""
    numbers = {file.stem.rpartition("_")[2] for file in directory.glob("gauge_live*_*.db")}
    for number in numbers:
        if number.isdecimal() and not _lives(int(number)):
            mark_process_dead(int(number), str(directory))  # type: ignore[no-untyped-call]  # untyped there


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
