"""The reception: a handshake from its request to its answer. Each is decided in a task of its own.

request -> pace, bounds -> gatekeeper -> subprotocol -> in    (a `Refusal` on the way is the answer)
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

import structlog
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from engine.ocpp.versions import VERSION_OF_SUBPROTOCOL, Version
from ingress import metrics
from ingress.ocpp.admission import TokenBucket
from ingress.ocpp.connection import Connection
from ingress.ocpp.forwarded import Proxies
from ingress.ocpp.gatekeeper import Admitted, Gatekeeper
from ingress.ocpp.handshake import (
    Refusal,
    identity_from_path,
    lacks_only_upgrade,
    names_no_subprotocol,
    with_upgrade,
)
from ingress.ocpp.security_log import SecurityLog
from ingress.settings import OcppSettings

log = structlog.get_logger()

_NO_COMMON_SUBPROTOCOL = "no common subprotocol: offer ocpp1.6, ocpp2.0.1 or ocpp2.1"
_OCPP16 = "ocpp1.6"
_UPGRADE_REQUIRED = 426
_SWITCHING = 101


class House(Protocol):
    """Where stations come in."""

    def require_room(self, station: str) -> None:
        """Raises a Refusal if there is no room for this station."""

    async def let_in(self, connection: Connection, response: Response, admitted: Admitted, version: Version) -> None:
        """The station has passed the reception. Raises a Refusal if there is a reason against it still."""


class Reception:
    """Answers handshakes.

    Args:
        house: Where stations come in.
        gatekeeper: Who may.
        proxies: Whose word is taken for where a connection comes from.
        settings: Rates and bounds.
    """

    def __init__(self, house: House, gatekeeper: Gatekeeper, proxies: Proxies, settings: OcppSettings) -> None:
        self._house: Final = house
        self._gatekeeper: Final = gatekeeper
        self._proxies: Final = proxies
        self._settings: Final = settings
        self._accepts: Final = TokenBucket(settings.accepts_per_s, settings.accepts_burst, 0.0)
        self._handshakes: Final[set[asyncio.Task[None]]] = set()
        self._security_log: SecurityLog | None = None

    def tell(self, security_log: SecurityLog) -> None:
        """Says from now on who was turned away."""
        self._security_log = security_log

    @property
    def handshakes(self) -> int:
        """Under way."""
        return len(self._handshakes)

    def receive(self, connection: Connection, request: Request) -> None:
        """A handshake; the connection waits."""
        task = asyncio.get_running_loop().create_task(self._handshake(connection, request))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    def close(self) -> None:
        """Ends what is under way."""
        for handshake in self._handshakes:
            handshake.cancel()

    def busy(self, reason: str, text: str) -> Refusal:
        """The refusal of a station that should try again later."""
        return Refusal(503, reason, f"{text}; try again later", self._gatekeeper.retry_after)

    async def _handshake(self, connection: Connection, request: Request) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            await self._decide(connection, request)
        except Refusal as refusal:
            self._refuse(connection, request, refusal)
        except Exception:  # one handshake must not stop the door
            log.exception("a handshake failed", address=connection.address)
            self._refuse(connection, request, self.busy("internal_error", "the handshake failed within the server"))
        else:
            metrics.HANDSHAKE.observe(loop.time() - started)

    async def _decide(self, connection: Connection, request: Request) -> None:
        """Lets the station in, or raises a Refusal."""
        response = connection.protocol.accept(request)
        lenient = response.status_code == _UPGRADE_REQUIRED and lacks_only_upgrade(request)
        if response.status_code != _SWITCHING and not lenient:
            _refuse_request(connection, response)
            return
        connection.caller = self._proxies.resolve(connection.caller, request.headers)
        station = identity_from_path(request.path)
        self._house.require_room(station)
        if len(self._handshakes) > self._settings.handshakes_max:
            raise self.busy("handshakes_max", "too many stations connect at this moment")
        await self._wait_for_turn()
        admitted = await self._gatekeeper.admit(station, request.headers, connection.caller)
        if lenient and admitted.record.lenient_upgrade:
            response = connection.protocol.accept(with_upgrade(request))
        if response.status_code != _SWITCHING:
            _refuse_request(connection, response)
            return
        subprotocol: str | None = connection.protocol.subprotocol
        if subprotocol is None and admitted.record.assume_ocpp16 and names_no_subprotocol(request.headers):
            subprotocol = _OCPP16
        if subprotocol is None:
            _refuse_subprotocol(connection, response)
            return
        await self._house.let_in(connection, response, admitted, VERSION_OF_SUBPROTOCOL[subprotocol])

    async def _wait_for_turn(self) -> None:
        """Paces handshakes: better late than refused, unless too late."""
        wait_s = self._accepts.reserve(asyncio.get_running_loop().time())
        if wait_s > self._settings.handshake_timeout_s / 2:
            self._accepts.give_back()
            raise self.busy("accepts_per_s", "too many stations connect at this moment")
        if wait_s:
            await asyncio.sleep(wait_s)

    def _refuse(self, connection: Connection, request: Request, refusal: Refusal) -> None:
        metrics.handshakes_refused.labels(refusal.reason).inc()
        if refusal.status != 503 and self._security_log is not None:  # a storm of 503 is in the metric
            self._security_log.tell(
                "handshake refused",
                event=refusal.event,
                address=connection.address,
                path=request.path[:100],
                reason=refusal.reason,
            )
        connection.respond(_response(connection, refusal))


def _refuse_request(connection: Connection, response: Response) -> None:
    """It is no handshake."""
    metrics.handshakes_refused.labels("bad_request").inc()
    connection.respond(response)


def _refuse_subprotocol(connection: Connection, response: Response) -> None:
    """Completes the handshake without a subprotocol and closes (OCPP-J 1.6 section 3.2, 2.1 part 4 section 3.3)."""
    metrics.handshakes_refused.labels("no_common_subprotocol").inc()
    if connection.awaits_answer:
        connection.accept(response, None)
        connection.close(1002, _NO_COMMON_SUBPROTOCOL)


def _response(connection: Connection, refusal: Refusal) -> Response:
    response = connection.protocol.reject(refusal.status, refusal.text + "\n")
    _add(response.headers, refusal.headers)
    return response


def _add(headers: Headers, more: Mapping[str, str]) -> None:
    for name, value in more.items():
        headers[name] = value
