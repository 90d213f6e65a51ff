"""The first yardstick: the least that answers a call over WebSocket. No validation, no meaning, no storage.

    python -m loadtests.bench.echo_server --port 19000

`websockets.asyncio.server` on uvloop; orjson reads the call and writes `[3, id, {}]`.
Keep-alive pings are off, in its favour.
"""

import argparse
import asyncio

import orjson
import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loadtests.bench.wire import SUBPROTOCOL


async def echo(connection: ServerConnection) -> None:
    """Answers each call with an empty result."""
    try:
        while True:
            call = orjson.loads(await connection.recv(decode=False))
            await connection.send(orjson.dumps([3, call[1], {}]), text=True)
    except ConnectionClosed:
        return


async def run(port: int) -> None:
    """Serves until cancelled."""
    server = serve(
        echo,
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
    parser = argparse.ArgumentParser(description="Echo server, a yardstick of the benchmark; started by it.")
    parser.add_argument("--port", type=int, required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(parser.parse_args().port))


if __name__ == "__main__":
    main()
