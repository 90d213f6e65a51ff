"""A CSMS that takes anything, checks nothing, and remembers what came: for stations that misbehave."""

import asyncio
import contextlib
import itertools
import json

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

NOW = "2026-11-21T12:00:00.000Z"


class Rough:
    """`frames`: what came, in order, as (identity, frame). `answers`: False: nothing is answered."""

    def __init__(self, *, answers=True, subprotocols=("ocpp1.6", "ocpp2.0.1", "ocpp2.1"), admits=None):
        self.answers = answers
        self.frames = []
        self.requests = []
        self.sockets = []
        self.closed = []
        self._subprotocols = subprotocols
        self._admits = admits
        self._news = asyncio.Condition()
        self._numbers = itertools.count(1)
        self._ids = itertools.count(1)
        self.replies = {}

    async def __aenter__(self):
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            subprotocols=self._subprotocols,
            process_request=self._process,
            compression=None,
            close_timeout=0.1,
            ping_interval=None,
            max_size=None,
        )
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ocpp"
        return self

    async def __aexit__(self, *_):
        for socket in self.sockets:
            socket.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def _process(self, socket, request):
        self.requests.append(request)
        await self._tell()
        if self._admits is not None and not self._admits(request):
            return socket.respond(401, "no\n")
        return None

    async def _serve(self, socket):
        identity = socket.request.path.rpartition("/")[2]
        self.sockets.append(socket)
        await self._tell()
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                self.frames.append((identity, frame))
                await self._answer(socket, frame)
                await self._tell()
        self.closed.append((identity, socket.close_code))
        await self._tell()

    async def _answer(self, socket, frame):
        try:
            kind, message_id, *rest = json.loads(frame)
        except (ValueError, RecursionError):
            return
        if kind == 3:
            self.replies[message_id] = rest[0]
        if kind != 2 or not self.answers:
            return
        match rest[0]:
            case "BootNotification":
                payload = {"currentTime": NOW, "interval": 3600, "status": "Accepted"}
            case "StartTransaction":
                payload = {"transactionId": next(self._numbers), "idTagInfo": {"status": "Accepted"}}
            case "Heartbeat":
                payload = {"currentTime": NOW}
            case _:
                payload = {"idTagInfo": {"status": "Accepted"}}
        await socket.send(json.dumps([3, message_id, payload]))

    async def command(self, action, payload):
        """Sends a call on the last connection; returns its id."""
        message_id = f"csms-{next(self._ids)}"
        await self.sockets[-1].send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def _tell(self):
        async with self._news:
            self._news.notify_all()

    async def until(self, true):
        async with self._news:
            await self._news.wait_for(true)

    def calls(self, action):
        """(message id, payload) of all calls that could be read."""
        found = []
        for _, frame in self.frames:
            with contextlib.suppress(ValueError, RecursionError, IndexError, TypeError, KeyError):
                message = json.loads(frame)
                if message[0] == 2 and message[2] == action:
                    found.append((message[1], message[3]))
        return found
