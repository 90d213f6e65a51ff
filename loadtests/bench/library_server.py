"""The second yardstick: a CSMS as the `ocpp` library's documentation writes it. It validates and stores nothing.

    python -m loadtests.bench.library_server --port 19000

The library is used as it comes: `ocpp.v16.ChargePoint` with handlers, its own schema validation of calls and results
on. On uvloop; keep-alive pings are off, in its favour.
"""

# mypy: disable-error-code="import-untyped, untyped-decorator, misc"
# The library has no types.

import argparse
import asyncio
from datetime import UTC, datetime
from typing import Any

import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loadtests.bench.wire import SUBPROTOCOL


class Station(ChargePoint):
    """The CSMS' side of one station, which says yes to everything."""

    @on(Action.boot_notification)
    def boot(self, **_payload: Any) -> call_result.BootNotification:
        """Accepted."""
        now = datetime.now(UTC).isoformat()
        return call_result.BootNotification(now, 300, RegistrationStatus.accepted)

    @on(Action.status_notification)
    def status(self, **_payload: Any) -> call_result.StatusNotification:
        """Nothing is kept."""
        return call_result.StatusNotification()

    @on(Action.start_transaction)
    def start_transaction(self, **_payload: Any) -> call_result.StartTransaction:
        """All have the same number; nobody looks at it."""
        return call_result.StartTransaction(1, {"status": AuthorizationStatus.accepted})

    @on(Action.meter_values)
    def meter_values(self, **_payload: Any) -> call_result.MeterValues:
        """Nothing is kept."""
        return call_result.MeterValues()


async def serve_station(connection: ServerConnection) -> None:
    """One connection, until it ends."""
    assert connection.request is not None
    try:
        await Station(connection.request.path.rsplit("/", 1)[-1], connection).start()
    except ConnectionClosed:
        return


async def run(port: int) -> None:
    """Serves until cancelled."""
    server = serve(
        serve_station,
        "127.0.0.1",
        port,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
        ping_interval=None,
        open_timeout=60,
        backlog=4096,
    )
    async with server as serving:
        await serving.serve_forever()


def main() -> None:
    """Runs the process."""
    parser = argparse.ArgumentParser(description="A server on the ocpp library, a yardstick; started by the benchmark.")
    parser.add_argument("--port", type=int, required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(parser.parse_args().port))


if __name__ == "__main__":
    main()
