"""The replies that a station's connection waits for: those to its calls, and those that only a behaviour expects."""

import asyncio

from loadtests.statistics import Statistics
from loadtests.wording import Payload

ASIDES_MAX = 64
"""Replies that a behaviour expects beside those to the station's calls, at once."""


class Refused(Exception):  # noqa: N818 (what the peer said, not a fault of ours)
    """The CSMS answered with a CALLERROR."""


class Replies:
    """What is open on one connection, by message id.

    An aside is a reply that nobody awaits, such as the one to the second copy of a call.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._calls: dict[str, asyncio.Future[Payload]] = {}
        self._asides: dict[str, Payload | None] = {}

    def expect(self, message_id: str) -> "asyncio.Future[Payload]":
        """The reply to a call; it fails with `Refused`, or `ConnectionError` when the connection ends before."""
        reply: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._calls[message_id] = reply
        return reply

    def forget(self, message_id: str) -> None:
        """Nobody awaits this reply any more."""
        reply = self._calls.pop(message_id, None)
        if reply is not None and reply.done() and not reply.cancelled():
            reply.exception()  # seen, whoever else raised first

    def expect_aside(self, message_id: str, like: Payload | None) -> None:
        """A reply beside.

        Args:
            message_id: Its own, or that of a call that goes out twice.
            like: The reply that it must agree with; None: the call's if that comes first, else any will do.
        """
        if len(self._asides) >= ASIDES_MAX:
            self._statistics.count("asides without a reply")
            del self._asides[next(iter(self._asides))]
        self._asides[message_id] = like

    def resolve(self, message_id: str, result: Payload | Refused) -> None:
        """A reply came."""
        reply = self._calls.get(message_id)
        if reply is None or reply.done():
            self._resolve_aside(message_id, result)
        elif isinstance(result, Refused):
            reply.set_exception(result)
        else:
            if message_id in self._asides:
                self._asides[message_id] = result
            reply.set_result(result)

    def fail(self) -> None:
        """The connection ended."""
        self._asides.clear()
        for reply in self._calls.values():
            if not reply.done():
                reply.set_exception(ConnectionResetError("the connection ended"))

    def _resolve_aside(self, message_id: str, result: Payload | Refused) -> None:
        if message_id not in self._asides:
            self._statistics.count("replies to nothing")
            return
        like = self._asides.pop(message_id)
        if isinstance(result, Refused):
            self._statistics.count(f"asides refused: {str(result).partition(':')[0]}")
        elif like is not None and like.get("transactionId") != result.get("transactionId"):
            self._statistics.count("repeats answered differently")
        else:
            self._statistics.count("asides answered")
