"""Admission: how fast stations may come in and talk, and who has failed too often. Takes the time as an argument.

All tables are bounded: what was not heard of for longest is forgotten first.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

_TAKEOVERS_KNOWN_MAX = 10_000
_IPV6_PREFIX = 64
"""Whoever has one address of such a network has all of them."""


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

    def has_one(self, now: float) -> bool:
        """Whether `take` would succeed."""
        self._refill(now)
        return self._tokens >= 1

    def wait_s(self, tokens: float = 1) -> float:
        """Seconds from the last look until there are `tokens`."""
        return max(0.0, (min(tokens, self._burst) - self._tokens) / self._rate)

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now


class Buckets:
    """A bucket per name, with one rate for all; the names of the last `known_max` are known.

    Args:
        per_min: Tokens per minute, and at once. 0: no limit, and nothing is kept.
        known_max: Names.
    """

    def __init__(self, per_min: float, known_max: int) -> None:
        self._per_min: Final = per_min
        self._known_max: Final = known_max
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def take(self, name: Hashable, now: float) -> float:
        """Takes a token; 0.0: it was there, else the seconds until there will be one."""
        if not self._per_min:
            return 0.0
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._per_min / 60, max(1.0, self._per_min), now)
            while len(self._buckets) > self._known_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        return 0.0 if bucket.take(now) else bucket.wait_s()

    def wait_s(self, name: Hashable, now: float) -> float:
        """Seconds until there is a token; takes none."""
        bucket = self._buckets.get(name)
        if bucket is None or bucket.has_one(now):
            return 0.0
        return bucket.wait_s()

    def __contains__(self, name: Hashable) -> bool:
        return name in self._buckets

    def __len__(self) -> int:
        return len(self._buckets)


class Takeovers:
    """How often living connections of each identity are pushed out by new ones.

    Bounded: the identities of the last 10,000 takeovers are known.
    """

    def __init__(self, per_min: float) -> None:
        self._buckets = Buckets(per_min, _TAKEOVERS_KNOWN_MAX)

    def allowed(self, station: str, now: float) -> bool:
        """Counts a takeover; False: this identity is being fought over."""
        return not self._buckets.take(station, now)


class Failures:
    """Who failed to come in, by network address and by identity: guessing is slow, and the innocent are not locked out.

    Only news count: a station that repeats one mistake every few seconds fails once. An identity under attack stays
    open to addresses that have not failed.

    Args:
        per_address_per_min: Failures of one address that are answered with their reason. 0: all.
        per_station_per_min: Failures in the name of one station, likewise.
        known_max: Addresses, identities and mistakes that are remembered.
    """

    def __init__(self, per_address_per_min: float, per_station_per_min: float, known_max: int) -> None:
        self._addresses: Final = Buckets(per_address_per_min, known_max)
        self._stations: Final = Buckets(per_station_per_min, known_max)
        self._mistakes: Final[OrderedDict[Hashable, None]] = OrderedDict()
        self._known_max: Final = known_max

    def wait_s(self, address: str, station: str, now: float) -> float:
        """Seconds before this address may try in the name of this station; 0.0: it may now."""
        network = network_of(address)
        wait_s = self._addresses.wait_s(network, now)
        if network in self._addresses:
            wait_s = max(wait_s, self._stations.wait_s(station, now))
        return wait_s

    def add(self, address: str, station: str, mistake: Hashable, now: float) -> None:
        """Counts a failure, unless the same address made the same mistake in the name of this station before."""
        network = network_of(address)
        name = (network, station, mistake)
        if name in self._mistakes:
            self._mistakes.move_to_end(name)
            return
        self._mistakes[name] = None
        if len(self._mistakes) > self._known_max:
            self._mistakes.popitem(last=False)
        self._addresses.take(network, now)
        self._stations.take(station, now)


def network_of(address: str) -> str:
    """What an address is counted by: IPv4 as it is, IPv6 by its network of 64 bits; what is no address as it is."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _IPV6_PREFIX), strict=False))
