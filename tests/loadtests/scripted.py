"""A small CSMS that validates all it hears and says by the official schemas and answers as a test wants."""

import asyncio
import contextlib
import functools
import itertools
import json
from pathlib import Path

import jsonschema_rs
import ocpp
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

NOW = "2026-11-21T12:00:00.000Z"
FOLDER = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
VERSION = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1", "ocpp2.1": "2.1"}


@functools.cache
def schema(version, action, kind):
    suffix = {("1.6", "Request"): ""}.get((version, kind), kind)
    path = Path(ocpp.__file__).parent / FOLDER[version] / "schemas" / f"{action}{suffix}.json"
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8-sig")))


def check(version, action, kind, payload):
    schema(version, action, kind).validate(payload)


class Error:
    """An answer by CALLERROR."""

    def __init__(self, code="InternalError", description=""):
        self.code, self.description = code, description


class Hangup:
    """Loses the connection instead of answering."""


SILENCE = object()


class Csms:
    """`heard`: (action, payload, message id) in order. `answers`: by action, a list that is used up first."""

    def __init__(self, subprotocols=tuple(VERSION)):
        self.subprotocols = subprotocols
        self.heard = []
        self.answers = {}
        self.bad_tokens = set()
        self.requests = []
        self.sockets = []
        self.problems = []
        self._news = asyncio.Condition()
        self._numbers = itertools.count(41)
        self._replies = {}
        self._ids = itertools.count(1)

    async def __aenter__(self):
        self._server = await serve(
            self._serve, "127.0.0.1", 0, subprotocols=self.subprotocols, compression=None, close_timeout=0.1
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}/ocpp"
        return self

    async def __aexit__(self, *_):
        for socket in self.sockets:
            socket.transport.abort()
        self._server.close()
        await self._server.wait_closed()
        assert self.problems == []

    async def _serve(self, socket):
        self.requests.append(socket.request)
        self.sockets.append(socket)
        async with self._news:
            self._news.notify_all()
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                await self._hear(socket, json.loads(frame))

    async def _hear(self, socket, message):
        version = VERSION[socket.subprotocol]
        if message[0] != 2:
            self._replies.pop(message[1]).set_result(message)
            return
        _, message_id, action, payload = message
        try:
            check(version, action, "Request", payload)
        except jsonschema_rs.ValidationError as error:
            self.problems.append(f"{version} {action}: {error}")
        answer = self._answer(version, action, payload)
        # Answered first, so that who waits for a message knows that the station may go on.
        if isinstance(answer, Hangup):
            socket.transport.abort()
        elif isinstance(answer, Error):
            await socket.send(json.dumps([4, message_id, answer.code, answer.description, {}]))
        elif answer is not SILENCE:
            await socket.send(json.dumps([3, message_id, answer]))
        async with self._news:
            self.heard.append((action, payload, message_id))
            self._news.notify_all()

    def _answer(self, version, action, payload):
        if self.answers.get(action):
            return self.answers[action].pop(0)
        info = "idTagInfo" if version == "1.6" else "idTokenInfo"
        token = payload.get("idTag") or payload.get("idToken", {}).get("idToken")
        verdict = {info: {"status": "Invalid" if token in self.bad_tokens else "Accepted"}}
        match action:
            case "BootNotification":
                return {"currentTime": NOW, "interval": 3600, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "StartTransaction":
                return verdict | {"transactionId": next(self._numbers)}
            case "Authorize":
                return verdict
            case "TransactionEvent" if token is not None:
                return verdict
        return {}

    async def call(self, action, payload):
        """The station's reply to a call of ours, checked by its schema."""
        socket = self.sockets[-1]
        version = VERSION[socket.subprotocol]
        message_id = f"csms-{next(self._ids)}"
        reply = self._replies[message_id] = asyncio.get_running_loop().create_future()
        await socket.send(json.dumps([2, message_id, action, payload]))
        message = await reply
        if message[0] == 3:
            check(version, action, "Response", message[2])
            return message[2]
        return message

    async def until(self, true):
        """Waits until something is true of what was heard."""
        async with self._news:
            await self._news.wait_for(true)

    async def until_heard(self, action, count=1, **fields):
        await self.until(lambda: len(self.all_of(action, **fields)) >= count)
        return self.all_of(action, **fields)

    def all_of(self, action, **fields):
        return [
            payload
            for heard, payload, _ in self.heard
            if heard == action and all(payload.get(key) == value for key, value in fields.items())
        ]


@contextlib.asynccontextmanager
async def running(work):
    """A task that is cancelled and awaited at the end; its errors are the test's."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
