"""Listening: who takes the messages of a connection, and the reasons not to read from it."""

from enum import IntFlag
from typing import Protocol


class Pause(IntFlag):
    """Why we do not read from a station."""

    HANDSHAKE = 1
    CALLS = 2
    """Too many of its calls are open."""
    RATE = 4
    """It sends too fast."""
    HELD = 8
    """Its actor or journal is away."""
    DOOR = 16
    """Too much waits in all."""
    WRITE = 32
    """It does not read what we send."""
    DRAIN = 64
    """This process is about to end."""
    OPENING = 128
    """Its actor has not said yet what the station is like."""


class Listener(Protocol):
    """What receives the messages of an open connection."""

    def receive(self, text: str) -> None:
        """One message, in order; may pause the connection."""

    def closed(self, code: int, reason: str) -> None:
        """No more messages. Called once."""

    def silent(self, silent_s: float) -> None:
        """No message came for so long, see `Connection.watch`. Called now and then until one comes."""
