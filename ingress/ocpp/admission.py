"""Admission: how fast stations may come in and talk. Slows down; never drops. Takes the time as an argument."""

from collections import OrderedDict

_TAKEOVERS_KNOWN_MAX = 10_000


class TokenBucket:
    """A rate with a burst: one token per message, refilled by time.

    Args:
        rate_per_s: Tokens per second.
        burst: Tokens at the start and at most.
        now: A monotonic clock, seconds.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate_per_s: float, burst: float, now: float) -> None:
        self._rate = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, now: float) -> bool:
        """Takes a token; False: there is none now, see `wait_s`."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def reserve(self, now: float) -> float:
        """Takes a token from the future if need be; returns the seconds until it is ours."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def give_back(self) -> None:
        """A reservation that is not used."""
        self._tokens = min(self._burst, self._tokens + 1)

    def wait_s(self, tokens: float = 1) -> float:
        """Seconds from the last look until there are `tokens`."""
        return max(0.0, (min(tokens, self._burst) - self._tokens) / self._rate)

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now


class Takeovers:
    """How often living connections of each identity are pushed out by new ones.

    Bounded: the identities of the last 10,000 takeovers are known.
    """

    def __init__(self, per_min: float) -> None:
        self._per_min = per_min
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def allowed(self, station: str, now: float) -> bool:
        """Counts a takeover; False: this identity is being fought over."""
        bucket = self._buckets.get(station)
        if bucket is None:
            bucket = self._buckets[station] = TokenBucket(self._per_min / 60, max(1.0, self._per_min), now)
        self._buckets.move_to_end(station)
        if len(self._buckets) > _TAKEOVERS_KNOWN_MAX:
            self._buckets.popitem(last=False)
        return bucket.take(now)
