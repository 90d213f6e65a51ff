"""How a station behaves on its connection: the good one, and the seams that every other behaviour uses.

A behaviour decides what the connection does, never what the station says: its words come from `loadtests.station`.
The bad ones are in `loadtests.behaviours`.
"""

import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from loadtests.parameters import check_bounds


class Line(Protocol):
    """What a behaviour may do to the connection of its station."""

    @property
    def is_up(self) -> bool:
        """Connected now."""

    async def up(self) -> None:
        """Waits until connected."""

    def new_id(self) -> str:
        """A message id that no other message of any run has."""

    def drop(self) -> None:
        """Loses the connection without a close frame."""

    def stay_away(self, seconds: float) -> None:
        """Loses the connection and makes none for so long."""

    def vanish(self, seconds: float) -> None:
        """Forgets the connection and leaves it open, unread, for so long: the CSMS gets neither FIN nor pong."""

    def read_slowly(self, frames_per_s: float) -> None:
        """Takes so many frames a second from now on; 0.0: none, until TCP's window is shut."""

    def send_raw(self, frame: str | bytes, message_id: str | None = None) -> bool:
        """Sends anything: text, or bytes as a binary frame. `message_id`: of the reply that is expected.

        Returns whether it went out; a connection whose buffers are full takes nothing.
        """

    async def fight(self, seconds: float) -> None:
        """Connects once more under the same identity, and stays until it is thrown out or the time is over."""

    def count(self, event: str) -> None:
        """Counts under a name."""


@dataclass(frozen=True)
class Behaviour:
    """Behaves: one call at a time, answers at once, comes back with back-off and jitter."""

    blameless: ClassVar[bool] = True
    """Whether every call of such a station must be answered; else its failures are its own fault."""
    admitted: ClassVar[bool] = True
    """Whether the CSMS must let it in."""
    steady: ClassVar[bool] = True
    """Whether it is connected at any time, but for moments."""
    depth: int = 1
    """Calls of the station that may be open at once."""

    def __post_init__(self) -> None:
        check_bounds(self)

    def habits(self) -> Mapping[str, object]:
        """What it changes of the station's `Habits`, by field."""
        return {}

    def password(self, own: str | None) -> str | None:
        """For HTTP Basic."""
        return own

    def subprotocol(self, own: str) -> str:
        """What it offers."""
        return own

    def answer_delay_s(self, chance: random.Random) -> float | None:
        """How long the CSMS waits for the answer to a call; None: for ever."""
        del chance
        return 0.0

    @property
    def repeats(self) -> bool:
        """Whether each call goes out twice, and a third time under a new id once it was answered."""
        return False

    def on_connected(self, line: Line) -> None:
        """What it does to each new connection."""

    def while_running(self, line: Line, chance: random.Random) -> Coroutine[Any, Any, None] | None:
        """What it does beside the station's work, until cancelled; None: nothing."""
        del line, chance
        return None


GOOD = Behaviour()
