"""Quirks of one connection: how a station that has switches is read, and when it is answered. docs/quirks.md.

Only the sessions of such stations have one of these.
"""

import asyncio
from collections.abc import Callable, Sequence

from engine.model.quirks import Quirks
from engine.ocpp.catalogue import Understood
from engine.ocpp.errors import RemoteError
from engine.ocpp.quirks import WireQuirks
from engine.ocpp.translation import Payload
from engine.ocpp.versions import Version


class SessionQuirks:
    """The switches of the station at the other end.

    Args:
        quirks: Which.
        send: Puts frames on the wire.
    """

    __slots__ = ("_held", "_send", "_timer", "_wire", "switches")

    def __init__(self, quirks: Quirks, send: Callable[[Sequence[str]], None]) -> None:
        self.switches = quirks
        self._wire = WireQuirks(quirks)
        self._send = send
        self._held: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def understand(self, version: Version, action: str, payload: Payload) -> Understood:
        """See `engine.ocpp.quirks.WireQuirks.understand`."""
        return self._wire.understand(version, action, payload)

    def refusal(self, error: RemoteError) -> RemoteError | None:
        """See `engine.ocpp.quirks.WireQuirks.refusal`."""
        return self._wire.refusal(error)

    def holds(self, texts: Sequence[str]) -> bool:
        """Whether frames wait behind an answer that must not leave yet; they leave with it then."""
        if self._timer is None:
            return False
        self._held.extend(texts)
        return True

    def hold(self, action: str, since_s: float, texts: Sequence[str]) -> bool:
        """Whether an answer must not leave yet. What comes after it leaves after it.

        Args:
            action: What is answered.
            since_s: Since the call was read.
            texts: The frames.
        """
        if self.holds(texts):
            return True
        wait_s = self._wire.answer_delay_s(action) - since_s
        if wait_s <= 0:
            return False
        self._held.extend(texts)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.release)
        return True

    def release(self) -> None:
        """Sends what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        if held:
            self._send(held)
