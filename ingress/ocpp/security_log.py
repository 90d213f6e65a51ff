"""The security log of the door: who tried to come in and could not. Each attempt is counted; so many a second are told.

What strangers send can neither fill the log nor invent labels: events and outcomes are words of ours.
"""

from collections.abc import Callable

import structlog

from ingress import metrics
from ingress.ocpp.admission import TokenBucket

log = structlog.get_logger()

_LINES_PER_S = 20.0
_LINES_BURST = 200.0


class SecurityLog:
    """Counts and tells.

    Args:
        clock: A monotonic clock, seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lines = TokenBucket(_LINES_PER_S, _LINES_BURST, clock())
        self._untold = 0

    def tell(self, what: str, *, event: str | None = None, **details: str | int | None) -> None:
        """One refused attempt.

        Args:
            what: The line.
            event: OCPP 2.1 name of the security event that it is; it is a warning then. None: it is none.
            details: For the line.
        """
        if event is not None:
            metrics.security_events.labels(event).inc()
        if not self._lines.take(self._clock()):
            self._untold += 1
            return
        if self._untold:
            details["lines_left_out"], self._untold = self._untold, 0
        if event is None:
            log.info(what, **details)
        else:
            log.warning(what, security_event=event, **details)
