"""The HTTP server: uvicorn inside a loop that runs already (a Ray actor's), on a socket that we bind ourselves.

It takes no signals: whoever runs it stops it.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from starlette.types import ASGIApp

log = structlog.get_logger()

_BACKLOG = 1024
_HEAD_BYTES_MAX = 64 * 1024


class HttpPortUnavailable(OSError):  # noqa: N818 (a fact about a port)
    """The port could not be bound. The message says which, why and what to do."""


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers, and with an event for being up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the process that we live in."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen, and says so."""
        await super().startup(sockets)
        self.up.set()


class HttpServer:
    """Serves `app` on `host`:`port` (0: any free one) from `start` until `stop`."""

    def __init__(self, app: ASGIApp, host: str, port: int, *, drain_s: int = 5) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._drain_s = drain_s
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port in fact, once started."""
        return self._port

    @property
    def url(self) -> str:
        """Where it can be reached from this machine, without trailing slash."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 (read, not bound)
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Returns when requests are answered.

        Raises:
            HttpPortUnavailable: The port is taken, or the address is not this machine's.
        """
        assert self._task is None, "start once"
        bound = bind(self._host, self._port)
        self._port = bound.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_graceful_shutdown=self._drain_s,
            h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[bound]), name="http-server")
        up = asyncio.create_task(self._server.up.wait())
        await asyncio.wait({up, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            up.cancel()
            await self._task
        log.info("http server listens", url=self.url)

    async def stop(self) -> None:
        """Takes no new requests, lets running ones finish within `drain_s`, then closes. Harmless when not started."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task
        self._task = None
        log.info("http server stopped", url=self.url)


def bind(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        HttpPortUnavailable: See `HttpServer.start`.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise HttpPortUnavailable(
            f"http.host: {host!r} is no address of this machine ({error.strerror}); use 127.0.0.1 or 0.0.0.0"
        ) from error
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for TIME_WAIT
        bound.bind(address)
        bound.listen(_BACKLOG)  # now, so that two servers cannot both believe to have the port
        bound.setblocking(False)  # noqa: FBT003 (socket takes it by position only)
    except OSError as error:
        bound.close()
        raise HttpPortUnavailable(_why(host, port, error)) from error
    return bound


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"the HTTP port {host}:{port} is in use: stop what listens there, or choose another with --http-port"
        case errno.EACCES:
            return f"the HTTP port {host}:{port} may not be bound by this user: choose one above 1023 with --http-port"
        case errno.EADDRNOTAVAIL:
            return f"http.host: {host} is no address of this machine; use 127.0.0.1 or 0.0.0.0"
        case _:
            return f"the HTTP port {host}:{port} cannot be bound: {error.strerror}"
