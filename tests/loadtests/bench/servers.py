"""A CSMS for the generator's tests, in this process: answers as it is told, counts what it hears."""

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


class Csms:
    """`answers`: by action, the payload, or a function of (connection, message id) that does it itself."""

    def __init__(self, **answers):
        self.answers = answers
        self.heard = Counter()
        self.paths = []
        self.frames = []
        self.connections = set()
        self.refuse = 0
        self.url = None

    async def _serve(self, connection):
        self.paths.append(connection.request.path)
        self.connections.add(connection)
        try:
            async for frame in connection:
                await self._answer(connection, json.loads(frame))
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)

    async def _answer(self, connection, message):
        self.frames.append(message)
        if message[0] != 2:
            return
        self.heard[message[2]] += 1
        answer = self.answers.get(message[2], {})
        if callable(answer):
            await answer(connection, message[1])
        else:
            await connection.send(json.dumps([3, message[1], answer], separators=(",", ":")))

    def _process_request(self, connection, _request):
        if self.refuse > 0:
            self.refuse -= 1
            return connection.respond(503, "later\n")
        return None

    @asynccontextmanager
    async def running(self):
        options = {"subprotocols": ["ocpp1.6"], "compression": None, "process_request": self._process_request}
        async with serve(self._serve, "127.0.0.1", 0, **options) as server:
            port = server.sockets[0].getsockname()[1]
            self.url = f"ws://127.0.0.1:{port}/ocpp"
            yield self


async def until(condition):
    """Waits for what no event tells; the test's time-out bounds it."""
    while not condition():
        await asyncio.sleep(0.001)
