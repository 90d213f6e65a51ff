"""What was measured: one row's worth for Locust's statistics, and what can go wrong with a call."""

from collections.abc import Callable
from dataclasses import dataclass

CONNECT = "(connect)"
LOST = "(connection lost)"
COMMAND = "CSMS-command"


class CallFailed(Exception):  # noqa: N818 (an outcome that Locust shows by its name)
    """A call of the station got no CALLRESULT. Its text has nothing that differs from station to station."""


class Refused(CallFailed):
    """CALLERROR: its code, and its description."""


class NoReply(CallFailed):
    """Nothing came in time, or the connection ended first."""


class Cut(CallFailed):
    """The swarm itself cut the connection or ended the station: nobody's failure, never reported."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request and its reply.

    Attributes:
        kind: Locust's request type, e.g. `OCPP1.6` or `CSMS-command`.
        name: The action.
        took_ms: From frame to frame, measured at the socket.
        reply_bytes: Of the reply; 0: none came.
        error: Why it failed; None: it did not.
    """

    kind: str
    name: str
    took_ms: float
    reply_bytes: int = 0
    error: Exception | None = None


Report = Callable[[Sample], None]
