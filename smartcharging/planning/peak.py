"""The highest quarter of an hour of a billing period, as it is billed: a mean, by the site's own calendar month."""

from datetime import datetime
from zoneinfo import ZoneInfo

QUARTER_S = 900.0
GAP_S_MAX = 600.0
"""Between two figures; after a longer silence nothing is known of what was in between."""


class Peak:
    """Follows what a site draws. Args: the site's time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._month: tuple[int, int] | None = None
        self._quarter = 0
        self._kws = 0.0
        self._last: tuple[float, float] | None = None
        self.kw = 0.0
        """Of this month so far; of the running quarter nothing yet."""

    def tell(self, kw: float, now: datetime) -> None:
        """What the site draws at this moment; between two moments the earlier figure counts."""
        local = now.astimezone(self._zone)
        if self._month != (local.year, local.month):
            self._month, self.kw = (local.year, local.month), 0.0
        at_s = now.timestamp()
        if self._last is not None and 0 < at_s - self._last[0] <= GAP_S_MAX:
            self._add(*self._last, at_s)
        elif self._last is None or at_s - self._last[0] > GAP_S_MAX:
            self._quarter, self._kws = int(at_s // QUARTER_S), 0.0
        self._last = (at_s, max(kw, 0.0))

    def _add(self, from_s: float, kw: float, to_s: float) -> None:
        while from_s < to_s:
            quarter = int(from_s // QUARTER_S)
            if quarter != self._quarter:
                self.kw = max(self.kw, self._kws / QUARTER_S)
                self._quarter, self._kws = quarter, 0.0
            until = min(to_s, (quarter + 1) * QUARTER_S)
            self._kws += kw * (until - from_s)
            from_s = until
